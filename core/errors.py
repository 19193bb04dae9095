"""The named errors by which a service refuses, and the words that its faces show."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Refuse a request, naming the field at fault (or none) and saying what to do about it.

    Faces translate the subclass: `Invalid` 400, `NotFound` 404, `Conflict` 409, `Unprocessable` 422, `TooManyAttempts`
    429.
    """

    def __init__(
        self, message: str, *, field: str | None = None, code: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.facts = facts or {}
        """What a machine needs to go on: it stands beside the words in the answer."""
        self.code = code or type(self).__name__


class Invalid(DomainError):
    """The request contradicts itself or the rules."""


class Unprocessable(Invalid):
    """The request is well-formed, and contradicts one that was answered before."""


class NotFound(DomainError):
    """What the request names does not exist, or not for this caller."""


class Conflict(DomainError):
    """The request was right once, but what is stored now contradicts it."""


class TooManyAttempts(Conflict):
    """Somebody tried too often; `retry_after` says in how many seconds they may again."""

    def __init__(self, message: str, *, retry_after: int, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class StillReferenced(Conflict):
    """What should be deleted is referenced by something that stays."""
