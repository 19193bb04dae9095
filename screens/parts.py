"""Parts of a page that take longer: fetched by its script, or led to by a link, as pages of their own."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

FETCHED = "fetch"
_HEADER = "X-Requested-With"


def render_part(
    request: HttpRequest, template: str, context: dict[str, Any], *, title: str, back: tuple[str, str]
) -> HttpResponse:
    """Answer a template alone to a script, which says so in a header; to others with the frame of a page around it.

    `back` is the address and the name of the page that it is a part of.
    """
    if request.headers.get(_HEADER) == FETCHED:
        answer = render(request, template, context)
    else:
        answer = render(request, "screens/part.html", {**context, "part": template, "title": title, "back": back})
    patch_vary_headers(answer, [_HEADER])
    return answer
