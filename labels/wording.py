"""Fill the named fields of a label's texts: `{code}` as it is, `{code:url}` as a part of an address. Plain Python."""

import re
from collections.abc import Mapping
from urllib.parse import quote

_FIELD = re.compile(r"\{([a-z][a-z0-9_]{0,39})(:url)?\}")


class BadTemplate(ValueError):
    """The template cannot be filled; the message says why."""


def names(template: str) -> set[str]:
    """Return the fields that a template names. Raises BadTemplate for a brace that belongs to none."""
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        raise BadTemplate("A field is written {name} or {name:url}, in small letters, digits and '_'.")
    return {found.group(1) for found in _FIELD.finditer(template)}


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Return the template with its fields filled in. Raises BadTemplate when one is not there."""
    lacking = sorted(names(template) - fields.keys())
    if lacking:
        raise BadTemplate(f"There is no field '{lacking[0]}'.")

    def value(found: re.Match[str]) -> str:
        text = fields[found.group(1)]
        return quote(text, safe="") if found.group(2) else text

    # One pass: what a value holds is never taken for a field.
    return _FIELD.sub(value, template)
