"""``measure plasma``: copies in plasma against the tumour fraction, and what each plasma rule says."""

from __future__ import annotations

from datetime import date

import click

import her2crc
from her2crc.backends.cli.measure_ish import Pairs, write_measurements
from her2crc.backends.cli.options import knowledge_options, load

FORMATS = ("text", "json", "jsonl", "specimens")


@click.command("plasma")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("-o", "--output", help="File to write.")
@click.option("--variants", help="Table of variants beside FILES, joined by specimen (one FILE only).")
@click.option("--given", type=Pairs(), help="Facts of every sample: plasma_copies=3.1,tumour_fraction=0.12")
@click.option("--copies-cv", type=float, help="Your assay's relative standard deviation of copies, e.g. 0.05.")
@click.option("--fraction-cv", type=float, help="That of a given tumour fraction.")
@click.option(
    "--counts", type=click.Choice(("as-written", "swapped")), help="How reference and variant reads stand; else found."
)
@knowledge_options
def plasma_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    variants: str | None,
    given: dict[str, str] | None,
    copies_cv: float | None,
    fraction_cv: float | None,
    counts: str | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Measure the plasma samples in FILES: copies per tumour cell, what stays invisible, what each rule says.

    \b
    FILES: patients in any format that `assess` reads, or tables of variants (MAF, CSV, Excel).
    Without a tumour fraction both conventions (highest allele fraction, and twice it) are shown
    side by side; variants on the amplified segment, likely germline and likely of blood cells are
    left out, each with its reason.
    """
    if variants is not None and len(files) > 1:
        raise her2crc.errors.UsageError("--variants goes with one FILE", fix="Measure the files one by one.")
    knowledge = load(as_of, criteria_dir)
    found = [
        item
        for file in files
        for item in her2crc.measure_plasma(
            file,
            knowledge,
            variants=variants,
            given=given,
            copies_cv=copies_cv,
            fraction_cv=fraction_cv,
            counts=counts,
        )
    ]
    write_measurements(found, output_format, output, knowledge)
