"""``measure tissue``: copy numbers from sequencing to copies per tumour cell with intervals, and each rule's chance."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

import her2crc
from her2crc.backends.cli.measure_ish import write_measurements
from her2crc.backends.cli.options import knowledge_options, load

FORMATS = ("text", "json", "jsonl", "specimens")


@click.command("tissue")
@click.argument("files", nargs=-1)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("-o", "--output", help="File to write.")
@click.option("--purity", help="Tumour purity, 0.3 or 30%; goes before what the file says.")
@click.option("--purity-interval", help="Its ends at 95 %, as 0.2-0.4.")
@click.option("--ploidy", help="Average copies per tumour cell; 2 is assumed where it is not given.")
@click.option("--ploidy-interval", help="Its ends at 95 %, as 1.9-2.3.")
@click.option("--purities", help="Table with the purity of each sample.")
@click.option("--panel-of-normals", help="Normals to learn the spread between samples from: a folder, or a matrix.")
@click.option("--save-panel", help="File to keep what was learned in.")
@click.option("--panel", help="A panel that was kept.")
@click.option("--build", help="hg19, hg38 or hs1, where the file does not show it.")
@click.option("--targets", help="For BAM: the targets of the panel (BED).")
@click.option("--reference", help="For BAM: CNVkit's reference of the panel (.cnn).")
@knowledge_options
def tissue_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    panel_of_normals: str | None,
    save_panel: str | None,
    panel: str | None,
    as_of: date | None,
    criteria_dir: str | None,
    **stated: Any,
) -> None:
    """Measure ERBB2 in FILES of copy numbers: fold change, copies per tumour cell, limit of detection, each rule.

    \b
    FILES: CNVkit (.cnr, .cns, .call.cns), SEG, VCF with copy numbers, FoundationOne XML, tables of
    FACETS, PureCN, PURPLE and Sequenza, cBioPortal copy numbers, a table with specimen_id and
    ngs_fold or ngs_copies (and tumour_purity); each also as .gz; BAM with CNVkit. "-" is standard
    input. `--format specimens` writes what `her2crc assess` takes.
    A reading below the limit of detection is "not excluded", never negative.
    With --panel-of-normals and no FILES, each normal is measured against the others.
    """
    if panel and panel_of_normals:
        raise her2crc.errors.UsageError("--panel and --panel-of-normals exclude each other")
    if save_panel and not panel_of_normals:
        raise her2crc.errors.UsageError("--save-panel needs --panel-of-normals")
    knowledge = load(as_of, criteria_dir)
    normals: Any = panel or panel_of_normals
    found: list[Any] = []
    for file in files or _normals_in(panel_of_normals):
        found += her2crc.measure_tissue(file, knowledge, panel=normals, save_panel=save_panel, **stated)
        save_panel = None
    write_measurements(found, output_format, output, knowledge)


def _normals_in(panel: str | None) -> list[str]:
    """Return the files of the normals, to measure each against the others."""
    if panel is None:
        raise her2crc.errors.UsageError("name the files to measure", fix="See `her2crc measure tissue --help`.")
    if not Path(panel).is_dir():
        return [panel]
    return sorted(str(path) for path in Path(panel).iterdir() if path.name.removesuffix(".gz").endswith(".cnr"))
