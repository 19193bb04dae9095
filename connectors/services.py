"""Set connections up from what the admin holds, and write down how they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from accounts.keys import DeviceScope
from connectors.doors import Setup, complete_options
from connectors.intake import Tally
from connectors.models import Connector, ConnectorHealth, SignalMapping, StateMap, StateMapEntry, UnmappedSignal
from connectors.presets import PRESETS, reason_code
from connectors.secrets import secret_of
from connectors.translation import CountSignal, StateSignal, StateTable, Translator
from core.master_data import save
from counts.models import CountTag
from downtime.models import StateReason
from downtime.services import no_data_reason
from enterprise.models import Machine

_LONGEST_ERROR = 500


def setup_of(connector: Connector, worker: str = "") -> Setup:
    """Return what a connection needs. Raises SecretUnreadable, or ValueError for options that do not fit."""
    return Setup(
        connector_id=connector.pk,
        site_id=connector.site_id,
        code=connector.code,
        address=connector.address,
        username=connector.username,
        secret=secret_of(connector),
        options=complete_options(connector.protocol, connector.options),
        translator=translator_of(connector),
        worker=worker,
    )


def scope_of(connector: Connector) -> DeviceScope:
    """Return what a connector may send: the facts of its site's machines."""
    machines = Machine.objects.filter(line__area__site=connector.site_id).values_list("id", flat=True)
    return DeviceScope(
        source=f"connector:{connector.code}"[:64], site_id=connector.site_id, machine_ids=frozenset(machines)
    )


def translator_of(connector: Connector) -> Translator:
    """Return the meaning of a connector's signals."""
    rows = list(
        SignalMapping.objects.filter(connector=connector)
        .select_related("tag__machine", "machine", "state_map")
        .order_by("id")
    )
    tables = {row.state_map_id: state_table(row.state_map) for row in rows if row.state_map is not None}
    signals: list[CountSignal | StateSignal] = []
    for row in rows:
        if row.tag is not None:
            is_running = row.tag.mode == CountTag.Mode.RUNNING
            signals.append(CountSignal(row.signal, row.tag.tag_path, is_running, row.tag.machine.code))
        elif row.machine is not None:
            table = tables.get(row.state_map_id) if row.state_map_id else None
            signals.append(StateSignal(row.signal, row.machine.code, row.position, table))
    return Translator(signals, no_data=no_data_reason().code)


def state_table(state_map: StateMap) -> StateTable:
    """Return a map as translations use it."""
    entries = state_map.entries.select_related("reason").order_by("position", "id")
    return StateTable(state_map.code, tuple((entry.value, entry.reason.code) for entry in entries))


def fingerprint(codes: list[str] | None) -> dict[int, str]:
    """Return the enabled connectors that have something to run, each with a word that changes with its set-up."""
    only = "" if codes is None else "AND connector.code = ANY(%(codes)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT connector.id, md5(concat_ws(E'\\n', connector::text,
                (SELECT encrypted FROM connectors_connectorsecret WHERE connector_id = connector.id),
                (SELECT string_agg(mapping::text, E'\\n' ORDER BY mapping.id)
                 FROM connectors_signalmapping mapping WHERE mapping.connector_id = connector.id),
                (SELECT string_agg(entry::text || reason.code, E'\\n' ORDER BY entry.id)
                 FROM connectors_statemapentry entry JOIN downtime_statereason reason ON reason.id = entry.reason_id
                 WHERE entry.state_map_id IN (SELECT state_map_id FROM connectors_signalmapping
                                              WHERE connector_id = connector.id)),
                (SELECT string_agg(tag.tag_path || tag.mode, E'\\n' ORDER BY tag.id) FROM counts_counttag tag
                 WHERE tag.id IN (SELECT tag_id FROM connectors_signalmapping WHERE connector_id = connector.id))
            ))
            FROM connectors_connector connector WHERE connector.is_active {only}
            """,
            {"codes": codes},
        )
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Report:
    """What a running connection has to say about itself since the last report."""

    state: str
    tally: Tally
    restarts: int = 0
    error: str = ""
    unmapped: Mapping[str, tuple[str, datetime]] | None = None


@transaction.atomic
def report_health(connector_id: int, report: Report, *, at: datetime) -> None:
    """Write down how a connection is; the numbers add to what was there. A connector that is gone is passed over."""
    connector = Connector.objects.filter(pk=connector_id).first()
    if connector is None:
        return
    health, _ = ConnectorHealth.objects.select_for_update().get_or_create(
        connector=connector, defaults={"state": report.state, "since": at, "reported_at": at}
    )
    if health.state != report.state:
        health.state, health.since = report.state, at
    health.reported_at = at
    if report.error:
        health.last_error, health.last_error_at = report.error[:_LONGEST_ERROR], at
    health.last_message_at = report.tally.last_message_at or health.last_message_at
    health.restarts += report.restarts
    for name in ("messages", "accepted", "duplicates", "refused", "gaps"):
        setattr(health, name, getattr(health, name) + getattr(report.tally, name))
    health.save()
    if report.unmapped:
        UnmappedSignal.objects.bulk_create(
            [
                UnmappedSignal(connector=connector, signal=signal[:500], last_value=value, last_received_at=received_at)
                for signal, (value, received_at) in report.unmapped.items()
            ],
            update_conflicts=True,
            unique_fields=["connector", "signal"],
            update_fields=["last_value", "last_received_at"],
        )


@transaction.atomic
def install_preset(key: str, *, reasons: Mapping[str, str] | None = None) -> StateMap:
    """Return the state map that a preset stands for; what of it is there already stays as it is.

    `reasons` names a reason of the plant's own by its code for whole categories; the other rows get a reason each, such
    as PACKML-HELD, which is made when there is none. Raises LookupError for a preset or a reason that there is not, and
    ValueError for a reason of another category.
    """
    if key not in PRESETS:
        raise LookupError(f"There is no preset '{key}'; there are {', '.join(sorted(PRESETS))}.")
    state_map = StateMap.objects.filter(code=key).first()
    if state_map is None:
        state_map = save(StateMap(code=key, name=key, description="Installed from the preset of this name."))
    present = set(state_map.entries.values_list("value", flat=True))
    for position, (value, category, name) in enumerate(PRESETS[key], start=1):
        if value not in present:
            own = (reasons or {}).get(category)
            reason = _own_reason(own, category) if own else _preset_reason(reason_code(key, name), category, name)
            save(StateMapEntry(state_map=state_map, position=position, value=value, reason=reason))
    return state_map


def _own_reason(code: str, category: str) -> StateReason:
    reason: StateReason | None = StateReason.objects.filter(code=code).first()
    if reason is None:
        raise LookupError(f"There is no state reason '{code}'.")
    return _of_category(reason, category)


def _preset_reason(code: str, category: str, name: str) -> StateReason:
    reason: StateReason | None = StateReason.objects.filter(code=code).first()
    if reason is not None:
        return _of_category(reason, category)
    return save(StateReason(code=code, name=name, category=category, operator_selectable=False))


def _of_category(reason: StateReason, category: str) -> StateReason:
    if reason.category != category:
        raise ValueError(f"The state reason '{reason.code}' is in the category {reason.category}, not {category}.")
    return reason
