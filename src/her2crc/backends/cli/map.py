"""``map``: propose how a laboratory's own table is read, and show what that would give."""

from __future__ import annotations

from typing import Any

import click

import her2crc
from her2crc.backends.cli.options import load, write_bytes

UNKNOWN = "unknown"


@click.command("map")
@click.argument("file")
@click.option("-o", "--output", help="Mapping file to write; standard output if not named.")
def map_command(file: str, output: str | None) -> None:
    """Propose a mapping for the table in FILE (CSV or Excel), and show the first rows as it would read them.

    Nothing is decided between two candidates: both stand in the mapping as comments. Check it, then use it with
    `her2crc assess FILE --mapping mapping.yaml`.
    """
    proposal = her2crc.map_columns(file, load(None, None))
    preview = "\n".join(_preview(proposal.preview, [f"{issue.place}: {issue.text}" for issue in proposal.issues]))
    if output is None:
        click.echo(proposal.yaml + "\n" + "".join(f"# {line}".rstrip() + "\n" for line in preview.splitlines()))
        return
    write_bytes(proposal.yaml.encode(), output)
    click.echo(preview)


def _preview(rows: tuple[dict[str, Any], ...], issues: list[str]) -> list[str]:
    """Return the rows as a table of plain text, then what was wrong in them."""
    if not rows:
        return ["No preview: no column is plainly the patient's id."]
    names = list(rows[0])
    cells = [names, *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return ["What it would read from the first rows:", *lines, *issues]


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return UNKNOWN if value is None else str(value)
