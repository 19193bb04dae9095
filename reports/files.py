"""A report as a file: PDF, workbook or CSV, from the same data as the page."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from core.exports import FORMATS
from core.pdf import BOLD, SANS, fit, measure, register_fonts, wrap
from core.spreadsheets import TEXT_IS_TEXT, Cell, CellWriter, csv_text
from reports.document import FIGURES, MOMENT, Chart, Document, Section, Table, held, words
from reports.drawing import HEIGHT as CHART_HEIGHT
from reports.drawing import WIDTH as CHART_WIDTH
from reports.drawing import draw

CONTENT_TYPES = {"pdf": "application/pdf", **FORMATS}

# --- Rows, for CSV and workbook ---


def rows_of(section: Section, document: Document) -> Iterator[list[Cell]]:
    """Yield the rows of a part: figures, then tables, each under names of its columns."""
    if section.note:
        yield [str(section.note)]
    if section.figures:
        yield [_("Figure"), _("Value"), _("Exact"), _("How computed")]
        for figure in section.figures:
            shown = words(figure.value, figure.kind, document.zone)
            yield [str(figure.name), shown, held(figure.value, document.zone), figure.url]
        yield []
    for table in section.tables:
        yield [str(table.title)]
        has_links = any(row.url for row in table.rows)
        yield [*(_heading(column) for column in table.columns), *([_("Address")] if has_links else [])]
        for row in table.rows:
            yield [*(held(value, document.zone) for value in row.values), *([row.url] if has_links else [])]
        if not table.rows:
            yield [str(table.empty)]
        if table.left_out:
            yield [_left_out(table)]
        yield []


def _heading(column: Any) -> str:
    """Return a column's name in a file: times are in seconds there."""
    return f"{column.name} (s)" if column.kind == "seconds" else str(column.name)


def _left_out(table: Table) -> str:
    return _("… and %(number)s more") % {"number": table.left_out}


def csv_of(document: Document) -> bytes:
    """Return a report as CSV: part after part, exact numbers, no cell that is taken for a formula."""
    rows: list[Sequence[Cell]] = [
        [document.title],
        *([name, value] for name, value in document.head),
        [document.address],
        [],
    ]
    for section in document.sections:
        rows += [[str(section.title)], *rows_of(section, document)]
    return csv_text(rows).encode()


