"""Which tables are read for what is kept between requests: the database must note the changes of each."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.apps import apps
from django.db import connection

from core import shared_reads
from core.models import MasterDataChange

_TABLE = re.compile(r'\b(?:FROM|JOIN)\s+(?:public\.)?"?([a-z_]+)"?(?!\s*\()', re.IGNORECASE)
_NAMED_HERE = re.compile(
    r'(?:WITH|WITH RECURSIVE|,)\s+"?([a-z_]+)"?(?:\([^)]*\))?\s+AS\s*(?:NOT\s+)?(?:MATERIALIZED\s+)?\(', re.I
)
_KEEPING = {shared_reads.once, shared_reads.once_each, shared_reads.read_around}
_ASIDE = {"unnest", "lateral", MasterDataChange._meta.db_table}
_CODES = {function.__code__ for function in _KEEPING}


def noted_tables() -> set[str]:
    """Return the tables whose changes the database notes."""
    return {
        model._meta.db_table
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", ())
        if trigger.name == "noted_change"
    }


@contextmanager
def tables_read_for_keeping() -> Iterator[set[str]]:
    """Gather the tables that are read for what is kept while the block runs."""
    found: set[str] = set()

    def look(execute: Callable[..., Any], statement: str, *given: Any) -> Any:
        if _is_kept():
            named_here = {name.lower() for name in _NAMED_HERE.findall(statement)}
            found.update({name.lower() for name in _TABLE.findall(statement)} - named_here - _ASIDE)
        return execute(statement, *given)

    with connection.execute_wrapper(look):
        yield found


def _is_kept() -> bool:
    """Say whether the innermost look-up that shares reads, of those that are at work, keeps them."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code not in _CODES:
        frame = frame.f_back
    return frame is not None and bool(frame.f_locals["kept"]) and shared_reads._known.get() is not None
