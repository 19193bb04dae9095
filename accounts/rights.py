"""Who may what, as data: for each kind of thing and each action, the roles that may. Superusers may everything.

Another site's things do not exist for anybody without a role there; that is `core.master_data.in_scope`.
"""

OPERATOR, SUPERVISOR, ENGINEER, QUALITY, ERP, ADMIN = "operator", "supervisor", "engineer", "quality", "erp", "admin"
EVERYBODY = frozenset({OPERATOR, SUPERVISOR, ENGINEER, QUALITY, ERP, ADMIN})
PEOPLE = EVERYBODY - {ERP}

VIEW, ADD, CHANGE, DELETE = "view", "add", "change", "delete"


def _grant(
    view: frozenset[str], write: set[str], *, change: set[str] | None = None, delete: set[str] | None = None
) -> dict[str, frozenset[str]]:
    return {
        VIEW: view,
        ADD: frozenset(write),
        CHANGE: frozenset(write if change is None else change),
        DELETE: frozenset(write if delete is None else delete),
    }


ROLES: dict[str, dict[str, frozenset[str]]] = {
    # Machines, products, tags, reasons, shifts: what an engineer sets up.
    "master_data": _grant(EVERYBODY, {ENGINEER}),
    "order": _grant(EVERYBODY, {SUPERVISOR, ERP}),
    "run": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, delete={SUPERVISOR}),
    # Facts are added by people where no device does; a change is a correction, and nothing is ever deleted.
    "fact": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, change={SUPERVISOR, QUALITY}, delete=set()),
    # Movements of material; a change is an adjustment or a reversal, which are movements too.
    "material": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, change={SUPERVISOR}, delete=set()),
    # A lot comes with its first movement; to write here is to decide about it, or to note where it came from.
    "lot": _grant(EVERYBODY, {SUPERVISOR, QUALITY}, delete=set()),
    # Labels are printed once and again, never changed.
    "label": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, ENGINEER}, change=set(), delete=set()),
    "oee_record": _grant(EVERYBODY, set(EVERYBODY), delete={SUPERVISOR, ENGINEER}),
    # A signature under a shift's numbers; a change is accepting others, and nothing is ever deleted.
    "closing": _grant(EVERYBODY, {SUPERVISOR}, delete=set()),
    # Who works here, with rates and certificates; and their hours, which supervisors correct and approve.
    "employee": _grant(frozenset({SUPERVISOR, ENGINEER, QUALITY, ADMIN}), {SUPERVISOR}),
    "labor": _grant(PEOPLE, {OPERATOR, SUPERVISOR}, change={SUPERVISOR}, delete=set()),
    "quarantine": _grant(frozenset({SUPERVISOR, ENGINEER, QUALITY, ADMIN}), set(), change={SUPERVISOR, ENGINEER}),
    # Where machines are spoken with, and with which password.
    "connector": _grant(frozenset({SUPERVISOR, ENGINEER, ADMIN}), {ADMIN}),
    "device_key": _grant(frozenset({ENGINEER, ADMIN}), {ENGINEER, ADMIN}),
    "account": _grant(frozenset({ADMIN}), {ADMIN}),
    # What the plant throws away, and when.
    "retention": _grant(frozenset({SUPERVISOR, ENGINEER, ADMIN}), {ADMIN}, delete=set()),
    "audit": _grant(frozenset({SUPERVISOR, ENGINEER, QUALITY, ADMIN}), set()),
}

KIND_OF_MODEL: dict[str, str] = {
    **dict.fromkeys(
        (
            *("enterprise.enterprise", "enterprise.site", "enterprise.area", "enterprise.line", "enterprise.machine"),
            *("enterprise.shift", "enterprise.shiftbreak", "enterprise.calendarexception"),
            *("enterprise.machineclass", "core.customfield", "products.unitofmeasure", "products.productunit"),
            *("products.productrevision", "products.billofmaterialline", "products.routing"),
            *("products.routingoperation", "products.operationparameter", "products.operationdocument"),
            *("products.product", "products.idealrate", "counts.counttype", "counts.counttag"),
            *("downtime.statereason", "downtime.reasonplace", "downtime.reasonrule", "oee.oeepolicy", "oee.customkpi"),
            "oee.closingrule",
            *("workorders.changeovertarget", "workorders.changeovertask"),
            *("materials.location", "materials.pickingpolicy"),
            *("labor.skill", "labor.skillneed", "labor.laborpolicy"),
            *("labels.labellayout", "reports.workbooktemplate", "reports.workbookmapping", "reports.workbookversion"),
        ),
        "master_data",
    ),
    **dict.fromkeys(("labor.employee", "labor.crew", "labor.certificate", "labor.absence"), "employee"),
    **dict.fromkeys(("labor.attendance", "labor.laborentry"), "labor"),
    **dict.fromkeys(("workorders.workorder", "workorders.schedule"), "order"),
    **dict.fromkeys(("workorders.operation", "workorders.orderparameter", "workorders.ordermaterial"), "order"),
    "workorders.run": "run",
    **dict.fromkeys(
        (
            *("counts.counthistory", "counts.countreading", "counts.countcorrection", "counts.counterevent"),
            *("downtime.signalgap", "oee.counterstep", "workorders.changeovertaskdone"),
            *("downtime.statehistory", "downtime.recordedstate", "downtime.statecorrection"),
        ),
        "fact",
    ),
    **dict.fromkeys(("materials.materialtransaction", "materials.stock", "materials.genealogylink"), "material"),
    **dict.fromkeys(("materials.materiallot", "materials.lotstatuschange"), "lot"),
    **dict.fromkeys(("labels.labelbatch", "labels.label", "labels.labelreprint"), "label"),
    "oee.oeerecord": "oee_record",
    "oee.shiftclosing": "closing",
    "ingest.quarantineditem": "quarantine",
    **dict.fromkeys(("connectors.statemap", "connectors.statemapentry", "connectors.signalmapping"), "master_data"),
    "connectors.tablet": "master_data",
    **dict.fromkeys(("connectors.connector", "connectors.connectorhealth", "connectors.unmappedsignal"), "connector"),
    "accounts.devicekey": "device_key",
    "core.retention": "retention",
    **dict.fromkeys(("accounts.user", "accounts.membership", "accounts.clientkey"), "account"),
}


def kind_of(model_label: str) -> str:
    """Return the kind of thing that a model (`app.model`, lower case) is; history follows its model."""
    app, _, model = model_label.partition(".")
    return KIND_OF_MODEL.get(f"{app}.{model.removeprefix('historical')}", "audit")
