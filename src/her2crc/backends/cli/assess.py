"""``assess``, ``explain`` and ``read``: from files of patients to answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

import her2crc
from her2crc.backends.cli.options import file_names, knowledge_options, load, write_bytes

FORMATS = ("text", "json", "jsonl", "html", "pdf", "table", "fhir", "hl7v2")
MOST_SHOWN = 10
STDIN = "standard input"
VIEWS = ("pathologist", "oncologist", "laboratory", "researcher", "patient")


mapping_option = click.option("--mapping", help="Mapping file of a table with other columns; see `her2crc map`.")

corrections_option = click.option(
    "--corrections", help="What a person decided about the findings of one file of report text; see `read --review`."
)


@click.command("assess")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
)
@click.option("-o", "--output", help="File, or for html and pdf a folder of one document a patient.")
@click.option("--view", type=click.Choice(VIEWS), default="pathologist", show_default=True, help="Who reads it.")
@click.option("--strict", is_flag=True, help="Exit with 65 where a value of the input could not be used.")
@mapping_option
@corrections_option
@knowledge_options
def assess_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    view: str,
    strict: bool,
    mapping: str | None,
    corrections: str | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Say what every published rule says of each patient in FILES, what to test next, and what can be done.

    \b
    FILES: specimen tables (CSV, TSV, Excel, Parquet; with --mapping any columns), patient JSON,
    FHIR R4, HL7 v2, FoundationOne or Caris XML, DNPM JSON, folders of a cBioPortal study or of
    mCODE tables; reports as prose (text, Word, PDF with a text layer, HTML, RTF, JSON Lines of
    id and text); also packed as gzip or zip. "-" is standard input.
    Values that cannot be used are reported with their place and stay unknown; nothing else is lost.
    """
    knowledge = load(as_of, criteria_dir)
    patients = _patients(files, knowledge, mapping, corrections)
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
@click.argument("file", required=False)
@click.argument("criteria", required=False)
@click.option("--from", "screened", help="Instead of FILE: a folder that `her2crc screen` wrote; --patient names whom.")
@click.option("--patient", help="Patient id, where the file holds several.")
@click.option("--specimen", help="Specimen id; all of the patient's if not named.")
@knowledge_options
def explain_command(
    file: str | None,
    criteria: str | None,
    screened: str | None,
    patient: str | None,
    specimen: str | None,
    as_of: date | None,
    criteria_dir: str | None,
) -> None:
    """Explain in sentences how the set CRITERIA came to its verdict on the patient in FILE.

    Of a screened cohort: `her2crc explain --from OUT --patient ID [CRITERIA]`, every rule where CRITERIA is left out.
    """
    knowledge = load(as_of, criteria_dir)
    if screened is not None:
        rules = [item["id"] for item in her2crc.catalogue.list_criteria(knowledge) if item["role"] == "rule"]
        wanted = [file] if file is not None else rules
        chosen = [_screened(screened, patient, criteria, knowledge)]
    elif file is None or criteria is None:
        raise her2crc.errors.UsageError("name FILE and CRITERIA, or --from OUT --patient ID")
    else:
        wanted = [criteria]
        patients = her2crc.read_patients(file, knowledge)
        chosen = [item for item in patients if patient in (None, item.patient_id)]
    if not chosen:
        raise her2crc.errors.UsageError(f"no patient '{patient}' in {file}")
    parts = [_explained(item, name, len(wanted) > 1, knowledge, specimen) for item in chosen for name in wanted]
    click.echo("\n\n".join(parts))


def _screened(folder: str, patient: str | None, extra: str | None, knowledge: her2crc.Knowledge) -> Any:
    if patient is None or extra is not None:
        raise her2crc.errors.UsageError("--from takes --patient ID and at most the name of one set")
    return her2crc.screened_patient(folder, patient, knowledge)


def _explained(patient: Any, name: str, headed: bool, knowledge: her2crc.Knowledge, specimen: str | None) -> str:
    text = her2crc.explain_verdict(patient, name, knowledge, specimen)
    return f"{name}\n{text}" if headed else text


@click.command("read")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("json", "jsonl")),
    default="json",
    show_default=True,
    help="One document, or one patient (or report as prose) a line.",
)
@click.option("-o", "--output", help="File to write.")
@click.option("--review", "is_review", is_flag=True, help="Show report text beside what was read of it.")
@corrections_option
@mapping_option
def read_command(
    files: tuple[str, ...],
    output_format: str,
    output: str | None,
    is_review: bool,
    corrections: str | None,
    mapping: str | None,
) -> None:
    """Read FILES of any known format into normalised findings, with every problem found on the way.

    Of reports as prose, jsonl gives one line a report: its id and its findings, each value with its place in the text
    (offsets into the text as read). With --review, the text is shown with every value marked, in the terminal or, with
    -o, as a page on which a person can accept, change or reject each finding and save that as a file of corrections.
    """
    sources = [sys.stdin.buffer.read() if file == "-" else file for file in files]
    if mapping is None and (is_review or output_format == "jsonl"):
        shown = "html" if is_review and output else "text" if is_review else "jsonl"
        colour = output is None and sys.stdout.isatty()
        reports = her2crc.review(*sources, output_format=shown, corrections=corrections, colour=colour)
        if reports is not None:
            write_bytes(reports, output)
            return
    if is_review:
        raise her2crc.errors.UsageError("--review shows reports as prose; these files hold none")
    knowledge = load(None, None)
    patients = _patients(sources, knowledge, mapping, corrections)
    write_bytes(b"".join(her2crc.render(patients, output_format, knowledge)), output)


def _patients(
    files: Sequence[str | bytes], knowledge: her2crc.Knowledge, mapping: str | None, corrections: str | None
) -> list[Any]:
    """Read every file; corrections go with one, because they name the reports that they are of."""
    if corrections and len(files) > 1:
        raise her2crc.errors.UsageError("--corrections goes with one file", fix="Assess the files one by one.")
    found = (her2crc.read_patients(file, knowledge, STDIN, mapping, corrections) for file in files)
    return [patient for patients in found for patient in patients]
