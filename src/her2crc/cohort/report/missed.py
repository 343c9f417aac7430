"""Section "patients to look at": should have been tested and were not; look positive and were not treated.

Part of the report on a cohort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Section, Share, Table
from her2crc.cohort.report.flow import tests_of_patients
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.tables import rule_names

if TYPE_CHECKING:
    import polars

DECIDED = (POSITIVE, NEGATIVE)


def missed_section(cohort: Cohort) -> Section:
    """Find the patients whom testing or treatment may have missed."""
    from polars import col

    tested = tests_of_patients(cohort)
    advised = tested.filter(col("testing_recommended"))
    open_ = tested.filter(col("testing_recommended").is_null())
    untested = advised.filter(~col("tested"))
    found = tested.filter(col("any_positive"))
    positive = found.filter(col("metastatic"))
    untreated, unsure = positive.filter(~col("prior_anti_her2")), positive.filter(col("prior_anti_her2").is_null())
    rows: tuple[tuple[Cell, ...], ...] = (
        ("testing recommended, of all patients", Share(len(advised), len(tested))),
        ("no HER2 result, of those to be tested", Share(len(untested), len(advised))),
        ("a fact that decides on testing is unknown, of all patients", Share(len(open_), len(tested))),
        ("no HER2 result, of those", Share(len(open_.filter(~col("tested"))), len(open_))),
        (
            "no HER2-directed drug, of metastatic patients positive under at least one rule",
            Share(len(untreated), len(positive)),
        ),
        ("whether a HER2-directed drug was given is unknown, of the same", Share(len(unsure), len(positive))),
        (
            "whether the disease is metastatic is unknown, of all positive under at least one rule (not listed below)",
            Share(found["metastatic"].null_count(), len(found)),
        ),
    )
    return Section(
        "missed",
        "Patients to look at",
        lead=(
            (
                "Whom to test follows the source that decides in the knowledge base; a fact that is unknown makes no "
                "recommendation either way.",
            ),
        ),
        tables=(
            Table("missed", "Testing and treatment", ("what", "patients"), rows),
            _untested(cohort, untested),
            _untreated(cohort, untreated, "untreated", "Positive under a rule, metastatic, no HER2-directed drug"),
            _untreated(cohort, unsure, "treatment_unknown", "Positive under a rule, metastatic, treatment unknown"),
        ),
        notes=(
            (
                "\u201cPositive under a rule\u201d is no indication: lines of therapy, conditions of each regimen and "
                "the rest are in the answer of the single patient.",
            ),
        ),
    )


def _untested(cohort: Cohort, frame: polars.DataFrame) -> Table:
    names = {item.id: item.name for item in cohort.knowledge.tests}
    rows = tuple(
        (row["patient_id"], _text(row["ras"]), _text(row["lines_of_therapy"]), names.get(row["next_test"], "none"))
        for row in frame.iter_rows(named=True)
    )
    return Table(
        "untested",
        "Should be tested, no HER2 result",
        ("patient", "RAS", "lines of therapy", "next test"),
        rows,
        listing=True,
    )


def _untreated(cohort: Cohort, frame: polars.DataFrame, name: str, caption: str) -> Table:
    rules = [item.id for item in rule_names(cohort)]
    regimens = {item.id: item.regimen for item in cohort.knowledge.actions}
    rows = tuple(
        (
            row["patient_id"],
            f"{sum(row[name] == POSITIVE for name in rules)} of {sum(row[name] in DECIDED for name in rules)}",
            "; ".join(name for name in rules if row[name] == POSITIVE),
            _text(row["lines_of_therapy"]),
            "; ".join(dict.fromkeys(regimens.get(name, name) for name in row["actions_fit"] or ())) or "none",
        )
        for row in frame.iter_rows(named=True)
    )
    return Table(
        name,
        caption,
        ("patient", "positive, of rules that decide", "positive under", "lines of therapy", "regimens that fit"),
        rows,
        listing=True,
    )


def _text(value: object) -> str:
    return "unknown" if value is None else str(value).replace("_", " ")
