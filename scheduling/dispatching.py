"""Place jobs on lines of finite capacity, one after the other. Pure: no database, no clock, exact.

A rule, not an optimum: jobs are taken by due date, priority and number, and each gets the earliest time (forward) or
the latest (backward) that working time, what is planned already, set-up and earlier operations leave. The same jobs in
any order give the same bars. A bar lies in one gap between other entries; it is cut where a shift ends, so that each of
its parts lies in one shift, and breaks inside a shift are passed over.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from core.intervals import Interval, intersect, microseconds, subtract

_LAST = datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MAX_EVALUATIONS = 600
"""How many orders of the jobs the search for less set-up tries at most."""

Setup = Callable[[int, int | None, int | None], int | None]
"""Set-up in µs on a line, from a product to a product; None = nobody said."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Working time that belongs together: a shift with its breaks taken out, as one or more pieces in order."""

    span: Interval
    pieces: tuple[Interval, ...]

    @classmethod
    def of(cls, span: Interval, breaks: Sequence[Interval] = ()) -> "Shift":
        """Return a shift without its breaks."""
        return cls(span, tuple(subtract(span, breaks)))


@dataclass(frozen=True, slots=True)
class Busy:
    """Time that is planned already: what for, as people name it, and which product is made, if one is."""

    span: Interval
    label: str
    product_id: int | None = None
    is_production: bool = True
    job: str | None = None


