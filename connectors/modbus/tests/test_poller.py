"""The poller against a real Modbus TCP server and the real database."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from connectors import supervisor
from connectors.database import in_thread
from connectors.modbus import poller
from connectors.modbus.poller import host_and_port, last_of_each_machine
from connectors.models import Connector, Protocol, SignalMapping, StateMap, StateMapEntry
from connectors.tests.live import health, states, supervised, until, values
from counts.models import CountTag
from downtime.models import StateHistory, StateReason
from oee.engine.counters import StepVerdict, read_counter
from oee.engine.facts import CountMode, CountRole, Reading, TagConfig
from tests.factories import make_count_tag, make_machine, make_reason
from tests.servers import free_port

FAST = {"interval_ms": 20, "timeout": 0.3}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "REPORT_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.05)


@pytest.fixture
def machine():
    return make_machine()


def make_connector(machine, port, **options):
    return Connector.objects.create(
        code=f"plc-{port}",
        name="PLC",
        site=machine.line.area.site,
        protocol=Protocol.MODBUS,
        address=f"127.0.0.1:{port}",
        options={**FAST, **options},
    )


def make_counter(machine, **overrides):
    return make_count_tag(machine=machine, mode=CountTag.Mode.RUNNING, **overrides)


def make_map(**reasons):
    table = StateMap.objects.create(code=f"map-{StateMap.objects.count()}", name="Map")
    for value, reason in reasons.items():
        StateMapEntry.objects.create(state_map=table, value=value.removeprefix("v"), reason=reason)
    return table


class Device:
    """A Modbus server with 200 addresses in each table of units 1 and 2, of which holding 150 to 159 are missing."""

    def __init__(self, port):
        self.port = port
        self.requests = 0
        self.delay = 0.0
        self.is_broken = False

    async def start(self):
        words = [SimData(0, values=[0] * 150, datatype=DataType.REGISTERS)]
        words += [
            SimData(150, count=10, datatype=DataType.INVALID),
            SimData(160, values=[0] * 40, datatype=DataType.REGISTERS),
        ]
        bits = [SimData(0, values=[False] * 200, datatype=DataType.BITS)]
        devices = [
            SimDevice(unit, simdata=(bits, bits, words, words), action=self._asked, use_bit_addressing=True)
            for unit in (1, 2)
        ]
        self.server = ModbusTcpServer(devices, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)

    async def _asked(self, function_code, start_address, address, count, registers, set_values):
        if set_values is None:
            self.requests += 1
            await asyncio.sleep(self.delay)
            if self.is_broken:
                return ExcCodes.DEVICE_FAILURE
        return None

    async def hold(self, address, *words, unit=1):
        await self.server.async_setValues(unit, 16, address, list(words))

    async def coil(self, address, value):
        await self.server.async_setValues(1, 15, address, [value])

    async def stop(self):
        await self.server.shutdown()


@asynccontextmanager
async def running(device):
    """Run the device and every connector."""
    if device is not None:
        await device.start()
    try:
        async with supervised():
            yield
    finally:
        if device is not None:
            await device.stop()


pytestmark = pytest.mark.django_db(transaction=True)


def test_counter_that_rolls_over_is_read_on(machine):
    tag = make_counter(machine, modulus=Decimal(65536))
    device = Device(free_port())
    SignalMapping.objects.create(connector=make_connector(machine, device.port), signal="holding:40", tag=tag)

    async def scenario():
        async with running(device):
            for word in (65530, 4, 10):
                await device.hold(40, word)
                await until(lambda word=word: word in values(tag))

    asyncio.run(scenario())
    readings = [
        Reading(at, value) for at, value in tag.readings.order_by("occurred_at").values_list("occurred_at", "value")
    ]
    rises, steps = read_counter(TagConfig(CountRole.GOOD, CountMode.RUNNING, modulus=65536), readings)
    assert [rise.quantity for rise in rises][-2:] == [10, 6]
    assert [step.verdict for step in steps] == [StepVerdict.ROLLOVER]
    assert all(before.at < after.at for before, after in pairwise(readings))


def test_long_number_is_read_in_both_word_orders(machine):
    high, low = make_counter(machine), make_counter(machine)
    device = Device(free_port())
    connector = make_connector(machine, device.port)
    SignalMapping.objects.create(connector=connector, signal="holding:10:uint32", tag=high)
    SignalMapping.objects.create(connector=connector, signal="2/holding:20:uint32:swap", tag=low)

    async def scenario():
        async with running(device):
            await device.hold(10, 1, 2)
            await device.hold(20, 2, 1, unit=2)
            await until(lambda: 65538 in values(high) and 65538 in values(low))

    asyncio.run(scenario())


def test_states_follow_a_register_a_coil_and_both_together(machine):
    second = make_machine(line=machine.line)
    run, idle, down = make_reason(), make_reason(), make_reason(StateReason.Category.UNPLANNED)
    table = make_map(v3=run, v0=idle, v7=down)
    both = make_map(**{"true+1": run, "false+0": idle, "*": down})
    device = Device(free_port())
    connector = make_connector(machine, device.port)
    SignalMapping.objects.create(connector=connector, signal="holding:5", machine=machine, state_map=table)
    SignalMapping.objects.create(connector=connector, signal="coil:3", machine=second, state_map=both, position=1)
    SignalMapping.objects.create(connector=connector, signal="holding:8", machine=second, position=2)

    async def scenario():
        async with running(device):
            await until(lambda: states(machine) and states(second))
            await device.hold(5, 3)
            await device.coil(3, True)
            await device.hold(8, 1)
            await until(lambda: states(machine)[-1] == run.code and states(second)[-1] == run.code)
            await device.hold(5, 7)
            await until(lambda: states(machine)[-1] == down.code)

    asyncio.run(scenario())
    assert states(machine) == [idle.code, run.code, down.code]
    assert states(second)[0] == idle.code


def test_nothing_is_known_while_the_server_is_away(machine):
    run = make_reason()
    device = Device(free_port())
    connector = make_connector(machine, device.port)
    SignalMapping.objects.create(connector=connector, signal="holding:5", machine=machine, state_map=make_map(v0=run))

    async def scenario():
        async with running(device):
            await until(lambda: states(machine) == [run.code])
            await device.stop()
            await until(lambda: states(machine) == [run.code, "no-data"])
            await until(lambda: health().restarts >= 2)
            await device.start()
            await until(lambda: states(machine) == [run.code, "no-data", run.code])

    before = datetime.now(UTC)
    asyncio.run(scenario())
    unknown = StateHistory.objects.get(machine=machine, reason__code="no-data")
    assert "127.0.0.1" in unknown.detail
    assert before < unknown.occurred_at < unknown.recorded_at
    assert health().last_error.startswith("DeviceUnreachable")


def test_device_that_was_never_reached_is_unknown_once(machine):
    connector = make_connector(machine, free_port())
    SignalMapping.objects.create(connector=connector, signal="holding:5", machine=machine)

    async def scenario():
        async with running(None):
            await until(lambda: health() and health().restarts >= 3)

    asyncio.run(scenario())
    assert states(machine) == ["no-data"]


def test_bad_address_and_bad_signal_cost_only_themselves(machine):
    tag, blind, lost = make_counter(machine), make_machine(line=machine.line), make_machine(line=machine.line)
    delta = make_count_tag(machine=machine)
    device = Device(free_port())
    connector = make_connector(machine, device.port)
    # Read in one block with the address that is missing, until the device refuses it.
    SignalMapping.objects.create(connector=connector, signal="holding:149", tag=tag)
    SignalMapping.objects.create(connector=connector, signal="holding:150", machine=blind)
    SignalMapping.objects.create(connector=connector, signal="holding:x", machine=lost)
    SignalMapping.objects.create(connector=connector, signal="holding:1", tag=delta)

    async def scenario():
        async with running(device):
            await device.hold(149, 12)
            await until(lambda: 12 in values(tag) and states(blind) and states(lost))
            await until(lambda: "1/holding:150: the device has no such address" in health().last_error)

    asyncio.run(scenario())
    assert states(blind) == states(lost) == ["no-data"]
    assert values(delta) == []
    for complaint in ("'holding:x' is no register", "make its tag a running counter"):
        assert complaint in health().last_error
    assert StateHistory.objects.get(machine=blind).detail == "1/holding:150: the device has no such address"
    assert health().restarts == 0


def test_device_that_refuses_everything_is_a_failure(machine):
    device = Device(free_port())
    connector = make_connector(machine, device.port)
    SignalMapping.objects.create(connector=connector, signal="holding:150", machine=machine)

    async def scenario():
        async with running(device):
            await until(lambda: health() and health().restarts)

    asyncio.run(scenario())
    assert "NothingReadable: 1/holding:150: the device has no such address" in health().last_error
    assert states(machine) == ["no-data"]


def test_device_that_fails_for_a_while_is_unknown_meanwhile(machine):
    run = make_reason()
    device = Device(free_port())
    connector = make_connector(machine, device.port)
    SignalMapping.objects.create(connector=connector, signal="holding:5", machine=machine, state_map=make_map(v0=run))

    async def scenario():
        async with running(device):
            await until(lambda: states(machine) == [run.code])
            device.is_broken = True
            await until(lambda: states(machine) == [run.code, "no-data"])
            device.is_broken = False
            await until(lambda: states(machine) == [run.code, "no-data", run.code])

    asyncio.run(scenario())


def test_changed_map_is_followed(machine):
    first, second = make_counter(machine), make_counter(machine)
    device = Device(free_port())
    mapping = SignalMapping.objects.create(
        connector=make_connector(machine, device.port), signal="holding:1", tag=first
    )

    def change():
        SignalMapping.objects.filter(pk=mapping.pk).update(signal="holding:2", tag=second)

    async def scenario():
        async with running(device):
            await device.hold(1, 5, 6)
            await until(lambda: 5 in values(first))
            await in_thread(change)
            await until(lambda: 6 in values(second))
            await device.hold(1, 7, 8)
            await until(lambda: 8 in values(second))

    asyncio.run(scenario())
    assert 7 not in values(first)


def test_value_that_stays_is_told_again_after_a_while(machine):
    tag = make_counter(machine)
    run = make_reason()
    device = Device(free_port())
    connector = make_connector(machine, device.port, confirm=1.0)
    SignalMapping.objects.create(connector=connector, signal="holding:1", tag=tag)
    SignalMapping.objects.create(connector=connector, signal="holding:5", machine=machine, state_map=make_map(v0=run))

    async def scenario():
        async with running(device):
            await until(lambda: len(values(tag)) == 2 and len(states(machine)) == 2)

    asyncio.run(scenario())
    first, second = tag.readings.order_by("occurred_at").values_list("occurred_at", flat=True)
    assert 1.0 <= (second - first).total_seconds() < 2.0
    assert set(states(machine)) == {run.code}


def test_slow_device_is_not_asked_before_it_answered(machine):
    tag = make_counter(machine)
    device = Device(free_port())
    device.delay = 0.2
    SignalMapping.objects.create(connector=make_connector(machine, device.port), signal="holding:1", tag=tag)

    async def scenario():
        async with running(device):
            await until(lambda: values(tag))
            asked, began = device.requests, asyncio.get_running_loop().time()
            await until(lambda: device.requests >= asked + 4)
            assert asyncio.get_running_loop().time() - began >= 4 * 0.2 - 0.2

    asyncio.run(scenario())
    assert health().restarts == 0


def test_clock_never_stands_still_and_refuses_a_leap_back(monkeypatch):
    clock = poller._Clock()
    moments = [clock.now() for _ in range(1000)]
    assert moments == sorted(set(moments))
    clock.last = datetime(2999, 1, 1, tzinfo=UTC)
    with pytest.raises(poller.ClockSetBack):
        clock.now()


def test_state_that_was_only_passed_through_is_left_out():
    first, last = {"machine": "a", "state": "x"}, {"machine": "a", "state": "y"}
    other, count = {"machine": "b", "state": "x"}, {"tag": "t"}
    assert last_of_each_machine([first, count, other, count, last]) == [count, other, count, last]


@pytest.mark.parametrize(
    ("address", "expected"),
    [("plc1:1502", ("plc1", 1502)), ("plc1", ("plc1", 502)), ("[::1]:502", ("::1", 502)), ("[::1]", ("::1", 502))],
)
def test_address_is_host_and_port(address, expected):
    assert host_and_port(address) == expected


@pytest.mark.parametrize("address", ["", "plc1:", "plc1:x", "plc1:0", ":502", "plc1:70000"])
def test_address_without_host_or_port_is_refused(address):
    with pytest.raises(ValueError, match="not host:port"):
        host_and_port(address)
