"""Say to a person why something was not done."""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError

from core.errors import Conflict, DomainError, NotFound, TooManyAttempts


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done, with the status to answer."""

    message: str
    status: int
    retry_after: int | None = None


def refusal_of(error: DomainError | ValidationError) -> Refusal:
    """Translate what a service raised."""
    if isinstance(error, ValidationError):
        return Refusal(" ".join(error.messages), 400)
    if isinstance(error, TooManyAttempts):
        return Refusal(error.message, 429, error.retry_after)
    status = 409 if isinstance(error, Conflict) else 404 if isinstance(error, NotFound) else 400
    return Refusal(error.message, status)


def errors_in_words(form: forms.Form) -> str:
    """Return what is wrong with a form, field by field."""
    return " ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items())
