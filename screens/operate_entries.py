"""Entries of the operator's terminal as plain forms, for browsers in which no script runs.

The script calls REST instead.

Each form carries the person it was shown for and a key: one for somebody else is refused, one sent twice has one
effect.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from andon import services as andon
from andon.models import AndonCall, AndonStep, CallType
from core.errors import Conflict, DomainError, Invalid
from core.exact import plain_number
from core.facts import Verdict
from core.master_data import caller, in_scope, site_id_of
from downtime.models import StateReason
from downtime.services import NewState, record_states
from enterprise.models import Machine
from execution import services as execution
from execution.models import ScrapReason
from execution.reporting import report_production
from execution.taking import Quantities, Taken
from labor.models import Employee
from materials.loading import load
from oee.stop_words import explain_stop, right_needed
from screens.refusals import Refusal, refusal_of
from screens.shared_terminal import Terminal
from workorders.models import Operation

_KEY = r"^[A-Za-z0-9._:-]{1,64}\Z"


def _amount(**options: Any) -> forms.DecimalField:
    return forms.DecimalField(max_digits=18, decimal_places=6, min_value=0, required=False, **options)


class EntryForm(forms.Form):
    """Everything that any of the terminal's forms sends; each reads what it needs."""

    key = forms.RegexField(_KEY, required=False)
    operation = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    reason = forms.CharField(max_length=500, required=False)
    state_reason = forms.ModelChoiceField(StateReason.objects.without_tree_fields(), required=False)
    starts_at = forms.CharField(max_length=40, required=False)
    ends_at = forms.CharField(max_length=40, required=False)
    seen_correction_id = forms.IntegerField(min_value=0, max_value=2**62, required=False)
    comment = forms.CharField(max_length=500, required=False)
    good = _amount()
    scrap = _amount()
    counter_start = _amount()
    counter_end = _amount()
    scrap_reason = forms.ModelChoiceField(ScrapReason.objects.filter(is_active=True), required=False)
    call_type = forms.ModelChoiceField(CallType.objects.all(), required=False)
    call = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    kind = forms.ChoiceField(choices=AndonStep.Kind.choices, required=False)
    note = forms.CharField(max_length=500, required=False)
    code = forms.CharField(max_length=500, required=False, strip=False)
    quantity = _amount()


class Entry:
    """One entry in the making: the terminal, its machine, who stands there, and what the form says."""

    def __init__(self, at: Terminal, machine: Machine, employee: Employee | None, said: dict[str, Any]) -> None:
        self.at = at
        self.machine = machine
        self.employee = employee
        self.said = said
        self.actor = caller(at.request)

    def need(self, kind: str, right: str = "add") -> None:
        """Raise PermissionDenied unless the person may do that at the machine's site."""
        if not self.actor.may(right, kind, site_id_of(self.machine)):
            raise PermissionDenied

    def taken(self) -> Taken:
        """Return how the entry is made."""
        return Taken(
            at=self.at.now,
            recorded_at=self.at.now,
            actor=self.actor,
            employee=self.employee,
            reason=self.said["reason"],
            idempotency_key=self.said["key"] or None,
        )

    def call_said(self) -> andon.Said:
        """Return how something is said about a call."""
        return andon.Said(
            at=self.at.now,
            recorded_at=self.at.now,
            actor=self.actor,
            person=self.employee.name if self.employee else "",
            note=self.said["note"],
            idempotency_key=self.said["key"] or None,
        )

    def operation(self) -> Operation:
        """Return the operation that the form is about; another site's does not exist."""
        operations: Any = in_scope(Operation.objects.all(), self.actor, Operation.site_paths)
        found = operations.select_related("work_order__line__area__site").filter(pk=self.said["operation"] or 0).first()
        if found is None:
            raise Invalid(_("Choose an operation."), field="operation")
        return found  # type: ignore[no-any-return]


def take(at: Terminal, machine: Machine) -> Refusal | None:
    """Take what a form of the terminal says; return why not when it is refused."""
    request = at.request
    action = request.POST.get("do", "")
    try:
        if action == "forget":
            at.forget()
        elif action == "identify":
            Entry(at, machine, None, {}).need("labor")
            at.identify()
        elif action in _ACTIONS:
            _write(at, machine, action)
        else:
            raise Invalid(_("Choose what to do."))
    except (DomainError, ModelValidationError) as error:
        return refusal_of(error)
    return None


