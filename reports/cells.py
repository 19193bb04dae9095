"""Write values as cells of a sheet's XML (ECMA-376 part 1, 18.3.1.4), in the format that the cell has. Plain Python."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from xml.sax.saxutils import escape

from core.exact import plain_number
from reports.fields import Value

MAX_TEXT = 32_767
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_BUILT_IN_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_EPOCH_1900, _EPOCH_1904 = datetime(1899, 12, 30, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)
_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})\Z")
MAX_COLUMN, MAX_ROW = 16_384, 1_048_576


class BadValue(ValueError):
    """The value does not fit into a cell; the message says why."""


def column_number(letters: str) -> int:
    """Return 1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return A for 1, AA for 27."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_at(reference: str) -> tuple[int, int] | None:
    """Return (column, row) of a reference such as J6 or $J$6, from 1; None for what is none."""
    found = _CELL.match(reference)
    if found is None:
        return None
    column, row = column_number(found.group(1)), int(found.group(2))
    return (column, row) if column <= MAX_COLUMN and row <= MAX_ROW else None


def is_date_format(number: int, code: str | None) -> bool:
    """Say whether a number format shows dates or times."""
    if code is None:
        return number in _BUILT_IN_DATES
    plain = _NOT_FORMAT.sub("", code)
    return "general" not in plain.lower() and re.search(r"[dmyhs]", plain, re.IGNORECASE) is not None


def serial(value: date, *, from_1904: bool) -> Decimal | None:
    """Return a date or a moment without zone as days of the workbook's calendar; None before it begins.

    Excel's calendar of 1900 has a 29 February 1900, so what is before March is left to text.
    """
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    # The clock on the wall, counted as if it were UTC's: a spreadsheet knows no zones.
    passed = moment.replace(tzinfo=UTC) - (_EPOCH_1904 if from_1904 else _EPOCH_1900)
    if passed < (timedelta(0) if from_1904 else timedelta(days=61)):
        return None
    return (passed.days + Decimal(passed.seconds) / 86_400).quantize(Decimal("1e-10")).normalize()


def cell_xml(
    reference: str,
    value: Value,
    *,
    attributes: Sequence[str],
    prefix: str,
    is_date: bool,
    from_1904: bool,
    zone: tzinfo,
) -> str:
    """Return a cell's element: its place, the attributes to keep, and the value typed. Raises BadValue.

    A text is an inline string, so that it is a text whatever it begins with. A moment is shown in `zone`; in a cell
    that has no date's format it is written as ISO text, since its number would mean nothing there.
    """
    start = " ".join([f'<{prefix}c r="{reference}"', *attributes])
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadValue("A moment without a zone.")
        value = value.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, date):
        number = serial(value, from_1904=from_1904) if is_date else None
        if number is not None:
            return f"{start}><{prefix}v>{number:f}</{prefix}v></{prefix}c>"
        value = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value.isoformat()
    if value is None or value == "":
        return f"{start}/>"
    if isinstance(value, bool):
        return f'{start} t="b"><{prefix}v>{int(value)}</{prefix}v></{prefix}c>'
    if isinstance(value, int | Decimal):
        if Decimal(repr(float(value))) == value:
            return f"{start}><{prefix}v>{plain_number(Decimal(value))}</{prefix}v></{prefix}c>"
        # A cell holds a binary fraction; a number that would not come back the same is a text.
        value = f"{Decimal(value):f}"
    return f'{start} t="inlineStr"><{prefix}is><{prefix}t xml:space="preserve">{_text(value)}</{prefix}t></{prefix}is></{prefix}c>'


def _text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise BadValue(f"A cell holds at most {MAX_TEXT:,} characters.")
    # What looks like Excel's own escape is kept as the text that it is; what XML cannot hold is shown as a blank box.
    kept = _CONTROL.sub("\ufffd", _LOOKS_ESCAPED.sub("_x005F_", text))
    return escape(kept, {"\r": "&#13;"})
