"""Write what concerns partners: setting them up, how far they are, and the secrets that webhooks are signed with."""

import base64
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from core import outbox
from core.encryption import Unreadable, decrypt, encrypt
from core.errors import Conflict, Invalid
from core.master_data import follows, precedes
from erp import catalogue, targets
from erp.models import Partner, PartnerProgress, PartnerSecret

_PURPOSE = "mes webhook secrets"
OVERLAP = timedelta(hours=24)
"""For so long after a new secret is made, webhooks are signed with the former one as well."""


@precedes(Partner)
def check_partner(partner: Partner) -> None:
    """Refuse types that do not exist, and addresses that the server does not allow."""
    unknown = [pattern for pattern in partner.types if not catalogue.is_known(pattern)]
    if unknown:
        raise Invalid(f"There is no type '{unknown[0][:64]}'; docs/erp.md lists them.", field="types")
    if partner.target_url:
        try:
            targets.refuse_unlisted(partner.target_url)
        except targets.TargetRefused as refusal:
            raise Invalid(str(refusal), field="target_url") from None


@follows(Partner)
def partner_changed(*, before: Partner | None, after: Partner | None) -> None:
    """Let a new partner begin with what happens from now on, and one that gets an address, where it had got to."""
    if after is None:
        return
    if before is None:
        outbox.number_new()
        now_at = outbox.last_given()
        PartnerProgress.objects.create(partner=after, acknowledged=now_at, planned=now_at)
    elif after.target_url and not before.target_url:
        progress = locked_progress(after)
        progress.planned = max(progress.planned, progress.acknowledged)
        progress.save(update_fields=["planned"])


def locked_progress(partner: Partner) -> PartnerProgress:
    """Hold a partner's progress until the transaction ends."""
    return PartnerProgress.objects.select_for_update().get(partner=partner)


@transaction.atomic
def acknowledge(*, partner: Partner, position: int, at: datetime) -> PartnerProgress:
    """Note that a partner has all messages up to a position; a lower one than before changes nothing.

    Raises Conflict for a position that was never given: then the partner has seen a later state than ours.
    """
    refuse_unseen(position)
    progress = locked_progress(partner)
    progress.contact_at = at
    if position > progress.acknowledged:
        progress.acknowledged, progress.acknowledged_at = position, at
    progress.save(update_fields=["contact_at", "acknowledged", "acknowledged_at"])
    return progress


def refuse_unseen(position: int) -> None:
    """Raise Conflict for a position that was never given."""
    last = outbox.last_given()
    if position > last:
        raise Conflict(
            f"The cursor {position} was never given; the last is {last}. If the MES was restored from a backup, compare,"
            " and go on from that.",
            field="cursor",
            facts={"last": str(last)},
        )


def note_contact(*, partner: Partner, at: datetime) -> None:
    """Note that a partner was heard of."""
    PartnerProgress.objects.filter(partner=partner).update(contact_at=at)


@transaction.atomic
def new_secret(*, partner: Partner, at: datetime) -> str:
    """Make a partner a new secret, and return it: it is shown once. The former one signs beside it for 24 hours."""
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    Partner.objects.select_for_update(of=("self",)).get(pk=partner.pk)
    former = partner.secrets.filter(valid_until__isnull=True)
    former.update(valid_until=at + OVERLAP)
    PartnerSecret.objects.create(partner=partner, encrypted=encrypt(secret, purpose=_PURPOSE), made_at=at)
    return secret


def secrets_of(partner: Partner, *, at: datetime) -> list[str]:
    """Return the secrets that a webhook is signed with at a moment, the newest first.

    Raises Invalid when none is usable.
    """
    found = []
    for stored in partner.secrets.all():
        if stored.valid_until is None or stored.valid_until > at:
            try:
                found.append(decrypt(stored.encrypted, purpose=_PURPOSE))
            except Unreadable:
                continue
    if not found:
        raise Invalid("There is no secret to sign with; make one on the partner's page in the admin.")
    return found
