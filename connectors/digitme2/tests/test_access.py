"""Who may call: by key, by address, or whoever reaches the server."""

import pytest
from django.test import Client

from connectors.digitme2.options import DOOR
from connectors.digitme2.tables import Settings
from connectors.digitme2.tests.plant import make_plant
from connectors.digitme2.urls import urlpatterns
from connectors.doors import complete_options, door_of
from tests.factories import make_device_key, make_machine

pytestmark = pytest.mark.django_db
PATHS = [f"/{str(pattern.pattern)[1:-3]}" for pattern in urlpatterns]
GETS = {"/api/users", "/api/activity-codes", "/api/oee", "/api/activity-durations", "/check-state"}


def ask(client, path, **headers):
    if path.rstrip("/") in GETS:
        return client.get(path, {"machine_id": 1, "device_uuid": "t"}, headers=headers)
    return client.post(path, {}, content_type="application/json", headers=headers)


@pytest.mark.parametrize("path", PATHS)
def test_call_without_an_active_connector_is_a_404(path):
    assert ask(Client(), path).status_code == 404
    plant = make_plant()
    type(plant.connector).objects.update(is_active=False)
    assert ask(Client(), path).status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_call_without_the_key_is_a_401_and_says_how(path):
    make_plant(authentication="key")
    refused = ask(Client(), path)
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Api-Key")
    assert ask(Client(), path, Authorization="Api-Key no.such").status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_call_is_answered_with_and_without_the_slash_and_by_its_method_only(path):
    make_plant()
    bare, slashed = ask(Client(), path), ask(Client(), f"{path}/")
    assert bare.status_code == slashed.status_code
    # Answered or refused by the call itself, in its own shape; what counts seconds up to now moves on meanwhile.
    assert list(bare.json()) == list(slashed.json())
    wrong = Client().post(path, {}) if path in GETS else Client().get(path)
    assert (wrong.status_code, wrong["Allow"]) == (405, "GET" if path in GETS else "POST")


def test_key_may_speak_of_its_machines_only():
    plant = make_plant(authentication="key")
    other = make_machine(line=plant.machine.line)
    plant.options(machine_ids=f"1 = {plant.machine.code}\n2 = {other.code}")
    _, secret = make_device_key(machine=plant.machine)
    header = {"Authorization": f"Api-Key {secret}"}
    body = {"machine_id": 1, "machine_state": 0}
    assert plant.post("/api/machine-state-change", body, headers=header).status_code == 200
    assert plant.post(f"/api/machine-state-change?key={secret}", body).status_code == 200
    assert plant.post("/api/machine-state-change", {**body, "machine_id": 2}, headers=header).status_code == 404


def test_key_of_another_site_finds_nothing():
    plant = make_plant(authentication="key")
    _, secret = make_device_key(machine=make_machine())
    answer = plant.client.get("/api/users", headers={"Authorization": f"Api-Key {secret}"})
    assert answer.status_code == 404


def test_key_leads_to_its_own_site_where_several_have_a_connector():
    plant, other = make_plant(authentication="key"), make_plant(authentication="key")
    _, secret = make_device_key(line=other.machine.line)
    body = {"machine_id": 1, "machine_state": 0}
    plant.post("/api/machine-state-change", body, headers={"Authorization": f"Api-Key {secret}"})
    assert (plant.states(), other.states()) == ([], [other.reasons[2].code])


def test_machine_of_another_site_in_the_table_does_not_exist():
    plant = make_plant()
    plant.options(machine_ids=f"1 = {make_machine().code}")
    assert plant.post("/api/machine-state-change", {"machine_id": 1, "machine_state": 0}).status_code == 404


@pytest.mark.parametrize(
    ("address", "status"), [("10.1.2.3", 200), ("10.2.0.1", 403), ("::ffff:10.1.2.3", 200), ("fe80::1%eth0", 403)]
)
def test_address_decides(address, status):
    plant = make_plant(authentication="address", addresses="10.1.0.0/16")
    assert plant.client.get("/api/users", REMOTE_ADDR=address).status_code == status


@pytest.mark.parametrize(("behind", "status"), [(True, 200), (False, 403)])
def test_proxys_word_counts_only_behind_a_proxy(settings, behind, status):
    settings.BEHIND_PROXY = behind
    plant = make_plant(authentication="address", addresses="10.1.2.3")
    answer = plant.client.get("/api/users", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "6.6.6.6, 10.1.2.3"})
    assert answer.status_code == status
    spoofed = plant.client.get("/api/users", REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "10.1.2.3, 6.6.6.6"})
    assert spoofed.status_code == 403


def test_two_connectors_that_would_answer_the_same_caller_are_a_409():
    make_plant(), make_plant()
    refused = Client().get("/api/users")
    assert refused.status_code == 409
    assert "Several connectors" in refused.json()["reason"]


def test_cookie_of_a_browser_is_not_needed_and_a_form_of_another_page_is_refused():
    plant = make_plant()
    strict = Client(enforce_csrf_checks=True)
    body = '{"machine_id": 1, "machine_state": 0}'
    path = "/api/machine-state-change"
    assert strict.post(path, body, content_type="application/json").status_code == 200
    refused = strict.post(path, body, content_type="text/plain")
    assert (refused.status_code, refused.json()["field"]) == (400, "Content-Type")
    assert len(plant.states()) == 1


def test_door_has_nothing_to_run_and_asks_for_a_key_unless_told_otherwise():
    assert door_of("digitme2") is DOOR
    assert DOOR.run is None
    assert Settings.of(complete_options("digitme2", {})).authentication == "key"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"authentication": "address"}, "addresses"),
        ({"addresses": "10.1.2.300"}, "10.1.2.300"),
        ({"machine_ids": "one = A"}, "number = code"),
        ({"machine_ids": "1 = A\n1 = B"}, "twice"),
        ({"machine_ids": "1 = A\n2 = A"}, "twice"),
        ({"machine_ids": "1 = A fast"}, "fast"),
        ({"activity_codes": "1 = RUN"}, "no line for 2"),
        ({"activity_codes": "1 = RUN STOP"}, "one word"),
        ({"authentication": "anyhow"}, "authentication"),
    ],
)
def test_option_that_does_not_fit_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        complete_options("digitme2", options)


def test_machine_may_differ_in_workflow_and_input():
    rows = Settings.of(
        complete_options("digitme2", {"machine_ids": "1 = A pausable parts_per_minute # the press\n\n2 = B"})
    ).machines
    assert (rows[1].workflow, rows[1].job_input) == ("pausable", "parts_per_minute")
    assert (rows[2].workflow, rows[2].job_input) == ("default", "cycle_time_seconds")


def test_connector_that_is_not_set_up_says_so():
    plant = make_plant()
    plant.options(machine_ids="nonsense")
    refused = plant.client.get("/api/users")
    assert refused.status_code == 409
    assert plant.connector.code in refused.json()["reason"]
