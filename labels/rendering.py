"""Draw labels as PNG, PDF and ZPL: the same modules at the same places. Plain Python: no Django, no clock.

A symbol is drawn module by module, in ZPL too: what comes out of a printer does not depend on its own encoder, and
nothing of a label's texts is a command to it.
"""

import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from core.pdf import SANS_FILE, register_font
from labels.symbols import NotEncodable, Symbol, Symbology, encode

MM_PER_INCH = Decimal("25.4")
POINTS_PER_INCH = 72
MARGIN_MM = Decimal(1)
MIN_MODULE_MM = Decimal("0.16")
"""Below this, hand scanners and tablets' cameras stop reading."""
MIN_BAR_MM = Decimal(5)
A4_MM = (Decimal(210), Decimal(297))
A4_MARGIN_MM = Decimal(8)
FONT = SANS_FILE
_STRANGER = "\uffff"


@dataclass(frozen=True, slots=True)
class Design:
    """How labels look: millimetres, dots per inch, symbology; `on_sheets` puts many on an A4 page of a PDF."""

    width_mm: Decimal
    height_mm: Decimal
    dpi: int
    symbology: Symbology
    level: str = "H"
    text_mm: Decimal = Decimal("2.5")
    on_sheets: bool = False
    font: str = FONT


@dataclass(frozen=True, slots=True)
class Content:
    """What one label says: the symbol's text, and the lines beside it."""

    payload: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A label laid out, in dots from its upper left corner: the symbol, its module, the height of bars, the texts."""

    width: int
    height: int
    symbol: Symbol
    x: int
    y: int
    module: int
    bar_height: int
    text_height: int
    texts: tuple[tuple[int, int, str], ...]


def dots(mm: Decimal, dpi: int) -> int:
    """Return millimetres as whole dots."""
    return round(mm * dpi / MM_PER_INCH)


def place(design: Design, content: Content) -> Placed:
    """Lay a label out: a wide one with its texts beside the symbol, another with its texts below.

    Raises NotEncodable when the symbology cannot hold the text, or the label not the symbol.
    """
    symbol = encode(content.payload, design.symbology, level=design.level)
    width, height = dots(design.width_mm, design.dpi), dots(design.height_mm, design.dpi)
    margin, text = dots(MARGIN_MM, design.dpi), dots(design.text_mm, design.dpi)
    pitch = text + text // 4
    lines = [line for line in content.lines if line]
    below = pitch * len(lines)
    beside = bool(lines) and not symbol.is_linear and width * 10 >= height * 14
    room = width - 2 * margin
    tall = height - 2 * margin - (0 if beside else below)
    space = room if symbol.is_linear else min(room, tall)
    module = space // (symbol.width + 2 * symbol.quiet)
    if module * MM_PER_INCH < MIN_MODULE_MM * design.dpi or (
        symbol.is_linear and tall * MM_PER_INCH < MIN_BAR_MM * design.dpi
    ):
        raise NotEncodable("The label is too small for its code and texts; enlarge it, or shorten them.")
    side = module * (symbol.width + 2 * symbol.quiet)
    # Light all around: the quiet zone belongs to the symbol's place.
    x = margin + symbol.quiet * module + (0 if beside else (room - side) // 2)
    y = margin + (0 if symbol.is_linear else symbol.quiet * module)
    if beside:
        left = margin + side
        top = max(margin, (height - below) // 2)
    else:
        left = margin
        top = margin + (tall if symbol.is_linear else side) + pitch - text
    if beside and top + below > height:
        raise NotEncodable("The label is too small for its texts; enlarge it, or shorten them.")
    texts = tuple(
        (left, top + number * pitch, fitted(line, design.font, text, width - margin - left))
        for number, line in enumerate(lines)
    )
    return Placed(width, height, symbol, x, y, module, tall if symbol.is_linear else module, text, texts)


@lru_cache(maxsize=64)
def _font(path: str, size: int) -> Any:
    return ImageFont.truetype(path, size)


@lru_cache(maxsize=4096)
def _has(path: str, character: str) -> bool:
    font = _font(path, 16)
    return bytes(font.getmask(character)) != bytes(font.getmask(_STRANGER))


def readable(text: str, path: str) -> str:
    """Return a text in letters that a font has: a letter without its mark where the marked one is missing, else '?'."""
    written = []
    for character in text:
        plain = unicodedata.normalize("NFKD", character)[0]
        found = next((one for one in (character, plain) if one == " " or _has(path, one)), "?")
        written.append(found)
    return "".join(written)


def fitted(line: str, path: str, size: int, room: int) -> str:
    """Return a line cut, with dots at its end, where it would be wider than there is room."""
    text, font = readable(line, path), _font(path, size)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "...") > room:
        text = text[:-1]
    return text + "..." if text else ""


def png(design: Design, content: Content) -> bytes:
    """Return a label as a black and white PNG of its dots."""
    placed = place(design, content)
    picture = Image.new("L", (placed.width, placed.height), 255)
    symbol = placed.symbol
    modules = Image.frombytes("L", (symbol.width, len(symbol.rows)), b"".join(symbol.rows))
    drawn = modules.point(lambda dark: 0 if dark else 255).resize(
        (symbol.width * placed.module, len(symbol.rows) * placed.bar_height), Image.Resampling.NEAREST
    )
    picture.paste(drawn, (placed.x, placed.y))
    pen = ImageDraw.Draw(picture)
    for x, y, text in placed.texts:
        pen.text((x, y), text, font=_font(design.font, placed.text_height), fill=0, anchor="lt")
    out = BytesIO()
    picture.convert("1", dither=Image.Dither.NONE).save(out, format="PNG", dpi=(design.dpi, design.dpi))
    return out.getvalue()


def zip_of_pngs(design: Design, labels: Iterable[tuple[str, Content]]) -> Iterator[bytes]:
    """Yield a ZIP of one PNG for each label, piece by piece; a name is the label's number and its code made safe."""
    sink = _Sink()
    with zipfile.ZipFile(cast(Any, sink), "w", zipfile.ZIP_STORED) as archive:
        for number, (code, content) in enumerate(labels, start=1):
            safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in code)[:80]
            archive.writestr(zipfile.ZipInfo(f"{number:05d}_{safe}.png"), png(design, content))
            yield sink.take()
    yield sink.take()


