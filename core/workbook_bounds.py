"""Refuse workbooks whose XML is much too much, before a parser makes something of it. Plain Python, no parser.

40 kB of a ZIP unpack to 25 MB of empty rows, and a parser makes a gigabyte of those. Counting `<` costs next to
nothing.
"""

MAX_STRETCH = 512 * 1024
"""Bytes from one tag's beginning to the next one's: a text, or a tag with all its attributes.

A cell holds 32,767 letters.
"""
_SHEETS = ("xl/worksheets/", "xl/sharedstrings")


def is_of_sheets(part: str) -> bool:
    """Say whether a part holds cells, or the texts of cells."""
    return part.lower().startswith(_SHEETS)


def tags_in(data: bytes) -> int:
    """Return how many tags and ends of tags XML has, at most."""
    return data.count(b"<")


def has_long_stretch(data: bytes) -> bool:
    """Say whether there is more between two tags than any program writes there."""
    at = 0
    while len(data) - at > MAX_STRETCH:
        last = data.rfind(b"<", at, at + MAX_STRETCH)
        if last < 0:
            return True
        at = last + 1
    return False
