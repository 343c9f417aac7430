"""The commands `measure ish`, `measure plasma` and `follow`: formats, exit codes, and no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "src" / "her2crc" / "examples"
SERIAL = EXAMPLES / "EX-10-tissue-and-serial-plasma.json"
NUCLEI = "specimen,HER2,CEP17\n" + "A,12,2\n" * 12 + "A,3,2\n" * 8 + "B,2,2\n" * 20


def run(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    code = "from her2crc.backends.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, input=stdin, timeout=60)


@pytest.fixture
def nuclei(tmp_path: Path) -> Path:
    path = tmp_path / "nuclei.csv"
    path.write_text(NUCLEI, encoding="utf-8")
    return path


def test_ish_in_every_format(nuclei: Path, tmp_path: Path) -> None:
    assert "HER2/CEP17 ratio" in run("measure", "ish", nuclei).stdout
    lines = run("measure", "ish", nuclei, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["specimen_id"] for line in lines] == ["A", "B"]
    table = run("measure", "ish", nuclei, "--format", "specimens", "-o", tmp_path / "s.csv")
    assert table.returncode == 0
    assessed = run("assess", tmp_path / "s.csv", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["patient_id"] for line in assessed] == ["A", "B"]
    assert run("measure", "ish", nuclei, "--format", "svg").returncode == 64
    assert run("measure", "ish", nuclei, "--format", "svg", "-o", tmp_path / "pictures").returncode == 0
    assert len(list((tmp_path / "pictures").glob("*.svg"))) == 2


def test_ish_from_standard_input_with_own_columns() -> None:
    table = NUCLEI.replace("HER2", "Rot").replace("CEP17", "Gruen")
    done = run("measure", "ish", "-", "--columns", "her2=Rot,cep17=Gruen", "--format", "json", stdin=table)
    assert json.loads(done.stdout)[0]["ratio"]["exact"] == "168/40"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("measure", "ish", "nowhere.csv"), 66),
        (("measure", "ish", SERIAL), 65),
        (("measure", "ish", "-", "--columns", "her2"), 64),
        (("measure", "plasma", "nowhere.csv"), 66),
        (("measure", "plasma", SERIAL, "--copies-cv", "3"), 64),
        (("measure", "plasma", EXAMPLES / "EX-01-clear-3plus.json"), 65),
        (("follow", "nowhere.json"), 66),
        (("follow", SERIAL, "--treatments", "nowhere.csv"), 66),
        (("follow", SERIAL, "--fraction-cv", "-1"), 64),
    ],
)
def test_a_mistake_ends_with_its_exit_code(arguments: tuple[str | Path, ...], code: int) -> None:
    done = run(*arguments, stdin="")
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_plasma_in_every_format(tmp_path: Path) -> None:
    assert "copies per tumour cell" in run("measure", "plasma", SERIAL).stdout
    found = json.loads(run("measure", "plasma", SERIAL, "--format", "json").stdout)
    assert [item["specimen_id"] for item in found] == ["C1", "C2", "C3", "C4"]
    assert {"plasma_copies", "estimates", "rules", "agreement"} <= set(found[0])
    assert run("measure", "plasma", SERIAL, "--format", "specimens", "-o", tmp_path / "s.csv").returncode == 0
    assert run("assess", tmp_path / "s.csv", "--format", "table").returncode == 0


def test_follow_in_every_format() -> None:
    assert "HER2 over time" in run("follow", SERIAL).stdout
    assert json.loads(run("follow", SERIAL, "--format", "json").stdout)["points"]
    assert json.loads(run("follow", SERIAL, "--format", "jsonl").stdout)["changes"]
    assert run("follow", SERIAL, "--format", "svg").stdout.startswith("<svg")
