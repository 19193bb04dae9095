"""How lists are cut into pages."""

from rest_framework.pagination import PageNumberPagination


class BoundedPagination(PageNumberPagination):
    """Page lists by number; a page never holds more than 1,000 rows."""

    page_size_query_param = "page_size"
    max_page_size = 1000
