"""Recordings and documents of real machines, served as an agent and an adapter would, must arrive in the database as
plain Python reads them out of the files on its own.

`MES_REAL_DATA` names the folder; the files are nobody's to copy, so without the folder there is nothing to test.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pandas as pd
import pytest
from django.conf import settings
from django.db import connection

from connectors.intake import Intake
from connectors.models import Connector, SignalMapping, UnmappedSignal
from connectors.mtconnect import agent, shdr
from connectors.mtconnect.documents import read_streams
from connectors.mtconnect.tests.peers import Agent, Caught, run_until, saying, setup_for
from connectors.services import Report, report_health, scope_of, setup_of
from connectors.translation import Translator
from counts.models import CountHistory, CountTag
from downtime.models import SignalGap, StateHistory, StateReason
from ingest import directory
from ingest.group_commit import GroupCommit
from ingest.models import QuarantinedItem
from tests.factories import make_count_tag, make_line, make_machine, make_reason

FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data")
OKUMA = FOLDER / "mtconnect" / "okuma_shdr.txt"
OKUMA_DEVICES = FOLDER / "mtconnect" / "okuma_Devices.xml"
DMG = FOLDER / "machine_event_log" / "shdr_dmg_2017-10-13.txt"
WORDS = ["ACTIVE", "READY", "FEED_HOLD", "INTERRUPTED", "STOPPED", "PROGRAM_COMPLETED", "PROGRAM_STOPPED"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the folder of real data is absent: {FOLDER} (MES_REAL_DATA)"),
]


@pytest.fixture(autouse=True)
def _new_process():
    agent.forget_places()
    shdr.forget_pasts()
    for names in (directory.tags, directory.machines, directory.constraint_machines, directory.reasons):
        names.forget()


# --- What plain Python reads out of a recording
# ------------------------------------------------------------------------


class Said(NamedTuple):
    """A value in a recording, of a line that begins with a time."""

    line: int
    written: str
    key: str
    value: str
    fields: list[str]


def said_in(path: Path) -> list[Said]:
    """Return everything that a recording says, without assets and commands, by nothing but splitting at pipes."""
    found = []
    for number, line in enumerate(path.read_text().splitlines()):
        fields = [field.strip() for field in line.split("|")]
        if not fields[0].startswith("20") or fields[1].startswith("@"):
            continue
        if len(fields) == 7 and fields[2] in {"NORMAL", "WARNING", "FAULT"}:
            found.append(Said(number, fields[0], fields[1], fields[2], fields[1:]))
            continue
        for key, value in zip(fields[1::2], fields[2::2], strict=False):
            if key:
                found.append(Said(number, fields[0], key, value, []))
    return found


def table_of(path: Path, key: str) -> pd.DataFrame:
    """Return (at, value) of a key in the order of the lines, without repetitions; a clock that goes back repeats."""
    rows = [(one.written, one.value) for one in said_in(path) if one.key == key]
    table = pd.DataFrame(rows, columns=["written", "value"])
    # The database keeps microseconds.
    table["at"] = pd.to_datetime(table["written"], format="ISO8601", utc=True).dt.floor("us")
    is_new = table["value"].ne(table["value"].shift()) | (table["at"] < table["at"].shift())
    return table[is_new]


def rows_of(table: pd.DataFrame) -> list[tuple[datetime, str]]:
    return sorted((row.at.to_pydatetime(), row.value) for row in table.itertuples())


# --- What arrived
# ------------------------------------------------------------------------------------------------------


def states_of(machine, *, until: datetime | None = None) -> list[tuple[datetime, str]]:
    codes = dict(StateReason.objects.without_tree_fields().values_list("id", "code"))
    history = StateHistory.objects.filter(machine=machine).order_by("occurred_at")
    rows = [(row.occurred_at, codes[row.reason_id]) for row in history]
    return [row for row in rows if until is None or row[0] < until]


def make_connector(protocol: str, signals: dict[str, Any], **options) -> Connector:
    """Make a connector with mappings from signals to machines and tags."""
    for word in [*WORDS, "Normal", "Warning", "Fault"]:
        make_reason(code=word)
    make_reason(StateReason.Category.NO_DATA, code="no-data")
    first = next(iter(signals.values()))
    place = first.machine if isinstance(first, CountTag) else first
    connector = Connector.objects.create(
        code="C", name="C", site=place.line.area.site, protocol=protocol, address="unknown", options=options
    )
    for signal, target in signals.items():
        kind = "tag" if isinstance(target, CountTag) else "machine"
        SignalMapping.objects.create(connector=connector, signal=signal, **{kind: target})
    return connector


async def connect(coroutine, connector: Connector, address: str) -> None:
    """Run a connection with the real intake until it ends or is cancelled, then write down what it has to say."""
    # One thread, so that its connection to the database is surely the one that is closed at the end.
    group_commit = GroupCommit()
    group_commit._threads = ThreadPoolExecutor(max_workers=1)

    def prepared():
        connector.address = address
        return setup_of(connector), scope_of(connector)

    setup, scope = await in_thread(prepared)
    intake = Intake(group_commit, scope)
    try:
        await coroutine(setup, intake)
    finally:
        group_commit._threads.submit(lambda: connection.close()).result()
        group_commit._threads.shutdown()
        unmapped = setup.translator.unmapped
        report = Report("connected", intake.tally, unmapped=unmapped)
        await in_thread(lambda: report_health(connector.pk, report, at=datetime.now(UTC)))


async def in_thread(function):
    def call():
        try:
            return function()
        finally:
            connection.close()

    return await asyncio.to_thread(call)


def machines(*codes: str):
    line = make_line()
    return [make_machine(code=code, line=line) for code in codes]


# --- SHDR
# --------------------------------------------------------------------------------------------------------------


def hear(path: Path, connector: Connector) -> None:
    async def go() -> None:
        async with saying(*path.read_text().splitlines()).serving() as address:
            with pytest.raises(ConnectionError, match=r"ended|reset"):
                await connect(shdr.run, connector, address)

    asyncio.run(go())


def test_okuma_recording_arrives_from_an_adapter():
    (machine,) = machines("OKUMA")
    tag = make_count_tag(machine=machine, mode=CountTag.Mode.RUNNING)
    connector = make_connector("shdr", {"pexecution": machine, "ppartcount": tag})
    hear(OKUMA, connector)

    expected = rows_of(table_of(OKUMA, "pexecution"))
    assert len(expected) > 10
    found = states_of(machine)
    assert found[:-1] == expected
    assert found[-1][1] == "no-data"
    parts = {(one.written, one.value) for one in said_in(OKUMA) if one.key == "ppartcount"}
    readings = CountHistory.objects.filter(tag=tag).values_list("occurred_at", "value")
    assert sorted(readings) == sorted((pd.Timestamp(at).floor("us").to_pydatetime(), int(value)) for at, value in parts)
    assert not QuarantinedItem.objects.exists()
    connector.health.refresh_from_db()
    assert connector.health.refused == 0


def test_dmg_recording_of_two_channels_arrives_from_an_adapter():
    first, second, warned = machines("CHANNEL-1", "CHANNEL-2", "CONDITION")
    connector = make_connector("shdr", {"p1_execution": first, "p2_execution": second, "logic_program": warned})
    hear(DMG, connector)

    for machine, key in ((first, "p1_execution"), (second, "p2_execution")):
        assert states_of(machine)[:-1] == rows_of(table_of(DMG, key))

    active: set[str] = set()
    levels = []
    for one in said_in(DMG):
        if one.key == "logic_program":
            code = one.fields[2]
            active = active - {code} if one.value == "NORMAL" else active | {code}
            level = "Warning" if active else "Normal"
            if not levels or levels[-1][1] != level:
                levels.append((pd.Timestamp(one.written, tz="UTC").to_pydatetime(), level))
    assert len(levels) > 5
    assert states_of(warned)[:-1] == levels
    detail = StateHistory.objects.filter(machine=warned).order_by("occurred_at").first().detail
    assert "Cabin door open" in detail
    assert not QuarantinedItem.objects.exists()


def test_times_without_a_zone_are_read_in_the_zone_of_the_option():
    (machine,) = machines("M")
    connector = make_connector("shdr", {"p1_execution": machine}, time_zone="America/Chicago")
    hear(DMG, connector)
    shift = timedelta(hours=5)
    assert states_of(machine)[:-1] == [(at + shift, value) for at, value in rows_of(table_of(DMG, "p1_execution"))]


def test_every_key_of_a_recording_that_nobody_mapped_is_shown():
    (machine,) = machines("M")
    connector = make_connector("shdr", {"p1_execution": machine})
    hear(DMG, connector)
    keys = {one.key for one in said_in(DMG)} - {"p1_execution"}
    assert set(UnmappedSignal.objects.values_list("signal", flat=True)) == keys


# --- An agent that replays a recording
# ---------------------------------------------------------------------------------


class Replay:
    """Feeds an agent with a recording, so many observations whenever its client has everything."""

    def __init__(self, peer: Agent, said: list[Said], step: int) -> None:
        self.peer, self.waiting, self.step = peer, said, step
        # The agent's clock is that of the recording.
        peer.now = ""
        root = ElementTree.parse(OKUMA_DEVICES).getroot()
        items = [item.attrib for item in root.iter() if item.tag.endswith("}DataItem")]
        self.items = {item["name"]: item for item in items if "name" in item}
        self.add(50)
        peer.feed = self.feed

    def feed(self) -> bool:
        has_more = bool(self.waiting)
        self.add(self.step)
        return has_more

    def add(self, number: int) -> None:
        now, self.waiting = self.waiting[:number], self.waiting[number:]
        for one in now:
            item = self.items.get(one.key)
            if item is None:
                continue
            kind = "".join(word.capitalize() for word in item["type"].rpartition(":")[2].split("_"))
            category = {"SAMPLE": "Samples", "EVENT": "Events", "CONDITION": "Condition"}[item["category"]]
            element = one.value.capitalize() if category == "Condition" else kind
            text = "" if category == "Condition" else one.value
            self.peer.add(item["id"], text, one.written, name=one.key, category=category, element=element)


def follow(peer: Agent, connector: Connector) -> None:
    async def go() -> None:
        async with peer.serving() as address:
            await run_until(connect(agent.run, connector, address), peer.caught_up, 60)

    asyncio.run(go())


def okuma(**overrides):
    (machine,) = machines("OKUMA")
    tag = make_count_tag(machine=machine, mode=CountTag.Mode.RUNNING)
    connector = make_connector("mtconnect", {"Lpexecution": machine, "ppartcount": tag}, interval=0.02, **overrides)
    return machine, tag, connector


def test_okuma_recording_arrives_from_an_agent():
    machine, tag, connector = okuma(count=300)
    peer = Agent(device="OKUMA", buffer_size=5000)
    Replay(peer, said_in(OKUMA), 1500)
    follow(peer, connector)

    assert states_of(machine) == rows_of(table_of(OKUMA, "pexecution"))
    parts = {(one.written, one.value) for one in said_in(OKUMA) if one.key == "ppartcount"}
    readings = CountHistory.objects.filter(tag=tag).values_list("occurred_at", "value")
    assert sorted(readings) == sorted((pd.Timestamp(at).floor("us").to_pydatetime(), int(value)) for at, value in parts)
    assert not SignalGap.objects.exists()
    assert not QuarantinedItem.objects.exists()


def one_session() -> list[Said]:
    """Return the longest stretch of the recording in which the execution's clock does not go back."""
    said = said_in(OKUMA)
    starts = [index for index, one in enumerate(said) if one.key == "avail"]
    sessions = [said[start:end] for start, end in zip(starts, [*starts[1:], len(said)], strict=True)]
    return max(sessions, key=len)


