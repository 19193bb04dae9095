"""A customer's process card as an example: a workbook with formats, formulas and a rule,
and what its cells are filled with.
"""

import io

import xlsxwriter

from reports.workbooks import Field

CHECKS, STAGES, PARTS = 60, 8, 12
_FIRST_STAGE, _FIRST_CHECK, _FIRST_PART = 10, 22, 10

FIELDS = (
    Field("PACK_ID", "serial"),
    Field("P4", "Order {order_number}, {product.name}"),
    Field("P5", "printed_at"),
    Field("OCV_X", "values.eol_test.ocv_x"),
    Field("OCV_Y", "values.eol_test.ocv_y"),
    Field(f"B{_FIRST_STAGE}", "name", "stages", 1, STAGES),
    Field(f"F{_FIRST_STAGE}", "state", "stages", 1, STAGES),
    Field(f"G{_FIRST_STAGE}", "round", "stages", 1, STAGES),
    Field(f"H{_FIRST_STAGE}", "started_at", "stages", 1, STAGES),
    Field(f"I{_FIRST_STAGE}", "completed_at", "stages", 1, STAGES),
    Field(f"L{_FIRST_PART}", "position", "parts", 1, PARTS),
    Field(f"N{_FIRST_PART}", "serial", "parts", 1, PARTS),
    Field(f"Q{_FIRST_PART}", "product", "parts", 1, PARTS),
    *(
        Field(f"{column}{_FIRST_CHECK + 3}", path, "fields", 1, CHECKS)
        for column, path in zip("BEGHIJLNQ", ("stage", "label", "position", "minimum", "maximum", "value", "unit", "by", "at"), strict=True)
    ),
)  # fmt: skip


def template() -> bytes:
    """Return the card as the customer has it: empty, A1:S84 on its first sheet,
    a summary with formulas on its second.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        style = {"font_name": "Calibri", "font_size": 10}
        title = book.add_format({**style, "bold": True, "font_size": 16, "align": "center", "bg_color": "#DCE6F1"})
        head = book.add_format({**style, "bold": True, "bg_color": "#1F4E78", "font_color": "#FFFFFF", "border": 1})
        cell = book.add_format({**style, "border": 1})
        moment = book.add_format({**style, "border": 1, "num_format": "yyyy-mm-dd hh:mm"})
        number = book.add_format({**style, "border": 1, "num_format": "0.000", "bg_color": "#FFF2CC"})
        result = book.add_format({**style, "border": 1, "bold": True, "align": "center"})
        bad = book.add_format({"bg_color": "#F8CBAD", "bold": True})
        card = book.add_worksheet("Process Card")
        card.set_column("A:A", 2)
        card.set_column("B:S", 11)
        card.set_column("E:E", 30)
        card.set_column("H:I", 15)
        card.set_column("J:J", 13)
        card.set_column("N:N", 16)
        card.set_column("P:Q", 17)
        card.set_row(1, 26)
        card.merge_range("B2:S2", "Process Card · Battery pack", title)
        for row, words in ((3, "Pack"), (4, "Open-circuit voltage X, Y"), (5, "NOT OK at present")):
            card.write(row, 7, words, head)
        card.write_blank("J4", None, result)
        card.write_blank("J5", None, number)
        card.write_blank("K5", None, number)
        last_check = _FIRST_CHECK + 2 + CHECKS
        card.write_formula("J6", f'=COUNTIF(J{_FIRST_CHECK + 3}:J{last_check},"NOT OK")', result)
        card.write_blank("P4", None, cell)
        card.write_blank("P5", None, moment)
        _table(card, _FIRST_STAGE, STAGES, {"B": "Stage", "F": "State", "G": "Round"}, head, cell)
        _table(card, _FIRST_STAGE, STAGES, {"H": "Started", "I": "Done"}, head, moment)
        card.write(f"J{_FIRST_STAGE - 1}", "Minutes", head)
        for row in range(_FIRST_STAGE, _FIRST_STAGE + STAGES):
            card.write_formula(f"J{row}", f'=IF(I{row}="","",ROUND((I{row}-H{row})*1440,1))', cell)
        _table(card, _FIRST_PART, PARTS, {"L": "Place", "N": "Built in", "Q": "What"}, head, cell)
        first = _FIRST_CHECK + 3
        heads = {"B": "Stage", "E": "Check", "G": "Module", "J": "Result", "L": "Unit", "N": "By"}
        _table(card, first, CHECKS, heads, head, cell)
        _table(card, first, CHECKS, {"H": "At least", "I": "At most"}, head, number)
        _table(card, first, CHECKS, {"Q": "At"}, head, moment)
        rule = {"type": "cell", "criteria": "==", "value": '"NOT OK"', "format": bad}
        card.conditional_format(f"J{first}:J{last_check}", rule)
        card.print_area(f"A1:S{last_check}")
        card.set_landscape()
        card.freeze_panes(8, 0)
        summary = book.add_worksheet("Summary")
        summary.write("A1", "Pack", head)
        summary.write_formula("B1", "='Process Card'!J4")
        summary.write("A2", "Minutes in all stages", head)
        summary.write_formula("B2", f"=SUM('Process Card'!J{_FIRST_STAGE}:J{_FIRST_STAGE + STAGES - 1})")
        book.define_name("PACK_ID", "='Process Card'!$J$4")
        book.define_name("OCV_X", "='Process Card'!$J$5")
        book.define_name("OCV_Y", "='Process Card'!$K$5")
    return out.getvalue()


def _table(
    sheet: xlsxwriter.worksheet.Worksheet, first: int, rows: int, heads: dict[str, str], head: object, cell: object
) -> None:
    for column, words in heads.items():
        sheet.write(f"{column}{first - 1}", words, head)
        for row in range(first, first + rows):
            sheet.write_blank(f"{column}{row}", None, cell)
