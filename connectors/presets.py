"""Every state map that can be installed, and how to notice that the wrong one was. Data only."""

from connectors.mtconnect.presets import PRESETS as MTCONNECT
from connectors.opcua.presets import PRESETS as OPCUA
from connectors.opcua.presets import RIVALS
from connectors.opcua.presets import Row as Row

PRESETS: dict[str, tuple[Row, ...]] = {**OPCUA, **MTCONNECT}
"""Rows (value pattern, category, name) by the code that a state map made from them has."""


def reason_code(key: str, name: str) -> str:
    """Return the code of the state reason for a row of a preset: PACKML-HELD."""
    family = key.partition("-")[0]
    return f"{family}-{'-'.join(name.replace(',', '').split())}".upper()


def wrong_map(key: str, value: str) -> str:
    """Return what to tell a person about a value that a map made from a preset lacks but its rival has, or ""."""
    rival = RIVALS.get(key)
    known = {row[0] for row in PRESETS.get(key, ())}
    name = next((row[2] for row in PRESETS.get(rival or "", ()) if row[0] == value), None)
    if rival is None or name is None or value in known:
        return ""
    return f"The value {value} is not in the state map {key} but in {rival} ({name}): is that the right map?"
