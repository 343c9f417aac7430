"""``lint``: every problem of an input, with its rule, and what to send instead."""

from __future__ import annotations

import sys

import click

import her2crc
from her2crc.backends.cli.assess import mapping_option
from her2crc.backends.cli.options import load, write_bytes

ERRORS_FOUND = 1


@click.command("lint")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("text", "json", "sarif")),
    default="text",
    show_default=True,
    help="To read, for a program, or for a tool that collects findings (SARIF 2.1.0).",
)
@click.option("-o", "--output", help="File to write.")
@click.option(
    "--severity",
    type=click.Choice(("error", "warning", "note")),
    default="note",
    show_default=True,
    help="The least that is reported.",
)
@mapping_option
def lint_command(
    files: tuple[str, ...], output_format: str, output: str | None, severity: str, mapping: str | None
) -> None:
    """List every problem of FILES: wrong codes, units, values and dates, contradictions, what could not be read.

    Each with its rule, its place, why it matters and what to send instead. Exits with 1 where there are errors, with 0
    where there is nothing worse than warnings, and with 65 where a file cannot be read at all.
    """
    knowledge = load(None, None)
    reports = [her2crc.lint(file, knowledge, mapping=mapping, severity=severity) for file in files]
    write_bytes(b"".join(her2crc.render(reports, output_format, knowledge)), output)
    if any(report.has_errors for report in reports):
        sys.exit(ERRORS_FOUND)
