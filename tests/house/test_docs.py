"""The documentation is true: generated pages are in step, every command shown runs and prints that, links resolve."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from inspect import getmembers, isfunction, ismodule
from pathlib import Path
from typing import NamedTuple

import click
import pytest

import her2crc
from her2crc.backends.cli.main import COMMANDS, group

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
TOUR = (
    "docs/tour.md",
    "src/her2crc/flow.py",
    "src/her2crc/knowledge/criteria/csco_article/2025-12-26.yaml",
    "src/her2crc/criteria/run.py",
    "tests/spec/test_boundaries.py",
)
MOST_TOUR_LINES = 600
MOST_README_IMAGE_BYTES = 300_000
BIN = Path(sys.executable).parent

FENCE = re.compile(
    r"(?:^<!-- file: (?P<file>\S+) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: the file it is to be saved as (or nothing), its language, its text."""

    file: str | None
    kind: str
    body: str


class Command(NamedTuple):
    """A command of a `console` block and the lines shown below it."""

    line: str
    shown: list[str]


def blocks(name: str) -> list[Block]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [Block(found["file"], found["kind"], found["body"]) for found in FENCE.finditer(text)]


def commands(body: str) -> list[Command]:
    found: list[Command] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            found[-1].shown.append(line.rstrip())
    return found


RUNNABLE = [name for name in NAMES if any(block.kind in ("console", "python") for block in blocks(name))]


# ---- generated pages


def test_generated_pages_are_in_step() -> None:
    run = subprocess.run([sys.executable, ROOT / "scripts" / "docs.py", "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_page_out_of_step_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script = importlib.import_module("docs")
    pages = {"cli.md": "new\n", "criteria/here.md": "same\n", "fields.md": "x\n"}
    (tmp_path / "criteria").mkdir()
    (tmp_path / "cli.md").write_text("old\n")
    (tmp_path / "criteria" / "here.md").write_text("same\n")
    (tmp_path / "criteria" / "gone.md").write_text("left over\n")
    assert script.out_of_step(pages, tmp_path) == [
        "cli.md is out of step",
        "fields.md is missing",
        "criteria/gone.md is generated no longer",
    ]
    script.write(pages, tmp_path)
    assert script.out_of_step(pages, tmp_path) == []


# ---- commands and options are documented


def command_tree(command: click.Command = group, path: str = "her2crc") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child
            yield from command_tree(child, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), [pytest.param(*entry, id=entry[0]) for entry in command_tree()])
def test_every_command_and_option_is_documented(path: str, command: click.Command) -> None:
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    section = page.partition(f"## {path}\n")[2].partition("\n## ")[0]
    assert section, f"{path} is not on the page"
    assert command.help, f"{path} does not say what it does"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts[0]} has no help text"
            assert all(option in section for option in parameter.opts)
        else:
            assert parameter.make_metavar(click.Context(command)).strip("[].") in section


def test_every_command_is_on_the_first_help_page() -> None:
    assert sorted(COMMANDS) == group.list_commands(click.Context(group))
    assert all(text.endswith(".") for _, _, text in COMMANDS.values())


def test_every_public_function_has_its_command_on_the_python_page() -> None:
    page = (DOCS / "how-to" / "use-from-python.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = {name for line in rows for name in re.findall(r"`([\w.]+)`", line.split("|")[2])}
    assert named == {*public_functions()} - {"load_knowledge"}


def public_functions() -> Iterator[str]:
    """The functions of the public door, those of a public module with the module's name."""
    for name in her2crc.__all__:
        item = getattr(her2crc, name)
        if isfunction(item):
            yield name
        elif ismodule(item):
            functions = getmembers(
                item, lambda inner, home=item: isfunction(inner) and inner.__module__ == home.__name__
            )
            for inner, _ in functions:
                if not inner.startswith("_") and inner not in her2crc.__all__:
                    yield f"{name}.{inner}"


# ---- what the pages show is what happens


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """An empty folder that sees the repository's examples and golden files, as the pages name them."""
    (tmp_path / "src").symlink_to(ROOT / "src")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    return tmp_path


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_command_shown_runs(name: str, workplace: Path) -> None:
    for block in blocks(name):
        if block.file:
            target = workplace / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.body, encoding="utf-8")
        elif block.kind == "console":
            assert block.body.startswith("$ her2crc"), "a console block shows her2crc"
            run_console(commands(block.body), workplace)


