"""her2crc: HER2 (ERBB2) status in metastatic colorectal cancer under every published rule, cited.

The public door: back ends, notebooks and other programs import from here and from nowhere else. Names load when
first used, so that the plain command line starts fast.

    >>> import her2crc
    >>> knowledge = her2crc.load_knowledge()
    >>> patient = her2crc.read_patients("case.json", knowledge)[0]
    >>> her2crc.assess(patient, knowledge).agreement.positive
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from her2crc import catalogue, errors
    from her2crc.catalogue import explain_verdict
    from her2crc.cohort.explain import screened_patient
    from her2crc.cohort.report.build import report_cohort
    from her2crc.cohort.screen import screen
    from her2crc.cohort.synthetic.write import generate
    from her2crc.criteria.library import Knowledge as Knowledge  # a type to annotate with; load_knowledge makes one
    from her2crc.flow import assess, load_knowledge, read_patients
    from her2crc.following import follow_up
    from her2crc.linting import lint
    from her2crc.measure.ish import measure_ish
    from her2crc.measure.plasma import measure_plasma
    from her2crc.measure.tissue import measure_tissue
    from her2crc.model.verdict import Assessment
    from her2crc.proposal import map_columns
    from her2crc.read.schema import patient_schema
    from her2crc.report.formats import render
    from her2crc.reviewing import review

__version__ = "0.1.0"

_HOME = {
    "Assessment": "model.verdict",
    "assess": "flow",
    "explain_verdict": "catalogue",
    "follow_up": "following",
    "generate": "cohort.synthetic.write",
    "lint": "linting",
    "load_knowledge": "flow",
    "map_columns": "proposal",
    "measure_ish": "measure.ish",
    "measure_plasma": "measure.plasma",
    "measure_tissue": "measure.tissue",
    "patient_schema": "read.schema",
    "read_patients": "flow",
    "render": "report.formats",
    "report_cohort": "cohort.report.build",
    "review": "reviewing",
    "screen": "cohort.screen",
    "screened_patient": "cohort.explain",
}
"""Public name to the module that makes it."""

_MODULES = ("catalogue", "errors")
"""Public modules: the criteria and the evidence, and the errors."""

__all__ = [
    "Assessment",
    "assess",
    "catalogue",
    "errors",
    "explain_verdict",
    "follow_up",
    "generate",
    "lint",
    "load_knowledge",
    "map_columns",
    "measure_ish",
    "measure_plasma",
    "measure_tissue",
    "patient_schema",
    "read_patients",
    "render",
    "report_cohort",
    "review",
    "screen",
    "screened_patient",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module the first time it is asked for."""
    if name in _MODULES:
        return import_module(f"her2crc.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'her2crc' has no attribute {name!r}")
    value = getattr(import_module(f"her2crc.{_HOME[name]}"), name)
    globals()[name] = value
    return value
