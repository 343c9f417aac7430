"""The clinical files of a study: one row of the specimen table for each sample, one for what is said of a patient.

Words are read only where they are plain; a column that says nothing known leaves its field unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from her2crc.model.quantity import parse_decimal
from her2crc.model.record import Issue, RawValue, SpecimenRow
from her2crc.read.cbioportal_files import Study, Table, cell, read_table
from her2crc.read.cbioportal_terms import is_blank, issue, meant, terms
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.fhir_values import meanings
from her2crc.read.rows import Found

PLASMA, NORMAL, COLORECTAL, METASTASIS, PRIMARY, OTHER = (
    "plasma",
    "normal",
    "colorectal",
    "metastasis",
    "primary",
    "other",
)
PERCENT = Decimal(100)
RIGHT_BY_CONVENTION = "right_by_convention"


class Sample(NamedTuple):
    """A sample of the clinical file: whose it is, and what decides how its results are read."""

    patient_id: str
    tumour: str | None
    in_plasma: bool
    assay: str


class Clinical(NamedTuple):
    """The samples by id, the rows that the clinical files give, and the samples that are known but left out."""

    samples: dict[str, Sample]
    found: list[Found]
    left_out: set[str]


def read_clinical(study: Study) -> Clinical:
    """Read the clinical files of samples and of patients."""
    path = study.files["sample"]
    clinical = _read_samples(study, path, read_table(study, path))
    if "patient" in study.files:
        clinical.found.extend(_read_patients(study, study.files["patient"], clinical))
    return clinical


def _read_samples(study: Study, path: str, table: Table) -> Clinical:
    patient_at, sample_at = table.first(terms().patient_id), table.first(terms().sample_id)
    clinical = Clinical({}, [], set())
    if patient_at is None or sample_at is None:
        study.notes.append(issue("cbio_no_columns", path, what=", ".join((*terms().patient_id, *terms().sample_id))))
        return clinical
    ids = ((number, cell(cells, sample_at), cell(cells, patient_at), cells) for number, cells in table.rows)
    lines = [line for line in ids if not is_blank(line[1]) and not is_blank(line[2])]
    reader = _Reader(study, path, table, (cells for *_, cells in lines))
    tumours = [line for line in lines if not reader.is_normal(line[-1])]
    clinical.left_out.update(sample_id for _, sample_id, _, cells in lines if reader.is_normal(cells))
    if clinical.left_out:
        study.notes.append(issue("cbio_normal", path, what=str(len(clinical.left_out))))
    owners: dict[str, set[str]] = {}
    for _, sample_id, patient_id, _ in lines:
        owners.setdefault(sample_id, set()).add(patient_id)
    for number, sample_id, patient_id, cells in tumours:
        place = f"{path}:{number}"
        if fault := _fault(cells, table, owners[sample_id]):
            clinical.found.append(Found(place, patient_id, None, (issue(fault, place, specimen=sample_id),)))
        else:
            clinical.samples[sample_id], found = reader.sample(sample_id, patient_id, cells, place)
            clinical.found.append(found)
    study.notes.extend(reader.notes())
    return clinical


def _fault(cells: list[str], table: Table, owners: set[str]) -> str:
    if any(map(str.strip, cells[len(table.columns) :])) and len(cells) > max(table.columns.values()) + 1:
        return "cbio_cells"
    return "cbio_two_patients" if len(owners) > 1 else ""


def _read_patients(study: Study, path: str, clinical: Clinical) -> Iterator[Found]:
    """Read what is said of patients who have a sample; a field that is not there leaves no row."""
    table = read_table(study, path)
    patient_at = table.first(terms().patient_id)
    if patient_at is None:
        study.notes.append(issue("cbio_no_columns", path, what=", ".join(terms().patient_id)))
        return
    tumours = {sample.patient_id: sample.tumour for sample in clinical.samples.values()}
    reader = _Reader(study, path, table, ())
    for number, cells in table.rows:
        patient_id, place = cell(cells, patient_at), f"{path}:{number}"
        if patient_id not in tumours or _fault(cells, table, set()):
            continue
        values, issues = reader.of_patient(cells, place, tumours[patient_id])
        if values or issues:
            yield Found(place, patient_id, SpecimenRow(place, values), tuple(issues))
    study.notes.extend(reader.notes())


class _Reader:
    """Reads the rows of one clinical file, and counts what it could not understand."""

    def __init__(self, study: Study, path: str, table: Table, rows: Iterable[list[str]]) -> None:
        self.study, self.path, self.table = study, path, table
        self.purity_at = table.first(terms().purity)
        self.purity_unit = _purity_unit(cell(cells, self.purity_at) for cells in rows)
        self.not_understood: dict[str, int] = {}

    def texts(self, cells: list[str], columns: Iterable[str]) -> list[str]:
        found = (cell(cells, self.table.columns.get(column)) for column in columns)
        return [text for text in found if not is_blank(text)]

    def is_normal(self, cells: list[str]) -> bool:
        return any(NORMAL in meant("material", text) for text in self.texts(cells, terms().material))

    def sample(self, sample_id: str, patient_id: str, cells: list[str], place: str) -> tuple[Sample, Found]:
        material = {word for text in self.texts(cells, terms().material) for word in meant("material", text)}
        in_plasma, assay = PLASMA in material, next(iter(self.texts(cells, terms().assay)), "")
        tumour, issues = self.tumour(cells, place)
        values: dict[str, RawValue] = {SPECIMEN_ID: sample_id}
        if tumour:
            values["tumour"] = tumour
        values |= {"site": PLASMA, "specimen_kind": PLASMA} if in_plasma else self.tissue(cells, place, issues)
        if assay:
            values["plasma_assay" if in_plasma else "ngs_assay"] = assay
        of_patient, more = self.of_patient(cells, place, tumour)
        issues = [item if item.field != "tumour_purity" else _of(item, sample_id) for item in (*issues, *more)]
        row = SpecimenRow(place, values | of_patient)
        return Sample(patient_id, tumour, in_plasma, assay), Found(place, patient_id, row, tuple(issues))

    def tissue(self, cells: list[str], place: str, issues: list[Issue]) -> dict[str, RawValue]:
        values: dict[str, RawValue] = {}
        if site := self.site(cells):
            values["site"] = site
        if kind := self.word("specimen_kind", terms().specimen_kind, cells):
            values["specimen_kind"] = kind
        purity = cell(cells, self.purity_at)
        if self.purity_unit is not None and not is_blank(purity):
            if self.purity_unit == "%" and _is_fraction(purity):
                issues.append(issue("cbio_purity_unit", place, field="tumour_purity"))
            else:
                values["tumour_purity"] = purity.removesuffix("%") + self.purity_unit
        return values

    def site(self, cells: list[str]) -> str:
        """Return the site of a tissue sample; a metastasis without a known place is 'other'."""
        kind = self.word("sample_type", terms().sample_type, cells)
        if kind != METASTASIS:
            return kind
        places = {
            word for text in self.texts(cells, terms().metastatic_site) for word in meant("metastatic_site", text)
        }
        return places.pop() if len(places) == 1 else OTHER

    def tumour(self, cells: list[str], place: str) -> tuple[str | None, list[Issue]]:
        texts = self.texts(cells, terms().tumour) or [self.study.about.get("type_of_cancer", "")]
        kinds = {word for text in texts for word in meant("tumour", text)}
        if len(kinds) > 1:
            return None, [issue("cbio_tumours", place, field="tumour")]
        stated = texts != [""] and not any(text.lower() == "mixed" for text in texts)
        return (kinds.pop() if kinds else OTHER if stated else None), []

    def of_patient(self, cells: list[str], place: str, tumour: str | None) -> tuple[dict[str, RawValue], list[Issue]]:
        values: dict[str, RawValue] = {}
        issues: list[Issue] = []
        for column in terms().columns:
            if texts := self.texts(cells, column.columns):
                values[column.field] = texts[0]
        if msi := self.word("msi", terms().msi, cells):
            values["msi"] = msi
        side = _side(self.texts(cells, terms().side)) if tumour == COLORECTAL else ""
        if side == RIGHT_BY_CONVENTION:
            issues.append(issue("cbio_side_by_convention", place, field="side"))
        if side:
            values["side"] = side.partition("_")[0]
        return values, issues

    def word(self, question: str, columns: Iterable[str], cells: list[str]) -> str:
        """Return the one plain meaning of the first column that is filled."""
        for column in columns:
            for text in self.texts(cells, (column,)):
                words = meant(question, text)
                if not words:
                    self.not_understood[column] = self.not_understood.get(column, 0) + 1
                return next(iter(words)) if len(words) == 1 else ""
        return ""

    def notes(self) -> Iterator[Issue]:
        for column, times in self.not_understood.items():
            yield issue("cbio_words", f"{self.path}, column {column}", what=str(times))
        if self.purity_at is not None and self.purity_unit is None:
            yield issue("cbio_purity_range", self.path, field="")


def _side(texts: list[str]) -> str:
    sides = {word for text in texts for word in (meant("side", text) or meanings(text, "side"))} - {""}
    return sides.pop() if len(sides) == 1 else ""


def _purity_unit(cells: Iterable[str]) -> str | None:
    """Return the unit of a column of purities by its range: empty for fractions, ``%``, None for neither."""
    numbers = [number for text in cells if not is_blank(text) and (number := _number(text)) is not None]
    if any(number < 0 or number > PERCENT for number in numbers):
        return None
    return "%" if any(number > 1 for number in numbers) else ""


def _is_fraction(text: str) -> bool:
    number = _number(text)
    return number is not None and 0 < number < 1


def _number(text: str) -> Decimal | None:
    try:
        return parse_decimal(text.removesuffix("%"))
    except ValueError:
        return None


def _of(item: Issue, sample_id: str) -> Issue:
    return Issue(item.level, item.id, item.text, sample_id, item.field, item.place)


def colorectal_only(clinical: Clinical, study: Study) -> Clinical:
    """Leave out the patients without a colorectal sample, if the study has any with one."""
    kept = {sample.patient_id for sample in clinical.samples.values() if sample.tumour == COLORECTAL}
    others = {sample.patient_id for sample in clinical.samples.values()} - kept
    if not kept or not others:
        return clinical
    study.notes.append(issue("cbio_other_tumours", study.files["sample"], what=str(len(others))))
    return Clinical(
        {name: sample for name, sample in clinical.samples.items() if sample.patient_id in kept},
        [item for item in clinical.found if item.patient_id not in others],
        clinical.left_out | {name for name, sample in clinical.samples.items() if sample.patient_id in others},
    )
