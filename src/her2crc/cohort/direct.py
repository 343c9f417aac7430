"""From Arrow columns straight to outcomes, at the speed of reading them: verdicts of specimens and nothing beside.

For whoever wants the verdicts of chosen sets of a table of one row a specimen. Only the columns that the sets read are
touched, and only the places of their values are made, never the values: a text by the number of its word, a double by
comparing it with the doubles of the thresholds. That is exact: a threshold of at most 15 digits is the shortest
decimal of its double, and two doubles are in the order of their shortest decimals. Rows of which this cannot be said,
and tables whose columns can contradict or complete each other, go the way of ``screen`` or of the single case.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2crc.cohort.outcomes import Outcomes, conditions_of, disagree
from her2crc.cohort.plain import PLASMA_FINDINGS, Rows, odd_rows, settle_material
from her2crc.cohort.reference import PLACE, read_patient, read_specimens, specimen_fields
from her2crc.cohort.signatures import ABSENT, KNOWN, Scale, Signatures
from her2crc.cohort.values import FINEST, MILLION, ColumnReader, Ints, absent, value_range
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.kernel import EMPTY, Seen, add_doubles, add_table, add_tumour_copies, count_each, look_up
from her2crc.criteria.library import Knowledge
from her2crc.criteria.nodes import fields_read
from her2crc.errors import UsageError
from her2crc.model.patient import Specimen
from her2crc.model.quantity import DIPLOID
from her2crc.normalise import specimen_facts
from her2crc.normalise.values import UnusableError, read_value
from her2crc.read.columns import PATIENT_ID, given_fields
from her2crc.read.rows import Unusable, as_written

COUNTS = ("ish_her2_signals", "ish_cep17_signals", "ish_nuclei", "ish_her2_copies", "ish_cep17_copies")
TOGETHER = (frozenset({"site", "specimen_kind"}), frozenset({"ngs_call", "ngs_copies"}))
"""Columns that can contradict or complete each other where a table has both; plasma findings and counts always can."""
CHUNK = 32_768
"""Rows worked on at once, so that they stay in the processor's cache from column to column."""
FIRST = 2
"""The line of the first word in a table of what words add."""
BYTE = 8
SHORT = 1 << 10
ALL = np.ones(CHUNK, np.uint8)
"""Stands for the flags of a column in which nothing is missing."""
DENSE = 1 << 20
"""Up to so many different codes, each has its own place in a table; beyond, a hash table finds them."""
MARK = 1 << 56
"""Added to the code of a row that holds a value that cannot be used: it goes the way of the single case."""


class Part(NamedTuple):
    """What one fact adds to the code of a row: its scale, and the step from one of its places to the next."""

    scale: Scale
    step: int


