"""The audit trail: every way of tampering with it is found, and named."""

from copy import copy
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts import audit
from accounts.models import AuditEntry, User
from core.audit_chain import HEAD, ROW, anchor_line, broken_anchors, columns_of, digest, seal
from core.errors import Invalid
from core.models import ChainHead
from tests.factories import make_site, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def site():
    """A site with five entries on a person, and another with two."""
    there, other, ada = make_site(), make_site(), make_user()
    for place, times in ((there, 5), (other, 2)):
        for number in range(times):
            audit.note(ada, site=place, action="test.said", actor=ada, now=AT, said={"number": number, "what": "ą€"})
    return there


def unguarded(table):
    cursor = connection.cursor()
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def entry(site, sequence):
    return AuditEntry.objects.filter(site=site, sequence=sequence)


def problems():
    return [str(broken) for broken in audit.verify()]


def test_an_untouched_trail_is_whole(site):
    assert problems() == []
    assert list(AuditEntry.objects.filter(site=site).values_list("sequence", flat=True)) == [5, 4, 3, 2, 1]


def test_what_was_done_in_the_past_is_noted_at_once_each_row_as_it_was_then(site):
    ada = make_user(first_name="Ada")
    before = copy(ada)
    User.objects.filter(pk=ada.pk).update(first_name="Ada Maria")
    ada.refresh_from_db()
    entries = audit.note_all(
        [
            audit.Noted(row=before, action="test.came", actor=ada, at=AT, said={"number": 1}),
            audit.Noted(row=ada, action="test.renamed", actor=ada, at=AT),
        ],
        site=site,
    )
    assert [entry.sequence for entry in entries] == [6, 7]
    assert entries[0].row_digest != entries[1].row_digest
    audit.note(ada, site=site, action="test.said", actor=ada, now=AT)
    assert problems() == []


def test_a_row_that_is_stored_otherwise_is_not_noted(site):
    ada = make_user()
    ada.first_name = "Somebody else"
    with pytest.raises(Invalid, match="stored otherwise"):
        audit.note_all([audit.Noted(row=ada, action="test.said", actor=ada, at=AT)], site=site)
    assert audit.note_all([], site=site) == []
    assert problems() == []


