"""A score with words around it: read where every word agrees, never from prose and never against its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2crc.read.score_words import stated_score


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("3+", "3"),
        ("3+ (positive)", "3"),
        ("Positivo (3+)", "3"),
        ("HER2/neu: 2+ equivocal", "2"),
        ("negativ (Score 1+)", "1"),
        ("阴性(0)", "0"),
        ("+++", "3"),
        ("(+++) 3+", "3"),
        ("HER2 2", "2"),
    ],
)
def test_a_score_with_words_that_agree(text: str, score: str) -> None:
    assert stated_score(text) == score


@pytest.mark.parametrize(
    "text",
    [
        "Negative (3+)",
        "positive (0)",
        "equivocal 3+",
        "2+/3+",
        "0-1+",
        "30",
        "1.5",
        "3 %",
        "3+ in 80 %",
        "not 3+",
        "no 3+",
        *("positive", "HER2", "", "see comment 3+", "3+ previously", "4+", "++++", "3+ " * 40),
    ],
)
def test_what_is_no_single_score_is_none(text: str) -> None:
    assert stated_score(text) is None


@given(st.text(alphabet="0123+ ()negativposhr2/,.-", max_size=30))
def test_only_a_score_that_is_written_is_given(text: str) -> None:
    score = stated_score(text)
    assert score is None or score in text or "+" * int(score) in text
