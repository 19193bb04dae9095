"""Offer lists as files to who may take them away."""

from typing import Any

from django import template

from core import exports

register = template.Library()


@register.filter
def may_export(user: Any) -> bool:
    """Say whether a person may take lists away."""
    return exports.may_export(user)
