"""The calls, each as thin as its protocol allows: who calls, what is said, what is answered."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.authentication import SCHEME
from accounts.models import User
from accounts.services import note_log_in
from connectors.digitme2 import messages, selectors, services
from connectors.digitme2.access import NotAdmitted, Plant, admit, number_in
from connectors.digitme2.messages import Body
from connectors.digitme2.tables import DOWN, UP, JobInput
from connectors.models import Tablet
from core.errors import Conflict, DomainError, Invalid, NotFound
from enterprise.models import Machine

Answer = dict[str, Any] | list[dict[str, Any]]
LOGGED_OUT = "User is logged out"
_LONGEST_UUID = 200


class LoggedOut(DomainError):
    """Nobody is logged in at the tablet."""


def _get(view: Callable[[Plant, Mapping[str, str], datetime], Answer]) -> Callable[..., HttpResponseBase]:
    return _call("GET", lambda request, plant, now: view(plant, request.GET.dict(), now))


def _post(view: Callable[[Plant, Body, datetime], Answer]) -> Callable[..., HttpResponseBase]:
    def said(request: HttpRequest, plant: Plant, now: datetime) -> Answer:
        return view(plant, messages.read_body(request.headers.get("Content-Type", ""), request.body), now)

    return _call("POST", said)


def _call(
    method: str, answer: Callable[[HttpRequest, Plant, datetime], Answer]
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Return a view of one method. The connector decides who may call, so a browser's cookie says nothing here."""

    @csrf_exempt
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponseBase:
        if request.method not in (method, "HEAD" if method == "GET" else method):
            refused = JsonResponse({"success": False, "reason": f"Send a {method}."}, status=405)
            refused["Allow"] = method
            return refused
        now = datetime.now(UTC)
        try:
            plant = admit(raw_key=_key(request), address=client_address(request.META), now=now)
            return JsonResponse(answer(request, plant, now), safe=False)
        except DomainError as error:
            return _refusal(error)
        except ValidationError as error:
            return JsonResponse({"success": False, "reason": " ".join(error.messages)}, status=400)

    return view


def _refusal(error: DomainError) -> JsonResponse:
    status = {NotFound: 404, Conflict: 409, LoggedOut: 401}.get(type(error), 400)
    headers = {}
    if isinstance(error, NotAdmitted):
        status = 401 if error.needs_key else 403
        headers = {"WWW-Authenticate": SCHEME} if error.needs_key else {}
    body = {"success": False, "reason": error.message}
    if error.field:
        body["field"] = error.field
    return JsonResponse(body, status=status, headers=headers)