def _write(at: Terminal, machine: Machine, action: str) -> None:
    form = EntryForm(at.request.POST)
    if not form.is_valid():
        raise Invalid(" ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    employee, shown_for = at.person(), at.request.POST.get("employee", "")
    # Nobody is nobody on both sides; anything else has to be the same person.
    if shown_for or employee is not None:
        at.refuse_other(employee, shown_for)
    entry = Entry(at, machine, employee, form.cleaned_data)
    messages.success(at.request, _ACTIONS[action](entry))
    at.forget_after_entry()


def _step(entry: Entry, service: Callable[..., Any], **more: Any) -> str:
    entry.need("execution")
    done = service(operation=entry.operation(), taken=entry.taken(), **more)
    return " ".join([_("Saved."), *(warning.text for warning in done.warnings)])


def _report(entry: Entry) -> str:
    entry.need("execution")
    said = entry.said
    numbers = {name: said[name] for name in ("good", "scrap") if said[name] is not None}
    quantities = Quantities(
        **numbers,
        scrap_reason=said["scrap_reason"],
        counter_start=said["counter_start"],
        counter_end=said["counter_end"],
        note=said["note"],
    )
    report_production(operation=entry.operation(), quantities=quantities, taken=entry.taken(), machine=entry.machine)
    return _("Saved.")


def _reason(entry: Entry) -> StateReason:
    reason = entry.said["state_reason"]
    if reason is None:
        raise Invalid(_("Choose a reason."), field="state_reason")
    return reason  # type: ignore[no-any-return]


def _stand(entry: Entry) -> str:
    """Say that the machine goes into a state now: it stops because of something, or runs again."""
    entry.need("fact")
    state = NewState(
        machine_id=entry.machine.pk,
        occurred_at=entry.at.now,
        reason_id=_reason(entry).pk,
        source=f"user:{entry.actor.pk}",
    )
    (answer,) = record_states([state], recorded_at=entry.at.now)
    if answer.verdict is Verdict.CONFLICT:
        raise Conflict(_("Another state is stored for this moment; try again."))
    return _("Saved.")


def _moment(text: str) -> datetime:
    """Return a moment as the page wrote it. Raises Invalid for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(_("That form is incomplete; start again."), field="starts_at")
    return found


def _explain(entry: Entry) -> str:
    said = entry.said
    span: dict[str, Any] = {
        "machine": entry.machine,
        "starts_at": _moment(said["starts_at"]),
        "ends_at": _moment(said["ends_at"]) if said["ends_at"] else None,
    }
    entry.need("fact", right_needed(**span, actor=entry.actor, now=entry.at.now))
    explain_stop(
        **span,
        reason=_reason(entry),
        comment=said["comment"],
        actor=entry.actor,
        recorded_at=entry.at.now,
        seen_correction_id=said["seen_correction_id"],
    )
    return _("Saved.")


def _call(entry: Entry) -> str:
    entry.need("andon")
    if entry.said["call_type"] is None:
        raise Invalid(_("Choose what to call for."), field="call_type")
    order = entry.operation().work_order if entry.said["operation"] else None
    andon.call(call_type=entry.said["call_type"], machine=entry.machine, work_order=order, said=entry.call_said())
    return _("Called.")


def _call_step(entry: Entry) -> str:
    entry.need("andon")
    call = AndonCall.objects.filter(pk=entry.said["call"] or 0, machine=entry.machine).first()
    if call is None or not entry.said["kind"]:
        raise Invalid(_("Choose a call."), field="call")
    andon.take_step(call=call, kind=entry.said["kind"], said=entry.call_said())
    return _("Saved.")


def _load(entry: Entry) -> str:
    entry.need("material")
    if not entry.said["code"].strip():
        raise Invalid(_("Scan the label, or type the lot's number."), field="code")
    posted = load(
        code=entry.said["code"],
        operation=entry.operation(),
        machine=entry.machine,
        quantity=entry.said["quantity"],
        actor=entry.actor,
        occurred_at=entry.at.now,
        recorded_at=entry.at.now,
        idempotency_key=entry.said["key"] or None,
    )
    moved = posted.transaction
    return _("Loaded: %(what)s") % {"what": f"{plain_number(moved.quantity)} {moved.product.unit_id} {moved.product}"}


_ACTIONS: dict[str, Callable[[Entry], str]] = {
    "start": lambda entry: _step(entry, execution.start_operation, machine=entry.machine),
    "pause": lambda entry: _step(entry, execution.pause_operation, machine=entry.machine),
    "resume": lambda entry: _step(entry, execution.resume_operation, machine=entry.machine),
    "finish": lambda entry: _step(entry, execution.finish_operation),
    "report": _report,
    "stand": _stand,
    "explain": _explain,
    "call": _call,
    "call-step": _call_step,
    "load": _load,
}
