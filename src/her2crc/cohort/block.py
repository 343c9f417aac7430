"""One block of whole patients from rows to verdicts: plain patients all at once, the others one by one."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2crc.cohort.advice import Advice, Group, Patients
from her2crc.cohort.outcomes import Outcomes
from her2crc.cohort.plain import odd_patients, odd_rows, of_patients, settle_material
from her2crc.cohort.reference import FILE, Reject, read_patient, read_specimens, rejects_of
from her2crc.cohort.rows import Block, make_block
from her2crc.cohort.signatures import Signatures
from her2crc.cohort.values import Column, ColumnReader, Flags, Ints
from her2crc.criteria.fields import Field
from her2crc.criteria.library import Knowledge
from her2crc.model.patient import Patient, Specimen
from her2crc.normalise import specimen_facts
from her2crc.read.columns import given_fields


class Screened(NamedTuple):
    """A block with its answers. Specimens stand in the order of the patients, ``odd`` ones as read one by one.

    ``source`` says where a specimen comes from: a row of the block, or, from the number of rows on, one of ``odd``.
    """

    block: Block
    group: Group
    patients: Patients
    facts: dict[str, Column]
    source: Ints
    names: pa.Array
    odd: dict[int, Patient]
    odd_specimens: list[Specimen]
    rejects: list[Reject]


class Screener:
    """Screens blocks under one knowledge; what it has learnt of one block serves the next."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.signatures = Signatures(knowledge)
        self.outcomes = Outcomes(knowledge, self.signatures)
        self.advice = Advice(knowledge, self.outcomes)
        self.beside = ThreadPoolExecutor(1)  # asks another engine while this one goes on
        self.fields = given_fields()
        self.readers = {name: ColumnReader(field, self._texts(field)) for name, field in self.fields.items()}

    def _texts(self, field: Field) -> tuple[str, ...]:
        scale = self.signatures.scales.get(field.name)
        return scale.codes if scale else tuple(field.values)

    def screen(self, table: pa.Table) -> Screened:
        """Answer for the patients of a table whose rows stand together by patient."""
        block = make_block(table, self.readers)
        packed, odd = self._sort_out(block)
        codes = self.beside.submit(self.codes, block.rows.columns, table)
        patients = {at: self._one_by_one(block, at) for at in np.flatnonzero(odd).tolist()}
        rows = np.flatnonzero(np.asarray(block.names.is_valid()) & ~odd[block.rows.patient])
        index = self.outcomes.find(packed[rows], lambda at: read_specimens(block.table.take(rows[at]), self.knowledge))
        specimens = [(at, item) for at, patient in patients.items() for item in patient.specimens]
        odd_packed = np.array([self.signatures.of_facts(specimen_facts(item)) for _, item in specimens], np.int64)
        odd_index = self.outcomes.find(odd_packed, lambda at: (specimens[place][1] for place in at))
        of_patient = np.concatenate([block.rows.patient[rows], np.array([at for at, _ in specimens], np.int64)])
        source = np.concatenate([rows, len(block.rows.patient) + np.arange(len(specimens))])
        names = pa.concat_arrays(
            [block.names.take(pa.array(rows)), pa.array([item.specimen_id for _, item in specimens], pa.string())]
        )
        order = np.argsort(of_patient, kind="stable")
        counts = np.bincount(of_patient, minlength=len(block.patients))
        group = Group(np.concatenate([index, odd_index])[order], np.cumsum(counts) - counts, counts)
        facts = self._patient_facts(block, patients)
        answers = self.advice.answer(group, facts)
        said = codes.result()
        if said is not None:
            self.outcomes.check(index, said[rows])
        return Screened(
            block=block,
            group=group,
            patients=answers,
            facts=facts,
            source=source[order],
            names=names.take(pa.array(order)),
            odd=patients,
            odd_specimens=[item for _, item in specimens],
            rejects=[reject for at, patient in patients.items() for reject in self._rejects(block, at, patient)],
        )

    def codes(self, _columns: Mapping[str, Column], _table: pa.Table) -> npt.NDArray[Any] | None:
        """Return what another engine says of each row; the kernel asks none."""
        return None

    def _sort_out(self, block: Block) -> tuple[Ints, Flags]:
        """Return the signature of each row, and the patients who are not plain."""
        rows, settings = block.rows, self.knowledge.settings
        odd = odd_rows(rows, self.fields, settings)
        settle_material(rows.columns, self.fields)
        packed, unsure = self.signatures.of_columns(rows.columns)
        return packed, block.odd_patients | rows.first_of(odd | unsure) | odd_patients(rows, self.fields, settings)

    def _one_by_one(self, block: Block, at: int) -> Patient:
        stops = np.append(block.rows.starts, len(block.rows.patient))
        start = int(block.rows.starts[at])
        return read_patient(block.table.slice(start, int(stops[at + 1]) - start), self.knowledge)

    def _patient_facts(self, block: Block, odd: dict[int, Patient]) -> dict[str, Column]:
        facts = of_patients(block.rows, self.fields, self.knowledge.settings)
        for name, column in facts.items():
            if not odd:
                break
            reader = self.readers[name]
            changed = column.at(np.arange(len(column.values)))  # a copy: the column may be the block's own
            for at, patient in odd.items():
                value = getattr(patient.genes, name, None)
                value = getattr(patient.history, name, None) if value is None else value
                changed.known[at] = value is not None
                changed.values[at] = 0 if value is None else reader.encode(value)
            facts[name] = changed
        return facts

    def _rejects(self, block: Block, at: int, patient: Patient) -> list[Reject]:
        file = block.table[FILE][int(block.rows.starts[at])].as_py() if FILE in block.table.column_names else ""
        return list(rejects_of(patient.issues, patient.patient_id, file))
