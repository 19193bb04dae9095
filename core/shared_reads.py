"""What a request that only reads has looked up already: master data and facts that several of its parts ask for.

It begins empty with the request and ends with it, so nothing outlives what it was read for, and all parts of a page
tell of the same moment. Master data may be `kept` for the requests after it (`core.kept_reads`). Outside of such a
request, and in whatever writes, every look-up asks the database.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from core.intervals import Interval
from core.kept_reads import Kept, kept_now

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_KEPT = "kept"
_MOST_WINDOWS = 50
_known: ContextVar[dict[Any, Any] | None] = ContextVar("shared_reads", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Let look-ups inside the block share what they read; a block in a block is part of it."""
    if _known.get() is not None:
        yield
        return
    _known.set({})
    try:
        yield
    finally:
        _known.set(None)


@contextmanager
def apart() -> Iterator[None]:
    """Let everything inside the block ask the database: it writes, and must see what others have written by then."""
    before = _known.get()
    _known.set(None)
    try:
        yield
    finally:
        _known.set(before)


def memory(name: str, *, kept: bool = False) -> dict[Any, Any] | None:
    """Return what is known under a name, to be looked at and added to; None where nothing is shared.

    `kept` = it is master data of tables with the trigger `noted_change`, and serves later requests, too.
    """
    known = _known.get()
    if known is None:
        return None
    if not kept:
        return cast(dict[Any, Any], known.setdefault(name, {}))
    if _KEPT not in known:
        known[_KEPT] = kept_now()
    return cast(Kept, known[_KEPT]).of_kind(name)


def once(name: str, read: Callable[[], Value], *, kept: bool = False) -> Value:
    """Return what `read` returns, which is called once for a name."""
    known = memory("once", kept=kept)
    if known is None:
        return read()
    if name not in known:
        known[name] = read()
    found: Value = known[name]
    return found


def read_around(
    name: str,
    keys: Iterable[Key],
    window: Interval,
    read: Callable[[list[Key], Interval], Iterable[Value]],
    more: timedelta = timedelta(days=8),
    *,
    kept: bool = False,
) -> list[Value]:
    """Return what `read` returns of things that are few, for keys in a window; the caller leaves out what is outside.

    Where it is shared, a little more than the window is read, so that the windows that are asked for next lie in it;
    rows of other keys may be among those that were read for them.
    """
    wanted = set(keys)
    known = memory(name, kept=kept)
    if known is None:
        return list(read(list(wanted), window))
    # A copy: what is kept is added to by others meanwhile.
    for asked, around, rows in list(known.values()):
        if wanted <= asked and around.contains(window):
            return cast(list[Value], rows)
    # "For ever" has no room beyond it.
    wider = Interval(max(window.start, _FIRST + more) - more, min(window.end, _LAST - more) + more)
    rows = list(read(list(wanted), wider))
    if len(known) >= _MOST_WINDOWS:
        known.clear()
    known[frozenset(wanted), window] = wanted, wider, rows
    return rows


def once_each(
    name: str, keys: Iterable[Key], read: Callable[[list[Key]], dict[Key, Value]], *, kept: bool = False
) -> dict[Key, Value]:
    """Return what `read` returns for keys, which is called for those only that nobody asked about before.

    A key of which it tells nothing is absent.
    """
    wanted = list(dict.fromkeys(keys))
    known = memory(name, kept=kept)
    if known is None:
        return read(wanted)
    if missing := [key for key in wanted if key not in known]:
        found = read(missing)
        known.update((key, [found[key]] if key in found else []) for key in missing)
    return {key: known[key][0] for key in wanted if known[key]}
