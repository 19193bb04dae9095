"""Many devices at once, on a real server: where the original answered that its database was locked."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from connectors.digitme2.tests.plant import PASSWORD, make_operator, make_plant
from connectors.models import Tablet
from counts.models import CountHistory
from downtime.models import StateHistory
from tests.factories import make_machine, make_reason
from tests.servers import shared_server
from workorders.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
DEVICES = 10


def test_ten_devices_at_once_are_all_answered_and_leave_one_history_each():
    plant = make_plant()
    line = plant.machine.line
    machines = [plant.machine, *(make_machine(line=line) for _ in range(DEVICES - 1))]
    plant.options(machine_ids="\n".join(f"{number} = {machine.code}" for number, machine in enumerate(machines, 1)))
    with httpx.Client(base_url=shared_server(), timeout=30) as client:

        def device(number):
            return [
                client.post(
                    "/api/machine-state-change", json={"machine_id": number, "activity_code_id": code}
                ).status_code
                for code in (5, 2, 5)
            ]

        with ThreadPoolExecutor(DEVICES) as pool:
            answers = list(pool.map(device, range(1, DEVICES + 1)))
            assert answers == [[200] * 3] * DEVICES
            same = [
                pool.submit(client.post, "/api/machine-state-change", json={"machine_id": 1, "machine_state": 0})
                for _ in range(DEVICES)
            ]
            assert {answer.result().status_code for answer in same} == {200}
    jam, down = plant.reasons[5].code, plant.reasons[2].code
    for machine in machines[1:]:
        assert plant.states(machine) == [jam, down, jam]
    assert plant.states() == [jam, down, jam] + [down] * DEVICES
    assert StateHistory.objects.count() == 3 * DEVICES + DEVICES


def test_ten_tablets_at_once_start_one_job_and_end_it_once():
    plant = make_plant(several_sessions=True)
    for number in range(DEVICES):
        plant.log_in(f"t-{number}")
    with httpx.Client(base_url=shared_server(), timeout=30) as client:

        def post(path, **body):
            def call(number):
                return client.post(path, json={"device_uuid": f"t-{number}", **body}).status_code

            with ThreadPoolExecutor(DEVICES) as pool:
                return sorted(pool.map(call, range(DEVICES)))

        assert post("/android-start-job", job_number="J-1", ideal_cycle_time=1) == [200] + [409] * (DEVICES - 1)
        assert post("/android-update-quantity", quantity_good=1, rejects=0) == [200] * DEVICES
        assert post("/android-end-job", quantity_good=1, rejects=0) == [200] + [409] * (DEVICES - 1)
    assert Run.objects.get().ended_at is not None
    assert sum(CountHistory.objects.values_list("value", flat=True)) == DEVICES + 1


def test_ten_tablets_at_once_register_and_log_in():
    plant = make_plant()
    people = [make_operator(plant.connector.site) for _ in range(DEVICES)]
    make_reason()
    with httpx.Client(base_url=shared_server(), timeout=30) as client:

        def check(number):
            return client.get("/check-state", params={"device_uuid": f"t-{number % 5}"}).status_code

        def log_in(number):
            body = {"device_uuid": f"t-{number % 5}", "user_id": people[number].pk, "password": PASSWORD}
            return client.post("/android-login", json=body).json()

        with ThreadPoolExecutor(DEVICES) as pool:
            assert set(pool.map(check, range(DEVICES))) == {200}
            assert Tablet.objects.count() == 5
            Tablet.objects.update(machine=plant.machine)
            assert [answer["success"] for answer in pool.map(log_in, range(DEVICES))] == [True] * DEVICES
    assert Tablet.objects.filter(user__isnull=False).count() == 5
