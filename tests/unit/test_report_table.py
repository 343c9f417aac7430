"""The long table of verdicts: one row per patient or specimen and set, values as they are."""

import csv
import io
from collections.abc import Callable

import msgspec
import pytest

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.table import COLUMNS, report_table

Answer = Callable[..., Assessment]


def rows_of(*assessments: Assessment) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report_table(assessments))))


def test_a_row_for_every_patient_specimen_and_set(answer: Answer, knowledge: Knowledge) -> None:
    two, none = answer({"ihc_score": 1}, {"ihc_score": 3}), answer()
    rows = rows_of(two, none)
    assert len(rows) == len(knowledge.criteria) * 3 + len(knowledge.criteria)
    assert tuple(rows[0]) == COLUMNS


def test_rows_say_what_the_assessment_says(answer: Answer) -> None:
    assessment = answer({"ihc_score": 1}, {"ihc_score": 3}, {"ngs_copies": 4})
    for row in rows_of(assessment):
        verdict = assessment.criteria[row["criteria"]]
        if row["specimen_id"]:
            judged = verdict.specimens[row["specimen_id"]]
            assert (row["status"], row["row"]) == (judged.status, judged.row or "")
            assert row["missing"] == "|".join(judged.missing)
            assert row["discordant"] == ""
        else:
            assert (row["status"], row["row"]) == (verdict.status, "")
            assert row["discordant"] == ("true" if verdict.discordant else "false")


@pytest.mark.parametrize(
    ("scores", "status", "missing"),
    [
        ([2, 0], "equivocal", "ish_ratio"),
        ([2, None], "equivocal", "ish_ratio|ihc_score"),
        ([3, None], "positive", ""),
        ([0, 1], "negative", ""),
    ],
)
def test_what_the_patient_misses(answer: Answer, scores: list[int | None], status: str, missing: str) -> None:
    rows = rows_of(answer(*({"ihc_score": score} for score in scores)))
    (patient,) = [row for row in rows if row["criteria"] == "destiny_crc02" and not row["specimen_id"]]
    assert (patient["status"], patient["missing"]) == (status, missing)


def test_commas_quotes_and_lines_survive(answer: Answer) -> None:
    odd = 'a,"b"\nc'
    assessment = msgspec.structs.replace(answer({"ihc_score": 3}), patient_id=odd)
    assert {row["patient_id"] for row in rows_of(assessment)} == {odd}


@pytest.mark.parametrize("odd", ["=1+1", "+4711", "-4711", "@home", "\t=1", "'=1"])
def test_an_id_that_a_spreadsheet_could_take_for_a_formula_is_written_as_it_is(answer: Answer, odd: str) -> None:
    """Programs join on ids; how to open the file in a spreadsheet is told in docs/how-to/call-from-a-pipeline.md."""
    assessment = msgspec.structs.replace(answer({"ihc_score": 3}), patient_id=odd)
    assert {row["patient_id"] for row in rows_of(assessment)} == {odd}
