"""Tell engineers on the plant's page what is still missing."""

from typing import Any

from django import template
from django.utils import timezone

from screens.first_steps import steps_left

register = template.Library()


@register.inclusion_tag("screens/_first_steps_left.html", takes_context=True)
def first_steps_left(context: Any) -> dict[str, int]:
    """Show how many first steps are left; nothing when none is."""
    request = context.get("request")
    return {"left": 0 if request is None else steps_left(request, now=timezone.now())}