def moment_of(one: Said) -> datetime:
    at: datetime = pd.Timestamp(one.written).floor("us").to_pydatetime()
    return at


def test_buffer_that_overran_is_a_gap_between_what_was_heard_and_what_is_held():
    machine, _, connector = okuma(count=300)
    peer, session = Agent(device="OKUMA", buffer_size=500), one_session()
    Replay(peer, session, 3000)
    assert "pexecution" in {one.key for one in session[:50]}
    follow(peer, connector)

    gaps = list(SignalGap.objects.filter(machine=machine).order_by("starts_at"))
    assert len(gaps) == len(range(50, len(session), 3000))
    whole = [row for row in rows_of(table_of(OKUMA, "pexecution")) if row[0] >= moment_of(session[0])]
    heard = [row for row in whole if not any(gap.starts_at < row[0] < gap.ends_at for gap in gaps)]
    found = [row for row in states_of(machine) if row in whole]
    assert set(heard) - {row for row in heard if row[0] > moment_of(session[-1])} <= {*found}
    assert states_of(machine)[-1][1] == [one.value for one in session if one.key == "pexecution"][-1]
    assert not QuarantinedItem.objects.exists()


def test_restarted_agent_is_unknown_until_the_machine_is_heard_again():
    machine, _, connector = okuma(count=300)
    peer, session = Agent(device="OKUMA", buffer_size=5000), one_session()
    replay = Replay(peer, session, 100)
    execution = [one for one in session if one.key == "pexecution"]
    restarted = []

    def feed() -> bool:
        if not restarted:
            restarted.append(peer.now)
            peer.restart()
            replay.add(1000)
            return True
        return bool(replay.feed())

    peer.feed = feed
    follow(peer, connector)
    lost_at = pd.Timestamp(restarted[0]).floor("us").to_pydatetime()
    found = states_of(machine)
    # The state told last may have begun at that very moment.
    assert any(at - lost_at <= timedelta(microseconds=1) for at, state in found if state == "no-data" and at >= lost_at)
    assert found[-1] == (moment_of(execution[-1]), execution[-1].value)


