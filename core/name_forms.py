"""Names in other languages on the admin's forms and in spreadsheets: a field or column for each language."""

from typing import Any

from django import forms
from django.db import models
from import_export.fields import Field
from import_export.widgets import Widget
from unfold import widgets

from core.translated_names import LENGTH, TranslatedNames, languages

PREFIX = "name_"


def form_fields(model: type[models.Model]) -> dict[str, forms.Field]:
    """Return the form fields of a model's names, by name; none for a model whose names are in one language."""
    if not issubclass(model, TranslatedNames):
        return {}
    return {f"{PREFIX}{code}": _form_field(name) for code, name in languages().items()}


def _form_field(language: str) -> forms.Field:
    return forms.CharField(
        label=language, required=False, max_length=LENGTH, widget=widgets.UnfoldAdminTextInputWidget()
    )


class NamesForm(forms.ModelForm):
    """A form with a model's names in other languages among its fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.instance, TranslatedNames):
            for code in languages():
                self.initial[f"{PREFIX}{code}"] = self.instance.names.get(code, "")

    def _post_clean(self) -> None:
        if isinstance(self.instance, TranslatedNames):
            for code in languages():
                if f"{PREFIX}{code}" in self.cleaned_data:
                    said = self.cleaned_data[f"{PREFIX}{code}"]
                    others = {other: name for other, name in self.instance.names.items() if other != code}
                    self.instance.names = {**others, code: said} if said else others
        super()._post_clean()  # type: ignore[misc]


class NameColumn(Field):  # type: ignore[misc]
    """The column of the name in a language."""

    def __init__(self, language: str, **kwargs: Any) -> None:
        super().__init__(attribute="names", widget=Widget(), column_name=f"{PREFIX}{language}", **kwargs)
        self.language = language

    @property
    def meaning(self) -> str:
        """What the column says, for the template."""
        return f"The name in {languages()[self.language]}; empty = the name."

    def clean(self, row: Any, **kwargs: Any) -> Any:
        cell = row.get(self.column_name)
        return "" if cell is None else str(cell).strip()

    def get_value(self, instance: Any) -> Any:
        return instance.names.get(self.language, "")

    def save(self, instance: Any, row: Any, is_m2m: bool = False, **kwargs: Any) -> None:
        said = self.clean(row)
        others = {code: name for code, name in instance.names.items() if code != self.language}
        instance.names = {**others, self.language: said} if said else others

    def export(self, instance: Any, **kwargs: Any) -> Any:
        return self.get_value(instance)


def name_columns(model: type[models.Model]) -> dict[str, NameColumn]:
    """Return the columns of a model's names."""
    if not issubclass(model, TranslatedNames):
        return {}
    return {f"{PREFIX}{code}": NameColumn(code) for code in languages()}
