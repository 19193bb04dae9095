"""Encode texts as barcodes: QR (ISO/IEC 18004), DataMatrix (16022), Code 128 (15417), and GS1's two. Plain Python."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import zxingcpp


class Symbology(StrEnum):
    """What a label's symbol is."""

    QR = "qr"
    CODE_128 = "code128"
    DATA_MATRIX = "datamatrix"
    GS1_DATA_MATRIX = "gs1_datamatrix"
    GS1_128 = "gs1_128"


GS1 = frozenset({Symbology.GS1_DATA_MATRIX, Symbology.GS1_128})
LINEAR = frozenset({Symbology.CODE_128, Symbology.GS1_128})
# Light modules that a reader needs around the symbol.
_QUIET = {
    Symbology.QR: 4,
    Symbology.DATA_MATRIX: 2,
    Symbology.GS1_DATA_MATRIX: 2,
    Symbology.CODE_128: 10,
    Symbology.GS1_128: 10,
}
_FORMATS = {
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
    Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
    Symbology.GS1_DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
    Symbology.CODE_128: zxingcpp.BarcodeFormat.Code128,
    Symbology.GS1_128: zxingcpp.BarcodeFormat.Code128,
}
MAX_TEXT = 1000


class NotEncodable(ValueError):
    """The symbology cannot hold the text; the message says why."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol as modules: rows from the top, of one byte each, 1 = dark.

    A linear symbol has one row, as high as wished.
    """

    rows: tuple[bytes, ...]
    quiet: int

    @property
    def width(self) -> int:
        """Modules from left to right, without the quiet zone."""
        return len(self.rows[0])

    @property
    def is_linear(self) -> bool:
        """Whether it is bars, not squares."""
        return len(self.rows) == 1


def encode(text: str, symbology: Symbology, *, level: str = "H") -> Symbol:
    """Return the smallest symbol of a text; `level` is QR's error correction, L, M, Q or H.

    GS1 symbols take the identifiers in brackets, as printed. Raises NotEncodable.
    """
    if not text or len(text) > MAX_TEXT:
        raise NotEncodable(f"A code holds 1 to {MAX_TEXT} characters.")
    options: dict[str, object] = {"gs1": True} if symbology in GS1 else {}
    if symbology == Symbology.QR:
        options["ec_level"] = level
    try:
        barcode = zxingcpp.create_barcode(text, _FORMATS[symbology], **options)
    except (ValueError, RuntimeError) as error:
        # Without the encoder's number in front and its code behind.
        said = re.sub(r"^Error \d+: |\s*\(retval: \d+\)$", "", str(error))
        raise NotEncodable(f"The symbol cannot hold it: {said}." if said else "It is too long.") from None
    drawn: Any = barcode.to_image(scale=1, add_quiet_zones=False)
    picture = memoryview(drawn)
    height, width = picture.shape or (0, 0)
    pixels = bytes(picture)
    if symbology in LINEAR:
        height = 1
    rows = tuple(bytes(0 if value else 1 for value in pixels[row * width : (row + 1) * width]) for row in range(height))
    return Symbol(rows, _QUIET[symbology])
