"""Say which connector answers a caller, and which machines it may speak of."""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from accounts.keys import DeviceScope, device_scope
from connectors.digitme2.tables import Authentication, MachineRow, Settings
from connectors.doors import complete_options
from connectors.models import Connector, Protocol
from connectors.services import scope_of
from core.errors import Conflict, DomainError, Invalid, NotFound
from enterprise.models import Machine


class NotAdmitted(DomainError):
    """The caller did not show that it may call. `needs_key` when a key would help."""

    def __init__(self, message: str, *, needs_key: bool) -> None:
        super().__init__(message)
        self.needs_key = needs_key


@dataclass(frozen=True, slots=True)
class Plant:
    """The connector that answers a call: its settings, and the machines that this caller may speak of."""

    connector: Connector
    settings: Settings
    scope: DeviceScope

    def machine_of(self, number: int, *, field: str = "machine_id") -> Machine:
        """Return the machine that devices call by a number. Raises NotFound, also for what the caller may not know."""
        row = self.settings.machines.get(number)
        machine = None if row is None else self._machines().filter(code=row.code).first()
        if machine is None:
            raise NotFound(f"There is no machine {number}.", field=field)
        return machine

    def row_of(self, machine: Machine) -> MachineRow:
        """Return a machine's line in the table. Raises Conflict when it has none."""
        row = next((row for row in self.settings.machines.values() if row.code == machine.code), None)
        if row is None:
            raise Conflict(f"The machine '{machine.code}' has no number in the connector's table.", field="machine_id")
        return row

    def knows(self, machine: Machine) -> bool:
        """Say whether the caller may speak of a machine."""
        return machine.is_active and machine.pk in self.scope.machine_ids

    def _machines(self) -> QuerySet[Machine]:
        return Machine.objects.select_related("line__area__site").filter(pk__in=self.scope.machine_ids, is_active=True)


def admit(*, raw_key: str | None, address: str, now: datetime) -> Plant:
    """Return the plant that answers a caller.

    A key leads to its site; without one, the address decides before openness does. Raises NotFound when no connector
    is switched on there, NotAdmitted when none lets the caller in, Conflict when several would.
    """
    connectors = list(Connector.objects.filter(protocol=Protocol.DIGITME2, is_active=True).order_by("id"))
    if not connectors:
        raise NotFound("These calls are not switched on here.")
    key = None if raw_key is None else device_scope(raw_key, clock=time.monotonic(), now=now)
    if raw_key is not None:
        if key is None:
            raise NotAdmitted("This key is not valid here.", needs_key=True)
        connectors = [connector for connector in connectors if connector.site_id == key.site_id]
        if not connectors:
            raise NotFound("These calls are not switched on at the site of this key.")
    admitting: dict[Authentication, list[tuple[Connector, Settings]]] = {}
    asked_for_key = False
    for connector in connectors:
        settings = settings_of(connector)
        asked_for_key = asked_for_key or settings.authentication is Authentication.KEY
        if _admits(settings, has_key=key is not None, address=address):
            admitting.setdefault(settings.authentication, []).append((connector, settings))
    for way in (Authentication.KEY, Authentication.ADDRESS, Authentication.OPEN):
        found = admitting.get(way, [])
        if len(found) > 1:
            codes = ", ".join(connector.code for connector, _ in found)
            raise Conflict(
                f"Several connectors would answer this caller: {codes}. Give each its own addresses or keys."
            )
        if found:
            connector, settings = found[0]
            return Plant(connector, settings, _scope(connector, key))
    if asked_for_key:
        raise NotAdmitted("Send a valid device key: 'Authorization: Api-Key <key>' or '?key='.", needs_key=True)
    raise NotAdmitted("This address may not call.", needs_key=False)


def settings_of(connector: Connector) -> Settings:
    """Return a connector's options, read. Raises Conflict when they do not fit."""
    try:
        return Settings.of(complete_options(connector.protocol, connector.options))
    except ValueError as error:
        raise Conflict(f"The connector '{connector.code}' is not set up: {error}") from None


def _admits(settings: Settings, *, has_key: bool, address: str) -> bool:
    if settings.authentication is Authentication.KEY:
        return has_key
    return settings.authentication is Authentication.OPEN or settings.covers(address)


def _scope(connector: Connector, key: DeviceScope | None) -> DeviceScope:
    site = replace(scope_of(connector), source=f"digitme2:{connector.code}"[:64])
    return site if key is None else replace(site, machine_ids=site.machine_ids & key.machine_ids)


def number_in(query: str, field: str) -> int:
    """Return the whole number that a query parameter is. Raises Invalid."""
    if not (query.isascii() and query.isdigit() and len(query) <= 9):
        raise Invalid(f"'{field}' must be a whole number.", field=field)
    return int(query)
