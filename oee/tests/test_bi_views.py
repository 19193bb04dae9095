"""What a reporting tool reads from the schema `bi` is what the API answers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from rest_framework.test import APIClient

import oee.bi
from core.intervals import HOUR, floor_hour
from counts.models import CountTag
from oee.models import OeePolicy
from oee.scopes import shifts_on
from oee.services import rebuild
from oee.tests.random_plant import Plant
from products.models import IdealRate
from tests.factories import make_machine, make_user
from workorders.models import Run

pytestmark = pytest.mark.django_db
MONTH_END = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 2, tzinfo=UTC)
ELEMENTS = (
    *("actual_production_time", "actual_unit_setup_time", "actual_unit_delay_time", "planned_downtime"),
    *("unscheduled_time", "no_data_time", "planned_busy_time", "minor_stop_time", "break_time", "no_data_loss_time"),
)
QUANTITIES = (
    *("produced_quantity", "good_quantity", "scrap_quantity", "rework_quantity"),
    *("startup_scrap_quantity", "quantity_without_rate"),
)
RATIOS = ("availability", "performance", "quality", "oee")


def rows(statement: str, *parameters) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user(is_superuser=True))
    return client


def agrees(row: dict, answer: dict) -> None:
    """Compare a row of a view with what the API said of the same time."""
    elements = answer["elements"]
    assert {name: row[f"{name}_us"] for name in ELEMENTS} == {name: elements[name] for name in ELEMENTS}
    for name in QUANTITIES:
        if "/" not in elements[name]:
            assert row[name] == Decimal(elements[name]), name
    for name in RATIOS:
        shown = None if row[name] is None else f"{row[name]:.12f}"
        assert shown == answer[name], name


STRICT = {
    "changeover": "planned",
    "overtime": "exclude",
    "breaks": "availability_loss",
    "micro_stops": "availability",
    "no_data": "availability_loss",
    "startup_rejects": "exclude",
}


@pytest.mark.parametrize(
    ("policies", "seed"),
    [
        ([{"startup_minutes": 90}], 1),
        ([{**STRICT, "startup_minutes": 90}], 2),
        (
            [
                {"breaks": "unscheduled", "startup_minutes": 90},
                {**STRICT, "startup_minutes": 90, "valid_from": "2026-04-30"},
            ],
            3,
        ),
    ],
)
def test_select_gives_what_the_api_gives(api, policies, seed):
    plant = Plant(seed, MONTH_END, now=NOW)
    for policy in policies:
        OeePolicy.objects.create(site=plant.site, **policy)
    IdealRate.objects.filter(product=plant.products[0]).update(value=Decimal(700), unit="pc/h")
    # Of the second machine a total is counted, and one product has no ideal rate.
    CountTag.objects.filter(machine=plant.machines[1], mode="running", count_type__role="good").update(
        count_type=_total()
    )
    IdealRate.objects.filter(product=plant.products[1], machine=plant.machines[1]).delete()
    plant.correct()
    rebuild(now=NOW)
    for machine in plant.machines:
        compared = 0
        for n in range(4):
            day = plant.first.date() + timedelta(days=n)
            for shift in shifts_on(machine, day):
                # Hours are stored from the machine's first fact on.
                if shift.start < plant.first + HOUR:
                    continue
                asked = {"machine": machine.code, "shift": shift.shift_id, "date": day.isoformat()}
                answer = api.get("/oee/report/", asked).json()
                key = (machine.pk, day, shift.shift_id)
                (row,) = rows(
                    "SELECT * FROM bi.machine_shifts WHERE machine_id = %s AND shift_date = %s AND shift_id = %s", *key
                )
                agrees(row, answer)
                lost = rows(
                    "SELECT * FROM bi.downtime WHERE machine_id = %s AND production_date = %s AND shift_id = %s", *key
                )
                assert {(r["reason_id"], r["category"], r["time_us"], r["occurrences"]) for r in lost} == {
                    (loss["reason"], loss["category"], round(loss["seconds"] * 1_000_000), loss["occurrences"])
                    for loss in answer["losses"]
                }
                compared += 1
        assert compared > 5
        first = floor_hour(plant.first)
        for n in range(1, 60, 7):
            window = {"starts_at": (first + n * HOUR).isoformat(), "ends_at": (first + (n + 1) * HOUR).isoformat()}
            (row,) = rows(
                "SELECT * FROM bi.machine_hours WHERE machine_id = %s AND starts_at = %s", machine.pk, first + n * HOUR
            )
            agrees(row, api.get("/oee/report/", {"machine": machine.code, **window}).json())
    for run in Run.objects.all():
        (row,) = rows("SELECT * FROM bi.runs WHERE run_id = %s", run.pk)
        agrees(row, api.get("/oee/report/", {"run": run.pk}).json())
        (order,) = rows("SELECT * FROM bi.orders WHERE order_id = %s", run.work_order_id)
        assert order["produced_quantity"] == row["produced_quantity"]


def _total():
    from counts.models import CountType

    return CountType.objects.create(code="total", name="Total", role="total")


def test_summed_over_a_line_with_the_functions_it_is_the_lines_oee(api):
    plant = Plant(3, MONTH_END, now=NOW)
    rebuild(now=NOW)
    # Within one run, because what is made without an order has no ideal rate.
    start = floor_hour(plant.first) + 2 * HOUR
    (row,) = rows(
        """
        SELECT bi.oee(sum(ideal_time_of_good_s), sum(planned_busy_time_us), sum(actual_production_time_us),
            sum(produced_quantity), sum(quantity_without_rate), sum(planned_time_without_rate_us)) AS oee
        FROM bi.elements JOIN bi.machines USING (machine_id)
        WHERE stands_for_line AND line = %s AND starts_at >= %s AND starts_at < %s
        """,
        *(plant.line.code, start, start + 9 * HOUR),
    )
    assert row["oee"] is not None
    window = {"starts_at": start.isoformat(), "ends_at": (start + 9 * HOUR).isoformat()}
    assert f"{row['oee']:.12f}" == api.get("/oee/report/", {"line": plant.line.code, **window}).json()["oee"]


def test_machines_say_which_of_them_stand_for_their_line():
    first = make_machine(position=1)
    last = make_machine(line=first.line, position=2)
    make_machine(line=first.line, position=3, is_active=False)

    def standing(mode: str, **marks) -> set[int]:
        first.line.oee_mode = mode
        first.line.save()
        type(first).objects.filter(pk=first.pk).update(**{"is_constraint": True, **marks})
        return {row["machine_id"] for row in rows("SELECT * FROM bi.machines WHERE stands_for_line")}

    assert standing("constraint") == {first.pk}
    assert standing("constraint", is_constraint=False) == {last.pk}
    assert standing("last") == {last.pk}
    assert standing("weighted") == {first.pk, last.pk}


def test_every_file_has_its_view_and_what_is_unknown_is_null():
    files = {file.stem[4:] for file in Path(oee.bi.__file__).parent.glob("*.sql")} - {"functions"}
    assert {row["viewname"] for row in rows("SELECT viewname FROM pg_views WHERE schemaname = 'bi'")} == files
    (row,) = rows("SELECT bi.availability(0, 0) AS a, bi.quality(0, 0, 0, 0, 0) AS q, bi.oee(0, 5, 5, 0, 0, 5) AS o")
    assert row == {"a": None, "q": None, "o": None}
    machine = make_machine()
    (row,) = rows("SELECT * FROM bi.freshness WHERE machine_id = %s", machine.pk)
    assert (row["computed_from"], row["changes_pending"]) == (None, False)
