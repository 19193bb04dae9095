"""Names that a plant gives in several languages: what a reader sees is the name in their language, or the plain one.

`name` is what files, devices and frozen numbers keep; `names` says it in the other languages of the screens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Collate
from django.utils.translation import get_language

LENGTH = 200


def languages() -> dict[str, str]:
    """Return the languages that a name may be given in beside the plain one: code and what it calls itself."""
    return {code: name for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE}


def _reads() -> str:
    return (get_language() or settings.LANGUAGE_CODE).split("-")[0]


def check_names(value: object) -> None:
    """Refuse what is no name by language. Raises ValidationError."""
    known = languages()
    if not isinstance(value, dict):
        raise ValidationError("Give the names as an object: a language, and the name in it.")
    for language, name in value.items():
        if language not in known:
            raise ValidationError(f"'{str(language)[:20]}' is none of the languages: {', '.join(known)}.")
        if not isinstance(name, str) or not name.strip() or len(name) > LENGTH or "\0" in name:
            raise ValidationError(f"The name in '{language}' is text of 1 to {LENGTH} characters.")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A name that is said in the language of whoever reads it at last: for what is worked out once for all readers."""

    plain: str
    names: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.names.get(_reads(), self.plain)


class TranslatedNames(models.Model):
    """Give a thing with a `name` its names in other languages."""

    names = models.JSONField(
        "names in other languages", default=dict, blank=True, validators=[check_names], help_text="By language code."
    )

    class Meta:
        abstract = True

    @property
    def local_name(self) -> str:
        """The name in the reader's language, or the plain one."""
        return str(self.spoken)

    @property
    def spoken(self) -> Spoken:
        """The name for readers of any language."""
        return Spoken(cast(Any, self).name, self.names)


def by_local_name(things: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """Order things by their name as the reader's language sorts it, by PostgreSQL's ICU collation of that language."""
    language = _reads()
    name: Any = models.F("name")
    if language in languages():
        name = Coalesce(KeyTextTransform(language, "names"), "name")
    return things.order_by(Collate(name, f"{language}-x-icu"), "pk")