class Direct:
    """Finds the outcome of every specimen of a table under some sets; what it has learnt serves the next table.

    Args:
        knowledge: what to judge by.
        sets: the sets wanted by name; all if not given.

    Raises:
        UsageError: there is no such set.
    """

    def __init__(self, knowledge: Knowledge, sets: Sequence[str] | None = None) -> None:
        unknown = [name for name in sets or () if name not in knowledge.criteria]
        if unknown:
            raise UsageError(f"There is no set '{unknown[0]}'", fix=f"Choose of {', '.join(knowledge.criteria)}.")
        wanted = {name: knowledge.criteria[name] for name in sets or knowledge.criteria}
        self.knowledge = msgspec.structs.replace(knowledge, criteria=wanted, tests=())
        self.signatures = Signatures(self.knowledge)
        self.outcomes = Outcomes(self.knowledge, self.signatures)
        self.readers = {name: ColumnReader(field, self._codes(name)) for name, field in given_fields().items()}
        read = {name for item in wanted.values() for node in conditions_of(item) for name in fields_read(node)}
        self.read = read | {base for name in read for base in knowledge.fields[name].derived_from}
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def _codes(self, name: str) -> tuple[str, ...]:
        return self.signatures.scales[name].codes if name in self.signatures.scales else ()

    def columns(self, names: Collection[str]) -> list[str]:
        """Return which of a table's columns have to be read."""
        own = set(names) & specimen_fields()
        if _cross(own):
            return sorted(own)
        return sorted(own & self.read)

    def find(self, table: pa.Table) -> npt.NDArray[np.int32]:
        """Return the index of each row's outcomes in ``outcomes.of_set``, which has a column for each set."""
        names = [name for name in self.columns(table.column_names) if table[name].null_count < table.num_rows]
        table = table.select(names)
        if _cross(names) or not all(_fast(table[name].type, given_fields()[name]) for name in names):
            return self._by_columns(table)
        layout = self._layouts.setdefault(tuple(names), Layout(names, self))
        return layout.find(table)

    def count(self, tables: Iterable[pa.Table]) -> Ints:
        """Return for each set (a line) and status (a column) how many rows of some tables there are."""
        rows = np.zeros(0, np.int64)
        for table in tables:
            index = self.find(table)
            rows = np.pad(rows, (0, len(self.outcomes.specimens) - len(rows)))
            count_each(index, rows)
        return self.outcomes.count(rows)

    def single(self, table: pa.Table, row: int) -> tuple[int, Specimen]:
        """Return the index of one row's outcomes by the single case, and its specimen."""
        one = table.slice(row, 1).append_column(PATIENT_ID, pa.array(["P"])).append_column(PLACE, pa.array(["row"]))
        found = read_patient(one, self.knowledge).specimens
        specimen = found[0] if found else Specimen("S1")
        signature = np.array([self.signatures.of_facts(specimen_facts(specimen))], np.int64)
        return int(self.outcomes.find(signature, lambda _: [specimen])[0]), specimen

    def _by_columns(self, table: pa.Table) -> npt.NDArray[np.int32]:
        """Go the way of ``screen``, where columns can contradict or complete each other."""
        fields, settings, length = given_fields(), self.knowledge.settings, table.num_rows
        columns = {
            name: reader.read(table[name].combine_chunks()) if name in table.column_names else absent(length)
            for name, reader in self.readers.items()
        }
        each = np.arange(length)
        odd = odd_rows(Rows(columns, each, each), fields, settings)
        settle_material(columns, fields)
        packed, unsure = self.signatures.of_columns(columns)
        odd |= unsure
        plain = np.flatnonzero(~odd)
        index = np.empty(length, np.int32)
        index[plain] = self.outcomes.find(
            packed[plain], lambda at: read_specimens(table.take(plain[at]), self.knowledge)
        )
        for row in np.flatnonzero(odd).tolist():
            index[row] = self.single(table, row)[0]
        return index


def _cross(names: Collection[str]) -> bool:
    """Tell whether columns of a table can contradict or complete each other."""
    return any(name in COUNTS or name in PLASMA_FINDINGS for name in names) or any(
        pair <= set(names) for pair in TOGETHER
    )


def _fast(kind: pa.DataType, field: Field) -> bool:
    """Tell whether a column of this type is coded without its values being made."""
    if field.type in NUMERIC:
        return _is_number(kind)
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind))


def tables_of(path: Path, direct: Direct) -> Iterator[pa.Table]:
    """Yield what the sets read of each row group of a Parquet file: numbers read by polars, texts by pyarrow.

    Each library is the faster one at its part; pyarrow hands on the numbers of the words as the file has them. A word
    that the file's own statistics show to stand in every row is not read at all.
    """
    import polars as pl
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    names = direct.columns(schema.names)
    texts = [name for name in names if pa.types.is_string(schema.field(name).type)]
    others = [name for name in names if name not in texts]
    start = 0
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            found = {name: _same_everywhere(word, group.num_rows) for name, word in _only_words(group, texts)}
            table = file.read_row_group(number, [name for name in texts if name not in found], use_threads=False)
            rest = pl.scan_parquet(path).slice(start, group.num_rows).select(others).collect().to_arrow()
            start += group.num_rows
            found |= dict(zip(table.column_names, table.columns, strict=True))
            found |= dict(zip(rest.column_names, rest.columns, strict=True))
            yield pa.table({name: found[name] for name in names})


