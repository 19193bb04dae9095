"""What is due, soon due, and when it will be; what is left of tools; which machines are down; what a stop led to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Max, Q, QuerySet

from core.errors import Invalid
from enterprise.models import Machine
from maintenance.models import Basis, MaintenanceOrder, MaintenancePlan, PartUse, Tool, ToolMounting
from oee.stops import Stop, stops_around
from oee.usage import Span, Usage, usage_of

PACE_OVER = timedelta(days=28)
"""Forecasts go on as the machine went in so many days."""
HOUR = 3_600_000_000
_DAY = Fraction(86_400_000_000)
FAR = timedelta(days=3650)
MOST_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Wear:
    """How much of an interval or a life is used, exact; in days, run hours or pieces. None = nobody knows yet."""

    used: Fraction | None
    limit: Fraction
    warn_percent: int
    due_at: datetime | None
    """When it is used up if the machine goes on as it went; None = it does not, or nobody knows."""

    @property
    def remaining(self) -> Fraction | None:
        """What is left; less than nothing when it is overdue."""
        return None if self.used is None else self.limit - self.used

    @property
    def percent_left(self) -> Fraction | None:
        """What is left, of 100."""
        return None if self.used is None else 100 * (self.limit - self.used) / self.limit

    @property
    def is_due(self) -> bool:
        return self.used is not None and self.used >= self.limit

    @property
    def is_soon(self) -> bool:
        """Whether it is due, or nearly."""
        return self.used is not None and self.used * 100 >= self.limit * self.warn_percent


@dataclass(frozen=True, slots=True)
class PlanDue:
    """A plan, since when it counts, how far it is, and its open order."""

    plan: MaintenancePlan
    since: datetime
    wear: Wear
    order: MaintenanceOrder | None


@dataclass(frozen=True, slots=True)
class ToolLife:
    """A tool, where it is mounted now, and what is left of its life."""

    tool: Tool
    mounting: ToolMounting | None
    wear: Wear


def due_list(plans: "QuerySet[MaintenancePlan]", *, now: datetime) -> list[PlanDue]:
    """Return how far each active plan is, the most used first; at most a thousand.

    Queries do not grow with the plans.
    """
    found = list(
        plans.filter(is_active=True, machine__is_active=True)
        .select_related("machine__line__area__site")
        .annotate(last_at=Max("orders__finished_at"))
        .order_by("id")[:MOST_LISTED]
    )
    since = {plan.pk: max(plan.counted_from, plan.last_at or plan.counted_from) for plan in found}
    used = _used([(plan.basis, plan.machine, since[plan.pk], None) for plan in found], now=now)
    pace = _pace([plan.machine for plan in found if plan.basis != Basis.CALENDAR], now=now)
    open_orders = {
        order.plan_id: order
        for order in MaintenanceOrder.objects.filter(
            plan__in=[plan.pk for plan in found], status__in=MaintenanceOrder.OPEN
        )
    }
    rows = [
        PlanDue(
            plan,
            since[plan.pk],
            _wear(plan.basis, amount, plan.every, plan.warn_percent, pace.get(plan.machine_id), now, since[plan.pk]),
            open_orders.get(plan.pk),
        )
        for plan, amount in zip(found, used, strict=True)
    ]
    return sorted(rows, key=lambda row: (-(row.wear.used or Fraction(0)) / row.wear.limit, row.plan.code))


def tool_lives(tools: "QuerySet[Tool]", *, now: datetime) -> list[ToolLife]:
    """Return what is left of each active tool, the most used first; at most a thousand.

    A life is the use of all mountings since the last one at which the tool was renewed.
    """
    found = list(tools.filter(is_active=True).select_related("site").order_by("id")[:MOST_LISTED])
    mountings: dict[int, list[ToolMounting]] = {tool.pk: [] for tool in found}
    rows = ToolMounting.objects.filter(tool__in=list(mountings)).select_related("machine__line__area__site")
    for mounting in rows.order_by("mounted_at", "id"):
        if mounting.is_renewed:
            mountings[mounting.tool_id].clear()
        mountings[mounting.tool_id].append(mounting)
    basis = {tool.pk: tool.basis for tool in found}
    counted = [one for of_tool in mountings.values() for one in of_tool]
    used = _used([(basis[one.tool_id], one.machine, one.mounted_at, one.removed_at) for one in counted], now=now)
    total: dict[int, Fraction | None] = {tool.pk: Fraction(0) for tool in found}
    for one, amount in zip(counted, used, strict=True):
        so_far = total[one.tool_id]
        total[one.tool_id] = None if so_far is None or amount is None else so_far + amount
    where = {one.tool_id: one for one in counted if one.removed_at is None}
    pace = _pace([one.machine for one in where.values()], now=now)
    lives = [
        ToolLife(
            tool,
            where.get(tool.pk),
            _wear(
                tool.basis,
                total[tool.pk],
                tool.life,
                tool.warn_percent,
                pace.get(where[tool.pk].machine_id) if tool.pk in where else None,
                now,
                now,
            ),
        )
        for tool in found
    ]
    return sorted(lives, key=lambda life: (-(life.wear.used or Fraction(0)) / life.wear.limit, life.tool.code))


def _used(asked: Sequence[tuple[str, Machine, datetime, datetime | None]], *, now: datetime) -> list[Fraction | None]:
    """Return how much each was used, in the unit of its basis; None where nothing is known of the machine."""
    spans: list[Span] = [(machine, since, until) for basis, machine, since, until in asked if basis != Basis.CALENDAR]
    usages = iter(usage_of(spans, now=now))
    return [
        Fraction((now - since) // timedelta(microseconds=1)) / _DAY
        if basis == Basis.CALENDAR
        else _amount(basis, next(usages))
        for basis, _, since, _ in asked
    ]


def _amount(basis: str, usage: Usage) -> Fraction | None:
    if usage.known_until is None:
        return None
    return Fraction(usage.running, HOUR) if basis == Basis.RUN_HOURS else usage.cycles


def _pace(machines: Iterable[Machine], *, now: datetime) -> dict[int, Usage]:
    once = list({machine.pk: machine for machine in machines}.values())
    return dict(
        zip(
            (machine.pk for machine in once),
            usage_of([(machine, now - PACE_OVER, None) for machine in once], now=now),
            strict=True,
        )
    )


def _wear(
    basis: str,
    used: Fraction | None,
    limit: Decimal,
    warn_percent: int,
    pace: Usage | None,
    now: datetime,
    since: datetime,
) -> Wear:
    whole = Fraction(limit)
    due_at = None
    if basis == Basis.CALENDAR:
        due_at = _later(since, whole * _DAY)
    elif used is not None and pace is not None:
        per_us = (_amount(basis, pace) or Fraction(0)) / (PACE_OVER // timedelta(microseconds=1))
        due_at = _later(now, max(whole - used, Fraction(0)) / per_us) if per_us else None
    return Wear(used, whole, warn_percent, due_at)


def _later(at: datetime, microseconds: Fraction) -> datetime | None:
    """Return a moment so much later; None when that is further than anybody plans."""
    if microseconds > FAR // timedelta(microseconds=1):
        return None
    return at + timedelta(microseconds=int(microseconds))


def down_machines(machine_ids: Iterable[int]) -> dict[int, MaintenanceOrder]:
    """Return the open orders that block machines, by the machine's id; the one that did so first."""
    rows = MaintenanceOrder.objects.filter(
        machine__in=list(machine_ids), status__in=MaintenanceOrder.OPEN, down_since__isnull=False
    )
    found: dict[int, MaintenanceOrder] = {}
    for order in rows.order_by("down_since", "id"):
        found.setdefault(order.machine_id, order)
    return found


