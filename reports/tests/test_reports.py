"""Templates, versions and mappings; orders and lots on paper; who may see what."""

import csv
import io
import resource
import time
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import Invalid
from core.spreadsheets import csv_pieces, workbook_file
from quality.models import Inspection
from quality.nonconformances import About, raise_nonconformance
from quality.tests.bench import Bench
from reports import selectors, sources
from reports.models import WorkbookMapping, WorkbookVersion
from reports.services import add_version
from reports.tests.test_workbooks import loaded, make_card
from tests.factories import (
    make_line,
    make_lot,
    make_plan,
    make_product,
    make_serial_unit,
    make_site,
    make_stage_form,
    make_user,
    make_work_order,
    make_workbook_template,
)
from tracking.models import SerialUnit
from tracking.services import By, Entry, enter, scrap
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def make_template(*mappings, content=None, **overrides):
    template = make_workbook_template(**overrides)
    add_version(
        template=template, content=content or make_card(), file_name="card.xlsx", actor=make_user(), recorded_at=AT
    )
    for target, path, *rest in mappings or [("PACK_ID", "order_number"), ("A8", "target_quantity")]:
        WorkbookMapping.objects.create(
            template=template, target=target, path=path, **dict(zip(("list_path", "max_rows"), rest, strict=False))
        )
    return template


def client_of(role, site=None, **overrides):
    client = APIClient()
    client.force_authenticate(make_user(role, site=site, **overrides))
    return client


def opened(answer):
    # Read to its end, a stream closes its file.
    return loaded(b"".join(answer.streaming_content) if answer.streaming else answer.content)


def test_order_is_filled_for_whoever_may_see_it():
    order = make_work_order(line=make_line(), product=make_product(name="=Cola"), customer="Acme")
    template = make_template(
        ("PACK_ID", "Order: {order_number} {customer}"), ("A8", "target_quantity"), ("A9", "product.name")
    )
    client = client_of("operator", order.line.area.site)
    answer = client.get(f"/reports/workbook/{template.pk}/fill/?record={order.pk}")
    assert answer.status_code == 200, answer.data
    sheet = opened(answer)["Process Card"]
    assert (sheet["J6"].value, sheet["A8"].value, sheet["A9"].value) == (f"Order: {order} Acme", 1000, "=Cola")
    assert sheet["A9"].data_type == "s"
    stranger = client_of("operator", make_site())
    assert stranger.get(f"/reports/workbook/{template.pk}/fill/?record={order.pk}").status_code == 404
    assert client_of("operator").get(f"/reports/workbook/{template.pk}/fill/?record=x").status_code == 400


def test_lot_is_filled():
    lot = make_lot(5)
    template = make_template(("PACK_ID", "number"), ("A8", "quantity", "stock", 3), source="material_lot")
    sheet = opened(client_of("quality").get(f"/reports/workbook/{template.pk}/fill/?record={lot.pk}"))["Process Card"]
    assert (sheet["J6"].value, sheet["A8"].value, sheet["A9"].value) == (lot.number, 5, None)


def test_every_field_that_a_source_names_is_there():
    user = make_user("operator")
    make_lot(5, product=make_product(lot_controlled=True))
    make_work_order(line=make_line(), product=make_product())
    make_serial_unit()
    bench = Bench()
    raise_nonconformance(
        site=bench.site, title="Bent", said=About(machine=bench.machine), actor=bench.ewa, raised_at=AT
    )
    bench.begin(make_plan())
    for name in sources.names():
        source = sources.get(name)
        (record,) = source.records(user)
        (data,) = source.read([record], user)
        for path in source.fields:
            if "[]." not in path:
                selectors.value_at(data, path)
            else:
                assert isinstance(selectors.list_at(data, path.partition("[].")[0]), list)


def fill_stage(unit, *said):
    entries = [Entry(field, value, f"{field}{position}", position) for field, position, value in said]
    enter(unit=unit, stage="WIRE-BOND", entries=entries, actor=make_user("quality"), recorded_at=AT)


def test_serial_unit_is_filled_with_what_was_filled_in_at_its_stages():
    product = make_product()
    pull = {"code": "PULL", "kind": "number", "per_position": True}
    make_stage_form(product, "WIRE-BOND", pull, {"code": "SEEN"}, positions=["X", "Y"])
    unit = make_serial_unit("P/1", product=product, site=make_site())
    fill_stage(unit, ("PULL", "X", "0.42"), ("SEEN", "", "NOT OK"))
    template = make_template(
        ("PACK_ID", "Pack: {serial}"),
        ("A8", "values.wire_bond.pull_x"),
        ("A9", "values.wire_bond.seen"),
        ("B8", "values.wire_bond.pull_y"),
        source="serial_unit",
    )
    client = client_of("operator", unit.site)
    sheet = opened(client.get(f"/reports/workbook/{template.pk}/fill/?record={unit.pk}"))["Process Card"]
    assert [sheet[cell].value for cell in ("J6", "A8", "A9", "B8")] == ["Pack: P/1", 0.42, "NOT OK", None]
    assert (
        client_of("operator", make_site()).get(f"/reports/workbook/{template.pk}/fill/?record={unit.pk}").status_code
        == 404
    )


