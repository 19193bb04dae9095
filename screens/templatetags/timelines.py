"""Positions of drawings, for what is placed by percent."""

from django import template

register = template.Library()


@register.filter
def tick_percent(position: str) -> str:
    """Write a position on the scale of 0–1000, itself a text, as a percentage."""
    whole, _dot, rest = position.partition(".")
    digits = f"{whole.zfill(2)}{rest}"
    return f"{digits[: len(whole.zfill(2)) - 1]}.{digits[len(whole.zfill(2)) - 1 :]}%"
