"""The command line as a user meets it: real processes, real files, exit codes, no traceback for a user's mistake."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "her2crc"
EXAMPLES = Path(__file__).resolve().parents[2] / "src" / "her2crc" / "examples"
CASE = EXAMPLES / "EX-01-clear-3plus.json"
Run = Callable[..., subprocess.CompletedProcess[str]]

LOCAL_SET = """
id: our_laboratory
name: Our laboratory's rule
role: rule
tumour: colorectal
judges: tissue
method: ihc_ish
confidence: primary
effective: 2024-05-01
effective_precision: day
reviewed_on: 2026-01-15
review_state: submitted
summary: 3+ in at least 30 % is positive here.
cite:
  - {ref: sop_12, place: "section 4"}
references:
  - {id: sop_12, confidence: primary, basis: our own procedure, title: HER2 in colorectal cancer}
rows:
  - id: high
    when: ihc_score = 3 and ihc_percent >= 30
    then: positive
    says: Strong staining in at least 30 % is positive.
    cite: [{ref: sop_12, place: "section 4"}]
  - id: low
    when: ihc_score < 3
    then: negative
    says: Less than strong staining is negative.
    cite: [{ref: sop_12, place: "section 4"}]
silent:
  - id: few
    when: ihc_score = 3 and ihc_percent < 30
    why: The procedure does not say.
    cite: [{ref: sop_12, place: "section 4"}]
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs the program in an empty folder."""

    def call(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAM), *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return call


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    decoded: dict[str, object] = json.loads(done.stdout)
    return decoded


def test_one_patient_is_an_object_and_several_are_a_list(run: Run) -> None:
    assert result_of(run("assess", CASE, "--format", "json"))["patient_id"] == "EX-01-clear-3plus"
    both = json.loads(run("assess", CASE, EXAMPLES / "EX-07-polysomy.json", "--format", "json").stdout)
    assert [item["patient_id"] for item in both] == ["EX-01-clear-3plus", "EX-07-polysomy"]


def test_a_patient_in_two_files_is_said_aloud(run: Run) -> None:
    assert "EX-01-clear-3plus" in run("assess", CASE, CASE, "--format", "json").stderr
    assert not run("assess", CASE, "--format", "json").stderr


def test_json_lines_has_one_patient_a_line(run: Run) -> None:
    lines = run("assess", EXAMPLES / "cohort.csv", "--format", "jsonl").stdout.splitlines()
    ids = [json.loads(line)["patient_id"] for line in lines]
    assert len(ids) == len(set(ids)) > 1


def test_standard_input_is_read(run: Run) -> None:
    from_file = run("assess", CASE, "--format", "json").stdout
    assert run("assess", "-", "--format", "json", stdin=CASE.read_text()).stdout == from_file


def test_an_answer_can_be_read_again_with_the_same_verdicts(run: Run, tmp_path: Path) -> None:
    for example in sorted(EXAMPLES.glob("*.json")):
        first = result_of(run("assess", example, "--format", "json"))
        (tmp_path / "again.json").write_text(json.dumps(first))
        again = result_of(run("assess", "again.json", "--format", "json"))
        assert again["agreement"] == first["agreement"], example.name


def test_documents_go_to_a_folder_one_for_each_patient(run: Run, tmp_path: Path) -> None:
    done = run("assess", *sorted(EXAMPLES.glob("EX-0[1-3]*.json")), "--format", "html", "-o", "out")
    assert done.returncode == 0
    assert [path.suffix for path in sorted((tmp_path / "out").iterdir())] == [".html"] * 3


def test_a_patient_id_cannot_name_a_file_elsewhere(run: Run, tmp_path: Path) -> None:
    patient = json.dumps({"patient_id": "../../etc/x", "specimens": []})
    assert run("assess", "-", "--format", "html", "-o", "out", stdin=patient).returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["etc_x.html"]


def test_an_unusable_value_is_reported_and_strict_makes_it_an_error(run: Run) -> None:
    table = "patient_id,specimen_id,ihc_score,ihc_percent\nP,A,3,140\n"
    done = run("assess", "-", "--format", "json", stdin=table)
    answer = result_of(done)
    assert [issue["field"] for issue in answer["errors"]] == ["ihc_percent"]  # type: ignore[attr-defined]
    assert "1 value(s)" in done.stderr
    assert run("assess", "-", "--strict", stdin=table).returncode == 65


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["assess", "nothing.json"], 66, "nothing.json"),
        (["assess", CASE, "--format", "paper"], 64, "paper"),
        (["assess", CASE, "--as-of", "yesterday"], 64, "2026-01-31"),
        (["assess", CASE, "--criteria-dir", "nowhere"], 78, "nowhere"),
        (["criteria", "show", "heracles_2016"], 64, "heracles_2015"),
        (["explain", CASE, "csco_article", "--specimen", "Z"], 64, "Z"),
        (["cite", "S99"], 64, "S99"),
        (["diagnose"], 64, "diagnose"),
    ],
)
def test_a_mistake_gets_a_message_and_its_exit_code(run: Run, arguments: list[str], code: int, words: str) -> None:
    done = run(*arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("content", ["", "{", "<html></html>", "a,b\n1,2\n", "MSH|broken"])
def test_input_that_cannot_be_read_is_refused_with_its_name(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "case.dat").write_text(content)
    done = run("assess", "case.dat")
    assert done.returncode == 65
    assert "case.dat" in done.stderr


def test_a_laboratory_adds_its_own_set_and_it_is_shown_as_local(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "ours.yaml").write_text(LOCAL_SET)
    answer = result_of(run("assess", CASE, "--format", "json", "--criteria-dir", "sets"))
    verdict = answer["criteria"]["our_laboratory"]  # type: ignore[index]
    assert (verdict["status"], verdict["origin"]) == ("positive", "local: ours.yaml")
    assert "[local]" in run("criteria", "list", "--criteria-dir", "sets").stdout
    assert "our_laboratory" in run("assess", CASE, "--criteria-dir", "sets").stdout


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("then: positive", "then: yes", "line"),
        ("ihc_score < 3", "ihc_skore < 3", "ihc_skore"),
        ("ihc_score < 3", "lower(ihc_antibody) = 'x'", "allowed are"),
        ("name: Our", "nmae: Our", "nmae"),
        ("ihc_score = 3 and ihc_percent < 30", "ihc_score = 3 and ihc_percent < 20", "20"),
        ("ihc_score < 3", "ihc_score <= 3", "overlap"),
        ("ref: sop_12, place", "ref: sop_13, place", "sop_13"),
    ],
)
def test_a_faulty_own_set_is_refused_with_its_place(run: Run, tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "ours.yaml").write_text(LOCAL_SET.replace(old, new))
    done = run("assess", CASE, "--criteria-dir", "sets")
    assert done.returncode == 78
    assert "ours.yaml" in done.stderr or "our_laboratory" in done.stderr
    if words != "line":
        assert words in done.stderr


def test_old_knowledge_answers_with_what_was_known_then(run: Run) -> None:
    then = result_of(run("assess", CASE, "--format", "json", "--as-of", "2016-06-01"))
    assert set(then["criteria"]) <= {  # type: ignore[call-overload]
        "heracles_2015", "heracles_trial", "gea_2016", "msk_impact", "caris"
    }  # fmt: skip
    assert then["as_of"] == "2016-06-01"


def test_the_criteria_commands_speak_json(run: Run) -> None:
    listed = json.loads(run("criteria", "list", "--format", "json").stdout)
    assert {"csco_article", "breast_2018", "esmo_2022"} <= {item["id"] for item in listed}
    shown = result_of(run("criteria", "show", "heracles_2015", "--format", "json"))
    assert shown["references"] and shown["rows"]
    report = result_of(run("criteria", "check", "--format", "json", "heracles_2015"))
    assert report["sets"] == 1 and report["failures"] == 0
    assert json.loads(run("criteria", "diff", "csco_article", "heracles_2015", "--format", "json").stdout)
    cited = result_of(run("cite", "--format", "json"))
    assert {f"S{number:02}" for number in range(1, 31)} <= {item["id"] for item in cited["statements"]}  # type: ignore[attr-defined]


def test_help_teaches_and_a_broken_pipe_is_no_crash(run: Run) -> None:
    assert "her2crc assess case.json" in run("--help").stdout
    shell = f"{PROGRAM} assess {EXAMPLES}/*.json | head -1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr


# ---- a reader that goes away


def in_a_pipe(rest: str, *arguments: object) -> tuple[int, str]:
    """Run the program in a shell's pipe; return its own exit code, and all that was said."""
    line = shlex.join([str(PROGRAM), *map(str, arguments)]) + f" | {rest}; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    *said, code = done.stderr.splitlines()
    return int(code), "".join(said)


def test_a_reader_that_never_reads_ends_the_program_as_the_signal_would() -> None:
    assert in_a_pipe("true", "cite") == (141, "")
    assert in_a_pipe("true", "assess", CASE, "--format", "json") == (141, "")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """Where the pipe takes all before `head` leaves, the program never notices."""
    code, said = in_a_pipe("head -1", "assess", *sorted(EXAMPLES.glob("*.json")), "--format", "jsonl")
    assert code in (0, 141)
    assert said == ""


def test_a_reader_that_reads_all_changes_nothing() -> None:
    assert in_a_pipe("cat", "criteria", "list") == (0, "")
