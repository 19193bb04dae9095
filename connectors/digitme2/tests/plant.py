"""A plant as DigitME2's devices know it, for tests."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import User
from connectors.models import Connector, Protocol, Tablet
from counts.models import CountTag
from downtime.models import StateHistory, StateReason
from enterprise.models import Machine
from tests.factories import make_count_tag, make_machine, make_reason, make_user

PASSWORD = "a long enough word"


@dataclass
class Plant:
    """One machine with its tags, reasons, an operator and the connector."""

    machine: Machine
    connector: Connector
    reasons: dict[int, StateReason]
    good: CountTag
    reject: CountTag
    operator: User
    client: Client

    def post(self, path: str, body: Any, **headers: Any) -> Any:
        return self.client.post(path, body, content_type="application/json", **headers)

    def options(self, **options: Any) -> None:
        self.connector.options = {**self.connector.options, **options}
        self.connector.save()

    def tablet(self, uuid: str = "t-1") -> Tablet:
        """Register a tablet by its first call and stand it at the machine."""
        assert self.client.get("/check-state", {"device_uuid": uuid}).status_code == 200
        Tablet.objects.filter(device_uuid=uuid).update(machine=self.machine)
        return Tablet.objects.get(device_uuid=uuid)

    def log_in(self, uuid: str = "t-1", user: User | None = None) -> Tablet:
        """Register a tablet and log the operator in at it."""
        tablet = self.tablet(uuid)
        answer = self.post(
            "/android-login", {"device_uuid": uuid, "user_id": (user or self.operator).pk, "password": PASSWORD}
        )
        assert answer.json() == {"success": True}
        return tablet

    def states(self, machine: Machine | None = None) -> list[str]:
        rows = StateHistory.objects.filter(machine=machine or self.machine).order_by("occurred_at")
        return list(rows.values_list("reason__code", flat=True))

    def check(self, uuid: str = "t-1") -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get("/check-state", {"device_uuid": uuid}).json()
        return answer


def make_operator(site: Any, **overrides: Any) -> User:
    user = make_user("operator", site, **overrides)
    user.set_password(PASSWORD)
    user.save()
    return user


def make_plant(**options: Any) -> Plant:
    machine = make_machine()
    reasons = {
        1: make_reason("running", name="Up"),
        2: make_reason("unplanned", name="Down"),
        3: make_reason("not_scheduled", name="Closed"),
        5: make_reason("unplanned", name="Jam", colour="#123456"),
    }
    table = "\n".join(f"{number} = {reason.code}" for number, reason in reasons.items())
    site = machine.line.area.site
    connector = Connector.objects.create(
        code=f"tablets-{machine.pk}",
        name="Tablets",
        site=site,
        protocol=Protocol.DIGITME2,
        options={
            "authentication": "open",
            "machine_ids": f"1 = {machine.code}",
            "activity_codes": table,
            **options,
        },
    )
    return Plant(
        machine=machine,
        connector=connector,
        reasons=reasons,
        good=make_count_tag(machine=machine),
        reject=make_count_tag(machine=machine, role="reject"),
        operator=make_operator(site),
        client=Client(),
    )
