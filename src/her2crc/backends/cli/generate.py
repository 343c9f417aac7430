"""``generate``: a synthetic registry, with the truth beside it."""

from __future__ import annotations

import click

import her2crc
from her2crc.backends.cli.options import load


@click.command("generate")
@click.option("--patients", type=int, required=True, help="How many patients.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed gives the same patients, on any machine."
)
@click.option("-o", "--output", required=True, help="Folder to write into.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("parquet", "csv")),
    default="parquet",
    show_default=True,
    help="Of the specimen and patient tables; the truth is Parquet.",
)
@click.option("--fhir", type=int, default=0, metavar="K", help="The first K patients also as FHIR NDJSON.")
@click.option("--text", type=int, default=0, metavar="K", help="The first K patients also as text of a report.")
def generate_command(patients: int, seed: int, output: str, output_format: str, fhir: int, text: int) -> None:
    """Draw a synthetic registry: specimens as laboratories give them, follow-up, and the truth behind each.

    The figures come from the knowledge base, those that nobody published are assumed and named in the files. Every
    file says that it is synthetic. Screen `specimens.parquet`; compare with `truth.parquet`.
    """
    written = her2crc.generate(
        patients, output, load(None, None), seed=seed, output_format=output_format, fhir=fhir, text=text
    )
    click.echo(f"{written.patients} synthetic patients, {written.specimens} specimens, seed {seed}:")
    for name, path in written.files.items():
        click.echo(f"  {name:<10} {path}")
    click.echo(f"{len(written.assumed)} parameters are assumed, not published; see knowledge/synthetic.yaml.")
