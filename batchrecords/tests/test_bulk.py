"""Records of the past: written at once, they are those that people would have opened, decided about and signed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import AuditEntry
from batchrecords.assembly import assemble, standing
from batchrecords.bulk import Decided, NewRecord, Signed, load_records
from batchrecords.models import BatchRecord, Resolution, Signature
from batchrecords.services import open_record, resolve
from batchrecords.tests.plant import NOW, Batch, at
from batchrecords.verification import broken_anywhere
from core.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db
MEANINGS = (("prepared", at(14)), ("reviewed", at(16)), ("approved", at(20)), ("released", at(21)))


@pytest.fixture
def batch():
    return Batch(opens=False)


def new_record(batch, most=4, **overrides):
    users = {"prepared": batch.preparer, "reviewed": batch.reviewer}
    signed = [
        Signed(meaning=Signature.Meaning(meaning), signer=users.get(meaning, batch.approver), at=when)
        for meaning, when in MEANINGS[:most]
    ]
    decided = Decided(actor=batch.reviewer, at=at(15), decide=lambda finding: ("accepted", "Looked at it."))
    given = {"order": batch.order, "opened_by": batch.preparer, "opened_at": at(13), "decided": decided}
    return NewRecord(**{**given, "signed": signed, **overrides})


def one_by_one(batch):
    batch.record = open_record(order=batch.order, actor=batch.preparer, now=at(13))
    for meaning, when in MEANINGS:
        for one in assemble(batch.record, now=NOW).open_exceptions if meaning == "reviewed" else ():
            said = {"key": one.finding.key, "decision": "accepted", "comment": "Looked at it."}
            resolve(record=batch.record, actor=batch.reviewer, now=at(15), **said)
        batch.sign(meaning, now=when)


def at_once(batch):
    load_records([new_record(batch)], now=NOW)


def contents():
    """What is stored, without keys and what covers them."""
    rows = [list(BatchRecord.objects.values_list("number", "status", "opened_by", "opened_at"))]
    signed = ("meaning", "signer", "printed_name", "signed_at", "zone", "revision", "content_hash", "snapshot_hash")
    rows.append(list(Signature.objects.order_by("id").values_list(*signed)))
    decided = ("key", "finding_hash", "decision", "comment", "resolved_by", "resolved_name", "resolved_at")
    rows.append(list(Resolution.objects.values_list(*decided)))
    trail = AuditEntry.objects.order_by("sequence").values_list("sequence", "at", "actor_name", "action", "said")
    return [*rows, list(trail)]


def test_records_written_at_once_are_those_that_people_signed_one_by_one(batch):
    found = []
    for write in (one_by_one, at_once):
        with transaction.atomic():
            write(batch)
            found.append(contents())
            assert list(broken_anywhere()) == []
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert [row[3] for row in found[1][3]] == [
        "record.opened",
        *("record.prepared", "record.status", "deviation.resolved", "record.reviewed"),
        *("record.approved", "record.status", "record.released", "record.status"),
    ]


def test_a_record_that_is_on_its_way_is_signed_as_far_as_it_has_come(batch):
    (record,) = load_records([new_record(batch, most=1)], now=NOW)
    assert record.status == BatchRecord.Status.UNDER_REVIEW
    assert standing(assemble(record, now=NOW)).holds("prepared")
    assert list(broken_anywhere()) == []


@pytest.mark.parametrize(
    ("change", "refusal", "words"),
    [
        (lambda batch: {"decided": None}, Conflict, "1 deviations"),
        (lambda batch: {"opened_at": at(14.5)}, Invalid, "in this order"),
        (lambda batch: {"signed": new_record(batch).signed[1:], "decided": None}, Conflict, "Nobody prepared"),
        (
            lambda batch: {"signed": [replace(one, signer=batch.preparer) for one in new_record(batch).signed]},
            Invalid,
            "somebody else has to sign",
        ),
        (
            lambda batch: {"signed": [replace(one, signer=batch.worker) for one in new_record(batch).signed]},
            Invalid,
            "may not sign",
        ),
    ],
)
def test_the_rules_of_signing_hold_for_the_past(batch, change, refusal, words):
    with pytest.raises(refusal, match=words):
        load_records([new_record(batch, **change(batch))], now=NOW)


def test_a_deviation_is_not_decided_about_before_it_was_known(batch):
    early = Decided(actor=batch.reviewer, at=at(8.5), decide=lambda finding: ("accepted", "Seen."))
    signed = [replace(one, at=at(8) + timedelta(minutes=30 + n)) for n, one in enumerate(new_record(batch).signed)]
    signed[0] = replace(signed[0], at=at(8))
    with pytest.raises(Invalid, match="before it was known"):
        load_records([new_record(batch, opened_at=at(8), decided=early, signed=signed)], now=NOW)


def test_a_record_that_is_known_is_not_written_again(batch):
    at_once(batch)
    with pytest.raises(Conflict, match="already"):
        at_once(batch)
