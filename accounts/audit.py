"""Write the audit trail, and look whether it and the rows that it tells of are what was written.

Any app above this floor writes here: `note(row, …)` after each change of a row whose kind is declared by `audited`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from django.db import models, transaction

from accounts.models import AuditEntry, User
from core.audit_chain import Broken, Link, broken_in, columns_of, digest, fasten, fits, next_place, written
from core.audit_models import ChainHead
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


@transaction.atomic
def note(
    row: models.Model, *, site: Site, action: str, actor: User | None, now: datetime, said: dict[str, Any] | None = None
) -> AuditEntry:
    """Append an entry on a row as it is stored now, in the caller's transaction.

    `said` holds exact text and whole numbers. Raises Invalid for anything else in it.
    """
    stored = type(row)._base_manager.get(pk=row.pk)
    try:
        digest(said or {})
    except TypeError as error:
        raise Invalid(str(error), field="said") from error
    place = next_place(chain_of(site.pk))
    entry = AuditEntry(
        site=site,
        sequence=place.sequence,
        at=now,
        actor=actor,
        actor_name=(str(actor) if actor else "")[:300],
        action=action,
        subject=subject_of(row),
        row_digest=digest(columns_of(stored)),
        said=said or {},
        previous_hash=place.previous_hash,
    )
    entry.content_hash = digest(_content(entry))
    entry.seal = fasten(place, entry.content_hash)
    entry.save(force_insert=True)
    return entry


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
