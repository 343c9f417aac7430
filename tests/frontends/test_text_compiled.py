"""The compiled reader of report text: used only where it is of this source, and reading just as the uncompiled one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import her2crc.frontends.text as package
from her2crc.compiled import FOLDER, MARK, SWITCH, compiled_folder, fingerprint

SNIPPETS = Path(__file__).parent / "text_snippets"
HERE = Path(package.__file__).parent
READ = """
import sys, json, msgspec
from her2crc.frontends.text import extract, walk
print(walk.__file__)
for path in sys.argv[1:]:
    for line in open(path, encoding="utf-8"):
        print(msgspec.json.encode(extract(json.loads(line)["text"])).decode())
"""


def read_all(**environment: str) -> list[str]:
    """Return which module read, then the reading of every snippet."""
    command = [sys.executable, "-c", READ, *sorted(map(str, SNIPPETS.glob("*.jsonl")))]
    run = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


@pytest.mark.skipif(not compiled_folder(HERE), reason="the reader of report text is not compiled here (make setup)")
def test_compiled_and_uncompiled_read_alike() -> None:
    (module, *compiled), (source, *uncompiled) = read_all(), read_all(**{SWITCH: "no"})
    assert (Path(module).suffix, Path(source).suffix) == (".so", ".py")
    assert len(compiled) > len(list(SNIPPETS.glob("*.jsonl")))
    assert compiled == uncompiled


@pytest.fixture
def compiled_package(tmp_path: Path) -> Path:
    """A package of two modules that was compiled as it is."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f"{name} = 1\n")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / MARK).write_text(fingerprint(tmp_path))
    return tmp_path


def test_what_was_compiled_of_this_source_comes_first(compiled_package: Path) -> None:
    assert compiled_folder(compiled_package) == [str(compiled_package / FOLDER)]


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename", "unmark"])
def test_what_was_compiled_of_other_source_is_never_used(compiled_package: Path, change: str) -> None:
    one = compiled_package / "one.py"
    match change:
        case "edit":
            one.write_text("one = 2\n")
        case "add":
            (compiled_package / "three.py").touch()
        case "remove":
            one.unlink()
        case "rename":
            one.rename(compiled_package / "uno.py")
        case "unmark":
            (compiled_package / FOLDER / MARK).unlink()
    assert compiled_folder(compiled_package) == []


def test_the_variable_turns_it_off(compiled_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "no")
    assert compiled_folder(compiled_package) == []
