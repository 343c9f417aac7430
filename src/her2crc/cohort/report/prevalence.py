"""Section "prevalence": positive by rule with exact intervals, by group, and beside the published figures.

Part of the report on a cohort. The denominator is those whom the rule decides; undecided patients are shown, and what
they could change at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Figure, Hidden, Plot, Published, Section, Share, Table
from her2crc.cohort.report.disclosure import for_statistics, is_small
from her2crc.cohort.report.load import POSITIVE, Cohort
from her2crc.cohort.report.settings import Comparison, settings
from her2crc.cohort.report.statistics import difference, exact_interval
from her2crc.cohort.report.tables import decided, rule_names, share_of, status_cells, strata, word

if TYPE_CHECKING:
    import polars

PERCENT = 100
GROUPS = {"ras": "RAS", "side": "side of the primary", "stage": "stage at diagnosis"}
TITLES = {"ras": "RAS"}
NO_RULE = ("any_positive", "laboratory_call")
"""Measures that are no criteria set."""
ANY, AT_LEAST = "any rule", "any rule, at least: found positive, of all in the group"
NOTE = (
    "Any rule: positive where at least one rule says positive; decided where at least one rule decides. \u201cAt "
    "least\u201d counts everybody in the group: it is what is sure, not a prevalence, since the undecided may be "
    "positive too."
)
BOUNDS = ("at least, of all covered", "at most, of all covered")


def prevalence_section(cohort: Cohort) -> Section:
    """Count the positive under every rule."""
    by_rule = _by_rule(cohort)
    groups = tuple(_by_group(cohort, column, title) for column, title in GROUPS.items())
    return Section(
        "prevalence",
        "Positive, by rule",
        lead=(
            (
                "A rule decides a patient where it says positive or negative. The percentage is of those. Undecided "
                "patients are in no denominator of it; the columns \u201cat least\u201d and \u201cat most\u201d say "
                "what it would be of all whom the rule covers, if every undecided patient were negative, or positive.",
            ),
        ),
        tables=(by_rule, *groups, _by_site(cohort), _published(cohort)),
        plots=(_plot(by_rule),),
        notes=(
            (
                "Intervals are exact (Clopper-Pearson, 95 %). Rules of other organs are not counted. A rule that "
                "covers no patient ",
                "is left out.",
            ),
        ),
    )


def _plot(by_rule: Table) -> Plot:
    """Draw the share of decided patients; where no rule decides anybody negative, the share that is sure."""
    decided_, sure = by_rule.columns[1], by_rule.columns[2]
    shares = [cell for row in by_rule.rows if isinstance(cell := row[1], Share)]
    if any(share.events < share.total for share in shares):
        title = "Positive of decided patients, by rule, with exact 95 % intervals"
        return Plot(
            "intervals",
            "by_rule",
            f"{title}; rules that call nobody negative, or whose count is hidden, are left out",
            ("rule", decided_),
        )
    title = "Found positive, of all covered: no rule calls anybody negative, so this is what is sure, not a prevalence"
    return Plot("intervals", "by_rule", title, ("rule", sure))


def _by_rule(cohort: Cohort) -> Table:
    rows = [(item.name, *status_cells(cohort.patients, item.id)) for item in rule_names(cohort)]
    return Table(
        "by_rule",
        "Patients, by rule",
        ("rule", "positive, of decided", *BOUNDS, "equivocal", "indeterminate", "not covered"),
        tuple(rows),
    )


def _by_group(cohort: Cohort, column: str, title: str) -> Table:
    groups = list(strata(cohort.patients, column))
    rows: list[tuple[Cell, ...]] = [
        (ANY, *(share_of(some, "any_positive") for _, some in groups)),
        (AT_LEAST, *(found_of_all(some, "any_positive") for _, some in groups)),
    ]
    rows += [(item.name, *(decided(some, item.id) for _, some in groups)) for item in rule_names(cohort)]
    return Table(
        f"by_{column}",
        f"Positive of decided patients, by {title}",
        ("rule", *(name for name, _ in groups)),
        tuple(rows),
        note=NOTE,
    )


def _by_site(cohort: Cohort) -> Table:
    groups = list(strata(cohort.specimens, "site"))
    rules = [item.id for item in rule_names(cohort)]
    rows: list[tuple[Cell, ...]] = [(AT_LEAST, *(_any_found(some, rules) for _, some in groups))]
    rows += [(item.name, *(decided(some, item.id) for _, some in groups)) for item in rule_names(cohort)]
    return Table(
        "by_site",
        "Positive of decided specimens, by site",
        ("rule", *(name for name, _ in groups)),
        tuple(rows),
        note="Specimens, not patients: a patient with several counts several times.",
    )


def found_of_all(frame: polars.DataFrame, name: str) -> Share:
    """Return how many of a yes/no column are yes, of all rows, unknown among them: what is sure."""
    return Share(int(frame[name].sum()), len(frame))


def _any_found(frame: polars.DataFrame, rules: list[str]) -> Share:
    from polars import any_horizontal, col

    if not rules:
        return Share(0, len(frame))
    found = frame.select(any_horizontal([(col(name) == POSITIVE).fill_null(False) for name in rules])).to_series()
    return Share(int(found.sum()), len(frame))


# ---- beside the published


def _published(cohort: Cohort) -> Table:
    rows = [row for item in settings().published if (row := _comparison(cohort, item))]
    return Table(
        "published",
        "Beside the published figures",
        (
            "published",
            "group",
            "published figure",
            "counted here as",
            "this cohort, positive of decided",
            "at least, of all in the group",
            "difference, points",
        ),
        tuple(rows),
        note="Difference: this cohort minus the published figure, with Newcombe's 95 % interval where the source gives "
        "counts; otherwise the published figure is taken as fixed and the interval is that of this cohort. Published "
        "cohorts were selected and tested in ways of their own: a difference is a question, not a finding.",
    )


def _comparison(cohort: Cohort, item: Comparison) -> tuple[Cell, ...] | None:
    published = published_of(item.prior, cohort)
    if published is None or item.measure not in (*NO_RULE, *cohort.rules):
        return None  # not out on the day of the knowledge
    group_of = _where(cohort.patients, item.where)
    share = measured(group_of, item.measure, cohort)
    sure = Share(share.events, len(group_of))
    group = ", ".join(f"{TITLES.get(name, name)}: {word(value)}" for name, value in item.where.items())
    how = cohort.rules[item.measure].name if item.measure in cohort.rules else item.measure.replace("_", " ")
    return (
        _label(item.prior, cohort),
        group or "all",
        published,
        how,
        share,
        sure,
        compare(share, published, cohort.below),
    )


def _label(prior: str, cohort: Cohort) -> str:
    known = cohort.knowledge
    return (known.proportions.get(prior) or known.rates[prior]).label


def published_of(prior: str, cohort: Cohort) -> Published | None:
    """Return a published figure by its id; None where it was not out on the day of the knowledge."""
    if prior in cohort.knowledge.proportions:
        found = cohort.knowledge.proportions[prior]
        return Published(found.percent, found.cite[0].ref, found.events, found.total)
    if prior in cohort.knowledge.rates:
        rate = cohort.knowledge.rates[prior]
        return Published(rate.percent, rate.cite[0].ref)
    return None


def _where(frame: polars.DataFrame, where: dict[str, str]) -> polars.DataFrame:
    from polars import Utf8, col

    for name, value in where.items():
        frame = frame.filter(col(name).cast(Utf8) == value)
    return frame


def measured(frame: polars.DataFrame, measure: str, cohort: Cohort) -> Share:
    """Return the positive of the decided under a measure of ``knowledge/cohort.yaml``."""
    if measure == "any_positive":
        return share_of(frame, measure)
    if measure == "laboratory_call":
        return _called(frame, cohort)
    return decided(frame, measure)


def _called(frame: polars.DataFrame, cohort: Cohort) -> Share:
    """Patients of whom a laboratory called a specimen amplified, of those with any call but equivocal."""
    from polars import col

    calls = cohort.specimens.filter(col("ngs_call").is_in(["amplified", "not_amplified"]))
    by_patient = calls.group_by("patient_id").agg((col("ngs_call") == "amplified").any().alias("called"))
    return share_of(frame.join(by_patient, on="patient_id"), "called")


def compare(share: Share, published: Published, below: int) -> Cell:
    """Return the difference of a share and a published figure in percentage points, with its interval."""
    counts = (share.events, share.total, share.total - share.events)
    if any(is_small(count, below) for count in counts):
        return Hidden("hidden")
    if not share.total:
        return "nobody decided"
    if share.events == share.total:
        return "not comparable: nobody is decided negative"
    events, total = for_statistics((share.events, share.total), below)
    if published.total and published.events is not None:
        value, interval = difference((events, total), (published.events, published.total))
    else:
        fixed = float(published.percent) / PERCENT
        low, high = exact_interval(events, total)
        value, interval = events / total - fixed, (low - fixed, high - fixed)
    return Figure(value * PERCENT, 1, counts, (interval[0] * PERCENT, interval[1] * PERCENT))
