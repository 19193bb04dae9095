"""The elements and KPIs that the system knows: what each means, how it is computed, where the definition is from.

A KPI is its formula: the text that people read is what is computed. Elements add up over machines and time, so a KPI of
many is the KPI of their sums, never a mean of KPIs. Unknown is None and spreads (`oee.engine.formulas`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from oee.engine.formulas import Formula, Values

ElementUnit = Literal["seconds", "pieces", "events", "index"]
KpiUnit = Literal["ratio", "seconds", "per_hour", "pieces", "index"]
Better = Literal["higher", "lower"]

ISO = "ISO 22400-2"
"""In the wording of its open ontology, hsu-aut/IndustrialStandard-ODP-ISO22400-2."""
TPM = "Six Big Losses of TPM (Nakajima)"
VORNE = "oee.com (Vorne)"


@dataclass(frozen=True, slots=True)
class ElementDefinition:
    """A quantity that formulas are written over; times in seconds, summed over the machines of a report."""

    code: str
    name: str
    unit: ElementUnit
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class KpiDefinition:
    """A figure that follows from elements; `better` says which way is an improvement, None = neither."""

    code: str
    name: str
    formula: Formula
    unit: KpiUnit
    meaning: str
    source: str
    better: Better | None


def _own(sentence: str) -> str:
    return f"Own definition: {sentence}"


def _elements(unit: ElementUnit, *rows: tuple[str, str, str, str]) -> dict[str, ElementDefinition]:
    return {code: ElementDefinition(code, name, unit, meaning, source) for code, name, meaning, source in rows}


ELEMENTS: Mapping[str, ElementDefinition] = {
    **_elements(
        "seconds",
        ("CT", "Calendar time", "The whole window, once per machine.", _own("every second lies in exactly one part.")),
        (
            "UST",
            "Unscheduled time",
            "Outside the shifts, or reported as not scheduled, without production that counts.",
            _own("CT − POT."),
        ),
        ("BRT", "Break time", "Standing still in a break of a shift.", _own("a part of PDOT.")),
        ("PSDT", "Planned stops", "Planned stops in shifts, breaks aside.", _own("PDOT − BRT.")),
        ("PDOT", "Planned downtime", "All planned stops in shifts: breaks and planned stops.", ISO),
        ("POT", "Planned operation time", "Time that was planned to be worked, its planned stops included.", ISO),
        (
            "NDT",
            "No-data time",
            "Planned time that nobody explained; in no KPI but coverage, unless the plant's policy calls it a loss.",
            _own("time without a known state."),
        ),
        (
            "NDLT",
            "No-data time counted as a loss",
            "The no-data time that the plant's policy counts against availability; 0 where it leaves it out.",
            _own("NDT, by policy."),
        ),
        (
            "PBT",
            "Planned busy time",
            "Known planned time in which production was expected: POT − PDOT − (NDT − NDLT).",
            f"{ISO}: operating time less planned downtime; that unknown time is left out is our own.",
        ),
        ("APT", "Actual production time", "The machine ran.", ISO),
        ("AUST", "Actual unit setup time", "Changeovers that count as a loss, by the plant's policy.", ISO),
        ("AUPT", "Actual unit processing time", "APT + AUST.", ISO),
        (
            "ADET",
            "Actual unit delay time",
            "Unplanned stops in planned time that count against availability; MST and ADOT stand apart.",
            ISO,
        ),
        (
            "MST",
            "Minor-stop time",
            "Stops short enough for the plant to count them against performance; 0 where its policy does not.",
            _own("stops below the plant's micro-stop threshold, if its policy calls them a performance loss."),
        ),
        (
            "UDT",
            "Undetermined time",
            "A stop that is still open and shorter than the micro-stop threshold: nobody can say yet what it will be.",
            _own("open stops below the micro-stop threshold."),
        ),
        (
            "ADOT",
            "Actual unit down time",
            "Available, but with no order or nothing to work on: starved, blocked, no order.",
            ISO,
        ),
        ("AUBT", "Actual unit busy time", "AUPT + ADET + MST: what is left of PBT without ADOT, UDT and NDLT.", ISO),
        (
            "AOET",
            "Actual order execution time",
            "Time in which a run of an order was open.",
            f"{ISO}: busy, transport and queue time of orders; we take the run, which spans them.",
        ),
        (
            "OVT",
            "Overtime production",
            "Production in breaks or outside the shifts, if the plant's policy counts it.",
            _own("the part of APT that lies outside of planned time."),
        ),
        ("UET", "Unexplained stop time", "Unplanned stops that nobody gave a reason.", _own("stops without a reason.")),
        ("CMT", "Corrective maintenance time", "Repairing what had failed.", ISO),
        ("PMT", "Preventive maintenance time", "Maintenance before anything fails.", ISO),
        ("TTR_SUM", "Time to repair, summed", "Time spent in failures.", f"{ISO} (TTR), summed over failures"),
        (
            "IPT",
            "Ideal production time",
            "Pieces × ideal cycle time (PRU × PQ), piece by piece; unknown if any piece has no ideal rate.",
            f"{ISO} (PRU × PQ)",
        ),
        (
            "IGT",
            "Ideal time of good pieces",
            "Good pieces × ideal cycle time (PRU × GQ); unknown if any piece has no ideal rate.",
            _own("the good pieces' share of IPT."),
        ),
        (
            "ISUT",
            "Ideal time of start-up rejects",
            "Start-up rejects × ideal cycle time (PRU × SUQ).",
            _own("what start-up rejects would have taken at the ideal rate."),
        ),
        ("APWT", "Actual personnel work time", "Time that workers worked on orders; of a whole site.", ISO),
        (
            "APAT",
            "Actual personnel attendance time",
            "Time that workers were there, breaks left out; of a whole site.",
            ISO,
        ),
        ("CTV_MEAN", "Actual cycle time, mean", "Mean of the cycle times measured.", _own("Σ cycle times / cycles.")),
        (
            "CTV_SD",
            "Actual cycle time, standard deviation",
            "Standard deviation of the cycle times measured.",
            _own("of the cycles of the window."),
        ),
    ),
    **_elements(
        "pieces",
        ("PQ", "Produced quantity", "All pieces: good, scrap and rework.", ISO),
        ("GQ", "Good quantity", "Pieces that are right the first time.", ISO),
        ("SQ", "Scrap quantity", "Rejected pieces.", ISO),
        ("RQ", "Rework quantity", "Pieces that have to be done again.", ISO),
        (
            "SUQ",
            "Start-up rejects",
            "Rejects before production ran steadily.",
            _own("the part of SQ made while starting up."),
        ),
        ("IQ", "Infeed quantity", "Pieces that entered.", _own("pieces that infeed counters counted.")),
        (
            "IPQ",
            "Ideal quantity of the planned time",
            "What the planned time would have made at the ideal rates; unknown where a rate is missing.",
            f"{ISO} (EPC, equipment production capacity)",
        ),
        ("PSQ", "Planned scrap quantity", "Scrap that the plan allows for.", ISO),
        ("GP", "First-pass good pieces", "Pieces that counters found good; each is seen once.", ISO),
        ("IP", "Inspected pieces", "Pieces that counters saw.", ISO),
        ("QIQ", "Inspected units", "Units that finished inspections looked at.", _own("the samples of inspections.")),
        ("QNQ", "Nonconforming units", "Those of them with a result outside its limits.", _own("a part of QIQ.")),
        ("DFQ", "Defects", "Defects that were recorded.", _own("their quantities, whoever found them.")),
        ("PQ1", "Pieces at the first operation", "Pieces at the line's first operation.", f"{ISO} (fall-off ratio)"),
        ("SQ_ALL", "Scrap of all operations", "Scrap summed over the line's operations.", f"{ISO} (fall-off ratio)"),
        ("PSCH", "Quantity due", "Pieces due by the schedule.", _own("the schedule's share of the window, in pieces.")),
        (
            "ASCH",
            "Quantity delivered of what was due",
            "Pieces made of those due by the schedule.",
            _own("pieces of PSCH that were made in the window; more than was due does not count."),
        ),
    ),
    **_elements("events", ("FE", "Failure events", "Failures that began.", ISO)),
    **_elements(
        "index",
        (
            "RTY",
            "Product of first-pass yields",
            "First-pass yields of the line's operations, multiplied.",
            _own("Π GP / IP over the operations."),
        ),
    ),
}
"""By code, in the order in which people read them."""


def _kpis(unit: KpiUnit, *rows: tuple[str, str, str, Better | None, str, str]) -> dict[str, KpiDefinition]:
    return {
        code: KpiDefinition(code, name, Formula.parse(text), unit, meaning, source, better)
        for code, name, text, better, meaning, source in rows
    }


KPIS: Mapping[str, KpiDefinition] = {
    **_kpis(
        "ratio",
        (
            "oee_index",
            "OEE",
            "IGT / PBT",
            "higher",
            "Availability × effectiveness × quality ratio: the ideal time of the good pieces, of the planned busy time.",
            f"{ISO}; one quotient instead of three, the same number",
        ),
        (
            "availability",
            "Availability",
            "(APT + MST) / PBT",
            "higher",
            "How much of the planned busy time the machine ran.",
            f"{ISO}: APT / PBT; minor stops by the plant's policy",
        ),
        (
            "effectiveness",
            "Effectiveness (performance)",
            "IPT / (APT + MST)",
            "higher",
            "How fast it ran, of its ideal rate. Over 1 the ideal rate is wrong, and stays visible.",
            f"{ISO}: PRU × PQ / APT; minor stops by the plant's policy",
        ),
        (
            "quality_ratio",
            "Quality ratio",
            "first(IGT / IPT, GQ / PQ)",
            "higher",
            "Good pieces of all; in a mix, each piece weighs its ideal time. Without ideal rates, GQ / PQ.",
            f"{ISO}: GQ / PQ; the weights are our own",
        ),
        (
            "nee_index",
            "Net equipment effectiveness",
            "AUPT / PBT * (IPT / (APT + MST)) * first(IGT / IPT, GQ / PQ)",
            "higher",
            "OEE that does not count setup as a loss.",
            f"{ISO}: AUPT / PBT × effectiveness × quality ratio",
        ),
        (
            "teep",
            "TEEP",
            "IGT / PBT * (PBT / CT)",
            "higher",
            "OEE × utilisation: the good pieces' ideal time, of all the time there is.",
            VORNE,
        ),
        (
            "utilisation",
            "Utilisation",
            "PBT / CT",
            None,
            "How much of all time was planned busy time.",
            f"{VORNE}: planned production time / all time",
        ),
        (
            "loading",
            "Loading",
            "POT / CT",
            None,
            "How much of all time was planned to be worked, breaks and planned stops included.",
            _own("scheduled time / calendar time."),
        ),
        (
            "planned_downtime_ratio",
            "Planned downtime ratio",
            "PDOT / POT",
            "lower",
            "How much of the planned time was planned to stand still.",
            _own("planned downtime, of the planned operation time."),
        ),
        (
            "coverage",
            "Coverage",
            "(POT - NDT) / POT",
            "higher",
            "How much of the planned time facts explain; what all other figures rest on.",
            _own("known planned time, of planned time."),
        ),
        (
            "allocation_ratio",
            "Allocation ratio",
            "AUBT / AOET",
            "higher",
            "How much of the orders' time the machine was busy with them.",
            ISO,
        ),
        (
            "allocation_efficiency",
            "Allocation efficiency",
            "AUBT / PBT",
            "higher",
            "How much of the planned busy time the machine was really busy.",
            ISO,
        ),
        (
            "utilization_efficiency",
            "Utilization efficiency",
            "APT / AUBT",
            "higher",
            "How much of its busy time it produced.",
            ISO,
        ),
        ("setup_rate", "Setup rate", "AUST / AUPT", "lower", "How much of the processing time was setup.", ISO),
        (
            "technical_efficiency",
            "Technical efficiency",
            "APT / (APT + ADET + MST)",
            "higher",
            "Production without setup: how much of it was lost to stops, minor ones included whatever the policy.",
            f"{ISO}: APT / (APT + ADET), where ADET holds minor stops",
        ),
        (
            "production_process_ratio",
            "Production process ratio",
            "APT / AOET",
            "higher",
            "How much of the orders' time was production.",
            ISO,
        ),
        (
            "equipment_load",
            "Equipment load",
            "PQ / IPQ",
            None,
            "Pieces made, of what the planned time would have made at the ideal rates.",
            f"{ISO}: PQ / EPC",
        ),
        (
            "worker_efficiency",
            "Worker efficiency",
            "APWT / APAT",
            "higher",
            "How much of their attendance workers worked on orders.",
            ISO,
        ),
        ("scrap_ratio", "Scrap ratio", "SQ / PQ", "lower", "Rejected pieces, of all.", ISO),
        ("rework_ratio", "Rework ratio", "RQ / PQ", "lower", "Pieces to be done again, of all.", ISO),
        (
            "actual_to_planned_scrap",
            "Actual to planned scrap ratio",
            "SQ / PSQ",
            "lower",
            "Scrap, of the scrap that the plan allows for.",
            ISO,
        ),
        (
            "first_pass_yield",
            "First pass yield",
            "GP / IP",
            "higher",
            "Pieces good the first time, of those seen.",
            ISO,
        ),
        (
            "rolled_throughput_yield",
            "Rolled throughput yield",
            "RTY",
            "higher",
            "The chance that a piece passes all operations right the first time.",
            "Six Sigma: product of the first-pass yields of all operations",
        ),
        (
            "inspection_yield",
            "First-pass yield of inspections",
            "(QIQ - QNQ) / QIQ",
            "higher",
            "Units that conformed at their inspection, of those inspected.",
            f"{ISO} (FPY = GP / IP), of inspections",
        ),
        (
            "defect_rate",
            "Defect rate",
            "DFQ / QIQ",
            "lower",
            "Defects to an inspected unit; several to a unit are possible.",
            "Quality control: defects per unit (DPU)",
        ),
        (
            "fall_off_ratio",
            "Fall-off ratio",
            "SQ_ALL / PQ1",
            "lower",
            "Scrap of all operations, of the pieces that began.",
            f"{ISO}: SQ / PQ of the first operation",
        ),
        (
            "infeed_yield",
            "Infeed yield",
            "GQ / IQ",
            "higher",
            "Good pieces, of the pieces that entered.",
            _own("good pieces of infeed."),
        ),
        (
            "unexplained_stop_ratio",
            "Unexplained stop ratio",
            "UET / (ADET + first(ADOT, 0) + MST)",
            "lower",
            "How much of the unplanned stop time has no reason.",
            _own("stop time without a reason, of all unplanned stop time."),
        ),
        (
            "loss_equipment_failure",
            "Loss: equipment failure",
            "(ADET + UDT + NDLT) / PBT",
            "lower",
            "Unplanned stops, of the planned busy time; minor ones, stops too young to tell and time without data too"
            " where the policy counts them here.",
            TPM,
        ),
        (
            "loss_setup_and_adjustment",
            "Loss: setup and adjustment",
            "AUST / PBT",
            "lower",
            "Changeovers, of the planned busy time.",
            TPM,
        ),
        (
            "loss_minor_stops",
            "Loss: idling and minor stops",
            "(first(ADOT, 0) + MST) / PBT",
            "lower",
            "Waiting for work, and minor stops that count against performance, of the planned busy time.",
            TPM,
        ),
        (
            "loss_reduced_speed",
            "Loss: reduced speed",
            "(APT - IPT) / PBT",
            "lower",
            "Running time that the pieces would not have taken at the ideal rate. Below 0 the ideal rate is wrong.",
            TPM,
        ),
        (
            "loss_startup_rejects",
            "Loss: start-up rejects",
            "ISUT / PBT",
            "lower",
            "Ideal time of rejects made while starting up. With the other five losses and OEE it makes 1.",
            TPM,
        ),
        (
            "loss_production_rejects",
            "Loss: production rejects",
            "(IPT - IGT - first(ISUT, 0)) / PBT",
            "lower",
            "Ideal time of all other pieces that are not good. Where start-up rejects are not told apart, they are here.",
            TPM,
        ),
        (
            "corrective_maintenance_ratio",
            "Corrective maintenance ratio",
            "CMT / (CMT + PMT)",
            "lower",
            "How much of the maintenance was repair.",
            ISO,
        ),
        (
            "schedule_adherence",
            "Schedule adherence",
            "ASCH / PSCH",
            "higher",
            "Pieces made of those that were due.",
            _own("quantity made, of the quantity due by the schedule."),
        ),
        (
            "overtime_share",
            "Overtime share",
            "OVT / APT",
            "lower",
            "How much of the production lay outside of planned time.",
            _own("overtime production, of all production time."),
        ),
        (
            "cycle_time_variation",
            "Cycle time variation",
            "CTV_SD / CTV_MEAN",
            "lower",
            "Coefficient of variation: how unsteady the cycles are.",
            "Statistics: standard deviation / mean",
        ),
    ),
    **_kpis(
        "seconds",
        (
            "cycle_time_deviation",
            "Cycle time variance",
            "CTV_MEAN - IPT / PQ",
            "lower",
            "How much longer a mean cycle took than the ideal one.",
            _own("mean actual cycle time less mean ideal cycle time."),
        ),
        (
            "mttf",
            "Mean time to failure",
            "APT / FE",
            "higher",
            "Production time per failure.",
            f"Mean of TTF in {ISO}; own definition: APT / FE",
        ),
        (
            "mttr",
            "Mean time to repair",
            "TTR_SUM / FE",
            "lower",
            "Time in failures per failure.",
            f"Mean of TTR in {ISO}; own definition: TTR_SUM / FE",
        ),
        (
            "mtbf",
            "Mean time between failures",
            "APT / FE + TTR_SUM / FE",
            "higher",
            "From failure to failure: MTTF + MTTR.",
            f"Mean of TBF in {ISO}; own definition: MTTF + MTTR",
        ),
    ),
    **_kpis(
        "index",
        (
            "defective_ppm",
            "Nonconforming parts per million",
            "QNQ * 1000000 / QIQ",
            "lower",
            "Units that did not conform, of a million inspected.",
            "Quality control: PPM",
        ),
    ),
    **_kpis(
        "per_hour",
        (
            "throughput_rate",
            "Throughput rate",
            "PQ * 3600 / AOET",
            "higher",
            "Pieces per hour of order execution.",
            f"{ISO}: PQ / AOET",
        ),
        (
            "busy_hour_output",
            "Output per busy hour",
            "PQ * 3600 / PBT",
            "higher",
            "Pieces per hour of planned busy time.",
            _own("pieces produced per hour of PBT."),
        ),
    ),
}
"""By code; a KPI of several machines is that of their summed elements."""


def compute(values: Values, definitions: Iterable[KpiDefinition] = tuple(KPIS.values())) -> dict[str, Fraction | None]:
    """Return each KPI's exact value by code, from the elements' values by code; None = not known."""
    return {definition.code: definition.formula.evaluate(values) for definition in definitions}
