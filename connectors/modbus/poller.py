"""Ask a Modbus TCP server for what is mapped, again and again, and deliver what changed."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from connectors.doors import Setup
from connectors.intake import MOST_ITEMS, Intake
from connectors.modbus.registers import Block, Order, Register, SignalError, Table, Value, decode, parse, plan
from connectors.translation import Item, Translator

# What an exception code of the protocol means.
_CAUSES = {
    1: "the device cannot read this table",
    2: "the device has no such address",
    3: "the device reads no block like this",
    4: "the device failed",
    5: "the device asks for patience",
    6: "the device is busy",
    10: "the gateway has no path to the unit",
    11: "the unit behind the gateway does not answer",
}
_NOT_THIS_BLOCK = (2, 3)
# Polls that wait for the database; then polling waits too.
_MOST_WAITING = 1_000
_MOMENT = timedelta(microseconds=1)
_SET_BACK = timedelta(minutes=1)
# Connectors whose machines were already called unknown because there is no connection: later attempts in this process
# have nothing new to say.
_known_unreachable: set[str] = set()


class DeviceUnreachable(Exception):
    """The device does not answer; the message says which and how."""


class NothingReadable(Exception):
    """Not one of the signals can be read; the message says why."""


class ClockSetBack(Exception):
    """The computer's clock was set back, so that answers could not be told in their order."""


async def run(setup: Setup, intake: Intake) -> None:
    """Poll until cancelled. Raises DeviceUnreachable, NothingReadable, ClockSetBack, or ValueError for the address."""
    poller = Poller(setup, intake)
    try:
        await poller.poll()
    finally:
        poller.close()


class Poller:
    """One connection to one Modbus server."""

    def __init__(self, setup: Setup, intake: Intake) -> None:
        options = setup.options
        self._code = setup.code
        self._intake = intake
        self._host, self._port = host_and_port(setup.address)
        self._interval: float = options["interval_ms"] / 1000
        registers, self._bad = read_map(
            setup.translator,
            unit=options["unit"],
            order=Order(options["word_order"] == "little", options["byte_order"] == "little"),
        )
        self._blocks = plan(registers, largest=options["largest_block"])
        self._teller = Teller(setup.translator, confirm=timedelta(seconds=options["confirm"]))
        self._clock = _Clock()
        self._answered_at: datetime | None = None
        # One attempt a request, and none to connect again: what fails is the supervisor's to repeat.
        self._client = AsyncModbusTcpClient(
            self._host, port=self._port, timeout=options["timeout"], retries=0, reconnect_delay=0
        )
        self._outbox = _Outbox(intake)

    async def poll(self) -> None:
        """Read everything once an interval; one poll begins only when the one before has ended."""
        loop = asyncio.get_running_loop()
        try:
            if not self._blocks:
                raise NothingReadable("; ".join(self._bad.values()) or "No signal is mapped.")
            await self._connect()
            due = loop.time()
            while True:
                await self._outbox.put(await self._poll_once())
                # After a slow answer the missed polls are left out: they would only make the device slower.
                due = max(due + self._interval, loop.time())
                await asyncio.sleep(due - loop.time())
        except (DeviceUnreachable, NothingReadable, ClockSetBack) as error:
            await self._say_unknown(error)
            raise

    def close(self) -> None:
        """Close the connection; what was not delivered yet is told anew by the next one."""
        self._client.close()
        self._outbox.close()

    async def _connect(self) -> None:
        try:
            is_connected = await self._client.connect()
        except (ModbusException, OSError) as error:
            raise DeviceUnreachable(f"{self._host}:{self._port}: {error}") from error
        if not is_connected:
            raise DeviceUnreachable(f"{self._host}:{self._port} cannot be connected to.")

    async def _poll_once(self) -> list[Item]:
        """Read every block and return what is to be told. Raises NothingReadable when the device refused them all."""
        items: list[Item] = []
        causes = dict(self._bad)
        waiting, self._blocks, answers = self._blocks, [], 0
        while waiting:
            block = waiting.pop(0)
            answer = await self._ask(block)
            if not isinstance(answer, int):
                self._answered_at = at = self._clock.now()
                values = [(register.signal, decode(register, block, answer)) for register in block.registers]
                items += self._teller.values(values, at)
                answers += 1
            elif answer in _NOT_THIS_BLOCK and len(block.registers) > 1:
                waiting[:0] = block.split()
                continue
            else:
                cause = f"{block}: {_CAUSES.get(answer, f'exception {answer}')}"
                causes |= dict.fromkeys(block.signals, cause)
            self._blocks.append(block)
        why = "; ".join(dict.fromkeys(causes.values()))
        if not answers:
            raise NothingReadable(why)
        _known_unreachable.discard(self._code)
        self._intake.connected()
        self._intake.heard()
        if causes:
            self._intake.complain(why)
        at = self._clock.now()
        unknown = self._teller.unreadable(causes, at)
        return last_of_each_machine(items + unknown + self._teller.confirmations(self._answered_at or at))

    async def _ask(self, block: Block) -> Sequence[int | bool] | int:
        """Return a block's numbers or bits, or the code of the exception that the device answered."""
        read = {
            Table.HOLDING: self._client.read_holding_registers,
            Table.INPUT: self._client.read_input_registers,
            Table.COIL: self._client.read_coils,
            Table.DISCRETE: self._client.read_discrete_inputs,
        }[block.table]
        try:
            answer: ModbusPDU = await read(block.address, count=block.size, device_id=block.unit)
        except (ModbusException, OSError) as error:
            raise DeviceUnreachable(f"{self._host}:{self._port} did not answer for {block}: {error}") from error
        if answer.isError():
            return int(answer.exception_code)
        values: Sequence[int | bool] = answer.bits if block.table.holds_bits else answer.registers
        if len(values) < block.size:
            raise DeviceUnreachable(f"{self._host}:{self._port} answered {len(values)} values for {block}.")
        return values

    async def _say_unknown(self, error: Exception) -> None:
        if self._answered_at is None and self._code in _known_unreachable:
            return
        _known_unreachable.add(self._code)
        at = self._answered_at or self._clock.now()
        await self._outbox.put(self._teller.all_unknown(at, cause=str(error)))
        await self._outbox.empty()


