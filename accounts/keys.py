"""Say what a device's key lets it send."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha512
from threading import Lock
from typing import cast

from accounts.models import DeviceKey
from enterprise.models import Machine

# A revoked key is refused after this many seconds at the latest.
CACHE_SECONDS = 1.0
_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class DeviceScope:
    """What a key covers: machines of one site. `source` names the key in the facts that came with it."""

    source: str
    site_id: int
    machine_ids: frozenset[int]


# By the key's hash, so that no key stays in memory.
_cache: dict[bytes, tuple[float, DeviceScope | None]] = {}
_lock = Lock()


def remembered_scope(raw_key: str, *, clock: float) -> tuple[bool, DeviceScope | None]:
    """Return (known, scope) of a key looked up less than a second ago; `clock` is monotonic seconds."""
    found = _cache.get(_digest(raw_key))
    if found is None or clock - found[0] > CACHE_SECONDS:
        return False, None
    return True, found[1]


def device_scope(raw_key: str, *, clock: float, now: datetime) -> DeviceScope | None:
    """Return what a key covers; None for a key that is unknown, revoked or expired."""
    known, scope = remembered_scope(raw_key, clock=clock)
    if known:
        return scope
    scope = _look_up(raw_key, now)
    with _lock:
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[_digest(raw_key)] = (clock, scope)
    return scope


def _digest(raw_key: str) -> bytes:
    return sha512(raw_key.encode("utf-8", "surrogatepass")).digest()


def _look_up(raw_key: str, now: datetime) -> DeviceScope | None:
    if "\0" in raw_key:
        return None  # The database cannot even be asked.
    try:
        # Compares hashes; a key that was revoked or never made raises alike.
        key = cast(DeviceKey, DeviceKey.objects.get_from_key(raw_key))
    except DeviceKey.DoesNotExist:
        return None
    if key.revoked or (key.expiry_date is not None and key.expiry_date <= now):
        return None
    machines = Machine.objects.filter(pk=key.machine_id) if key.machine_id else Machine.objects.filter(line=key.line_id)
    rows = list(machines.values_list("id", "line__area__site_id"))
    if not rows:
        return None
    return DeviceScope(
        source=f"key:{key.prefix}", site_id=rows[0][1], machine_ids=frozenset(machine_id for machine_id, _ in rows)
    )
