"""Write many rows of one kind at once, each with the line of its history that one `save` would have written."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from django.db import models

Row = TypeVar("Row", bound=models.Model)
BATCH = 2_000


def insert(rows: Sequence[Row]) -> Sequence[Row]:
    """Insert rows, with their histories where the model keeps one (`written`); they have their keys afterwards.

    Nothing but the database's constraints is checked: whoever calls it has checked what the service of one row checks.
    """
    if rows:
        model = type(rows[0])
        model._default_manager.bulk_create(rows, batch_size=BATCH)
        history = getattr(model, "history", None)
        if history is not None:
            history.bulk_history_create(rows, batch_size=BATCH, default_change_reason=None)
    return rows


def update(rows: Sequence[Row], names: Collection[str]) -> None:
    """Write these fields of stored rows, with their histories where the model keeps one, as `insert` does."""
    if rows and names:
        model = type(rows[0])
        model._default_manager.bulk_update(rows, names, batch_size=BATCH)
        history = getattr(model, "history", None)
        if history is not None:
            history.bulk_history_create(rows, batch_size=BATCH, update=True, default_change_reason=None)


def written(row: Row, *, at: datetime, actor: Any = None) -> Row:
    """Say of a row by whom and when it was written, for its history; return it."""
    told = cast(Any, row)
    told._history_date, told._history_user = at, actor
    return row
