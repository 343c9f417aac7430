"""``measure ish``: counted signals to HER2 numbers with intervals and what each rule says of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

import her2crc
from her2crc.backends.cli.options import file_names, knowledge_options, load, write_bytes

FORMATS = ("text", "json", "jsonl", "specimens", "svg")


class Pairs(click.ParamType[dict[str, str]]):
    """Names with values: ``her2=Rot,cep17=Gruen``."""

    name = "NAME=VALUE,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, str]:
        """Read the pairs."""
        if not isinstance(value, str):
            return dict(value)
        pairs = [part.partition("=") for part in value.split(",")]
        if not all(name.strip() and mark and text.strip() for name, mark, text in pairs):
            self.fail(f"'{value}' is not a list of NAME=VALUE", param, ctx)
        return {name.strip(): text.strip() for name, _, text in pairs}


@click.command("ish")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("-o", "--output", help="File; for svg a folder where there are several specimens.")
@click.option("--columns", type=Pairs(), help="Your names of columns: her2=...,cep17=...,nucleus=...,region=...")
@click.option("--mapping", help="YAML file with the same under `columns:`.")
@click.option("--given", type=Pairs(), help="Other facts of the specimen: ihc_score=2,ihc_percent=80,site=liver")
@knowledge_options
def ish_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    columns: dict[str, str] | None,
    mapping: str | None,
    given: dict[str, str] | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Measure the HER2 and CEP17 signals counted in FILES: one row a nucleus, or totals.

    \b
    CSV, TSV or Excel with columns HER2 and CEP17 (or named with --columns), and as far as known
    patient, specimen, nucleus, region, observer, x, y. With a column of the number of nuclei, each
    row is a total. One column alone (HER2) is a single-probe test. "-" is standard input.
    `--format specimens` writes what `her2crc assess` takes; `svg` draws the nuclei.
    """
    knowledge = load(as_of, criteria_dir)
    found = [
        item
        for file in files
        for item in her2crc.measure_ish(file, knowledge, columns=columns, mapping=mapping, given=given)
    ]
    if output_format == "svg":
        _write_pictures(found, output)
    else:
        write_measurements(found, output_format, output, knowledge)


def write_measurements(found: list[Any], output_format: str, output: str | None, knowledge: her2crc.Knowledge) -> None:
    """Write measurements as text, as JSON, or as the specimen table."""
    if output_format == "text":
        content = "\n\n".join(item.text() for item in found).encode()
    elif output_format == "specimens":
        content = specimen_table(item.specimen for item in found).encode()
    else:
        content = b"".join(her2crc.render(found, output_format, knowledge))
    write_bytes(content, output)


def specimen_table(rows: Iterable[Mapping[str, str]]) -> str:
    """Return rows of the specimen table as CSV, with the columns that any of them has."""
    filled = list(rows)
    names = list(dict.fromkeys(name for row in filled for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(filled)
    return text.getvalue()


def _write_pictures(found: list[Any], output: str | None) -> None:
    if len(found) == 1:
        write_bytes(found[0].svg().encode(), output)
        return
    if output is None:
        raise her2crc.errors.UsageError(f"{len(found)} specimens make {len(found)} pictures", fix="Name a folder: -o.")
    names = file_names([f"{item.patient_id}-{item.specimen_id}" for item in found], "svg")
    for name, item in zip(names, found, strict=True):
        write_bytes(item.svg().encode(), str(Path(output) / name))