# --- Real answers of real agents
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Current-Mazak-1.5.xml", "Current-Mazak-2.0.xml"])
def test_real_current_documents_are_read_completely(name):
    path = FOLDER / "mtconnect" / name
    root = ElementTree.parse(path).getroot()
    categories = [node for node in root.iter() if node.tag.rpartition("}")[2] in {"Samples", "Events", "Condition"}]
    plain = [node for group in categories for node in group if not len(node) and "DataSet" not in node.tag]
    plain = [node for node in plain if not node.tag.endswith("Table")]
    streams = read_streams(path.read_bytes())
    assert (len(streams.observations), streams.unreadable) == (len(plain), 0)
    by_id = {node.get("dataItemId"): node for node in plain}
    for found in streams.observations:
        node = by_id[found.id]
        assert found.at == pd.Timestamp(node.get("timestamp")).to_pydatetime()
        if found.condition is None:
            assert found.value == (None if node.text == "UNAVAILABLE" else (node.text or "").strip())
        elif sum(one.id == found.id for one in streams.observations) == 1:
            assert found.condition.level == node.tag.rpartition("}")[2]


@pytest.mark.parametrize(("name", "execution", "parts"), [("1.5", "exec", "pc"), ("2.0", "execution", "PartCountAct")])
def test_real_current_document_arrives(name, execution, parts):
    body = (FOLDER / "mtconnect" / f"Current-Mazak-{name}.xml").read_bytes()
    nodes = {node.get("dataItemId"): node for node in ElementTree.fromstring(body).iter() if node.get("dataItemId")}
    (machine,) = machines("MAZAK")
    tag = make_count_tag(machine=machine, mode=CountTag.Mode.RUNNING)
    connector = make_connector("mtconnect", {execution: machine, parts: tag})
    done = asyncio.Event()

    async def go() -> None:
        peer = Agent()

        def then() -> tuple[int, bytes]:
            done.set()
            return 200, body

        peer.answers = [lambda: (200, body), then]
        async with peer.serving() as address:
            await run_until(connect(agent.run, connector, address), done)

    asyncio.run(go())
    at = pd.Timestamp(nodes[execution].get("timestamp")).to_pydatetime()
    assert states_of(machine) == [(at, nodes[execution].text)]
    reading = CountHistory.objects.get(tag=tag)
    assert (reading.occurred_at, reading.value) == (
        pd.Timestamp(nodes[parts].get("timestamp")).to_pydatetime(), int(nodes[parts].text)
    )  # fmt: skip


@pytest.mark.parametrize("name", ["okuma_Devices.xml", "devices-okuma-lathe.xml", "device-mazak.xml"])
async def test_probe_document_instead_of_an_answer_is_refused(name):
    body, peer, caught = (FOLDER / "mtconnect" / name).read_bytes(), Agent(), Caught()
    peer.answers = [lambda: (200, body)]
    async with peer.serving() as address:
        with pytest.raises(ConnectionError, match=r"not MTConnectStreams"):
            await agent.run(setup_for("mtconnect", address, Translator([], no_data="no-data")), caught)
