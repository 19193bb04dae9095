from rest_framework.authentication import BaseAuthentication


class ClientKeyAuthentication(BaseAuthentication):
    """stub"""

    def authenticate(self, request):  # type: ignore
        return None
