"""Master data as spreadsheets: one row per thing, parents by their code, written like every other change."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

import tablib
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import RowResult
from import_export.widgets import Widget

from core import custom_fields, master_data, spreadsheets
from core.cells import as_text, parse
from core.errors import DomainError, Invalid
from core.master_data import site_id_of
from core.models import CustomField
from core.name_columns import NameColumn, name_columns

Scope = Callable[[type[models.Model]], models.QuerySet[Any]]

YES, NO = "yes", "no"


def natural_key(model: type[models.Model]) -> str:
    """Return the name of the field by which people and files call a thing: its first unique text field."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.CharField) and field.unique and not field.primary_key:
            return field.name
    raise LookupError(f"{model._meta.label} has no unique text field")


def everything(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return all objects of a model: the scope of whoever may see every site."""
    return model._default_manager.all()


class ValueWidget(Widget):  # type: ignore[misc]
    """Translate a cell to the value of a model field and back; refuse what is not plainly one."""

    def __init__(self, model_field: models.Field[Any, Any]) -> None:
        super().__init__()
        self.model_field = model_field

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value is None or value == "":
            return self.empty_value()
        if isinstance(value, str) and "\0" in value:
            raise ValueError("It contains a character that cannot be stored.")
        return parse(self.model_field, value)

    def empty_value(self) -> Any:
        """Return what an empty cell means: the field's default, none, or empty text."""
        if self.model_field.has_default():
            return self.model_field.get_default()
        return None if self.model_field.null else ""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, bool):
            return YES if value else NO
        if isinstance(value, datetime | date):
            return value.isoformat()
        if isinstance(value, time):
            return value.strftime("%H:%M:%S" if value.second else "%H:%M")
        if isinstance(value, list):
            return " ".join(str(item) for item in value)
        return value if isinstance(value, int | Decimal) else str(value)


class ReferenceWidget(Widget):  # type: ignore[misc]
    """Translate the code of another thing to that thing and back; only what the importing person may see is found."""

    def __init__(self, model_field: models.ForeignKey[Any, Any], key: str = "") -> None:
        super().__init__()
        self.model_field = model_field
        self.model: type[models.Model] = model_field.remote_field.model
        self.key = key or natural_key(self.model)
        self.scope: Scope = everything

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if value is None or value == "":
            if not self.model_field.has_default():
                return None
            value = self.model_field.get_default()
        code = as_text(value)
        found = self.scope(self.model).filter(**{self.key: code}).first()
        if found is None:
            kind = self.model._meta.verbose_name
            raise ValueError(f"There is no {kind} '{code}'; correct it, or import the {kind} first.")
        return found

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else getattr(value, self.key)


class CustomColumn(Field):  # type: ignore[misc]
    """The column of a custom field."""

    def __init__(self, custom: CustomField, **kwargs: Any) -> None:
        super().__init__(attribute="custom", widget=Widget(), **kwargs)
        self.custom = custom

    @property
    def meaning(self) -> str:
        """What the column says, for the template."""
        choices = f" One of: {', '.join(self.custom.choices)}." if self.custom.choices else ""
        return f"{self.custom.help or self.custom.label}{choices}"

    def clean(self, row: Any, **kwargs: Any) -> Any:
        cell = row.get(self.column_name)
        if isinstance(cell, datetime):
            cell = cell.date()
        try:
            return custom_fields.parse(self.custom, None if cell is None else as_text(cell))
        except ValueError as error:
            raise ValueError(f"{self.custom.code}: {error}") from None

    def get_value(self, instance: Any) -> Any:
        return instance.custom.get(self.custom.code)

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        value = self.clean(row)
        others = {code: kept for code, kept in instance.custom.items() if code != self.custom.code}
        instance.custom = others if value is None else {**others, self.custom.code: value}

    def export(self, instance: Any, **kwargs: Any) -> Any:
        value = self.get_value(instance)
        if isinstance(value, bool):
            return YES if value else NO
        if value is not None and self.custom.type == self.custom.Type.NUMBER:
            return Decimal(value)
        return "" if value is None else value


