"""Chain rows by hash, so that one that was altered, deleted, put in between, moved or cut off is found.

A chain is a text ("accounts.audit:7"). Each row keeps the hash of the row before it; the chain's head, written in the
same transaction, keeps how many rows there are and the last hash, under a seal that only who has the key can make
(`AUDIT_KEYS`; HMAC-SHA-256). Whoever can write to the database but has no key cannot cut the end off, nor write a chain
anew. Whoever also has the key, or puts a whole older copy of the database back, is found by anchors kept elsewhere.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models

from core.audit_models import ChainHead
from core.exact import plain_number

ROW, HEAD = "row", "head"


def canonical(content: Any) -> bytes:
    """Return the one way in which content is written for its hash: sorted keys, no spaces, ASCII.

    Whole numbers, text, True, False, None, and lists and dicts of them; raises TypeError for a float, whose digits
    depend on who writes it.
    """
    _refuse_floats(content)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def digest(content: Any) -> str:
    """Return the SHA-256 of content, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def fits(content: Any, expected: str) -> bool:
    """Say whether content has a hash; what could not have been written canonically has none."""
    try:
        return digest(content) == expected
    except (TypeError, ValueError):
        return False


def _refuse_floats(content: Any) -> None:
    if isinstance(content, float):
        raise TypeError("A float has no one way of being written; give exact text.")
    if isinstance(content, dict):
        for value in content.values():
            _refuse_floats(value)
    elif isinstance(content, list | tuple):
        for value in content:
            _refuse_floats(value)


def written(value: Any) -> Any:
    """Return a value as canonical content has it: times in UTC, decimals as text without padding,
    bytes by their hash.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, bytes | memoryview | bytearray):
        return hashlib.sha256(bytes(value)).hexdigest()
    return value


def columns_of(row: models.Model) -> dict[str, Any]:
    """Return all columns of a stored row, canonically.

    Read it from the database before: what is stored is what counts.
    """
    return {field.attname: written(field.value_from_object(row)) for field in row._meta.concrete_fields}


def seal(kind: str, chain: str, sequence: int, content_hash: str, *, key: str | None = None) -> str:
    """Return what only this installation can write under a row or a head, in hexadecimal."""
    keys: list[str] = settings.AUDIT_KEYS
    said = canonical([kind, chain, sequence, content_hash])
    return hmac.new((keys[0] if key is None else key).encode(), said, hashlib.sha256).hexdigest()


def is_sealed(kind: str, chain: str, sequence: int, content_hash: str, found: str) -> bool:
    """Say whether a seal is ours, by the key of now or by an earlier one."""
    return any(
        hmac.compare_digest(seal(kind, chain, sequence, content_hash, key=key), found) for key in settings.AUDIT_KEYS
    )


@dataclass(frozen=True, slots=True)
class Place:
    """The next place in a chain, held until the transaction ends."""

    chain: str
    sequence: int
    previous_hash: str

    def after(self, content_hash: str) -> "Place":
        """Return the place behind this one, once a row of that hash stands here."""
        return Place(self.chain, self.sequence + 1, content_hash)


def next_place(chain: str) -> Place:
    """Take the next place of a chain; others wait until the transaction ends.

    Take it last, so that nobody waits long.
    """
    ChainHead.objects.bulk_create([ChainHead(chain=chain, sequence=0)], ignore_conflicts=True)
    head = ChainHead.objects.select_for_update().get(pk=chain)
    return Place(chain, head.sequence + 1, head.last_hash)


def fasten(place: Place, content_hash: str) -> str:
    """Make a row the last of its chain, and return the row's own seal. The hash covers the place, too.

    Of several rows that are written together, the last is fastened; the others are sealed (`seal_of`).
    """
    ChainHead.objects.filter(pk=place.chain).update(
        sequence=place.sequence,
        last_hash=content_hash,
        seal=seal(HEAD, place.chain, place.sequence, content_hash),
    )
    return seal_of(place, content_hash)


def seal_of(place: Place, content_hash: str) -> str:
    """Return the seal of a row at its place."""
    return seal(ROW, place.chain, place.sequence, content_hash)


@dataclass(frozen=True, slots=True)
class Link:
    """A stored row of a chain: what it says of itself, and the content that its hash has to cover.

    `name` is what people call the row; `seal=None`: rows of this chain have none of their own.
    """

    name: str
    sequence: int
    previous_hash: str
    content_hash: str
    content: Any
    seal: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong in a chain, and which row it is about."""

    chain: str
    row: str
    problem: str

    def __str__(self) -> str:
        return f"{self.chain}: {self.row}: {self.problem}"


def broken_in(chain: str, links: Iterable[Link]) -> Iterator[Broken]:
    """Yield what is wrong in a chain; the links come in the order of their sequence."""
    previous, last = "", 0
    for link in links:
        if link.sequence > last + 1:
            yield Broken(chain, _rows(last + 1, link.sequence - 1), "missing before " + link.name)
        if link.sequence <= last:
            yield Broken(chain, link.name, "there is another row of its number")
        elif link.previous_hash != previous:
            yield Broken(chain, link.name, "it does not follow on the row before it")
        if not fits(link.content, link.content_hash):
            yield Broken(chain, link.name, "its content is not what was written")
        if link.seal is not None and not is_sealed(ROW, chain, link.sequence, link.content_hash, link.seal):
            yield Broken(chain, link.name, "it was not written by this system")
        previous, last = link.content_hash, link.sequence
    head = ChainHead.objects.filter(pk=chain).first()
    if head is None:
        if last:
            yield Broken(chain, "its head", "missing")
        return
    if head.sequence and not is_sealed(HEAD, chain, head.sequence, head.last_hash, head.seal):
        yield Broken(chain, "its head", "it was not written by this system")
    if head.sequence > last:
        yield Broken(chain, _rows(last + 1, head.sequence), "cut off at the end")
    elif head.sequence < last:
        yield Broken(chain, _rows(head.sequence + 1, last), "added past the end")
    elif head.last_hash != previous:
        yield Broken(chain, f"row {last}", "it is not the one that was last")


def _rows(first: int, last: int) -> str:
    return f"row {first}" if first == last else f"rows {first}–{last}"


# --- anchors: heads written down where who can change the database cannot ---


def anchor_line(head: ChainHead, *, now: datetime) -> str:
    """Return a head as a line to be kept elsewhere: JSON, one line."""
    content = {"at": written(now), "chain": head.chain, "sequence": head.sequence, "hash": head.last_hash}
    return json.dumps(content, sort_keys=True)


def broken_anchors(lines: Iterable[str], hash_at: Any) -> Iterator[Broken]:
    """Yield what differs from heads written down earlier; `hash_at(chain, sequence)` = the stored row's hash,
    or None.
    """
    for line in lines:
        if not line.strip():
            continue
        try:
            anchor = json.loads(line)
            chain, sequence, expected = anchor["chain"], anchor["sequence"], anchor["hash"]
        except (ValueError, KeyError, TypeError):
            yield Broken("anchors", line.strip()[:60], "it is not readable")
            continue
        found = hash_at(chain, sequence)
        if found is None:
            yield Broken(chain, f"row {sequence}", f"gone; it was there at {anchor.get('at')}")
        elif found != expected:
            yield Broken(chain, f"row {sequence}", f"it is another one than at {anchor.get('at')}")
