"""Orders as OPC 10031-4 (ISA-95-4 Job Control) speaks of jobs: states, and the methods that lead from one to another.

The standard's states: NotAllowedToStart, AllowedToStart, Running, Interrupted, Ended, Aborted; here with the status
that each is, and the REST action of `/workorder/{id}/` that each method is.
"""

from dataclasses import dataclass

from workorders.models import WorkOrder

_Status = WorkOrder.Status
STATES: dict[str, str] = {
    _Status.CREATED: "NotAllowedToStart",
    _Status.RELEASED: "AllowedToStart",
    _Status.SCHEDULED: "AllowedToStart",
    _Status.IN_PROGRESS: "Running",
    _Status.ON_HOLD: "Interrupted",
    _Status.COMPLETED: "Ended",
    _Status.CLOSED: "Ended",
    _Status.CANCELLED: "Aborted",
}
"""The job state of each status. One held before its start is NotAllowedToStart (`job_state`)."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the job order receiver, and what it is here."""

    name: str
    request: str
    leads_to: str


METHODS: tuple[Method, ...] = (
    Method("Store", "POST /workorder/", "NotAllowedToStart"),
    Method("StoreAndStart", "POST /workorder/, then /release/ and /start/", "Running"),
    Method("Start", "POST /workorder/{id}/start/", "Running"),
    Method("Pause", "POST /workorder/{id}/hold/", "Interrupted"),
    Method("Resume", "POST /workorder/{id}/resume/", "Running"),
    Method("Stop", "POST /workorder/{id}/complete/", "Ended"),
    Method("Abort", "POST /workorder/{id}/cancel/", "Aborted"),
    Method("Cancel", "DELETE /workorder/{id}/", ""),
    Method("Clear", "POST /workorder/{id}/close/", "Ended"),
    Method("Update", "PATCH /workorder/{id}/", "NotAllowedToStart"),
)


def job_state(order: WorkOrder) -> str:
    """Return the OPC 10031-4 state of an order; held before its start, it is not allowed to start."""
    if order.status == _Status.ON_HOLD and order.held_from != _Status.IN_PROGRESS:
        return "NotAllowedToStart"
    return STATES[order.status]
