"""What each protocol offers: its settings as a form, and the coroutine that speaks it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django import forms

from connectors.intake import Intake
from connectors.models import Protocol
from connectors.translation import Translator


@dataclass(frozen=True, slots=True)
class Setup:
    """What a connection needs to know: the connector as it was set up, its password in clear, its options complete."""

    code: str
    address: str
    username: str
    secret: str
    options: dict[str, Any]
    translator: Translator
    connector_id: int = 0
    site_id: int = 0
    worker: str = ""
    """The name of this process, when several run the same connector."""


Run = Callable[[Setup, Intake], Awaitable[None]]
"""Speak a protocol until cancelled; raises when the connection fails."""


@dataclass(frozen=True, slots=True)
class Door:
    """One protocol. `run` names the coroutine as module:function; none = the web server answers its calls itself."""

    options: type[forms.Form]
    address: str
    run: str | None = None

    def coroutine(self) -> Run:
        """Return the coroutine; its libraries are loaded only now."""
        if self.run is None:
            raise LookupError("This protocol is answered by the web server; there is nothing to run.")
        module, _, function = self.run.partition(":")
        run: Run = getattr(import_module(module), function)
        return run


def door_of(protocol: str) -> Door:
    """Return what a protocol offers."""
    package = "mtconnect" if protocol == Protocol.SHDR else protocol
    module = import_module(f"connectors.{package}.options")
    door: Door = module.SHDR if protocol == Protocol.SHDR else module.DOOR
    return door


def complete_options(protocol: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return all options of a protocol, with the defaults where nothing was chosen.

    Raises ValueError with the fields.
    """
    form_class = door_of(protocol).options
    initial = {name: field.initial for name, field in form_class.base_fields.items() if field.initial is not None}
    form = form_class({**initial, **options})
    if not form.is_valid():
        raise ValueError("; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()))
    return dict(form.cleaned_data)
