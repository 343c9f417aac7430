"""``follow``: serial results of one patient in time, with treatments and imaging."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

import her2crc
from her2crc.backends.cli.options import file_names, knowledge_options, load, write_bytes

FORMATS = ("text", "json", "jsonl", "svg")


@click.command("follow")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("-o", "--output", help="File; for svg a folder where there are several patients.")
@click.option("--treatments", help="Table: patient_id, regimen, kind, start, stop.")
@click.option("--imaging", help="Table: patient_id, on, finding.")
@click.option("--mapping", help="Mapping file of a table with other columns; see `her2crc map`.")
@click.option("--copies-cv", type=float, help="Your assay's relative standard deviation of copies, e.g. 0.05.")
@click.option("--fraction-cv", type=float, help="That of the tumour fraction.")
@knowledge_options
def follow_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    treatments: str | None,
    imaging: str | None,
    mapping: str | None,
    copies_cv: float | None,
    fraction_cv: float | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Follow each patient in FILES over time: what changed beyond the noise of the assay, and what happened.

    \b
    FILES: anything that `assess` reads, with collected_on for each specimen; results of one
    patient may stand in several files. Patient JSON may hold `treatments`, `imaging` and, for each
    specimen, `variants`. Kinds of treatment: anti_her2, anti_egfr, chemotherapy, other.
    Findings of imaging: progression, stable, response. Exploratory: no published cut-off exists.
    """
    knowledge = load(as_of, criteria_dir)
    found = her2crc.follow_up(
        files,
        knowledge,
        treatments=treatments,
        imaging=imaging,
        mapping=mapping,
        copies_cv=copies_cv,
        fraction_cv=fraction_cv,
    )
    documents = list(her2crc.render(found, output_format, knowledge))
    if len(documents) == 1:
        write_bytes(documents[0], output)
        return
    if output is None:
        raise her2crc.errors.UsageError(
            f"{len(documents)} patients make {len(documents)} pictures", fix="Name a folder."
        )
    for name, document in zip(file_names([item.patient_id for item in found], "svg"), documents, strict=True):
        write_bytes(document, str(Path(output) / name))
