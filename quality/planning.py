"""Write versions of inspection plans, and keep what is released, and what is judged by baselines, as it is."""

from datetime import datetime
from typing import Any, cast

from django.db import transaction

from core import master_data
from core.errors import Conflict, Invalid
from core.locks import take_turns
from core.master_data import follows, precedes
from quality import charting
from quality.models import Characteristic, ControlChart, InspectionPlan, SamplingRule
from quality.selectors import sample_of, switching_of


@precedes(InspectionPlan)
def keep_released_plan(plan: InspectionPlan) -> None:
    """Refuse to edit a plan that is released, and to release one by editing it."""
    if plan.by_service:
        return
    if cast(Any, plan).pk is None:
        plan.status, plan.valid_from, plan.valid_until = InspectionPlan.Status.DRAFT, None, None
        return
    stored = InspectionPlan.objects.get(pk=plan.pk)
    if not stored.is_draft:
        raise Conflict(f"{stored} is {stored.status}; make a new version of it, and change that.")
    plan.status, plan.valid_from, plan.valid_until = stored.status, stored.valid_from, stored.valid_until


@precedes(Characteristic)
@precedes(SamplingRule)
def keep_released_content(content: Any) -> None:
    """Refuse to edit what a released plan inspects, and when."""
    plans = {content.plan_id, *type(content).objects.filter(pk=content.pk).values_list("plan", flat=True)}
    for plan in InspectionPlan.objects.filter(pk__in=plans - {None}):
        if not plan.is_draft:
            raise Conflict(f"{plan} is {plan.status}; make a new version of it, and change that.", field="plan")


@follows(InspectionPlan, Characteristic, SamplingRule)
def refuse_to_delete_released(*, before: Any, after: Any) -> None:
    """Refuse to delete a released plan, or a part of one."""
    plan = before if isinstance(before, InspectionPlan) or before is None else before.plan
    if after is None and plan is not None and not plan.is_draft:
        raise Conflict(f"{plan} is {plan.status}; what was inspected by it stays.")


@precedes(ControlChart)
def keep_judged_chart(chart: ControlChart) -> None:
    """Refuse to make another chart of one that has baselines."""
    stored = ControlChart.objects.filter(pk=chart.pk).first() if chart.pk else None
    if stored is None or not stored.phases.exists():
        return
    for name in ("characteristic_id", "machine_id", "product_id", "kind", "subgroup_size", "weight", "site_id"):
        if getattr(stored, name) != getattr(chart, name):
            field = name.removesuffix("_id")
            raise Conflict("It has baselines already; set up another chart, and switch this one off.", field=field)


@follows(ControlChart)
def judge_by_other_rules(*, before: ControlChart | None, after: ControlChart | None) -> None:
    """Judge a chart anew whose rules changed."""
    if before is not None and after is not None and before.rule_set != after.rule_set and after.phases.exists():
        for last in after.phases.order_by("-set_at")[:1]:
            charting.refresh(after, at=last.set_at)


@transaction.atomic
def release_plan(*, plan: InspectionPlan, at: datetime) -> InspectionPlan:
    """Put a draft into force; the version before it is obsolete from then on.

    Raises Conflict for another than a draft.
    """
    take_turns("inspection plan " + plan.code)
    plan = InspectionPlan.objects.get(pk=plan.pk)
    if not plan.is_draft:
        raise Conflict(f"{plan} is {plan.status} already.", field="status")
    if not plan.characteristics.exists():
        raise Invalid("It has no characteristics; add what is inspected.", field="characteristics")
    for rule in plan.rules.filter(kind=SamplingRule.Kind.AQL):
        sample_of(rule, 100, switching_of(plan, rule, None, "").severity)
    before = InspectionPlan.objects.filter(code=plan.code, status=InspectionPlan.Status.RELEASED).first()
    if before is not None:
        if before.version > plan.version:
            raise Conflict(f"{before} is released, which is newer.", field="version")
        retire_plan(plan=before, at=at)
    return _step(plan, status=InspectionPlan.Status.RELEASED, valid_from=at)


@transaction.atomic
def retire_plan(*, plan: InspectionPlan, at: datetime) -> InspectionPlan:
    """Take a released plan out of force; nothing is due by it any more. Raises Conflict for another."""
    plan = InspectionPlan.objects.select_for_update().get(pk=plan.pk)
    if plan.status != InspectionPlan.Status.RELEASED:
        raise Conflict(f"{plan} is {plan.status}, not released.", field="status")
    return _step(plan, status=InspectionPlan.Status.OBSOLETE, valid_until=max(at, plan.valid_from or at))


@transaction.atomic
def new_version(*, plan: InspectionPlan) -> InspectionPlan:
    """Copy a plan to a draft of its next version."""
    take_turns("inspection plan " + plan.code)
    last = InspectionPlan.objects.filter(code=plan.code).order_by("-version").first()
    characteristics, rules = list(plan.characteristics.all()), list(plan.rules.all())
    plan = InspectionPlan.objects.get(pk=plan.pk)
    plan.pk, plan.version = None, (last.version if last else 0) + 1
    plan._state.adding = True
    master_data.save(plan)
    parts: list[Any] = [*characteristics, *rules]
    for part in parts:
        part.pk, part.plan = None, plan
        part._state.adding = True
        master_data.save(part)
    return plan


def _step(plan: InspectionPlan, **values: Any) -> InspectionPlan:
    for name, value in values.items():
        setattr(plan, name, value)
    plan.by_service = True
    master_data.save(plan)
    plan.by_service = False
    return plan