class _Sink:
    """Take what is written, to be handed on."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        return None

    def take(self) -> bytes:
        pieces, self._pieces = b"".join(self._pieces), []
        return pieces


def pdf(design: Design, contents: Sequence[Content]) -> bytes:
    """Return labels as a PDF: one on each page, or row by row on A4 sheets."""
    out = BytesIO()
    size = A4_MM if design.on_sheets else (design.width_mm, design.height_mm)
    page = tuple(float(mm / MM_PER_INCH * POINTS_PER_INCH) for mm in size)
    canvas = Canvas(out, pagesize=page, pageCompression=1, invariant=1)
    name = f"label-{Path(design.font).stem}"
    register_font(name, design.font)
    columns, rows = (1, 1) if not design.on_sheets else _grid(design)
    for number, content in enumerate(contents):
        if number and number % (columns * rows) == 0:
            canvas.showPage()
        row, column = divmod(number % (columns * rows), columns)
        left = (A4_MARGIN_MM if design.on_sheets else Decimal(0)) + column * design.width_mm
        top = (A4_MARGIN_MM if design.on_sheets else Decimal(0)) + row * design.height_mm
        corner = (
            float(left / MM_PER_INCH * POINTS_PER_INCH),
            page[1] - float(top / MM_PER_INCH * POINTS_PER_INCH),
        )
        _draw(canvas, design, place(design, content), corner, name)
    canvas.save()
    return out.getvalue()


def _grid(design: Design) -> tuple[int, int]:
    columns = int((A4_MM[0] - 2 * A4_MARGIN_MM) // design.width_mm)
    rows = int((A4_MM[1] - 2 * A4_MARGIN_MM) // design.height_mm)
    if not columns or not rows:
        raise NotEncodable("The label is larger than an A4 sheet; print one on each page.")
    return columns, rows


def _draw(canvas: Any, design: Design, placed: Placed, corner: tuple[float, float], font: str) -> None:
    dot = POINTS_PER_INCH / design.dpi
    path = canvas.beginPath()
    for number, row in enumerate(placed.symbol.rows):
        y = corner[1] - (placed.y + number * placed.module + placed.bar_height) * dot
        for start, length in _runs(row):
            x = corner[0] + (placed.x + start * placed.module) * dot
            path.rect(x, y, length * placed.module * dot, placed.bar_height * dot)
    canvas.drawPath(path, stroke=0, fill=1)
    size = placed.text_height * dot
    canvas.setFont(font, size)
    for x, y, text in placed.texts:
        # The base line lies a fifth of the height above the lower edge.
        canvas.drawString(corner[0] + x * dot, corner[1] - y * dot - size * 0.8, text)


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and length of each run of dark modules."""
    start = None
    for place_, dark in enumerate(row + b"\0"):
        if dark and start is None:
            start = place_
        elif not dark and start is not None:
            yield start, place_ - start
            start = None


def zpl(design: Design, contents: Iterable[Content]) -> Iterator[str]:
    """Yield one ZPL II format for each label: the symbol as a graphic,
    texts in UTF-8 with all but plain letters escaped.
    """
    for content in contents:
        placed = place(design, content)
        row_bytes = -(-placed.symbol.width * placed.module // 8)
        lines_high = len(placed.symbol.rows) * placed.bar_height
        total = row_bytes * lines_high
        parts = [f"^XA^CI28^PW{placed.width}^LL{placed.height}^LH0,0"]
        parts.append(f"^FO{placed.x},{placed.y}^GFA,{total},{total},{row_bytes},{_graphic(placed, row_bytes)}^FS")
        for x, y, text in placed.texts:
            parts.append(f"^FO{x},{y}^A0N,{placed.text_height},{placed.text_height}^FH_^FD{escaped(text)}^FS")
        yield "\n".join([*parts, "^XZ", ""])


def _graphic(placed: Placed, row_bytes: int) -> str:
    """Return the symbol's dots as ZPL's hexadecimal graphic; ':' repeats the row above, ',' ends a row with light."""
    lines = []
    for row in placed.symbol.rows:
        bits = "".join(("1" if dark else "0") * placed.module for dark in row).ljust(row_bytes * 8, "0")
        digits = f"{int(bits, 2):0{row_bytes * 2}X}"
        light = digits.rstrip("0")
        lines.append(digits if light == digits else f"{light},")
        lines.append(":" * (placed.bar_height - 1))
    return "".join(lines)


def escaped(text: str) -> str:
    """Return a text for a ZPL field after ^FH_: whatever is no plain letter, digit or blank as hexadecimal UTF-8."""
    return "".join(
        c if c.isascii() and (c.isalnum() or c == " ") else "".join(f"_{byte:02X}" for byte in c.encode()) for c in text
    )
