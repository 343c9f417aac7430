"""Section "concordance": primary against metastasis, and the methods against one another.

Part of the report on a cohort.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Count, Figure, Published, Section, Share, Table
from her2crc.cohort.report.disclosure import for_statistics
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.prevalence import compare, published_of
from her2crc.cohort.report.settings import settings
from her2crc.cohort.report.statistics import kappa
from her2crc.cohort.report.tables import rule_names

if TYPE_CHECKING:
    import polars

COLUMNS = ("both positive", "only first", "only second", "both negative", "agree, of decided in both", "kappa")


def concordance_section(cohort: Cohort) -> Section:
    """Compare sites under each rule, and methods in each patient."""
    sites = _sites(cohort)
    methods, exams = _methods(cohort), _ihc_to_ish(cohort)
    impossible = "No patient has two specimens or two methods that decide." if not (sites.rows or methods.rows) else ""
    return Section(
        "concordance",
        "Concordance of sites and methods",
        lead=(
            (
                "A patient counts where both sides are decided. Where a site has several specimens, one positive "
                "makes it positive.",
            ),
        ),
        tables=tuple(table for table in (sites, _published_pairs(cohort), methods, exams) if table.rows),
        impossible=impossible,
    )


def _crossed(first: polars.DataFrame, second: polars.DataFrame) -> tuple[int, int, int, int]:
    """Cross two frames of ``patient_id, positive``."""
    from polars import col

    both = first.join(second, on="patient_id", suffix="_second")
    one, two = col("positive"), col("positive_second")
    counts = both.select(
        (one & two).sum().alias("a"),
        (one & ~two).sum().alias("b"),
        (~one & two).sum().alias("c"),
        (~one & ~two).sum().alias("d"),
    ).row(0)
    return int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3])


def _row(cross: tuple[int, int, int, int], below: int) -> tuple[Cell, ...]:
    found = kappa(*for_statistics(cross, below))
    value = Figure(found.estimate, 2, cross, found.interval) if found else "\u2013"
    return (*map(Count, cross), Share(cross[0] + cross[-1], sum(cross)), value)


def _positive_by_patient(specimens: polars.DataFrame, name: str) -> polars.DataFrame:
    from polars import col

    known = specimens.filter(col(name).is_in([POSITIVE, NEGATIVE]))
    return known.group_by("patient_id").agg((col(name) == POSITIVE).any().alias("positive"))


def _sites(cohort: Cohort) -> Table:
    from polars import col

    tissue = cohort.specimens.filter(col("site").is_not_null() & (col("site") != "plasma"))
    primary, rest = tissue.filter(col("site") == "primary"), tissue.filter(col("site") != "primary")
    rows = []
    for item in rule_names(cohort):
        if item.judges == "plasma":
            continue
        cross = _crossed(_positive_by_patient(primary, item.id), _positive_by_patient(rest, item.id))
        if sum(cross):
            rows.append((item.name, *_row(cross, cohort.below)))
    return Table(
        "sites",
        "Primary (first) against metastasis (second), by rule",
        ("rule", *COLUMNS),
        tuple(rows),
    )


def _published_pairs(cohort: Cohort) -> Table:
    """The published tables of pairs, in the same form."""
    rows: list[tuple[Cell, ...]] = []
    for item in cohort.knowledge.pair_tables:
        stated = (item.both, item.primary_only, item.metastasis_only, item.neither)
        cells = [cell for cell in stated if cell is not None]
        if not item.usable or len(cells) < len(stated):
            continue
        agree = Published(
            f"{(cells[0] + cells[-1]) / sum(cells) * 100:.1f}", item.cite[0].ref, cells[0] + cells[-1], sum(cells)
        )
        rows.append((item.label, *(str(cell) for cell in cells), agree))
    return Table("published_sites", "Published pairs of primary and metastasis", ("cohort", *COLUMNS[:-1]), tuple(rows))


# ---- methods


def _calls(cohort: Cohort) -> dict[str, tuple[str, polars.DataFrame]]:
    """What each method says of each patient."""
    from polars import col

    top = int(cohort.knowledge.fields["ihc_score"].maximum or 0)
    found = {}
    for key, method in settings().methods.items():
        if method.set and method.set not in cohort.rules:
            continue  # not out on the day of the knowledge
        if method.set:
            found[key] = (method.name, _positive_by_patient(cohort.specimens, method.set))
            continue
        scored = cohort.specimens.filter(col("ihc_score").is_in([0, 1, top]))
        found[key] = (method.name, scored.group_by("patient_id").agg((col("ihc_score") == top).any().alias("positive")))
    return found


def _methods(cohort: Cohort) -> Table:
    rows = []
    for (one, first), (two, second) in combinations(_calls(cohort).values(), 2):
        cross = _crossed(first, second)
        if sum(cross):
            rows.append((one, two, *_row(cross, cohort.below)))
    rules = {key: cohort.rules[item.set].name for key, item in settings().methods.items() if item.set in cohort.rules}
    named = "; ".join(f"{settings().methods[key].name} by {name}" for key, name in rules.items())
    return Table(
        "methods",
        "Methods against one another, by patient",
        ("first method", "second method", *COLUMNS),
        tuple(rows),
        note=f"{named}. A plasma below its detection bound is undecided and not counted.",
    )


def _ihc_to_ish(cohort: Cohort) -> Table:
    """ISH-positive specimens by score, beside the published share."""
    from polars import col

    rule = settings().methods["ish"].set
    if rule not in cohort.rules:  # not out on the day of the knowledge
        return Table("ihc_to_ish", "", (), ())
    known = cohort.specimens.filter(col(rule).is_in([POSITIVE, NEGATIVE]) & col("ihc_score").is_not_null())
    rows: list[tuple[Cell, ...]] = []
    for scores, prior in settings().ihc_to_ish.items():
        group = known.filter(col("ihc_score").is_in([int(score) for score in scores.split(" or ")]))
        share = Share(int((group[rule] == POSITIVE).sum()), len(group))
        published = published_of(prior, cohort)
        if share.total and published:
            rows.append((scores, share, published, compare(share, published, cohort.below)))
    return Table(
        "ihc_to_ish",
        "ISH positive, by IHC score of the same specimen",
        ("IHC score", "ISH positive, of decided specimens", "published", "difference, points"),
        tuple(rows),
        note=f"ISH by {cohort.rules[rule].name}. Whether ISH is done depends on the score: rows do not add up to all "
        "tumours.",
    )
