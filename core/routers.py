"""Addresses that answer with and without the closing slash."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Route a resource's addresses with an optional closing slash, and no redirect that would lose a POST's body."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
