"""What every PDF is written with: one pair of fonts with the letters of all European languages, and text that fits.

Plain Python: no Django, no clock. Text is drawn, never interpreted.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_FOLDER = Path(__file__).resolve().parent / "fonts"
SANS_FILE = str(_FOLDER / "DejaVuSans.ttf")
BOLD_FILE = str(_FOLDER / "DejaVuSans-Bold.ttf")
SANS, BOLD = "MesSans", "MesSans-Bold"


_registering = Lock()


def register_fonts() -> None:
    """Let documents name the fonts; a document takes along only the letters that it uses."""
    register_font(SANS, SANS_FILE)
    register_font(BOLD, BOLD_FILE)


def register_font(name: str, file: str) -> None:
    """Let documents name a font, once for the process, whoever else asks for it at this moment."""
    with _registering:
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, file))


@lru_cache(maxsize=2)
def known_letters(font: str = SANS) -> frozenset[int]:
    """Return the code points that a font can draw."""
    register_fonts()
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


def printable(said: str) -> str:
    """Return a text without control characters, which become spaces."""
    return "".join(character if character.isprintable() else " " for character in said)


def measure(said: str, size: float, font: str = SANS) -> float:
    """Return the width of a text in points."""
    return float(pdfmetrics.stringWidth(said, font, size))


def wrap(said: str, width: float, size: float, font: str = SANS) -> list[str]:
    """Return a text as lines that fit into a width; words that do not are cut."""
    lines: list[str] = []
    for paragraph in said.splitlines() or [""]:
        line = ""
        for word in printable(paragraph).split(" "):
            longer = f"{line} {word}" if line else word
            if measure(longer, size, font) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            while measure(word, size, font) > width and len(word) > 1:
                fits = _fitting(word, width, size, font)
                lines.append(word[:fits])
                word = word[fits:]
            line = word
        lines.append(line)
    return lines


def fit(said: str, width: float, size: float, font: str = SANS) -> str:
    """Return as much of the beginning of a text as fits into a width."""
    said = printable(said)
    while said and measure(said, size, font) > width:
        said = said[:-1]
    return said


def _fitting(word: str, width: float, size: float, font: str) -> int:
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(word[:middle], size, font) <= width else (low, middle - 1)
    return low
