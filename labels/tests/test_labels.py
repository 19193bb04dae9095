"""Labels: printed once, drawn alike in every format, printed again with a reason."""

import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
import zxingcpp
from django.db import DatabaseError
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rest_framework.test import APIClient

from core.errors import Conflict, Invalid
from labels import rendering
from labels.models import Label, LabelBatch, LabelReprint
from labels.rendering import Content, Design
from labels.services import print_batch, reprint
from labels.symbols import NotEncodable, Symbology
from labels.wording import BadTemplate, fill
from tests.factories import make_label_layout, make_site, make_user

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
WIDE = Design(Decimal(60), Decimal(25), 203, Symbology.QR)
GS1_CODE = "(01)09506000134352(10)AB-1(21)77"


def read(picture):
    return [(found.text, found.symbology_identifier) for found in zxingcpp.read_barcodes(picture)]


def picture_of(zpl):
    """Draw the graphics of a ZPL format, as a printer would."""
    width, height = (int(zpl.split(mark)[1].split("^")[0]) for mark in ("^PW", "^LL"))
    label = Image.new("1", (width, height), 1)
    for part in zpl.split("^FO")[1:]:
        x, y = (int(number) for number in part.split("^")[0].split(","))
        if "^GFA," not in part:
            continue
        total, _, row_bytes, data = part.split("^GFA,")[1].split("^FS")[0].split(",", 3)
        rows, row = [], ""
        for sign in data:
            if sign == ":":
                rows.append(rows[-1])
            elif sign == ",":
                rows.append(row.ljust(int(row_bytes) * 2, "0"))
                row = ""
            else:
                row += sign
                if len(row) == int(row_bytes) * 2:
                    rows.append(row)
                    row = ""
        dots = bytes.fromhex("".join(rows))
        assert len(dots) == int(total)
        graphic = Image.frombytes("1", (int(row_bytes) * 8, len(rows)), bytes(byte ^ 255 for byte in dots))
        label.paste(graphic, (x, y))
    return label.convert("L")


@pytest.mark.parametrize(
    ("symbology", "text", "size", "announced"),
    [
        ("qr", "https://mes.example/entry/PK-1", (25, 30), "]Q1"),
        ("qr", "Zażółć gęślą jaźń", (60, 25), "]Q1"),
        ("datamatrix", "PK-1", (15, 15), "]d1"),
        ("code128", "PK-0001", (60, 20), "]C0"),
        ("gs1_datamatrix", GS1_CODE, (20, 20), "]d2"),
        ("gs1_128", GS1_CODE, (100, 25), "]C1"),
    ],
)
def test_every_symbol_reads_back_from_png_and_from_zpl(symbology, text, size, announced):
    design = Design(Decimal(size[0]), Decimal(size[1]), 203, Symbology(symbology))
    content = Content(text, ("PK-1",))
    assert read(Image.open(BytesIO(rendering.png(design, content)))) == [(text, announced)]
    (zpl,) = rendering.zpl(design, [content])
    assert read(picture_of(zpl)) == [(text, announced)]


def test_error_correction_is_what_the_layout_says():
    for level in "LMQH":
        design = Design(Decimal(40), Decimal(40), 203, Symbology.QR, level=level)
        found = zxingcpp.read_barcode(Image.open(BytesIO(rendering.png(design, Content("x" * 60)))))
        assert found.ec_level == level


def test_pdf_puts_many_on_a_sheet_or_one_on_each_page():
    contents = [Content(f"PK-{number}", (f"PK-{number}",)) for number in range(30)]
    single = rendering.pdf(WIDE, contents)
    assert (single.count(b"/Type /Page\n"), b"/MediaBox [ 0 0 170.0787 70.86614 ]" in single) == (30, True)
    # 3 columns of 60 mm and 11 rows of 25 mm.
    sheets = rendering.pdf(Design(Decimal(60), Decimal(25), 203, Symbology.QR, on_sheets=True), contents + contents)
    assert sheets.count(b"/Type /Page\n") == 2
    assert rendering.pdf(WIDE, contents) == single


def test_zip_has_a_picture_of_each_and_no_odd_name():
    pieces = list(
        rendering.zip_of_pngs(WIDE, [("../a/b", Content("1")), ("../a/b", Content("2")), ("ż", Content("3"))])
    )
    assert len(pieces) > 3
    with zipfile.ZipFile(BytesIO(b"".join(pieces))) as archive:
        assert archive.namelist() == ["00001____a_b.png", "00002____a_b.png", "00003__.png"]
        assert [read(Image.open(BytesIO(archive.read(name))))[0][0] for name in archive.namelist()] == ["1", "2", "3"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40))
