"""Names in other languages in spreadsheets: a column for each language."""

from typing import Any

from django.db import models
from import_export.fields import Field
from import_export.widgets import Widget

from core.names import NamesInLanguages, other_languages

PREFIX = "name_"


class NameColumn(Field):  # type: ignore[misc]
    """The column of the name in a language."""

    def __init__(self, language: str, name: str) -> None:
        super().__init__(attribute="names", widget=Widget(), column_name=f"{PREFIX}{language}")
        self.language = language
        self.meaning = f"The name in {name}; empty = the name."

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
    """Return the columns of a model's names; none for a model whose things have one name."""
    if not issubclass(model, NamesInLanguages):
        return {}
    return {f"{PREFIX}{code}": NameColumn(code, name) for code, name in other_languages()}
