"""The page of inputs is true: every format that is read, real fields, a how-to that runs it, and its tests."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from her2crc.model.record import PatientRecord
from her2crc.read import READERS, read_file, sniff
from her2crc.read.columns import columns

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from docs_inputs import inputs_page, load_inputs  # noqa: E402 - a script, found through the line above

if TYPE_CHECKING:
    from docs_inputs import Format

FORMATS = load_inputs()
NOT_SNIFFED = {"cbioportal", "mcode_csv", "mapping"}
"""Formats that no single file shows: folders, and a table that a mapping explains."""
UNPACKED_FIRST = {"gzip"}
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED = re.compile(r"^<!-- file: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page_of(item: Format) -> str:
    return (ROOT / "docs" / item.how_to).read_text(encoding="utf-8")


def commands(page: str) -> list[str]:
    shown = "\n".join(CONSOLE.findall(page))
    return [line.removeprefix("$ ") for line in shown.splitlines() if line.startswith("$ her2crc ")]


def each_of(formats: Iterable[Format]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("item", [pytest.param(item, id=item.id) for item in formats])


each = each_of(FORMATS)


def test_every_format_that_sniff_returns_has_exactly_one_entry() -> None:
    promised = set(re.findall(r"``(\w+)``", sniff.__doc__ or "")) - {"unknown"}
    assert promised == set(READERS) | UNPACKED_FIRST
    assert sorted(item.id for item in FORMATS) == sorted(promised | NOT_SNIFFED)


@each
def test_every_target_is_a_field_that_a_file_can_give(item: Format) -> None:
    assert item.read
    assert [name for part in item.read for name in part.into if name not in columns()] == []


def read_files(item: Format, folder: Path) -> Iterator[PatientRecord]:
    """Read the shipped files of a format and those that its how-to has the reader save."""
    shipped = {ROOT / name for name in item.files}
    if item.id in ("cbioportal", "mcode_csv"):
        shipped = {path.parent for path in shipped}
    for name, text in SAVED.findall(page_of(item)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shown = folder / item.shown
    for path in [*shipped, *([shown] if shown.exists() else [])]:
        yield from read_file(str(path))


@each_of(item for item in FORMATS if all(part.into for part in item.read))
def test_nothing_is_filled_that_the_page_does_not_name(item: Format, tmp_path: Path) -> None:
    records = list(read_files(item, tmp_path))
    filled = {name for record in records for row in record.rows for name in row.values}
    assert filled, "no file of the format fills anything"
    assert filled <= {name for part in item.read for name in part.into}


@each
def test_the_how_to_runs_the_file(item: Format) -> None:
    words = [word for command in commands(page_of(item)) for word in command.split()]
    assert item.shown in {Path(word).name for word in words}


@each_of(item for item in FORMATS if item.id not in NOT_SNIFFED)
def test_the_file_shown_is_of_the_format(item: Format) -> None:
    saved = dict(SAVED.findall(page_of(item)))
    named = [word for command in commands(page_of(item)) for word in command.split() if Path(word).name == item.shown]
    shipped = [path for word in named if (path := ROOT / word).is_file()]
    if item.shown in saved:
        assert sniff(saved[item.shown].encode(), item.shown) == item.id
    elif shipped:
        assert {sniff(path.read_bytes(), path.name) for path in shipped} == {item.id}
    else:  # made by a command of the page, as a workbook must be
        made = [line for line in page_of(item).splitlines() if item.shown in line and not line.startswith("$ her2crc ")]
        written = [line for line in commands(page_of(item)) if f"-o {item.shown}" in line]
        assert made or written


@each
def test_every_test_and_every_file_named_exists(item: Format, request: pytest.FixtureRequest) -> None:
    assert item.tests, "nothing tests it"
    assert [name for name in (*item.tests, *item.files) if not (ROOT / name).is_file()] == []
    assert {sniff((ROOT / name).read_bytes(), name) for name in item.files} <= {item.id} or item.id in NOT_SNIFFED
    if item.beside:
        shared: Path = request.getfixturevalue("shared")
        assert [name for name in item.beside if not (shared / "data" / name).exists()] == []


@each
def test_every_limit_is_that_of_the_reader(item: Format) -> None:
    page = inputs_page(FORMATS)
    assert all(f"{limit.most:,} {limit.text}" in page for limit in item.limits)


def test_a_field_that_is_not_one_would_be_found() -> None:
    assert "her2_status" not in columns()
    assert "ngs_tumour_copies" not in columns(), "a computed field cannot be filled"