def test_nothing_of_a_text_is_a_command_to_the_printer(text):
    (zpl,) = rendering.zpl(WIDE, [Content("PK-1", (text,))])
    words = [word[:2] for word in zpl.replace("\n", "").split("^")[1:]]
    allowed = {"XA", "CI", "PW", "LL", "LH", "FO", "GF", "FS", "XZ", "A0", "FH", "FD"}
    assert set(words) <= allowed
    assert "~" not in zpl
    assert (words.count("XA"), words.count("XZ")) == (1, 1)


def test_escaped_text_comes_back_as_it_was():
    text = "50 % ^XZ~JA_żółty"
    escaped = rendering.escaped(text)
    raw = bytearray()
    place = 0
    while place < len(escaped):
        if escaped[place] == "_":
            raw.append(int(escaped[place + 1 : place + 3], 16))
            place += 3
        else:
            raw += escaped[place].encode()
            place += 1
    assert raw.decode() == text


def test_text_too_wide_is_cut_and_too_small_a_label_refused():
    placed = rendering.place(WIDE, Content("PK-1", ("W" * 200,)))
    assert placed.texts[0][2].endswith("...")
    with pytest.raises(NotEncodable, match="too small"):
        rendering.png(Design(Decimal(10), Decimal(8), 203, Symbology.QR), Content("x" * 100))


def test_template_takes_values_as_they_are_and_escapes_for_addresses():
    assert (
        fill("{base}/entry/{code:url}", {"base": "https://m", "code": "A/B {x}"}) == "https://m/entry/A%2FB%20%7Bx%7D"
    )
    with pytest.raises(BadTemplate, match="no field 'serial'"):
        fill("{serial}", {"code": "1"})


def printed(*codes, layout=None, key=None, site=None, at=AT, **fields):
    layout = layout or make_label_layout(site=site or make_site())
    rows = [{"code": code, **fields} for code in codes]
    return print_batch(
        layout=layout, site=layout.site or site, rows=rows, actor=make_user(), recorded_at=at, idempotency_key=key
    )


@pytest.mark.django_db
class TestPrinting:
    def test_batch_keeps_payload_and_texts(self):
        batch = printed("PK-1", "PK/2").batch
        rows = [(label.code, label.payload, label.texts) for label in batch.labels.all()]
        assert rows == [
            ("PK-1", "https://mes.example/entry/PK-1", ["PK-1", "2026-03-02"]),
            ("PK/2", "https://mes.example/entry/PK%2F2", ["PK/2", "2026-03-02"]),
        ]

    def test_printed_code_is_refused_naming_batch_and_day(self):
        first = printed("PK-1", "PK-2").batch
        with pytest.raises(Conflict, match=f"'PK-2' in batch {first.pk} of 2026-03-02") as refused:
            printed("PK-3", "PK-2", layout=first.layout, at=AT + timedelta(days=3))
        assert refused.value.field == "rows"
        assert not Label.objects.filter(code="PK-3").exists()

    def test_same_code_twice_in_a_batch_is_refused(self):
        with pytest.raises(Conflict, match="Row 3, 'A': the same code is in row 1"):
            printed("A", "B", "A")

    def test_same_code_for_another_kind_or_site_is_fine(self):
        first = printed("PK-1").batch
        printed("PK-1", layout=make_label_layout(site=first.site, labels_what="lot"))
        printed("PK-1", layout=make_label_layout(site=make_site()))
        assert Label.objects.filter(code="PK-1").count() == 3

    def test_repeated_request_prints_once_and_another_with_its_key_is_refused(self):
        first = printed("PK-1", key="k1")
        again = printed("PK-1", key="k1", layout=first.batch.layout)
        assert (again.batch, again.is_new, LabelBatch.objects.count()) == (first.batch, False, 1)
        with pytest.raises(Conflict) as refused:
            printed("PK-9", key="k1", layout=first.batch.layout)
        assert refused.value.field == "idempotency_key"

    @pytest.mark.parametrize(
        ("code", "said"), [("", "1 to 100"), (" x", "no blank"), ("a\nb", "cannot be printed"), ("x" * 101, "1 to 100")]
    )
    def test_odd_code_is_refused_naming_its_row(self, code, said):
        with pytest.raises(Invalid, match=said):
            printed("ok", code)

    def test_gs1_label_is_checked(self):
        layout = make_label_layout(
            site=make_site(), symbology="gs1_datamatrix", payload="(01){gtin}(21){code}", text_lines=["{code}"]
        )
        assert (
            printed("77", layout=layout, gtin="09506000134352").batch.labels.get().payload == "(01)09506000134352(21)77"
        )
        with pytest.raises(Invalid, match="check digit should be 2"):
            printed("78", layout=layout, gtin="09506000134353")
        with pytest.raises(Invalid, match="begins an identifier"):
            printed("78(10)X", layout=layout, gtin="09506000134352")

    def test_batch_looks_the_same_after_its_layout_was_changed(self):
        batch = printed("PK-1").batch
        batch.layout.width_mm = Decimal(100)
        batch.layout.save()
        assert LabelBatch.objects.get().design["width_mm"] == "50"

    def test_reprint_is_counted_with_its_reason_and_once_for_its_key(self):
        label = printed("PK-1").batch.labels.get()
        said = {"label": label, "actor": make_user(), "recorded_at": AT}
        for key in ("a", "a", "b"):
            reprint(reason="torn", idempotency_key=key, **said)
        assert LabelReprint.objects.filter(label=label).count() == 2
        with pytest.raises(Invalid, match="why"):
            reprint(reason=" ", **said)

    def test_what_was_printed_stays(self):
        label = printed("PK-1").batch.labels.get()
        with pytest.raises(DatabaseError):
            Label.objects.filter(pk=label.pk).update(code="PK-2")