def run_console(shown: list[Command], folder: Path) -> None:
    """Run commands one after another; a failure is expected only where `echo $?` follows it."""
    code = 0
    for position, command in enumerate(shown):
        if command.line == "echo $?":
            assert command.shown == [str(code)]
            continue
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"}
        run = subprocess.run(
            ["bash", "-c", command.line],
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        code = run.returncode
        failure_shown = position + 1 < len(shown) and shown[position + 1].line == "echo $?"
        assert code == 0 or failure_shown, f"$ {command.line}\n{run.stdout}"
        assert matches(command.shown, run.stdout), f"$ {command.line}\n{run.stdout}"


def matches(shown: list[str], printed: str) -> bool:
    """Whether the lines shown are what was printed; `...` stands for any lines, or for any part of one."""
    if not shown:
        return True
    pattern = ""
    for line in shown:
        if line == "...":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("...")) + r"[ ]*\n"
    return re.fullmatch(pattern, printed if printed.endswith("\n") else printed + "\n") is not None


@pytest.mark.parametrize(
    ("shown", "right"),
    [
        (["a", "b"], True),
        (["a", "..."], True),
        (["...", "b"], True),
        (["a", "b..."], True),
        (["b"], False),
        (["a"], False),
        (["...", "c"], False),
        (["b", "a"], False),
    ],
)
def test_shown_output_is_compared_line_by_line(shown: list[str], right: bool) -> None:
    assert matches(shown, "a\nb\n") is right


@pytest.mark.parametrize("name", [name for name in RUNNABLE if any(block.kind == "python" for block in blocks(name))])
def test_every_python_example_runs_and_is_typed(name: str, workplace: Path) -> None:
    found = blocks(name)
    for position, block in enumerate(found):
        if block.kind != "python":
            continue
        (workplace / "example.py").write_text(block.body, encoding="utf-8")
        run = subprocess.run([sys.executable, "example.py"], cwd=workplace, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        assert run.stdout == found[position + 1].body
        typed = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "example.py"], cwd=workplace, capture_output=True, text=True
        )
        assert typed.returncode == 0, typed.stdout


# ---- links


def anchors(path: Path) -> set[str]:
    """The anchors that a Markdown viewer gives the headings of a page."""
    headings = HEADING.findall(re.sub(FENCE, "", path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", text).lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("name", NAMES)
def test_links_resolve(name: str) -> None:
    page = ROOT / name
    broken = []
    for found in LINK.finditer(re.sub(FENCE, "", page.read_text(encoding="utf-8"))):
        target, _, anchor = found["target"].partition("#")
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(found["target"])
    assert broken == []


def test_every_page_is_reachable_from_the_first() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        targets = LINK.findall(re.sub(FENCE, "", page.read_text(encoding="utf-8")))
        waiting += [(page.parent / target.partition("#")[0]).resolve() for target in targets]
    assert [path for path in PAGES if path not in reached] == []


# ---- promises of the pages


def test_the_tour_is_short() -> None:
    tour = (ROOT / TOUR[0]).read_text(encoding="utf-8")
    assert all(f"(../{name})" in tour for name in TOUR[1:])
    assert sum(len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in TOUR) < MOST_TOUR_LINES


def test_the_picture_of_the_first_page_is_small() -> None:
    picture = DOCS / "images" / "report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < MOST_README_IMAGE_BYTES


def test_the_makefile_has_what_the_pages_promise() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    fenced = [block.body for name in NAMES for block in blocks(name)]
    promised = {target for body in fenced for target in re.findall(r"^make ([a-z-]+)", body, re.MULTILINE)}
    assert promised
    assert promised <= targets
