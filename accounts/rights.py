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
    # Anybody at the line stops an order; who lets it go on again answers for it.
    "order_hold": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, QUALITY}, change={SUPERVISOR, QUALITY}, delete=set()),
    # When a line does what; engineers plan maintenance beside the orders.
    "schedule": _grant(EVERYBODY, {SUPERVISOR, ENGINEER, ERP}),
    "run": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, delete={SUPERVISOR}),
    # Facts are added by people where no device does; a change is a correction, and nothing is ever deleted.
    "fact": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, change={SUPERVISOR, QUALITY}, delete=set()),
    # Work on operations and what was reported of it; a change is a reversal, a hold or a skip.
    "execution": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, QUALITY}, change={SUPERVISOR, QUALITY}, delete=set()),
    # Movements of material; a change is an adjustment or a reversal, which are movements too.
    "material": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, change={SUPERVISOR}, delete=set()),
    # A lot comes with its first movement; to write here is to decide about it, or to note where it came from.
    "lot": _grant(EVERYBODY, {SUPERVISOR, QUALITY}, delete=set()),
    # Serial units: to fill in stages, build together and hold; a change corrects, scraps or sends to rework.
    "unit": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, QUALITY}, change={SUPERVISOR, QUALITY}, delete=set()),
    # What quality alone says of a unit: its fields of a stage, and that a deviation is let pass.
    "unit_check": _grant(EVERYBODY, {QUALITY}, delete=set()),
    # A changeover written down as it happens; a change is a correction or an approval.
    "changeover": _grant(EVERYBODY, {OPERATOR, SUPERVISOR}, change={SUPERVISOR}, delete=set()),
    # What things and hours cost, and so what an order did; it tells what people earn.
    "cost": _grant(frozenset({SUPERVISOR, ENGINEER, ERP, ADMIN}), {SUPERVISOR, ENGINEER, ERP}),
    # Plans, gauges, the catalogue of defects, charts and their baselines.
    "quality_setup": _grant(EVERYBODY, {ENGINEER, QUALITY}),
    # What is inspected and found; a change is a correction or a decision, and nothing is ever deleted.
    "inspection": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, QUALITY}, change={SUPERVISOR, QUALITY}, delete=set()),
    "nonconformance": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, QUALITY}, change={QUALITY}, delete=set()),
    # Calls for help: whoever is on the floor calls, comes and says that it is fixed; nothing is changed or deleted.
    "andon": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, ENGINEER, QUALITY}, change=set(), delete=set()),
    # Anybody asks for maintenance and says that a machine is down; a change plans, does and ends it.
    "maintenance": _grant(
        EVERYBODY, {OPERATOR, SUPERVISOR, ENGINEER, QUALITY}, change={SUPERVISOR, ENGINEER}, delete=set()
    ),
    # What is recommended, and what was decided about it: by those who answer for lines and machines.
    "advice": _grant(PEOPLE, {SUPERVISOR, ENGINEER}, delete=set()),
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
    # Systems that are told what happens, and where that is sent.
    "partner": _grant(frozenset({ENGINEER, ADMIN}), {ADMIN}),
    # What they are told: they fetch it and say what arrived; a change is sending again, or leaving out.
    "outbox": _grant(frozenset({ERP, ADMIN}), {ERP}, change={ADMIN}, delete=set()),
    # What they send: products, bills, routings, orders, demand, stock.
    "inbox": _grant(frozenset({ERP, ADMIN}), {ERP}, change=set(), delete=set()),
    "device_key": _grant(frozenset({ENGINEER, ADMIN}), {ENGINEER, ADMIN}),
    "account": _grant(frozenset({ADMIN}), {ADMIN}),
    # What the plant throws away, and when.
    "retention": _grant(frozenset({SUPERVISOR, ENGINEER, ADMIN}), {ADMIN}, delete=set()),
    # All that the plant holds, in one file; only who administers every site may see, fetch and restore it.
    "backup": _grant(frozenset({ADMIN}), {ADMIN}, delete=set()),
    # How a simulated plant lives; nobody but the simulator writes it.
    "simulation": _grant(frozenset({ENGINEER, ADMIN}), set()),
    # Batch records are opened and prepared, reviewed, and approved or released by different roles; nothing is deleted.
    "batch_record": _grant(EVERYBODY, {SUPERVISOR, QUALITY}, delete=set()),
    "batch_review": _grant(EVERYBODY, {SUPERVISOR, QUALITY}, delete=set()),
    "batch_approval": _grant(EVERYBODY, {QUALITY}, delete=set()),
    # Steps are done by whoever works.
    "step_entry": _grant(EVERYBODY, {OPERATOR, SUPERVISOR, QUALITY}, change=set(), delete=set()),
    # Lists as files, and reports that leave the building; what is in them is what the person may see.
    "export": _grant(frozenset({SUPERVISOR, ENGINEER, QUALITY}), {SUPERVISOR, ENGINEER, QUALITY}),
    # Which reports go out by e-mail, to whom, and what became of them.
    "report_subscription": _grant(frozenset({SUPERVISOR, ENGINEER, QUALITY, ADMIN}), {SUPERVISOR, ENGINEER, ADMIN}),
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
            *("workorders.orderreason", "workorders.lotsizing"),
            *("materials.location", "materials.pickingpolicy", "materials.backflushpolicy"),
            "materials.containerpolicy",
            *("labor.skill", "labor.skillneed", "labor.laborpolicy", "labor.breakrule"),
            "scheduling.schedulingpolicy",
            *("batchrecords.signingpolicy", "batchrecords.steptemplate"),
            *("execution.scrapreason", "execution.executionpolicy"),
            *("dashboards.dashboard", "dashboards.tile"),
            *("andon.calltype", "andon.escalationstep"),
            *("maintenance.maintenanceplan", "maintenance.tool"),
            *("labels.labellayout", "reports.workbooktemplate", "reports.workbookmapping", "reports.workbookversion"),
        ),
        "master_data",
    ),
    **dict.fromkeys(("labor.employee", "labor.crew", "labor.certificate", "labor.absence"), "employee"),
    **dict.fromkeys(("labor.crewassignment", "labor.employmentterms"), "employee"),
    **dict.fromkeys(("labor.attendance", "labor.laborentry"), "labor"),
    **dict.fromkeys(("workorders.workorder", "workorders.customer"), "order"),
    "workorders.schedule": "schedule",
    **dict.fromkeys(("labor.identificationtally", "labor.terminalcommand"), "labor"),
    **dict.fromkeys(("workorders.operation", "workorders.orderparameter", "workorders.ordermaterial"), "order"),
    **dict.fromkeys(("workorders.orderstatuschange", "workorders.demand", "workorders.demandorder"), "order"),
    **dict.fromkeys(("products.productcost", "products.machinerate"), "cost"),
    "workorders.run": "run",
    **dict.fromkeys(("workorders.changeover", "workorders.changeoverphase"), "changeover"),
    **dict.fromkeys(
        (
            *("counts.counthistory", "counts.countreading", "counts.countcorrection", "counts.counterevent"),
            *("downtime.signalgap", "oee.counterstep", "workorders.changeovertaskdone"),
            *("workorders.orderconfirmation", "oee.hourcomment", "oee.shiftnote"),
            *("downtime.statehistory", "downtime.recordedstate", "downtime.statecorrection"),
        ),
        "fact",
    ),
    **dict.fromkeys(("materials.materialtransaction", "materials.stock", "materials.genealogylink"), "material"),
    **dict.fromkeys(("materials.container", "materials.containercontent", "materials.containerstep"), "material"),
    "materials.containermovement": "material",
    **dict.fromkeys(("materials.materiallot", "materials.lotstatuschange"), "lot"),
    **dict.fromkeys(("tracking.stageform", "tracking.stagefield"), "master_data"),
    **dict.fromkeys(("tracking.serialunit", "tracking.unitstage", "tracking.unitevent", "tracking.stageentry"), "unit"),
    **dict.fromkeys(("tracking.stagepassage", "tracking.stagephoto"), "unit"),
    **dict.fromkeys(("tracking.assembly", "tracking.assemblyremoval", "tracking.unitpackingstep"), "unit"),
    **dict.fromkeys(
        (
            *("quality.inspectionplan", "quality.characteristic", "quality.samplingrule", "quality.gauge"),
            *("quality.gaugetag", "quality.calibration", "quality.defectcode", "quality.controlchart"),
            "quality.chartphase",
        ),
        "quality_setup",
    ),
    **dict.fromkeys(
        (
            *("quality.inspection", "quality.result", "quality.resultcorrection", "quality.inspectiondecision"),
            *("quality.defect", "quality.picture", "quality.signal", "quality.signalacknowledgement"),
        ),
        "inspection",
    ),
    **dict.fromkeys(("quality.nonconformance", "quality.disposition", "quality.correctiveaction"), "nonconformance"),
    **dict.fromkeys(("batchrecords.batchrecord", "batchrecords.signature"), "batch_record"),
    **dict.fromkeys(("batchrecords.deviation", "batchrecords.resolution"), "batch_review"),
    "batchrecords.stepentry": "step_entry",
    "accounts.auditentry": "audit",
    **dict.fromkeys(
        (
            *("execution.operationrun", "execution.productionreport", "execution.operationstep"),
            "execution.parameterreading",
        ),
        "execution",
    ),
    **dict.fromkeys(("andon.andoncall", "andon.andonstep"), "andon"),
    **dict.fromkeys(("maintenance.maintenanceorder", "maintenance.maintenancestep"), "maintenance"),
    **dict.fromkeys(("maintenance.partuse", "maintenance.toolmounting"), "maintenance"),
    **dict.fromkeys(("advice.recommendation", "advice.recommendationstep"), "advice"),
    **dict.fromkeys(("advice.silence", "advice.advicemodel"), "advice"),
    **dict.fromkeys(("labels.labelbatch", "labels.label", "labels.labelreprint"), "label"),
    "oee.oeerecord": "oee_record",
    **dict.fromkeys(("oee.shiftclosing", "oee.shiftreview"), "closing"),
    "ingest.quarantineditem": "quarantine",
    **dict.fromkeys(("connectors.statemap", "connectors.statemapentry", "connectors.signalmapping"), "master_data"),
    "connectors.tablet": "master_data",
    **dict.fromkeys(("connectors.connector", "connectors.connectorhealth", "connectors.unmappedsignal"), "connector"),
    **dict.fromkeys(("erp.partner", "erp.partnerprogress", "erp.partnersecret"), "partner"),
    **dict.fromkeys(("core.outboxmessage", "erp.delivery", "erp.reportedstop"), "outbox"),
    "accounts.devicekey": "device_key",
    "core.retention": "retention",
    "operations.backup": "backup",
    # Who sets plants up also sees how the simulated ones live.
    **dict.fromkeys(
        ("simulator.simulation", "simulator.simulatedhour", "simulator.simulatedline", "simulator.simulatedfault"),
        "simulation",
    ),
    **dict.fromkeys(
        ("reports.reportsubscription", "reports.reportrecipient", "reports.reportmail"), "report_subscription"
    ),
    **dict.fromkeys(("reports.exportjob", "reports.exportpiece"), "export"),
    **dict.fromkeys(("accounts.user", "accounts.membership", "accounts.clientkey"), "account"),
}


def kind_of(model_label: str) -> str:
    """Return the kind of thing that a model (`app.model`, lower case) is; history follows its model."""
    app, _, model = model_label.partition(".")
    return KIND_OF_MODEL.get(f"{app}.{model.removeprefix('historical')}", "audit")