def test_inspection_is_filled_with_its_characteristics():
    bench = Bench()
    inspection = bench.inspect(make_plan(name="Weight"), 10, 12, machine=bench.machine)
    source = sources.get("inspection")
    (data,) = source.read(list(source.records(bench.ewa)), bench.ewa)
    assert (data["number"], data["plan"], data["result"], data["nonconforming"]) == (inspection.pk, "Weight", "Fail", 1)
    (line,) = data["characteristics"]
    assert (line["least"], line["mean"], line["most"], line["is_good"]) == (10, 11, 12, False)
    assert [(row["sample"], row["value"], row["is_good"]) for row in data["results"]] == [(1, 10, True), (2, 12, False)]


def test_many_units_and_inspections_are_read_in_as_many_queries_as_one(django_assert_max_num_queries):
    user, bench, plan = make_user("quality"), Bench(), make_plan()
    product, site = make_product(), make_site()
    make_stage_form(product, "WIRE-BOND", {"code": "SEEN"})
    for number in range(4):
        unit = make_serial_unit(product=product, site=site)
        fill_stage(unit, ("SEEN", "", "OK"))
        if number:
            scrap(unit=unit, by=By(user, AT, "k", "Lost"))
        bench.inspect(plan, 10, at=10 * number, machine=bench.machine)
    for name, model, most in (("serial_unit", SerialUnit, 13), ("inspection", Inspection, 6)):
        source = sources.get(name)
        assert model.objects.count() == 4
        with django_assert_max_num_queries(most):
            assert len(source.read(list(source.records(user)), user)) == 4


def test_sheets_and_tables_have_a_place_for_each_record():
    line = make_line()
    orders = [make_work_order(line=line, customer="-1+1") for _ in range(3)]
    foreign = make_work_order(line=make_line())
    template = make_template(("PACK_ID", "order_number"), ("A8", "customer"), ("C8", "code", "operations", 2))
    client = client_of("operator", line.area.site)
    book = opened(client.get(f"/reports/workbook/{template.pk}/sheets/"))
    assert book.sheetnames == ["Process Card", "Totals", *(order.order_number for order in orders)]
    assert foreign.order_number not in book.sheetnames
    two = "&".join(f"record={order.pk}" for order in orders[:2])
    assert len(opened(client.get(f"/reports/workbook/{template.pk}/sheets/?{two}")).sheetnames) == 4
    answer = client.get(f"/reports/workbook/{template.pk}/table/?kind=csv&line={line.pk}")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert rows[0] == ["order_number", "customer", "operations.1.code", "operations.2.code"]
    assert rows[1:] == [[order.order_number, "'-1+1", "", ""] for order in orders]
    sheet = opened(client.get(f"/reports/workbook/{template.pk}/table/")).active
    assert [row[:2] for row in sheet.iter_rows(values_only=True)][1:] == [(o.order_number, "-1+1") for o in orders]
    assert sheet["B2"].data_type == "s"
    for odd in ("line=x", "colour=1", "record=x", "kind=pdf"):
        assert client.get(f"/reports/workbook/{template.pk}/table/?{odd}").status_code == 400


def test_a_fraction_in_a_table_is_a_number():
    order = make_work_order(line=make_line(), target_quantity=Decimal("0.1"), product=make_product())
    template = make_template(("PACK_ID", "order_number"), ("A8", "target_quantity"))
    sheet = opened(client_of("operator", order.line.area.site).get(f"/reports/workbook/{template.pk}/table/")).active
    assert (sheet["B2"].data_type, sheet["B2"].value) == ("n", 0.1)


def test_table_of_ten_thousand_takes_bounded_memory():
    line = make_line()
    WorkOrder.objects.bulk_create(
        WorkOrder(order_number=f"N{number}", line=line, target_quantity=number + 1) for number in range(10_000)
    )
    with connection.cursor() as cursor:
        # The planner knows of many rows only when they are counted; the vacuum does not see them before they are
        # committed.
        cursor.execute("ANALYZE workorders_workorder")
    user = make_user("operator", site=line.area.site)
    template = make_template()
    records = sources.get("work_order").records(user)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    pieces = list(map(len, csv_pieces(selectors.table_rows(template, records, user=user))))
    seconds = time.monotonic() - began
    with workbook_file(selectors.table_rows(template, records, user=user)) as out:
        sheet = openpyxl.load_workbook(out, read_only=True).active
        assert sum(1 for _ in sheet.iter_rows()) == 10_001
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print(f"10,000 records: {seconds:.1f} s as CSV, {more} MiB more at the peak")
    assert (len(pieces), more < 100) == (21, True)