@pytest.mark.django_db
class TestRest:
    def client(self, role, site):
        client = APIClient()
        client.force_authenticate(make_user(role, site=site))
        return client

    def test_batch_is_printed_fetched_and_repeated(self):
        layout = make_label_layout(site=make_site())
        client = self.client("operator", layout.site)
        body = {"layout": layout.code, "rows": [{"code": "PK-1"}, {"code": "PK-2"}], "idempotency_key": "k"}
        made = client.post("/labels/batch/", body)
        assert (made.status_code, made.data["label_count"]) == (201, 2)
        assert client.post("/labels/batch/", body).status_code == 200
        refused = client.post("/labels/batch/", {**body, "idempotency_key": "l"})
        assert (refused.status_code, "in batch" in refused.data["rows"][0]) == (409, True)
        one = f"/labels/batch/{made.data['id']}"
        assert client.get(f"{one}/pdf/").content.startswith(b"%PDF-")
        assert b"".join(client.get(f"{one}/zpl/").streaming_content).count(b"^XA") == 2
        assert zipfile.ZipFile(BytesIO(b"".join(client.get(f"{one}/zip/").streaming_content))).testzip() is None
        label = client.get("/labels/label/?code=PK-1").data["results"][0]
        assert client.post(f"/labels/label/{label['id']}/reprint/", {"reason": "torn"}).status_code == 201
        assert client.get(f"/labels/label/{label['id']}/").data["reprint_count"] == 1
        assert read(Image.open(BytesIO(client.get(f"/labels/label/{label['id']}/png/").content)))

    def test_another_sites_labels_do_not_exist(self):
        layout = make_label_layout(site=make_site())
        batch = printed("PK-1", layout=layout).batch
        client = self.client("operator", make_site())
        assert client.get(f"/labels/batch/{batch.pk}/pdf/").status_code == 404
        assert client.get(f"/labels/label/{batch.labels.get().pk}/png/").status_code == 404
        assert client.post("/labels/batch/", {"layout": layout.pk, "rows": [{"code": "X"}]}).status_code == 400
        shared = make_label_layout(site=None)
        foreign = client.post("/labels/batch/", {"layout": shared.pk, "site": layout.site_id, "rows": [{"code": "X"}]})
        assert foreign.status_code == 400

    @pytest.mark.parametrize(
        ("rows", "field"),
        [([], "rows"), ([{"code": "x", "n": {"a": 1}}], "rows"), ("x", "rows"), ([{"other": "x"}], "rows")],
    )
    def test_bad_rows_are_a_400(self, rows, field):
        layout = make_label_layout(site=make_site())
        answer = self.client("operator", layout.site).post("/labels/batch/", {"layout": layout.pk, "rows": rows})
        assert answer.status_code == 400
        assert field in answer.data
