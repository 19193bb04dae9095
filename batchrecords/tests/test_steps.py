"""Typed steps: what they take, what is beyond their limits, and what an operation waits for."""

from decimal import Decimal
from io import BytesIO

import pytest
from PIL import Image

from accounts.signing import Confirmed
from batchrecords.assembly import assemble
from batchrecords.models import StepEntry, StepTemplate
from batchrecords.services import resolve
from batchrecords.steps import Answer, enter_step
from batchrecords.tests.plant import NOW, Batch, at
from batchrecords.verification import broken_anywhere
from core import master_data
from core.errors import Conflict, Invalid
from execution.services import finish_operation
from execution.taking import Taken
from workorders.gates import refuse_unfinished
from workorders.models import Operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    return Batch(status="in_progress")


def enter(batch, template, answer=None, comment="", actor=None):
    return enter_step(
        operation=batch.operation,
        template=template,
        answer=answer or Answer(),
        actor=actor or batch.worker,
        occurred_at=at(9),
        now=NOW,
        comment=comment,
    )


def finish(batch):
    refuse_unfinished(operation=batch.operation, now=NOW)


def photo():
    file = BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    return file.getvalue()


def test_every_kind_takes_its_answer_and_refuses_others(batch):
    kinds = {
        "read": Answer(),
        "number": Answer(number=Decimal("6.9")),
        "choice": Answer(said="clear"),
        "text": Answer(said="ok"),
        "time": Answer(time=at(9)),
        "photo": Answer(photo=photo()),
        "person": Answer(second=Confirmed(batch.reviewer)),
    }
    for kind, answer in kinds.items():
        template = batch.step(kind, kind=kind, choices=["clear", "cloudy"] if kind == "choice" else [])
        if kind != "read":
            with pytest.raises(Invalid):
                enter(batch, template)
        assert enter(batch, template, answer).is_within
    found = next(one.section for one in assemble(batch.record, now=NOW).sections if one.code == "steps")
    assert [row[1] for row in found.rows] == list(kinds)
    assert {batch.worker.pk, batch.reviewer.pk} <= found.workers
    assert list(broken_anywhere()) == []


@pytest.mark.parametrize("bad", [b"", b"<svg/>", b"\x89PNG\r\n\x1a\n broken", b"x" * (4 * 1024 * 1024 + 1)])
def test_what_is_no_photo_is_refused(batch, bad):
    with pytest.raises(Invalid, match=r"photo|JPEG"):
        enter(batch, batch.step(kind="photo"), Answer(photo=bad))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e12", "0.0000001"])
def test_a_number_that_cannot_be_kept_is_refused(batch, number):
    with pytest.raises(Invalid):
        enter(batch, batch.step(kind="number"), Answer(number=Decimal(number)))


def test_nobody_is_their_own_second_person(batch):
    with pytest.raises(Invalid, match="Another person"):
        enter(batch, batch.step(kind="person"), Answer(second=Confirmed(batch.worker)))


@pytest.mark.parametrize(("number", "within"), [("6", True), ("8", True), ("5.999999", False), ("8.000001", False)])
def test_limits_are_inclusive_and_exact(batch, number, within):
    template = batch.step(kind="number", minimum=6, maximum=8)
    if not within:
        with pytest.raises(Invalid, match="say why"):
            enter(batch, template, Answer(number=Decimal(number)))
    entry = enter(batch, template, Answer(number=Decimal(number)), comment="Checked twice.")
    assert entry.is_within is within
    found = [one.finding for one in assemble(batch.record, now=NOW).exceptions if one.finding.kind == "out_of_limit"]
    assert [one.severity for one in found] == ([] if within else ["major"])


def test_a_critical_step_beyond_its_limits_is_critical(batch):
    enter(batch, batch.step(kind="number", maximum=1, is_critical=True), Answer(number=Decimal(2)), comment="High.")
    assert assemble(batch.record, now=NOW).exceptions[0].finding.severity == "critical"


def test_an_operation_waits_for_its_required_steps(batch):
    read, optional = batch.step("READ"), batch.step("NOTE", kind="text", is_required=False)
    with pytest.raises(Conflict, match="READ"):
        finish(batch)
    enter(batch, read)
    finish(batch)
    assert not StepEntry.objects.filter(template=optional).exists()


def test_a_step_that_stops_the_work_waits_for_its_resolution(batch):
    template = batch.step(kind="number", maximum=1, beyond="stop")
    entry = enter(batch, template, Answer(number=Decimal(2)), comment="High.")
    with pytest.raises(Conflict, match="resolved first"):
        finish(batch)
    resolve(
        record=batch.record, key=f"step:{entry.pk}", decision="accepted", comment="Fine.", actor=batch.reviewer, now=NOW
    )
    finish(batch)


def test_a_step_entered_again_within_its_limits_lets_the_work_go_on_and_both_stay(batch):
    template = batch.step(kind="number", maximum=1, beyond="stop")
    enter(batch, template, Answer(number=Decimal(2)), comment="High.")
    enter(batch, template, Answer(number=Decimal(1)))
    finish(batch)
    found = [one.finding.kind for one in assemble(batch.record, now=NOW).exceptions]
    assert {"out_of_limit", "again"} <= set(found)


def test_a_missing_step_of_an_order_that_is_over_is_a_deviation():
    batch = Batch()
    batch.step("READ")
    assert "missing_step" in [one.finding.kind for one in assemble(batch.record, now=NOW).exceptions]
    with pytest.raises(Conflict, match="completed"):
        enter(batch, StepTemplate.objects.get())


def test_steps_of_a_released_revision_stay_as_they_are(batch):
    template = batch.step("READ")
    template.prompt = "Read it well"
    master_data.save(template)
    batch.revision.status, batch.revision.valid_from = "released", at(0)
    batch.revision.save()
    template = StepTemplate.objects.get()
    template.prompt = "Never mind"
    with pytest.raises(Conflict, match="released"):
        master_data.save(template)
    with pytest.raises(Conflict, match="released"):
        master_data.delete(template)


def test_finishing_at_the_machine_asks_the_steps(batch):
    batch.order.status = "in_progress"
    batch.order.save()
    step = batch.step("READ")
    Operation.objects.update(status="in_progress", actual_start_at=at(8))
    operation = Operation.objects.select_related("work_order__line__area__site").get()
    taken = Taken(at=at(12), actor=batch.worker, recorded_at=NOW)
    with pytest.raises(Conflict, match="READ"):
        finish_operation(operation=operation, taken=taken)
    enter(batch, step)
    finish_operation(operation=operation, taken=taken)
    assert Operation.objects.get().status == "completed"
