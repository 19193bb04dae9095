"""Read GS1 element strings: what an article's code says, by application identifier.

Source: GS1 General Specifications, section 3 (application identifiers), 7.8 (element strings, FNC1), 7.9 (check
digits), 7.12 (the century of a year of two digits). Plain Python: no Django, no clock.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

FNC1 = "\x1d"
MAX_LENGTH = 400
SYMBOLOGIES = ("]C1", "]d2", "]Q3", "]e0", "]J1")
"""How scanners announce a GS1 symbol (ISO/IEC 15424): GS1-128, DataMatrix, QR, DataBar, DotCode."""


def check_digit(digits: str) -> int:
    """Return the check digit of the digits before it: weights 3, 1, 3 … from the right, up to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def sscc(*, extension: int, prefix: str, serial: int) -> str:
    """Return a serial shipping container code: extension digit, company prefix, number, check digit; 18 digits.

    Source: GS1 General Specifications, section 2.2 and 3.2 (AI 00). Raises NotGs1 when the number does not fit.
    """
    room = 16 - len(prefix)
    if not 0 <= serial < 10**room:
        raise NotGs1(f"An SSCC of the prefix {prefix} has room for {room} digits.")
    digits = f"{extension}{prefix}{serial:0{room}d}"
    return f"{digits}{check_digit(digits)}"


def read_sscc(written: str) -> str:
    """Return the 18 digits of an SSCC, also written as (00)… or scanned with its identifier. Raises NotGs1."""
    text = written.strip().removeprefix("]C1").replace(" ", "").removeprefix("(00)")
    digits = text[2:] if len(text) == 20 and text.startswith("00") else text
    if not (len(digits) == 18 and digits.isascii() and digits.isdigit()):
        raise NotGs1("An SSCC has 18 digits.")
    if check_digit(digits[:-1]) != int(digits[-1]):
        raise NotGs1(f"The SSCC {digits} is mistyped: its last digit should be {check_digit(digits[:-1])}.")
    return digits


