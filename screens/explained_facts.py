"""The third step of an explanation, worked out: facts as they were said, and who said them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.text import capfirst
from django.utils.translation import gettext

from accounts.models import DeviceKey, User
from core.reader import said
from oee.explain import RawFact
from screens.wording import Clock


@dataclass(frozen=True, slots=True)
class FactRow:
    """A row of the third step."""

    kind: str
    happened: str
    came: str
    said: str
    corrected: str
    by: str
    is_carried: bool


def fact_rows(facts: Sequence[RawFact], zone: ZoneInfo, start: datetime) -> tuple[FactRow, ...]:
    """Work out the third step; facts from before `start` were carried into the span."""
    clock = Clock()
    people = _people(facts)
    return tuple(
        FactRow(
            kind=capfirst(said(fact.kind)),
            happened=clock.span(fact.occurred_at, fact.until or fact.occurred_at, zone),
            came=clock.write(fact.recorded_at, zone),
            said=fact.said,
            corrected=fact.corrected
            if not fact.corrected or fact.kind == "state"
            else gettext("corrected: %(corrected)s") % {"corrected": fact.corrected},
            by=people.get(fact.source, fact.source.replace(":", " ") or gettext("not recorded")),
            is_carried=fact.occurred_at < start,
        )
        for fact in facts
    )


def _people(facts: Sequence[RawFact]) -> dict[str, str]:
    """Return who is behind each source: the name of a device's key, or of a person."""
    named = {fact.source.partition(":")[::2] for fact in facts}
    prefixes = {rest for kind, rest in named if kind == "key"}
    ids = {int(rest) for kind, rest in named if kind == "user" and rest.isdecimal()}
    keys = DeviceKey.objects.filter(prefix__in=prefixes).values_list("prefix", "name") if prefixes else ()
    users = User.objects.filter(pk__in=ids) if ids else ()
    return {
        **{
            f"key:{prefix}": gettext("%(name)s (device key %(prefix)s)") % {"name": name, "prefix": prefix}
            for prefix, name in keys
        },
        **{f"user:{user.pk}": str(user) for user in users},
    }
