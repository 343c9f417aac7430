"""Section "associations": what the statements say goes with HER2, tested in this cohort.

Part of the report on a cohort: S05, S06, S18, S19, S22, S23. What the columns do not allow is said to be not possible,
never left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from her2crc.cohort.report.cells import Cell, Figure, Section, Share, Table
from her2crc.cohort.report.disclosure import for_statistics, is_small
from her2crc.cohort.report.load import Cohort
from her2crc.cohort.report.prevalence import compare, published_of
from her2crc.cohort.report.statistics import Tested, fisher, holm, trend
from her2crc.cohort.report.tables import share_of, strata, word

if TYPE_CHECKING:
    import polars

HER2 = "any_positive"
HIDDEN = Tested(1.0, (0.0, 1.0), 1.0)
"""What stands for a test with a small cell behind it, which is not shown; it counts among the tests adjusted for."""

PIK3CA_PUBLISHED = ("yeh_pik3ca", "leeoh_pik3ca")


class Association(NamedTuple):
    """One test: of which statement, what was asked, the counts by group, the test used and what it gave."""

    statement: str
    question: str
    groups: tuple[tuple[str, Share], ...]
    test: str
    found: Tested | None
    why_not: str = ""


def association_section(cohort: Cohort) -> Section:
    """Test the associations of the statements."""
    found = _associations(cohort.patients, cohort.below)
    done = [item for item in found if item.found]
    adjusted = dict(zip([id(item) for item in done], holm([item.found.p for item in done if item.found]), strict=True))
    return Section(
        "associations",
        "What goes with HER2",
        lead=(
            (
                "HER2 is positive here where at least one rule says positive, negative where no rule does and at "
                "least one rule decides; undecided patients and unknown facts are in no count.",
            ),
        ),
        tables=(
            _results(found, adjusted),
            _groups(found),
            _pik3ca(cohort),
            _statements(cohort, found),
        ),
        notes=(
            (
                "Exact tests of Fisher for two groups (conditional odds ratio, exact interval), Cochran-Armitage for "
                "ordered groups (two-sided, with the direction that was found). The adjusted p values are Holm\u2019s "
                "over all tests of this table that could be done. Groups are those of the record: nothing is adjusted "
                "for other factors, and testing itself may depend on them.",
            ),
        ),
    )


def _associations(patients: polars.DataFrame, below: int) -> list[Association]:
    from polars import col

    known = patients.filter(col(HER2).is_not_null())
    rectum = known.filter(col("side") == "rectum")
    no_tnm = "the table has no T or N category"
    return [
        _two(known, "S05", "left side (rectum included) against right", "side", ("left", "rectum"), ("right",), below),
        Association("S05", "intestinal type", (), "", None, "the table has no histological type"),
        _ordered(known, "S06", "rising UICC stage", below),
        _two(known, "S06", "metastatic disease against none", "metastatic", (True,), (False,), below),
        Association("S06", "node metastases", (), "", None, no_tnm),
        Association("S18", "rising T category, rising N category", (), "", None, no_tnm),
        _ordered(rectum, "S19", "rising UICC stage in the rectum", below),
        Association(
            "S19",
            "rising T category in sigmoid and rectum",
            (),
            "",
            None,
            f"{no_tnm} and does not tell the sigmoid from the left colon",
        ),
        _two(known, "S22", "RAS wild type against mutant", "ras", ("wild_type",), ("mutant",), below),
        _two(known, "S23", "PIK3CA mutant against wild type", "pik3ca", ("mutant",), ("wild_type",), below),
    ]


def _two(
    known: polars.DataFrame,
    statement: str,
    question: str,
    column: str,
    first: tuple[object, ...],
    second: tuple[object, ...],
    below: int,
) -> Association:
    from polars import col

    parts = [(names, share_of(known.filter(col(column).is_in(list(names))), HER2)) for names in (first, second)]
    groups = tuple((" or ".join(word(name) for name in names), share) for names, share in parts)
    why = _why_not([share for _, share in groups])
    if why or _is_hidden(groups, below):
        return Association(statement, question, groups, "Fisher", None if why else HIDDEN, why)
    table = [[share.events, share.total - share.events] for share in _for_test(groups, below)]
    return Association(statement, question, groups, "Fisher", fisher(table))


def _is_hidden(groups: tuple[tuple[str, Share], ...], below: int) -> bool:
    return any(is_small(n, below) for _, share in groups for n in (share.events, share.total - share.events))


def _for_test(groups: tuple[tuple[str, Share], ...], below: int) -> list[Share]:
    return [Share(*for_statistics((share.events, share.total), below)) for _, share in groups]


def _ordered(known: polars.DataFrame, statement: str, question: str, below: int) -> Association:
    from polars import col

    staged = known.filter(col("stage").is_not_null())
    groups = tuple((name, share_of(some, HER2)) for name, some in strata(staged, "stage"))
    why = _why_not([share for _, share in groups])
    if why or _is_hidden(groups, below):
        return Association(statement, question, groups, "Cochran-Armitage", None if why else HIDDEN, why)
    shares = _for_test(groups, below)
    found = trend([s.events for s in shares], [s.total for s in shares], [float(name) for name, _ in groups])
    direction = "rising" if found.estimate > 0 else "falling" if found.estimate < 0 else "level"
    return Association(statement, question, groups, f"Cochran-Armitage, {direction}", found)


def _why_not(shares: list[Share]) -> str:
    """Why a test cannot be done, empty where it can."""
    filled = [share for share in shares if share.total]
    if len(filled) < len(shares) or len(filled) <= 1:
        return "the fact is not known of patients in each group"
    events, total = sum(s.events for s in shares), sum(s.total for s in shares)
    if not events:
        return "nobody is positive"
    return "nobody is negative: the rules decide only positive patients here" if events == total else ""


def _results(found: list[Association], adjusted: dict[int, float]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for item in found:
        if item.found is None:
            rows.append((item.statement, item.question, f"not possible: {item.why_not}", None, None, None))
            continue
        counts = tuple(n for _, share in item.groups for n in (share.events, share.total - share.events))
        odds = Figure(item.found.estimate, 2, counts, item.found.interval) if item.found.interval else None
        p, holm_p = (Figure(value, 3, counts, significant=True) for value in (item.found.p, adjusted[id(item)]))
        rows.append((item.statement, item.question, item.test, odds, p, holm_p))
    return Table(
        "tests",
        "Tests",
        ("statement", "question", "test", "odds ratio of being positive, first group against second", "p", "p, Holm"),
        tuple(rows),
    )


def _groups(found: list[Association]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (item.statement, item.question, name, share) for item in found for name, share in item.groups
    ]
    return Table(
        "groups", "Positive by group", ("statement", "question", "group", "positive, of decided and known"), tuple(rows)
    )


def _pik3ca(cohort: Cohort) -> Table:
    """S23 in its own direction: the share with a PIK3CA mutation among the positive, beside the published."""
    from polars import col

    positive = cohort.patients.filter(col(HER2) & col("pik3ca").is_not_null())
    share = Share(int((positive["pik3ca"] == "mutant").sum()), len(positive))
    published = [(name, item) for name in PIK3CA_PUBLISHED if (item := published_of(name, cohort))]
    rows = tuple(
        (cohort.knowledge.proportions[name].label, item, share, compare(share, item, cohort.below))
        for name, item in published
    )
    return Table(
        "pik3ca",
        "S23: PIK3CA mutated, of positive patients with a known PIK3CA",
        ("published", "published figure", "this cohort", "difference, points"),
        rows if share.total else (),
        note="" if share.total else "Not possible: PIK3CA is not known of any positive patient.",
    )


def _statements(cohort: Cohort, found: list[Association]) -> Table:
    """What the statements say, in the words of the knowledge base."""
    known = cohort.knowledge.statements
    names = [name for name in dict.fromkeys(item.statement for item in found) if name in known]
    rows = tuple((name, known[name].text, "; ".join(item.text for item in known[name].dissent)) for name in names)
    return Table("statements", "What the statements say", ("statement", "text", "dissent"), rows)
