"""Take many rows of a kind together: with the same outcome as one by one, in fewer questions to the database (decision
130).

What rows name is looked up for hundreds of them at once, and a row that says what is stored already costs no question.
What is new or changed waits and is written together, where the kind is written by `core.master_data` alone. A row that
asks for what waits (its code, its name for a code) is taken after that is written; and where the database refuses rows
that were written together, they are written in halves, down to the one at fault, which is then refused in its own
words.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Q
from rest_framework.exceptions import APIException
from rest_framework.validators import UniqueValidator

from core import master_data
from core.errors import DomainError
from core.serializers import code_stem, free_code
from erp.rows import CREATED, UNCHANGED, UPDATED, Row, Things, is_as
from erp.senders import Sender

TOGETHER = 500
REFUSALS = (APIException, DomainError, DjangoValidationError, IntegrityError, DataError)
Taken = str | Exception
"""What became of a row: created, updated, unchanged, or why it was refused."""


class _AsksForWhatWaits(Exception):
    """What waits must be written first."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row that is not written yet: the thing that it makes, or the values that it gives the thing of an id."""

    place: int
    made: Any
    changed_id: int | None
    values: dict[str, Any]


class _Known:
    """What is stored of what some rows name, and which names wait to be written."""

    def __init__(self, things: Things, rows: Sequence[Row], by: Sender) -> None:
        self._things, self._by = things, by
        model = things.model
        self._has_code = any(field.name == "code" for field in model._meta.concrete_fields)
        self._asked: dict[str, set[str]] = {name: set() for name in self.names}
        for row in rows:
            for name in self.names:
                value = row.get(name)
                if isinstance(value, str | int) and len(str(value)) <= 200 and "\0" not in str(value):
                    self._asked[name] |= {str(value), str(value).strip()}
            if self._has_code and isinstance(row.get("name"), str):
                self._asked["code"].add(code_stem(model, row["name"].strip()))
        # An order without a number is called by what the ERP calls it.
        if "order_number" in self._asked:
            self._asked["order_number"] |= self._asked["external_id"]
        self.read()

    @property
    def names(self) -> tuple[str, ...]:
        """The unique fields by which rows name things."""
        return self._things.names

    def read(self) -> None:
        """Look up what is stored; nothing waits."""
        wanted = Q()
        for name, values in self._asked.items():
            wanted |= Q(**{f"{name}__in": values})
        self._waits: set[tuple[str, Any]] = set()
        self._stored: dict[tuple[str, Any], Any] = {}
        self._visible: set[tuple[str, Any]] = set()
        model = self._things.model
        if getattr(model, "site_paths", ()):
            for thing in model._default_manager.filter(wanted).only("pk", *self.names):
                self._stored |= {(name, getattr(thing, name)): thing for name in self.names}
        for thing in self._things.stored(self._by).filter(wanted):
            found = {(name, getattr(thing, name)): thing for name in self.names}
            self._stored |= found
            self._visible |= set(found)

    def look(self, name: str, value: str) -> Any:
        """Return the stored thing of a name; None where there is none for the sender. Raises when that waits."""
        self._refuse_waiting(name, value)
        return self._stored.get((name, value)) if (name, value) in self._visible else None

    def is_taken(self, name: str, value: Any, by_other_than: Any) -> bool | None:
        """Say whether another thing has a name; None = it was not asked for."""
        self._refuse_waiting(name, value)
        if value not in self._asked.get(name, ()):
            return None
        thing = self._stored.get((name, value))
        return thing is not None and (by_other_than is None or thing.pk != by_other_than.pk)

    def free_code(self, model: Any, name: str) -> str:
        """Return a code made from a name, as `core.serializers.free_code` does."""
        stem = code_stem(model, name)
        code = free_code(model, name) if self.is_taken("code", stem, None) in (True, None) else stem
        self._refuse_waiting("code", code)
        return code

    def wait(self, *states: Any) -> None:
        """Note that the names of a thing, as it was and as it will be, wait until they are looked up again."""
        names = ((name, getattr(thing, name)) for thing in states if thing is not None for name in self.names)
        self._waits |= {(name, value) for name, value in names if value is not None}

    def _refuse_waiting(self, name: str, value: Any) -> None:
        if (name, value) in self._waits:
            raise _AsksForWhatWaits


class _Unclaimed(UniqueValidator):
    """Refuse a name that another thing has, as the validator that it stands for does."""

    def __init__(self, validator: UniqueValidator, known: _Known) -> None:
        super().__init__(validator.queryset, validator.message, validator.lookup)
        self._known = known

    def __call__(self, value: Any, serializer_field: Any) -> None:
        name, instance = serializer_field.source_attrs[-1], serializer_field.parent.instance
        # What was not asked for, or is another's, the validator itself looks up and refuses.
        if self._known.is_taken(name, value, instance) is not False:
            super().__call__(value, serializer_field)