class MasterDataResource(ModelResource):  # type: ignore[misc]
    """Import and export one kind of master data: update what its key finds, create the rest, all or nothing.

    A subclass names `Meta.model`, `Meta.fields` in the order of the columns and `Meta.import_id_fields`, the key.
    `examples` gives a cell per column for the template.
    """

    examples: ClassVar[dict[str, str]] = {}

    class Meta:
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        use_transactions = True
        store_row_values = True

    def __init__(self, actor: Any = None, scope: Scope = everything, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actor = actor
        self.scope = scope
        self._custom = {f"custom.{field.code}": field for field in custom_fields.fields_of(self._meta.model)}
        self.fields |= name_columns(self._meta.model)
        self.fields |= {name: CustomColumn(field, column_name=name) for name, field in self._custom.items()}
        for field in self.fields.values():
            if isinstance(field.widget, ReferenceWidget):
                field.widget.scope = scope

    @classmethod
    def field_from_django_field(cls, field_name: str, django_field: Any, readonly: bool) -> Field:
        widget = (
            ReferenceWidget(django_field) if isinstance(django_field, models.ForeignKey) else ValueWidget(django_field)
        )
        return Field(attribute=field_name, column_name=field_name, widget=widget, readonly=readonly)

    def get_queryset(self) -> models.QuerySet[Any]:
        return self.scope(self._meta.model)

    @classmethod
    def column_names(cls) -> list[str]:
        """Return the columns in order."""
        return [field.column_name for field in cls().get_import_fields()]

    @classmethod
    def column_help(cls) -> list[tuple[str, str, str, str]]:
        """Return for each column its name, whether it is needed, what it means, and an example."""
        return [cls._help(field) for field in cls().get_import_fields()]

    @classmethod
    def _help(cls, field: Field) -> tuple[str, str, str, str]:
        example = cls.examples.get(field.column_name, "")
        widget = field.widget
        if isinstance(field, CustomColumn):
            return field.column_name, YES if field.custom.required else NO, field.meaning, example
        if isinstance(field, NameColumn):
            return field.column_name, NO, field.meaning, example
        if isinstance(widget, ReferenceWidget):
            meaning = f"The {widget.key.replace('_', ' ')} of the {widget.model._meta.verbose_name}."
            needed = not (widget.model_field.null or widget.model_field.has_default())
            return field.column_name, YES if needed else NO, meaning, example
        if not isinstance(widget, ValueWidget):
            return field.column_name, NO, getattr(widget, "meaning", ""), example
        model_field = widget.model_field
        needed = not (model_field.blank or model_field.null or model_field.has_default())
        return field.column_name, YES if needed else NO, _meaning(model_field), example

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        """Refuse a file whose columns are not ours, or that says two things of the same key."""
        known = self.column_names()
        headers = list(dataset.headers or [])
        unknown = [header or "(without a name)" for header in headers if header not in known]
        if unknown:
            raise ValidationError(f"Unknown column: {', '.join(unknown)}. The columns are: {', '.join(known)}.")
        repeated = sorted({header for header in headers if headers.count(header) > 1})
        if repeated:
            raise ValidationError(f"The column {', '.join(repeated)} is there twice.")
        missing = [name for name in self._needed_columns() if name not in headers]
        if missing:
            raise ValidationError(f"The column {', '.join(missing)} is missing; start from the template.")
        self._refuse_repeated_keys(headers, dataset)

    def _needed_columns(self) -> list[str]:
        # Without the others the rows that exist can be changed all the same.
        return [name for name, need, _, _ in self.column_help() if need == YES and name in self.get_import_id_fields()]

    def _check_import_id_fields(self, headers: list[str]) -> None:
        """Leave it to `before_import`: a part of the key that may be empty may also be left out."""

    def _refuse_repeated_keys(self, headers: list[str], dataset: Iterable[Sequence[Any]]) -> None:
        columns = [headers.index(name) for name in self.get_import_id_fields() if name in headers]
        seen: dict[tuple[str, ...], int] = {}
        for number, row in enumerate(dataset, start=2):
            if _is_skipped(row):
                continue
            key = tuple("" if row[column] is None else as_text(row[column]) for column in columns)
            if key in seen:
                raise ValidationError(
                    f"Row {number} is about the same as row {seen[key]}: {' '.join(filter(None, key))}."
                )
            seen[key] = number

    def import_row(self, row: dict[str, Any], instance_loader: Any, **kwargs: Any) -> RowResult:
        if _is_skipped(list(row.values())):
            passed_over = self.get_row_result_class()()
            passed_over.import_type = RowResult.IMPORT_TYPE_SKIP
            passed_over.diff = ["" for _ in self.get_diff_headers()]
            return passed_over
        return super().import_row(row, instance_loader, **kwargs)

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> models.Model | None:
        key = {}
        for name in self.get_import_id_fields():
            field = self.fields[name]
            try:
                key[field.attribute] = field.clean(row) if field.column_name in row else None
            except ValueError:
                # It is reported with its column when the row's cells are read.
                return None
        found = list(self.get_queryset().filter(**key)[:2])
        if len(found) > 1:
            raise ValidationError("Several stored rows match; change this one by hand.")
        return found[0] if found else None

    def validate_instance(
        self, instance: models.Model, import_validation_errors: Any = None, validate_unique: bool = True
    ) -> None:
        try:
            super().validate_instance(instance, import_validation_errors, validate_unique)
        except ValidationError as error:
            for reasons in error.error_dict.values():
                for reason in reasons:
                    if reason.code in ("null", "blank"):
                        reason.message = "It is needed; fill it in."
            raise

    def import_instance(self, instance: models.Model, row: dict[str, Any], **kwargs: Any) -> None:
        super().import_instance(instance, row, **kwargs)
        columns = self._custom if instance._state.adding else set(self._custom) & set(row)
        asked = [self._custom[name] for name in columns]
        lacking = custom_fields.missing(asked, getattr(instance, "custom", {}))
        if lacking:
            raise ValidationError({f"custom.{code}": "It is needed; fill it in." for code in lacking})

    def before_save_instance(self, instance: models.Model, row: dict[str, Any], **kwargs: Any) -> None:
        file_name = kwargs.get("file_name")
        if file_name:
            instance._change_reason = f"Import of {file_name}"[:100]  # type: ignore[attr-defined]

    def do_instance_save(self, instance: models.Model, is_create: bool) -> None:
        with refusals_as_validation(self), transaction.atomic():
            self.write(instance)

    def write(self, instance: models.Model) -> None:
        """Save through the one path of every change."""
        refuse_without_right(self.actor, instance)
        master_data.save(instance)


def site_paths(model: type[models.Model]) -> tuple[str, ...]:
    """Return the look-ups from a model to its site; none = it belongs to every site."""
    paths: tuple[str, ...] = getattr(model, "site_paths", ())
    return paths


def refuse_without_right(user: Any, thing: models.Model) -> None:
    """Raise Invalid unless a person may write a thing at the site where it would then be."""
    meta = thing._meta
    is_new = thing._state.adding
    if user.has_perm(f"{meta.app_label}.{'add' if is_new else 'change'}_{meta.model_name}", thing):
        return
    if site_paths(type(thing)) and site_id_of(thing) is None:
        raise Invalid(f"{str(meta.verbose_name).capitalize()}: this needs a role at every site; ask an administrator.")
    raise Invalid(f"Your role at the site of '{thing}' does not allow this.")


class refusals_as_validation:
    """Translate a service's or the database's refusal to a row's validation error, naming a column."""

    def __init__(self, resource: MasterDataResource) -> None:
        self.columns = set(resource.fields)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, DomainError):
            if error.field is not None and error.field in self.columns:
                raise ValidationError({error.field: error.message}) from error
            raise ValidationError(error.message) from error
        if isinstance(error, IntegrityError):
            raise ValidationError("It contradicts what is stored; compare it with the list.") from error
        if isinstance(error, DataError):
            raise ValidationError("A value is outside what can be stored.") from error


def _is_skipped(row: Sequence[Any]) -> bool:
    return spreadsheets.is_blank(row) or spreadsheets.is_comment(row)


def _meaning(field: models.Field[Any, Any]) -> str:
    parts = [str(field.help_text) or f"{str(field.verbose_name).capitalize()}."]
    base = field.base_field if isinstance(field, ArrayField) else field
    if base.choices:
        parts.append("One of: " if base is field else "Several, with spaces between, of: ")
        parts.append(", ".join(f"{value} ({label})" for value, label in base.flatchoices) + ".")
    elif isinstance(field, models.BooleanField):
        parts.append("yes or no.")
    if field.has_default() and field.get_default() not in ("", []):
        parts.append(f"Empty = {ValueWidget(field).render(field.get_default())}.")
    return " ".join(parts)
