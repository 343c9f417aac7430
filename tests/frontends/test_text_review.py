"""A report beside its findings: every value marked where it stands, and corrections that fit one text only."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2crc.errors import InputError
from her2crc.frontends.text.documents import ReadReport, Report
from her2crc.frontends.text.findings import Finding, Marker, Reading, Review, Span, as_json
from her2crc.frontends.text.review import review_html, review_text
from her2crc.frontends.text.review_corrections import apply_corrections, finding_ids, load_corrections, text_sha256
from her2crc.frontends.text.review_marks import pieces_of

TEXT = (
    "A. Liver, biopsy: metastatic adenocarcinoma. <script>alert(1)</script>\n"
    "HER2 (4B5): strong staining (3+) in 80 % of tumour cells. KRAS wild type.\n"
    "HER2 FISH: ratio 5.2; 14 signals."
)


def span(words: str, after: int = 0) -> Span:
    start = TEXT.index(words, after)
    return Span(start, start + len(words))


IHC = Finding(
    "HER2_IHC",
    {"ihc_score": "3+", "percent": Decimal(80), "antibody": "4B5"},
    {"anchor": (span("HER2"),), "ihc_score": (span("3+"),), "percent": (span("80 %"),), "antibody": (span("4B5"),)},
    specimen_site="liver",
)
FISH = TEXT.index("HER2 FISH")
ISH = Finding("HER2_ISH", {"ratio": Decimal("5.2")}, {"anchor": (span("HER2", FISH),), "ratio": (span("5.2"),)})
READ = ReadReport(
    Report("S26-1", TEXT, "s26.txt"),
    Reading(
        (IHC, ISH),
        (Review("probes_unclear", span("14 signals"), "her2_mean"),),
        (Marker("ras", "wild_type", span("KRAS wild type")),),
    ),
)
NAMES = finding_ids(READ.reading.findings)


def corrections(*decisions: dict[str, Any], **about: Any) -> bytes:
    report = {"report_id": "S26-1", "text_sha256": text_sha256(TEXT), "decisions": [*decisions], **about}
    return json.dumps({"her2crc_corrections": 1, "reports": [report]}).encode()


def change(field: str, was: Any, value: Any, finding: str = NAMES[0]) -> dict[str, Any]:
    return {"finding": finding, "decision": "change", "changes": [{"field": field, "was": was, "value": value}]}


def corrected(data: bytes, read: ReadReport = READ) -> ReadReport:
    return next(iter(apply_corrections([read], load_corrections(data, "c.json"), "c.json")))


# ---- what is shown


def test_every_value_is_marked_and_leads_to_its_finding() -> None:
    page = review_html([READ])
    marks = re.findall(r'<mark class="(\w+)"><a href="#r1-(\w+)" title="([^"]*)">([^<]*)</a><sup>([^<]*)</sup>', page)
    assert marks == [
        ("finding", "1", "name of HER2", "HER2", "1"),
        ("finding", "1", "antibody", "4B5", "1"),
        ("finding", "1", "score", "3+", "1"),
        ("finding", "1", "percent of tumour cells", "80 %", "1"),
        ("marker", "m1", "ras", "KRAS wild type", "m1"),
        ("finding", "2", "name of HER2", "HER2", "2"),
        ("finding", "2", "HER2/CEP17 ratio", "5.2", "2"),
        ("review", "q1", "mean HER2 copies per nucleus", "14 signals", "?1"),
    ]
    targets = set(re.findall(r' id="r1-(\w+)"', page))
    assert targets == {name for mark in marks for name in (mark[1], f"t{mark[1]}")}
    assert set(re.findall(r'href="#r1-t(\w+)"', page)) == {mark[1] for mark in marks}


def test_the_page_is_one_file_and_everything_in_it_is_escaped() -> None:
    attack = Report("<b>id</b>", TEXT, "<i>.txt", patient_id="'\"><img src=x>")
    page = review_html([ReadReport(attack, READ.reading)])
    assert "<b>id" not in page
    assert "<i>.txt" not in page
    assert "<img" not in page
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:,)", page)
    assert "default-src 'none'" in page


def test_the_text_on_the_page_is_the_whole_text() -> None:
    assert "".join(piece.text for piece in pieces_of(TEXT, READ.reading)) == TEXT


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(-3, 45), st.integers(-3, 45)), max_size=6))
def test_any_places_leave_the_text_whole(text: str, places: list[tuple[int, int]]) -> None:
    found = Finding("HER2_IHC", {}, {"percent": tuple(Span(start, end) for start, end in places)})
    pieces = [*pieces_of(text, Reading((found,)))]
    assert sum(len(piece.text) for piece in pieces) == len(text)
    marked = sum(len(piece.text) for piece in pieces if piece.places)
    inside = {spot for start, end in places if 0 <= start < end <= len(text) for spot in range(start, end)}
    assert marked == len(inside)


def test_the_terminal_shows_the_same() -> None:
    shown = review_text([READ])
    assert "(«3+»[1]) in «80 %»[1]" in shown
    assert "«14 signals»[?1]" in shown
    assert f"[2] HER2 by in situ hybridisation   {NAMES[1]}" in shown
    assert "HER2/CEP17 ratio: 5.2" in shown
    assert "[?1] needs review: it is not clear which probe the number is of" in shown
    assert "\033[" not in shown
    assert "\033[1;30;106m3+\033[0m[1]" in review_text([READ], colour=True)


def test_a_report_cannot_steer_the_terminal() -> None:
    shown = review_text([ReadReport(Report("\033[2Jx", "\033[31mHER2\x07\u202e 3+", "a\033.txt"), Reading())])
    assert not re.search("[\033\x07\u202e]", shown)
    assert "That is not a negative result" in shown


def test_a_report_without_findings_says_that_this_is_no_negative() -> None:
    assert "That is not a negative result" in review_html([ReadReport(Report("x", "Nothing.", "x"), Reading())])


# ---- corrections


def test_a_change_takes_the_place_of_what_was_read() -> None:
    report, reading = corrected(corrections(change("percent", 80, 60)))
    assert as_json(reading.findings[0])["percent"] == 60
    assert "percent" not in reading.findings[0].spans, "the text does not say it"
    assert reading.findings[1] == ISH
    assert [issue.id for issue in report.issues] == ["changed_by_person"]


def test_a_value_can_be_made_unknown() -> None:
    assert "percent" not in as_json(corrected(corrections(change("percent", 80, None))).reading.findings[0])


def test_a_rejected_finding_is_gone_and_an_accepted_one_stays() -> None:
    decisions = ({"finding": NAMES[0], "decision": "reject"}, {"finding": NAMES[1], "decision": "accept"})
    report, reading = corrected(corrections(*decisions))
    assert reading.findings == (ISH,)
    assert [issue.id for issue in report.issues] == ["rejected_by_person"]


def test_no_decision_changes_nothing() -> None:
    assert corrected(corrections()) == READ


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "not a file of corrections"),
        (b"\xff", "not a file of corrections"),
        (b'{"her2crc_corrections": 1, "reports": [], "more": 1}', "not a file of corrections"),
        (b'{"her2crc_corrections": 2, "reports": []}', "another version"),
        (corrections(text_sha256=text_sha256(TEXT + " ")), "not the one that was reviewed"),
        (corrections(report_id="S26-2"), "not among those read"),
        (corrections({"finding": "HER2_IHC@9", "decision": "reject"}), "not a finding of s26.txt"),
        (corrections(*[{"finding": NAMES[0], "decision": "reject"}] * 2), "decided twice"),
        (corrections(change("percent", 70, 60)), "not read as the file says"),
        (corrections(change("ratio", None, -2)), "cannot be what the file says"),
        (corrections(change("ihc_score", "3+", "5+")), "cannot be what the file says"),
        (corrections(change("percent", 80, "many")), "cannot be what the file says"),
        (corrections(change("cells", None, 2.5)), "cannot be what the file says"),
        (corrections(change("specimen_site", "liver", "lung")), "cannot be what the file says"),
        (corrections({**change("percent", 80, 60), "decision": "accept"}), "accepted and changed"),
    ],
)
def test_what_does_not_fit_is_refused_whole(data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        corrected(data)
    assert caught.value.where == "c.json"
    assert "Liver" not in str(caught.value)


def test_two_reports_of_one_name_are_told_apart_by_their_texts() -> None:
    other = ReadReport(Report("S26-1", "Another text.", "other.txt"), Reading())
    read = [*apply_corrections([other, READ], load_corrections(corrections(change("percent", 80, 60)), "c"), "c")]
    assert read[0] == other
    assert as_json(read[1].reading.findings[0])["percent"] == 60


def test_two_findings_at_one_place_have_two_names() -> None:
    assert finding_ids([IHC, IHC]) == [NAMES[0], f"{NAMES[0]}#2"]


@given(st.binary(max_size=200))
def test_any_bytes_are_no_corrections(data: bytes) -> None:
    with pytest.raises(InputError):
        load_corrections(data, "c.json")