def test_queries_do_not_grow_with_the_records(django_assert_max_num_queries):
    line = make_line()
    for _ in range(20):
        make_work_order(line=line, product=make_product())
    client, template = client_of("operator", line.area.site), make_template()
    with django_assert_max_num_queries(16):
        answer = client.get(f"/reports/workbook/{template.pk}/sheets/")
    assert len(opened(answer).sheetnames) == 22


def test_same_file_is_one_version_and_a_new_one_needs_every_mapped_cell():
    template = make_template()
    said = {"template": template, "file_name": "x.xlsx", "actor": make_user(), "recorded_at": AT}
    assert add_version(content=make_card(), **said).number == 1
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    with pytest.raises(Invalid, match="'PACK_ID' is neither"):
        add_version(content=out.getvalue(), **said)
    WorkbookMapping.objects.filter(target="PACK_ID").delete()
    assert add_version(content=out.getvalue(), **said).number == 2
    assert bytes(WorkbookVersion.objects.get(number=1).content) == make_card()


def test_rest_takes_files_and_mappings_from_an_engineer():
    site = make_site()
    client = client_of("engineer", site)
    made = client.post("/reports/workbook/", {"name": "Card", "source": "work_order", "site": site.pk})
    one = f"/reports/workbook/{made.data['id']}"
    card = SimpleUploadedFile("card.xlsx", make_card())
    assert client.post(f"{one}/version/", {"file": card}, format="multipart").status_code == 201
    assert [row["number"] for row in client.get(f"{one}/version/").data] == [1]
    places = client.get(f"{one}/places/").data
    assert {"target": "PACK_ID", "where": "Process Card!J6"} in places["places"]
    mapping = {"template": made.data["id"], "target": "PACK_ID", "path": "order_number"}
    assert client.post("/reports/mapping/", mapping).status_code == 201
    for odd, field in (("B2", "target"), ("NOBODY", "target")):
        refused = client.post("/reports/mapping/", {**mapping, "target": odd})
        assert (refused.status_code, field in refused.data) == (400, True)
    refused = client.post("/reports/mapping/", {**mapping, "target": "A8", "path": "a b"})
    assert (refused.status_code, "path" in refused.data) == (400, True)
    bad = client.post(f"{one}/version/", {"file": SimpleUploadedFile("x.xlsx", b"<svg/>")}, format="multipart")
    assert (bad.status_code, "file" in bad.data) == (400, True)
    assert client_of("operator", site).post(f"{one}/version/", {"file": card}, format="multipart").status_code == 403
    assert client_of("engineer", make_site()).get(f"{one}/").status_code == 404
    assert client.post("/reports/workbook/", {"name": "C", "source": "nothing"}).status_code == 400


def test_engineer_uploads_and_maps_in_the_admin(client):
    engineer = make_user("engineer", is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=engineer.pk))
    empty = {f"{name}-{kind}_FORMS": "0" for name in ("mappings", "versions") for kind in ("TOTAL", "INITIAL")}
    body = {"code": "CARD", "name": "Card", "source": "work_order", "is_active": "on", **empty}
    add = reverse("admin:reports_workbooktemplate_add")
    assert b"Choose the workbook" in client.post(add, body).content
    refused = client.post(add, {**body, "file": SimpleUploadedFile("x.xlsx", b"<svg/>")})
    assert b"no Excel workbook" in refused.content
    made = client.post(add, {**body, "file": SimpleUploadedFile("card.xlsx", make_card())})
    assert made.status_code == 302
    version = WorkbookVersion.objects.get()
    page = reverse("admin:reports_workbooktemplate_change", args=[version.template_id])
    shown = client.get(page).content.decode()
    assert "PACK_ID" in shown
    assert "order_number" in shown
    mapped = {
        **body,
        "mappings-TOTAL_FORMS": "1",
        "mappings-0-template": version.template_id,
        "mappings-0-target": "PACK_ID",
        "mappings-0-path": "order_number",
        "mappings-0-row_step": "1",
        "versions-TOTAL_FORMS": "1",
        "versions-INITIAL_FORMS": "1",
        "versions-0-id": version.pk,
    }
    answer = client.post(page, mapped)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    assert WorkbookMapping.objects.get().path == "order_number"
    wrong = client.post(page, {**mapped, "mappings-0-target": "B2"} | {"mappings-0-path": "customer"})
    assert b"holds a formula" in wrong.content
