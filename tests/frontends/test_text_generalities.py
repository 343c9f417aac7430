"""Drug labels, trials, background and questions state nothing of the patient; a result beside them stays one."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pytest

from her2crc.frontends.text import Finding, extract

LINES = (Path(__file__).parent / "text_generalities.txt").read_text(encoding="utf-8").splitlines()
CASES = [line.rsplit(" => ", 1) for line in LINES if not line.startswith("#")]
GENERAL = [text.replace("\\n", "\n") for text, stated in CASES if stated == "*"]
OWN = [(text, stated) for text, stated in CASES if stated != "*"]
FIELDS = ("ihc_score", "percent", "ratio", "her2_mean", "cep17_mean", "cn", "fold", "status")
WIDTH = 60
HEAD = "SURGICAL PATHOLOGY REPORT\nPatient 123\n\nDIAGNOSIS\nColon, resection: adenocarcinoma, pT3 pN1.\n\n"
RESULT = "BIOMARKERS\nHER2 immunohistochemistry (4B5): score 1+, negative.\nKRAS: G12D.\n\n"
NOTE = "Note: trastuzumab deruxtecan is approved for HER2-positive (IHC 3+) solid tumors.\n\n"
TITLES = ("", "COMMENT\n", "CLINICAL TRIALS TO CONSIDER\n", "BACKGROUND\n", "Therapieoptionen\n", "【靶向药物提示】\n")


def facts(findings: tuple[Finding, ...]) -> set[tuple[str, str, str]]:
    return {
        (item.analyte, name, str(value)) for item in findings for name, value in item.values.items() if name in FIELDS
    }


def wrapped(text: str) -> str:
    """Wrap lines of prose as a report does; columns stay."""
    lines = text.split("\n")
    return "\n".join(fill(line, WIDTH) if " " in line and "  " not in line else line for line in lines)


def stated_by(text: str) -> set[tuple[str, str]]:
    return {(name, value) for _, name, value in facts(extract(text).findings)}


@pytest.mark.parametrize("text", GENERAL)
def test_what_speaks_of_patients_in_general_states_nothing(text: str) -> None:
    assert facts(extract(text).findings) == set()


@pytest.mark.parametrize("text", GENERAL)
def test_it_leaves_the_result_of_a_report_as_it_is(text: str) -> None:
    known = facts(extract(HEAD + RESULT).findings)
    assert known == {("HER2_IHC", "ihc_score", "1+"), ("HER2_IHC", "status", "negative")}
    body = wrapped(text)
    for title in TITLES:
        for report in (HEAD + RESULT + title + body + "\n\nSigned\n", HEAD + title + body + "\n\n" + RESULT):
            assert facts(extract(report).findings) == known, report
    assert facts(extract(HEAD + RESULT.rstrip() + "\n" + body + "\n").findings) == known


@pytest.mark.parametrize(("text", "stated"), OWN, ids=[text for text, _ in OWN])
def test_a_result_stays_one_beside_drugs_and_trials(text: str, stated: str) -> None:
    expected = {(name, value) for name, _, value in (word.partition("=") for word in stated.split())}
    alone = facts(extract(text).findings)
    for report in (text, HEAD + "COMMENT\n" + wrapped(text) + "\n\n" + NOTE, HEAD + NOTE + "RESULT\n" + wrapped(text)):
        assert expected <= stated_by(report), report
        assert facts(extract(report).findings) <= alone