@dataclass(frozen=True, slots=True)
class LineTime:
    """A line: its working time in order, what is planned on it, and the product that it is set up for at the
    beginning.
    """

    line_id: int
    name: str
    shifts: tuple[Shift, ...]
    busy: tuple[Busy, ...] = ()
    product_id: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An order, or one operation of it: how long it takes (µs) on each line that can do it, set-up aside.

    `setup` is what it takes where no changeover target says so. `after` is the key of the job that must end first.
    """

    key: str
    number: str
    product_id: int | None
    durations: Mapping[int, int] = field(compare=False, hash=False)
    due: datetime | None = None
    priority: int | None = None
    step: int = 0
    after: str | None = None
    setup: int = 0

    @property
    def rank(self) -> tuple[datetime, int, str, int, str]:
        """By due date, then priority (1 first), then number; operations in their order."""
        return (self.due or _LAST, self.priority or 99, self.number, self.step, self.key)


@dataclass(frozen=True, slots=True)
class Bar:
    """A job on a line: its parts by shift, each with the working time in it (µs), and why it lies there."""

    job: Job
    line_id: int
    parts: tuple[tuple[Interval, int], ...]
    setup: int
    from_product_id: int | None
    why: str

    @property
    def start(self) -> datetime:
        """When its set-up begins."""
        return self.parts[0][0].start

    @property
    def end(self) -> datetime:
        """When it is done."""
        return self.parts[-1][0].end


@dataclass(frozen=True, slots=True)
class Plan:
    """Bars in the order of their start, and why the other jobs have none."""

    bars: tuple[Bar, ...]
    refused: tuple[tuple[Job, str], ...]

    @property
    def setup(self) -> int:
        """All set-up time, in µs."""
        return sum(bar.setup for bar in self.bars)

    @property
    def tardiness(self) -> int:
        """By how much bars end after their due dates, summed, in µs."""
        return sum(max(0, microseconds(bar.end - bar.job.due)) for bar in self.bars if bar.job.due is not None)

    @property
    def end(self) -> datetime | None:
        """When the last bar ends."""
        return max((bar.end for bar in self.bars), default=None)


Say = Callable[[datetime], str]
"""How a moment is said at the site."""


def dispatch(
    jobs: Sequence[Job],
    lines: Mapping[int, LineTime],
    window: Interval,
    setup: Setup,
    *,
    backward: bool = False,
    say: Say = datetime.isoformat,
) -> Plan:
    """Return where jobs go within a window by the dispatching rule.

    Backward, a job that does not fit between the window's start and its due date is placed forward afterwards.
    """
    ordered = sorted(jobs, key=lambda job: job.rank)
    return (
        _Placing(lines, window, setup, say).backward(ordered)
        if backward
        else _forward(ordered, lines, window, setup, say)
    )


def with_less_setup(
    jobs: Sequence[Job], lines: Mapping[int, LineTime], window: Interval, setup: Setup, *, say: Say = datetime.isoformat
) -> Plan:
    """Return a forward plan with less set-up, and in sum no more lateness, than that of the dispatching rule.

    Local search from the rule's order: taking a job out and putting it in elsewhere, and turning a stretch round
    (2-opt); the first change that is better is kept, by fewer jobs without a place, less lateness, less set-up, an
    earlier end. It tries a fixed number of orders, and so ends with the same plan every time.
    """
    order = sorted(jobs, key=lambda job: job.rank)
    best = _forward(order, lines, window, setup, say)
    tried = 0
    improved = True
    while improved:
        improved = False
        for candidate in _neighbours(order):
            if tried >= MAX_EVALUATIONS:
                return best
            tried += 1
            plan = _forward(candidate, lines, window, setup, say)
            if _cost(plan) < _cost(best):
                order, best, improved = candidate, plan, True
                break
    return best


def _cost(plan: Plan) -> tuple[int, int, int, datetime]:
    return len(plan.refused), plan.tardiness, plan.setup, plan.end or _LAST


def _neighbours(order: list[Job]) -> Sequence[list[Job]]:
    found = []
    for at in range(len(order)):
        rest = order[:at] + order[at + 1 :]
        found += [[*rest[:to], order[at], *rest[to:]] for to in range(len(order)) if to != at]
    for start in range(len(order)):
        for end in range(start + 3, len(order) + 1):
            found.append(order[:start] + order[start:end][::-1] + order[end:])
    return [candidate for candidate in found if _keeps_steps(candidate)]


def _keeps_steps(order: Sequence[Job]) -> bool:
    place = {job.key: at for at, job in enumerate(order)}
    return all(place.get(job.after or "", -1) < at for at, job in enumerate(order))


def _forward(ordered: Sequence[Job], lines: Mapping[int, LineTime], window: Interval, setup: Setup, say: Say) -> Plan:
    placing = _Placing(lines, window, setup, say)
    for job in ordered:
        placing.earliest(job)
    return placing.plan()


class _Placing:
    """What is placed so far."""

    def __init__(self, lines: Mapping[int, LineTime], window: Interval, setup: Setup, say: Say) -> None:
        self.lines, self.window, self.setup_of, self.say = lines, window, setup, say
        self.busy = {pk: sorted(line.busy, key=lambda busy: busy.span) for pk, line in lines.items()}
        self.work = {pk: _Work(line.shifts, window) for pk, line in lines.items()}
        self.bars: dict[str, Bar] = {}
        self.refused: list[tuple[Job, str]] = []
        self.is_provisional = False

    def plan(self) -> Plan:
        """Return the bars in order."""
        bars = sorted(self.bars.values(), key=lambda bar: (bar.start, bar.line_id, bar.job.key))
        return Plan(tuple(bars), tuple(sorted(self.refused, key=lambda pair: pair[0].rank)))

    # --- forward ---

    def earliest(self, job: Job) -> None:
        """Place a job as early as it can be, on the line on which it ends first."""
        ready, bound = self.window.start, ""
        if job.after is not None:
            before = self.bars.get(job.after)
            if before is None:
                self.refused.append((job, "the operation before it has no place"))
                return
            if before.end > ready:
                ready, bound = before.end, f"starts then because the operation before it ends at {self.say(before.end)}"
        bars = [bar for pk in sorted(job.durations) if (bar := self._earliest_on(job, pk, ready, bound)) is not None]
        self._keep(job, min(bars, key=lambda bar: (bar.end, bar.setup, bar.line_id), default=None))

    def _earliest_on(self, job: Job, line_id: int, ready: datetime, bound: str) -> Bar | None:
        if line_id not in self.lines:
            return None
        for gap, before, after in self._gaps(line_id):
            if gap.end <= ready:
                continue
            setup, product_id = self._setup(job, line_id, before)
            until = self._until(job, line_id, gap, before, after)
            if until is None:
                continue
            asked = max(gap.start, ready)
            parts = self.work[line_id].forward(asked, setup + job.durations[line_id], until)
            if parts is None:
                continue
            why = self._why(line_id, asked, ready, before, bound, parts[0][0].start)
            return Bar(job, line_id, parts, setup, product_id, why)
        return None

    def _why(
        self, line_id: int, asked: datetime, ready: datetime, before: Busy | None, bound: str, start: datetime
    ) -> str:
        name = self.lines[line_id].name
        if start > asked:
            return f"starts then because there is no shift on {name} until {self.say(start)}"
        if before is not None and asked > ready:
            return f"starts then because {name} is busy with {before.label} until {self.say(before.span.end)}"
        return bound or "starts as early as was asked for"

    # --- backward ---

    def backward(self, ordered: Sequence[Job]) -> Plan:
        """Place jobs from the last to the first, as late as their due dates allow; forward what does not fit."""
        late = []
        self.is_provisional = True
        for job in reversed(ordered):
            if not self._latest(job, ordered):
                late.append(job)
        self._trim()
        self.is_provisional = False
        for job in reversed(late):
            self.earliest(job)
            if (bar := self.bars.get(job.key)) is not None:
                self.bars[job.key] = replace(bar, why=f"does not fit before it is due, so it {bar.why}")
        return self.plan()

    def _latest(self, job: Job, ordered: Sequence[Job]) -> bool:
        end, bound = self.window.end, f"ends then because the plan ends at {self.say(self.window.end)}"
        if job.due is not None and job.due < end:
            end, bound = job.due, f"ends then because it is due at {self.say(job.due)}"
        following = [other for other in ordered if other.after == job.key]
        for other in following:
            bar = self.bars.get(other.key)
            if bar is None:
                return False
            if bar.start < end:
                end, bound = bar.start, f"ends then because the next operation starts at {self.say(bar.start)}"
        found = []
        for line_id in sorted(job.durations):
            if line_id in self.lines and (bar := self._latest_on(job, line_id, end, bound, ordered)) is not None:
                found.append(bar)
        if not found:
            return False
        self._keep(job, max(found, key=lambda bar: (bar.start, -bar.setup, -bar.line_id)))
        return True

    def _latest_on(self, job: Job, line_id: int, end: datetime, bound: str, ordered: Sequence[Job]) -> Bar | None:
        products = {other.product_id for other in ordered} | {busy.product_id for busy in self.busy[line_id]}
        products.add(self.lines[line_id].product_id)
        for gap, before, after in reversed(self._gaps(line_id)):
            if gap.start >= end:
                continue
            # What will be before it is not known yet: there is time for the longest change, and the rest is given back.
            setup = max(self._change(job, line_id, product_id) for product_id in products)
            until = self._until(job, line_id, gap, before, after)
            if until is None:
                continue
            latest = min(until, end)
            parts = self.work[line_id].backward(latest, setup + job.durations[line_id], gap.start)
            if parts is None:
                continue
            name = self.lines[line_id].name
            if parts[-1][0].end < latest:
                bound = f"ends then because there is no shift on {name} after {self.say(parts[-1][0].end)}"
            elif after is not None and latest < end:
                bound = f"ends then because {name} is busy with {after.label} from {self.say(after.span.start)}"
            return Bar(job, line_id, parts, setup, None, bound)
        return None

    def _trim(self) -> None:
        """Give back the set-up that bars turned out not to need: they begin later and end as before."""
        for line_id, busy in self.busy.items():
            product_id = self.lines[line_id].product_id
            for at, one in enumerate(busy):
                bar = self.bars.get(one.job or "")
                if bar is not None:
                    setup = self._change(bar.job, line_id, product_id)
                    need = setup + bar.job.durations[line_id]
                    parts = self.work[line_id].backward(bar.end, need, bar.start)
                    if parts is not None:
                        bar = replace(bar, parts=parts, setup=setup, from_product_id=product_id)
                        self.bars[bar.job.key] = bar
                        busy[at] = replace(one, span=Interval(bar.start, bar.end))
                if one.is_production:
                    product_id = one.product_id or product_id

    # --- what both need ---

    def _gaps(self, line_id: int) -> list[tuple[Interval, Busy | None, Busy | None]]:
        """Return the free time of a line in order, each with what is planned before and after it."""
        found: list[tuple[Interval, Busy | None, Busy | None]] = []
        start, before = self.window.start, None
        for busy in self.busy[line_id]:
            if busy.span.start > start and (free := intersect(Interval(start, busy.span.start), self.window)):
                found.append((free, before, busy))
            if before is None or busy.span.end >= start:
                start, before = max(start, busy.span.end), busy
        if start < self.window.end:
            found.append((Interval(start, self.window.end), before, None))
        return found

    def _made_before(self, line_id: int, before: Busy | None) -> int | None:
        """Return the product that a line is set up for after an entry; maintenance changes nothing."""
        product_id = self.lines[line_id].product_id
        if before is None:
            return product_id
        for busy in self.busy[line_id]:
            if busy.is_production:
                product_id = busy.product_id or product_id
            if busy is before:
                break
        return product_id

    def _change(self, job: Job, line_id: int, product_id: int | None) -> int:
        if product_id is not None and product_id == job.product_id:
            return 0
        needed = self.setup_of(line_id, product_id, job.product_id)
        return job.setup if needed is None else needed

    def _setup(self, job: Job, line_id: int, before: Busy | None) -> tuple[int, int | None]:
        product_id = self._made_before(line_id, before)
        return self._change(job, line_id, product_id), product_id

    def _until(self, job: Job, line_id: int, gap: Interval, before: Busy | None, after: Busy | None) -> datetime | None:
        """Return until when a job may last in a gap, so that what follows still has the set-up that it counts on.

        None where it must not go: before a bar that would then need another set-up.
        """
        if after is None or not after.is_production or after.product_id is None:
            return gap.end
        was = self._made_before(line_id, before)
        needs = self._between(line_id, was, after.product_id)
        now_needs = self._between(line_id, job.product_id, after.product_id)
        if after.job is not None:
            # What is placed backward has time for the longest change until all are placed.
            return gap.end if self.is_provisional or now_needs == needs else None
        more = max(0, now_needs - needs) * _MICROSECOND
        return gap.end - more if gap.end - more > gap.start else None

    def _between(self, line_id: int, one: int | None, other: int | None) -> int:
        return 0 if one is not None and one == other else self.setup_of(line_id, one, other) or 0

    def _keep(self, job: Job, bar: Bar | None) -> None:
        if bar is None:
            self.refused.append((job, "no line that can make it has enough free time in the plan"))
            return
        self.bars[job.key] = bar
        busy = self.busy[bar.line_id]
        entry = Busy(Interval(bar.start, bar.end), job.number, job.product_id, True, job.key)
        busy.insert(bisect_left(busy, entry.span, key=lambda one: one.span), entry)


class _Work:
    """The working time of a line within a window, to be walked from either end."""

    def __init__(self, shifts: Sequence[Shift], window: Interval) -> None:
        self.pieces = [
            (part, number)
            for number, shift in enumerate(shifts)
            for piece in shift.pieces
            if (part := intersect(piece, window)) is not None
        ]
        self.starts = [piece.start for piece, _ in self.pieces]
        self.ends = [piece.end for piece, _ in self.pieces]

    def forward(self, start: datetime, need: int, until: datetime) -> tuple[tuple[Interval, int], ...] | None:
        """Return the parts, by shift, in which so much work is done from a moment on;
        None when it is not done in time.
        """
        taken: list[tuple[Interval, int]] = []
        for piece, shift in self.pieces[bisect_left(self.ends, start + _MICROSECOND) :]:
            begins = max(piece.start, start)
            done = min(need, microseconds(piece.end - begins))
            if begins + done * _MICROSECOND > until:
                return None
            taken.append((Interval(begins, begins + done * _MICROSECOND), shift))
            need -= done
            if not need:
                return _joined(taken)
        return None

    def backward(self, end: datetime, need: int, since: datetime) -> tuple[tuple[Interval, int], ...] | None:
        """Return the parts, by shift, in which so much work is done up to a moment; None when it began too early."""
        taken: list[tuple[Interval, int]] = []
        for piece, shift in reversed(self.pieces[: bisect_left(self.starts, end)]):
            ends = min(piece.end, end)
            done = min(need, microseconds(ends - piece.start))
            if ends - done * _MICROSECOND < since:
                return None
            taken.append((Interval(ends - done * _MICROSECOND, ends), shift))
            need -= done
            if not need:
                return _joined(taken[::-1])
        return None


def _joined(pieces: Sequence[tuple[Interval, int]]) -> tuple[tuple[Interval, int], ...]:
    """Return one part for each shift, from its first piece to its last, with the working time in it."""
    parts: list[tuple[Interval, int, int]] = []
    for piece, shift in pieces:
        if parts and parts[-1][2] == shift:
            span, done, _ = parts[-1]
            parts[-1] = Interval(span.start, piece.end), done + piece.microseconds, shift
        else:
            parts.append((piece, piece.microseconds, shift))
    return tuple((span, done) for span, done, _ in parts)
