"""What every step of a container is made of: who says it, what may be done when, and what is held while it is done.

A request is one step, or one and those that it causes, known again by its key.

Lock order: the request's key, the site's turn (where the tree of containers changes or moves), containers by id, and
then what the ledger holds: lots by id, stock rows by key.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple, Required, TypedDict

from django.db.models import Max

from accounts.models import User
from core.errors import Conflict, Invalid
from core.exact import plain_number
from core.fact_api import refuse_future
from core.locks import take_turns
from materials import container_gates, reported
from materials.container_models import Container, ContainerStep, StepKind
from materials.container_queries import tree_ids

_Status = Container.Status
SKEW = timedelta(minutes=5)
"""By how much the clocks of two devices may differ."""


class Told(TypedDict, total=False):
    """What every step says besides what was done: who, when, and how a retry is known."""

    actor: Required[User]
    occurred_at: Required[datetime]
    recorded_at: Required[datetime]
    idempotency_key: str | None
    reason: str


class Stepped(NamedTuple):
    """A step, and whether it is new: False for a request that was answered before."""

    step: ContainerStep
    is_new: bool


def allowed(container: Container) -> list[str]:
    """Return what may be done with a container as it is."""
    if container.status == _Status.SHIPPED:
        back = [] if container.parent_id else ["bring_back"]
        return [*back, "empty"] if container.kind == Container.Kind.BIN else back
    if container.parent_id is not None:
        return ["take_out"]
    if container.status == _Status.OPEN:
        return ["pack", "unpack", "put_in", "close", "move", "empty"]
    return ["reopen", "put_into", "move", "ship"]


_WORDS = {
    "pack": "pack",
    "unpack": "unpack",
    "put_in": "put containers in it",
    "close": "close",
    "move": "move",
    "empty": "empty",
    "reopen": "reopen",
    "put_into": "put it into another",
    "take_out": "take it out",
    "ship": "ship",
    "bring_back": "take the shipment back",
}


def refuse(container: Container, action: str) -> None:
    """Raise Conflict, which says what can be done, unless an action may be done with a container as it is."""
    may = allowed(container)
    if action in may:
        return
    is_ = f"is {container.status}"
    if container.parent is not None:
        is_ = f"lies in {container.parent}" + (", shipped" if container.status == _Status.SHIPPED else "")
    can = ", ".join(_WORDS[one] for one in may) or "nothing"
    raise Conflict(
        f"Container {container} {is_}; you cannot {_WORDS[action]}. What can be done: {can}.",
        field="container",
        code="not_allowed",
        facts={"allowed": may},
    )


@dataclass(slots=True)
class Request:
    """One request: what it asked, and the steps that it wrote."""

    kind: StepKind
    told: Told
    digest: str
    at: datetime
    steps: list[ContainerStep]

    def write(self, container: Container, kind: StepKind | None = None, **more: Any) -> ContainerStep:
        """Write a step; all after the first are caused by it."""
        first = self.steps[0] if self.steps else None
        step = ContainerStep.objects.create(
            container=container,
            kind=kind or self.kind,
            caused_by=first,
            reason=self.told.get("reason", "").strip(),
            occurred_at=self.at,
            recorded_at=self.told["recorded_at"],
            performed_by=self.told["actor"],
            idempotency_key=(self.told.get("idempotency_key") or None) if first is None else None,
            request_digest=self.digest if first is None else "",
            **more,
        )
        self.steps.append(step)
        return step

    def done(self) -> Stepped:
        """Let the higher floors follow, and return the first step."""
        container_gates.follow(self.steps)
        reported.stepped(self.steps)
        return Stepped(self.steps[0], True)


def ask(kind: StepKind, told: Told, *asked: Any) -> Request | Stepped:
    """Begin a request, or return what a retry wrote before; two with one key take turns."""
    refuse_future(told["occurred_at"], told["recorded_at"])
    if len(told.get("reason", "")) > 500:
        raise Invalid("At most 500 characters.", field="reason")
    said = [kind.value, *(plain_number(one) if isinstance(one, Decimal) else one for one in asked)]
    digest = sha256(json.dumps(said).encode()).hexdigest()
    key = told.get("idempotency_key")
    if key:
        take_turns(f"container step {key}")
        known = ContainerStep.objects.select_related("container").filter(idempotency_key=key).first()
        if known is not None:
            if known.request_digest != digest:
                raise Conflict(
                    f"Something else was recorded under the key '{key}'; it stays. Use a new key.",
                    field="idempotency_key",
                )
            return Stepped(known, False)
    return Request(kind, told, digest, min(told["occurred_at"], told["recorded_at"]), [])


def hold(ids: Iterable[int], request: Request) -> dict[int, Container]:
    """Hold containers, by id, until the transaction ends; let the request's moment follow their last steps.

    Two devices' clocks may differ by a few minutes; more is refused, since what is in a container at a moment is what
    was packed before it.
    """
    rows = Container.objects.select_for_update(of=("self",), no_key=True).select_related(
        "site", "parent", "location", "product"
    )
    held = {row.pk: row for row in rows.filter(pk__in=set(ids)).order_by("pk")}
    last = ContainerStep.objects.filter(container__in=held).aggregate(last=Max("occurred_at"))["last"]
    if last is not None and request.at < last:
        if last - request.at > SKEW:
            raise Invalid(f"Something happened to it after that, at {last:%Y-%m-%d %H:%M:%S} UTC.", field="occurred_at")
        request.at = last
    return held


def hold_one(container: Container, request: Request) -> Container:
    """Hold one container; see `hold`."""
    return hold([container.pk], request)[container.pk]


def hold_tree(container: Container, request: Request) -> list[Container]:
    """Hold a container and all that lies in it; the site's turn keeps the tree as it is. The container comes first."""
    take_turns("containers", container.site_id)
    held = hold(tree_ids([container.pk]), request)
    return [held.pop(container.pk), *held.values()]


def set_all(containers: Sequence[Container], **values: Any) -> None:
    """Write the state that follows of containers."""
    Container.objects.filter(pk__in=[one.pk for one in containers]).update(**values)
