"""Who else has things in containers. Higher floors, which know serial units, declare what follows from a step here."""

from collections.abc import Callable, Sequence

from materials.container_models import ContainerStep

Follower = Callable[..., None]
"""Called with `steps`, what one request did, in its transaction; raises Conflict, in an operator's words,
to refuse it.
"""

_followers: list[Follower] = []


def follows_steps(follower: Follower) -> Follower:
    """Declare what follows from steps of containers."""
    if follower not in _followers:
        _followers.append(follower)
    return follower


def follow(steps: Sequence[ContainerStep]) -> None:
    """Let the higher floors do what follows from what one request did."""
    for follower in _followers:
        follower(steps=steps)
