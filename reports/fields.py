"""Read a field of a record by its path: `product.name`, `operations`, or a text with fields in braces. Plain Python."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.exact import plain_number

Value = str | int | Decimal | bool | date | datetime | None
_STEP = r"[a-z][a-z0-9_]{0,63}"
_PATH = re.compile(rf"{_STEP}(?:\.{_STEP}){{0,9}}\Z")
_IN_TEXT = re.compile(r"\{([a-z0-9_.]{1,200})\}")


class BadPath(ValueError):
    """The path is none, or leads to nothing; the message says which."""


def check_path(path: str) -> None:
    """Raise BadPath for what is neither a path nor a text with some in braces."""
    if "{" in path or "}" in path:
        if "{" in (rest := _IN_TEXT.sub("", path)) or "}" in rest:
            raise BadPath("A field inside a text is written {order_number} or {product.name}.")
        for inner in _IN_TEXT.findall(path):
            _plain(inner)
    else:
        _plain(path)


def check_list_path(path: str) -> None:
    """Raise BadPath for what is no path; empty is one cell."""
    if path:
        _plain(path)


def _plain(path: str) -> None:
    if not _PATH.match(path):
        raise BadPath(f"'{path[:80]}' is no field; write order_number or product.name.")


def value_at(data: Mapping[str, Any], path: str) -> Value:
    """Return the value of a path or text. Raises BadPath when there is no such field; None is a value."""
    if "{" in path:
        return _IN_TEXT.sub(lambda found: text_of(_at(data, found.group(1))), path)
    value = _at(data, path)
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        raise BadPath(f"'{path}' holds several fields; name one of them.")
    found: Value = value
    return found


def list_at(data: Mapping[str, Any], path: str) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a repeating field. Raises BadPath when it is none."""
    rows = _at(data, path)
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise BadPath(f"'{path}' does not repeat.")
    return rows


def _at(data: Mapping[str, Any], path: str) -> Any:
    here: Any = data
    for step in path.split("."):
        # Where something is unknown, so is whatever would be in it.
        if here is None:
            return None
        if not isinstance(here, Mapping) or step not in here:
            raise BadPath(f"There is no field '{path}'.")
        here = here[step]
    return here


def text_of(value: Value) -> str:
    """Return a value as it stands inside a text."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else str(value)