def workbook_of(document: Document) -> bytes:
    """Return a report as a workbook: a sheet for each part. Text is never a formula or a link."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, **TEXT_IS_TEXT}) as book:
        book.set_properties({"title": document.title, "subject": f"{document.place}, {document.period}"})
        bold, writer = book.add_format({"bold": True}), CellWriter(book)
        head = book.add_worksheet(_("Report")[:31])
        for number, pair in enumerate([(document.title, ""), *document.head, (_("Address"), document.address)]):
            for column, text in enumerate(pair):
                head.write_string(number, column, text, bold if column == 0 else None)
        head.set_column(0, 0, 24)
        head.set_column(1, 1, 60)
        taken = {_("Report").lower()}
        for section in document.sections:
            sheet = book.add_worksheet(_sheet_name(str(section.title), taken))
            widths: dict[int, int] = {}
            for number, row in enumerate(rows_of(section, document)):
                for column, cell in enumerate(row):
                    writer.write(sheet, number, column, cell)
                    widths[column] = min(60, max(widths.get(column, 10), len(str(cell or "")) + 1))
            for column, width in widths.items():
                sheet.set_column(column, column, width)
    return out.getvalue()


def _sheet_name(title: str, taken: set[str]) -> str:
    plain = "".join(c if c not in "[]:*?/\\'" else " " for c in title)[:28].strip() or "-"
    name, number = plain, 2
    while name.lower() in taken:
        name, number = f"{plain} {number}", number + 1
    taken.add(name.lower())
    return name


# --- PDF ---

_WIDTH, _HEIGHT = landscape(A4)
_MARGIN, _TOP, _BOTTOM = 36.0, _HEIGHT - 54, 44.0
_SIZE, _LEADING = 8.0, 11.0
_ROOM = _WIDTH - 2 * _MARGIN
_INK, _SOFT, _RULE, _SHADE = HexColor("#141a24"), HexColor("#4c576a"), HexColor("#c9d0da"), HexColor("#eef1f5")
_TONES = {
    "accent": HexColor("#1757c2"),
    "running": HexColor("#1a8f4c"),
    "unplanned": HexColor("#d12f2f"),
    "good": HexColor("#157a40"),
    "fair": HexColor("#8f5b02"),
    "poor": HexColor("#c02626"),
    "ink-soft": HexColor("#7a869a"),
}


class _Paper:
    """Pages that fill from above; what does not fit goes to the next one. Numbered when all are known."""

    def __init__(self, document: Document, out: io.BytesIO, total: int) -> None:
        self.document, self.total = document, total
        self.canvas = Canvas(out, pagesize=(_WIDTH, _HEIGHT), pageCompression=1, initialFontName=SANS)
        self.canvas.setTitle(f"{document.title}, {document.place}, {document.period}")
        self.canvas.setAuthor("MES")
        self.page = 0
        self.y = 0.0
        self.turn()

    def turn(self) -> None:
        """Begin the next page."""
        if self.page:
            self.canvas.showPage()
        self.page += 1
        self.y = _TOP
        document = self.document
        self.text(_MARGIN, _HEIGHT - 32, fit(f"{document.title} · {document.place}", _ROOM * 0.62, 11, BOLD), 11, BOLD)
        self.canvas.setFont(SANS, _SIZE)
        self.canvas.drawRightString(_WIDTH - _MARGIN, _HEIGHT - 32, fit(document.period, _ROOM * 0.36, _SIZE))
        self.rule(_HEIGHT - 40)
        self.rule(34)
        as_of = _("As of %(at)s (%(zone)s)") % {
            "at": words(document.as_of, MOMENT, document.zone),
            "zone": document.zone,
        }
        self.text(_MARGIN, 22, as_of, 7, SANS, _SOFT)
        number = _("page %(page)s of %(pages)s") % {"page": self.page, "pages": self.total or "?"}
        self.canvas.setFont(SANS, 7)
        self.canvas.drawRightString(_WIDTH - _MARGIN, 22, number)

    def text(self, x: float, y: float, said: str, size: float = _SIZE, font: str = SANS, ink: Any = _INK) -> None:
        """Draw a text."""
        self.canvas.setFillColor(ink)
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, y, said)
        self.canvas.setFillColor(_INK)

    def rule(self, y: float) -> None:
        """Draw a line across."""
        self.canvas.setStrokeColor(_RULE)
        self.canvas.setLineWidth(0.6)
        self.canvas.line(_MARGIN, y, _WIDTH - _MARGIN, y)

    def need(self, height: float) -> None:
        """Turn the page unless so much fits."""
        if self.y - height < _BOTTOM and self.y < _TOP:
            self.turn()

    def lines(self, said: str, size: float = _SIZE, font: str = SANS, ink: Any = _INK) -> None:
        """Write a paragraph."""
        for line in wrap(said, _ROOM, size, font):
            self.need(_LEADING)
            self.text(_MARGIN, self.y, line, size, font, ink)
            self.y -= _LEADING


def pdf_of(document: Document) -> bytes:
    """Return a report as PDF, A4 across, with the letters of all European languages."""
    register_fonts()
    total = _drawn(document, io.BytesIO(), 0)
    out = io.BytesIO()
    _drawn(document, out, total)
    return out.getvalue()


def _drawn(document: Document, out: io.BytesIO, total: int) -> int:
    paper = _Paper(document, out, total)
    for name, value in document.head:
        paper.text(_MARGIN, paper.y, name, _SIZE, SANS, _SOFT)
        paper.text(_MARGIN + 110, paper.y, fit(value, _ROOM - 110, _SIZE), _SIZE)
        paper.y -= _LEADING
    if not document.is_over:
        paper.lines(_("This time is not over yet; the numbers will change."), _SIZE, BOLD)
    _link(paper, _("The same on screen, with how each number is computed:") + f" {document.address}", document.address)
    for section in document.sections:
        _section(paper, section)
    paper.canvas.save()
    return paper.page


def _link(paper: _Paper, said: str, url: str) -> None:
    paper.need(_LEADING)
    text = fit(said, _ROOM, 7)
    paper.text(_MARGIN, paper.y, text, 7, SANS, _TONES["accent"])
    paper.canvas.linkURL(url, (_MARGIN, paper.y - 2, _MARGIN + measure(text, 7), paper.y + 8))
    paper.y -= _LEADING


def _section(paper: _Paper, section: Section) -> None:
    paper.need(70)
    paper.y -= 10
    paper.text(_MARGIN, paper.y, fit(str(section.title), _ROOM, 11, BOLD), 11, BOLD)
    paper.y -= 16
    if section.note:
        paper.lines(str(section.note), _SIZE, SANS, _SOFT)
    if section.figures:
        _figures(paper, section)
    for chart in section.charts:
        _chart(paper, chart)
    for table in section.tables:
        _table(paper, table)


def _figures(paper: _Paper, section: Section) -> None:
    """Draw figures in boxes, five abreast; each leads to how it was computed."""
    width, height = _ROOM / 5, 40.0
    for start in range(0, len(section.figures), 5):
        paper.need(height)
        top = paper.y
        for place, figure in enumerate(section.figures[start : start + 5]):
            x = _MARGIN + place * width
            paper.canvas.setFillColor(_SHADE)
            paper.canvas.roundRect(x, top - height + 8, width - 6, height - 4, 3, stroke=0, fill=1)
            paper.text(x + 6, top - 7, fit(str(figure.name), width - 18, 7), 7, SANS, _SOFT)
            shown = words(figure.value, figure.kind, paper.document.zone)
            paper.text(x + 6, top - 24, fit(shown, width - 18, 12, BOLD), 12, BOLD)
            if figure.url:
                paper.canvas.linkURL(figure.url, (x, top - height + 8, x + width - 6, top + 4))
        paper.y -= height
    paper.y -= 6


def _chart(paper: _Paper, chart: Chart) -> None:
    if not chart.bars:
        return
    paper.need(CHART_HEIGHT + 20)
    paper.text(_MARGIN, paper.y, str(chart.title), _SIZE, BOLD)
    paper.y -= 6
    top = paper.y
    drawn = drawn_chart(chart, paper.document)
    scale = _ROOM / CHART_WIDTH
    canvas = paper.canvas
    for number, bar in enumerate(drawn.bars):
        canvas.setFillColor(_TONES.get(bar.tone, _TONES["accent"]))
        if bar.height:
            canvas.rect(
                _MARGIN + bar.x * scale, top - (bar.y + bar.height), bar.width * scale, bar.height, stroke=0, fill=1
            )
        canvas.setFillColor(_INK)
        if number % drawn.every == 0:
            middle = _MARGIN + bar.middle * scale
            canvas.setFont(SANS, 6.5)
            room = CHART_WIDTH * scale / len(drawn.bars) * drawn.every - 2
            canvas.drawCentredString(middle, top - bar.y + 3, fit(bar.value, room, 6.5))
            canvas.drawCentredString(middle, top - drawn.base - 10, fit(bar.name, room, 6.5))
    if drawn.goal is not None:
        canvas.setStrokeColor(_INK)
        canvas.setDash(4, 3)
        canvas.line(_MARGIN, top - drawn.goal, _WIDTH - _MARGIN, top - drawn.goal)
        canvas.setDash()
    canvas.setStrokeColor(_RULE)
    canvas.line(_MARGIN, top - drawn.base, _WIDTH - _MARGIN, top - drawn.base)
    paper.y = top - CHART_HEIGHT + 10


def drawn_chart(chart: Chart, document: Document) -> Any:
    """Lay a chart out."""
    return draw(
        [(bar.name, bar.value, bar.tone) for bar in chart.bars],
        goal=chart.goal,
        written=lambda value: (
            "–" if value is None else words(value, "pieces" if chart.kind == "number" else chart.kind, document.zone)
        ),
    )


def _table(paper: _Paper, table: Table) -> None:
    paper.need(4 * _LEADING)
    paper.text(_MARGIN, paper.y, fit(str(table.title), _ROOM, _SIZE + 1, BOLD), _SIZE + 1, BOLD)
    paper.y -= _LEADING + 2
    if not table.rows:
        paper.lines(str(table.empty) or "–", _SIZE, SANS, _SOFT)
        paper.y -= 6
        return
    shown = [
        [
            words(value, column.kind, paper.document.zone)
            for value, column in zip(row.values, table.columns, strict=True)
        ]
        for row in table.rows
    ]
    widths = _widths([str(column.name) for column in table.columns], shown)
    right = [column.kind in FIGURES for column in table.columns]
    heads = [str(column.name) for column in table.columns]
    _row(paper, heads, widths, right, BOLD)
    for row, cells in zip(table.rows, shown, strict=True):
        if paper.y - _LEADING < _BOTTOM:
            paper.turn()
            _row(paper, heads, widths, right, BOLD)
        _row(paper, cells, widths, right, BOLD if row.is_sum else SANS, row.url)
    if table.left_out:
        paper.lines(_left_out(table), _SIZE, SANS, _SOFT)
    paper.y -= 8


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Share the width among columns by what they hold, so that short ones stay narrow."""
    wanted = [
        min(max(measure(text, _SIZE, BOLD) for text in (head, *(row[place] for row in rows))) + 10, _ROOM / 2)
        for place, head in enumerate(heads)
    ]
    total = sum(wanted)
    if total <= _ROOM:
        return [width + (_ROOM - total) / len(wanted) for width in wanted]
    fair = _ROOM / len(wanted)
    over = sum(width - fair for width in wanted if width > fair)
    return [width if width <= fair else fair + (width - fair) * (1 - (total - _ROOM) / over) for width in wanted]


def _row(
    paper: _Paper, cells: Sequence[str], widths: Sequence[float], right: Sequence[bool], font: str, url: str = ""
) -> None:
    wrapped = [wrap(cell, width - 8, _SIZE, font)[:12] for cell, width in zip(cells, widths, strict=True)]
    height = max(len(lines) for lines in wrapped)
    paper.need(height * _LEADING + 3)
    for number in range(height):
        x = _MARGIN
        for lines, width, is_right in zip(wrapped, widths, right, strict=True):
            if number < len(lines):
                paper.canvas.setFont(font, _SIZE)
                if is_right:
                    paper.canvas.drawRightString(x + width - 8, paper.y, lines[number])
                else:
                    paper.canvas.drawString(x, paper.y, lines[number])
            x += width
        if url and number == 0:
            paper.canvas.linkURL(url, (_MARGIN, paper.y - 2, _WIDTH - _MARGIN, paper.y + 8))
        paper.y -= _LEADING
    paper.rule(paper.y + 7)
    paper.y -= 2


WRITERS: Mapping[str, Callable[[Document], bytes]] = {"pdf": pdf_of, "xlsx": workbook_of, "csv": csv_of}
