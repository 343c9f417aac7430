"""Copy numbers of ERBB2 from a study: the discrete call, and the fold change from a log2 value.

Only the row of the gene is kept of a wide matrix. A sample without a value, or with a log2 value of 0, is unknown;
a gain is no call; no value at all is ever a negative.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from her2crc.model.quantity import DIPLOID, parse_decimal
from her2crc.model.record import Issue, RawValue, SpecimenRow
from her2crc.read.cbioportal_files import Study, Table, cell, read_table
from her2crc.read.cbioportal_samples import Clinical, Sample
from her2crc.read.cbioportal_terms import is_blank, issue, terms
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.rows import Found

AMPLIFIED, NOT_AMPLIFIED = "amplified", "not_amplified"
CALL, FOLD = "ngs_call", "ngs_fold"


class Copies(NamedTuple):
    """One value of ERBB2 as written."""

    sample_id: str
    written: str
    place: str


def read_copies(study: Study, clinical: Clinical) -> Iterator[Found]:
    """Yield the copy numbers of ERBB2, by sample; what cannot be used is an issue of its patient."""
    for kind in ("discrete", "log2"):
        if kind in study.files:
            yield from _read_file(study, kind, study.files[kind], clinical)


def _read_file(study: Study, kind: str, path: str, clinical: Clinical) -> Iterator[Found]:
    strangers, seen = set(), False
    for copies in _her2_values(study, path):
        sample, seen = clinical.samples.get(copies.sample_id), True
        if sample is not None and not is_blank(copies.written):
            yield _found(study, kind, copies, sample)
        elif sample is None and copies.sample_id not in clinical.left_out:
            strangers.add(copies.sample_id)
    if not seen:
        study.notes.append(issue("cbio_no_gene", path))
    elif kind == "log2":
        study.notes.append(issue("cbio_log2", path))
    if seen and study.says is not None:
        study.notes.append(issue("cbio_study_says", path, what=study.says.basis))
    if strangers:
        study.notes.append(issue("cbio_no_patient", path, what=str(len(strangers))))


def _her2_values(study: Study, path: str) -> Iterator[Copies]:
    table, columns = read_table(study, path, (terms().her2_gene, terms().her2_entrez)), terms().cna_columns
    gene_at, entrez_at = table.first(columns["gene"]), table.first(columns["entrez"])
    sample_at, value_at = table.first(columns["sample"]), table.first(columns["value"])
    if gene_at is None and entrez_at is None:
        study.notes.append(issue("cbio_no_columns", path, what=", ".join((*columns["gene"], *columns["entrez"]))))
        return
    rows = ((number, cells) for number, cells in table.rows if _is_her2(cells, gene_at, entrez_at))
    if sample_at is not None and value_at is not None:
        for number, cells in rows:
            yield Copies(cell(cells, sample_at), cell(cells, value_at), f"{path}:{number}")
    else:
        yield from _wide(path, table, rows)


def _is_her2(cells: list[str], gene_at: int | None, entrez_at: int | None) -> bool:
    gene = cell(cells, gene_at).upper()
    return gene == terms().her2_gene or (not gene and cell(cells, entrez_at) == terms().her2_entrez)


def _wide(path: str, table: Table, rows: Iterator[tuple[int, list[str]]]) -> Iterator[Copies]:
    about_gene = {name for names in terms().cna_columns.values() for name in names}
    for number, cells in rows:
        for name, written in zip(table.names, cells, strict=False):
            if name.upper() not in about_gene:
                yield Copies(name, written.strip(), f"{path}:{number}")


def _found(study: Study, kind: str, copies: Copies, sample: Sample) -> Found:
    values: dict[str, RawValue] = {SPECIMEN_ID: copies.sample_id}
    if sample.in_plasma:
        noted = [] if _is_zero(copies.written) else [_issue("cbio_plasma_copies", copies)]
    else:
        read, noted = (_call if kind == "discrete" else _fold)(study, copies)
        values |= read
    return Found(copies.place, sample.patient_id, SpecimenRow(copies.place, values), tuple(noted))


def _call(study: Study, copies: Copies) -> tuple[dict[str, RawValue], list[Issue]]:
    calls, written = terms().calls, copies.written.lower()
    if written in calls["amplified"]:
        return {CALL: AMPLIFIED}, []
    if written in calls["gain"]:
        return {}, [_issue("cbio_gain", copies)]
    if written in calls["loss"] or (written in calls["neutral"] and not _zero_is_no_call(study)):
        return {CALL: NOT_AMPLIFIED}, []
    return {}, [] if written in calls["neutral"] else [_issue("cbio_call", copies, CALL)]


def _fold(study: Study, copies: Copies) -> tuple[dict[str, RawValue], list[Issue]]:
    if _is_zero(copies.written):
        return {}, []
    try:
        log2 = parse_decimal(copies.written)
        fold = round(Decimal(DIPLOID) ** log2, terms().fold_decimals)
    except (ValueError, ArithmeticError):
        return {}, [_issue("cbio_log2_value", copies, FOLD)]
    values: dict[str, RawValue] = {FOLD: fold}
    if log2 > 0 and study.says is not None and study.says.positive_log2_is_amplified:
        values[CALL] = AMPLIFIED
    return values, []


def _zero_is_no_call(study: Study) -> bool:
    return study.says is not None and study.says.zero_is_no_call


def _is_zero(written: str) -> bool:
    try:
        return not parse_decimal(written)
    except ValueError:
        return False


def _issue(id: str, copies: Copies, field: str = "") -> Issue:
    return issue(id, copies.place, field=field, specimen=copies.sample_id)
