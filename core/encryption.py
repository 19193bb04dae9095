"""Keep a secret readable for the process that needs it, and for nobody who reads the database alone."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """What is stored was encrypted under another SECRET_KEY."""


def encrypt(secret: str, *, purpose: str) -> str:
    """Return a secret encrypted with a key that derives from SECRET_KEY, another one for each purpose."""
    return _fernet(purpose).encrypt(secret.encode()).decode()


def decrypt(encrypted: str, *, purpose: str) -> str:
    """Return what `encrypt` was given. Raises Unreadable."""
    try:
        return _fernet(purpose).decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise Unreadable("It was encrypted under another SECRET_KEY.") from None


def _fernet(purpose: str) -> Fernet:
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode())
    return Fernet(base64.urlsafe_b64encode(derive.derive(settings.SECRET_KEY.encode())))
