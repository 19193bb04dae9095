"""Names in the languages of those who read them: what people choose from is shown, and sorted, in their own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.collation import collation_key

MAX_NAME = 200


class _Named(Protocol):
    @property
    def local_name(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


def other_languages() -> list[tuple[str, str]]:
    """Return the languages of the interface besides the one in which `name` is written: code and name."""
    return [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def check_names(names: Any) -> None:
    """Raise ValidationError unless it maps codes of the interface's languages to names."""
    if not isinstance(names, dict):
        raise ValidationError(_('Give the names by language: {"de": "Stau"}.'))
    known = {code for code, _name in other_languages()}
    for code, name in names.items():
        if code not in known:
            raise ValidationError(
                _("The interface has no language '%(code)s'; it has %(known)s."),
                params={"code": str(code)[:20], "known": ", ".join(sorted(known))},
            )
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or "\0" in name:
            raise ValidationError(_("The name in '%(code)s' is a text of 1 to 200 characters."), params={"code": code})


@dataclass(frozen=True, slots=True)
class Spoken:
    """A name that is said in the language of whoever reads it at last: for what is worked out once for all readers."""

    plain: str
    names: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        language = get_language() or settings.LANGUAGE_CODE
        return str(self.names.get(language) or self.names.get(language.split("-")[0]) or self.plain)


class NamesInLanguages(models.Model):
    """A thing whose `name` people read in their own language where somebody wrote it down."""

    names = models.JSONField(
        _("names in other languages"),
        default=dict,
        blank=True,
        validators=[check_names],
        help_text=_("By code of the language; where there is none, the name itself is shown."),
    )

    name: Any

    class Meta:
        abstract = True

    @property
    def local_name(self) -> str:
        """The name in the language of whoever reads the page."""
        return str(self.spoken)

    @property
    def spoken(self) -> Spoken:
        """The name for readers of any language."""
        return Spoken(self.name, self.names)


def sorted_for_reader(things: Iterable[Named]) -> list[Named]:
    """Return things by their names in the reader's language, as that language sorts them."""
    return sorted(things, key=lambda thing: collation_key(thing.local_name))