def key_of(authorization: str, query_key: str | None) -> str | None:
    """Return the key that a caller sent, None when it sent none."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == SCHEME.lower():
        return key.strip()
    return query_key


def _key(request: HttpRequest) -> str | None:
    return key_of(request.headers.get("Authorization", ""), request.GET.get("key"))


def client_address(meta: Mapping[str, str]) -> str:
    """Return whose call it is; behind a proxy, as the proxy says: the last address, which it wrote itself."""
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    if settings.BEHIND_PROXY and forwarded:
        return forwarded.rpartition(",")[2].strip()
    return meta.get("REMOTE_ADDR", "")


# --- Devices ---------------------------------------------------------------------------------------------------------


def _change_state(plant: Plant, body: Body, now: datetime) -> Answer:
    machine = plant.machine_of(messages.whole(body, "machine_id"))
    state, code = (messages.optional_whole(body, name) for name in ("machine_state", "activity_code_id"))
    if code is None and state is None:
        raise Invalid("Send 'machine_state' or 'activity_code_id'.", field="machine_state")
    if code is None:
        code = UP if state == 1 else DOWN
    user_number = messages.optional_whole(body, "user_id")
    detail = ""
    if user_number is not None:
        user = selectors.people(plant).get(user_number)
        # A device that names somebody unknown still says what its machine does.
        detail = f"by {user}" if user else f"by user {user_number}"
    said_at = messages.text(body, "timestamp", 64, required=False) or None
    services.change_state(plant, machine, code, detail=detail, said_at=said_at, now=now)
    return {"success": True}


def _users(plant: Plant, query: Mapping[str, str], now: datetime) -> Answer:
    return selectors.users(plant)


def _activity_codes(plant: Plant, query: Mapping[str, str], now: datetime) -> Answer:
    return selectors.activity_codes(plant)


def _oee(plant: Plant, query: Mapping[str, str], now: datetime) -> Answer:
    machine, number, day = _machine_and_day(plant, query, now)
    return selectors.oee(machine, number, day, now)


def _activity_durations(plant: Plant, query: Mapping[str, str], now: datetime) -> Answer:
    machine, number, day = _machine_and_day(plant, query, now)
    return selectors.activity_durations(plant, machine, number, day, now)


def _machine_and_day(plant: Plant, query: Mapping[str, str], now: datetime) -> tuple[Machine, int, date]:
    number = number_in(query.get("machine_id", ""), "machine_id")
    machine = plant.machine_of(number)
    written = query.get("date", "")
    if not written:
        return machine, number, now.astimezone(machine.line.area.site.zone).date()
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise Invalid("'date' must be a day like 2026-03-02.", field="date") from None
    if not 1990 <= day.year <= 2200:
        raise Invalid("'date' lies outside the calendar.", field="date")
    return machine, number, day


# --- Tablets ---------------------------------------------------------------------------------------------------------


def _check_state(plant: Plant, query: Mapping[str, str], now: datetime) -> Answer:
    uuid = messages.text(dict(query), "device_uuid", _LONGEST_UUID)
    return selectors.check_state(plant, services.register(plant, uuid), now)


def _log_in(request: HttpRequest, plant: Plant, now: datetime) -> Answer:
    body = messages.read_body(request.headers.get("Content-Type", ""), request.body)
    tablet = _tablet(plant, body)
    number = messages.whole(body, "user_id")
    password = body.get("password")
    if not isinstance(password, str) or not password:
        raise Invalid("'password' is missing.", field="password")
    user = selectors.people(plant).get(number)
    # Somebody unknown is refused like a wrong password, and counted, so that numbers cannot be tried out.
    name = user.username if user else f"tablet user {number}"
    found = authenticate(request, username=name, password=password)
    if getattr(request, "axes_locked_out", False):
        # Otherwise the lockout's own page, which no tablet shows, would replace the answer.
        request.axes_locked_out = False  # type: ignore[attr-defined]
        return _failed("Too many wrong passwords; wait a quarter of an hour.")
    if user is None or not isinstance(found, User) or found.pk != user.pk:
        return _failed("Wrong user or password")
    if tablet.machine is None or not plant.knows(tablet.machine):
        return _failed("No assigned machine")
    services.log_in(plant, tablet, found, now=now)
    note_log_in(user=found)
    return {"success": True}


def _log_out(plant: Plant, body: Body, now: datetime) -> Answer:
    return {"success": True} if services.log_out(_tablet(plant, body)) else _failed(LOGGED_OUT)


def _start_job(plant: Plant, body: Body, now: datetime) -> Answer:
    tablet, machine, user = _session(plant, body)
    number = messages.text(body, "job_number", 64)
    pace, planned = _pace(plant.row_of(machine).job_input, body)
    zone = machine.line.area.site.zone
    starts_at = messages.clock_time(body, "start_time", zone=zone, now=now)
    job = services.JobStart(number, pace, planned, starts_at)
    services.start_job(plant, machine, job, detail=f"by {user} at {tablet}", now=now)
    return {"success": True}


def _pace(job_input: JobInput, body: Body) -> tuple[services.Pace | None, Any]:
    if job_input is JobInput.NONE:
        return None, None
    # A tablet that was told of the other form before the set-up changed sends the fields of that.
    if job_input is JobInput.PLANNED or ("ideal_cycle_time" not in body and "planned_quantity" in body):
        quantity, minutes = messages.positive(body, "planned_quantity"), messages.positive(body, "planned_time")
        return services.Pace.planned(quantity, minutes), quantity
    return services.Pace.entered(job_input, messages.positive(body, "ideal_cycle_time")), None


def _update(plant: Plant, body: Body, now: datetime) -> Answer:
    try:
        tablet, machine, user = _session(plant, body)
    except LoggedOut as error:
        return _failed(error.message)
    code = messages.whole(body, "activity_code_id")
    reason = services.change_state(plant, machine, code, detail=f"by {user} at {tablet}", now=now)
    return {"success": True, "colour": selectors.colour_of(reason)}


def _end_job(plant: Plant, body: Body, now: datetime) -> Answer:
    tablet, machine, _ = _session(plant, body)
    good, rejects = messages.number(body, "quantity_good"), messages.number(body, "rejects")
    services.end_job(plant, tablet, machine, good=good, rejects=rejects, now=now)
    return {"success": True}


def _update_quantity(plant: Plant, body: Body, now: datetime) -> Answer:
    _, machine, _ = _session(plant, body)
    new_good, new_rejects = messages.number(body, "quantity_good"), messages.number(body, "rejects")
    said_at = messages.text(body, "timestamp", 64, required=False) or None
    at = services.add_quantity(plant, machine, good=new_good, rejects=new_rejects, said_at=said_at, now=now)
    until = max(at, now) + services.JUST_AFTER
    run = selectors.active_run(machine.line_id, at)
    good, rejects = selectors.quantities(machine, run, until) if run else (Fraction(0), Fraction(0))
    return {
        "success": True,
        "quantity_produced": selectors.plain(good),
        "quantity_rejects": selectors.plain(rejects),
        "last_update": at.timestamp(),
    }


def _pause(plant: Plant, body: Body, now: datetime) -> Answer:
    try:
        tablet, machine, user = _session(plant, body)
    except LoggedOut as error:
        return _failed(error.message)
    services.change_state(plant, machine, DOWN, detail=f"by {user} at {tablet}", now=now)
    return {"success": True}


def _resume(plant: Plant, body: Body, now: datetime) -> Answer:
    try:
        tablet, machine, user = _session(plant, body)
    except LoggedOut as error:
        return _failed(error.message)
    said = messages.text(body, "downtime_reason", 200)
    notes = messages.text(body, "notes", 500, required=False)
    number = selectors.named_code(plant, said)
    if number is None:
        raise NotFound(f"There is no activity code '{said}'.", field="downtime_reason")
    detail = f"by {user} at {tablet}"
    services.resume_job(plant, machine, number=number, notes=notes, actor=user, detail=detail, now=now)
    return {"success": True}


def _explain(plant: Plant, body: Body, now: datetime) -> Answer:
    try:
        tablet, machine, user = _session(plant, body)
    except LoggedOut as error:
        return _failed(error.message)
    number = messages.whole(body, "activity_code_id")
    detail = f"by {user} at {tablet}"
    services.explain_pause(plant, machine, number=number, actor=user, detail=detail, now=now)
    return {"success": True}


def _failed(reason: str) -> dict[str, Any]:
    return {"success": False, "reason": reason}


def _tablet(plant: Plant, body: Body) -> Tablet:
    uuid = messages.text(body, "device_uuid", _LONGEST_UUID)
    tablet = selectors.tablets(plant).filter(device_uuid=uuid).first()
    if tablet is None:
        raise NotFound("The device is not registered; restart it.", field="device_uuid")
    return tablet


def _session(plant: Plant, body: Body) -> tuple[Tablet, Machine, User]:
    tablet = _tablet(plant, body)
    if tablet.machine is None or not plant.knows(tablet.machine):
        raise NotFound("No machine is assigned to the device.", field="device_uuid")
    if not isinstance(tablet.user, User) or not selectors.may_use(tablet.user, plant):
        raise LoggedOut(LOGGED_OUT)
    return tablet, tablet.machine, tablet.user


change_state = _post(_change_state)
users = _get(_users)
activity_codes = _get(_activity_codes)
oee = _get(_oee)
activity_durations = _get(_activity_durations)
check_state = _get(_check_state)
log_in = _call("POST", _log_in)
log_out = _post(_log_out)
start_job = _post(_start_job)
update = _post(_update)
end_job = _post(_end_job)
update_quantity = _post(_update_quantity)
pause = _post(_pause)
resume = _post(_resume)
explain = _post(_explain)
