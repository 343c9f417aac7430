"""``cohort-report``: what the verdicts on a cohort add up to."""

from __future__ import annotations

from datetime import date

import click

import her2crc
from her2crc.backends.cli.options import knowledge_options, load


@click.command("cohort-report")
@click.argument("screened")
@click.option("-o", "--output", required=True, help="Folder for index.html, report.json and csv/.")
@click.option(
    "--follow-up",
    default="",
    help="Table with patient_id, metastatic_on, her2_tested_on, followed_until, died, for survival.",
)
@click.option("--truth", default="", help="The truth.parquet of a synthetic registry.")
@click.option(
    "--suppress-below",
    type=int,
    default=0,
    metavar="K",
    help="For sharing: hide counts below K, show the others by classes of K, leave out lists of patients.",
)
@knowledge_options
def cohort_report_command(
    screened: str,
    output: str,
    follow_up: str,
    truth: str,
    suppress_below: int,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Write the report on SCREENED, the folder that `screen` wrote: HTML for reading, CSV and JSON for counting.

    \b
    Prevalence by rule and group with exact intervals, beside the published figures; agreement and
    concordance; patients who were missed; associations; survival with delayed entry; other
    thresholds; measurement error. What the data do not allow is said, with the reason.
    """
    report = her2crc.report_cohort(
        screened,
        output,
        load(as_of, criteria_dir),
        follow_up=follow_up,
        truth=truth,
        suppress_below=suppress_below,
    )
    for name, path in report.files.items():
        click.echo(f"{name:<5} {path}")
    for name, why in report.not_possible.items():
        click.echo(f"not possible, {name}: {why}")
    if report.synthetic:
        click.echo("The data are synthetic; every file says so.")
