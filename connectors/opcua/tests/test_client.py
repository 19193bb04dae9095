"""The client against a real OPC UA server and the real database."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from asyncua import ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

from connectors import supervisor
from connectors.doors import complete_options
from connectors.models import Connector, Protocol, SignalMapping, StateMap, StateMapEntry
from connectors.opcua import client, inbox
from connectors.opcua.tests.plant import LINE, Plant
from connectors.secrets import store_secret
from connectors.services import install_preset
from connectors.tests.live import health, states, supervised, until, values
from counts.models import CountTag
from downtime.models import SignalGap, StateHistory, StateReason
from tests.factories import make_count_tag, make_machine, make_reason
from tests.servers import free_port

FAST = {"publishing_ms": 20, "sampling_ms": 10, "keep_alive": 0.2, "timeout": 1.0}
GOOD, STATE, MODE = (f"nsu={LINE};s=Filler.{name}" for name in ("Good", "State", "Mode"))
OVERFLOWED = ua.StatusCode(0x0480)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "REPORT_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.05)
    client._known_unreachable.clear()


@pytest.fixture
def machine():
    return make_machine()


@pytest.fixture
def plant():
    return Plant(free_port())


def make_connector(machine, plant, **options):
    username = options.pop("username", "")
    return Connector.objects.create(
        code=f"plc-{plant.port}",
        name="PLC",
        site=machine.line.area.site,
        protocol=Protocol.OPCUA,
        address=plant.address,
        username=username,
        options={**FAST, **options},
    )


def make_counter(machine):
    return make_count_tag(machine=machine, mode=CountTag.Mode.RUNNING)


def make_map(reasons):
    table = StateMap.objects.create(code=f"map-{StateMap.objects.count()}", name="Map")
    for value, reason in reasons.items():
        StateMapEntry.objects.create(state_map=table, value=value, reason=reason)
    return table


@asynccontextmanager
async def running(plant):
    """Run the server and every connector."""
    await plant.start()
    try:
        async with supervised():
            yield
    finally:
        with suppress(Exception):
            await plant.shut()


@pytest.fixture
def run_and_stop():
    return make_reason(code="RUN"), make_reason(StateReason.Category.UNPLANNED, code="STOP")


def facts(machine):
    return list(
        StateHistory.objects.filter(machine=machine).order_by("occurred_at").values_list("reason__code", "detail")
    )


def test_counts_and_states_arrive(machine, plant, run_and_stop):
    run, stop = run_and_stop
    tag = make_counter(machine)
    connector = make_connector(machine, plant)
    table = make_map({"1": run, "0": stop})
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=tag)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=table)
    at = datetime.now(UTC) + timedelta(seconds=30)

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [stop.code] and values(tag) == [0])
            await plant.write(plant.good, 2**53 + 1, SourceTimestamp=at)
            await plant.write(plant.state, 1, SourceTimestamp=at)
            await until(lambda: states(machine)[-1] == run.code and values(tag) == [0, 2**53 + 1])
            await until(lambda: health().messages)

    asyncio.run(scenario())
    assert StateHistory.objects.get(machine=machine, reason=run).occurred_at == at
    assert tag.readings.get(value=2**53 + 1).occurred_at == at


def test_node_is_found_by_index_by_uri_and_by_either_browse_path(machine, plant):
    path = f"/Objects/nsu={LINE};Line/nsu={LINE};Filler/nsu={LINE};Good"
    signals = ["ns=2;s=Filler.Good", GOOD, "/Objects/2:Line/2:Filler/2:Good", path]
    tags = [make_counter(machine) for _ in signals]
    connector = make_connector(machine, plant)
    for signal, tag in zip(signals, tags, strict=True):
        SignalMapping.objects.create(connector=connector, signal=signal, tag=tag)

    async def scenario():
        async with running(plant):
            await until(lambda: all(values(tag) == [0] for tag in tags))
            await plant.write(plant.good, 5)
            await until(lambda: all(values(tag) == [0, 5] for tag in tags))

    asyncio.run(scenario())
    assert health().last_error == ""


def test_missing_node_costs_only_its_own_signal(machine, plant, run_and_stop):
    run, _ = run_and_stop
    blind, lost, delta = (
        make_machine(line=machine.line),
        make_machine(line=machine.line),
        make_count_tag(machine=machine),
    )
    connector = make_connector(machine, plant)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=make_map({"0": run}))
    SignalMapping.objects.create(connector=connector, signal="ns=2;s=Nothing", machine=blind)
    SignalMapping.objects.create(connector=connector, signal="/Objects/2:Nowhere", machine=lost)
    SignalMapping.objects.create(connector=connector, signal="nsu=http://other.com;i=1", machine=lost, position=2)
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=delta)

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [run.code] and states(blind) and states(lost))
            await until(lambda: health().last_error)

    asyncio.run(scenario())
    assert states(blind) == states(lost) == ["no-data"]
    for complaint in (
        "'ns=2;s=Nothing' cannot be monitored: BadNodeIdUnknown",
        "'/Objects/2:Nowhere' leads nowhere (BadNoMatch)",
        "The server has no namespace 'http://other.com'",
        "make its tag a running counter",
    ):
        assert complaint in health().last_error
    assert "BadNodeIdUnknown" in StateHistory.objects.get(machine=blind).detail
    assert values(delta) == []
    assert health().restarts == 0


def test_bad_is_unknown_and_uncertain_is_kept_with_its_name(machine, plant, run_and_stop):
    run, stop = run_and_stop
    tag = make_counter(machine)
    connector = make_connector(machine, plant)
    table = make_map({"1": run, "0": stop})
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=tag)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=table)
    uncertain = ua.StatusCode(ua.StatusCodes.UncertainLastUsableValue)
    bad = ua.StatusCode(ua.StatusCodes.BadSensorFailure)

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [stop.code] and values(tag) == [0])
            await plant.write(plant.state, 1, StatusCode=uncertain)
            await plant.write(plant.good, 7, StatusCode=uncertain)
            await until(lambda: states(machine)[-1] == run.code and values(tag) == [0, 7])
            await until(lambda: "UncertainLastUsableValue" in health().last_error)
            await plant.write(plant.state, 1, StatusCode=bad)
            await plant.write(plant.good, 8, StatusCode=bad)
            await until(lambda: states(machine)[-1] == "no-data")
            await until(lambda: f"'{GOOD}': BadSensorFailure" in health().last_error)
            await plant.write(plant.state, 1)
            await until(lambda: states(machine)[-1] == run.code)
            await plant.write(plant.state, 1, StatusCode=uncertain)
            await until(lambda: len(states(machine)) >= 5 and "Uncertain" in facts(machine)[-1][1])

    asyncio.run(scenario())
    told = facts(machine)
    assert told[-4:] == [
        ("RUN", "1; UncertainLastUsableValue"),
        ("no-data", "BadSensorFailure"),
        ("RUN", "1"),
        ("RUN", "UncertainLastUsableValue"),
    ]
    assert values(tag) == [0, 7]


def test_array_is_refused_and_texts_and_floats_are_read(machine, plant, run_and_stop):
    run, _ = run_and_stop
    array, real = make_counter(machine), make_counter(machine)
    connector = make_connector(machine, plant)
    SignalMapping.objects.create(connector=connector, signal=f"nsu={LINE};s=Filler.Array", tag=array)
    SignalMapping.objects.create(connector=connector, signal=f"nsu={LINE};s=Filler.Real", tag=real)
    SignalMapping.objects.create(connector=connector, signal=MODE, machine=machine, state_map=make_map({"Auto": run}))

    start = plant.start

    async def with_more():
        await start()
        await plant.variable("Array", [1, 2], ua.VariantType.Int32)
        await plant.variable("Real", 0.1, ua.VariantType.Float)

    plant.start = with_more

    async def all_there():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [run.code] and real.readings.exists())
            await until(lambda: "its value is an array" in health().last_error)

    asyncio.run(all_there())
    assert real.readings.get().value == Decimal("0.1")
    assert values(array) == []


def test_overflow_of_the_servers_queue_is_a_gap(machine, plant, run_and_stop):
    """The server of asyncua drops what its queue does not hold without the overflow bit, so the test sets it."""
    run, stop = run_and_stop
    other = make_machine(line=machine.line)
    connector = make_connector(machine, plant, queue_size=1)
    table = make_map({"1": run, "0": stop})
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=table)
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=make_counter(other))
    first, last = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (30, 33))

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine) and states(machine)[-1] == stop.code)
            await plant.write(plant.state, 1, SourceTimestamp=first)
            await plant.write(plant.good, 4, SourceTimestamp=first)
            await until(lambda: states(machine)[-1] == run.code)
            await plant.write(plant.state, 0, SourceTimestamp=last, StatusCode=OVERFLOWED)
            await plant.write(plant.good, 9, SourceTimestamp=last, StatusCode=OVERFLOWED)
            await until(lambda: SignalGap.objects.count() == 2)
            await until(lambda: states(machine)[-1] == stop.code and health().gaps == 2)

    asyncio.run(scenario())
    for gone in (machine, other):
        gap = SignalGap.objects.get(machine=gone)
        assert (gap.starts_at, gap.ends_at) == (first, last)
        assert gap.cause.startswith("OPC UA queue overflow of nsu=")


def test_overflow_of_our_queue_is_a_gap(machine, plant, run_and_stop, monkeypatch):
    monkeypatch.setattr(inbox, "MOST_WAITING", 3)
    run, stop = run_and_stop
    tag = make_counter(machine)
    connector = make_connector(machine, plant, queue_size=100, publishing_ms=200)
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=tag)
    SignalMapping.objects.create(
        connector=connector, signal=STATE, machine=machine, state_map=make_map({"1": run, "0": stop})
    )

    async def scenario():
        async with running(plant):
            await until(lambda: values(tag) == [0])
            for reading in range(1, 9):
                await plant.write(plant.good, reading)
            await until(lambda: SignalGap.objects.exists())
            await until(lambda: values(tag)[-1] == 8 and states(machine)[-1] == stop.code)

    asyncio.run(scenario())
    assert SignalGap.objects.get().cause == "OPC UA queue overflow of ours"
    assert "no-data" in states(machine)
    assert "TooManyChanges" in health().last_error


@pytest.mark.parametrize("end", ["shut", "vanish"])
def test_nothing_is_known_while_the_server_is_away(machine, plant, run_and_stop, end):
    run, stop = run_and_stop
    connector = make_connector(machine, plant)
    table = make_map({"1": run, "0": stop})
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=table)

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [stop.code])
            await plant.write(plant.state, 1)
            await until(lambda: states(machine)[-1] == run.code)
            await getattr(plant, end)()
            await until(lambda: states(machine)[-1] == "no-data")
            await until(lambda: health().restarts >= 2)
            await plant.start()
            await until(lambda: states(machine)[-1] == stop.code)
            await plant.write(plant.state, 1)
            await until(lambda: states(machine)[-1] == run.code)

    before = datetime.now(UTC)
    asyncio.run(scenario())
    unknown = StateHistory.objects.get(machine=machine, reason__code="no-data")
    assert unknown.detail
    assert before < unknown.occurred_at < unknown.recorded_at
    assert health().last_error.startswith("ConnectionLost")


def test_state_that_outlasted_the_connection_holds_again(machine, plant, run_and_stop):
    run, stop = run_and_stop
    connector = make_connector(machine, plant)
    table = make_map({"1": run, "0": stop})
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=table)
    at = datetime.now(UTC) - timedelta(hours=1)

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [stop.code])
            await plant.vanish()
            await until(lambda: states(machine)[-1] == "no-data")
            await plant.start(state=1, since=at)
            await until(lambda: states(machine)[-1] == run.code)
            assert (await supervisor.in_thread(states, machine))[0] == run.code

    asyncio.run(scenario())


def test_server_that_says_it_is_shut_down_is_not_believed(machine, plant, run_and_stop):
    run, _ = run_and_stop
    connector = make_connector(machine, plant)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=make_map({"0": run}))

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [run.code])
            node = plant.server.get_node(ua.ObjectIds.Server_ServerStatus_State)
            await node.write_value(ua.Variant(ua.ServerState.Shutdown, ua.VariantType.Int32))
            await until(lambda: states(machine)[-1] == "no-data")
            await node.write_value(ua.Variant(ua.ServerState.Running, ua.VariantType.Int32))
            await until(lambda: states(machine)[-1] == run.code)

    asyncio.run(scenario())
    details = StateHistory.objects.filter(machine=machine, reason__code="no-data").values_list("detail", flat=True)
    assert "The server says that it is in the state Shutdown." in details


def test_silent_server_is_away(machine, plant, run_and_stop):
    run, _ = run_and_stop
    connector = make_connector(machine, plant)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=make_map({"0": run}))

    async def scenario():
        async with running(plant):
            await until(lambda: states(machine)[-1:] == [run.code])
            # The session answers, the subscription does not: only the missing keep-alive tells.
            for subscription in plant.server.iserver.subscription_service.subscriptions.values():
                subscription._task.cancel()
            await until(lambda: "no-data" in states(machine) and states(machine)[-1] == run.code)

    asyncio.run(scenario())
    assert "has sent nothing for" in StateHistory.objects.get(machine=machine, reason__code="no-data").detail


def test_server_that_was_never_reached_is_unknown_once(machine, plant):
    connector = make_connector(machine, plant)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine)

    async def scenario():
        async with supervised():
            await until(lambda: health() and health().restarts >= 3)

    asyncio.run(scenario())
    assert states(machine) == ["no-data"]


def test_namespace_index_may_move(machine, plant, run_and_stop):
    tag, by_index = make_counter(machine), make_counter(machine)
    connector = make_connector(machine, plant)
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=tag)
    SignalMapping.objects.create(connector=connector, signal="ns=2;s=Filler.Good", tag=by_index)

    async def scenario():
        async with running(plant):
            await plant.write(plant.good, 3)
            await until(lambda: values(tag)[-1:] == values(by_index)[-1:] == [3])
            await plant.shut()
            plant.before = ["http://acme.com/a", "http://acme.com/b"]
            await plant.start()
            assert plant.index == 4
            await plant.write(plant.good, 5)
            await until(lambda: values(tag)[-1] == 5)
            await until(lambda: "'ns=2;s=Filler.Good' cannot be monitored" in health().last_error)

    asyncio.run(scenario())
    assert values(by_index)[-1] == 3


def test_person_is_let_in_with_the_right_password_only(machine):
    plant = Plant(free_port(), only_person=True)
    tag = make_counter(machine)
    connector = make_connector(machine, plant, username="mes")
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=tag)
    store_secret(connector, "wrong")

    async def scenario():
        async with running(plant):
            await until(lambda: health() and health().restarts)
            assert not await supervisor.in_thread(lambda: values(tag))
            await supervisor.in_thread(store_secret, connector, "secret")
            await until(lambda: values(tag) == [0])

    asyncio.run(scenario())


@pytest.mark.parametrize("security", ["sign", "sign-encrypt"])
def test_secured_server_is_followed(machine, tmp_path, security):
    ours, theirs = ((tmp_path / f"{name}.der", tmp_path / f"{name}.pem") for name in ("ours", "theirs"))
    plant = Plant(free_port(), keys=theirs)
    tag = make_counter(machine)
    files = {"certificate": str(ours[0]), "private_key": str(ours[1])}
    connector = make_connector(machine, plant, security=security, **files)
    SignalMapping.objects.create(connector=connector, signal=GOOD, tag=tag)

    async def scenario():
        for (certificate, key), uri in ((ours, "urn:mes:connector"), (theirs, "urn:freeopcua:python:server")):
            usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            await setup_self_signed_certificate(key, certificate, uri, "127.0.0.1", usages, {})
        async with running(plant):
            await until(lambda: values(tag) == [0])
            await plant.write(plant.good, 5)
            await until(lambda: values(tag) == [0, 5])

    asyncio.run(scenario())


def test_security_without_a_certificate_is_no_set_up():
    with pytest.raises(ValueError, match="Security needs a certificate and its key"):
        complete_options(Protocol.OPCUA, {"security": "sign"})


def test_state_is_confirmed_while_nothing_changes(machine, plant, run_and_stop):
    run, _ = run_and_stop
    connector = make_connector(machine, plant, confirm=0.3)
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=make_map({"0": run}))

    async def scenario():
        async with running(plant):
            await until(lambda: len(states(machine)) >= 4)

    asyncio.run(scenario())
    assert set(states(machine)) == {run.code}


def test_wrong_packml_map_is_noticed(machine, plant):
    connector = make_connector(machine, plant)
    table = install_preset("packml-tr88")
    SignalMapping.objects.create(connector=connector, signal=STATE, machine=machine, state_map=table)

    async def scenario():
        async with running(plant):
            await plant.write(plant.state, 6)
            await until(lambda: states(machine)[-1:] == ["PACKML-EXECUTE"])
            await plant.write(plant.state, 0)
            await until(lambda: "packml-opc30060" in health().last_error)

    asyncio.run(scenario())
