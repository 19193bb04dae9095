"""A number explains itself: every step adds up to the one before it, exactly, down to the facts."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import master_data
from core.intervals import Interval
from counts.models import CountHistory
from counts.services import NewReading, correct_count, record_readings
from downtime.models import ReasonRule
from downtime.services import NewState, correct_state, record_states
from enterprise.models import Machine
from oee.explain import ADDITIVE, explain_element, explain_kpi, raw_facts
from oee.kpi_elements import answer
from oee.models import OeePolicy
from oee.questions import Question
from tests.factories import (
    make_count_tag,
    make_ideal_rate,
    make_machine,
    make_product,
    make_reason,
    make_run,
    make_shift,
    make_user,
    make_work_order,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 5, tzinfo=UTC)
NOW = START + timedelta(days=10)


def at(minutes):
    return START + timedelta(minutes=minutes)


def plant(policy=None):
    line_machine = make_machine(micro_stop_below=120)
    site = line_machine.line.area.site
    line_machine.line.oee_mode = "weighted"
    line_machine.line.save()
    make_machine(line=line_machine.line, position=2, no_signal_timeout=3000)
    make_shift(site=site)
    product = make_product()
    machines = list(Machine.objects.filter(line=line_machine.line).select_related("line__area__site"))
    make_ideal_rate(machine=machines[0], product=product, value=Decimal("7.5"))
    make_ideal_rate(machine=machines[1], product=product, value=Decimal(3), valid_from=at(100))
    order = make_work_order(line=line_machine.line, product=product)
    make_run(line=line_machine.line, work_order=order, started_at=at(20), ended_at=at(400))
    if policy:
        OeePolicy.objects.create(site=site, startup_minutes=60, **policy)
    return machines


def identity(fact):
    who, second, what = fact
    return who, second, what if what in ("good", "bad", "count") else "state"


facts = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 30_000),
        st.sampled_from(["run", "stop", "wait", "repair", "setup", "good", "bad", "count"]),
    ),
    max_size=30,
    unique_by=identity,
)


@settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts,
    st.sampled_from([None, {"micro_stops": "availability"}, {"startup_rejects": "exclude", "overtime": "exclude"}]),
    st.sampled_from([7, 60, 200]),
    st.sets(st.sampled_from(sorted(ADDITIVE)), min_size=8, max_size=8),
)
def test_every_element_is_the_sum_of_what_it_is_taken_apart_into(db, happened, policy, hours, codes):
    machines = plant(policy)
    reasons = {
        name: make_reason(kind) for name, kind in (("run", "running"), ("stop", "unplanned"), ("setup", "changeover"))
    }
    reasons["wait"] = make_reason("unplanned", waits_for="upstream")
    reasons["repair"] = make_reason("unplanned", maintenance="corrective", is_failure=True)
    tags = [
        {
            "good": make_count_tag(machine=machine),
            "bad": make_count_tag(machine=machine, role="reject"),
            "count": make_count_tag(machine=machine, mode="running"),
        }
        for machine in machines
    ]
    for who, second, what in happened:
        moment = START + timedelta(seconds=second)
        if what in reasons:
            record_states([NewState(machines[who].pk, moment, reasons[what].pk)], recorded_at=NOW)
        else:
            tag = tags[who][what]
            value = second // 100 if what == "count" else 3
            record_readings(
                [NewReading(tag.pk, tag.machine_id, what == "count", moment, Decimal(value))], recorded_at=NOW
            )
    asked = Question(machines, Interval(START + timedelta(minutes=17), START + timedelta(hours=hours)))
    values = answer(asked, now=NOW).values
    for code in codes:
        found = explain_element(code, asked, now=NOW)
        assert found.value == values[code]
        if found.value is not None:
            assert found.total == found.value, code
    first = explain_kpi("oee_index", asked, now=NOW)
    for element in first.kpi.elements:
        of_machines = [values[element.code] for values in first.by_machine.values()]
        if None not in of_machines:
            assert sum(of_machines) == element.value


@pytest.fixture
def machine():
    return plant()[0]


def test_three_steps_down_to_the_facts(machine):
    run, stop, jam = make_reason("running"), make_reason("unplanned"), make_reason("unplanned", name="Jam")
    record_states(
        [
            NewState(machine.pk, at(0), run.pk, source="key:abc"),
            NewState(machine.pk, at(90), stop.pk, "E17 film torn", source="key:abc"),
            NewState(machine.pk, at(120), run.pk, source="key:abc"),
        ],
        recorded_at=NOW,
    )
    correct_state(
        machine=machine,
        starts_at=at(90),
        ends_at=at(100),
        reason=jam,
        comment="seen it",
        actor=make_user(),
        recorded_at=NOW,
    )
    asked = Question([machine], Interval(at(0), at(480)))
    kpi = explain_kpi("availability", asked, now=NOW).kpi
    assert kpi.kpi.formula == "(APT + MST) / PBT"
    values = {element.code: element.value for element in kpi.elements}
    assert kpi.value == (values["APT"] + values["MST"]) / values["PBT"] == Fraction(450, 480)
    rows = explain_element("ADET", asked, now=NOW).contributions
    assert [(row.start, row.end, row.value, row.reason_id) for row in rows] == [
        (at(90), at(100), 600, jam.pk),
        (at(100), at(120), 1200, stop.pk),
    ]
    found = raw_facts(machine, rows[0].start, rows[0].end).facts
    assert [(fact.kind, fact.occurred_at, fact.source) for fact in found] == [
        ("state", at(0), "key:abc"),
        ("correction", at(90), found[1].source),
        ("state", at(90), "key:abc"),
    ]
    assert found[2].said.endswith("E17 film torn")


def test_facts_say_what_a_rule_made_of_them_and_that_a_word_was_taken_back(machine):
    stop, torn = make_reason("unplanned", name="Stopped"), make_reason("unplanned", name="Film torn")
    record_states([NewState(machine.pk, at(90), stop.pk, "E17")], recorded_at=NOW)
    master_data.save(ReasonRule(machine=machine, name="Film", detail_text="E17", reason=torn))
    correct_state(
        machine=machine,
        starts_at=at(100),
        ends_at=None,
        reason=None,
        comment="No, it is",
        actor=make_user(),
        recorded_at=NOW,
    )
    state, word = raw_facts(machine, at(95), at(110)).facts
    assert (state.said, state.corrected) == ("Stopped: E17", "by rule: Film torn")
    assert word.said == "as the machine said: No, it is"


def test_pieces_without_a_rate_say_why_a_number_is_unknown(machine):
    tag = make_count_tag(machine=machine)
    record_states([NewState(machine.pk, at(0), make_reason("running").pk)], recorded_at=NOW)
    record_readings([NewReading(tag.pk, machine.pk, False, at(10), Decimal(5))], recorded_at=NOW)
    record_readings([NewReading(tag.pk, machine.pk, False, at(30), Decimal(8))], recorded_at=NOW)
    found = explain_element("IPT", Question([machine], Interval(at(0), at(60))), now=NOW)
    assert found.value is None
    assert [(row.start, row.counted) for row in found.contributions if row.unknown] == [(at(10), 5)]


class TestApi:
    @pytest.fixture
    def client(self, machine):
        client = Client()
        client.force_login(make_user("supervisor", machine.line.area.site))
        return client

    def ask(self, client, path, **params):
        window = {"starts_at": at(0).isoformat(), "ends_at": at(480).isoformat()}
        return client.get(f"/oee/explain/{path}", {**window, **params})

    def test_steps_answer(self, client, machine):
        record_states([NewState(machine.pk, at(0), make_reason("running").pk)], recorded_at=NOW)
        first = self.ask(client, "", machine=machine.code, kpi="availability").json()
        assert first["kpi"]["value"] == "1"
        assert first["ledger"][0]["code"] == "unscheduled"
        second = self.ask(client, "element/", machine=machine.code, element="APT", limit=1).json()
        assert (second["total"], second["count"], len(second["results"])) == ("28800", second["count"], 1)
        third = self.ask(client, "facts/", machine=machine.code).json()
        assert third["facts"][0]["kind"] == "state"

    @pytest.mark.parametrize(
        ("path", "params", "status"),
        [
            ("", {"kpi": "nonsense"}, 404),
            ("element/", {"element": "XYZ"}, 404),
            ("element/", {}, 400),
            ("element/", {"element": "APT", "limit": 10_000}, 400),
            ("facts/", {"ends_at": "2026-03-01T00:00:00Z"}, 400),
        ],
    )
    def test_bad_questions_are_refused(self, client, machine, path, params, status):
        assert self.ask(client, path, machine=machine.code, **params).status_code == status

    def test_another_sites_machine_does_not_exist(self, client):
        assert self.ask(client, "facts/", machine=make_machine().code).status_code in (400, 404)

    @pytest.mark.parametrize("path", ["", "element/", "facts/"])
    @pytest.mark.parametrize(
        "window",
        [
            {"starts_at": "0001-01-01T00:00:00Z", "ends_at": "0001-01-02T00:00:00Z"},
            {"starts_at": "9999-12-31T00:00:00Z", "ends_at": "9999-12-31T23:59:59.999999Z"},
        ],
    )
    def test_years_in_which_nothing_can_lie_are_refused(self, client, machine, path, window):
        answer = self.ask(client, path, machine=machine.pk, element="APT", **window)
        assert answer.status_code == 400
        assert "The year must lie between" in answer.json()["starts_at"][0]

    def test_a_day_at_the_end_of_the_calendar_is_refused(self, client, machine):
        for day in ("0001-01-01", "9999-12-31"):
            answer = client.get("/oee/explain/", {"machine": machine.pk, "date": day})
            assert list(answer.json()) == ["date"]

    def test_a_run_may_be_narrowed_by_a_place_and_a_window(self, client, machine):
        run = machine.line.runs.get()
        whole = client.get("/oee/explain/", {"run": run.pk, "kpi": "loading"}).json()
        assert (whole["starts_at"], len(whole["machines"])) == ("2026-03-02T05:20:00Z", 2)
        part = self.ask(client, "", run=run.pk, machine=machine.pk, ends_at=at(30).isoformat()).json()
        assert (part["starts_at"], part["ends_at"]) == ("2026-03-02T05:20:00Z", "2026-03-02T05:30:00Z")
        assert [row["machine"] for row in part["machines"]] == [machine.pk]
        beside = self.ask(client, "", run=run.pk, ends_at=at(10).isoformat())
        assert (beside.status_code, list(beside.json())) == (404, ["run"])

    def test_a_corrected_count_shows_the_word_and_whose_it_is(self, client, machine):
        tag, person = make_count_tag(machine=machine), make_user()
        record_readings([NewReading(tag.pk, machine.pk, False, at(10), Decimal(5))], recorded_at=NOW)
        fact = CountHistory.objects.get(tag=tag)
        correct_count(fact=fact, value=Decimal(4), comment="one counted twice", actor=person, recorded_at=NOW)
        facts = self.ask(client, "facts/", machine=machine.pk).json()["facts"]
        assert [(fact["kind"], fact["corrected"]) for fact in facts] == [("correction", ""), ("count", "4")]
        assert (facts[0]["said"], facts[0]["source"]) == (f"{tag.tag_path} = 4: one counted twice", f"user:{person.pk}")
