"""Entry point: the commands by name, and one place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

import her2crc

COMMANDS = {
    "assess": (
        "assess",
        "assess_command",
        "What every rule says of a patient, what to test next, what can be done.",
    ),
    "cite": ("evidence", "cite_command", "The statements and references behind the answers."),
    "criteria": ("criteria", "criteria_group", "List, show, check, compare and export the criteria sets."),
    "explain": ("assess", "explain_command", "How one rule came to its verdict, step by step."),
    "lint": ("lint", "lint_command", "Every problem of an input, why it matters, and what to send instead."),
    "map": ("map", "map_command", "Propose how a table with other columns is read, and show what that gives."),
    "read": ("assess", "read_command", "Any input as normalised findings, without a verdict."),
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
mCODE tables; also packed as gzip or zip. "-" reads standard input.
Blank means unknown, and unknown is never negative.

Decision support for professionals; not a medical device.
"""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs, so that the start is fast."""

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
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
