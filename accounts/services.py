"""Write what is known of people."""

from typing import Any

from django.utils import timezone

from accounts.models import User


def note_log_in(*, user: User, **context: Any) -> None:
    """Note when a person logged in last. It is no change of the person, so it leaves no line in the history."""
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
