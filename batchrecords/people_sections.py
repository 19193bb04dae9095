"""The section of a record that follows from people: who worked on it, and whether they had the skills."""

from collections import defaultdict
from datetime import date, datetime

from django.db.models import Q

from labor.models import Certificate, LaborEntry, SkillNeed
from workorders.models import WorkOrder
from workorders.record_sections import MAJOR, Finding, Section, contributes


@contributes("people", "People", 100)
def people_section(order: WorkOrder, now: datetime) -> Section:
    """Return who worked on it, and whether they had the skills that the place needs."""
    section = Section(("Person", "Work", "Operation", "Machine", "Start", "End"))
    entries = list(
        LaborEntry.objects.filter(work_order=order)
        .select_related("employee__site", "machine", "line")
        .order_by("started_at", "id")
    )
    needs = _needs(order, entries)
    held: dict[tuple[int, int], list[Certificate]] = defaultdict(list)
    wanted = {skill_id for skills in needs.values() for skill_id, _ in skills}
    certificates = Certificate.objects.filter(employee__in={entry.employee_id for entry in entries}, skill__in=wanted)
    for certificate in certificates:
        held[certificate.employee_id, certificate.skill_id].append(certificate)
    for entry in entries:
        section.add(
            f"{entry.employee.code} {entry.employee.name}",
            entry.get_kind_display(),
            entry.operation,
            entry.machine,
            entry.started_at,
            entry.ended_at,
        )
        if entry.employee.user_id:
            section.workers.add(entry.employee.user_id)
        day = entry.started_at.astimezone(entry.employee.site.zone).date()
        for skill_id, skill in needs[entry.pk]:
            if not any(_holds(one, day) for one in held[entry.employee_id, skill_id]):
                title = f"{entry.employee.name} had no certificate of {skill}"
                key = f"labor.skill:{entry.pk}:{skill_id}"
                section.findings.append(Finding(key, "uncertified", MAJOR, title, "", entry.started_at))
    return section


def _needs(order: WorkOrder, entries: list[LaborEntry]) -> dict[int, list[tuple[int, str]]]:
    """Return, for each entry, the skills that its machine, or else its line, needs."""
    lines = {entry.line_id or order.line_id for entry in entries} | {
        entry.machine.line_id for entry in entries if entry.machine
    }
    rows = SkillNeed.objects.filter(Q(line__in=lines) | Q(machine__line__in=lines)).select_related("skill")
    by_place: dict[tuple[str, int | None], list[tuple[int, str]]] = defaultdict(list)
    for need in rows.order_by("skill_id", "id"):
        place = ("line", need.line_id) if need.line_id else ("machine", need.machine_id)
        by_place[place].append((need.skill_id, str(need.skill)))
    found = {}
    for entry in entries:
        line_id = entry.machine.line_id if entry.machine else entry.line_id or order.line_id
        every = [*by_place["line", line_id], *by_place["machine", entry.machine_id]]
        found[entry.pk] = list(dict.fromkeys(every))
    return found


def _holds(certificate: Certificate, day: date) -> bool:
    return certificate.valid_from <= day and (certificate.valid_until is None or day <= certificate.valid_until)
