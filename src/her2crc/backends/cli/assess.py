"""``assess``, ``explain`` and ``read``: from files of patients to answers."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

import her2crc
from her2crc.backends.cli.options import file_names, knowledge_options, load, write_bytes

FORMATS = ("text", "json", "jsonl", "html", "pdf", "table", "fhir", "hl7v2")
MOST_SHOWN = 10
VIEWS = ("pathologist", "oncologist", "laboratory", "researcher", "patient")


mapping_option = click.option("--mapping", help="Mapping file of a table with other columns; see `her2crc map`.")


@click.command("assess")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("-o", "--output", help="File, or for html and pdf a folder of one document a patient.")
@click.option("--view", type=click.Choice(VIEWS), default="pathologist", show_default=True, help="Who reads it.")
@click.option("--strict", is_flag=True, help="Exit with 65 where a value of the input could not be used.")
@mapping_option
@knowledge_options
def assess_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    view: str,
    strict: bool,
    mapping: str | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Say what every published rule says of each patient in FILES, what to test next, and what can be done.

    \b
    FILES: specimen tables (CSV, TSV, Excel, Parquet; with --mapping any columns), patient JSON,
    FHIR R4, HL7 v2, FoundationOne or Caris XML, DNPM JSON, folders of a cBioPortal study or of
    mCODE tables; also packed as gzip or zip. "-" is standard input.
    Values that cannot be used are reported with their place and stay unknown; nothing else is lost.
    """
    knowledge = load(as_of, criteria_dir)
    patients = [patient for file in files for patient in her2crc.read_patients(file, knowledge, mapping=mapping)]
    assessments = [her2crc.assess(patient, knowledge) for patient in patients]
    _warn_of_repeats([item.patient_id for item in assessments])
    if not assessments:
        raise her2crc.errors.InputError("no patient found", fix="See `her2crc schema` for the patient file.")
    colour = output is None and sys.stdout.isatty()
    documents = list(her2crc.render(assessments, output_format, knowledge, view=view, colour=colour))
    _write_documents(documents, [item.patient_id for item in assessments], output_format, output)
    _report_unused(assessments, strict)


def _write_documents(documents: list[bytes], patients: list[str], output_format: str, output: str | None) -> None:
    if output_format not in ("html", "pdf"):
        write_bytes(documents[0], output)
    elif output is None:
        if len(documents) > 1:
            raise her2crc.errors.UsageError(
                f"{len(documents)} patients make {len(documents)} {output_format} documents",
                fix="Name a folder with -o.",
            )
        write_bytes(documents[0], None)
    elif len(documents) == 1 and Path(output).suffix == f".{output_format}":
        write_bytes(documents[0], output)
    else:
        for name, document in zip(file_names(patients, output_format), documents, strict=True):
            write_bytes(document, str(Path(output) / name))
            click.echo(str(Path(output) / name), err=True)


def _warn_of_repeats(patients: list[str]) -> None:
    """A patient id in two files may be one patient or two; each is answered by itself, and that is said."""
    repeated = sorted({name for name in patients if patients.count(name) > 1})
    if repeated:
        shown = ", ".join(repeated[:MOST_SHOWN])
        click.echo(f"her2crc: in more than one file, each answered by itself (join the files): {shown}.", err=True)


def _report_unused(assessments: list[her2crc.Assessment], strict: bool) -> None:
    unused = sum(len(item.errors) for item in assessments)
    if unused:
        click.echo(
            f"her2crc: {unused} value(s) of the input could not be used; see the errors of each patient.",
            err=True,
        )
    if unused and strict:
        sys.exit(her2crc.errors.InputError.exit_code)


@click.command("explain")
@click.argument("file")
@click.argument("criteria")
@click.option("--patient", help="Patient id, where the file holds several.")
@click.option("--specimen", help="Specimen id; all of the patient's if not named.")
@knowledge_options
def explain_command(
    file: str,
    criteria: str,
    patient: str | None,
    specimen: str | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Explain in sentences how the set CRITERIA came to its verdict on the patient in FILE."""
    knowledge = load(as_of, criteria_dir)
    patients = her2crc.read_patients(file, knowledge)
    chosen = [item for item in patients if patient in (None, item.patient_id)]
    if not chosen:
        raise her2crc.errors.UsageError(f"no patient '{patient}' in {file}")
    click.echo("\n\n".join(her2crc.explain_verdict(item, criteria, knowledge, specimen) for item in chosen))


@click.command("read")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("json", "jsonl")),
    default="json",
    show_default=True,
    help="One document, or one patient a line.",
)
@click.option("-o", "--output", help="File to write.")
@mapping_option
def read_command(files: tuple[str, ...], output_format: str, output: str | None, mapping: str | None) -> None:
    """Read FILES of any known format into normalised findings, with every problem found on the way."""
    knowledge = load(None, None)
    patients = [patient for file in files for patient in her2crc.read_patients(file, knowledge, mapping=mapping)]
    write_bytes(b"".join(her2crc.render(patients, output_format, knowledge)), output)
