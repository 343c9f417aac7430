"""``report_cohort``: the report on what `screen` wrote, section by section.

The public function of the report on a cohort.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from her2crc.criteria.library import Knowledge


class CohortReport(msgspec.Struct, frozen=True):
    """What was written: the files by what they are, and the sections that the data do not allow, with the reason."""

    files: dict[str, str]
    not_possible: dict[str, str]
    synthetic: bool


def report_cohort(
    screened: str | Path,
    output: str | Path,
    knowledge: Knowledge,
    *,
    follow_up: str = "",
    truth: str = "",
    suppress_below: int = 0,
) -> CohortReport:
    """Write the report on a screened cohort as HTML, CSV and JSON.

    Args:
        screened: folder that ``screen`` wrote, as Parquet.
        output: folder for ``index.html``, ``report.json`` and ``csv/``.
        knowledge: the sets and published figures; it should be that of the screening.
        follow_up: table (Parquet or CSV) with ``patient_id, metastatic_on, her2_tested_on, followed_until, died``, for
            survival with delayed entry.
        truth: ``truth.parquet`` of a synthetic registry; found by itself beside the verdicts.
        suppress_below: hide counts below this and show the others by classes, so that the report can be shared; 0
            hides nothing.

    Raises:
        MissingInputError, InputError: the folder or a file is not there or not what it should be.
        MissingExtraError: the extra ``her2crc[cohort]`` is not installed.
        UsageError: ``suppress_below`` is too small to hide anything.
        OutputError: a file cannot be written.
    """
    from her2crc.cohort.report.agreement import agreement_section
    from her2crc.cohort.report.association import association_section
    from her2crc.cohort.report.concordance import concordance_section
    from her2crc.cohort.report.disclosure import disclose
    from her2crc.cohort.report.flow import flow_section
    from her2crc.cohort.report.load import load_cohort
    from her2crc.cohort.report.missed import missed_section
    from her2crc.cohort.report.performance import performance_section
    from her2crc.cohort.report.prevalence import prevalence_section
    from her2crc.cohort.report.purity import purity_section
    from her2crc.cohort.report.redraw import redraw_section
    from her2crc.cohort.report.render import write_report
    from her2crc.cohort.report.survival import survival_section
    from her2crc.cohort.report.sweep import sweep_section

    disclose((), suppress_below)  # a wrong bound is said before the work, not after it
    cohort = load_cohort(screened, knowledge, follow_up, truth, suppress_below)
    order = (
        *(flow_section, prevalence_section, missed_section, agreement_section, concordance_section, purity_section),
        *(association_section, survival_section, sweep_section, redraw_section, performance_section),
    )
    sections = disclose([section(cohort) for section in order], suppress_below)
    files = write_report(sections, cohort, Path(output), suppress_below)
    return CohortReport(files, {item.id: item.impossible for item in sections if item.impossible}, cohort.synthetic)
