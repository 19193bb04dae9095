"""How a client system says who it is: `Authorization: Api-Key <key>`."""

from datetime import UTC, datetime
from typing import cast

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ClientKey, User

SCHEME = "Api-Key"


class ClientKeyAuthentication(BaseAuthentication):
    """Let a client key act as its service account, at the key's sites."""

    def authenticate(self, request: Request) -> tuple[User, ClientKey] | None:
        scheme, _, raw_key = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        try:
            key = cast(ClientKey, ClientKey.objects.get_from_key(raw_key.strip()))
        except ClientKey.DoesNotExist:
            raise AuthenticationFailed("This key is not valid here.") from None
        expired = key.expiry_date is not None and key.expiry_date <= datetime.now(UTC)
        if key.revoked or expired or not key.user.is_active:
            raise AuthenticationFailed("This key is not valid here.")
        site_ids = list(key.sites.values_list("pk", flat=True))
        if site_ids:
            key.user.limit_to(site_ids)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME
