"""B2MML messages: schedules become orders, what orders did validates against MESA's schemas where these are there."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from erp.tests.partners import make_partner
from erp.tests.test_api import client_of
from tests.factories import make_line, make_product, make_unit, make_work_order
from workorders import life
from workorders.models import WorkOrder
from workorders.services import add_operation, release_order

pytestmark = pytest.mark.django_db
FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data") / "b2mml"
there = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the B2MML schemas are absent: {FOLDER} (MES_REAL_DATA)")
SCHEDULE = """<?xml version="1.0"?>
<OperationsSchedule xmlns="http://www.mesa.org/xml/B2MML"><ID>S1</ID>
<OperationsRequest><ID>R-1</ID><Description>Rush</Description>
  <StartTime>2026-03-02T06:00:00Z</StartTime><EndTime>2026-03-02T14:00:00+00:00</EndTime>
  <SegmentRequirement><ID>10</ID><ProcessSegmentID>FILL</ProcessSegmentID>
    <EquipmentRequirement><ID>1</ID><EquipmentID>L1</EquipmentID></EquipmentRequirement>
    <MaterialRequirement><ID>1</ID><MaterialDefinitionID>CAP</MaterialDefinitionID><MaterialUse>Consumed</MaterialUse>
      <Quantity><QuantityString>9</QuantityString></Quantity></MaterialRequirement>
    <MaterialRequirement><ID>2</ID><MaterialDefinitionID>100200</MaterialDefinitionID><MaterialUse>Produced</MaterialUse>
      <Quantity><QuantityString>500.5</QuantityString><DataType>decimal</DataType><UnitOfMeasure>pcs</UnitOfMeasure></Quantity>
    </MaterialRequirement></SegmentRequirement></OperationsRequest>
<OperationsRequest><ID>R-2</ID><SegmentRequirement><ID>10</ID></SegmentRequirement></OperationsRequest>
</OperationsSchedule>"""
URL = "/erp/b2mml/schedule/"


@pytest.fixture
def line():
    return make_line(code="L1")


@pytest.fixture
def erp(line):
    return client_of(make_partner(site=line.area.site).user)


def test_requests_become_orders_and_what_lacks_is_named(erp, line):
    make_product(code="100200", unit=make_unit("pcs"))
    answer = erp.generic("POST", URL, SCHEDULE, content_type="application/xml")
    assert (answer.status_code, answer.data["counts"]["orders"]["created"]) == (207, 1), answer.data
    assert {(fault["key"], fault["field"]) for fault in answer.data["faults"]} == {
        ("R-2", "line"),
        ("R-2", "target_quantity"),
    }
    order = WorkOrder.objects.get()
    assert (order.external_id, order.description, order.line, order.product.code) == ("R-1", "Rush", line, "100200")
    assert (order.target_quantity, order.unit_id, f"{order.planned_end_at:%H:%M}") == (Decimal("500.5"), "pcs", "14:00")
    again = erp.generic("POST", URL, SCHEDULE, content_type="text/xml")
    assert again.data["counts"]["orders"]["unchanged"] == 1


def test_json_form_says_the_same(erp):
    make_product(code="SO-1")
    produced = {
        "MaterialDefinitionID": ["SO-1"],
        "MaterialUse": "Produced",
        "Quantity": [{"QuantityString": "2", "DataType": "decimal"}],
    }
    request = {"ID": "J-1", "SegmentRequirement": [{"ID": "10", "MaterialRequirement": [produced]}]}
    answer = erp.post(f"{URL}?line=L1", {"OperationsSchedule": {"ID": "S", "OperationsRequest": [request]}})
    assert answer.status_code == 200, answer.data
    assert WorkOrder.objects.get().target_quantity == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<a",
        "<a/>",
        "<a>" * 200 + "</a>" * 200,
        "<a>" * 50_000,
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<?xml version="1.0" encoding="nonsense"?><a/>',
        "<OperationsRequest/>",
    ],
    ids=["empty", "cut", "nothing in it", "deep", "deeper", "entity", "file", "charset", "no element"],
)
def test_what_is_no_schedule_is_a_422(erp, content):
    assert erp.generic("POST", URL, content, content_type="application/xml").status_code == 422


@there
def test_real_schedule_of_an_older_version_is_read(erp):
    make_product(code="SO1215", unit=make_unit("KG"))
    content = next(FOLDER.glob("PRO-*.xml")).read_bytes()
    answer = erp.generic("POST", f"{URL}?line=L1", content, content_type="application/xml")
    assert answer.status_code == 200, answer.data
    order = WorkOrder.objects.get()
    assert (order.external_id, order.product.code, order.target_quantity) == ("258456", "SO1215", 1)


@pytest.fixture
def order(line):
    made = make_work_order(
        line=line, product=make_product(), external_id="R-9", description="a < b & \x0b c", lot_number="L-1"
    )
    now = timezone.now()
    release_order(work_order=made, at=now)
    actor = make_partner().user
    add_operation(work_order=made, code="FILL", name="Fill & cap", actor=actor)
    life.start(work_order=made, at=now)
    life.confirm(work_order=made, quantities=life.Quantities(good=Decimal("12.5"), scrap=Decimal(1)), at=now)
    return made


def test_what_an_order_did_is_told_in_both_forms(erp, order):
    answer = erp.get("/erp/b2mml/performance/?order=R-9", headers={"Accept": "application/json"})
    (response,) = answer.json()["OperationsPerformance"]["OperationsResponse"]
    assert (response["OperationsRequestID"], response["ResponseState"]) == (["R-9"], ["Running"])
    (material,) = response["SegmentResponse"][-1]["MaterialActual"]
    assert (material["MaterialUse"], material["Quantity"][0]["QuantityString"]) == (["Produced"], ["12.5"])
    assert erp.get(f"/erp/b2mml/performance/?order={order.order_number}")["Content-Type"] == "application/xml"
    for nobody in ("", "?order=nowhere", "?order=%00"):
        assert erp.get(f"/erp/b2mml/performance/{nobody}").status_code == 404
    elsewhere = make_work_order(line=make_line(), external_id="R-10")
    assert erp.get(f"/erp/b2mml/performance/?order={elsewhere.external_id}").status_code == 404


@there
def test_performance_validates_against_the_schema(erp, order):
    import xmlschema

    schema = xmlschema.XMLSchema(str(FOLDER / "schema" / "B2MML-OperationsPerformance.xsd"))
    schema.validate(erp.get("/erp/b2mml/performance/?order=R-9").content.decode())
