"""A machine with work, reasons, calls and people, for the tests of the operator's terminal."""

from datetime import timedelta
from types import SimpleNamespace

from django.utils import timezone

from downtime.models import StateReason
from downtime.services import NewState, record_states
from execution.models import ScrapReason
from execution.tests.floor import make_floor
from tests.factories import (
    make_call_type,
    make_count_tag,
    make_employee,
    make_ideal_rate,
    make_location,
    make_lot,
    make_machine,
    make_reason,
    make_user,
)


def make_station(**options):
    """Return a machine that stood from 40 to 30 minutes ago for no reason, with an order and everything around it."""
    machine = make_machine(code="PRESS", name="Press 4")
    floor = make_floor(machine=machine, **options)
    site = machine.line.area.site
    reasons = SimpleNamespace(
        running=make_reason(code="RUN", name="Running"),
        stopped=make_reason(StateReason.Category.UNPLANNED, code="STOP", name="Stopped", explains=False),
        jam=make_reason(
            StateReason.Category.UNPLANNED, code="JAM", name="Jam", names={"de": "Stau", "es": "Atasco", "pl": "Zator"}
        ),
        lunch=make_reason(StateReason.Category.PLANNED, code="LUNCH", name="Lunch"),
    )
    now = timezone.now()
    at = {name: now - timedelta(minutes=minutes) for name, minutes in (("on", 90), ("off", 40), ("again", 30))}
    record_states(
        [
            NewState(machine.pk, at["on"], reasons.running.pk),
            NewState(machine.pk, at["off"], reasons.stopped.pk),
            NewState(machine.pk, at["again"], reasons.running.pk),
        ],
        recorded_at=now,
    )
    return SimpleNamespace(
        machine=machine,
        site=site,
        order=floor.order,
        operation=floor.first,
        operations=floor.operations,
        reasons=reasons,
        crack=ScrapReason.objects.create(code="CRACK", name="Cracked"),
        maintenance=make_call_type((5, "supervisor"), code="MAINT", name="Maintenance", tone="unplanned", icon="tools"),
        operator=make_user("operator", site),
        anna=make_employee(site=site, code="7001", name="Anna Nowak", badge="B-7001"),
        stopped_at=at["off"],
        at=at,
    )


def make_material(station, number="L-77", quantity=50):
    """Return a released lot beside the station's line that its order takes."""
    location = make_location(site=station.site, line=station.machine.line, name="Beside the press")
    lot = make_lot(quantity, location=location, number=number)
    station.order.materials.create(
        position=10, product=lot.product, quantity_required=40, unit=lot.product.unit, operation=station.operation
    )
    return lot


def count(station, pieces_per_minute="6"):
    """Let a counter and an ideal rate say how fast the station is."""
    make_count_tag(machine=station.machine)
    return make_ideal_rate(product=station.order.product, machine=station.machine, value=pieces_per_minute)
