"""Look whether anything that was signed, noted or closed is another thing now."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from accounts import audit
from batchrecords.services import broken_signatures
from core.audit_chain import Broken, anchor_line, broken_anchors
from core.models import ChainHead
from oee.closing_chain import broken_closings
from oee.models import ShiftClosing


def broken_anywhere() -> Iterator[Broken]:
    """Yield all that is wrong in the audit trails, the audited rows, the signatures and the closed shifts."""
    yield from audit.verify()
    yield from broken_signatures()
    for title, links in broken_closings():
        for link in links:
            yield Broken("oee.closing", title.partition(":")[0], link.problem)


def broken_against(anchors: Path) -> Iterator[Broken]:
    """Yield what differs from the heads that were written down in a file."""
    if anchors.exists():
        yield from broken_anchors(anchors.read_text().splitlines(), _hash_at)


def write_anchors(anchors: Path, *, now: datetime) -> int:
    """Append the heads of now to a file; return how many. Keep the file where who can change the database cannot."""
    lines = [anchor_line(head, now=now) for head in ChainHead.objects.filter(sequence__gt=0).order_by("chain")]
    with anchors.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return len(lines)


def _hash_at(chain: str, sequence: int) -> str | None:
    if chain.startswith("accounts.audit:"):
        return audit.hash_at(chain, sequence)
    kind, _, pk = chain.removeprefix("oee.closing.").partition(":")
    if kind not in ("line", "machine") or not pk.isdigit():
        return None
    rows = ShiftClosing.objects.filter(**{f"{kind}_id": int(pk), "sequence": sequence})
    found: str | None = rows.values_list("content_hash", flat=True).first()
    return found
