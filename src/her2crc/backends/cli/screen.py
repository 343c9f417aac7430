"""``screen``: a whole cohort under every rule, with a progress line on a terminal."""

from __future__ import annotations

import sys
import time
from datetime import date
from typing import Any

import click

import her2crc
from her2crc.backends.cli.options import knowledge_options, load

WIDTH = 78
BAR = 10
"""Signs of the bar."""
MINUTE = 60


@click.command("screen")
@click.argument("inputs", nargs=-1, required=True)
@click.option("-o", "--output", help="Folder to write; one that a killed run left is gone on with.")
@click.option(
    "--to", default="parquet", show_default=True, help="parquet, csv, duckdb, or postgresql://... (tables there)."
)
@click.option(
    "--engine",
    type=click.Choice(("duckdb", "kernel", "spark")),
    default="duckdb",
    show_default=True,
    help="What evaluates the rules.",
)
@click.option("--overwrite", is_flag=True, help="Replace what an earlier screening wrote into the folder.")
@click.option("--master", help="Spark cluster, for --engine spark.")
@click.option("--count", is_flag=True, help="Only count the verdicts on the rows of Parquet files; nothing is written.")
@click.option("--criteria", multiple=True, help="With --count, a set to count; all if none is named.")
@knowledge_options
def screen_command(
    inputs: tuple[str, ...],
    output: str | None,
    to: str,
    engine: str,
    overwrite: bool,
    master: str | None,
    count: bool,
    criteria: tuple[str, ...],
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Say what every rule says of each specimen and patient of INPUTS.

    \b
    INPUTS: specimen tables (CSV, Parquet, Excel; a folder or glob of Parquet), tables of a database
    (duckdb:///file.db?table=NAME, postgresql://host/db?table=NAME), FHIR NDJSON or a bulk export,
    cBioPortal study folders, and whatever `her2crc read` reads.
    Values that cannot be used stand in rejects.parquet with their place; nothing is dropped unsaid.
    """
    knowledge = load(as_of, criteria_dir)
    if count:
        _show_counts(her2crc.screen(list(inputs), knowledge=knowledge, count=criteria))
        return
    if output is None:
        raise her2crc.errors.UsageError("No output folder is named.", fix="Name one with -o, or only --count.")
    line = _Progress()
    summary = her2crc.screen(
        list(inputs),
        output,
        knowledge=knowledge,
        engine=engine,
        to=to,
        overwrite=overwrite,
        master=master,
        progress=line.show,
    )
    line.end()
    click.echo("\n".join(_told(summary, output)))


def _show_counts(counts: dict[str, dict[str, int]]) -> None:
    for name, numbers in counts.items():
        said = ", ".join(f"{number:,} {status}" for status, number in numbers.items() if number)
        click.echo(f"{name}: {said}")


def _told(summary: dict[str, Any], output: str) -> list[str]:
    lines = [
        f"{summary['patients']:,} patients, {summary['specimens']:,} specimens, "
        f"{summary['rejects']:,} values or rows not used (rejects)."
    ]
    for name, counts in summary["counts"].items():
        said = ", ".join(f"{number:,} {status}" for status, number in counts["patients"].items() if number)
        lines.append(f"  {name}: {said}")
    return [*lines, *summary["notes"], f"Written to {output}."]


class _Progress:
    """One line on standard error, rewritten; nothing where it is no terminal."""

    def __init__(self) -> None:
        self.what = ""
        self.began = 0.0
        self.first = 0
        self.shown = False

    def show(self, what: str, done: int, rows: int, patients: int) -> None:
        """Show what is done, the rate, and the time left."""
        if not sys.stderr.isatty():
            return
        now = time.monotonic()
        if what != self.what:
            self.what, self.began, self.first = what, now, done
        rate = (done - self.first) / max(now - self.began, 1e-6)
        text = what
        if done:
            share = f" {_bar(done, rows)} {100 * done // rows} %," if rows else ""
            count = f"{patients:,} patients" if patients else f"{done:,} rows"
            left = f", {_clock((rows - done) / rate)} left" if rate and rows else ""
            text = f"{what}:{share} {count}, {rate:,.0f} rows/s{left}"
        click.echo("\r" + text.ljust(WIDTH), err=True, nl=False)
        self.shown = True

    def end(self) -> None:
        """Leave the line."""
        if self.shown:
            click.echo(err=True)


def _bar(done: int, rows: int) -> str:
    """Return how far it is as a bar of signs that every terminal has."""
    return "[" + ("#" * (BAR * done // rows)).ljust(BAR, ".") + "]"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // MINUTE}:{int(seconds) % MINUTE:02}"