class _Set:
    """Some rows on their way to the database."""

    def __init__(self, things: Things, rows: Sequence[Row], by: Sender, memory: dict[Any, Any]) -> None:
        self._things, self._rows, self._by = things, rows, by
        self._known = _Known(things, rows, by)
        self._waiting: list[_Waiting] = []
        self.taken: list[Any] = [None] * len(rows)
        self._serializers = [self._serializer(memory, partial=False), self._serializer(memory, partial=True)]

    def _serializer(self, memory: dict[Any, Any], *, partial: bool) -> Any:
        serializer = self._things.serializer(partial=partial, context={**self._by.context, "looked_up": memory})
        for field in serializer.fields.values():
            field.validators = [
                _Unclaimed(one, self._known) if type(one) is UniqueValidator else one for one in field.validators
            ]
        return serializer

    def take(self) -> None:
        """Take the rows in their order."""
        for place in range(len(self._rows)):
            try:
                self._take(place)
            except _AsksForWhatWaits:
                self._write_waiting()
                self._known.read()
                self._take(place)
        self._write_waiting()

    def _take(self, place: int) -> None:
        try:
            row, known = self._things.named(self._rows[place], self._known.look)
            serializer = self._serializers[known is not None]
            serializer.instance = known
            values = serializer.run_validation(dict(row))
            if known is not None and all(is_as(known, name, value) for name, value in values.items()):
                self.taken[place] = UNCHANGED
            elif self._things.is_plain:
                self._let_wait(place, known, values, serializer)
            else:
                self._write_by_service(place, known, values, serializer)
        except REFUSALS as error:
            self.taken[place] = error

    def _write_by_service(self, place: int, known: Any, values: dict[str, Any], serializer: Any) -> None:
        """Write what a row makes or changes through the service of its kind, which writes one."""
        # As it is by now: what the row does not name stays as somebody else may just have written it.
        now = None if known is None else self._things.stored(self._by).filter(pk=known.pk).first()
        if known is not None and now is None:
            self._write_one(place)
            return
        with transaction.atomic():
            thing = serializer.create(values) if now is None else serializer.update(now, values)
        self._known.wait(known, thing)
        self.taken[place] = CREATED if known is None else UPDATED

    def _let_wait(self, place: int, known: Any, values: dict[str, Any], serializer: Any) -> None:
        thing = self._things.model() if known is None else copy(known)
        for name, value in values.items():
            setattr(thing, name, value)
        serializer.complete(thing, self._known.free_code)
        is_taken = any(self._known.is_taken(name, getattr(thing, name), known) for name in self._known.names)
        if is_taken or not _is_clean(thing):
            self._write_one(place)
            return
        self._known.wait(known, thing)
        made, changed_id = (thing, None) if known is None else (None, known.pk)
        self._waiting.append(_Waiting(place, made, changed_id, values))

    def _write_one(self, place: int) -> None:
        """Write a row as if it were the only one; what refuses it says so in its own words."""
        try:
            with transaction.atomic():
                self.taken[place] = self._things.write(self._rows[place], self._by)
        except REFUSALS as error:
            self.taken[place] = error

    def _write_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._write(waiting)

    def _write(self, waiting: Sequence[_Waiting]) -> None:
        """Write together; where that is refused, each half by itself, and one alone as a row of its own."""
        made = [one.made for one in waiting if one.made is not None]
        changed = {one.changed_id: one.values for one in waiting if one.changed_id is not None}
        try:
            master_data.save_all(self._things.model, made, changed)
        except (*REFUSALS, ObjectDoesNotExist):
            if len(waiting) == 1:
                self._write_one(waiting[0].place)
                return
            for thing in made:
                thing.pk, thing._state.adding = None, True
            half = len(waiting) // 2
            self._write(waiting[:half])
            self._write(waiting[half:])
            return
        for one in waiting:
            self.taken[one.place] = UPDATED if one.made is None else CREATED


def _is_clean(thing: Any) -> bool:
    try:
        thing.clean_fields(exclude=[field.name for field in thing._meta.concrete_fields if field.is_relation])
    except DjangoValidationError:
        return False
    return True


def take_together(things: Things, rows: Sequence[Row], by: Sender) -> list[Taken]:
    """Write rows that are one thing each; return what became of each, in their order."""
    memory: dict[Any, Any] = {}
    return [taken for some in _slices(rows) for taken in _taken(things, some, by, memory)]


def _slices(rows: Sequence[Row]) -> Iterable[Sequence[Row]]:
    return (rows[start : start + TOGETHER] for start in range(0, len(rows), TOGETHER))


def _taken(things: Things, rows: Sequence[Row], by: Sender, memory: dict[Any, Any]) -> list[Taken]:
    some = _Set(things, rows, by, memory)
    some.take()
    return some.taken
