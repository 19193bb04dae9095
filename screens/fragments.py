"""Lines' fragments, answered anew to a browser that missed something."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language

from live.fragments import render_lines, version_now


def fragments_of(line_ids: Iterable[int], view: str) -> list[dict[str, Any]]:
    """Return a view of each line in the reader's language, as the socket would send it."""
    version, language = version_now(), get_language() or settings.LANGUAGE_CODE
    rendered = render_lines([(line_id, view, language) for line_id in line_ids], now=timezone.now())
    return [
        {"id": line_id, "view": view, "version": version, "html": html} for (line_id, view, _), html in rendered.items()
    ]
