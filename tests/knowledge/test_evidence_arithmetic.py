"""Published counts must give the published percentages, and rebuilt tables must be the only ones possible.

Reads `priors.yaml` without the product's own loader, so that an error in one cannot hide in the other.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from scipy.stats import beta

PRIORS = Path(__file__).parents[2] / "src" / "her2crc" / "knowledge" / "priors.yaml"
KNOWLEDGE: dict[str, list[dict[str, Any]]] = yaml.safe_load(PRIORS.read_text(encoding="utf-8"))
PROPORTIONS = {row["id"]: row for row in KNOWLEDGE["proportions"]}
TABLES = {row["id"]: row for row in KNOWLEDGE["tables"]}

INTERVAL_TOLERANCE = 0.15  # percentage points; a source may have rounded twice

CELLS = ("both", "primary_only", "metastasis_only", "neither")  # where the pair is positive
Table = tuple[int, int, int, int]  # in the order of CELLS


# --- recomputation --------------------------------------------------------------------------------


def percent_of(events: int, total: int) -> str:
    """The percentage to one decimal, half up on the exact fraction (a float rounds 6.25 down)."""
    share = Fraction(100 * events, total)
    return round_half_up(Decimal(share.numerator) / Decimal(share.denominator))


def exact_interval(events: int, total: int) -> tuple[float, float]:
    """The 95 % Clopper-Pearson interval in percent."""
    low = 0.0 if events == 0 else float(beta.ppf(0.025, events, total - events + 1))
    high = 1.0 if events == total else float(beta.ppf(0.975, events + 1, total - events))
    return 100 * low, 100 * high


def round_half_up(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.1"), ROUND_HALF_UP))


def rounds_to(value: Fraction, printed: str) -> bool:
    """Whether `printed` is `value` rounded to as many decimals as are printed; a tie may go either way."""
    decimals = len(printed.partition(".")[2])
    return abs(value - Fraction(printed)) <= Fraction(1, 2 * 10**decimals)


# --- proportions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row_id", PROPORTIONS)
def test_stored_percent_and_interval_follow_from_the_counts(row_id: str) -> None:
    row = PROPORTIONS[row_id]
    events, total = row["events"], row["total"]
    assert 0 <= events <= total
    assert row["percent"] == percent_of(events, total)
    assert row["interval"] == [round_half_up(Decimal(repr(end))) for end in exact_interval(events, total)]


@pytest.mark.parametrize("row_id", [i for i, row in PROPORTIONS.items() if "percent" in row.get("printed", {})])
def test_counts_agree_with_the_printed_percentage(row_id: str) -> None:
    row = PROPORTIONS[row_id]
    assert rounds_to(Fraction(100 * row["events"], row["total"]), row["printed"]["percent"])


@pytest.mark.parametrize("row_id", [i for i, row in PROPORTIONS.items() if "interval" in row.get("printed", {})])
def test_exact_interval_agrees_with_the_printed_one_or_says_that_it_differs(row_id: str) -> None:
    row = PROPORTIONS[row_id]
    exact = exact_interval(row["events"], row["total"])
    agrees = all(
        abs(ours - float(theirs)) <= INTERVAL_TOLERANCE
        for ours, theirs in zip(exact, row["printed"]["interval"], strict=True)
    )
    if row.get("printed_differs"):
        assert not agrees, "marked as different, yet it agrees"
        assert row["note"]
    else:
        assert agrees, f"computed {exact}"


def test_only_a_printed_interval_can_be_marked_as_different() -> None:
    assert {i for i, row in PROPORTIONS.items() if row.get("printed_differs")} <= {
        i for i, row in PROPORTIONS.items() if "interval" in row.get("printed", {})
    }


def test_every_inferred_count_says_so_in_a_note() -> None:
    assert [i for i, row in PROPORTIONS.items() if row["inferred"] and not row.get("note")] == []


# --- derived counts -------------------------------------------------------------------------------


def counts_rounding_to(printed: str, largest_total: int) -> list[tuple[int, int]]:
    return [
        (events, total)
        for total in range(1, largest_total + 1)
        for events in range(total + 1)
        if rounds_to(Fraction(100 * events, total), printed)
    ]


def counts_of(row_id: str) -> tuple[int, int]:
    return PROPORTIONS[row_id]["events"], PROPORTIONS[row_id]["total"]


def test_s1613_copy_groups_are_the_only_pair_that_sums_to_the_responders() -> None:
    responders, treated = counts_of("s1613_tp")
    pairs = [
        (high, low)
        for high, low in product(counts_rounding_to("57.1", treated), counts_rounding_to("9.1", treated))
        if high[0] + low[0] == responders and high[1] + low[1] <= treated
    ]
    assert pairs == [(counts_of("s1613_tp_gcn_ge20"), counts_of("s1613_tp_gcn_lt20"))]


def test_crc02_3_plus_group_is_the_only_count_behind_its_percentage_and_interval() -> None:
    everyone = PROPORTIONS["crc02_54"]["total"]
    printed = PROPORTIONS["crc02_ihc3"]["printed"]
    fitting = [
        counts
        for counts in counts_rounding_to(printed["percent"], everyone)
        if [round_half_up(Decimal(repr(end))) for end in exact_interval(*counts)] == printed["interval"]
    ]
    assert fitting == [counts_of("crc02_ihc3")]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["crc01_ihc3", "crc01_ihc2_ish"], "crc01_a"),
        (["crc02_ihc3", "crc02_ihc2_ish"], "crc02_54"),
        (["crc01_ihc2_ish", "crc02_ihc2_ish"], "tdxd_pooled_ihc2_ish"),
    ],
)
def test_parts_add_up_to_the_whole(parts: list[str], whole: str) -> None:
    assert tuple(map(sum, zip(*map(counts_of, parts), strict=True))) == counts_of(whole)


# --- primary against metastasis -------------------------------------------------------------------


def kappa(table: Table) -> Fraction | None:
    """Cohen's kappa; none where chance alone would agree always."""
    both, primary_only, metastasis_only, neither = table
    pairs = sum(table)
    observed = Fraction(both + neither, pairs)
    by_chance = Fraction(
        (both + primary_only) * (both + metastasis_only) + (metastasis_only + neither) * (primary_only + neither),
        pairs**2,
    )
    return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


