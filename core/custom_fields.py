"""Fields that a plant adds to its products, machines and orders without a programmer.

A model takes part by the base `HasCustomFields`; admin, REST, imports and filters follow. Values lie in one JSON object
by the field's code: text and choices as text, numbers as their shortest decimal text, dates as ISO text, yes/no as
true/false.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from core import cells
from core.exact import plain_number
from core.models import CustomField

TEXT_LENGTH, DIGITS = 2000, 30
_Type = CustomField.Type
_TRUE, _FALSE = {"yes", "true", "1"}, {"no", "false", "0"}


class HasCustomFields(models.Model):
    """Have a place for the values of custom fields."""

    custom = models.JSONField("custom fields", default=dict, blank=True, editable=False)

    class Meta:
        abstract = True


def models_with_custom_fields() -> list[type[models.Model]]:
    """Return the models that can have custom fields, by label."""
    found = (model for model in apps.get_models() if issubclass(model, HasCustomFields))
    return sorted(found, key=lambda model: model._meta.label_lower)


def fields_of(model: type[models.Model]) -> list[CustomField]:
    """Return the active custom fields of a model, in their order."""
    if not issubclass(model, HasCustomFields):
        return []
    return list(CustomField.objects.filter(model=model._meta.label_lower, is_active=True))


def parse(field: CustomField, value: Any) -> Any:
    """Return a value as it is stored; None for an empty one. Raises ValueError that says how to write it."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and "\0" in value:
        raise ValueError("It contains a character that cannot be stored.")
    match field.type:
        case _Type.NUMBER:
            return _number(value)
        case _Type.DATE:
            return _date(value)
        case _Type.YES_NO:
            return _yes_no(value)
        case _Type.CHOICE:
            if value not in field.choices:
                raise ValueError(f"'{value}' is none of: {', '.join(field.choices)}.")
            return value
    if not isinstance(value, str) or len(value) > TEXT_LENGTH:
        raise ValueError(f"Write text of at most {TEXT_LENGTH} characters.")
    return value


def _number(value: Any) -> str:
    number = cells.decimal(value)
    exponent = number.as_tuple().exponent
    if len(number.as_tuple().digits) + abs(int(exponent)) > DIGITS:
        raise ValueError(f"The number has more than {DIGITS} digits.")
    text = plain_number(number)
    return "0" if text == "-0" else text


def _date(value: Any) -> str:
    try:
        # Exactly the ten characters of ISO 8601; Python reads other forms, too.
        if len(text := str(value)) == 10:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueError(f"Write a date such as 2026-01-31, not '{value}'.")


def _yes_no(value: Any) -> bool:
    text = str(value).casefold()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"Write yes or no, not '{value}'.")
    return text in _TRUE


def every_field_of(model: type[models.Model]) -> dict[str, CustomField]:
    """Return the custom fields of a model by code, also those that are switched off."""
    if not issubclass(model, HasCustomFields):
        return {}
    return {field.code: field for field in CustomField.objects.filter(model=model._meta.label_lower)}


def check(thing: models.Model, before: models.Model | None, fields: Mapping[str, CustomField] | None = None) -> None:
    """Validate the values of a thing that is about to be written, and bring them to the stored form.

    Only what changed is looked at, so that a choice withdrawn today does not hold up an order of yesterday. `fields`
    are those of `every_field_of`, where they are known already. Raises ValidationError on `custom`, naming each field
    at fault.
    """
    if not isinstance(thing, HasCustomFields):
        return
    stored = before.custom if isinstance(before, HasCustomFields) else {}
    if thing.custom == stored:
        return
    if not isinstance(thing.custom, dict):
        raise ValidationError({"custom": "Write an object: the values by the code of their field."})
    if fields is None:
        fields = every_field_of(type(thing))
    values, reasons = {}, []
    for code, value in thing.custom.items():
        if code in stored and stored[code] == value:
            values[code] = value
        elif code not in fields or not fields[code].is_active:
            reasons.append(f"There is no field '{str(code)[:64]}'.")
        else:
            try:
                parsed = parse(fields[code], value)
            except ValueError as error:
                reasons.append(f"{code}: {error}")
                continue
            if parsed is not None:
                values[code] = parsed
    if reasons:
        raise ValidationError({"custom": reasons})
    thing.custom = values


def missing(fields: Iterable[CustomField], values: dict[str, Any]) -> list[str]:
    """Return the codes of required fields without a value.

    Faces ask for them; what the MES makes by itself may lack them.
    """
    return [field.code for field in fields if field.required and values.get(field.code) in (None, "")]
