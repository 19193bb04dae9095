"""The API's description: lists are offered as files, everything else as JSON."""

from typing import Any

from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """Describe a view; only what lists can be asked for as CSV or workbook."""

    def map_renderers(self, attribute: str) -> list[Any]:
        """Return the media types or formats that an operation answers."""
        found: list[Any] = super().map_renderers(attribute)
        return found if self.method == "GET" and self._is_list_view() else found[:1]