def test_the_database_refuses_to_change_or_delete_an_entry_or_to_forget_a_head(site):
    for refused in (
        lambda: entry(site, 2).update(action="x"),
        lambda: entry(site, 5).delete(),
        lambda: ChainHead.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            refused()


@pytest.mark.parametrize(
    "change",
    [
        {"said": {"number": 7}},
        {"actor_name": "Somebody else"},
        {"action": "test.other"},
        {"at": datetime(2026, 3, 2, 9, tzinfo=UTC)},
        {"row_digest": "0" * 64},
        {"content_hash": "0" * 64},
        {"seal": "0" * 64},
        {"previous_hash": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_entry_is_found_and_named(site, change):
    unguarded("accounts_auditentry")
    entry(site, 3).update(**change)
    assert any("entry 3 " in problem for problem in problems())


def test_an_entry_written_anew_with_a_right_hash_lacks_the_seal(site):
    unguarded("accounts_auditentry")
    forged = entry(site, 5).get()
    forged.said = {"number": 99}
    forged.content_hash = digest(audit._content(forged))
    forged.save()
    ChainHead.objects.filter(pk=audit.chain_of(site.pk)).update(last_hash=forged.content_hash)
    found = problems()
    assert any("entry 5 " in problem and "not written by this system" in problem for problem in found)
    assert any("its head" in problem for problem in found)


def test_a_seal_of_a_row_is_none_of_a_head(site):
    assert seal(ROW, "a", 1, "x") != seal(HEAD, "a", 1, "x")


@pytest.mark.parametrize(("sequence", "expected"), [(1, "row 1"), (3, "row 3"), (5, "row 5: cut off")])
def test_a_deleted_entry_is_found_and_named(site, sequence, expected):
    unguarded("accounts_auditentry")
    entry(site, sequence).delete()
    assert any(expected in problem for problem in problems())


def test_a_trail_cut_off_is_found_even_when_its_head_was_set_back(site):
    unguarded("accounts_auditentry")
    AuditEntry.objects.filter(site=site, sequence__gt=3).delete()
    assert any("rows 4–5: cut off" in problem for problem in problems())
    last = entry(site, 3).get()
    ChainHead.objects.filter(pk=audit.chain_of(site.pk)).update(sequence=3, last_hash=last.content_hash, seal=last.seal)
    assert problems() == [f"{audit.chain_of(site.pk)}: its head: it was not written by this system"]


def test_an_emptied_trail_is_found(site):
    unguarded("accounts_auditentry")
    AuditEntry.objects.filter(site=site).delete()
    assert problems() == [f"{audit.chain_of(site.pk)}: rows 1–5: cut off at the end"]


def test_two_entries_that_changed_places_are_found(site):
    unguarded("accounts_auditentry")
    entry(site, 2).update(sequence=100)
    entry(site, 3).update(sequence=2)
    entry(site, 100).update(sequence=3)
    found = problems()
    assert any("entry 2 " in problem for problem in found)
    assert any("entry 3 " in problem for problem in found)


def test_an_entry_put_in_between_or_moved_to_another_site_is_found(site):
    unguarded("accounts_auditentry")
    AuditEntry.objects.filter(site=site, sequence__gte=3).update(sequence=F("sequence") + 100)
    AuditEntry.objects.filter(site=site, sequence__gte=100).update(sequence=F("sequence") - 99)
    copied = entry(site, 2).get()
    copied.pk, copied.sequence = None, 3
    copied.save(force_insert=True)
    assert any("entry 3 " in problem for problem in problems())


def test_an_audited_row_that_was_altered_deleted_or_put_in_is_found(site, monkeypatch):
    lone = make_site()
    monkeypatch.setattr(audit, "_audited", [type(lone)])
    for place in type(lone).objects.all():
        audit.note(place, site=place, action="test.site", actor=None, now=AT)
    assert problems() == []
    type(lone).objects.filter(pk=lone.pk).update(name="Another")
    (problem,) = problems()
    assert f"site:{lone.pk}: it is not what" in problem
    stranger = make_site()
    assert any(f"site:{stranger.pk}: the audit trail does not know it" in problem for problem in problems())


def test_an_anchor_finds_a_whole_older_copy(site):
    head = ChainHead.objects.get(pk=audit.chain_of(site.pk))
    older = ChainHead(
        chain=head.chain, sequence=4, last_hash=entry(site, 4).get().content_hash,
        seal=seal(HEAD, head.chain, 4, entry(site, 4).get().content_hash),
    )  # fmt: skip
    line = anchor_line(head, now=AT)
    assert list(broken_anchors([line], audit.hash_at)) == []
    unguarded("accounts_auditentry")
    entry(site, 5).delete()
    older.save()
    assert problems() == []
    assert [broken.row for broken in broken_anchors([line, "torn"], audit.hash_at)] == ["row 5", "torn"]


def test_a_new_key_leaves_old_entries_known(site, settings):
    settings.AUDIT_KEYS = ["new", *settings.AUDIT_KEYS]
    audit.note(make_user(), site=site, action="test.said", actor=None, now=AT)
    assert problems() == []
    settings.AUDIT_KEYS = ["another"]
    assert len(problems()) == 6 + 2 + 2


def test_floats_are_refused(site):
    with pytest.raises(Invalid):
        audit.note(make_user(), site=site, action="test.said", actor=None, now=AT, said={"share": 0.1})


def test_columns_are_those_of_the_database(site):
    assert columns_of(AuditEntry.objects.get(site=site, sequence=1))["at"] == "2026-03-02T08:00:00+00:00"
