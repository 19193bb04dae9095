"""Rows on the pages of orders and changeovers."""

from typing import Any

from django.http import HttpRequest

from core.admin import RowInline


class CopiedInline(RowInline):
    """What was copied to an order when it was released."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