class Teller:
    """Decides what of the values read is worth telling: what changed, and after a while what did not."""

    def __init__(self, translator: Translator, *, confirm: timedelta) -> None:
        self._translator = translator
        self._confirm = confirm
        self._read: dict[str, _Reading] = {}
        self._confirmed_at: datetime | None = None

    def values(self, values: Sequence[tuple[str, Value]], at: datetime) -> list[Item]:
        """Return what to tell of values that were read together."""
        items = []
        for signal, value in values:
            before = self._read.get(signal)
            if before is None or value != before.value or at - before.told_at >= self._confirm:
                self._read[signal] = _Reading(value, at)
                items += self._translator.value(signal, value, at)
        return items

    def unreadable(self, causes: Mapping[str, str], at: datetime) -> list[Item]:
        """Return what to tell of signals that cannot be read, each with its cause: their machines are unknown."""
        items: list[Item] = []
        for signal, cause in causes.items():
            self._read.pop(signal, None)
            unknown = self._translator.value(signal, None, at)
            items += [{**item, "detail": cause[:500]} if "machine" in item else item for item in unknown]
        return items

    def confirmations(self, at: datetime) -> list[Item]:
        """Return what says that the states told before still hold, when it is time to."""
        if self._confirmed_at is None:
            self._confirmed_at = at
        if at - self._confirmed_at < self._confirm:
            return []
        self._confirmed_at = at
        return self._translator.confirm(self._translator.machines, at)

    def all_unknown(self, at: datetime, *, cause: str) -> list[Item]:
        """Return what says that nothing is known of any machine from a moment on."""
        self._read.clear()
        return self._translator.unknown(self._translator.machines, at, cause=cause)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A value as it was last told."""

    value: Value
    told_at: datetime


@dataclass(slots=True)
class _Clock:
    """Our clock, strictly increasing."""

    last: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """Return this moment, later than the one before. Raises ClockSetBack."""
        now = datetime.now(UTC)
        if now < self.last - _SET_BACK:
            raise ClockSetBack(f"The clock went back from {self.last.isoformat()} to {now.isoformat()}.")
        self.last = max(now, self.last + _MOMENT)
        return self.last


class _Outbox:
    """Delivers in the order of the polls, while the next poll goes on;
    a database that is away does not stop polling.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._waiting: asyncio.Queue[list[Item]] = asyncio.Queue(_MOST_WAITING)
        self._failure: Exception | None = None
        self._task = asyncio.create_task(self._deliver())

    async def put(self, items: list[Item]) -> None:
        """Take items; waits when too many wait. Raises what an earlier delivery failed with."""
        if items:
            await self._waiting.put(items)
        self._raise_failure()

    async def empty(self) -> None:
        """Wait until everything is committed. Raises what a delivery failed with."""
        await self._waiting.join()
        self._raise_failure()

    def close(self) -> None:
        """Stop delivering."""
        self._task.cancel()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _deliver(self) -> None:
        while True:
            batches = [await self._waiting.get()]
            with suppress(asyncio.QueueEmpty):
                while sum(map(len, batches)) < MOST_ITEMS:
                    batches.append(self._waiting.get_nowait())
            try:
                # After a failure the rest is taken and dropped, so that nobody waits for room; `put` raises.
                if self._failure is None:
                    await self._intake.deliver([item for batch in batches for item in batch])
            except Exception as failure:
                self._failure = failure
            finally:
                for _ in batches:
                    self._waiting.task_done()


def host_and_port(address: str) -> tuple[str, int]:
    """Return the parts of `host:port`, `[v6]:port` or `host`; the port is 502 by default. Raises ValueError."""
    host, colon, port = address.strip().rpartition(":")
    if not colon or host.endswith(":") or address.strip().endswith("]"):
        host, port = address.strip(), "502"
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"The address '{address}' is not host:port, like plc1:502.")
    return host, int(port)


def read_map(translator: Translator, *, unit: int, order: Order) -> tuple[list[Register], dict[str, str]]:
    """Return the registers that a translator's signals name, and what is wrong with the signals that name none.

    A register cannot be mapped to a tag that counts new pieces: each poll would count them again.
    """
    registers, bad = [], {}
    deltas = set(translator.deltas)
    for signal in translator.signals:
        if signal in deltas:
            bad[signal] = f"'{signal}': a register is the reading of a counter; make its tag a running counter."
            continue
        try:
            registers.append(parse(signal, unit=unit, order=order))
        except SignalError as error:
            bad[signal] = str(error)
    return registers, bad


def last_of_each_machine(items: Sequence[Item]) -> list[Item]:
    """Leave out the states that a machine only passed through because its parts were read one after the other."""
    last = {item["machine"]: index for index, item in enumerate(items) if "machine" in item}
    return [item for index, item in enumerate(items) if last.get(item.get("machine"), index) == index]
