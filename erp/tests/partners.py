"""Partners and messages for tests."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from core import master_data, outbox
from core.outbox import Message
from erp.models import Partner
from tests.factories import make_user

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
_numbers = count(1)


def make_partner(target_url: str = "", *, site: Any = None, **overrides: Any) -> Partner:
    """Make a partner whose account is an ERP client at a site, or at every site."""
    number = next(_numbers)
    user = overrides.pop("user", None) or make_user("erp", site=site)
    given = {"code": f"partner-{number}", "name": f"Partner {number}", "user": user, **overrides}
    return master_data.save(Partner(target_url=target_url, **given))


def say(*numbers: Any, key: str = "order/1", site_id: int | None = None, type_: str = "order.confirmed") -> None:
    """Report a message for each number."""
    for number in numbers:
        outbox.report(
            Message(type=type_, key=key, site_id=site_id, occurred_at=AT, recorded_at=AT, data={"number": number})
        )
