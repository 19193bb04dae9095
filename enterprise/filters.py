"""What lists of places can be narrowed by."""

from typing import Any

PLACE: dict[str, list[str]] = {"code": ["exact"], "name": ["exact", "icontains"], "is_active": ["exact"]}
LEVEL: dict[str, Any] = {"site": ["exact"], "line": ["exact"], "machine": ["exact"]}
