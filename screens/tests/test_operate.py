"""The operator's terminal without a browser: what it shows, whom it lets in, and its plain forms."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from andon.models import AndonCall
from andon.services import Said, call
from counts.services import NewReading, record_readings
from downtime.models import StateCorrection, StateReason
from downtime.selectors import reasons_to_choose
from execution.models import ExecutionPolicy, OperationStep, ProductionReport
from execution.tests.floor import make_order
from labor.identification import hashed_pin
from materials.models import MaterialTransaction
from tests.factories import make_call_type, make_labor_policy, make_machine, make_reason, make_run, make_user
from tests.operating import count, make_material, make_station
from workorders.models import Operation, WorkOrder

pytestmark = pytest.mark.django_db
PAGE = "/operate/PRESS/"


@pytest.fixture
def station():
    return make_station()


@pytest.fixture
def tablet(station, client):
    client.force_login(station.operator)
    return client


def send(client, do, **fields):
    return client.post(PAGE, {"do": do, "employee": "", "key": f"k{timezone.now().timestamp()}", **fields})


def words_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_machine_is_chosen_once_and_remembered(station, tablet):
    assert station.machine.name in words_of(tablet.get("/operate/"))
    chosen = tablet.get("/operate/", {"line": station.machine.line.code})
    assert (chosen.status_code, chosen.url) == (302, PAGE)
    assert tablet.get("/operate/").url == PAGE
    assert tablet.get("/operate/?again").status_code == 200
    assert make_machine().name not in words_of(tablet.get("/operate/?again"))


def test_an_order_that_the_line_makes_shows_what_the_line_made_until_somebody_starts_its_operation(station, tablet):
    count(station)
    began = station.at["on"]
    make_run(line=station.machine.line, work_order=station.order, started_at=began)
    WorkOrder.objects.filter(pk=station.order.pk).update(status="in_progress")
    tag = station.machine.count_tags.get()
    reading = NewReading(tag.pk, station.machine.pk, False, began + timedelta(minutes=20), 37)
    record_readings([reading], recorded_at=timezone.now())
    job = tablet.get(PAGE).context["job"]
    assert (job.good, job.status, job.is_of_line) == ("37", "waiting", True)
    assert "counted by the line" in words_of(tablet.get(PAGE))
    send(tablet, "start", operation=station.operation.pk)
    job = tablet.get(PAGE).context["job"]
    assert (job.status, job.is_of_line) == ("running", False)


def test_only_who_may_see_the_work_there_gets_in(station):
    assert Client().get(PAGE).status_code == 302
    for role, site, status in (("operator", None, 200), ("supervisor", station.site, 200)):
        client = Client()
        client.force_login(make_user(role, site))
        assert client.get(PAGE).status_code == status
    stranger = Client()
    stranger.force_login(make_user("operator", make_machine().line.area.site))
    for address in (PAGE, f"{PAGE}beside/"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{PAGE}who/", {"do": "forget"}).status_code == 404
    assert stranger.post(PAGE, {"do": "forget"}).status_code == 404


def test_a_role_that_only_looks_gets_no_buttons_and_no_entry(station):
    client = Client()
    client.force_login(make_user("engineer", station.site))
    page = words_of(client.get(PAGE))
    assert 'data-act="start"' not in page
    for do in ("start", "report", "stand", "explain", "load"):
        fields = {"operation": station.operation.pk, "state_reason": station.reasons.jam.pk, "code": "x"}
        span = {"starts_at": station.stopped_at.isoformat(), "ends_at": station.at["again"].isoformat()}
        assert send(client, do, **fields, **span).status_code == 403, do


@pytest.mark.parametrize("size", [1, 4])
def test_the_number_of_queries_does_not_grow(station, tablet, django_assert_max_num_queries, size):
    for number in range(size):
        make_reason(StateReason.Category.UNPLANNED)
        make_order("A", "B", machine=station.machine)
        now = timezone.now()
        call(
            call_type=make_call_type((number, "supervisor")),
            machine=station.machine,
            said=Said(at=now, recorded_at=now, actor=station.operator),
        )
    tablet.get(PAGE)
    with django_assert_max_num_queries(QUERIES) as seen:
        tablet.get(PAGE)
    counted.append(len(seen))
    assert len(set(counted)) == 1
    with django_assert_max_num_queries(20):
        tablet.get(f"{PAGE}beside/", {"operation": station.operation.pk})


QUERIES = 56  # state, shift, stops, list of work, reasons and calls, each by what the other pages use; none by row
counted: list[int] = []


def test_a_running_job_that_its_machine_counts_is_looked_up_once(client, django_assert_max_num_queries):
    station = make_station(source="machine")
    count(station)
    make_material(station)
    client.force_login(station.operator)
    assert send(client, "start", operation=station.operation.pk).status_code == 302
    client.get(PAGE)
    with django_assert_max_num_queries(64):
        page = words_of(client.get(PAGE))
    assert 'data-status="running"' in page


def test_plain_forms_take_an_operation_from_start_to_finish(station, tablet):
    for do in ("start", "pause", "resume"):
        assert send(tablet, do, operation=station.operation.pk).status_code == 302, do
    refused = send(tablet, "report", operation=station.operation.pk, good="8", scrap="2")
    assert refused.status_code == 400
    assert "Say why it was scrapped" in words_of(refused)
    # What was typed stays.
    assert 'value="8"' in words_of(refused)
    again = {"operation": station.operation.pk, "good": "8", "scrap": "2", "scrap_reason": station.crack.pk, "key": "r"}
    assert [send(tablet, "report", **again).status_code for _ in "ab"] == [302, 302]
    assert ProductionReport.objects.get().good == 8
    assert send(tablet, "finish", operation=station.operation.pk).status_code == 302
    assert send(tablet, "finish", operation=station.operation.pk).status_code == 409
    assert list(OperationStep.objects.order_by("id").values_list("action", flat=True)) == [
        *("start", "pause", "resume", "finish")
    ]
    assert Operation.objects.get(pk=station.operation.pk).status == "completed"


def test_reasons_against_starting_stand_beside_the_disabled_button(station, tablet):
    page = words_of(tablet.get(PAGE, {"operation": station.operations["WELD"].pk}))
    assert "has to be finished first" in page
    assert "disabled" in page


def test_an_entry_goes_in_the_name_of_who_stands_there(station, tablet):
    assert send(tablet, "identify", badge="B-7001").status_code == 302
    assert "Anna Nowak" in words_of(tablet.get(PAGE))
    other = send(tablet, "start", operation=station.operation.pk)
    assert (other.status_code, OperationStep.objects.count()) == (409, 0)
    send(tablet, "start", operation=station.operation.pk, employee=station.anna.pk)
    assert OperationStep.objects.get().employee == station.anna
    send(tablet, "forget")
    late = send(tablet, "pause", operation=station.operation.pk, employee=station.anna.pk)
    assert "Nobody is identified any more" in words_of(late)


def test_the_terminal_forgets_after_an_entry_when_the_site_wants_it(station, tablet):
    make_labor_policy(site=station.site, terminal_forgets=True)
    send(tablet, "identify", badge="B-7001")
    send(tablet, "start", operation=station.operation.pk, employee=station.anna.pk)
    assert "Anna Nowak" not in words_of(tablet.get(PAGE)).split("op-grid")[0]


def test_the_script_identifies_by_badge_or_pin_and_learns_nothing_from_a_wrong_one(station, tablet):
    station.anna.pin = hashed_pin("4711")
    station.anna.save()
    right = tablet.post(f"{PAGE}who/", {"do": "identify", "code": "7001", "pin": "4711"})
    assert right.json()["employee"] == {"id": station.anna.pk, "code": "7001", "name": "Anna Nowak"}
    assert tablet.post(f"{PAGE}who/", {"do": "stay"}).json()["employee"]["id"] == station.anna.pk
    wrong = tablet.post(f"{PAGE}who/", {"do": "identify", "badge": "B-1"})
    assert (wrong.status_code, wrong.json()) == (404, {"detail": "Nobody is known by that."})
    assert tablet.post(f"{PAGE}who/", {"do": "stay"}).json() == {"employee": None}
    assert tablet.post(f"{PAGE}who/", {"do": "jump"}).status_code == 400
    assert Client().post(f"{PAGE}who/", {"do": "stay"}).status_code == 403


def test_a_stop_is_explained_by_a_form_and_asked_about_no_more(station, tablet):
    assert "Why did it stop" in words_of(tablet.get(PAGE)).split("op-grid")[0]
    said = {
        "state_reason": station.reasons.jam.pk,
        "starts_at": station.stopped_at.isoformat(),
        "ends_at": station.at["again"].isoformat(),
        "seen_correction_id": 0,
    }
    assert send(tablet, "explain", **said).status_code == 302
    assert StateCorrection.objects.get().reason == station.reasons.jam
    assert "op-ask" not in words_of(tablet.get(PAGE)).split("op-grid")[0].replace("op-asked", "")
    # Another one looked at the old page.
    assert send(tablet, "explain", **said).status_code == 409
    assert send(tablet, "explain", **{**said, "starts_at": "soon"}).status_code == 400


def test_reasons_stand_favourites_first_then_in_the_readers_language(station, tablet):
    zebra = make_reason(StateReason.Category.UNPLANNED, name="Zebra", names={"de": "Aal"})
    names = lambda: [r.local_name for r in reasons_to_choose(station.machine, station.operator, since=since)]  # noqa: E731
    since = timezone.now() - timedelta(days=30)
    assert names() == ["Jam", "Lunch", "Zebra"]
    StateCorrection.objects.create(
        machine=station.machine,
        starts_at=station.stopped_at,
        ends_at=station.at["again"],
        reason=zebra,
        corrected_by=station.operator,
        recorded_at=timezone.now(),
    )
    assert names() == ["Zebra", "Jam", "Lunch"]
    tablet.cookies["django_language"] = "de"
    page = words_of(tablet.get(PAGE))
    assert page.index(">Aal<") < page.index(">Lunch<") < page.index(">Stau<")


def test_a_call_by_form_and_its_steps_at_the_supervisors_page(station, tablet):
    send(tablet, "call", call_type=station.maintenance.pk, note="Oil on the floor", operation=station.operation.pk)
    call = AndonCall.objects.get()
    assert (call.work_order, call.machine) == (station.order, station.machine)
    supervisor = Client()
    supervisor.force_login(make_user("supervisor", station.site))
    assert "Oil on the floor" in words_of(supervisor.get("/andon/calls/"))
    step = reverse("screens:andon-call", args=[call.pk])
    taken = {"kind": "acknowledged", "key": "a", "note": "Coming"}
    assert [supervisor.post(step, taken).status_code for _ in "ab"] == [302, 302]
    refused = supervisor.post(step, {**taken, "key": "b"})
    assert (refused.status_code, call.steps.count()) == (409, 2)
    assert 'value="Coming"' in words_of(refused)
    assert supervisor.post(step, {"kind": "x", "key": "c"}).status_code == 400
    assert send(tablet, "call-step", call=call.pk, kind="fixed").status_code == 302
    assert "Nobody calls for help" in words_of(supervisor.get("/andon/calls/"))
    stranger = Client()
    stranger.force_login(make_user("supervisor", make_machine().line.area.site))
    assert stranger.post(step, taken).status_code == 404
    assert "Oil" not in words_of(stranger.get("/andon/calls/"))


def test_maintenance_is_asked_for_from_the_terminal(station, tablet):
    (link,) = re.findall(r'href="(/maintenance/[^"]*)"[^>]*>[^A]*Ask for maintenance', words_of(tablet.get(PAGE)))
    asked = words_of(tablet.get(link.replace("&amp;", "&")))
    assert f'<option value="{station.machine.pk}" selected>' in asked


def test_a_scanned_lot_is_loaded_with_refusals_in_words(station, tablet):
    lot = make_material(station)
    load = {"operation": station.operation.pk, "code": "L-77"}
    too_much = send(tablet, "load", **load, quantity="51")
    assert too_much.status_code == 409
    assert send(tablet, "load", **{**load, "code": "nothing"}).status_code == 404
    assert send(tablet, "load", **load, quantity="30").status_code == 302
    assert send(tablet, "load", **load).status_code == 302
    moved = MaterialTransaction.objects.filter(kind="consume").order_by("id").values_list("lot", "quantity")
    assert list(moved) == [(lot.pk, 30), (lot.pk, 20)]
    page = words_of(tablet.get(f"{PAGE}beside/", {"operation": station.operation.pk}))
    assert "50" in page


def test_loading_over_rest_is_one_effect_for_a_key(station):
    make_material(station)
    api = APIClient()
    api.force_authenticate(station.operator)
    body = {"operation": station.operation.pk, "machine": "PRESS", "code": "L-77", "quantity": "5"}
    answers = [api.post("/material/load/", {**body, "idempotency_key": "l"}) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert MaterialTransaction.objects.filter(kind="consume").count() == 1
    for wrong in ({**body, "quantity": "NaN"}, {**body, "code": ""}, {**body, "machine": "x"}, {}, []):
        assert api.post("/material/load/", wrong).status_code == 400


def test_hand_counters_are_asked_for_where_the_policy_says_so(station, tablet):
    send(tablet, "start", operation=station.operation.pk)
    assert 'name="counter_start"' not in words_of(tablet.get(PAGE))
    ExecutionPolicy.objects.create(site=station.site, hand_counters=True)
    assert 'name="counter_start"' in words_of(tablet.get(PAGE))
    send(tablet, "report", operation=station.operation.pk, counter_start="100", counter_end="117")
    assert ProductionReport.objects.get().good == 17


def test_what_people_report_is_the_shifts_number_at_a_machine_without_counters(station, tablet):
    send(tablet, "start", operation=station.operation.pk)
    send(tablet, "report", operation=station.operation.pk, good="41")
    page = words_of(tablet.get(PAGE))
    assert '<p class="op-numbers"><b>41</b>' in page


@pytest.mark.parametrize(
    "fields",
    [
        {"operation": "x"},
        {"operation": "9" * 30},
        {"good": "1e999"},
        {"good": "NaN"},
        {"key": "\0"},
        {"scrap_reason": "a"},
        {"call_type": "-1"},
        {"code": "\0"},
        {"starts_at": "2026-13-40T99:00"},
    ],
)
@pytest.mark.parametrize(
    "do", ["start", "report", "stand", "explain", "call", "call-step", "load", "identify", "", "x"]
)
def test_bad_input_is_refused(station, tablet, do, fields):
    assert 400 <= send(tablet, do, **fields).status_code < 500


@pytest.mark.parametrize("operation", ["x", "-1", "9" * 40, "²"])
def test_a_job_that_is_none_is_passed_over(tablet, operation):
    assert tablet.get(PAGE, {"operation": operation}).status_code == 200
    assert tablet.get(f"{PAGE}beside/", {"operation": operation}).status_code in (200, 404)


def test_the_app_tells_nobodys_data(station, client):
    worker = client.get("/sw.js")
    assert worker["Service-Worker-Allowed"] == "/"
    assert worker["Content-Type"].startswith("text/javascript")
    shell = json.loads(worker.content.decode().split("const SHELL = ")[1].split(";")[0])
    assert "/static/js/operate.js" in shell
    assert json.loads(client.get("/operate/-/manifest.webmanifest").content)["start_url"] == "/operate/"
    assert client.get("/operate/-/clock/").json()["user"] is None
    client.force_login(station.operator)
    told = client.get("/operate/-/clock/").json()
    assert told["user"] == station.operator.pk
    assert abs(told["now"] / 1000 - timezone.now().timestamp()) < 5


def test_only_the_terminal_may_compile_the_reader_of_codes(tablet):
    assert "'wasm-unsafe-eval'" in tablet.get(PAGE)["Content-Security-Policy"]
    assert "wasm" not in tablet.get("/andon/calls/")["Content-Security-Policy"]
    assert tablet.get(PAGE)["Permissions-Policy"] == "camera=(self)"
