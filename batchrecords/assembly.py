"""Assemble a record from what happened: nested, ordered, exact; and say what needs eyes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from batchrecords.models import BatchRecord, Deviation, Resolution, Signature
from core.audit_chain import digest, written
from materials.models import MaterialLot
from workorders.record_sections import SEVERITIES, Finding, Section, contributions, text


@dataclass(frozen=True, slots=True)
class Titled:
    """A section with its code and title."""

    code: str
    title: str
    section: Section


@dataclass(frozen=True, slots=True)
class Exceptional:
    """A deviation of a record, with the resolution that holds for it."""

    finding: Finding
    resolution: Resolution | None

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look at it."""
        return self.resolution is None


@dataclass(frozen=True, slots=True)
class Assembled:
    """A record as the facts have it now. `content` is what is signed, `content_hash` its SHA-256."""

    record: BatchRecord
    head: tuple[tuple[str, str], ...]
    sections: tuple[Titled, ...]
    exceptions: tuple[Exceptional, ...]
    workers: frozenset[int]
    content: dict[str, Any]
    content_hash: str

    @property
    def open_exceptions(self) -> list[Exceptional]:
        """The deviations that nobody resolved yet."""
        return [one for one in self.exceptions if one.is_open]

    def snapshot(self) -> dict[str, Any]:
        """Return the content with its deviations and their resolutions: what a signer sees."""
        return {
            "content": self.content,
            "deviations": [
                {
                    **finding_content(one.finding),
                    "resolution": None
                    if one.resolution is None
                    else {
                        "decision": one.resolution.decision,
                        "comment": one.resolution.comment,
                        "by": one.resolution.resolved_name,
                        "at": written(one.resolution.resolved_at),
                    },
                }
                for one in self.exceptions
            ],
        }


def finding_content(finding: Finding) -> dict[str, Any]:
    """Return a finding canonically."""
    return {
        "key": finding.key,
        "kind": finding.kind,
        "severity": finding.severity,
        "title": finding.title,
        "detail": finding.detail,
        "at": written(finding.at),
    }


@translation.override(settings.LANGUAGE_CODE)
def assemble(record: BatchRecord, *, now: datetime) -> Assembled:
    """Return a record as the facts of now have it, in one language whoever reads it: its words are signed, too.

    Facts that are there by `now` decide, not the clock: read twice without a new fact, it is the same.
    """
    order = record.work_order
    sections = tuple(Titled(one.code, one.title, one.write(order, now)) for one in contributions())
    head = _head(record)
    content = {
        "record": [list(row) for row in head],
        "sections": [
            {"code": one.code, "columns": list(one.section.columns), "rows": [list(row) for row in one.section.rows]}
            for one in sections
        ],
    }
    findings = [finding for one in sections for finding in one.section.findings]
    findings += [_noted(deviation) for deviation in record.deviations.all()]
    workers: frozenset[int] = frozenset().union(*(one.section.workers for one in sections))
    return Assembled(
        record, head, sections, tuple(_with_resolutions(record, findings)), workers, content, digest(content)
    )


def _head(record: BatchRecord) -> tuple[tuple[str, str], ...]:
    order, revision = record.work_order, record.work_order.revision
    lots: Iterable[MaterialLot] = [record.lot] if record.lot else order.lots_made.order_by("id")
    rows: list[tuple[str, Any]] = [
        ("Record", record.number),
        ("Order", order.order_number),
        ("Product", f"{order.product.code} {order.product.name}" if order.product else None),
        ("Formula and version", f"{revision.code} {revision.name}".strip() if revision else None),
        (
            "Batch size",
            f"{text(order.target_quantity)} {order.unit_id or (order.product.unit_id if order.product else '')}",
        ),
        ("Area", order.line.area.name),
        ("Line", order.line.name),
        ("Site", record.site.name),
        ("Requirement", record.get_requirement_display()),
    ]
    for lot in lots:
        dates = [("made", lot.made_date), ("expires", lot.expiry_date), ("retest", lot.retest_date)]
        known = ", ".join(f"{name} {written(day)}" for name, day in dates if day is not None)
        rows.append(("Lot", f"{lot.number}{': ' if known else ''}{known}"))
    return tuple((name, text(value)) for name, value in rows)


def _noted(deviation: Deviation) -> Finding:
    return Finding(
        f"noted:{deviation.pk}",
        "noted",
        deviation.severity,
        deviation.title,
        deviation.detail,
        deviation.opened_at,
    )


def _with_resolutions(record: BatchRecord, findings: Iterable[Finding]) -> list[Exceptional]:
    resolved = {(one.key, one.finding_hash): one for one in record.resolutions.all()}
    ordered = sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), written(one.at) or "", one.key))
    return [Exceptional(one, resolved.get((one.key, digest(finding_content(one))))) for one in ordered]


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is another one now than when it was signed; one side is empty where it was added or removed."""

    section: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands: its signatures, which of them hold, and what changed since the last one."""

    signatures: tuple[Signature, ...]
    holding: frozenset[int]
    differences: tuple[Difference, ...]

    def holds(self, meaning: str) -> Signature | None:
        """Return the signature of a meaning that holds for the facts of now."""
        for signature in reversed(self.signatures):
            if signature.meaning == meaning and signature.pk in self.holding:
                return signature
        return None

    @property
    def changed_since_signed(self) -> bool:
        """Whether the facts say something else than what was signed last."""
        return bool(self.signatures) and self.signatures[-1].pk not in self.holding


def standing(found: Assembled) -> Standing:
    """Compare a record with its signatures: those of the last revision hold while their content is that of now."""
    signatures = tuple(found.record.signatures.order_by("id"))
    revision = signatures[-1].revision if signatures else 0
    holding = frozenset(
        one.pk for one in signatures if one.revision == revision and one.content_hash == found.content_hash
    )
    differences: tuple[Difference, ...] = ()
    if signatures and signatures[-1].pk not in holding:
        differences = tuple(compare(signatures[-1].snapshot["content"], found.content))
    return Standing(signatures, holding, differences)


def compare(was: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    """Return the rows that differ: what went and what came, by section, paired in their order."""
    tables = {"record": [was["record"], now["record"]]}
    for index, content in enumerate((was, now)):
        for section in content["sections"]:
            tables.setdefault(section["code"], [[], []])[index] = section["rows"]
    found = []
    for code, (before, after) in tables.items():
        gone, came = _without(before, after), _without(after, before)
        for number in range(max(len(gone), len(came))):
            found.append(
                Difference(
                    code,
                    " · ".join(gone[number]) if number < len(gone) else "",
                    " · ".join(came[number]) if number < len(came) else "",
                )
            )
    return found


def _without(rows: list[list[str]], others: list[list[str]]) -> list[list[str]]:
    """Return the rows that are not among others, as often as they are too many."""
    too_many = Counter(map(tuple, rows)) - Counter(map(tuple, others))
    return [list(row) for row in too_many.elements()]
