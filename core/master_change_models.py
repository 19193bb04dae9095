"""That master data changed: what tells the readers of kept master data to look again."""

import pgtrigger
from django.db import models


class MasterDataChange(models.Model):
    """One transaction that changed master data; `token` is another after each of its statements.

    The number of rows and the tokens together are the version of all master data (`core.kept_reads`). They are chance,
    because a counter would be back at an earlier value after a restore, and a clock is not strictly increasing. A row a
    transaction, not one for all: who changes master data does not wait for anybody else who does.
    """

    transaction = models.BigIntegerField(primary_key=True)
    token = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.transaction}: {self.token}"


_NOTE = """
    INSERT INTO core_masterdatachange (transaction, token)
    VALUES (pg_current_xact_id()::text::bigint, (random() * 9e18)::bigint)
    ON CONFLICT (transaction) DO UPDATE SET token = excluded.token;
    RETURN NULL;
"""


def noted_change() -> pgtrigger.Trigger:
    """Return the trigger by which the database notes a change of a table whose rows are kept between requests."""
    return pgtrigger.Trigger(
        name="noted_change",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func=_NOTE,
    )
