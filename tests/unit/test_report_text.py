"""The terminal report: it fits its width, says everything, and every number leads to a reference."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.errors import UsageError
from her2crc.flow import assess, read_patients
from her2crc.model.verdict import Assessment
from her2crc.report.outline import VIEWS
from her2crc.report.text import report_text

Answer = Callable[..., Assessment]
EXAMPLES = sorted(path for path in (Path(her2crc.__file__).parent / "examples").iterdir() if path.is_file())
PROFESSIONAL = [view for view in VIEWS if view != "patient"]
LONG = [
    {"specimen_id": f"SPECIMEN-WITH-A-LONG-NAME-2026-{number:06}", "site": site, "ihc_score": number % 4}
    for number, site in enumerate(["primary", "liver", "liver", "lung", "brain", "bone", "other", "lymph_node"])
]
STYLE = re.compile("\x1b\\[[0-9;]*m")


def answers(path: Path, knowledge: Knowledge) -> Iterator[Assessment]:
    return (assess(patient, knowledge) for patient in read_patients(path, knowledge))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_fits_and_is_cited(path: Path, knowledge: Knowledge) -> None:
    for assessment in answers(path, knowledge):
        for view in VIEWS:
            text = report_text(assessment, knowledge, view=view)
            assert max(map(len, text.splitlines())) <= 100
            body, _, references = text.partition("\nREFERENCES\n")
            cited = {int(number) for group in re.findall(r" \[([\d, ]+)\]", flat(body)) for number in group.split(",")}
            listed = [int(number) for number in re.findall(r"^\[(\d+)\] ", references, re.MULTILINE)]
            assert listed == list(range(1, len(listed) + 1))
            assert cited == set(listed)


def flat(text: str) -> str:
    """Lines joined, so that a citation broken over two lines is one again."""
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("width", [72, 100, 160])
@pytest.mark.parametrize("view", VIEWS)
def test_many_specimens_with_long_names_fit(answer: Answer, knowledge: Knowledge, width: int, view: str) -> None:
    text = report_text(answer(*LONG, metastatic=True), knowledge, width=width, view=view)
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("view", PROFESSIONAL)
def test_every_set_every_specimen_and_every_caveat_appears(answer: Answer, knowledge: Knowledge, view: str) -> None:
    assessment = answer(*LONG, metastatic=True)
    text = flat(report_text(assessment, knowledge, view=view))
    for criteria in knowledge.criteria.values():
        assert (criteria.name if criteria.role == "unseen" else criteria.id) in text
    for specimen in assessment.patient.specimens:
        assert specimen.specimen_id in text
    for caveat in assessment.caveats:
        assert flat(caveat.text) in text


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_carries_disclaimer_review_state_and_knowledge(
    answer: Answer, knowledge: Knowledge, view: str
) -> None:
    text = flat(report_text(answer({"ihc_score": 3}), knowledge, view=view))
    assert flat(knowledge.settings.disclaimer) in text
    assert f"Review state of the rules: submitted ({len(knowledge.criteria)} sets)" in text
    assert knowledge.version in text
    assert knowledge.sha256 in text


def matrix_row(text: str, set_id: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(f"{set_id} ")).split()


def test_the_matrix_shows_patient_and_specimens(answer: Answer, knowledge: Knowledge) -> None:
    text = report_text(answer({"ihc_score": 1, "site": "primary"}, {"ihc_score": 3, "site": "liver"}), knowledge)
    assert matrix_row(text, "destiny_crc02")[1:4] == ["POS", "NEG", "POS"]
    assert matrix_row(text, "yeh_2019")[1:4] == ["IND", "IND", "IND"]
    assert matrix_row(text, "guardant360_observed")[1:4] == ["n/c", "n/c", "n/c"]
    assert text.index("destiny_crc02 ") < text.index("Contrast only") < text.index("breast_2018 ")


def test_a_patient_negative_with_an_untested_site_is_marked(answer: Answer, knowledge: Knowledge) -> None:
    text = report_text(answer({"ihc_score": 0, "site": "primary"}, metastatic=True), knowledge)
    assert matrix_row(text, "destiny_crc02")[1:3] == ["NEG*", "NEG"]
    assert "* negative as far as tested; no result yet from: metastasis." in text


def test_an_unread_source_is_flagged(answer: Answer, knowledge: Knowledge) -> None:
    text = report_text(answer({"ihc_score": 3}), knowledge)
    assert matrix_row(text, "nccn_colon")[3] == "!"
    assert matrix_row(text, "destiny_crc02")[3] != "!"


def test_a_local_set_is_flagged(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer({"ihc_score": 3})
    local = msgspec.structs.replace(assessment.criteria["fujii_2020"], origin="local: ours.yaml")
    changed = msgspec.structs.replace(assessment, criteria={**assessment.criteria, "fujii_2020": local})
    assert matrix_row(report_text(changed, knowledge), "fujii_2020")[3:5] == ["(local:", "ours.yaml)"]


def test_evidence_is_counted_and_grouped(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer({"ihc_score": 3, "ihc_percent": 90}, metastatic=True, lines_of_therapy=2, ras="mutant")
    text = report_text(assessment, knowledge)
    assert "46.9 % (34.3 to 59.8; 30/64, counts derived)" in text
    groups = [text.index(title) for title in ("All conditions met", "Depends on what is not known", "Does not fit")]
    assert groups == sorted(groups)
    for action in assessment.actions:
        assert flat(action.why) in flat(text)


def test_retest_gives_counts_chance_and_interval(answer: Answer, knowledge: Knowledge) -> None:
    text = flat(report_text(answer({"ihc_score": 0, "site": "primary"}, metastatic=True), knowledge))
    assert "(liver) is positive, given primary negative: 26.3 % (9.7 to 47.6), by IHC, from 4 of 17 published" in text


def test_problems_keep_their_place(answer: Answer, knowledge: Knowledge) -> None:
    text = report_text(
        answer({"ihc_score": "four", "ish_ratio": 2.5, "ish_her2_signals": 8, "ish_cep17_signals": 6}), knowledge
    )
    assert "- error: ihc_score" in text
    assert "- conflict: The reported HER2/CEP17 ratio 2.5" in text
    assert "(specimen S1, test:2)" in flat(text)
    assert "stated but unusable, so unknown: IHC score, HER2/CEP17 ratio" in text


def test_views_order_and_select(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer({"ihc_score": 3}, metastatic=True)

    def order(view: str, *titles: str) -> list[int]:
        text = report_text(assessment, knowledge, view=view)
        return [text.find(f"\n{title}") for title in titles]

    verdicts, regimens = order("pathologist", "VERDICTS", "REGIMENS")
    assert 0 < verdicts < regimens
    verdicts, regimens = order("oncologist", "VERDICTS", "REGIMENS")
    assert 0 < regimens < verdicts
    assert order("laboratory", "REGIMENS") == [-1]
    assert order("laboratory", "WHY EACH RULE")[0] > 0
    assert order("patient", "VERDICTS", "REGIMENS", "REFERENCES") == [-1, -1, -1]


def test_an_unknown_view_is_refused(answer: Answer, knowledge: Knowledge) -> None:
    with pytest.raises(UsageError, match="no view 'nurse'"):
        report_text(answer({"ihc_score": 3}), knowledge, view="nurse")


def test_colour_adds_nothing_but_colour(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer(*LONG[:3], metastatic=True)
    plain = report_text(assessment, knowledge)
    coloured = report_text(assessment, knowledge, colour=True)
    assert "\x1b" not in plain
    assert STYLE.search(coloured)
    assert STYLE.sub("", coloured) == plain


def test_an_id_cannot_steer_the_terminal(answer: Answer, knowledge: Knowledge) -> None:
    assessment = msgspec.structs.replace(answer({"ihc_score": 3, "specimen_id": "A\x1b[2J"}), patient_id="P\x1b[31m")
    assert "\x1b" not in report_text(assessment, knowledge, view="laboratory")
