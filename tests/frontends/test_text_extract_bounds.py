"""A bound of a report is stated but decides nothing: it reaches its column as a bound, and is never left out."""

from __future__ import annotations

import pytest

from her2crc.frontends.text import extract
from her2crc.frontends.text.documents import ReadReport, Report
from her2crc.read.report_rows import report_rows


def columns(text: str) -> dict[str, object]:
    rows, _ = report_rows([ReadReport(Report("R1", text, "r.txt"), extract(text))], {})
    return {name: value for row in rows for name, value in row.values.items()}


@pytest.mark.parametrize(
    ("text", "column", "bound"),
    [
        ("HER2 FISH: HER2/CEP17 ratio > 10, amplified.", "ish_ratio", ">10"),
        ("HER2 FISH: mean HER2 copy number per cell > 20.", "ish_her2_copies", ">20"),
        ("FISH HER2: mean CEP17 per cell <1.5, mean HER2 per cell 5.1", "ish_cep17_copies", "<1.5"),
        ("NGS: ERBB2 copy number >20.", "ngs_copies", ">20"),
        ("ctDNA: ERBB2 amplification, copy number >100", "plasma_copies", ">100"),
    ],
)
def test_a_bound_reaches_its_column(text: str, column: str, bound: str) -> None:
    assert columns(text)[column] == bound


def test_a_value_goes_before_a_bound() -> None:
    found = columns("HER2 FISH: HER2/CEP17 ratio 12.4 (>10).")
    assert str(found["ish_ratio"]) == "12.4"


def test_a_bound_with_a_status_is_no_result_in_words_alone() -> None:
    text = "HER2 FISH: HER2/CEP17 ratio > 10, amplified."
    _, issues = report_rows([ReadReport(Report("R1", text, "r.txt"), extract(text))], {})
    assert "report_words_alone" not in {issue.id for issue in issues}
