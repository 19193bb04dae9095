"""Compare two workbooks part by part and cell by cell: what filling a template changed,
and that it changed nothing else.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Any

import openpyxl

from reports.packages import open_book


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that says something else: its sheet, its reference, and both values (None = empty)."""

    sheet: str
    cell: str
    was: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two workbooks have in common and what they do not."""

    same_parts: tuple[str, ...]
    other_parts: tuple[str, ...]
    """Parts that are not the same byte for byte, or that only one of them has."""
    cells: int
    formulas: int
    """Formulas that are the same in both."""
    differences: tuple[Difference, ...]
    formats: tuple[str, ...]
    """Cells whose format differs, formulas that differ, sheets whose shape (merged cells, widths, rules) differs."""


def compare(before: bytes, after: bytes) -> Comparison:
    """Return how two workbooks differ. Raises BadWorkbook for what is none."""
    one, other = open_book(before), open_book(after)
    names = sorted(one.parts.keys() | other.parts.keys())
    same = [name for name in names if name in one.parts and name in other.parts and one.read(name) == other.read(name)]
    first, second = _loaded(before), _loaded(after)
    differences: list[Difference] = []
    formats: list[str] = []
    cells = formulas = 0
    for sheet in first.sheetnames:
        if sheet not in second.sheetnames:
            formats.append(f"{sheet}: not there")
            continue
        left, right = first[sheet], second[sheet]
        if _shape(left) != _shape(right):
            formats.append(f"{sheet}: its shape")
        for row in range(1, max(left.max_row, right.max_row) + 1):
            for column in range(1, max(left.max_column, right.max_column) + 1):
                was, now = left.cell(row, column), right.cell(row, column)
                cells += 1
                if was.style_id != now.style_id:
                    formats.append(f"{sheet}!{was.coordinate}: its format")
                if was.data_type == "f" or now.data_type == "f":
                    formulas += was.value == now.value
                    if was.value != now.value:
                        formats.append(f"{sheet}!{was.coordinate}: its formula")
                elif was.value != now.value:
                    differences.append(Difference(sheet, was.coordinate, was.value, now.value))
    formats += [f"{sheet}: new" for sheet in second.sheetnames if sheet not in first.sheetnames]
    other_parts = tuple(name for name in names if name not in same)
    return Comparison(tuple(same), other_parts, cells, formulas, tuple(differences), tuple(formats))


def _loaded(content: bytes) -> Any:
    with warnings.catch_warnings():
        # It warns of the extensions that it would lose; nothing is written here.
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(content))


def _shape(sheet: Any) -> tuple[Any, ...]:
    rules = sorted((str(area.sqref), [rule.type for rule in area.rules]) for area in sheet.conditional_formatting)
    return (
        sorted(str(area) for area in sheet.merged_cells.ranges),
        sorted((name, column.width) for name, column in sheet.column_dimensions.items()),
        [(number, sheet.row_dimensions[number].height) for number in sorted(sheet.row_dimensions)],
        rules,
        sheet.print_area,
        sheet.freeze_panes,
    )
