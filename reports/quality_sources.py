"""Inspections and non-conformances can be reported on: what was found, what was decided, what is done about it."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import prefetch_related_objects

from products.api import decimal_text
from quality.figures import CertificateLine, lines_of
from quality.judging import Held, held_of
from quality.models import CorrectiveAction, Defect, Disposition, Inspection, NonConformance
from reports.known_sources import PRODUCT_FIELDS, by, printed_at, product_fields
from reports.sources import Source, register

_NAMES = {"order_number": "The order", "operation": "The order's operation", "machine": "The machine", "lot": "The lot"}


def _about(one: Inspection | NonConformance) -> dict[str, Any]:
    return {
        "product": product_fields(one.product),
        "order_number": one.work_order and one.work_order.order_number,
        "operation": one.operation_code,
        "machine": one.machine and one.machine.name,
        "lot": one.lot and one.lot.number,
        "site": one.site.name,
        "printed_at": printed_at(),
        "time_zone": one.site.time_zone,
    }


def _number(value: Fraction | None) -> Decimal | None:
    return None if value is None else Decimal(decimal_text(value))


def _person(user: Any) -> str | None:
    return None if user is None else str(user)


def read_inspections(inspections: Sequence[Inspection], user: Any) -> list[dict[str, Any]]:
    """Return the fields of inspections, in a fixed number of queries."""
    held = held_of(inspections)
    prefetch_related_objects(inspections, "plan__characteristics__unit")
    return [
        {
            **_about(one),
            "number": one.pk,
            "plan": one.plan.name,
            "plan_code": one.plan.code,
            "plan_version": one.plan.version,
            "batch": one.batch,
            "serial": one.serial,
            "sample_size": one.sample_size,
            "lot_size": one.lot_size,
            "accept_number": one.accept_number,
            "nonconforming": one.nonconforming,
            "status": one.get_status_display(),
            "result": one.get_result_display(),
            "inspector": _person(one.inspector),
            "opened_at": one.opened_at,
            "finished_at": one.finished_at,
            "notes": one.notes,
            "characteristics": [_line(line) for line in lines_of(one, held[one.pk])],
            "results": [_result(row) for row in held[one.pk]],
        }
        for one in inspections
    ]


def _line(line: CertificateLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "unit": line.unit,
        "lower": line.lower,
        "upper": line.upper,
        "results": line.results,
        "least": _number(line.least),
        "mean": _number(line.mean),
        "most": _number(line.most),
        "text": line.text,
        "is_good": line.is_good,
    }


def _result(row: Held) -> dict[str, Any]:
    return {
        "characteristic": row.result.characteristic.name,
        "sample": row.result.sample,
        "serial": row.result.serial,
        "value": _number(row.value),
        "unit": row.result.characteristic.unit_id,
        "text": row.verdict or row.text,
        "is_good": row.is_good,
        "by": row.result.source,
        "at": row.occurred_at,
    }


def read_nonconformances(rows: Sequence[NonConformance], user: Any) -> list[dict[str, Any]]:
    """Return the fields of non-conformances, in four queries however many they are."""
    decided = by(
        Disposition.objects.filter(nonconformance__in=rows).select_related("decided_by").order_by("id"),
        "nonconformance_id",
    )
    actions = by(
        CorrectiveAction.objects.filter(nonconformance__in=rows).select_related("owner").order_by("id"),
        "nonconformance_id",
    )
    defects = by(
        Defect.objects.filter(nonconformance__in=rows).select_related("code").order_by("id"), "nonconformance_id"
    )
    return [
        {
            **_about(one),
            "number": one.number,
            "title": one.title,
            "description": one.description,
            "severity": one.get_severity_display(),
            "status": one.get_status_display(),
            "quantity": one.quantity,
            "containment": one.containment,
            "cause": one.get_cause_display(),
            "root_cause": one.root_cause,
            "raised_by": _person(one.raised_by),
            "raised_at": one.raised_at,
            "approved_by": _person(one.approved_by),
            "approved_at": one.approved_at,
            "closed_by": _person(one.closed_by),
            "closed_at": one.closed_at,
            "dispositions": [
                {
                    "number": number,
                    "kind": row.get_kind_display(),
                    "quantity": row.quantity,
                    "reason": row.reason,
                    "by": _person(row.decided_by),
                    "at": row.decided_at,
                }
                for number, row in enumerate(decided[one.pk], start=1)
            ],
            "actions": [
                {
                    "number": number,
                    "kind": row.get_kind_display(),
                    "description": row.description,
                    "owner": _person(row.owner),
                    "due_date": row.due_date,
                    "done_at": row.done_at,
                    "check_date": row.check_date,
                    "verdict": row.get_verdict_display(),
                }
                for number, row in enumerate(actions[one.pk], start=1)
            ],
            "defects": [
                {"number": number, "name": row.code.name, "quantity": row.quantity, "note": row.note}
                for number, row in enumerate(defects[one.pk], start=1)
            ],
        }
        for one in rows
    ]


_RELATED = ("site", "product", "work_order", "machine", "lot")

register(
    Source(
        name="inspection",
        label="Inspection",
        model=Inspection,
        title=lambda one: f"{one.plan.code} {one.pk}",
        read=read_inspections,
        related=(*_RELATED, "plan", "inspector"),
        filters={
            "plan": "plan__code",
            "order": "work_order",
            "lot": "lot",
            "machine": "machine",
            "status": "status",
            "site": "site",
            "ended_from": "finished_at__gte",
            "ended_until": "finished_at__lt",
        },
        fields={
            "number": "Its number",
            "plan": "The plan's name",
            "plan_code": "The plan's code",
            "plan_version": "The plan's version",
            **PRODUCT_FIELDS,
            **_NAMES,
            "site": "The site",
            "batch": "The batch",
            "serial": "The serial number",
            "sample_size": "How many units are inspected",
            "lot_size": "Of how many",
            "accept_number": "How many bad ones it may have",
            "nonconforming": "How many bad ones it has",
            "status": "Its status",
            "result": "What it came to",
            "inspector": "Who inspected",
            "opened_at": "When it began",
            "finished_at": "When it ended",
            "notes": "Notes",
            "printed_at": "The moment of printing",
            "characteristics[].name": "What is inspected",
            "characteristics[].unit": "What its values are in",
            "characteristics[].lower": "The lower limit",
            "characteristics[].upper": "The upper limit",
            "characteristics[].results": "How many results there are",
            "characteristics[].least": "The least value",
            "characteristics[].mean": "The mean, to nine decimals",
            "characteristics[].most": "The greatest value",
            "characteristics[].text": "What was said in words",
            "characteristics[].is_good": "Whether all is good",
            "results[].characteristic": "What was inspected",
            "results[].sample": "Of which unit: 1, 2, 3 …",
            "results[].serial": "That unit's serial number",
            "results[].value": "The value, as corrected",
            "results[].unit": "What it is in",
            "results[].text": "What was said in words",
            "results[].is_good": "Whether it is good",
            "results[].by": "Who or what said so",
            "results[].at": "When",
        },
    )
)
register(
    Source(
        name="nonconformance",
        label="Non-conformance",
        model=NonConformance,
        title=lambda one: str(one.number),
        read=read_nonconformances,
        related=(*_RELATED, "raised_by", "approved_by", "closed_by"),
        filters={
            "number": "number",
            "order": "work_order",
            "lot": "lot",
            "status": "status",
            "site": "site",
            "raised_from": "raised_at__gte",
            "raised_until": "raised_at__lt",
        },
        fields={
            "number": "Its number",
            "title": "What does not conform",
            "description": "Its description",
            "severity": "How bad it is",
            "status": "Its status",
            **PRODUCT_FIELDS,
            **_NAMES,
            "site": "The site",
            "quantity": "How much does not conform",
            "containment": "What was done at once",
            "cause": "The root cause by the six Ms",
            "root_cause": "The root cause",
            "raised_by": "Who raised it",
            "raised_at": "When",
            "approved_by": "Who approved what was decided",
            "approved_at": "When",
            "closed_by": "Who closed it",
            "closed_at": "When",
            "printed_at": "The moment of printing",
            "dispositions[].number": "1, 2, 3 …",
            "dispositions[].kind": "What becomes of it",
            "dispositions[].quantity": "Of how much",
            "dispositions[].reason": "Why",
            "dispositions[].by": "Who decided",
            "dispositions[].at": "When",
            "actions[].number": "1, 2, 3 …",
            "actions[].kind": "Corrective or preventive",
            "actions[].description": "What is done",
            "actions[].owner": "By whom",
            "actions[].due_date": "By when",
            "actions[].done_at": "When it was done",
            "actions[].check_date": "When its effect is looked at",
            "actions[].verdict": "Whether it had its effect",
            "defects[].number": "1, 2, 3 …",
            "defects[].name": "What was found",
            "defects[].quantity": "How many",
            "defects[].note": "Notes",
        },
    )
)
