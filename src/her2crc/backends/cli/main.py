"""Entry point: the commands by name, and one place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

import her2crc

COMMANDS = {
    "assess": (
        "assess",
        "assess_command",
        "What every rule says of a patient, what to test next, what can be done.",
    ),
    "cite": ("evidence", "cite_command", "The statements and references behind the answers."),
    "cohort-report": ("cohort_report", "cohort_report_command", "What the verdicts on a screened cohort add up to."),
    "criteria": ("criteria", "criteria_group", "List, show, check, compare and export the criteria sets."),
    "explain": ("assess", "explain_command", "How one rule came to its verdict, step by step."),
    "follow": ("follow", "follow_command", "How HER2 changes over time, and what is beyond noise."),
    "generate": ("generate", "generate_command", "A synthetic registry, with the truth behind each patient beside it."),
    "lint": ("lint", "lint_command", "Every problem of an input, why it matters, and what to send instead."),
    "map": ("map", "map_command", "Propose how a table with other columns is read, and show what that gives."),
    "measure": ("measure", "measure_group", "HER2 numbers with intervals from sequencing, hybridisation or plasma."),
    "read": ("assess", "read_command", "Any input as normalised findings, without a verdict."),
    "screen": ("screen", "screen_command", "A whole cohort under every rule: verdicts, tests, actions, as tables."),
    "schema": ("evidence", "schema_command", "JSON Schema of the patient file."),
}

HELP = """HER2 (ERBB2) status in metastatic colorectal cancer, under every published rule, cited.

\b
Start here:
  her2crc assess case.json                  what each rule says, on the screen
  her2crc assess cohort.csv --format html -o reports
  her2crc explain case.json heracles_2015   why that rule says what it says
  her2crc criteria list                     the rules, and how sure each is
  her2crc cite S09                          a statement with its sources

\b
Input: a specimen table (CSV, TSV, Excel, Parquet; with --mapping any columns), patient JSON,
FHIR R4, HL7 v2, FoundationOne or Caris XML, DNPM JSON, a folder of a cBioPortal study or of
mCODE tables; pathology reports as prose (text, Word, PDF, HTML, RTF, JSON Lines of id and
text); also packed as gzip or zip. "-" reads standard input.
Blank means unknown, and unknown is never negative.

Decision support for professionals; not a medical device.
"""

CLOSED_PIPE = 141
"""128 and the number of SIGPIPE, as shells show a program that this signal ended."""


class ClosedPipeError(Exception):
    """The reader of the output went away; not a BrokenPipeError, of which click would make a plain failure."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs, so that the start is fast."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and notice that nobody reads its output any more."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            raise ClosedPipeError from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command of that name, imported now."""
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(import_module(f"her2crc.backends.cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in sorted(COMMANDS.items())])


@click.command(
    cls=LazyGroup,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(her2crc.__version__, prog_name="her2crc")
def group() -> None:
    """Parse the command line."""


def main() -> None:
    """Run the command line; every deliberate error ends with its message and exit code, never a traceback."""
    try:
        group.main(prog_name="her2crc", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(her2crc.errors.UsageError.exit_code)
    except her2crc.errors.Her2crcError as error:
        click.echo(f"her2crc: {error}", err=True)
        sys.exit(error.exit_code)
    except ClosedPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED_PIPE)
