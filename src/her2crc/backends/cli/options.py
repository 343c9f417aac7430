"""Options that several commands share, and the writing of documents."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

import click

import her2crc

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Day(click.ParamType[date]):
    """A day written 2026-01-31."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the day."""
        try:
            return datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) else value
        except ValueError:
            self.fail(f"'{value}' is not a day written 2026-01-31", param, ctx)


def knowledge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--as-of`` and ``--criteria-dir``."""
    command = click.option("--as-of", type=Day(), help="Answer with the knowledge of that day.")(command)
    return click.option(
        "--criteria-dir", type=click.Path(), help="A folder of your own criteria files, shown as local."
    )(command)


def load(as_of: date | None, criteria_dir: str | None) -> her2crc.Knowledge:
    """Load the knowledge that the options ask for."""
    return her2crc.load_knowledge(as_of, criteria_dir)


def write_bytes(content: bytes, path: str | None) -> None:
    """Write a document to a file, or to standard output where none is named."""
    if path in (None, "-"):
        sys.stdout.buffer.write(content)
        return
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    except OSError as error:
        raise her2crc.errors.OutputError(f"cannot be written ({error.strerror})", where=str(path)) from None


def file_names(names: list[str], ending: str) -> list[str]:
    """Return a safe, distinct file name for each patient id."""
    result: list[str] = []
    taken: set[str] = set()
    for name in names:
        stem = UNSAFE.sub("_", name).strip("._") or "patient"
        stems = chain([stem], (f"{stem}-{number}" for number in count(1)))
        free = next(item for item in stems if item.lower() not in taken)
        taken.add(free.lower())
        result.append(f"{free}.{ending}")
    return result
