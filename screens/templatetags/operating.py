"""What the operator's terminal and the calls write: lengths of time, and the words of steps."""

from datetime import timedelta
from fractions import Fraction

from django import template
from django.utils.translation import gettext_lazy as _

from andon.models import AndonStep

register = template.Library()
ICON = "bell-fill"
ICONS = frozenset(
    {
        *("tools", "box-seam", "patch-check", "person", "people", "truck", "bell-fill", "question-circle"),
        *("shield-exclamation", "exclamation-triangle-fill", "wrench-adjustable", "thermometer-half", "droplet"),
        *("gear", "lightning-charge", "trash", "clipboard-check", "person-badge", "chat-left-text"),
    }
)
DO = {
    AndonStep.Kind.ACKNOWLEDGED: _("I take care of it"),
    AndonStep.Kind.ARRIVED: _("I am there"),
    AndonStep.Kind.FIXED: _("Fixed"),
    AndonStep.Kind.CANCELLED: _("Cancel the call"),
}


@register.filter
def call_icon(name: str) -> str:
    """Return the icon of a type of call; a bell where it names none of the interface's."""
    return name if name in ICONS else ICON


@register.filter
def do_words(kind: str) -> str:
    """Return what a button says by which somebody takes a step."""
    return str(DO.get(AndonStep.Kind(kind), kind))


@register.filter
def wire_name(kind: str) -> str:
    """Return the word of a step's address in the REST API."""
    return {"acknowledged": "acknowledge", "arrived": "arrive", "fixed": "fix", "cancelled": "cancel"}[kind]


@register.filter
def minutes(value: Fraction | timedelta | None) -> str:
    """Write a length of time in hours and minutes, or minutes and seconds; a dash when it is not known."""
    if value is None:
        return "–"
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else value)
    hours, rest = divmod(int(seconds), 3600)
    if hours:
        return f"{hours} h {rest // 60:02d} min"
    return f"{rest // 60} min {rest % 60:02d} s" if rest >= 60 else f"{rest} s"
