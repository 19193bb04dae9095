"""A record as PDF: deviations first, then signatures and all sections; its hash and "page x of y" on every page.

Drawn line by line, so that memory holds one page beside the document itself. Text is drawn, never interpreted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from batchrecords.assembly import Assembled, Standing
from batchrecords.models import Signature
from core.audit_chain import written
from core.pdf import BOLD as _BOLD
from core.pdf import SANS as _FONT
from core.pdf import fit, register_fonts, wrap

_WIDTH, _HEIGHT = landscape(A4)
_MARGIN, _TOP, _BOTTOM = 36, _HEIGHT - 62, 46
_SIZE, _LEADING = 7.5, 10


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line of the document: cells with where they begin, or a rule."""

    cells: tuple[tuple[float, str], ...]
    bold: bool = False
    size: float = _SIZE
    keep: int = 1
    """So many lines have to fit on the page from here on; else a new one begins."""


def write_pdf(file: BinaryIO, found: Assembled, stands: Standing, *, now: datetime, printed_by: str = "") -> int:
    """Write a record; return how many pages it has. `now` is when it is printed."""
    register_fonts()
    pages = sum(1 for _ in _pages(_lines(found, stands)))
    canvas = Canvas(file, pagesize=(_WIDTH, _HEIGHT), pageCompression=1, initialFontName=_FONT)
    canvas.setTitle(f"Batch record {found.record.number}")
    canvas.setAuthor(printed_by or "MES")
    last = stands.signatures[-1] if stands.signatures else None
    for number, page in enumerate(_pages(_lines(found, stands)), start=1):
        _frame(canvas, found, last, stands, number, pages, now, printed_by)
        y = _TOP
        for line in page:
            canvas.setFont(_BOLD if line.bold else _FONT, line.size)
            for x, said in line.cells:
                canvas.drawString(x, y, said)
            y -= _LEADING * line.size / _SIZE
        canvas.showPage()
    canvas.save()
    return pages


def _frame(
    canvas: Canvas,
    found: Assembled,
    last: Signature | None,
    stands: Standing,
    number: int,
    pages: int,
    now: datetime,
    printed_by: str,
) -> None:
    canvas.setFont(_BOLD, 11)
    canvas.drawString(_MARGIN, _HEIGHT - 32, fit(f"Batch record {found.record.number}", _WIDTH - 300, 11, _BOLD))
    canvas.setFont(_FONT, _SIZE)
    state = found.record.get_status_display()
    if stands.changed_since_signed:
        state += ", changed since it was signed"
    canvas.drawRightString(_WIDTH - _MARGIN, _HEIGHT - 32, state)
    canvas.line(_MARGIN, _HEIGHT - 40, _WIDTH - _MARGIN, _HEIGHT - 40)
    canvas.line(_MARGIN, 36, _WIDTH - _MARGIN, 36)
    signed = f" · last signed {last.content_hash}" if last and stands.changed_since_signed else ""
    canvas.drawString(_MARGIN, 26, f"SHA-256 {found.content_hash}{signed}")
    canvas.drawRightString(_WIDTH - _MARGIN, 26, f"page {number} of {pages}")
    canvas.drawString(_MARGIN, 16, fit(f"Printed {written(now)} {printed_by}", _WIDTH - 2 * _MARGIN, _SIZE))


def _pages(lines: Iterator[Drawn]) -> Iterator[list[Drawn]]:
    page: list[Drawn] = []
    left = _TOP - _BOTTOM
    for line in lines:
        height = _LEADING * line.size / _SIZE
        if left < height + (line.keep - 1) * _LEADING and page:
            yield page
            page, left = [], _TOP - _BOTTOM
        page.append(line)
        left -= height
    if page:
        yield page


def _lines(found: Assembled, stands: Standing) -> Iterator[Drawn]:
    for name, value in found.head:
        yield from _row((name, value), (110.0, _WIDTH - 2 * _MARGIN - 110))
    yield from _heading("Deviations")
    if found.exceptions:
        heads = ("Severity", "Deviation", "Detail", "At", "Resolution")
        rows = []
        for one in found.exceptions:
            resolution = one.resolution
            decided = (
                f"{resolution.get_decision_display()}: {resolution.comment} ({resolution.resolved_name}, {written(resolution.resolved_at)})"
                if resolution
                else "NOT RESOLVED"
            )
            at = written(one.finding.at) or ""
            rows.append((one.finding.severity, one.finding.title, one.finding.detail, at, decided))
        yield from _table(heads, rows)
    else:
        yield from _row(("None.",), (400.0,))
    yield from _heading("Signatures")
    signed = [
        (
            one.printed_name,
            one.username,
            one.get_meaning_display(),
            local_time(one),
            written(one.signed_at),
            "holds" if one.pk in stands.holding else "VOID: the record changed since",
            one.comment,
            one.content_hash,
        )
        for one in stands.signatures
    ]
    columns = ("Name", "User", "Meaning", "Time at the site", "Time UTC", "Holds", "Comment", "SHA-256 of the content")
    if signed:
        yield from _table(columns, signed)
    else:
        yield from _row(("Nobody signed it yet.",), (400.0,))
    if stands.differences:
        yield from _heading("Changed since it was signed")
        differences = ((one.section, one.was, one.now) for one in stands.differences)
        yield from _table(("Section", "Was", "Now"), differences, (80.0, 345.0, 345.0))
    for titled in found.sections:
        yield from _heading(titled.title)
        if titled.section.rows:
            yield from _table(titled.section.columns, titled.section.rows)
        else:
            yield from _row(("None.",), (400.0,))


def local_time(signature: Signature) -> str:
    """Return when it was signed, at the site."""
    there = signature.signed_at.astimezone(ZoneInfo(signature.zone))
    return f"{there:%Y-%m-%d %H:%M:%S %Z} ({signature.zone})"


def _heading(title: str) -> Iterator[Drawn]:
    yield Drawn(())
    yield Drawn(((_MARGIN, title),), bold=True, size=9.5, keep=4)


def _table(
    columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], widths: tuple[float, ...] = ()
) -> Iterator[Drawn]:
    widths = widths or tuple((_WIDTH - 2 * _MARGIN) / len(columns) for _ in columns)
    yield from _row(columns, widths, bold=True)
    for row in rows:
        yield from _row(row, widths)


def _row(cells: tuple[str, ...], widths: tuple[float, ...], *, bold: bool = False) -> Iterator[Drawn]:
    wrapped = [
        wrap(str(cell or ""), width - 6, _SIZE, _BOLD if bold else _FONT)
        for cell, width in zip(cells, widths, strict=True)
    ]
    starts, x = [], float(_MARGIN)
    for width in widths:
        starts.append(x)
        x += width
    height = max((len(lines) for lines in wrapped), default=0)
    for number in range(height):
        drawn = tuple((starts[i], lines[number]) for i, lines in enumerate(wrapped) if number < len(lines))
        # A row stays together where it can.
        yield Drawn(drawn, bold=bold, keep=min(height, 12) if number == 0 else 1)


def file_name(found: Assembled) -> str:
    """Return a name for the file: letters, digits and dashes only."""
    safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in found.record.number)
    return f"batch-record-{safe}.pdf"
