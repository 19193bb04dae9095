"""Parts of reports about who did, corrected or edited what."""

from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.audit_models import AuditEntry
from counts.models import CountCorrection
from downtime.models import StateCorrection
from oee.knowledge_changes import change_keys, describe
from reports.asked import Asked, some_of
from reports.document import MOMENT, NUMBER, Column, Row, Section, Table

MOST_ROWS = 500


def audited(asked: Asked) -> Section:
    """Who did what that has to be provable, as the audit trail has it."""
    found = AuditEntry.objects.filter(site__in=asked.sites, at__gte=asked.window.start, at__lt=asked.window.end)
    entries, left_out = some_of(found.order_by("at", "sequence"), MOST_ROWS)
    counted = found.order_by().values_list("action").annotate(number=Count("pk")).order_by("-number", "action")
    columns = (
        Column(_("No."), "sequence", NUMBER),
        Column(_("At"), "at", MOMENT),
        Column(_("Who"), "who"),
        Column(_("Did what"), "action"),
        Column(_("To what"), "subject"),
        Column(_("Hash"), "hash"),
    )
    rows = [
        Row((one.sequence, one.at, one.actor_name or _("the system"), one.action, one.subject, one.content_hash[:16]))
        for one in entries
    ]
    actions = [Row((action, number)) for action, number in counted]
    return Section(
        _("Audit trail"),
        "audit",
        tables=[
            Table(
                _("By action"),
                "actions",
                (Column(_("Action"), "action"), Column(_("Number"), "number", NUMBER)),
                actions,
                _("No entry."),
            ),
            Table(_("Entries"), "entries", columns, rows, _("No entry."), left_out),
        ],
    )


def corrections(asked: Asked) -> Section:
    """What people corrected of the facts of these machines, whenever these happened."""
    within = {"recorded_at__gte": asked.window.start, "recorded_at__lt": asked.window.end}
    of_states = StateCorrection.objects.filter(machine__in=asked.names, **within).select_related("corrected_by")
    states, more_states = some_of(of_states.order_by("recorded_at", "id"), MOST_ROWS)
    of_counts = CountCorrection.objects.filter(tag__machine__in=asked.names, **within)
    counts, more_counts = some_of(
        of_counts.select_related("corrected_by", "tag").order_by("recorded_at", "id"), MOST_ROWS
    )
    state_rows = [
        Row(
            (
                one.recorded_at,
                str(one.corrected_by),
                asked.names[one.machine_id],
                one.starts_at,
                one.ends_at,
                asked.reason_name(one.reason_id) if one.reason_id else _("as the machine said"),
                one.comment,
            )
        )
        for one in states
    ]
    count_rows = [
        Row((one.recorded_at, str(one.corrected_by), one.tag.tag_path, one.occurred_at, one.value, one.comment))
        for one in counts
    ]
    who = (Column(_("At"), "at", MOMENT), Column(_("Who"), "who"))
    return Section(
        _("Corrections of facts"),
        "corrections",
        tables=[
            Table(
                _("Of states"),
                "state_corrections",
                (
                    *who,
                    Column(_("Machine"), "machine"),
                    Column(_("From"), "starts_at", MOMENT),
                    Column(_("To"), "ends_at", MOMENT),
                    Column(_("Reason"), "reason"),
                    Column(_("Comment"), "comment"),
                ),
                state_rows,
                _("Nothing was corrected."),
                more_states,
            ),
            Table(
                _("Of counts"),
                "count_corrections",
                (
                    *who,
                    Column(_("Tag"), "tag"),
                    Column(_("Reading of"), "occurred_at", MOMENT),
                    Column(_("Value"), "value", NUMBER),
                    Column(_("Comment"), "comment"),
                ),
                count_rows,
                _("Nothing was corrected."),
                more_counts,
            ),
        ],
    )


def edits(asked: Asked) -> Section:
    """Edits of what numbers follow from besides facts: calendar, policies, rates, tags."""
    every = change_keys(user=asked.user, since=asked.window.start, until=asked.window.end)
    keys, left_out = some_of(every, MOST_ROWS)
    rows = [
        Row(
            (
                edit.at,
                edit.by or _("the system"),
                edit.kind.replace("_", " "),
                edit.title,
                edit.action,
                "; ".join(f"{change.field}: {change.old} → {change.new}" for change in edit.changes),
            )
        )
        for edit in describe(keys)
    ]
    columns = (
        Column(_("At"), "at", MOMENT),
        Column(_("Who"), "who"),
        Column(_("Kind"), "kind"),
        Column(_("What"), "what"),
        Column(_("Did what"), "action"),
        Column(_("Change"), "change"),
    )
    table = Table(_("Edits"), "edits", columns, rows, _("Nothing was edited."), left_out)
    return Section(_("Edits of calendar, policies, rates and tags"), "edits", tables=[table])