def orders_of_stop(machine: Machine, start: datetime, until: datetime) -> "QuerySet[MaintenanceOrder]":
    """Return the maintenance orders that a stop of a machine led to."""
    return MaintenanceOrder.objects.filter(machine=machine, stop_at__gte=start, stop_at__lt=until).order_by("id")


def stop_of(machine: Machine, at: datetime, *, now: datetime) -> Stop:
    """Return the stop in which a machine stood at a moment. Raises Invalid when it did not."""
    for stop in stops_around(machine, at, now=now):
        if stop.start <= at < stop.until:
            return stop
    raise Invalid(f"{machine} did not stand at that moment.", field="stop_at")


def cost_of_parts(order: MaintenanceOrder) -> Decimal | None:
    """Return what the spare parts of an order cost, without those that were put back;
    None = that of one is not known.
    """
    uses = PartUse.objects.filter(order=order, movement__reversed_by__isnull=True).select_related("movement")
    total = Decimal(0)
    for use in uses:
        cost = use.movement.total_cost
        if cost is None:
            return None
        total += cost
    return total


def open_orders(orders: "QuerySet[MaintenanceOrder]") -> list[MaintenanceOrder]:
    """Return what is still to be done: machines that are down first, then the oldest."""
    rows: Any = orders.filter(status__in=MaintenanceOrder.OPEN).select_related("machine__line__area__site", "plan")
    return sorted(rows.order_by("id")[:MOST_LISTED], key=lambda order: (order.down_since is None, order.pk))


def finished_orders(orders: "QuerySet[MaintenanceOrder]") -> "QuerySet[MaintenanceOrder]":
    """Return what is over, the newest first."""
    return (
        orders.filter(~Q(status__in=MaintenanceOrder.OPEN)).select_related("machine__line__area__site").order_by("-id")
    )
