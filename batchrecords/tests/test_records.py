"""Batch records: assembled from facts, reviewed by exception, signed by those who may."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import AuditEntry
from batchrecords.assembly import assemble, standing
from batchrecords.models import BatchRecord, Resolution, Signature, SigningPolicy
from batchrecords.services import open_deviation, open_record, resolve
from batchrecords.tests.plant import NOW, Batch, at
from batchrecords.verification import broken_anywhere
from core.audit_chain import digest
from core.errors import Conflict, Invalid, NotFound
from downtime.services import NewState, correct_state, record_states
from execution.models import ParameterReading
from labor.models import Certificate, SkillNeed
from materials.ledger import BACK_FLUSHED
from materials.lots import NewLot
from materials.services import receive
from tests.factories import make_location, make_lot, make_product, make_run, make_skill
from workorders.models import OrderParameter
from workorders.record_sections import contributions

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch():
    return Batch()


def read(batch, now=NOW):
    return assemble(batch.record, now=now)


def section(batch, code):
    return next(one.section for one in read(batch).sections if one.code == code)


def kinds(batch):
    return [one.finding.kind for one in read(batch).open_exceptions]


def test_a_record_is_opened_once_and_has_the_orders_number(batch):
    again = open_record(order=batch.order, actor=batch.preparer, now=NOW)
    assert again == batch.record
    assert batch.record.number == batch.order.order_number
    assert AuditEntry.objects.filter(action="record.opened").count() == 1


def test_its_head_tells_formula_version_size_and_place(batch):
    head = dict(read(batch).head)
    assert head["Formula and version"] == "B less sugar"
    assert head["Batch size"] == f"1000 {batch.product.unit_id}"
    assert head["Line"] == batch.line.name


def test_reading_twice_gives_the_same_whatever_the_clock(batch):
    assert read(batch).content_hash == read(batch, now=NOW + timedelta(days=30)).content_hash


def test_stops_are_cut_to_the_run_and_long_ones_are_deviations(batch):
    assert section(batch, "stops").rows == [
        (batch.machine.code, "2026-03-02T09:00:00+00:00", "2026-03-02T10:00:00+00:00", "unplanned", "Jam")
    ]
    assert kinds(batch) == ["stop"]
    SigningPolicy.objects.create(site=batch.site, stop_minutes=61)
    assert kinds(batch) == []


def test_an_uncertified_person_is_a_deviation_until_a_certificate_covers_the_day(batch):
    skill = make_skill()
    SkillNeed.objects.create(skill=skill, line=batch.line)
    assert "uncertified" in kinds(batch)
    Certificate.objects.create(employee=batch.entry.employee, skill=skill, valid_from=date(2026, 3, 2))
    assert "uncertified" not in kinds(batch)


def test_a_lot_that_had_expired_or_was_not_released_when_it_was_taken_is_critical(batch):
    place = make_location(site=batch.site)
    good = make_lot(location=place)
    old = make_lot(location=place, expiry_date=date(2026, 3, 1))
    new = receive(
        product=make_product(lot_controlled=True), quantity=Decimal(9), to_location=place, lot=NewLot(number="Q"),
        actor=batch.worker, occurred_at=at(1), recorded_at=at(1),
    ).transaction.lot  # fmt: skip
    for lot in (good, old, new):
        batch.move(lot=lot, product=lot.product, from_location=place)
    found = {one.finding.title: one.finding.severity for one in read(batch).exceptions if "Lot" in one.finding.title}
    assert found == {
        f"Lot {old} was taken while it was expired": "critical",
        "Lot Q was taken while it was quarantine": "critical",
    }
    lots = sorted((good, old, new), key=lambda lot: lot.product.code)
    assert [row[0] for row in section(batch, "lots").rows] == [lot.number for lot in lots]


def test_a_lot_that_was_taken_for_a_reason_is_a_deviation_unless_it_was_back_flushed(batch):
    place = make_location(site=batch.site)
    lot = make_lot(location=place)
    batch.move(lot=lot, product=lot.product, from_location=place, reason=BACK_FLUSHED)
    assert "overridden" not in kinds(batch)
    batch.move(lot=lot, product=lot.product, from_location=place, reason="The newer lot stood in the way.")
    assert kinds(batch).count("overridden") == 1


def test_four_signatures_in_turn_release_it(batch):
    with pytest.raises(Conflict, match="Nobody prepared"):
        batch.sign("reviewed")
    batch.sign("prepared")
    with pytest.raises(Conflict, match="1 deviations"):
        batch.sign("reviewed")
    batch.resolve_all()
    with pytest.raises(Conflict, match="reviewed first"):
        batch.sign("approved")
    for meaning, status in (("reviewed", "under_review"), ("approved", "approved"), ("released", "released")):
        signature = batch.sign(meaning)
        batch.record.refresh_from_db()
        assert batch.record.status == status
        assert digest(signature.snapshot["content"]) == signature.content_hash == read(batch).content_hash
    assert list(broken_anywhere()) == []


def test_a_signature_keeps_name_time_zone_meaning_and_what_was_seen(batch):
    signature = batch.sign("prepared", seen=read(batch).content_hash)
    assert (signature.printed_name, signature.username) == ("Paul Nowak", batch.preparer.username)
    assert (signature.signed_at, signature.zone) == (NOW, "Europe/Warsaw")
    with pytest.raises(Conflict, match="changed since you looked"):
        batch.sign("prepared", seen="0" * 64)


def test_signing_again_has_one_effect(batch):
    assert batch.sign("prepared") == batch.sign("prepared", comment="Twice.")
    assert Signature.objects.count() == 1
    with pytest.raises(Conflict, match="signed so already"):
        batch.sign("prepared", user=batch.reviewer)


def test_nobody_judges_their_own_work(batch):
    batch.sign("prepared")
    batch.resolve_all()
    with pytest.raises(Invalid, match="own work"):
        batch.sign("reviewed", user=batch.worker)
    with pytest.raises(Invalid, match="You signed it as prepared"):
        batch.sign("reviewed", user=batch.preparer)
    batch.sign("reviewed")
    with pytest.raises(Invalid, match="You signed it as reviewed"):
        batch.sign("approved", user=batch.reviewer)
    SigningPolicy.objects.create(site=batch.site, approver_may_have_signed=True)
    batch.sign("approved", user=batch.reviewer)
    with pytest.raises(Invalid, match="You signed it as prepared"):
        batch.sign("released", user=batch.preparer)


def test_an_order_that_is_not_over_is_not_prepared():
    with pytest.raises(Conflict, match="not over"):
        Batch(status="in_progress").sign("prepared")


def test_a_late_fact_voids_the_signatures_and_shows_what_was_and_is(batch):
    batch.sign_all()
    record_states([NewState(batch.machine.pk, at(11), batch.jam.pk)], recorded_at=NOW)
    stands = standing(read(batch))
    assert stands.changed_since_signed
    assert stands.holding == frozenset()
    (difference,) = stands.differences
    assert (difference.section, difference.was) == ("stops", "")
    assert "2026-03-02T11:00:00+00:00" in difference.now
    with pytest.raises(Conflict, match="prepared again"):
        batch.sign("released")
    with pytest.raises(Invalid, match="what changed"):
        batch.sign("prepared")
    assert batch.sign("prepared", comment="The buffer sent late.").revision == 2
    assert list(broken_anywhere()) == []


def test_a_run_corrected_after_it_ended_is_listed_with_was_and_now(batch):
    batch.run.ended_at = at(11)
    batch.run.save()
    (row,) = section(batch, "changes").rows
    assert row[2:4] == ("2026-03-02T12:00:00+00:00", "2026-03-02T11:00:00+00:00")
    assert "change" in kinds(batch)


def test_closing_the_order_in_the_books_leaves_the_record_as_it_is(batch):
    before = read(batch).content_hash
    batch.order.status = "closed"
    batch.order.save()
    assert read(batch).content_hash == before


def test_a_resolution_holds_for_what_was_seen_only(batch):
    batch.resolve_all()
    assert kinds(batch) == []
    record_states([NewState(batch.machine.pk, at(9.75), batch.jam.pk)], recorded_at=NOW)
    assert kinds(batch) == []
    batch.run.started_at = at(9.25)
    batch.run.save()
    assert sorted(kinds(batch)) == ["change", "stop"]


def test_a_resolution_needs_a_comment_and_another_person_and_is_made_once(batch):
    key = read(batch).open_exceptions[0].finding.key

    def decide(actor=batch.reviewer, comment="Known jam.", decision="accepted", key=key):
        return resolve(
            record=batch.record, key=key, decision=decision, comment=comment, actor=actor, now=NOW
        )  # fmt: skip

    with pytest.raises(Invalid, match="why"):
        decide(comment=" ")
    with pytest.raises(Invalid, match="own work"):
        decide(actor=batch.worker)
    with pytest.raises(NotFound):
        decide(key="stop:0")
    assert decide() == decide()
    with pytest.raises(Conflict, match="decided about it already"):
        decide(decision="reworked")
    assert Resolution.objects.count() == 1


def test_a_deviation_that_somebody_notes_has_to_be_resolved_too(batch):
    batch.sign("prepared")
    batch.resolve_all()
    open_deviation(record=batch.record, title="Smell", severity="critical", actor=batch.worker, now=NOW)
    with pytest.raises(Conflict, match="1 deviations"):
        batch.sign("reviewed")
    assert read(batch).exceptions[0].finding.title == "Smell"


def test_rejecting_is_final(batch):
    batch.sign("prepared")
    with pytest.raises(Invalid, match="why"):
        batch.sign("rejected")
    batch.sign("rejected", comment="Contaminated.")
    assert BatchRecord.objects.get().status == "rejected"
    with pytest.raises(Conflict, match="final"):
        batch.sign("prepared", user=batch.reviewer, comment="Again.")
    with pytest.raises(Conflict, match="final"):
        open_deviation(record=BatchRecord.objects.get(), title="Smell", severity="minor", actor=batch.worker, now=NOW)


def test_the_database_refuses_to_change_a_signature(batch):
    batch.sign("prepared")
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.update(comment="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.all().delete()


def test_verify_audit_names_an_altered_signature_and_writes_anchors(batch, tmp_path, capsys):
    batch.sign_all()
    anchors = tmp_path / "anchors"
    call_command("verify_audit", anchor=anchors)
    call_command("verify_audit", anchor=anchors)
    assert len(anchors.read_text().splitlines()) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE batchrecords_signature DISABLE TRIGGER USER")
        cursor.execute("UPDATE batchrecords_signature SET printed_name = 'Nobody' WHERE meaning = 'approved'")
    with pytest.raises(CommandError, match="1 problems"):
        call_command("verify_audit", anchor=anchors)
    assert f"signature:{Signature.objects.get(meaning='approved').pk}" in capsys.readouterr().err


def test_a_reading_outside_its_bounds_is_a_deviation(batch):
    parameter = batch.parameter(target=80)
    for hour, value in ((9, 80), (10, 81)):
        ParameterReading.objects.create(
            parameter=parameter, value=Decimal(value), occurred_at=at(hour), recorded_at=at(hour),
            recorded_by=batch.worker,
        )  # fmt: skip
    found = [one.finding for one in read(batch).exceptions if one.finding.kind == "set_point"]
    assert [(one.title, one.severity) for one in found] == [("MIX, T: 81", "major")]
    assert len(section(batch, "readings").rows) == 2


def test_sections_cost_the_same_for_many_set_points_and_runs(batch, django_assert_max_num_queries):
    def write():
        return {code: contribution.write(batch.order, NOW) for code, contribution in wanted.items()}

    wanted = {one.code: one for one in contributions() if one.code in ("set_points", "runs", "changes")}
    for number in range(8):
        parameter = OrderParameter.objects.create(operation=batch.operation, code=f"T{number}", name="T", target=80)
        parameter.target += 1
        parameter.save()
    for day in range(1, 4):
        make_run(work_order=batch.order, line=batch.line, started_at=at(24 * day), ended_at=at(24 * day + 1))
    with django_assert_max_num_queries(11):
        found = write()
    assert len(found["runs"].rows) == 4
    assert [finding.title for finding in found["changes"].findings] == [
        f"Set-point T{number}: target was changed" for number in range(8)
    ]


def test_a_correction_that_spans_two_runs_is_listed_once(batch):
    make_run(work_order=batch.order, line=batch.line, started_at=at(13), ended_at=at(14))
    correct_state(
        machine=batch.machine, starts_at=at(11), ends_at=at(13.5), reason=batch.jam, comment="It stood.",
        actor=batch.worker, recorded_at=at(20),
    )  # fmt: skip
    found = section(batch, "changes")
    assert [row[-1] for row in found.rows] == ["It stood."]
    assert [finding.kind for finding in found.findings] == ["correction"]