def _only_words(group: Any, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the columns of texts of a row group in which one word stands in every row, with that word."""
    for at in range(group.num_columns):
        column = group.column(at)
        told = column.statistics if column.path_in_schema in texts else None
        if told and told.has_min_max and told.has_null_count and not told.null_count and told.min == told.max:
            yield column.path_in_schema, told.min


def _same_everywhere(word: str, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(_zeros(rows), pa.array([word]), safe=False)


@lru_cache(2)
def _zeros(rows: int) -> pa.Array:
    return pa.array(np.zeros(rows, np.int32))


class Cells(NamedTuple):
    """A column's numbers, or those of its words, and which of them are there."""

    values: npt.NDArray[Any]
    valid: npt.NDArray[np.uint8]
    words: tuple[object, ...] = ()

    def slice(self, start: int, stop: int) -> Cells:
        """Return some of the rows."""
        values = self.values[start:stop]
        return Cells(values, ALL[: len(values)] if self.valid is ALL else self.valid[start:stop], self.words)

    def as_doubles(self) -> npt.NDArray[np.float64]:
        """Return the numbers as doubles; whole ones beyond their digits are out of any range."""
        return self.values.astype(np.float64, copy=False)


class Layout:
    """How the rows of tables with the same columns are coded, and the outcomes of the codes seen so far."""

    def __init__(self, names: Sequence[str], owner: Direct) -> None:
        self.owner, self.parts = owner, {}
        scales, step = owner.signatures.scales, 1
        for name, scale in scales.items():
            bases = scale.field.derived_from
            if name in names or (bases and scale.field.group != "ish" and set(bases) <= set(names)):
                self.parts[name] = Part(scale, step)
                step *= scale.size
        if step >= MARK:
            raise UsageError(
                "The table has more columns of facts than can be coded at once.", fix="Use screen, or name fewer sets."
            )
        self._dense = np.full(step + 1, EMPTY, np.int32) if step <= DENSE else None
        self._seen, self._indexes = Seen(), np.zeros(0, np.int32)
        self._tables: dict[tuple[str, tuple[object, ...]], Ints] = {}

    def find(self, table: pa.Table) -> npt.NDArray[np.int32]:
        """Return the index of each row's outcomes."""
        if not table.num_rows:
            return np.zeros(0, np.int32)
        cells = {name: _cells(_whole(table[name])) for name in table.column_names}
        found = np.empty(table.num_rows, np.int32)
        constant = [name for name, cell in cells.items() if len(cell.words) == 1 and cell.valid is ALL]
        for start in range(0, table.num_rows, CHUNK):
            some = {name: cell.slice(start, start + CHUNK) for name, cell in cells.items()}
            length = min(CHUNK, table.num_rows - start)
            codes = np.full(length, sum(self._table(name, cells[name].words)[FIRST] for name in constant), np.int64)
            for name in self.parts:
                if name not in constant:
                    self._add(name, some, codes)
            found[start : start + CHUNK] = self._look_up(codes, table.slice(start, CHUNK))
        return found

    def _add(self, name: str, cells: Mapping[str, Cells], codes: Ints) -> None:
        (scale, step), cell = self.parts[name], cells.get(name)
        if cell is None:
            copies, fraction = (cells[base] for base in scale.field.derived_from)
            pairs = copies.as_doubles(), copies.valid, fraction.as_doubles(), fraction.valid
            add_tumour_copies(codes, *pairs, _limits(scale), DIPLOID, MILLION, KNOWN, step, MARK)
        elif scale.field.type not in NUMERIC:
            add_table(codes, cell.values, cell.valid, 0, self._table(name, cell.words))
        elif cell.values.dtype.kind != "f" and _is_short(scale.field):
            low, high = int(scale.field.minimum or 0), int(scale.field.maximum or 0)
            add_table(codes, cell.values, cell.valid, low, self._table(name, tuple(range(low, high + 1))))
        else:
            ways = *value_range(scale.field), FINEST, MILLION, scale.field.type == "integer", KNOWN, step, MARK
            add_doubles(codes, cell.as_doubles(), cell.valid, _limits(scale), *ways)

    def _table(self, name: str, words: tuple[object, ...]) -> Ints:
        """Return what each word of a column adds to a code, after what no word does; any other is marked."""
        if (name, words) not in self._tables:
            scale, step = self.parts[name]
            places = [_place(scale, word) for word in words]
            steps = [MARK if place is None else place * step for place in places]
            # in the order of the lines that the kernel looks up: none, below the first, FIRST ..., beyond the last
            self._tables[name, words] = np.array([ABSENT, MARK, *steps, MARK], np.int64)
        return self._tables[name, words]

    def _look_up(self, codes: Ints, table: pa.Table) -> npt.NDArray[np.int32]:
        found, missing = self._known(codes)
        if missing:
            new = np.flatnonzero((found == EMPTY) & (codes < MARK))
            distinct, first = np.unique(codes[new], return_index=True)
            for code, row in zip(distinct.tolist(), new[first].tolist(), strict=True):
                self._learn(code, *self.owner.single(table, row))
            found, _ = self._known(codes)
            for row in np.flatnonzero(codes >= MARK).tolist():
                found[row] = self.owner.single(table, row)[0]
        return found

    def _known(self, codes: Ints) -> tuple[npt.NDArray[np.int32], int]:
        if self._dense is not None:
            found = np.empty(len(codes), np.int32)
            return found, look_up(codes, self._dense, found)
        at, missing = self._seen.find(codes)
        return (np.append(self._indexes, EMPTY).astype(np.int32).take(at), missing)

    def _learn(self, code: int, index: int, specimen: Specimen) -> None:
        facts = specimen_facts(specimen)
        if sum(self.owner.signatures.place(name, facts) * part.step for name, part in self.parts.items()) != code:
            raise disagree("The columns and the single case read a specimen differently.")
        if self._dense is not None:
            self._dense[code] = index
        else:
            self._seen.add(code)
            self._indexes = np.append(self._indexes, np.int32(index))


def _place(scale: Scale, word: object) -> int | None:
    """Return the place of what is written in a cell, None where it cannot be used."""
    written = as_written(word)
    if isinstance(written, Unusable):
        return None
    try:
        value = read_value(scale.field, written)
    except UnusableError:
        return None
    return scale.place(value)  # type: ignore[arg-type]  # no fact of a specimen is a date


def _is_short(field: Field) -> bool:
    """Tell whether a field has so few whole numbers that each has a line in a table."""
    return field.minimum is not None and field.maximum is not None and field.maximum - field.minimum < SHORT


def _limits(scale: Scale) -> tuple[float, ...]:
    """Return the thresholds as doubles; for want of any, one that no number reaches."""
    return tuple(float(limit) for limit in scale.thresholds) or (math.inf,)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _cells(array: Any) -> Cells:
    """Return an array's numbers without a copy; texts as the numbers of their words."""
    if pa.types.is_dictionary(array.type) or not _is_number(array.type):
        coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        return _cells(coded.indices)._replace(words=tuple(coded.dictionary.to_pylist()))
    bits, data = array.buffers()
    kind = np.dtype(array.type.to_pandas_dtype())
    values = np.frombuffer(data, kind, len(array), array.offset * kind.itemsize)
    if not array.null_count:
        return Cells(values, ALL)
    first = array.offset // BYTE
    flags = np.unpackbits(np.frombuffer(bits, np.uint8)[first : first + len(array) // BYTE + 2], bitorder="little")
    return Cells(values, flags[array.offset % BYTE :][: len(array)])


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_float64(kind))
