"""Versions of stage forms: a draft is edited, what is released stays, and is changed by a new version."""

from typing import Any

from django.db import transaction
from django.db.models import Max

from core.errors import Conflict, Invalid
from core.master_data import follows, save
from tracking.models import StageField, StageForm

_Status = StageForm.Status
_KEPT = ("product", "operation_code", "version", "name", "sequence", "positions")


@transaction.atomic
def release_form(*, form: StageForm) -> StageForm:
    """Release a draft: new units take it; the version before it is retired. Raises Conflict unless it is a draft."""
    # The product's versions are released one after the other.
    rows = StageForm.objects.select_for_update(of=("self",)).filter(
        product=form.product_id, operation_code=form.operation_code
    )
    found = next(row for row in rows.order_by("id") if row.pk == form.pk)
    if found.status != _Status.DRAFT:
        raise Conflict(f"{found} is {found.status} already; make a new version of it.")
    if not found.fields.exists():
        raise Invalid("The form has no fields yet; add some, then release it.")
    for other in rows:
        if other.status == _Status.RELEASED:
            other.status = _Status.RETIRED
            save(other)
    found.status = _Status.RELEASED
    return save(found)


@transaction.atomic
def retire_form(*, form: StageForm) -> StageForm:
    """Take a released form back: new units go through the stage without one."""
    found = StageForm.objects.select_for_update(of=("self",)).get(pk=form.pk)
    if found.status != _Status.RELEASED:
        raise Conflict(f"{found} is {found.status}; only a released form is retired.")
    found.status = _Status.RETIRED
    return save(found)


@transaction.atomic
def revise_form(*, form: StageForm) -> StageForm:
    """Make a draft of the next version with the fields of a form."""
    rows = StageForm.objects.filter(product=form.product_id, operation_code=form.operation_code)
    newest = rows.aggregate(newest=Max("version"))["newest"] or 0
    kept = {name: getattr(form, name) for name in _KEPT if name != "version"}
    draft = save(StageForm(**kept, version=newest + 1))
    for field in form.fields.order_by("sequence", "id"):
        values = {
            one.attname: getattr(field, one.attname)
            for one in StageField._meta.concrete_fields
            if not one.primary_key and one.name != "form"
        }
        save(StageField(**values, form=draft))
    return draft


@follows(StageForm)
def form_changed(*, before: StageForm | None, after: StageForm | None) -> None:
    """Keep what is released as it is."""
    if after is None:
        if before is not None and before.status != _Status.DRAFT:
            raise Conflict("A released form is kept; retire it instead.")
        return
    if len(set(after.positions)) != len(after.positions) or "" in after.positions:
        raise Invalid("Each sub-unit has a name of its own.", field="positions")
    if before is None:
        if after.status != _Status.DRAFT:
            raise Invalid("A form begins as a draft and is released then.", field="status")
        return
    if before.status != _Status.DRAFT:
        for name in _KEPT:
            if getattr(before, name) != getattr(after, name):
                raise _frozen(before, name)


@follows(StageField)
def field_changed(*, before: StageField | None, after: StageField | None) -> None:
    """Refuse to change the fields of a form that is no draft any more."""
    for row in (before, after):
        if row is None:
            continue
        form = StageForm.objects.select_for_update(of=("self",)).filter(pk=row.form_id).first()
        if form is not None and form.status != _Status.DRAFT:
            raise _frozen(form)
    if after is not None and after.per_position and not after.form.positions:
        raise Invalid("The form has no sub-units; name them there first.", field="per_position")


def _frozen(form: StageForm, field: str | None = None) -> Conflict:
    return Conflict(f"{form} is {form.status} and stays as it is; make a new version of it.", field=field)


def may_be_edited(row: Any) -> bool:
    """Say whether a form, or a field's form, is still a draft."""
    form = row if isinstance(row, StageForm) or row is None else row.form
    return form is None or form.status == _Status.DRAFT
