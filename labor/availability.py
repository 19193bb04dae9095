"""Say who could work on lines on given days: qualified, employed and not absent."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from enterprise.models import Machine
from labor.models import Absence, Certificate, Employee, SkillNeed


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who could work on a line on a day.

    `people` are those with every skill that the line itself needs; `lacking` names machines (or the line) with needs
    that nobody there meets; `has_needs` whether any skill is asked for at all; `is_staffed` whether the site has
    people on record.
    """

    people: int
    lacking: tuple[str, ...]
    has_needs: bool
    is_staffed: bool


def staffing(asked: Collection[tuple[int, int, date]]) -> dict[tuple[int, date], Staffing]:
    """Return who could work, by (line, day), for each asked (line, its site, day); five queries for any number.

    One person is enough for each machine, and the same one may be counted on by several lines.
    """
    lines, sites = {line for line, _, _ in asked}, {site for _, site, _ in asked}
    machines = {m.pk: m for m in Machine.objects.filter(line__in=lines, is_active=True)}
    names: dict[int, str] = {}
    of_line: dict[int, set[int]] = defaultdict(set)
    of_machine: dict[int, set[int]] = defaultdict(set)
    needs = SkillNeed.objects.filter(Q(line__in=lines) | Q(machine__in=machines), skill__is_active=True)
    for need in needs.select_related("skill"):
        names[need.skill_id] = need.skill.name
        if need.line_id is not None:
            of_line[need.line_id].add(need.skill_id)
        elif need.machine_id is not None:
            of_machine[need.machine_id].add(need.skill_id)
    people: dict[int, list[int]] = defaultdict(list)
    for pk, site_id in Employee.objects.filter(site__in=sites, is_active=True).values_list("id", "site"):
        people[site_id].append(pk)
    everyone = [pk for of_site in people.values() for pk in of_site]
    days = [day for _, _, day in asked]
    certificates: dict[int, list[Certificate]] = defaultdict(list)
    absences: dict[int, list[Absence]] = defaultdict(list)
    if days:
        valid = Certificate.objects.filter(employee__in=everyone, skill__in=names, valid_from__lte=max(days))
        for certificate in valid.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=min(days))):
            certificates[certificate.employee_id].append(certificate)
        for absence in Absence.objects.filter(
            employee__in=everyone, first_date__lte=max(days), last_date__gte=min(days)
        ):
            absences[absence.employee_id].append(absence)
    skills: dict[tuple[int, date], dict[int, set[int]]] = {}
    found = {}
    for line_id, site_id, day in asked:
        if (site_id, day) not in skills:
            skills[site_id, day] = {
                pk: {c.skill_id for c in certificates[pk] if _holds(c, day)}
                for pk in people[site_id]
                if not any(absence.first_date <= day <= absence.last_date for absence in absences[pk])
            }
        there = skills[site_id, day]
        fit = [pk for pk, has in there.items() if of_line[line_id] <= has]
        lacking = [_words("the line", of_line[line_id], names)] if of_line[line_id] and not fit else []
        of_this = {pk: skill_ids for pk, skill_ids in of_machine.items() if machines[pk].line_id == line_id}
        for machine_id, skill_ids in sorted(of_this.items()):
            if not any(of_line[line_id] | skill_ids <= has for has in there.values()):
                lacking.append(_words(machines[machine_id].name, skill_ids, names))
        found[line_id, day] = Staffing(
            len(fit), tuple(lacking), bool(of_line[line_id] or of_this), bool(people[site_id])
        )
    return found


def _holds(certificate: Certificate, day: date) -> bool:
    return certificate.valid_from <= day and (certificate.valid_until is None or day <= certificate.valid_until)


def _words(place: str, skill_ids: set[int], names: dict[int, str]) -> str:
    return f"{', '.join(sorted(names[pk] for pk in skill_ids))} for {place}"
