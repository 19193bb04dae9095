"""Write the audit trail, and look whether it and the rows that it tells of are what was written.

Any app above this floor writes here: `note(row, …)` after each change of a row whose kind is declared by `audited`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction

from accounts.models import AuditEntry, User
from core.audit_chain import (
    Broken,
    Link,
    broken_in,
    columns_of,
    digest,
    fasten,
    fits,
    next_place,
    seal_of,
    written,
)
from core.audit_models import ChainHead
from core.bulk import BATCH
from core.errors import Invalid
from enterprise.models import Site

_CHAIN = "accounts.audit:"
_audited: list[type[models.Model]] = []
Kind = TypeVar("Kind", bound=type[models.Model])


def audited(model: Kind) -> Kind:
    """Declare that every row of a model has an entry after each of its changes; `verify` holds it to that."""
    _audited.append(model)
    return model


def chain_of(site_id: int) -> str:
    """Return the name of a site's chain."""
    return f"{_CHAIN}{site_id}"


def subject_of(row: models.Model) -> str:
    """Return what entries call a row."""
    return f"{row._meta.label_lower}:{row.pk}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What an entry says: who did what to a row, when, and the row as it was stored after that.

    `said` holds exact text and whole numbers.
    """

    row: models.Model
    action: str
    actor: User | None
    at: datetime
    said: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def note(
    row: models.Model, *, site: Site, action: str, actor: User | None, now: datetime, said: dict[str, Any] | None = None
) -> AuditEntry:
    """Append an entry on a row as it is stored now, in the caller's transaction.

    `said` holds exact text and whole numbers. Raises Invalid for anything else in it.
    """
    stored = type(row)._base_manager.get(pk=row.pk)
    (entry,) = _append([Noted(row=stored, action=action, actor=actor, at=now, said=said or {})], site)
    return entry


@transaction.atomic
def note_all(noted: Sequence[Noted], *, site: Site) -> list[AuditEntry]:
    """Append entries on what was done in the past, in the order given; rows are given as they were after each deed.

    Raises Invalid where the last entry on a row has it otherwise than it is stored.
    """
    last = {subject_of(one.row): one.row for one in noted}
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for row in last.values():
        by_model[type(row)].append(row)
    for model, rows in by_model.items():
        stored = model._base_manager.in_bulk([row.pk for row in rows])
        for row in rows:
            if row.pk not in stored or columns_of(stored[row.pk]) != columns_of(row):
                raise Invalid(f"{subject_of(row)} is stored otherwise.", field="row")
    return _append(noted, site)


def _append(noted: Sequence[Noted], site: Site) -> list[AuditEntry]:
    """Write entries at the end of a site's chain, on rows as they are given."""
    if not noted:
        return []
    for one in noted:
        try:
            digest(one.said)
        except TypeError as error:
            raise Invalid(str(error), field="said") from error
    digests = [digest(columns_of(one.row)) for one in noted]
    last = place = next_place(chain_of(site.pk))
    entries = []
    for one, row_digest in zip(noted, digests, strict=True):
        entry = AuditEntry(
            site=site,
            sequence=place.sequence,
            at=one.at,
            actor=one.actor,
            actor_name=(str(one.actor) if one.actor else "")[:300],
            action=one.action,
            subject=subject_of(one.row),
            row_digest=row_digest,
            said=one.said,
            previous_hash=place.previous_hash,
        )
        entry.content_hash = digest(_content(entry))
        entry.seal = seal_of(place, entry.content_hash)
        entries.append(entry)
        last, place = place, place.after(entry.content_hash)
    fasten(last, entries[-1].content_hash)
    return AuditEntry.objects.bulk_create(entries, batch_size=BATCH)


def _content(entry: AuditEntry) -> dict[str, Any]:
    return {
        "site": entry.site_id,
        "sequence": entry.sequence,
        "at": written(entry.at),
        "actor": [entry.actor_id, entry.actor_name],
        "action": entry.action,
        "subject": entry.subject,
        "row": entry.row_digest,
        "said": entry.said,
        "previous": entry.previous_hash,
    }


def verify() -> Iterator[Broken]:
    """Yield what is wrong in the trail of any site, and in the rows that it tells of.

    Reads everything once; keeps a digest for each audited row.
    """
    sites = set(AuditEntry.objects.order_by().values_list("site_id", flat=True).distinct())
    heads = ChainHead.objects.filter(chain__startswith=_CHAIN).values_list("chain", flat=True)
    chains = {chain_of(site_id): site_id for site_id in sites}
    chains |= {chain: int(chain.removeprefix(_CHAIN)) for chain in heads}
    last: dict[str, tuple[str, str]] = {}
    for chain, site_id in sorted(chains.items()):
        yield from broken_in(chain, _links(chain, site_id, last))
    yield from _broken_rows(last)


def _links(chain: str, site_id: int, last: dict[str, tuple[str, str]]) -> Iterator[Link]:
    """Yield a site's entries as links, and note what each says last of its subject."""
    entries = AuditEntry.objects.filter(site=site_id).order_by("sequence", "id")
    for entry in entries.iterator(chunk_size=500):
        name = f"entry {entry.sequence} (id {entry.pk}, {entry.action} {entry.subject})"
        last[entry.subject] = (f"{chain}, {name}", entry.row_digest)
        yield Link(name, entry.sequence, entry.previous_hash, entry.content_hash, _content(entry), entry.seal)


def _broken_rows(last: dict[str, tuple[str, str]]) -> Iterator[Broken]:
    """Yield the rows that are not what the last entry on them says, that have none, or that are gone."""
    for model in _audited:
        label = model._meta.label_lower
        seen = set()
        for row in model._base_manager.order_by("pk").iterator(chunk_size=500):
            subject = subject_of(row)
            seen.add(subject)
            if subject not in last:
                yield Broken(label, subject, "the audit trail does not know it")
            elif not fits(columns_of(row), last[subject][1]):
                yield Broken(label, subject, f"it is not what {last[subject][0]} says")
        for subject, (entry, _) in last.items():
            if subject.partition(":")[0] == label and subject not in seen:
                yield Broken(label, subject, f"gone; {entry} tells of it")


def hash_at(chain: str, sequence: int) -> str | None:
    """Return the hash of an entry; None when it is not there."""
    found: str | None = (
        AuditEntry.objects.filter(site_id=int(chain.removeprefix(_CHAIN)), sequence=sequence)
        .values_list("content_hash", flat=True)
        .first()
    )
    return found
