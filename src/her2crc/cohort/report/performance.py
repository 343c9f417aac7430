"""Section "performance": rules against the truth of a synthetic registry, and what missing tests cost.

Part of the report on a cohort; only where a truth is at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Count, Section, Share, Table
from her2crc.cohort.report.flow import tests_of_patients
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.tables import rule_names
from her2crc.errors import InputError

if TYPE_CHECKING:
    import polars

NEEDED = ("patient_id", "patient_amplified")


def performance_section(cohort: Cohort) -> Section:
    """Compare each rule with the true amplification of the patient."""
    title = "Against the truth"
    if cohort.truth is None:
        why = "There is no truth beside these data: it exists for synthetic registries only."
        return Section("performance", title, impossible=why)
    if missing := [name for name in NEEDED if name not in cohort.truth.columns]:
        raise InputError(f"the truth has no column {missing[0]}.", fix="Name the truth.parquet that `generate` wrote.")
    if cohort.truth["patient_amplified"].dtype.to_python() is not bool:
        raise InputError("the truth does not say yes or no.", fix="Name the truth.parquet that `generate` wrote.")
    known = _with_truth(cohort)
    if not len(known):
        return Section("performance", title, impossible="The truth speaks of other patients than those screened.")
    return Section(
        "performance",
        title,
        lead=(
            (
                "Truly amplified: ",
                Share(int(known["patient_amplified"].sum()), len(known)),
                " of the patients: in the primary, in a sampled metastasis, or in one that was not sampled but sheds "
                "into a plasma. Sensitivity and specificity are of decided patients. "
                "\u201cFound, of all amplified\u201d counts whoever was not tested or not decided as not found.",
            ),
        ),
        tables=(_accuracy(cohort, known), _losses(cohort, known)),
    )


def _with_truth(cohort: Cohort) -> polars.DataFrame:
    from polars import col

    truth = cohort.truth
    assert truth is not None  # noqa: S101 - asked for only where there is one
    by_patient = truth.group_by("patient_id").agg(col("patient_amplified").any())
    return tests_of_patients(cohort).join(by_patient, on="patient_id")


def _accuracy(cohort: Cohort, known: polars.DataFrame) -> Table:
    amplified = known["patient_amplified"].to_numpy()
    rows: list[tuple[Cell, ...]] = []
    for item in rule_names(cohort):
        codes = known[item.id].to_numpy()
        positive, negative = codes == POSITIVE, codes == NEGATIVE
        found, lost = int((positive & amplified).sum()), int((negative & amplified).sum())
        false, right = int((positive & ~amplified).sum()), int((negative & ~amplified).sum())
        rows.append(
            (
                item.name,
                Share(found, found + lost),
                Share(right, right + false),
                Share(found, found + false),
                Share(found, int(amplified.sum())),
            )
        )
    return Table(
        "accuracy",
        "Each rule against true amplification",
        (
            "rule",
            "sensitivity, of amplified and decided",
            "specificity, of not amplified and decided",
            "truly amplified, of positive",
            "found, of all amplified",
        ),
        tuple(rows),
    )


def _losses(cohort: Cohort, known: polars.DataFrame) -> Table:
    from polars import col

    amplified = known.filter(col("patient_amplified"))
    rows: list[tuple[Cell, ...]] = []
    for item in rule_names(cohort):
        code = col(item.id)
        missed = amplified.filter(code.is_null() | (code != POSITIVE))
        negative = missed.filter(code == NEGATIVE)
        untested = missed.filter(~col("tested"))
        rest = len(missed) - len(negative) - len(untested)
        rows.append((item.name, *map(Count, (len(missed), len(untested), rest, len(negative)))))
    return Table(
        "losses",
        "Amplified patients that a rule does not find, and why",
        ("rule", "not found", "no HER2 test at all", "tested, but undecided", "called negative"),
        tuple(rows),
    )
