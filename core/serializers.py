"""How master data travels: parents by id or code, unknown fields refused, codes made from names."""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import models
from django.utils.text import slugify
from rest_framework import serializers

from core import custom_fields, master_data
from core.custom_fields import HasCustomFields
from core.names import MAX_NAME


def looked_up(context: Mapping[str, Any], what: Any, look: Callable[[], Any]) -> Any:
    """Return what `look` returns; asked once where the context has a memory (`looked_up`), as of many rows at a time.

    What is not stored yet is asked for again.
    """
    memory = context.get("looked_up")
    if memory is None:
        return look()
    if what not in memory:
        found = look()
        if isinstance(found, models.Model) and found.pk is None:
            return found
        memory[what] = found
    return memory[what]


class ReferenceField(serializers.PrimaryKeyRelatedField):
    """Refer to something by its code (a text), or its id (a number, or a text of digits that is nobody's code);
    what the caller may not see does not exist.
    """

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()
        request = self.context.get("request")
        if queryset is None or request is None:
            return queryset
        return master_data.in_scope(queryset, request.user, getattr(queryset.model, "site_paths", ()))

    def to_internal_value(self, data: Any) -> Any:
        queryset = self.get_queryset()
        has_code = any(field.name == "code" for field in queryset.model._meta.get_fields())
        # A text is a code first, also one of digits; a number is an id. To other systems a thing is its code alone.
        if has_code and isinstance(data, str) and "\0" not in data:
            found = looked_up(
                self.context, (self.field_name, queryset.model, data), lambda: queryset.filter(code=data).first()
            )
            if found is not None:
                return found
            if not data.isdecimal() or self.context.get("by_code", False):
                name = queryset.model._meta.verbose_name
                raise serializers.ValidationError(f"There is no {name} '{data}'.", code="does_not_exist")
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("incorrect_type", data_type=type(data).__name__)
        try:
            return super().to_internal_value(data)
        except (OverflowError, ValueError):
            self.fail("does_not_exist", pk_value=data)


class AwareDateTimeField(serializers.DateTimeField):
    """A moment with its zone; a time without one is refused, since nobody can know which moment was meant."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise serializers.ValidationError("The time has no zone; add Z for UTC, or an offset like +01:00.")
        try:
            return value.astimezone(UTC)
        except (OverflowError, ValueError):
            raise serializers.ValidationError("The time is outside the calendar.") from None

    def to_representation(self, value: Any) -> Any:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


class CodeField(serializers.SlugRelatedField):
    """Refer to something by the code that it is stored by, such as a unit of measure."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or "\0" in data:
            self.fail("invalid")
        queryset: Any = self.get_queryset()
        known_by = {str(self.slug_field): data}
        found = looked_up(
            self.context, (self.field_name, queryset.model, data), lambda: queryset.filter(**known_by).first()
        )
        if found is None:
            name = queryset.model._meta.verbose_name
            raise serializers.ValidationError(f"There is no {name} '{data[:64]}'; add it first.", code="does_not_exist")
        return found

    def get_attribute(self, instance: Any) -> Any:
        # The code is what is stored: no look-up is needed to show it.
        code = getattr(instance, f"{self.source}_id", None)
        return None if code is None else _Coded(str(self.slug_field), code)


class _Coded:
    """Stand for a thing of which only the code is asked."""

    def __init__(self, name: str, code: str) -> None:
        setattr(self, name, code)


def refuse_unknown(data: Iterable[Any], known: Container[str]) -> None:
    """Raise ValidationError naming what a body says that nobody knows."""
    unknown = [name for name in data if name not in known]
    if unknown:
        raise serializers.ValidationError({str(name)[:64]: ["This field is not known."] for name in unknown[:10]})


class Plain(serializers.Serializer):
    """A body that is no model's; unknown fields are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_unknown(data, self.fields)
        return super().to_internal_value(data)


class CustomValuesField(serializers.DictField):
    """The values of custom fields by code; what is wrong with them is said when the thing is written."""


class NamesField(serializers.DictField):
    """A name by language; which languages there are, the model says."""

    child = serializers.CharField(max_length=MAX_NAME)


class MasterDataSerializer(serializers.ModelSerializer):
    """Validate by the model and its constraints, and write through `core.master_data`."""

    serializer_related_field = ReferenceField
    serializer_related_to_field = CodeField
    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: AwareDateTimeField,
    }

    def get_fields(self) -> Any:
        fields = super().get_fields()
        if issubclass(self.Meta.model, HasCustomFields):
            fields["custom"] = CustomValuesField(
                required=False, help_text="Values of custom fields by their code; a PATCH changes only those it names."
            )
        if "names" in fields:
            fields["names"] = NamesField(
                required=False,
                help_text="The name in other languages, by language code: the name itself is the plain one.",
            )
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if issubclass(self.Meta.model, HasCustomFields) and ("custom" in attrs or not self.partial):
            self._complete(attrs)
        return attrs

    def _complete(self, attrs: dict[str, Any]) -> None:
        """Join what a PATCH names to what is stored; refuse when a required custom field is missing."""
        values = attrs.get("custom", {})
        if self.instance is not None and (self.partial or "custom" not in attrs):
            values = {**self.instance.custom, **values}
        model = self.Meta.model
        fields = looked_up(self.context, ("custom fields", model), lambda: custom_fields.fields_of(model))
        lacking = custom_fields.missing(fields, values)
        if lacking:
            raise serializers.ValidationError({"custom": [f"{code}: It is needed; fill it in." for code in lacking]})
        attrs["custom"] = values

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            names = self.fields
            # `line_id` is understood as `line`, as callers of other systems write it.
            data = {
                (name[:-3] if name.endswith("_id") and name not in names and name[:-3] in names else name): value
                for name, value in data.items()
            }
            refuse_unknown(data, names)
        return super().to_internal_value(data)

    def create(self, validated_data: dict[str, Any]) -> Any:
        model: Any = self.Meta.model
        return self._write(model(**validated_data))

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return self._write(instance)

    def _write(self, instance: models.Model) -> Any:
        self.complete(instance)
        return self.write(instance)

    def complete(self, instance: Any, code_of: Callable[[Any, str], str] | None = None) -> None:
        """Give a thing that is about to be written the code that it lacks, and refuse a site that is not the
        caller's.
        """
        if hasattr(instance, "code") and not instance.code:
            instance.code = (code_of or free_code)(type(instance), getattr(instance, "name", ""))
        self.context["view"].check_site(instance)

    def write(self, instance: Any) -> Any:
        """Write through the one path of every change; an app with a service of its own for it calls that."""
        return master_data.save(instance)


class CodedSerializer(MasterDataSerializer):
    """Master data with a code, which is made from the name when none is given."""

    code = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="Unique; made from the name when left out."
    )


def code_stem(model: type[models.Model], name: str) -> str:
    """Return the code that a thing of a name gets when nobody has it."""
    return slugify(name)[:50] or model._meta.model_name or "thing"


def free_code(model: type[models.Model], name: str) -> str:
    """Return a code made from a name, numbered when it is taken."""
    stem = code_stem(model, name)
    taken = set(model._default_manager.filter(code__startswith=stem).values_list("code", flat=True))
    candidates = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(code for code in candidates if code not in taken)
