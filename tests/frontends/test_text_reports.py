"""Reports as prose through the whole program: specimens, addenda, verdicts, the command line, corrections."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import docx
import pytest
import weasyprint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, UsageError
from her2crc.flow import assess, read_patients
from her2crc.frontends.text import Finding, Marker, Reading, Review, Span
from her2crc.frontends.text.documents import ReadReport, Report
from her2crc.model.patient import Patient
from her2crc.read.report_rows import report_rows

PROGRAM = Path(sys.executable).parent / "her2crc"
TEXT = """SURGICAL PATHOLOGY REPORT

A. Liver, biopsy: metastatic adenocarcinoma.
HER2 IHC: 2+ in 60 % of tumour cells. HER2 FISH pending.

B. Sigmoid colon, biopsy: adenocarcinoma.
HER2 IHC: 1+.

ADDENDUM
A. Liver: HER2 FISH amplified, HER2/CEP17 ratio 4.2, mean HER2 9.1, 40 nuclei.
"""
SITES = {"liver": "liver", "sigmoid colon": "primary"}
NAME = "Mustermann"


def patient(data: bytes | str, knowledge: Knowledge, name: str = "case.txt") -> Patient:
    (found,) = read_patients(data.encode() if isinstance(data, str) else data, knowledge, name)
    return found


def lines(*reports: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(report) for report in reports).encode()


def found(analyte: str, text_at: int = 0, **about: Any) -> Finding:
    head = {
        name: about.pop(name)
        for name in ("temporality", "subject", "tumour", "specimen_site", "part", "date")
        if name in about
    }
    return Finding(analyte, about, {name: (Span(text_at, text_at + 2),) for name in about}, **head)


def rows_of(*findings: Finding, **about: Any) -> tuple[list[dict[str, Any]], list[str]]:
    report = Report("R1", "x" * 99, "r.txt", **about)
    rows, issues = report_rows([ReadReport(report, Reading(findings))], SITES)
    return [row.values for row in rows], [issue.id for issue in issues]


# ---- findings to specimens


def test_parts_are_specimens_and_an_addendum_completes_its_own(knowledge: Knowledge) -> None:
    first, second = patient(TEXT, knowledge).specimens
    assert (first.specimen_id, second.specimen_id) == ("case-A", "case-B")
    assert (first.ihc.ihc_score, first.ihc.ihc_percent) == (2, Decimal(60))
    assert (first.ish.ish_ratio, first.ish.ish_nuclei) == (Decimal("4.2"), 40)
    assert second.ihc.ihc_score == 1
    assert second.ish.ish_ratio is None


def test_the_verdict_is_that_of_the_same_results_in_a_table(knowledge: Knowledge) -> None:
    header = "patient_id,specimen_id,ihc_score,ihc_percent,ish_ratio,ish_her2_copies,ish_nuclei"
    table = f"{header}\ncase,A,2,60,4.2,9.1,40\ncase,B,1,,,,\n"
    from_text, from_table = (
        assess(patient(TEXT, knowledge), knowledge),
        assess(patient(table, knowledge, "t.csv"), knowledge),
    )
    assert {name: item.status for name, item in from_text.criteria.items()} == {
        name: item.status for name, item in from_table.criteria.items()
    }
    assert from_text.agreement.positive


def test_a_correction_takes_the_place_of_the_whole_earlier_finding() -> None:
    rows, _ = rows_of(
        found("HER2_IHC", ihc_score="2+", percent=60), found("HER2_IHC", ihc_score="3+", temporality="addendum")
    )
    assert rows == [{"specimen_id": "R1", "ihc_score": "3+"}]


def test_two_results_that_both_stand_are_shown_as_a_conflict(knowledge: Knowledge) -> None:
    text = "Block A1: HER2 IHC 3+.\nBlock A2: HER2 IHC 1+."
    read = patient(text, knowledge)
    scores = [item.ihc.ihc_score for item in read.specimens]
    assert "contradicting_values" in {issue.id for issue in read.issues} or sorted(filter(None, scores)) == [1, 3]


def test_a_result_without_a_place_is_of_the_only_specimen() -> None:
    rows, _ = rows_of(found("HER2_IHC", ihc_score="2+", specimen_site="liver"), found("HER2_ISH", ratio=Decimal("4.1")))
    assert [row["specimen_id"] for row in rows] == ["R1", "R1"]
    assert rows[0]["site"] == "liver"


def test_two_results_of_one_test_are_not_joined() -> None:
    rows, _ = rows_of(found("HER2_IHC", ihc_score="0"), found("HER2_IHC", ihc_score="3+", specimen_site="liver"))
    assert [(row["specimen_id"], row["ihc_score"]) for row in rows] == [("R1", "0"), ("R1-liver", "3+")]


def test_of_several_specimens_it_is_of_none_of_them() -> None:
    rows, issues = rows_of(
        found("HER2_IHC", ihc_score="2+", specimen_site="liver"),
        found("HER2_IHC", ihc_score="1+", specimen_site="sigmoid colon"),
        found("HER2_ISH", ratio=Decimal("4.1")),
    )
    assert [row["specimen_id"] for row in rows] == ["R1-liver", "R1-sigmoid_colon", "R1"]
    assert issues == ["report_needs_review"]


def test_an_earlier_result_alone_is_not_of_the_specimen_of_the_report() -> None:
    rows, _ = rows_of(found("HER2_IHC", ihc_score="1+", temporality="prior"))
    assert [row["specimen_id"] for row in rows] == ["R1-prior"]


def test_earlier_results_and_other_tumours_stand_apart() -> None:
    rows, _ = rows_of(
        found("HER2_IHC", ihc_score="1+"),
        found("HER2_IHC", ihc_score="0", temporality="prior", date="2023"),
        found("HER2_IHC", ihc_score="3+", temporality="prior", tumour="breast"),
    )
    assert [(row["specimen_id"], row.get("tumour"), row["ihc_score"]) for row in rows] == [
        ("R1", None, "1+"),
        ("R1-2023", None, "0"),
        ("R1-breast-prior", "breast", "3+"),
    ]


def test_plasma_is_a_specimen_of_its_own() -> None:
    rows, _ = rows_of(found("ERBB2_CN_TISSUE", cn=18, status="amplified"), found("ERBB2_CN_PLASMA", cn=4))
    assert rows == [
        {"specimen_id": "R1", "ngs_copies": 18, "ngs_call": "amplified"},
        {"specimen_id": "R1-plasma", "site": "plasma", "specimen_kind": "plasma", "plasma_copies": 4},
    ]


def test_a_relative_is_never_the_patient() -> None:
    rows, issues = rows_of(found("HER2_IHC", ihc_score="3+", subject="family"))
    assert (rows, issues) == ([], ["report_not_the_patient"])


@pytest.mark.parametrize(
    ("finding", "field"),
    [
        (found("HER2_IHC", status="positive"), "ihc_score"),
        (found("HER2_ISH", status="amplified"), "ish_ratio"),
        (found("ERBB2_CN_PLASMA", status="not_amplified"), "plasma_copies"),
    ],
)
def test_a_result_in_words_alone_fills_nothing_and_its_test_counts_as_done(finding: Finding, field: str) -> None:
    report = Report("R1", "x" * 99, "r.txt")
    rows, issues = report_rows([ReadReport(report, Reading((finding,)))], SITES)
    assert not {*rows[0].values} & {"ihc_score", "ish_ratio", "plasma_copies"}
    assert [(issue.id, issue.level, issue.field) for issue in issues] == [("report_words_alone", "error", field)]


@pytest.mark.parametrize("status", ["pending", "not_done"])
def test_what_is_not_there_yet_is_no_result(status: str) -> None:
    assert rows_of(found("HER2_ISH", status=status)) == ([{"specimen_id": "R1"}], [])


def test_a_bound_is_no_value(knowledge: Knowledge) -> None:
    read = patient("HER2 IHC: 3+ in >= 50 % of tumour cells.", knowledge)
    assert read.specimens[0].ihc.ihc_percent is None
    assert "ihc_percent" in read.specimens[0].unsettled
    assert "value_bound" in {issue.id for issue in read.issues}


def test_markers_are_of_the_patient_and_an_earlier_one_gives_way() -> None:
    span = Span(0, 3)
    markers = (
        Marker("ras", "wild_type", span, temporality="prior"),
        Marker("ras", "mutant", span),
        Marker("msi", "stable", span, temporality="prior"),
        Marker("braf_v600e", "mutant", span, subject="family"),
        Marker("pik3ca", "mutant", span, tumour="breast"),
    )
    report = Report("R1", "x" * 99, "r.txt")
    rows, _ = report_rows([ReadReport(report, Reading(markers=markers))], SITES)
    assert [row.values for row in rows] == [{"ras": "mutant"}, {"msi": "stable"}]


def test_what_could_not_be_bound_is_pointed_at_without_its_words() -> None:
    report = Report("R1", f"{NAME} HER2 14", "r.txt")
    _, issues = report_rows([ReadReport(report, Reading(review=(Review("probes_unclear", Span(16, 18)),)))], SITES)
    assert [(issue.id, issue.place) for issue in issues] == [
        ("report_needs_review", "r.txt, characters 16-18"),
        ("report_without_result", "r.txt"),
    ]
    assert all(NAME not in issue.text for issue in issues)


def test_nothing_found_is_no_negative(knowledge: Knowledge) -> None:
    read = patient("Adenocarcinoma of the colon, G2.", knowledge)
    assert read.specimens == ()
    assert [issue.id for issue in read.issues] == ["report_without_result"]
    answer = assess(read, knowledge)
    assert not (answer.agreement.positive or answer.agreement.negative)


# ---- several reports


def test_reports_of_a_patient_stand_together(knowledge: Knowledge) -> None:
    data = lines(
        {"id": "R1", "patient_id": "P1", "text": "HER2 IHC 3+ in 80 % of tumour cells.", "date": "2026-01-05"},
        {"id": "R2", "patient_id": "P2", "text": "HER2 IHC 0."},
        {"id": "R3", "patient_id": "P1", "text": "HER2 IHC 1+.", "date": "2026-03-05"},
    )
    first, second = read_patients(data, knowledge, "reports.jsonl")
    assert [(item.specimen_id, item.ihc.ihc_score, str(item.collected_on)) for item in first.specimens] == [
        ("R1", 3, "2026-01-05"),
        ("R3", 1, "2026-03-05"),
    ]
    assert [item.specimen_id for item in second.specimens] == ["R2"]


def test_a_later_addendum_on_a_named_specimen_replaces_what_it_corrects(knowledge: Knowledge) -> None:
    about = {"patient_id": "P1", "specimen_id": "S1"}
    data = lines(
        {"id": "R1", **about, "date": "2026-01-05", "text": "Liver, biopsy. HER2 IHC 1+. HER2 FISH ratio 1.2."},
        {"id": "R2", **about, "date": "2026-02-01", "text": "CORRECTED REPORT: HER2 IHC 3+ in 90 % of cells."},
    )
    (read,) = read_patients(data, knowledge, "reports.jsonl")
    (specimen,) = read.specimens
    assert (specimen.specimen_id, specimen.ihc.ihc_score, specimen.ish.ish_ratio) == ("S1", 3, Decimal("1.2"))
    assert (specimen.site, str(specimen.collected_on)) == ("liver", "2026-01-05"), "what it was of still stands"
    assert "report_superseded" in {issue.id for issue in read.issues}


def test_a_bad_line_costs_only_itself(knowledge: Knowledge) -> None:
    data = b'{"id": "R1", "text": "HER2 IHC 3+"}\noops\n{"id": "R2", "text": 5}\n'
    read = read_patients(data, knowledge, "reports.jsonl")
    assert [item.patient_id for item in read] == ["R1", "line 2", "R2"]
    assert [[issue.id for issue in item.issues] for item in read] == [[], ["no_report"], ["no_report"]]
    with pytest.raises(InputError, match="No line holds a report"):
        read_patients(b'{"id": "R1", "text": ""}\n', knowledge, "reports.jsonl")


def test_half_a_character_keeps_the_offsets() -> None:
    written = her2crc.review(b'{"id": "R1", "text": "\\ud83d HER2 3+"}', output_format="jsonl")
    assert json.loads(written or b"")["findings"][0]["spans"]["ihc_score"] == [7, 9]


WORDS = st.sampled_from(
    [
        "HER2 ",
        "ERBB2 ",
        "3+",
        "2+ ",
        "80 % ",
        "ratio ",
        "2.4 ",
        "amplified ",
        "not ",
        "A. Liver: ",
        "ADDENDUM\n",
        "prior ",
        "\n",
        "\uff0c",
    ]
)


@given(st.lists(WORDS | st.text(max_size=3), max_size=25).map("".join))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_shown_and_answered(knowledge: Knowledge, text: str) -> None:
    data = lines({"id": "R1", "text": text + " HER2"})
    (line,) = (her2crc.review(data, output_format="jsonl") or b"").splitlines()
    for finding in json.loads(line)["findings"]:
        for start, end in finding["spans"].values():
            assert 0 <= start < end <= len(text) + 5
    assert her2crc.review(data, output_format="html")
    assert her2crc.review(data, output_format="text", colour=True)
    (read,) = read_patients(data, knowledge, "r.jsonl")
    assert assess(read, knowledge).criteria


# ---- documents


def word() -> bytes:
    document, file = docx.Document(), io.BytesIO()
    for line in TEXT.splitlines():
        document.add_paragraph(line)
    document.save(file)
    return file.getvalue()


def test_a_report_says_the_same_in_every_kind_of_document(knowledge: Knowledge) -> None:
    html = f"<html><body><pre>{TEXT}</pre></body></html>".replace("\n", "<br>")
    documents = {
        "case.txt": TEXT.encode(),
        "case.txt.gz": gzip.compress(TEXT.encode()),
        "case.docx": word(),
        "case.html": html.encode(),
        "case.pdf": weasyprint.HTML(string=html).write_pdf(),
        "case.rtf": b"{\\rtf1\\ansi " + TEXT.replace("\n", "\\par ").encode() + b"}",
    }
    read = {name: patient(data, knowledge, name) for name, data in documents.items()}
    assert {name: (item.patient_id, item.specimens) for name, item in read.items()} == dict.fromkeys(
        documents, ("case", read["case.txt"].specimens)
    )


# ---- the command line


def run(*arguments: str, folder: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PROGRAM, *arguments], cwd=folder, input=stdin, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "case.txt").write_text(TEXT)
    return tmp_path


def test_lines_of_reports_become_lines_of_findings(folder: Path) -> None:
    (folder / "in.jsonl").write_bytes(
        lines({"id": "R1", "text": "HER2 3+ in 80 %."}, {"id": "R2", "text": "No tumour."})
    )
    assert run("read", "in.jsonl", "--format", "jsonl", "-o", "out.jsonl", folder=folder).returncode == 0
    first, second = map(json.loads, (folder / "out.jsonl").read_text().splitlines())
    (finding,) = first["findings"]
    assert (first["id"], finding["ihc_score"], finding["percent"]) == ("R1", "3+", 80)
    assert "HER2 3+ in 80 %."[slice(*finding["spans"]["ihc_score"])] == "3+"
    assert second == {"id": "R2", "findings": []}


def test_other_inputs_keep_one_patient_a_line(folder: Path) -> None:
    (folder / "t.csv").write_text("patient_id,ihc_score\nP1,3\n")
    for name, stdin in (("t.csv", b""), ("-", (folder / "t.csv").read_bytes())):
        shown = run("read", name, "--format", "jsonl", folder=folder, stdin=stdin)
        assert json.loads(shown.stdout)["patient_id"] == "P1"


def test_reports_and_other_files_are_not_mixed(folder: Path) -> None:
    (folder / "t.csv").write_text("patient_id,ihc_score\nP1,3\n")
    shown = run("read", "case.txt", "t.csv", "--format", "jsonl", folder=folder)
    assert shown.returncode == UsageError.exit_code
    assert b"one by one" in shown.stderr


def test_standard_input_can_be_a_report(folder: Path) -> None:
    shown = run("assess", "-", "--format", "json", folder=folder, stdin=TEXT.encode())
    assert json.loads(shown.stdout)["agreement"]["positive"]


def test_the_review_is_for_the_terminal_or_a_page(folder: Path) -> None:
    shown = run("read", "--review", "case.txt", folder=folder)
    assert "«2+»" in shown.stdout.decode()
    assert run("read", "--review", "case.txt", "-o", "review.html", folder=folder).returncode == 0
    assert (folder / "review.html").read_text().startswith("<!doctype html>")
    (folder / "t.csv").write_text("patient_id,ihc_score\nP1,3\n")
    assert run("read", "--review", "t.csv", folder=folder).returncode == UsageError.exit_code


def corrections(folder: Path) -> Path:
    """What a person saves who saw 3+ in the liver."""
    shown = json.loads(run("read", "case.txt", "--format", "jsonl", folder=folder).stdout)
    (name,) = [item["id"] for item in shown["findings"] if item.get("ihc_score") == "2+"]
    page = her2crc.review(folder / "case.txt")
    assert page
    sha256 = page.decode().partition('data-sha256="')[2][:64]
    change = {"field": "ihc_score", "was": "2+", "value": "3+"}
    decisions = [{"finding": name, "decision": "change", "changes": [change]}]
    report = {"report_id": shown["id"], "text_sha256": sha256, "decisions": decisions}
    (folder / "c.json").write_text(json.dumps({"her2crc_corrections": 1, "reports": [report]}))
    return folder / "c.json"


def test_corrections_reach_the_verdict(folder: Path, knowledge: Knowledge) -> None:
    saved = corrections(folder)
    for command in ("read", "assess"):
        shown = run(command, "case.txt", "--corrections", saved.name, "--format", "json", folder=folder)
        answer = json.loads(shown.stdout)
        specimens = answer.get("patient", answer)["specimens"]
        assert specimens[0]["ihc"]["ihc_score"] == 3
        assert "changed_by_person" in shown.stdout.decode()


def test_corrections_of_another_text_are_refused(folder: Path) -> None:
    saved = corrections(folder)
    (folder / "case.txt").write_text(TEXT + f"\n{NAME}")
    shown = run("assess", "case.txt", "--corrections", saved.name, folder=folder)
    assert shown.returncode == InputError.exit_code
    assert b"The text of case.txt is not the one that was reviewed" in shown.stderr
    assert NAME.encode() not in shown.stderr
    (folder / "t.csv").write_text("patient_id,ihc_score\nP1,3\n")
    assert run("read", "t.csv", "--corrections", saved.name, folder=folder).returncode == UsageError.exit_code
    both = run("assess", "case.txt", "t.csv", "--corrections", saved.name, folder=folder)
    assert both.returncode == UsageError.exit_code


def test_nothing_of_a_report_reaches_the_error_output(folder: Path) -> None:
    (folder / "named.txt").write_text(f"{NAME}, Erika. HER2 IHC >= 2+ in some; FISH amplified.")
    for arguments in (["read"], ["assess"], ["lint"], ["read", "--format", "jsonl"]):
        shown = run(*arguments, "named.txt", folder=folder)
        assert NAME.encode() not in shown.stderr
    assert NAME not in json.dumps(json.loads(run("read", "named.txt", folder=folder).stdout)["issues"])


def test_the_text_front_end_loads_only_when_it_is_used(folder: Path) -> None:
    (folder / "t.csv").write_text("patient_id,ihc_score\nP1,3\n")
    script = (
        "import sys; sys.argv = ['her2crc', 'assess', 't.csv']\n"
        "from her2crc.backends.cli.main import main\n"
        "main(); assert not [name for name in sys.modules if name.startswith('her2crc.frontends.text')]"
    )
    shown = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr


def test_a_mapped_table_is_no_report(folder: Path) -> None:
    (folder / "own.txt").write_text("case;HER2 score\nP1;3+\n")
    (folder / "own.yaml").write_text(
        'columns:\n  - {column: "case", field: patient_id}\n  - {column: "HER2 score", field: ihc_score}\n'
    )
    shown = run("read", "own.txt", "--mapping", "own.yaml", "--format", "jsonl", folder=folder)
    assert json.loads(shown.stdout)["specimens"][0]["ihc"]["ihc_score"] == 3
