"""Numbers as they are signed: taken from a report, written canonically, and compared with those of another moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.intervals import Interval, microseconds
from downtime.models import StateReason
from enterprise.models import Machine
from oee.engine import Category
from oee.engine.ledger import ledger
from oee.reason_times import Loss, Traits, ranked, reason_times
from oee.selectors import report
from oee.services import numbers_of

RATIOS = ("availability", "performance", "quality", "oee")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number as it was signed and as the facts have it now; `difference` = now − was, exact text or a whole number.

    Where one of them is unknown there is no difference to tell, but `changed` says that they are not the same.
    """

    group: str
    name: str
    was: Any
    now: Any
    difference: int | str | None

    @property
    def changed(self) -> bool:
        """Say whether they differ."""
        return bool(self.was != self.now)


def numbers_over(machines: Sequence[Machine], window: Interval, *, now: datetime) -> dict[str, Any]:
    """Return a window's numbers as JSON of whole numbers and exact text: machines, KPIs, elements, policies, losses,
    and the time-loss ledger, which follows from the elements.
    """
    found = report(machines, window, now=now)
    numbers = numbers_of(found, now=now)
    elements = dict(numbers["elements"])
    policies = elements.pop("policies")
    rows = reason_times(machines, window, now=now)
    lost = ranked(rows)
    reasons = StateReason.objects.without_tree_fields().in_bulk([loss.reason_id for loss in lost if loss.reason_id])
    return {
        "machines": sorted(machine.pk for machine in machines),
        "kpis": {name: None if numbers[name] is None else str(numbers[name]) for name in RATIOS},
        "elements": elements,
        "policies": policies,
        "losses": [
            {
                "reason": loss.reason_id,
                "code": reasons[loss.reason_id].code if loss.reason_id in reasons else None,
                "name": reasons[loss.reason_id].name if loss.reason_id in reasons else "No reason",
                "category": str(loss.category.value),
                "microseconds": microseconds(loss.duration),
                "occurrences": loss.occurrences,
            }
            for loss in sorted(lost, key=lambda loss: (-loss.duration, loss.reason_id or 0, loss.category.value))
        ],
        "ledger": [
            {
                "of": {
                    name: _text(getattr(line.of, name)) for name in ("code", "name", "factor", "big_loss", "meaning")
                },
                "seconds": str(line.seconds),
                "oee_cost": _text(line.oee_cost),
            }
            for line in ledger(found.sums, Traits().sums(rows)).lines
        ],
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def as_report(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return frozen numbers in the shape of a report (`oee.serializers.ReportSerializer`)."""
    return {
        "machines": numbers["machines"],
        **numbers["kpis"],
        "elements": {**numbers["elements"], "policies": numbers["policies"]},
        "losses": [
            Loss(
                loss["reason"],
                Category(loss["category"]),
                timedelta(microseconds=loss["microseconds"]),
                loss["occurrences"],
            )
            for loss in numbers["losses"]
        ],
        "ledger": [
            {
                "of": line["of"],
                "seconds": Fraction(line["seconds"]),
                "oee_cost": None if line["oee_cost"] is None else Fraction(line["oee_cost"]),
            }
            for line in numbers["ledger"]
        ],
    }


def compare(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Comparison]:
    """Return every frozen number beside that of now.

    Only what was frozen is compared: an element that the system learned to compute later is no difference, and one
    that it does not compute any more stays as it was signed.
    """
    return [
        *(_ratio(name, was["kpis"][name], now["kpis"].get(name)) for name in RATIOS if name in was["kpis"]),
        *(
            Comparison(
                "elements", name, value, present := now["elements"].get(name, value), _difference(value, present)
            )
            for name, value in _in_order(was["elements"], now["elements"])
            if name != "known_until"
        ),
        *_losses(was["losses"], now["losses"]),
        *_policies(was["policies"], now["policies"]),
        Comparison("machines", "machines", was["machines"], now["machines"], None),
    ]


def _in_order(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what was frozen in the order in which it is computed now; the database keeps none."""
    for name in [*(name for name in now if name in was), *sorted(was.keys() - now.keys())]:
        yield name, was[name]


def _ratio(name: str, was: str | None, now: str | None) -> Comparison:
    known = was is not None and now is not None
    return Comparison("kpis", name, was, now, f"{Decimal(str(now)) - Decimal(str(was)):f}" if known else None)


def _difference(was: Any, now: Any) -> int | str | None:
    if isinstance(was, bool) or isinstance(now, bool):
        return None
    if isinstance(was, int) and isinstance(now, int):
        return now - was
    if isinstance(was, str) and isinstance(now, str):
        try:
            return str(Fraction(now) - Fraction(was))
        except ValueError:
            # Text that is no number, such as a moment.
            return None
    return None


def _losses(was: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[Comparison]:
    """Yield time and occurrences by reason and category; a reason that only one of them has lost nothing in the
    other.
    """
    before = {(loss["reason"], loss["category"]): loss for loss in was}
    after = {(loss["reason"], loss["category"]): loss for loss in now}
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key), after.get(key)
        name = (one or other or {})["name"]
        for what in ("microseconds", "occurrences"):
            past, present = one[what] if one else 0, other[what] if other else 0
            yield Comparison("losses", f"{name} ({key[1]}), {what}", past, present, present - past)


def _policies(was: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> Iterator[Comparison]:
    """Yield each decision of the policies that were frozen, as the list of what holds one after another."""
    names = list(dict.fromkeys(name for policy in now for name in policy if any(name in frozen for frozen in was)))
    present: list[dict[str, Any]] = []
    for policy in now:
        narrowed = {name: policy[name] for name in names if name in policy}
        if narrowed not in present:
            present.append(narrowed)
    for name in names:
        yield Comparison(
            "policies", name, [policy.get(name) for policy in was], [policy.get(name) for policy in present], None
        )
