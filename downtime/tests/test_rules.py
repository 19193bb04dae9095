"""Rules give stops their reason by what was sent and when; facts stay, people hold over them, the nearest rule wins."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from core import master_data
from core.models import ChangedSpan
from downtime.models import ReasonPlace, ReasonRule, StateHistory, StateReason
from downtime.rules import Rule, apply_rules
from downtime.selectors import reasons_offered
from downtime.services import NewState, record_states
from enterprise.models import Machine
from tests.factories import make_machine, make_reason

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({"sent_reason_id": 1}, True),
        ({"sent_reason_id": 2}, False),
        ({"text": "e-117"}, True),
        ({"text": "door E-117", "is_whole_text": True}, True),
        ({"text": "E-117", "is_whole_text": True}, False),
        ({"text": "E-118"}, False),
        ({"sent_reason_id": 1, "text": "E-118"}, False),
        # 12:00 UTC is 13:00 in Warsaw, a Monday.
        ({"start_time": time(13), "end_time": time(13, 30)}, True),
        ({"start_time": time(12), "end_time": time(13)}, False),
        ({"weekdays": frozenset({1})}, True),
        ({"weekdays": frozenset({2, 7})}, False),
        ({"start_time": time(22), "end_time": time(14), "weekdays": frozenset({7})}, True),
        ({"start_time": time(22), "end_time": time(14), "weekdays": frozenset({1})}, False),
        ({"start_time": time(13), "end_time": time(2), "weekdays": frozenset({1})}, True),
        ({"start_time": time(14), "end_time": time(2)}, False),
        ({"text": "E-117", "valid_from": NOW}, True),
        ({"text": "E-117", "valid_from": NOW + timedelta(microseconds=1)}, False),
    ],
)
def test_rule_matches_when_all_that_it_names_holds(rule, matches):
    sent = NOW, 1, "unplanned", "Door E-117"
    expected = (NOW, 9, "planned", "Door E-117") if matches else sent
    assert apply_rules([Rule(9, "planned", **rule)], sent, WARSAW) == expected


def test_first_match_wins_and_running_or_unknown_time_keeps_its_own():
    rules = [Rule(8, "planned", text="other"), Rule(9, "planned", text="door"), Rule(10, "planned", text="d")]
    assert apply_rules(rules, (NOW, 1, "unplanned", "door"), WARSAW)[1] == 9
    for category in ("running", "no_data"):
        assert apply_rules(rules, (NOW, 1, category, "door"), WARSAW)[1] == 1


@pytest.fixture
def machine():
    return Machine.objects.select_related("line__area__site").get(pk=make_machine().pk)


def spans():
    found = set(ChangedSpan.objects.values_list("subject_id", "changed_from", "changed_until"))
    ChangedSpan.objects.all().delete()
    return found


@pytest.mark.django_db
def test_editing_a_rule_marks_the_machines_of_its_place_from_its_first_day_on(machine):
    sibling, stranger = make_machine(line=machine.line), make_machine()
    rule = master_data.save(
        ReasonRule(line=machine.line, name="Door", detail_text="E-117", reason=make_reason("unplanned"), valid_from=NOW)
    )
    assert spans() == {(machine.pk, NOW, None), (sibling.pk, NOW, None)}
    rule.valid_from = None
    master_data.save(rule)
    (earliest,) = {span[1] for span in spans()} - {NOW}
    assert earliest.year == 1990
    rule.is_active = False
    master_data.save(rule)
    assert {span[0] for span in spans()} == {machine.pk, sibling.pk}
    master_data.delete(rule)
    assert spans() == set()
    assert stranger.pk not in {span[0] for span in spans()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "__all__"),
        ({"start_time": time(8)}, "__all__"),
        ({"start_time": time(8), "end_time": time(8)}, "__all__"),
        ({"weekdays": [8]}, "weekdays"),
        ({"detail_text": "x", "reason": "running"}, "reason"),
    ],
)
def test_rule_without_a_condition_or_of_no_stop_is_refused(machine, values, field):
    reason = make_reason(values.pop("reason", "unplanned"))
    with pytest.raises(ValidationError) as refused:
        master_data.save(ReasonRule(machine=machine, name="R", reason=reason, **values))
    assert field in refused.value.message_dict


@pytest.mark.django_db
def test_recorded_state_stays_as_it_was_sent(machine):
    sent, given = make_reason("unplanned"), make_reason("planned")
    record_states([NewState(machine.pk, NOW, sent.pk, "E-117")], recorded_at=NOW)
    master_data.save(ReasonRule(machine=machine, name="R", detail_text="E-117", reason=given))
    assert StateHistory.objects.get().reason_id == sent.pk


@pytest.mark.django_db
def test_people_are_offered_the_reasons_of_their_place(machine):
    other = make_machine()
    everywhere, devices = make_reason("unplanned"), make_reason("unplanned", operator_selectable=False)
    here, there = make_reason("unplanned"), make_reason("unplanned")
    below = make_reason("unplanned", parent=there)
    off = make_reason("unplanned", is_active=False)
    ReasonPlace.objects.create(reason=here, line=machine.line)
    ReasonPlace.objects.create(reason=there, machine=other)
    offered = {reason.pk for reason in reasons_offered(machine)}
    assert offered == {everywhere.pk, here.pk}
    assert {devices.pk, off.pk, below.pk}.isdisjoint(offered)
    assert below.pk in {reason.pk for reason in reasons_offered(other)}


@pytest.mark.django_db
def test_unplanned_stops_are_failures_unless_said_otherwise():
    def new(category, **values):
        return master_data.save(StateReason(code=f"r{len(values)}{category}", name="R", category=category, **values))

    assert new("unplanned").is_failure is True
    assert new("planned").is_failure is False
    assert new("unplanned", is_failure=False).is_failure is False
