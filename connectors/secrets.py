"""Keep a connector's password readable for the process that connects, and for nobody who reads the database."""

import os

from connectors.models import Connector, ConnectorSecret
from core.encryption import Unreadable, decrypt, encrypt

_PURPOSE = "mes connector secrets"


class SecretUnreadable(Exception):
    """The password cannot be had; the message says why."""


def store_secret(connector: Connector, secret: str) -> None:
    """Keep a connector's password, encrypted with a key that derives from SECRET_KEY; an empty one forgets it."""
    if secret:
        encrypted = encrypt(secret, purpose=_PURPOSE)
        ConnectorSecret.objects.update_or_create(connector=connector, defaults={"encrypted": encrypted})
    else:
        ConnectorSecret.objects.filter(connector=connector).delete()


def secret_of(connector: Connector) -> str:
    """Return a connector's password, or none. Raises SecretUnreadable."""
    if connector.secret_variable:
        if connector.secret_variable not in os.environ:
            raise SecretUnreadable(f"The environment has no variable '{connector.secret_variable}'.")
        return os.environ[connector.secret_variable]
    stored = ConnectorSecret.objects.filter(connector=connector).first()
    if stored is None:
        return ""
    try:
        return decrypt(stored.encrypted, purpose=_PURPOSE)
    except Unreadable:
        raise SecretUnreadable("The stored password belongs to another SECRET_KEY; enter it again.") from None
