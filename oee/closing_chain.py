"""Show where the chain of a place's closings is broken: what was signed stays what it was, and nothing goes missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.audit_chain import Link, broken_in, digest
from core.audit_models import ChainHead
from enterprise.models import Line, Machine
from oee.models import ShiftClosing


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A closing that is not what was signed or does not follow on the one before it; None: one that is not there."""

    closing_id: int | None
    problem: str


def chain_of(place: Line | Machine) -> str:
    """Return the name of the chain of a place's closings (`core.audit_chain`)."""
    return f"oee.closing.{'line' if isinstance(place, Line) else 'machine'}:{place.pk}"


def broken_links(place: Line | Machine) -> list[BrokenLink]:
    """Return where the chain of a place's closings is broken: a changed row, a missing one,
    one put in between or cut off.
    """
    ids: dict[str, int] = {}

    def links() -> Iterator[Link]:
        for closing in ShiftClosing.objects.filter(**of_place(place)).order_by("sequence").iterator():
            name = f"closing {closing.pk}"
            ids[name] = closing.pk
            yield Link(name, closing.sequence, closing.previous_hash, closing.content_hash, _signed_content(closing))

    return [
        BrokenLink(ids.get(broken.row), f"{broken.row}: {broken.problem}")
        for broken in broken_in(chain_of(place), links())
    ]


def broken_closings() -> Iterator[tuple[str, list[BrokenLink]]]:
    """Yield each place that has or had closings, in words with its last hash, and where its chain is broken."""
    heads = set(ChainHead.objects.filter(chain__startswith="oee.closing.").values_list("chain", flat=True))
    places: list[Line | Machine] = [
        *Line.objects.filter(shift_closings__isnull=False).distinct(),
        *Machine.objects.filter(shift_closings__isnull=False).distinct(),
    ]
    known = {chain_of(place) for place in places}
    for chain in sorted(heads - known):
        kind, _, pk = chain.removeprefix("oee.closing.").partition(":")
        gone: Line | Machine | None = (
            Line.objects.filter(pk=pk).first() if kind == "line" else Machine.objects.filter(pk=pk).first()
        )
        if gone is None:
            yield f"{kind} {pk}", [BrokenLink(None, f"{chain}: the place is gone")]
        else:
            places.append(gone)
    for place in places:
        last = ShiftClosing.objects.filter(**of_place(place)).order_by("-sequence").first()
        count = f"{last.sequence} closings, the last {last.content_hash}" if last else "no closings"
        yield f"{place._meta.model_name} {place.code}: {count}", broken_links(place)


def content_hash(closing: ShiftClosing) -> str:
    """Return the SHA-256 of what a closing signs: canonical JSON of all its columns but the hash itself."""
    return digest(_signed_content(closing))


def _signed_content(closing: ShiftClosing) -> dict[str, Any]:
    return {
        "place": [closing.line_id, closing.machine_id],
        "shift": [closing.shift_id, closing.shift_name, closing.shift_date.isoformat()],
        "time": [written(closing.starts_at), written(closing.ends_at)],
        "revision": [closing.revision, closing.supersedes_id],
        "signature": [closing.closed_by_id, closing.signed_as, closing.meaning, closing.comment],
        "closed_at": written(closing.closed_at),
        "numbers": closing.numbers,
        "open_points": closing.open_points,
        "chain": [closing.sequence, closing.previous_hash],
    }


def of_place(place: Line | Machine) -> dict[str, int]:
    """Return what tells a line's closings, or a machine's, from all others."""
    return {"line_id": place.pk} if isinstance(place, Line) else {"machine_id": place.pk}


def written(at: datetime) -> str:
    """Write a moment as it is signed."""
    return at.astimezone(UTC).isoformat()