def tables_with(pairs: int, discordant: int) -> list[Table]:
    return [
        (both, primary_only, discordant - primary_only, pairs - discordant - both)
        for both in range(pairs - discordant + 1)
        for primary_only in range(discordant + 1)
    ]


def fits(table: Table, metastases_positive: str, published_kappa: str) -> bool:
    both, _, metastasis_only, _ = table
    value = kappa(table)
    return (
        rounds_to(Fraction(100 * (both + metastasis_only), sum(table)), metastases_positive)
        and value is not None
        and rounds_to(value, published_kappa)
    )


@pytest.mark.parametrize(
    ("table_id", "pairs", "metastases_positive", "discordant", "published_kappa"),
    [("shan_nodes", 69, "10.1", 7, "0.48"), ("shan_liver", 22, "31.8", 6, "0.32")],
)
def test_reconstructed_table_is_the_only_one_that_fits(
    table_id: str, pairs: int, metastases_positive: str, discordant: int, published_kappa: str
) -> None:
    row = TABLES[table_id]
    stored = tuple(row[cell] for cell in CELLS)
    assert row["how"] == "reconstructed"
    candidates = tables_with(pairs, discordant)
    assert [t for t in candidates if fits(t, metastases_positive, published_kappa)] == [stored]


def positives(table: Table) -> int:
    """Positive samples, of two per pair."""
    both, primary_only, metastasis_only, _ = table
    return 2 * both + primary_only + metastasis_only


def test_no_table_satisfies_the_figures_of_lee2014() -> None:
    assert [t for t in tables_with(pairs=94, discordant=14) if positives(t) == 19] == []
    row = TABLES["lee2014"]
    assert row["usable"] is False
    assert not row.keys() & set(CELLS)


def test_the_margins_of_lee2014_give_fourteen_positives_not_nineteen() -> None:
    with_margins = [t for t in tables_with(pairs=94, discordant=14) if (t[0] + t[1], t[0] + t[2]) == (10, 4)]
    assert [(t[0], positives(t)) for t in with_margins] == [(0, 14)]


def test_only_complete_tables_are_usable() -> None:
    for row in TABLES.values():
        assert row["usable"] is (row.keys() >= set(CELLS))
