"""The proofs, small, on every change; `make prove` runs them whole. And that they would see a fault."""

from random import Random

import pytest

from oee.engine import CountMode, CountRole
from proof.cases import Case, Correction, Tag, random_case
from proof.database import prove_database
from proof.plants import SECONDS, Plant, random_plant
from proof.running import proofs, table, try_numbers
from proof.shrinking import shrink


@pytest.mark.parametrize("name", ["oracle", "permutation", "additivity", "calendar"])
def test_small_proof_finds_no_difference(name):
    result = try_numbers(name, "1", range(proofs()[name].small))
    assert (result.differences, result.failures) == (0, [])
    assert result.cases >= 500


@pytest.mark.django_db
def test_small_proof_on_the_database_finds_no_difference():
    result = try_numbers("database", "1", range(proofs()["database"].small))
    assert (result.cases, result.differences, result.failures) == (12, 0, [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "place", "fault"),
    [
        ("oracle", "oee.engine.states._product_at", lambda runs, at: None),
        ("oracle", "oee.engine.kpis._ratio", lambda part, whole: 1),
        ("oracle", "oee.engine.counters._is_reachable", lambda *args, **kwargs: True),
        ("permutation", "oee.engine.states.sorted", lambda things, **kwargs: list(things)),
        ("additivity", "oee.engine.states._widened", lambda history, window: window),
        ("database", "oee.hours.floor_hour", lambda at: at),
        ("calendar", "enterprise.shift_calendar.union", list),
    ],
)
def test_a_fault_is_seen(monkeypatch, name, place, fault):
    monkeypatch.setattr(place, fault, raising=False)
    numbers = range(150) if name == "database" else range(200)
    for number in numbers:
        if try_numbers(name, "1", [number]).differences:
            return
    pytest.fail("Nothing differed.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("late", "place", "fault"), [(3_500, "oee.hours._REACH_ON", "{hi}"), (3_700, "oee.hours._REACH_BACK", "{lo}")]
)
def test_a_late_signal_that_mends_a_silence_of_the_hour_beside_it_is_seen(monkeypatch, late, place, fault):
    """The signal ends a silence of 30 minutes across a full hour; what it reaches beyond its own hour must be
    undone.
    """
    counter = Tag(CountRole.GOOD, CountMode.DELTA, readings=((late, 1),))
    case = Case(SECONDS, 0, states=((2_500, 1), (4_300, 1)), tags=(counter,))
    plant = Plant(case, silence_after=1_200)
    assert not any(prove_database(plant, Random(n)) for n in range(12))
    monkeypatch.setattr(place, fault)
    assert any(prove_database(plant, Random(n)) for n in range(12))


def test_failing_case_shrinks_to_what_makes_it_fail():
    case = Case(
        length=900,
        into_hour=0,
        states=((0, 1), (5, 2), (9, 3)),
        corrections=(Correction(0, 9, 2, True), Correction(1, None, 3, False)),
        tags=(Tag(CountRole.GOOD, CountMode.DELTA, readings=((1, 1), (2, 2))),),
        micro_below=30,
    )
    smallest = shrink(case, lambda c: (5, 2) in c.states and any((2, 2) in tag.readings for tag in c.tags))
    assert smallest == Case(900, 0, states=((5, 2),), tags=(Tag(CountRole.GOOD, CountMode.DELTA, readings=((2, 2),)),))


def test_same_seed_is_the_same_case():
    assert random_case(Random("1:a")) == random_case(Random("1:a")) != random_case(Random("1:b"))
    assert random_plant(Random("1:a")) == random_plant(Random("1:a")) != random_plant(Random("1:b"))


def test_table_says_how_many_cases_differed():
    row = table([try_numbers("additivity", "1", [7])]).splitlines()[-1]
    assert row.startswith("| additivity |")
    assert "| 1 | 0 |" in row
