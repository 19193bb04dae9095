"""Inspection plans, inspections and their results, gauges, defects, non-conformances, and control charts."""

from quality.models.charts import ChartPhase, ControlChart, Signal, SignalAcknowledgement
from quality.models.defects import (
    Cause,
    CorrectiveAction,
    Defect,
    DefectCode,
    Disposition,
    NonConformance,
    Picture,
    Severity,
)
from quality.models.gauges import Calibration, Gauge, GaugeTag
from quality.models.inspections import Inspection, InspectionDecision, Result, ResultCorrection
from quality.models.plans import Characteristic, InspectionPlan, SamplingRule

__all__ = [
    "Calibration",
    "Cause",
    "Characteristic",
    "ChartPhase",
    "ControlChart",
    "CorrectiveAction",
    "Defect",
    "DefectCode",
    "Disposition",
    "Gauge",
    "GaugeTag",
    "Inspection",
    "InspectionDecision",
    "InspectionPlan",
    "NonConformance",
    "Picture",
    "Result",
    "ResultCorrection",
    "SamplingRule",
    "Severity",
    "Signal",
    "SignalAcknowledgement",
]
