"""Make a failing case smaller by leaving things out, one after the other, for as long as it still fails."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, TypeVar

_T = TypeVar("_T")
ATTEMPTS = 300


def shrink(case: _T, fails: Callable[[_T], bool]) -> _T:
    """Return a case that fails and from which nothing can be left out, or the smallest that was found in time."""
    attempts = ATTEMPTS
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(case):
            attempts -= 1
            if attempts < 0:
                return case
            if fails(candidate):
                case, smaller = candidate, True
                break
    return case


def _smaller(thing: Any) -> Iterator[Any]:
    """Yield what a dataclass is with one element, one field, or one part of an element left out."""
    for each in fields(thing):
        value = getattr(thing, each.name)
        if is_dataclass(value):
            yield from (replace(thing, **{each.name: part}) for part in _smaller(value))
        if each.default is not MISSING and value != each.default:
            yield replace(thing, **{each.name: each.default})
        if isinstance(value, tuple) and isinstance(each.default, tuple):
            for n in range(len(value)):
                yield replace(thing, **{each.name: value[:n] + value[n + 1 :]})
            for n, element in enumerate(value):
                if is_dataclass(element):
                    for part in _smaller(element):
                        yield replace(thing, **{each.name: (*value[:n], part, *value[n + 1 :])})
