"""A record contains what was inspected, what did not conform, and what its serial units went through."""

from decimal import Decimal
from uuid import uuid4

import pytest

from batchrecords.assembly import assemble
from batchrecords.tests.plant import NOW, Batch, at
from quality.dispositions import dispose
from quality.nonconformances import About, raise_nonconformance
from quality.results import Said, record_results
from quality.services import What, finish_inspection, open_inspection
from tests.factories import make_plan, make_stage_form
from tracking.creating import create_units
from tracking.services import By, Entry, enter, scrap, send_to_rework
from workorders.models import WorkOrder

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    return Batch()


def read(batch):
    found = assemble(batch.record, now=NOW)
    assert assemble(batch.record, now=NOW).content_hash == found.content_hash
    sections = {one.code: one.section for one in found.sections}
    return sections, {one.finding.key.partition(":")[0]: one.finding for one in found.exceptions}, found.workers


def inspect(batch, *values):
    plan = make_plan(name="Fill weight")
    what = What(work_order=batch.order, operation_code="MIX")
    inspection, _ = open_inspection(
        plan=plan, what=what, actor=batch.worker, opened_at=at(9), sample_size=len(values), idempotency_key="i"
    )
    of = plan.characteristics.get()
    results = [
        Said(characteristic=of, sample=sample, value=Decimal(value), occurred_at=at(9))
        for sample, value in enumerate(values, start=1)
    ]
    record_results(inspection=inspection, results=results, actor=batch.worker, recorded_at=at(9))
    return finish_inspection(inspection=inspection, actor=batch.worker, finished_at=at(10))


def test_failed_inspection_is_in_the_record_once_and_its_inspector_is_a_worker(batch):
    inspection = inspect(batch, 10, 12)
    sections, findings, workers = read(batch)
    (row,) = sections["inspections"].rows
    assert (row[0], row[2], row[8:11]) == (str(inspection.pk), "MIX", ("2", "1", "Fail"))
    (line,) = sections["inspection_results"].rows
    assert line[5:9] == ("2", "10", "11", "12")
    assert findings["inspection"].title.endswith("failed")
    assert "operation.inspection" not in findings
    assert batch.worker.pk in workers


def test_passed_inspection_is_no_deviation(batch):
    inspect(batch, 10, 10)
    sections, findings, _ = read(batch)
    assert sections["inspections"].rows[0][10] == "Pass"
    assert "inspection" not in findings


def test_what_did_not_conform_and_what_became_of_it_is_in_the_record(batch):
    ncr, _ = raise_nonconformance(
        site=batch.site,
        title="Too thin",
        said=About(work_order=batch.order, operation_code="MIX"),
        actor=batch.reviewer,
        raised_at=at(10),
        quantity=Decimal(5),
        severity="critical",
    )
    dispose(
        nonconformance=ncr,
        kind="use_as_is",
        quantity=Decimal(5),
        reason="Within the customer's limits",
        actor=batch.reviewer,
        decided_at=at(11),
        recorded_at=at(11),
    )
    sections, findings, workers = read(batch)
    assert [row[1:3] for row in sections["nonconformances"].rows] == [
        (f"{ncr.number} raised", "Too thin"),
        (f"{ncr.number} decided", "Use as is"),
    ]
    assert (findings["nonconformance"].severity, findings["nonconformance"].detail) == ("critical", "5")
    # To judge is no work in the record.
    assert batch.reviewer.pk not in workers


def test_what_units_went_through_is_in_the_record(batch):
    make_stage_form(batch.product, "MIX", {"code": "check"})
    WorkOrder.objects.filter(pk=batch.order.pk).update(status="in_progress")
    batch.order.refresh_from_db()
    units = create_units(serials=["1", "2", "3"], order=batch.order, actor=batch.worker, at=at(8))

    def fill(unit, value, when):
        entries = [Entry("check", value, str(uuid4()))]
        enter(unit=unit, stage="MIX", entries=entries, actor=batch.worker, recorded_at=when)

    def by(reason, when):
        return By(batch.reviewer, when, str(uuid4()), reason)

    fill(units[0], "NOT OK", at(9))
    send_to_rework(unit=units[0], to_stage="MIX", by=by("Stir again", at(10)))
    fill(units[0], "OK", at(11))
    scrap(unit=units[1], by=By(batch.preparer, at(11), "s", "Spilled"))
    WorkOrder.objects.filter(pk=batch.order.pk).update(status="completed")
    batch.record.refresh_from_db()
    sections, findings, workers = read(batch)
    assert [row[:4] for row in sections["units"].rows] == [
        ("1", "MIX Mix", "1", "QC NOT OK"),
        ("1", "MIX Mix", "2", "QC OK"),
    ]
    assert [row[3] for row in sections["unit_entries"].rows] == ["NOT OK", "OK"]
    assert [row[1:3] for row in sections["unit_events"].rows] == [("1", "Sent to rework"), ("2", "Scrapped")]
    assert findings["unit.pass"].title == "Unit 1: Mix was NOT OK"
    assert findings["unit.undone"].title == "Unit 3 is not finished"
    assert {findings["unit.event"].kind} <= {"rework", "scrap"}
    # Who reports pieces, good or scrap, works on it; who sends to rework judges.
    assert {batch.worker.pk, batch.preparer.pk} <= workers
    assert batch.reviewer.pk not in workers
    assert [row[3:5] for row in sections["reports"].rows] == [("1", "0"), ("0", "1")]
