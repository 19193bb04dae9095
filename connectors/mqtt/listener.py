"""Listen to a broker: store what comes, then acknowledge it; notice what never came."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import streams
from connectors.database import in_thread
from connectors.doors import Setup
from connectors.intake import Intake
from connectors.models import StateMap
from connectors.mqtt.payloads import Form, Unreadable, decode, moment, read
from connectors.mqtt.session import Broker, Message, Session
from connectors.mqtt.topics import PLACES, TopicTemplate
from connectors.services import state_table
from connectors.translation import Item
from enterprise.models import Machine
from ingest.services import Outcome

MOST_AT_ONCE = 500
LOOK_SECONDS = 2.0
_LONGEST_KEPT = 1000


async def run(setup: Setup, intake: Intake) -> None:
    """Connect, subscribe, and take messages in until the connection ends."""
    options = setup.options
    broker = Broker.at(
        setup.address,
        client_id=(options["client_id"] or f"mes-{setup.code}") + (f"-{setup.worker}" if setup.worker else ""),
        username=setup.username,
        secret=setup.secret,
        ca_file=options["ca_file"],
    )
    template = TopicTemplate(options["topic_template"])
    listener = _Listener(setup, intake, template, await in_thread(_form, options))
    async with Session(broker, session_expiry=options["session_hours"] * 3600) as session:
        await listener.note_lost_session(session)
        share = f"$share/{options['shared_group']}/" if options["shared_group"] else ""
        topics = {template.subscription, *(signal.partition("#")[0] for signal in setup.translator.signals)}
        await session.subscribe(*(f"{share}{topic}" for topic in sorted(topics)))
        intake.connected()
        watch = asyncio.create_task(listener.watch_for_losses())
        try:
            while True:
                messages = await session.messages(MOST_AT_ONCE)
                for ours in (message for message in messages if message.is_derived):
                    session.acknowledge(ours)
                await listener.take([message for message in messages if not message.is_derived], session)
        finally:
            watch.cancel()


def _form(options: dict[str, Any]) -> Form:
    state_map = StateMap.objects.get(code=options["state_map"]) if options["state_map"] else None
    return Form(
        time_field=options["time_field"],
        value_field=options["value_field"],
        detail_field=options["detail_field"],
        sequence_field=options["sequence_field"],
        state_signals=frozenset(name.strip() for name in options["state_signals"].split(",")),
        tag_template=options["tag_template"],
        state_table=state_table(state_map) if state_map else None,
    )


@dataclass(slots=True)
class _Read:
    """What a message became."""

    message: Message
    items: Sequence[Item] = ()
    machine: str = ""
    sequence: int | None = None
    id: Any = None


@dataclass(slots=True)
class _Listener:
    setup: Setup
    intake: Intake
    template: TopicTemplate
    form: Form
    _places: dict[str, dict[str, str]] = field(default_factory=dict)
    _looked_at: datetime | None = None

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.setup.options["patience_seconds"])

    async def take(self, messages: Sequence[Message], session: Session) -> None:
        """Store what messages say, note their numbers, then acknowledge them to the broker and to their devices."""
        self.intake.heard(len(messages))
        reads = [await self._read(message) for message in messages]
        items = [item for read_ in reads for item in read_.items]
        outcome = await self.intake.deliver(items) if items else Outcome()
        numbered = [_numbered(read_) for read_ in reads if read_.sequence is not None and read_.machine]
        if numbered:
            await in_thread(streams.note, self.setup.connector_id, numbered, now=datetime.now(UTC))
        first = 0
        for read_ in reads:
            self._answer(read_, _part(outcome, first, len(read_.items)), session)
            first += len(read_.items)
            session.acknowledge(read_.message)

    async def _read(self, message: Message) -> _Read:
        mapped = self._mapped(message)
        if mapped is not None:
            return _Read(message, mapped)
        place = self.template.read(message.topic)
        if place is None:
            self.setup.translator.value(message.topic, _shown(message.payload), message.received_at)
            return _Read(message)
        await self._know(place)
        try:
            content = read(message.payload, place, self.form, received_at=message.received_at)
        except Unreadable as error:
            # Given to the device door's own judgement, which keeps what it refuses for a person to see.
            return _Read(message, [{"topic": message.topic, "payload": _shown(message.payload), "why": str(error)}])
        machine = place.get("machine") or self._places.get(place.get("line", ""), {}).get("constraint", "")
        return _Read(message, content.items, machine, content.sequence, content.id)

    def _mapped(self, message: Message) -> list[Item] | None:
        """Return the items of a message whose topic, or fields of it, are mapped signals; None when none is."""
        signals = [s for s in self.setup.translator.signals if s.partition("#")[0] == message.topic]
        if not signals:
            return None
        try:
            document = decode(message.payload)
        except Unreadable as error:
            return [{"topic": message.topic, "payload": _shown(message.payload), "why": str(error)}]
        fields = document if isinstance(document, dict) else {self.form.value_field: document}
        at = moment(fields.get(self.form.time_field), message.received_at)
        try:
            happened_at = datetime.fromisoformat(str(at))
        except ValueError:
            happened_at = message.received_at
        values = [(s, fields.get(s.partition("#")[2] or self.form.value_field)) for s in signals]
        return self.setup.translator.values(
            [(signal, value) for signal, value in values if value is not None], happened_at
        )

    async def _know(self, place: dict[str, str]) -> None:
        """Fill in a place that the plant knows: its codes as the plant writes them, and what the topic leaves out."""
        name = place.get("machine") or place.get("line", "")
        now = datetime.now(UTC)
        if name.casefold() not in self._places and (
            self._looked_at is None or now - self._looked_at > timedelta(seconds=LOOK_SECONDS)
        ):
            self._looked_at = now
            self._places = await in_thread(_places, self.setup.site_id)
        known = self._places.get(name.casefold(), {})
        # A machine that stands elsewhere than its topic says is not the one that is meant.
        if all(
            place.get(level, code).casefold() == code.casefold() for level, code in known.items() if level in PLACES
        ):
            place.update({level: code for level, code in known.items() if level in PLACES and level in place})
            place.setdefault("line", known.get("line", ""))
        else:
            place["machine" if "machine" in place else "line"] = "/".join(place[p] for p in PLACES if p in place)

    def _answer(self, read_: _Read, outcome: Outcome, session: Session) -> None:
        where = self.setup.options["acknowledgement_topic"]
        if not where or read_.message.is_retained:
            return
        answer = {
            "id": read_.id,
            "seq": read_.sequence,
            "accepted": outcome.accepted,
            "duplicates": outcome.duplicates,
            "refused": outcome.refused,
            "items": [
                {"index": i.index, "status": i.status, "field": i.field, "code": i.code, "message": i.message}
                for i in outcome.items
            ],
        }
        session.publish(where.replace("{topic}", read_.message.topic), json.dumps(answer).encode())

    # --- what never came ---

    async def note_lost_session(self, session: Session) -> None:
        """Record a gap for every machine that numbers its messages, when the broker forgot what it kept for us."""
        if session.was_kept or self.setup.options["shared_group"]:
            return
        now = datetime.now(UTC)
        for machine, last_at in (await in_thread(streams.machines_of, self.setup.connector_id)).items():
            await self.intake.gap([machine], last_at, now, cause="The broker had forgotten our session")

    async def watch_for_losses(self) -> None:
        """Record what is missing for too long as gaps, every now and then."""
        connector_id = self.setup.connector_id
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, max(self._patience.total_seconds() / 2, 0.1)))
            now = datetime.now(UTC)
            lost = await in_thread(streams.losses, connector_id, now=now, patience=self._patience)
            for loss in lost:
                cause = f"{loss.messages} numbered messages did not come"
                await self.intake.gap([loss.machine], loss.since, loss.until, cause=cause)
            if lost:
                await in_thread(streams.forget_losses, connector_id, now=now, patience=self._patience)


def _places(site_id: int) -> dict[str, dict[str, str]]:
    """Return a site's machines and lines by their code in small letters, each with where it stands."""
    found: dict[str, dict[str, str]] = {}
    machines = Machine.objects.filter(line__area__site=site_id).select_related("line__area__site__enterprise")
    for machine in machines:
        line = machine.line
        above = {"area": line.area.code, "site": line.area.site.code, "enterprise": line.area.site.enterprise.code}
        found[machine.code.casefold()] = {"machine": machine.code, "line": line.code, **above}
        if machine.is_constraint:
            found.setdefault(line.code.casefold(), {"line": line.code, "constraint": machine.code, **above})
    return found


def _numbered(read_: _Read) -> streams.Numbered:
    moments = [str(item["at"]) for item in read_.items if isinstance(item, dict) and item.get("at")]
    try:
        last = max(datetime.fromisoformat(at) for at in moments)
    except (ValueError, TypeError):
        last = read_.message.received_at
    return streams.Numbered(read_.message.topic, read_.machine, read_.sequence or 0, last)


def _part(outcome: Outcome, first: int, number: int) -> Outcome:
    """Return what became of one message's items, as if they had come alone."""
    answers = [
        replace(answer, index=answer.index - first)
        for answer in outcome.items
        if first <= answer.index < first + number
    ]
    duplicates = sum(answer.status == "duplicate" for answer in answers)
    return Outcome(number - len(answers), duplicates, len(answers) - duplicates, answers)


def _shown(payload: bytes) -> str:
    return payload[:_LONGEST_KEPT].decode("utf-8", "replace").replace("\0", "�")
