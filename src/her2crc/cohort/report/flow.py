"""Section "who has what test": the flow of patients, and who is tested by extent and RAS.

Part of the report on a cohort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Count, Section, Sentence, Share, Table
from her2crc.cohort.report.load import Cohort
from her2crc.cohort.report.tables import strata

if TYPE_CHECKING:
    import polars

METHODS = {
    "has_ihc": "IHC",
    "has_ish": "ISH",
    "has_ngs": "sequencing of tissue",
    "has_plasma": "plasma sequencing",
}


def flow_section(cohort: Cohort) -> Section:
    """Count patients and specimens by what is known of them."""
    tested = tests_of_patients(cohort)
    problems: Cell = Count(int(cohort.summary.get("rejects", 0)))
    day = cohort.summary["knowledge"]["as_of"]
    return Section(
        "flow",
        "Who has what test",
        lead=(
            (
                Count(len(cohort.patients)),
                " patients with ",
                Count(len(cohort.specimens)),
                " specimens. Values of the input that could not be used: ",
                problems,
                "; they are unknown here and listed in rejects.parquet.",
            ),
            *_others(cohort),
            *(
                (f"{text} Screen again, or name the day of the screening ({day}) with --as-of.",)
                for text in cohort.doubts
            ),
        ),
        tables=(_known(cohort), _methods(tested), _by_extent(tested), _details(cohort)),
        notes=tuple((f"Said when the input was read: {text}",) for text in cohort.summary.get("notes", ())),
    )


def _others(cohort: Cohort) -> tuple[Sentence, ...]:
    if not cohort.of_other_tumours:
        return ()
    return (("Besides, specimens of other tumours, which are in no count: ", Count(cohort.of_other_tumours), "."),)


def tests_of_patients(cohort: Cohort) -> polars.DataFrame:
    """Return the patients with a yes/no column a method, ``tested`` for any of tissue or plasma."""
    from polars import any_horizontal, col

    by_patient = cohort.specimens.group_by("patient_id").agg([col(name).any() for name in METHODS])
    joined = cohort.patients.join(by_patient, on="patient_id", how="left", maintain_order="left")
    filled = joined.with_columns([col(name).fill_null(False) for name in METHODS])
    return filled.with_columns(
        tested=any_horizontal(list(METHODS)), tissue_tested=any_horizontal("has_ihc", "has_ish", "has_ngs")
    )


def _known(cohort: Cohort) -> Table:
    names = {
        "metastatic": "metastatic or not",
        "stage": "stage",
        "side": "side",
        "ras": "RAS",
        "braf_v600e": "BRAF V600E",
    }
    names |= {"msi": "microsatellites", "pik3ca": "PIK3CA", "lines_of_therapy": "lines of therapy"}
    total = len(cohort.patients)
    rows = [(shown, Share(total - cohort.patients[name].null_count(), total)) for name, shown in names.items()]
    return Table("known", "What is known of the patients", ("fact", "known, of all patients"), tuple(rows))


def _methods(tested: polars.DataFrame) -> Table:
    total = len(tested)
    rows: list[tuple[Cell, ...]] = [(shown, Share(int(tested[name].sum()), total)) for name, shown in METHODS.items()]
    rows.append(("any HER2 result", Share(int(tested["tested"].sum()), total)))
    rows.append(("no HER2 result at all", Share(total - int(tested["tested"].sum()), total)))
    return Table(
        "methods",
        "Patients with at least one result of each method",
        ("method", "patients with a result, of all"),
        tuple(rows),
        note="A patient can have several. A result that was stated but cannot be used counts as a test done. Where a "
        "laboratory lists only what it found, the rest has no result here: unknown, not negative.",
    )


def _by_extent(tested: polars.DataFrame) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for extent, some in strata(tested, "metastatic"):
        for ras, group in strata(some, "ras"):
            cells = [Share(int(group[name].sum()), len(group)) for name in ("tested", "has_ihc", "has_ngs")]
            rows.append((extent, ras, *cells))
    return Table(
        "by_extent",
        "Tested, by extent of disease and RAS",
        ("metastatic", "RAS", "any HER2 result, of the group", "IHC", "sequencing of tissue"),
        tuple(rows),
        note="Where testing differs between these groups, results are missing not at random: a prevalence among the "
        "tested is then not that of all.",
    )


def _details(cohort: Cohort) -> Table:
    from polars import col

    some = cohort.specimens
    rows: list[tuple[Cell, ...]] = []
    for score in sorted(some["ihc_score"].drop_nulls().unique().to_list()):
        group = some.filter(col("ihc_score") == score)
        total = len(group)
        cells = [Share(total - group[name].null_count(), total) for name in ("ihc_percent", "ihc_pattern")]
        rows.append((f"{score}{'+' if score else ''}", Count(total), *cells, Share(int(group["has_ish"].sum()), total)))
    return Table(
        "ihc_details",
        "Specimens by IHC score: what is stated with it",
        ("score", "specimens", "percent of cells stated", "pattern stated", "ISH done"),
        tuple(rows),
    )
