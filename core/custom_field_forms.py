"""Custom fields on the admin's forms."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db import models
from unfold import widgets

from core import custom_fields
from core.models import CustomField

PREFIX = "custom_"
_Type = CustomField.Type


def form_fields(model: type[models.Model]) -> dict[str, forms.Field]:
    """Return the form fields of a model's custom fields, by name."""
    return {f"{PREFIX}{field.code}": _form_field(field) for field in custom_fields.fields_of(model)}


def _form_field(field: CustomField) -> forms.Field:
    common: dict[str, Any] = {"label": field.label, "required": field.required, "help_text": field.help}
    match field.type:
        case _Type.NUMBER:
            return forms.DecimalField(
                **common, max_digits=custom_fields.DIGITS, widget=widgets.UnfoldAdminDecimalFieldWidget()
            )
        case _Type.DATE:
            return forms.DateField(**common, widget=widgets.UnfoldAdminSingleDateWidget())
        case _Type.CHOICE | _Type.YES_NO:
            values = [("yes", "yes"), ("no", "no")] if field.type == _Type.YES_NO else [(c, c) for c in field.choices]
            return forms.ChoiceField(
                **common, choices=[("", "—"), *values], widget=widgets.UnfoldAdminSelectWidget(choices=values)
            )
    return forms.CharField(**common, max_length=custom_fields.TEXT_LENGTH, widget=widgets.UnfoldAdminTextInputWidget())


class CustomFieldsForm(forms.ModelForm):
    """A form with the custom fields of its model among its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, value in getattr(self.instance, "custom", {}).items():
            if PREFIX + code in self.fields:
                self.initial[PREFIX + code] = ("yes" if value else "no") if isinstance(value, bool) else value

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        values = {
            name.removeprefix(PREFIX): _plain(self.cleaned_data[name])
            for name in self.fields
            if name.startswith(PREFIX) and name in self.cleaned_data
        }
        if values:
            # A value of a field that is switched off stays as it is.
            kept = {code: value for code, value in self.instance.custom.items() if code not in values}
            self.instance.custom = kept | {code: value for code, value in values.items() if value is not None}
        return cleaned


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | date):
        return str(value)
    return None if value == "" else value
