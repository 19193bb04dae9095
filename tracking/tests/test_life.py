"""Whatever is done to units: stages keep their order, a part is in one unit at a time, nothing recorded is lost."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from core.errors import DomainError
from tests.factories import make_product, make_serial_unit, make_site, make_stage_form, make_user
from tracking import assembling, records, services
from tracking.models import Assembly, AssemblyRemoval, SerialUnit, StageEntry, StagePassage, UnitEvent
from tracking.services import By, Entry
from tracking.state import DONE, Cell, Event, EventKind, StageShape, StageState, UnitStatus, replay

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
SHAPES = [StageShape(n, (Cell((n, "X"), "ok_nok"), Cell((n, "Y"), "ok_nok", required=False))) for n in (1, 2, 3)]

events = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(list(EventKind)),
        st.sampled_from([1, 2, 3]),
        st.sampled_from(["X", "Y"]),
        st.sampled_from(["ok", "not_ok", "na", None]),
    ),
    max_size=9,
)


def _event(number, minute, kind, stage, position, value):
    is_of_stage = kind in (EventKind.ENTRY, EventKind.COMPLETE, EventKind.REWORK, EventKind.USE_AS_IS)
    cell = (stage, position) if kind == EventKind.ENTRY else None
    return Event(AT + timedelta(minutes=minute), f"k{number}", kind, stage if is_of_stage else None, cell, value)


@given(events, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_of_arrival_does_not_matter(rows, random):
    facts = [_event(number, *row) for number, row in enumerate(rows)]
    shuffled = random.sample(facts, len(facts))
    assert replay(SHAPES, facts) == replay(SHAPES, shuffled)


@given(events)
@settings(max_examples=150, deadline=None)
def test_state_agrees_with_itself(rows):
    state = replay(SHAPES, [_event(number, *row) for number, row in enumerate(rows)])
    before_due = [pk for pk in (1, 2, 3) if state.due is None or pk < state.due]
    assert all(state.stages[pk].state in DONE for pk in before_due)
    assert state.due is None or state.stages[state.due].state not in DONE
    rounds = [(one.stage, one.round) for one in state.passes]
    assert len(rounds) == len(set(rounds))
    assert all(
        (one.completed_at is not None) == (one.result in DONE) or state.status == "scrapped" for one in state.passes
    )


@pytest.mark.django_db
def test_same_entries_in_any_order_end_in_the_same_rows():
    site, product = make_site(), make_product()
    make_stage_form(product, "A", {"code": "w", "per_position": True}, positions=["X", "Y"])
    actor = make_user("quality")
    entries = [
        Entry("w", "NOT OK", "1", "X", AT, "a"),
        Entry("w", "OK", "2", "X", AT + timedelta(minutes=1), "b"),
        Entry("w", "N/A", "3", "Y", AT + timedelta(minutes=2), "c"),
    ]
    ends = set()
    for order in permutations(entries):
        unit = make_serial_unit(product=product, site=site, at=AT)
        for entry in (*order, order[0]):
            services.enter(unit=unit, stage="A", entries=[entry], actor=actor, recorded_at=AT + timedelta(hours=1))
        unit.refresh_from_db()
        passage = StagePassage.objects.get(stage__unit=unit)
        ends.add((unit.status, unit.finished_at, passage.result, passage.started_at, passage.completed_at))
    assert ends == {("finished", AT + timedelta(minutes=2), "ok", AT, AT + timedelta(minutes=2))}


class Life(RuleBasedStateMachine):
    """Three units of one product, and whatever people may think of doing to them."""

    units = st.integers(0, 2)
    stages = st.sampled_from(["A", "B"])
    values = st.sampled_from(["ok", "not_ok", "na", None])

    def __init__(self):
        super().__init__()
        site, product = make_site(), make_product()
        for number, code in enumerate(("A", "B"), start=1):
            make_stage_form(product, code, {"code": "c"}, sequence=10 * number)
        self.known = [make_serial_unit(product=product, site=site, at=AT) for _ in range(3)]
        self.actor = make_user("quality")
        self.minute = 0
        self.facts = 0

    def unit(self, number):
        self.minute += 1
        return SerialUnit.objects.get(pk=self.known[number].pk)

    def by(self):
        return By(self.actor, AT + timedelta(minutes=self.minute), f"k{self.minute}", "Because")

    def attempt(self, act):
        try:
            act()
        except DomainError:
            return False
        return True

    @rule(number=units, stage=stages, value=values)
    def enter(self, number, stage, value):
        unit = self.unit(number)
        states = {row.code: row.state for row in unit.stages.all()}
        is_due = {row.code for row in unit.stages.all() if row.is_due}
        entry = Entry("c", value, f"k{self.minute}", reason="Because")
        at = AT + timedelta(minutes=self.minute)
        done = self.attempt(
            lambda: services.enter(unit=unit, stage=stage, entries=[entry], actor=self.actor, recorded_at=at)
        )
        # Accepted only where it was due, or where an earlier stage is corrected.
        assert not done or stage in is_due or states[stage] in DONE

    @rule(number=units, stage=stages)
    def complete(self, number, stage):
        unit = self.unit(number)
        is_due = {row.code for row in unit.stages.all() if row.is_due}
        if self.attempt(lambda: services.complete_stage(unit=unit, stage=stage, by=self.by())):
            assert stage in is_due

    @rule(number=units, stage=stages)
    def rework(self, number, stage):
        unit = self.unit(number)
        self.attempt(lambda: services.send_to_rework(unit=unit, to_stage=stage, by=self.by()))

    @rule(number=units, stage=stages)
    def use_as_is(self, number, stage):
        unit = self.unit(number)
        self.attempt(lambda: services.use_as_is(unit=unit, stage=stage, by=self.by()))

    @rule(number=units, what=st.sampled_from([services.hold, services.release, services.dispatch]))
    def decide(self, number, what):
        unit = self.unit(number)
        self.attempt(lambda: what(unit=unit, by=self.by()))

    @precondition(lambda self: self.minute > 12)
    @rule(number=units)
    def scrap(self, number):
        unit = self.unit(number)
        self.attempt(lambda: services.scrap(unit=unit, by=self.by()))

    @rule(number=units, child=units, position=st.sampled_from(["X", "Y"]), again=st.booleans())
    def assemble(self, number, child, position, again):
        parent, part, by = self.unit(number), SerialUnit.objects.get(pk=self.known[child].pk), self.by()
        common = {"parent": parent, "position": position, "child": part, "actor": self.actor, "at": by.at}
        if again:
            self.attempt(lambda: assembling.replace_part(reason="Because", idempotency_key=by.key, **common))
        else:
            self.attempt(lambda: assembling.assemble(idempotency_key=by.key, **common))

    @rule(number=units, position=st.sampled_from(["X", "Y"]))
    def remove(self, number, position):
        parent, by = self.unit(number), self.by()
        self.attempt(
            lambda: assembling.remove(
                parent=parent, position=position, reason="x", actor=self.actor, at=by.at, idempotency_key=by.key
            )
        )

    @invariant()
    def child_has_at_most_one_parent(self):
        now = list(Assembly.objects.filter(removal__isnull=True).values_list("child_id", "parent_id", "position"))
        assert len({child for child, *_ in now}) == len(now)
        beside = SerialUnit.objects.filter(parent__isnull=False).values_list("id", "parent_id", "parent_position")
        assert sorted(now) == sorted(beside)
        for unit in self.known:
            assert unit not in records.where_used(SerialUnit.objects.get(pk=unit.pk))

    @invariant()
    def history_is_never_lost(self):
        kinds = (StageEntry, UnitEvent, Assembly, AssemblyRemoval)
        count = sum(kind.objects.count() for kind in kinds)
        assert count >= self.facts
        self.facts = count

    @invariant()
    def what_stands_beside_the_facts_follows_from_them(self):
        for one in self.known:
            unit = SerialUnit.objects.get(pk=one.pk)
            state = services.know(unit).state
            assert (unit.status, unit.rework_count) == (state.status, state.rework_count)
            rows = list(unit.stages.order_by("sequence"))
            assert [row.state for row in rows] == [state.stages[row.pk].state for row in rows]
            due = [row.pk for row in rows if row.is_due]
            assert due == ([state.due] if state.due else [])
            begun_after_due = [row for row in rows if state.due and row.pk > state.due and row.state != StageState.OPEN]
            # What comes after the due stage was begun only while everything before it was done.
            for row in begun_after_due:
                assert StageEntry.objects.filter(stage=row).exists() or UnitEvent.objects.filter(stage=row).exists()
            if unit.status == UnitStatus.DISPATCHED:
                assert unit.parent_id is None


class TestLife(TestCase):
    def test_a_units_life(self):
        run_state_machine_as_test(
            Life,
            settings=settings(
                max_examples=5, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