class Form(StrEnum):
    """What the data of an identifier is."""

    TEXT = "text"
    DIGITS = "digits"
    KEY = "key"
    DATE = "date"
    DATE_TIME = "date_time"
    COUNT = "count"
    MEASURE = "measure"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Identifier:
    """An application identifier: its name, its data's length, and whether its end must be marked."""

    ai: str
    title: str
    form: Form
    shortest: int
    longest: int
    unit: str = ""

    @property
    def is_fixed(self) -> bool:
        """Whether the data has one length."""
        return self.shortest == self.longest


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a code: the identifier as written, its data, and what that means."""

    ai: str
    title: str
    raw: str
    value: str | int | date | Decimal
    unit: str = ""


class NotGs1(ValueError):
    """The code is no GS1 element string; the message says where and why."""


def _table() -> dict[str, Identifier]:
    rows = [
        ("00", "SSCC", Form.KEY, 18, 18),
        ("01", "GTIN", Form.KEY, 14, 14),
        ("02", "CONTENT", Form.KEY, 14, 14),
        ("10", "BATCH/LOT", Form.TEXT, 1, 20),
        ("11", "PROD DATE", Form.DATE, 6, 6),
        ("12", "DUE DATE", Form.DATE, 6, 6),
        ("13", "PACK DATE", Form.DATE, 6, 6),
        ("15", "BEST BEFORE", Form.DATE, 6, 6),
        ("16", "SELL BY", Form.DATE, 6, 6),
        ("17", "USE BY OR EXPIRY", Form.DATE, 6, 6),
        ("20", "VARIANT", Form.DIGITS, 2, 2),
        ("21", "SERIAL", Form.TEXT, 1, 20),
        ("22", "CPV", Form.TEXT, 1, 20),
        ("240", "ADDITIONAL ID", Form.TEXT, 1, 30),
        ("241", "CUST. PART No.", Form.TEXT, 1, 30),
        ("250", "SECONDARY SERIAL", Form.TEXT, 1, 30),
        ("251", "REF. TO SOURCE", Form.TEXT, 1, 30),
        ("30", "VAR. COUNT", Form.COUNT, 1, 8),
        ("37", "COUNT", Form.COUNT, 1, 8),
        ("400", "ORDER NUMBER", Form.TEXT, 1, 30),
        ("401", "GINC", Form.TEXT, 1, 30),
        ("402", "GSIN", Form.KEY, 17, 17),
        ("403", "ROUTE", Form.TEXT, 1, 30),
        ("410", "SHIP TO LOC", Form.KEY, 13, 13),
        ("411", "BILL TO", Form.KEY, 13, 13),
        ("412", "PURCHASE FROM", Form.KEY, 13, 13),
        ("413", "SHIP FOR LOC", Form.KEY, 13, 13),
        ("414", "LOC No.", Form.KEY, 13, 13),
        ("415", "PAY TO", Form.KEY, 13, 13),
        ("416", "PROD/SERV LOC", Form.KEY, 13, 13),
        ("420", "SHIP TO POST", Form.TEXT, 1, 20),
        ("422", "ORIGIN", Form.DIGITS, 3, 3),
        ("7003", "EXPIRY TIME", Form.DATE_TIME, 10, 10),
        ("8008", "PROD TIME", Form.DATE_TIME, 8, 12),
        ("8020", "REF No.", Form.TEXT, 1, 25),
        *((str(ai), "INTERNAL", Form.TEXT, 1, 90) for ai in range(91, 100)),
        ("90", "INTERNAL", Form.TEXT, 1, 30),
    ]
    table = {row[0]: Identifier(*row) for row in rows}
    for stem, (title, unit) in _MEASURES.items():
        for decimals in range(6):
            ai = f"{stem}{decimals}"
            table[ai] = Identifier(ai, title, Form.MEASURE, 6, 6, unit)
    for decimals in range(10):
        table[f"392{decimals}"] = Identifier(f"392{decimals}", "PRICE", Form.MONEY, 1, 15)
    return table


# Trade measures 310–316 and 320–329 … 356 with their units; the fourth digit says how many decimals follow.
_MEASURES: dict[str, tuple[str, str]] = {
    "310": ("NET WEIGHT", "kg"),
    "311": ("LENGTH", "m"),
    "312": ("WIDTH", "m"),
    "313": ("HEIGHT", "m"),
    "314": ("AREA", "m²"),
    "315": ("NET VOLUME", "l"),
    "316": ("NET VOLUME", "m³"),
    "320": ("NET WEIGHT", "lb"),
    "330": ("GROSS WEIGHT", "kg"),
    "331": ("LENGTH, log", "m"),
    "332": ("WIDTH, log", "m"),
    "333": ("HEIGHT, log", "m"),
    "334": ("AREA, log", "m²"),
    "335": ("VOLUME, log", "l"),
    "336": ("VOLUME, log", "m³"),
    "337": ("KG PER m²", "kg/m²"),
    "340": ("GROSS WEIGHT", "lb"),
    "356": ("NET WEIGHT", "troy oz"),
    "357": ("NET WEIGHT", "oz"),
}

TABLE = _table()
# Two first digits whose element strings have a length of their own and need no end mark (figure 7.8.5-2).
_PREDEFINED = {
    "00": 20,
    "01": 16,
    "02": 16,
    "03": 16,
    "04": 18,
    **dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8),
    "20": 4,
    **dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10),
    "41": 16,
}
# The character set 82 of GS1, without the separator.
_TEXT = re.compile(r"[!-\"%-/0-9:-?A-Z_a-z]+\Z")
_BRACKETS = re.compile(r"\((\d{2,4})\)")


def parse(code: str, *, today: date) -> list[Element]:
    """Return the elements of a code: scanned (FNC1 as GS, 0x1D) or as printed, with its identifiers in brackets.

    `today` gives years of two digits their century. Raises NotGs1 with what is wrong.
    """
    text = code.strip(" \r\n\t")
    if len(text) > MAX_LENGTH:
        raise NotGs1("The code is longer than any GS1 symbol.")
    for prefix in SYMBOLOGIES:
        text = text.removeprefix(prefix)
    text = text.lstrip(FNC1)
    if not text:
        raise NotGs1("The code is empty.")
    pairs = _from_brackets(text) if text.startswith("(") else _from_scan(text)
    elements = [_element(identifier, data, today) for identifier, data in pairs]
    said: dict[str, str] = {}
    for element in elements:
        if said.setdefault(element.ai, element.raw) != element.raw:
            raise NotGs1(f"({element.ai}) is there twice, with different data.")
    return elements


def _from_brackets(text: str) -> list[tuple[Identifier, str]]:
    parts = _BRACKETS.split(text)
    if parts[0]:
        raise NotGs1("A code in brackets begins with an identifier, such as (01).")
    pairs = []
    for ai, data in zip(parts[1::2], parts[2::2], strict=True):
        if ai not in TABLE:
            raise NotGs1(f"({ai}) is no application identifier that is known here.")
        pairs.append((TABLE[ai], data.removesuffix(FNC1)))
    return pairs


def _from_scan(text: str) -> list[tuple[Identifier, str]]:
    pairs, place = [], 0
    while place < len(text):
        identifier = next((TABLE[text[place : place + n]] for n in (2, 3, 4) if text[place : place + n] in TABLE), None)
        if identifier is None:
            raise NotGs1(
                f"'{text[place : place + 4]}' at place {place + 1} begins no application identifier known here."
            )
        start = place + len(identifier.ai)
        whole = _PREDEFINED.get(identifier.ai[:2])
        if whole is not None:
            end = place + whole
        else:
            mark = text.find(FNC1, start)
            end = len(text) if mark < 0 else mark
        pairs.append((identifier, text[start:end]))
        place = end
        if text[place : place + 1] == FNC1:
            place += 1
    return pairs


def _element(identifier: Identifier, data: str, today: date) -> Element:
    ai = identifier.ai
    if not identifier.shortest <= len(data) <= identifier.longest:
        length = str(identifier.shortest) if identifier.is_fixed else f"{identifier.shortest} to {identifier.longest}"
        raise NotGs1(f"({ai}) {identifier.title} has {length} characters, not {len(data)}.")
    if identifier.form == Form.TEXT:
        if not _TEXT.match(data):
            raise NotGs1(f"({ai}) {identifier.title} holds a character that GS1 does not have.")
        return Element(ai, identifier.title, data, data)
    if not (data.isascii() and data.isdigit()):
        raise NotGs1(f"({ai}) {identifier.title} is made of digits.")
    return Element(ai, identifier.title, data, _value(identifier, data, today), identifier.unit)


def _value(identifier: Identifier, data: str, today: date) -> str | int | date | Decimal:
    if identifier.form == Form.KEY:
        if check_digit(data[:-1]) != int(data[-1]):
            raise NotGs1(
                f"({identifier.ai}) {identifier.title} {data}: the check digit should be {check_digit(data[:-1])}."
            )
        return data
    if identifier.form in (Form.DATE, Form.DATE_TIME):
        day = _date(identifier, data[:6], today)
        if identifier.form == Form.DATE:
            return day
        return _moment(identifier, day, data[6:])
    if identifier.form == Form.COUNT:
        return int(data)
    if identifier.form in (Form.MEASURE, Form.MONEY):
        return Decimal(int(data)).scaleb(-int(identifier.ai[3]))
    return data


def _date(identifier: Identifier, data: str, today: date) -> date:
    """Return a date of YYMMDD; day 00 is the last of the month."""
    year, month, day = int(data[:2]), int(data[2:4]), int(data[4:])
    # Of the centuries, the one that is nearest: 51 or more years ahead was in the last, 50 or more back is in the next.
    gap = year - today.year % 100
    century = today.year - today.year % 100
    year += century - 100 if gap >= 51 else century + 100 if gap <= -50 else century
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        raise NotGs1(f"({identifier.ai}) {identifier.title}: {data} is no day; it is written YYMMDD.") from None


def _moment(identifier: Identifier, day: date, clock: str) -> str:
    hours, minutes, seconds = (int(clock[at : at + 2] or 0) for at in (0, 2, 4))
    if len(clock) % 2 or hours > 23 or minutes > 59 or seconds > 59:
        raise NotGs1(f"({identifier.ai}) {identifier.title}: {clock} is no time of day.")
    return f"{day.isoformat()}T{hours:02d}:{minutes:02d}:{seconds:02d}"


def value_of(elements: list[Element], ai: str) -> str | int | date | Decimal | None:
    """Return what an identifier says, or None when it is not there."""
    return next((element.value for element in elements if element.ai == ai), None)
