"""The admin's menu, in the plant's order: where, what, who, facts, orders, OEE, system."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse

from operations.views import may as may_see_backups
from screens.plant_page import may as may_take_out

Item = dict[str, Any]

# (title, icon, model, permission's model if another one)
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Where: plant",
        (
            ("Enterprises", "corporate_fare", "enterprise.enterprise"),
            ("Sites", "factory", "enterprise.site"),
            ("Areas", "select_all", "enterprise.area"),
            ("Lines", "conveyor_belt", "enterprise.line"),
            ("Machines", "precision_manufacturing", "enterprise.machine"),
            ("Machine classes", "workspaces", "enterprise.machineclass"),
            ("Shifts", "schedule", "enterprise.shift"),
            ("Calendar exceptions", "event_busy", "enterprise.calendarexception"),
        ),
    ),
    (
        "What: products and signals",
        (
            ("Products", "inventory_2", "products.product"),
            ("Units of products", "package_2", "products.productunit"),
            ("Revisions", "difference", "products.productrevision"),
            ("Bills of material", "account_tree", "products.billofmaterialline"),
            ("Routings", "route", "products.routing"),
            ("Operations", "conversion_path", "products.routingoperation"),
            ("Units of measure", "straighten", "products.unitofmeasure"),
            ("Custom fields", "new_label", "core.customfield"),
            ("Ideal rates", "speed", "products.idealrate"),
            ("Standard costs", "payments", "products.productcost"),
            ("Hourly rates", "price_change", "products.machinerate"),
            ("Count types", "category", "counts.counttype"),
            ("Count tags", "sell", "counts.counttag"),
            ("State reasons", "account_tree", "downtime.statereason"),
            ("Where reasons are offered", "pin_drop", "downtime.reasonplace"),
            ("Rules for reasons", "rule_settings", "downtime.reasonrule"),
        ),
    ),
    (
        "Orders",
        (
            ("Work orders", "assignment", "workorders.workorder"),
            ("Operations of orders", "checklist", "workorders.operation"),
            ("Schedules", "calendar_month", "workorders.schedule"),
            ("Runs", "play_circle", "workorders.run"),
            ("Status changes", "published_with_changes", "workorders.orderstatuschange"),
            ("Confirmations", "task_alt", "workorders.orderconfirmation"),
            ("Reasons for orders", "help_center", "workorders.orderreason"),
            ("Customers", "handshake", "workorders.customer"),
            ("Demand", "shopping_cart", "workorders.demand"),
            ("Lot sizing", "splitscreen", "workorders.lotsizing"),
            ("Changeovers", "sync_alt", "workorders.changeover"),
            ("Changeover targets", "swap_horiz", "workorders.changeovertarget"),
            ("Scheduling policies", "policy", "scheduling.schedulingpolicy"),
        ),
    ),
    (
        "Work on the floor",
        (
            ("Work on operations", "construction", "execution.operationrun"),
            ("Production reports", "task", "execution.productionreport"),
            ("Steps of operations", "footprint", "execution.operationstep"),
            ("Readings of set-points", "thermostat", "execution.parameterreading"),
            ("Scrap reasons", "delete_sweep", "execution.scrapreason"),
            ("Execution policies", "policy", "execution.executionpolicy"),
            ("Types of calls", "notifications", "andon.calltype"),
            ("Calls", "notifications_active", "andon.andoncall"),
            ("Steps of calls", "history", "andon.andonstep"),
        ),
    ),
    (
        "Maintenance",
        (
            ("Maintenance plans", "event_repeat", "maintenance.maintenanceplan"),
            ("Maintenance orders", "build", "maintenance.maintenanceorder"),
            ("Steps of maintenance", "footprint", "maintenance.maintenancestep"),
            ("Spare parts used", "settings", "maintenance.partuse"),
            ("Recommendations", "lightbulb", "advice.recommendation"),
            ("Steps of recommendations", "footprint", "advice.recommendationstep"),
            ("Silences of advice", "do_not_disturb_on", "advice.silence"),
            ("Models of advice", "model_training", "advice.advicemodel"),
            ("Tools", "handyman", "maintenance.tool"),
            ("Mountings of tools", "published_with_changes", "maintenance.toolmounting"),
        ),
    ),
    (
        "Materials",
        (
            ("Lots", "inventory", "materials.materiallot"),
            ("Stock", "warehouse", "materials.stock"),
            ("Material transactions", "move_down", "materials.materialtransaction"),
            ("Lot status changes", "verified", "materials.lotstatuschange"),
            ("Containers", "package", "materials.container"),
            ("Steps of containers", "footprint", "materials.containerstep"),
            ("Container policies", "policy", "materials.containerpolicy"),
            ("Locations", "shelves", "materials.location"),
            ("Picking policies", "low_priority", "materials.pickingpolicy"),
            ("Back-flush policies", "fast_rewind", "materials.backflushpolicy"),
        ),
    ),
    (
        "Serial units",
        (
            ("Serial units", "qr_code_2", "tracking.serialunit"),
            ("Stage forms", "fact_check", "tracking.stageform"),
            ("Stage entries", "edit_note", "tracking.stageentry"),
            ("Events of units", "history", "tracking.unitevent"),
            ("Assemblies", "account_tree", "tracking.assembly"),
            ("Packing of units", "package", "tracking.unitpackingstep"),
        ),
    ),
    (
        "Labels and workbooks",
        (
            ("Label layouts", "qr_code_2", "labels.labellayout"),
            ("Label batches", "print", "labels.labelbatch"),
            ("Labels", "label", "labels.label"),
            ("Labels printed again", "replay", "labels.labelreprint"),
            ("Workbooks", "table_view", "reports.workbooktemplate"),
        ),
    ),
    (
        "Labour",
        (
            ("Employees", "badge", "labor.employee"),
            ("Crews", "groups", "labor.crew"),
            ("Crew plan", "calendar_month", "labor.crewassignment"),
            ("Skills", "school", "labor.skill"),
            ("Skills needed", "verified_user", "labor.skillneed"),
            ("Absences", "event_busy", "labor.absence"),
            ("Attendance", "how_to_reg", "labor.attendance"),
            ("Labour entries", "work_history", "labor.laborentry"),
            ("Labour policies", "policy", "labor.laborpolicy"),
        ),
    ),
    (
        "Quality",
        (
            ("Inspection plans", "checklist", "quality.inspectionplan"),
            ("Characteristics", "straighten", "quality.characteristic"),
            ("Sampling rules", "rule", "quality.samplingrule"),
            ("Gauges", "speed", "quality.gauge"),
            ("Measurements of devices", "sensors", "quality.gaugetag"),
            ("Calibrations", "verified", "quality.calibration"),
            ("Control charts", "monitoring", "quality.controlchart"),
            ("Signals", "notification_important", "quality.signal"),
            ("Inspections", "fact_check", "quality.inspection"),
            ("Results", "list_alt", "quality.result"),
            ("Kinds of defects", "category", "quality.defectcode"),
            ("Defects", "bug_report", "quality.defect"),
            ("Non-conformances", "report", "quality.nonconformance"),
            ("Dispositions", "gavel", "quality.disposition"),
            ("Corrective actions", "build", "quality.correctiveaction"),
        ),
    ),
    (
        "Facts (to look at)",
        (
            ("Count readings", "pin", "counts.countreading"),
            ("Count corrections", "edit_note", "counts.countcorrection"),
            ("Counter events", "restart_alt", "counts.counterevent"),
            ("Counter steps", "stairs", "oee.counterstep"),
            ("States", "timeline", "downtime.recordedstate"),
            ("State corrections", "rule", "downtime.statecorrection"),
            ("Signal gaps", "signal_disconnected", "downtime.signalgap"),
            ("Changeover tasks done", "task_alt", "workorders.changeovertaskdone"),
            ("Quarantine", "report", "ingest.quarantineditem"),
        ),
    ),
    (
        "Batch records",
        (
            ("Batch records", "description", "batchrecords.batchrecord"),
            ("Signatures", "draw", "batchrecords.signature"),
            ("Deviations", "report_problem", "batchrecords.deviation"),
            ("Resolutions", "task_alt", "batchrecords.resolution"),
            ("Steps of operations", "checklist_rtl", "batchrecords.steptemplate"),
            ("Steps done", "fact_check", "batchrecords.stepentry"),
            ("Signing policies", "policy", "batchrecords.signingpolicy"),
            ("Audit trail", "history_edu", "accounts.auditentry"),
        ),
    ),
    (
        "OEE and dashboards",
        (
            ("Dashboards", "dashboard", "dashboards.dashboard"),
            ("OEE policies", "policy", "oee.oeepolicy"),
            ("Custom KPIs", "function", "oee.customkpi"),
            ("OEE records", "query_stats", "oee.oeerecord"),
            ("Closed shifts", "lock_clock", "oee.shiftclosing"),
            ("Closing rules", "event_available", "oee.closingrule"),
            ("Comments on hours", "comment", "oee.hourcomment"),
            ("Notes of shifts", "sticky_note_2", "oee.shiftnote"),
            ("Reviews of shifts", "fact_check", "oee.shiftreview"),
            ("Retention of raw facts", "auto_delete", "core.retention"),
            ("Reports by e-mail", "outgoing_mail", "reports.reportsubscription"),
            ("E-mails of reports", "mark_email_read", "reports.reportmail"),
        ),
    ),
    (
        "Connections to machines",
        (
            ("Connectors", "cable", "connectors.connector"),
            ("State maps", "translate", "connectors.statemap"),
            ("Signals not mapped", "contact_support", "connectors.unmappedsignal"),
            ("Tablets", "tablet", "connectors.tablet"),
        ),
    ),
    (
        "ERP and other systems",
        (
            ("Partners", "hub", "erp.partner"),
            ("Deliveries", "outbox", "erp.delivery"),
            ("Messages", "mail", "core.outboxmessage"),
        ),
    ),
    (
        "Who: people and keys",
        (
            ("People", "group", "accounts.user"),
            ("Device keys", "key", "accounts.devicekey"),
            ("Client keys", "vpn_key", "accounts.clientkey"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the menu with what the person may see."""
    groups = [
        {"title": title, "collapsible": False, "items": [_item(*entry) for entry in entries]}
        for title, entries in GROUPS
    ]
    start: list[Item] = [
        {"title": "Live screens", "icon": "monitoring", "link": "/", "active": False},
        {"title": "Overview", "icon": "checklist", "link": reverse("admin:index")},
        {
            "title": "Plant",
            "icon": "lan",
            "link": reverse("admin:plant"),
            "permission": lambda request: cast(Any, request.user).has_perm("enterprise.view_machine"),
        },
        {
            "title": "Connections",
            "icon": "monitor_heart",
            "link": reverse("admin:connectors_health"),
            "permission": lambda request: cast(Any, request.user).has_perm("connectors.view_connector"),
        },
        {
            "title": "Integration",
            "icon": "sync_alt",
            "link": reverse("admin:erp_integration"),
            "permission": lambda request: cast(Any, request.user).has_perm("erp.view_partner"),
        },
    ]
    system: list[Item] = [
        {"title": "Backups", "icon": "backup", "link": reverse("admin:backups"), "permission": may_see_backups},
        {
            "title": "The plant as a file",
            "icon": "export_notes",
            "link": reverse("screens:plant-file"),
            "permission": may_take_out,
        },
        {"title": "API documentation", "icon": "api", "link": reverse("api-docs")},
    ]
    return [{"items": start}, *groups, {"title": "System", "items": system}]


def _item(title: str, icon: str, model: str) -> Item:
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{app}_{name}_changelist"),
        "permission": _may_see(app, name),
    }


def _may_see(app: str, name: str) -> Callable[[HttpRequest], bool]:
    def allowed(request: HttpRequest) -> bool:
        from django.apps import apps
        from django.contrib import admin

        model_admin = admin.site._registry[apps.get_model(app, name)]
        return model_admin.has_view_permission(request)

    return allowed
