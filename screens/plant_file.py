"""The set-up of a whole plant as one JSON file, and back: by codes, validated, all or nothing (decision 128).

Things are `things[model]`, a list of objects; a reference is what the other thing is known by: its code, or a list
where it takes several words. The same set-up is the same file, byte for byte.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction

from core import master_data
from core.errors import DomainError, Invalid
from core.exact import plain_number
from core.outbox import moment
from screens.plant_models import Model, fields_of, key_fields, own_parent, plant_models

FORMAT, VERSION = "mes-plant", 1
MOST_FAULTS = 100
_WITHOUT_RULES = frozenset(
    {
        # A line is given a machine, and what is released takes no more parts: here all of it comes together.
        *("enterprise.line", "enterprise.machine", "batchrecords.steptemplate"),
        *("products.productrevision", "products.billofmaterialline", "products.routing", "products.routingoperation"),
        *("products.operationparameter", "products.operationdocument"),
        *("quality.inspectionplan", "quality.characteristic", "quality.samplingrule"),
        *("tracking.stageform", "tracking.stagefield", "reports.workbookversion"),
    }
)
"""What is written past the services of its app, while what it belongs to is new as well."""


class ImportRefused(Exception):
    """The file was not taken; `faults` say where and why: `things/enterprise.line/3/area: …`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults[:5]))
        self.faults = faults


@dataclass(slots=True)
class _Known:
    """What is stored, by key and by id."""

    by_key: dict[Model, dict[str, list[models.Model]]] = field(default_factory=dict)
    key_of: dict[Model, dict[Any, Any]] = field(default_factory=dict)

    def read(self, model: Model) -> list[models.Model]:
        rows = list(model._base_manager.order_by("pk"))
        self.by_key[model], self.key_of[model] = {}, {}
        for row in rows:
            self.note(row)
        return rows

    def note(self, row: models.Model) -> None:
        model = type(row)
        key = key_in({one.name: self.plain(row, one) for one in key_fields(model)}, model)
        self.by_key[model].setdefault(_text(key), []).append(row)
        self.key_of[model][row.pk] = key

    def plain(self, row: models.Model, of: Any) -> Any:
        """Return a field of a thing as the file has it."""
        value = of.value_from_object(row)
        if not of.is_relation or value is None:
            return _plain(value)
        if not of.target_field.primary_key:
            return value
        return self.key_of[of.related_model].get(value)

    def content(self, row: models.Model) -> dict[str, Any]:
        return {of.name: self.plain(row, of) for of in fields_of(type(row))}


def _text(key: Any) -> str:
    return json.dumps(key, sort_keys=True)


def key_in(content: Mapping[str, Any], model: Model) -> Any:
    """Return what a thing is known by: a text where one field tells, else a list."""
    key = [content.get(one.name) for one in key_fields(model)]
    return key[0] if len(key) == 1 else key


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, dict | int | float | str | bool) or value is None else str(value)


def export_plant() -> str:
    """Return the set-up of all sites as text."""
    known, things = _Known(), {}
    for model in plant_models():
        rows = [known.content(row) for row in known.read(model)]
        if rows:
            rows.sort(key=_text)
            things[model._meta.label_lower] = rows
    return (
        json.dumps(
            {"format": FORMAT, "version": VERSION, "things": things}, sort_keys=True, indent=1, ensure_ascii=False
        )
        + "\n"
    )


def import_plant(text: str) -> dict[str, int]:
    """Make and change things until all that a file says is so; return how many were made, changed or as before.

    Nothing is deleted. Raises ImportRefused, and nothing is written, where anything of it cannot be taken.
    """
    things = _read(text)
    with transaction.atomic():
        done = _Import()
        for model in plant_models():
            done.take(model, things.get(model._meta.label_lower, []))
        if done.faults:
            raise ImportRefused(done.faults)
    return dict(done.counts)


def _read(text: str) -> dict[str, list[Any]]:
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise ImportRefused([f"This is no JSON: {problem}"]) from None
    if not isinstance(sent, dict) or sent.get("format") != FORMAT:
        raise ImportRefused([f"format: This is no file of a plant ('{FORMAT}')."])
    if sent.get("version") != VERSION:
        raise ImportRefused([f"version: This MES reads version {VERSION}."])
    things = sent.get("things")
    if not isinstance(things, dict):
        raise ImportRefused(["things: Lists of things by kind are missing."])
    known = {model._meta.label_lower for model in plant_models()}
    faults = [f"things/{name}: There is no such kind." for name in things if name not in known]
    for name, rows in things.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            faults.append(f"things/{name}: This is a list of objects.")
    if faults:
        raise ImportRefused(faults[:MOST_FAULTS])
    return things


