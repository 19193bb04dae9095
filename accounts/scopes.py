"""What a client key is made for, as data: which scope it needs for which action on which kind of thing (decision 129).

A scope only takes away: what the account behind the key may not do, the key may not either.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts import rights


class Scope(models.TextChoices):
    """A use that a client key may be made for."""

    READ = "read", _("Read everything, also as files")
    OUTBOX = "outbox", _("Fetch what happened, and acknowledge it")
    ORDERS = "orders", _("Write orders, demand, customers and the schedule")
    MASTER_DATA = "master_data", _("Write products and other master data")
    STOCK = "stock", _("Write stock, lots and material movements")
    FACTS = "facts", _("Write machine facts: counts, states, stops")
    PRODUCTION = "production", _("Write what people do: runs, reports, inspections, hours, maintenance")


_WRITING: dict[str, Scope] = {
    **dict.fromkeys(("order", "order_hold", "schedule"), Scope.ORDERS),
    **dict.fromkeys(
        (
            *("master_data", "quality_setup", "cost", "employee", "connector", "partner", "device_key", "account"),
            *("retention", "backup", "simulation", "report_subscription", "audit"),
        ),
        Scope.MASTER_DATA,
    ),
    **dict.fromkeys(("material", "lot"), Scope.STOCK),
    **dict.fromkeys(("fact", "quarantine"), Scope.FACTS),
    **dict.fromkeys(
        (
            *("run", "execution", "unit", "unit_check", "changeover", "inspection", "nonconformance", "andon"),
            *("maintenance", "advice", "label", "oee_record", "closing", "labor", "batch_record", "batch_review"),
            *("batch_approval", "step_entry"),
        ),
        Scope.PRODUCTION,
    ),
}
_WHATEVER: dict[str, tuple[Scope, ...]] = {
    "outbox": (Scope.OUTBOX,),
    # Which of them, each kind of rows in an import says itself.
    "inbox": (Scope.ORDERS, Scope.MASTER_DATA, Scope.STOCK),
    # A file holds what may be read anyway.
    "export": (Scope.READ,),
}


def every_scope() -> list[str]:
    """Return all scopes: a key with these does whatever its account may."""
    return list(Scope.values)


def scopes_for(action: str, kind: str | None) -> tuple[Scope, ...]:
    """Return the scopes of which a key needs one for an action on a kind of thing; None = a question about no kind."""
    if kind in _WHATEVER:
        return _WHATEVER[kind]
    return (Scope.READ,) if kind is None or action == rights.VIEW else (_WRITING[kind],)
