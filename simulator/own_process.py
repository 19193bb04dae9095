"""What a process of its own does first. It is started afresh: a copy of this one would share its connections."""

import django


def set_up() -> None:
    """Make the models known."""
    django.setup()