class _Import:
    def __init__(self) -> None:
        self.known = _Known()
        self.faults: list[str] = []
        self.counts = Counter({"created": 0, "changed": 0, "unchanged": 0})
        self._new: set[models.Model] = set()

    def take(self, model: Model, rows: list[dict[str, Any]]) -> None:
        """Take the things of a kind; those that refer to others of it after these."""
        self.known.read(model)
        label, parent = model._meta.label_lower, own_parent(model)
        met: Counter[str] = Counter()
        waiting = list(enumerate(rows))
        while waiting:
            ready = [(n, row) for n, row in waiting if parent is None or self._is_there(model, row.get(parent.name))]
            # Those that refer to nothing that comes are told so.
            for number, row in ready or waiting:
                if len(self.faults) >= MOST_FAULTS:
                    return
                self._one(model, f"things/{label}/{number}", row, met)
            taken = {number for number, _ in ready or waiting}
            waiting = [(number, row) for number, row in waiting if number not in taken]

    def _is_there(self, model: Model, key: Any) -> bool:
        return key is None or _text(key) in self.known.by_key[model]

    def _one(self, model: Model, path: str, row: dict[str, Any], met: Counter[str]) -> None:
        try:
            with transaction.atomic():
                self._write(model, path, row, met)
        except ValidationError as error:
            self.faults += [f"{path}{name}: {words}" for name, words in _words(error)]
        except DomainError as error:
            self.faults.append(f"{path}{f'/{error.field}' if error.field else ''}: {error.message}")
        except (IntegrityError, DataError):
            self.faults.append(f"{path}: It contradicts what is stored.")

    def _write(self, model: Model, path: str, row: dict[str, Any], met: Counter[str]) -> None:
        unknown = sorted(set(row) - {of.name for of in fields_of(model)})
        if unknown:
            raise Invalid("There is no such field.", field=unknown[0][:64])
        key = _text(key_in(row, model))
        stored = self.known.by_key[model].get(key, [])
        same = stored[met[key]] if met[key] < len(stored) else None
        met[key] += 1
        if same is not None and all(
            self.known.plain(same, of) == row[of.name] for of in fields_of(model) if of.name in row
        ):
            self.counts["unchanged"] += 1
            return
        thing: Any = same or model()
        for of in fields_of(model):
            if of.name in row:
                setattr(thing, of.attname, self._value(of, row[of.name]))
        if same is None and model._meta.label_lower == "accounts.user":
            thing.set_unusable_password()
        if same is None and model._meta.label_lower in _WITHOUT_RULES and self._belongs_to_new(model, thing):
            thing.full_clean()
            thing.save()
        else:
            master_data.save(thing)
        self.counts["created" if same is None else "changed"] += 1
        if same is None:
            self._new.add(thing)
            self.known.note(thing)

    def _belongs_to_new(self, model: Model, thing: Any) -> bool:
        parents = [of for of in fields_of(model) if of.is_relation and of.remote_field.on_delete is models.CASCADE]
        return all(getattr(thing, of.name) in self._new for of in parents if of.value_from_object(thing) is not None)

    def _value(self, of: Any, said: Any) -> Any:
        if said is None:
            return None
        if of.is_relation:
            if not of.target_field.primary_key:
                return said
            found = self.known.by_key.get(of.related_model, {}).get(_text(said))
            if not found:
                raise Invalid(
                    f"There is no {of.related_model._meta.verbose_name} {json.dumps(said)[:100]}.", field=of.name
                )
            return found[0].pk
        if isinstance(of, models.BinaryField):
            try:
                return base64.b64decode(str(said), validate=True)
            except (binascii.Error, ValueError):
                raise Invalid("This is no base64.", field=of.name) from None
        if isinstance(of, models.JSONField):
            return said
        try:
            if isinstance(of, ArrayField):
                if not isinstance(said, list):
                    raise Invalid("This is a list.", field=of.name)
                return [of.base_field.to_python(one) for one in said]
            return of.to_python(said)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field=of.name) from None
        except (TypeError, ValueError):
            raise Invalid("This value cannot be read.", field=of.name) from None


def _words(error: ValidationError) -> Iterator[tuple[str, str]]:
    if hasattr(error, "error_dict"):
        for name, words in error.message_dict.items():
            yield "" if name == "__all__" else f"/{name}", " ".join(words)
    else:
        yield "", " ".join(error.messages)
