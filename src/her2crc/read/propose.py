"""A proposal for a mapping file, from the headers of a table and a sample of its values.

What is not plain is left to a person: a header that may mean two fields, or two columns that may mean the same field,
become comments, never a choice. No value of the table is written into the proposal, except words of a code list.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Literal

import msgspec

from her2crc.errors import InputError
from her2crc.read.column_words import Meaning, code_of, meaning_of, words
from her2crc.read.columns import given_fields
from her2crc.read.dates import possible_orders
from her2crc.read.mapped_cells import ColumnMap, fold, read_cell, unit_of
from her2crc.read.mapping import ColumnMapping, read_sheets
from her2crc.read.patterns import matched
from her2crc.read.rows import Unusable, as_written
from her2crc.read.sniff import ZIP, sniff
from her2crc.read.source import unpack
from her2crc.read.table import LAST_HEADER, Grid, filled_rows, is_empty

Fits = Callable[[str, object], bool]
"""Whether a value can be read as a field."""
PACKED = b"\x1f\x8b"
TABLE_KINDS = ("csv", "xlsx", "report_text", "unknown")
"""What a table may look like: one with headers in another language may pass for prose, or for nothing known."""
Confidence = Literal["high", "medium", "low", "none"]


class ColumnProposal(msgspec.Struct, frozen=True):
    """One column of a table: the ways in which it may be mapped, how sure that is, and why.

    ``accepted`` is true where the mapping uses it: one way, sure enough, and no other column for the same field.
    """

    column: str
    maps: tuple[ColumnMap, ...]
    confidence: Confidence
    why: str
    accepted: bool


class Proposal(msgspec.Struct, frozen=True):
    """A proposed mapping: the columns in their order, the mapping that the accepted ones make, and its YAML."""

    columns: tuple[ColumnProposal, ...]
    mapping: ColumnMapping
    yaml: str


def propose_mapping(data: bytes, name: str, fits: Fits) -> tuple[Proposal, Grid]:
    """Return the proposal for a table of CSV or Excel, and its header with the first rows.

    Raises:
        InputError: this is no table.
    """
    _refuse_other_kinds(data, name)
    encoding = _encoding(data, name)
    sheets = {title: _from_header([*filled_rows(grid)]) for title, grid in read_sheets(data, name, encoding)[1].items()}
    sheets = {title: rows for title, rows in sheets.items() if len(rows) > 1}
    if not sheets:
        raise InputError("The table has no header with rows below it.", where=name, fix="Export it with its header.")
    title = max(sheets, key=lambda title: _known(sheets[title][0][1]))
    rows = sheets[title][: 1 + words().sampled]
    proposed = [_propose(header, [row[at] for row in _padded(rows)], fits) for at, header in _headers(rows[0][1])]
    columns = _without_rivals(proposed)
    accepted = tuple(column.maps[0] for column in columns if column.accepted)
    mapping = ColumnMapping(accepted, sheet=title if len(sheets) > 1 else "", encoding=encoding)
    return Proposal(columns, mapping, _as_yaml(columns, mapping, name)), rows[: 1 + words().previewed]


def _refuse_other_kinds(data: bytes, name: str) -> None:
    """Refuse what is read without a mapping: its first line is no header, and may hold a patient's name."""
    kind = sniff(unpack(data, name) if data.startswith(PACKED) else data, name)
    if kind not in TABLE_KINDS:
        raise InputError(
            "This is no table of CSV or Excel with columns of its own.",
            where=name,
            fix="Such a file needs no mapping: try `her2crc read`.",
        )


def _encoding(data: bytes, name: str) -> str:
    """Return the character set by which most headers are known, of a CSV file that is not UTF-8; else empty."""
    if data.startswith((PACKED, *ZIP)) or not any(note.id == "read_as_latin_1" for note in read_sheets(data, name)[0]):
        return ""
    return max(("", *words().encodings), key=lambda encoding: _known_in(data, name, encoding))


def _known_in(data: bytes, name: str, encoding: str) -> int:
    try:
        _, sheets = read_sheets(data, name, encoding)
    except InputError:
        return 0
    return sum(_known(cells) for grid in sheets.values() for _, cells in islice(grid, LAST_HEADER))


def _from_header(rows: list[tuple[int, Sequence[object]]]) -> list[tuple[int, Sequence[object]]]:
    """Return the rows from the one on that has most known headers, at least two; else from the first."""
    known = [_known(cells) for _, cells in rows[:LAST_HEADER]]
    most = max(known, default=0)
    return rows[known.index(most) :] if most > 1 else rows


def _known(header: Sequence[object]) -> int:
    return sum(bool(meaning_of(str(cell)).fields) for cell in header if not is_empty(cell))


def _headers(header: Sequence[object]) -> Iterator[tuple[int, str]]:
    times = Counter(fold(cell) for cell in header)
    return ((at, str(cell).strip()) for at, cell in enumerate(header) if not is_empty(cell) and times[fold(cell)] == 1)


def _padded(rows: list[tuple[int, Sequence[object]]]) -> list[list[object]]:
    width = len(rows[0][1])
    return [[*cells, *[None] * (width - len(cells))] for _, cells in rows[1:]]


def _propose(header: str, cells: list[object], fits: Fits) -> ColumnProposal:
    values = [value for value in map(as_written, cells) if value is not None and not isinstance(value, Unusable)]
    meaning = meaning_of(header)
    maps = tuple(way for field in meaning.fields for way in _ways(header, field, meaning, values, fits))
    if len(maps) != 1 and len(meaning.fields) == 1:
        return ColumnProposal(header, maps, "low", "the days may be written with the day or the month first", False)
    if len(maps) != 1:
        why = "the header may mean more than one field" if maps else "nothing in the header is known"
        return ColumnProposal(header, maps, "low" if maps else "none", why, False)
    return _rated(maps[0], meaning, values, fits)


def _rated(column: ColumnMap, meaning: Meaning, values: Sequence[object], fits: Fits) -> ColumnProposal:
    known = "the header is known" if meaning.whole else "the header holds known words"
    if not values:
        return ColumnProposal(column.column, (column,), "medium", f"{known}; there is no value to check", True)
    good = sum(_reads(column, value, fits) for value in values)
    share, enough = Decimal(good) / len(values), meaning.whole
    why = f"{known}; {good} of {len(values)} values can be read"
    if share < words().some:
        return ColumnProposal(column.column, (column,), "low", why, False)
    sure = enough and share >= words().enough and not column.unit
    return ColumnProposal(column.column, (column,), "high" if sure else "medium", why, True)


def _reads(column: ColumnMap, value: object, fits: Fits) -> bool:
    read = dict(zip(column.fields, read_cell(column, value), strict=True))
    return all(not isinstance(part, Unusable) and (part is None or fits(name, part)) for name, part in read.items())


def _ways(header: str, field: str, meaning: Meaning, values: Sequence[object], fits: Fits) -> tuple[ColumnMap, ...]:
    """Return the ways to read the column as the field: several only for days that can be read in several orders."""
    known = given_fields().get(field)
    if known is not None and known.type == "date" and not all(fits(field, value) for value in values):
        orders = possible_orders(map(str, values), header, words().dates)
        return tuple(ColumnMap(column=header, field=field, date=order) for order in orders or ("",))
    column = _map(header, field, values, fits)
    return (msgspec.structs.replace(column, gene=meaning.gene) if meaning.gene and not column.capture else column,)


def _map(header: str, field: str, values: Sequence[object], fits: Fits) -> ColumnMap:
    """Return the plainest way to read the column as the field: as written, converted, translated or captured."""
    column = ColumnMap(column=header, field=field, unit=_unit(field, values), values=_translations(field, values, fits))
    good = sum(_reads(column, value, fits) for value in values)
    forms = [
        ColumnMap(column=header, capture=form.pattern)
        for form in words().forms
        if field in form.header and sum(matched(form.pattern, str(value)) is not None for value in values) > good
    ]
    return forms[0] if forms else column


def _unit(field: str, values: Sequence[object]) -> Literal["percent", "fraction", ""]:
    """Return the unit of the column where its range tells that it is not the field's own."""
    own, numbers = unit_of(field), [number for value in values if (number := _number(value)) is not None]
    if own == "fraction" and any(number > 1 for number in numbers):
        return "percent"
    whole = all(number == number.to_integral_value() for number in numbers)
    if own == "percent" and numbers and all(0 <= number <= 1 for number in numbers) and not whole:
        return "fraction"
    return ""


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value).replace(",", "."))
    except ArithmeticError:
        return None


def _translations(field: str, values: Sequence[object], fits: Fits) -> dict[str, str]:
    """Return the words among the values that one of the languages has for a code, and the code."""
    known = given_fields().get(field)
    if known is None:
        return {}
    said = {str(value): code_of(field, str(value)) for value in values if not fits(field, value)}
    return {word: code for word, code in sorted(said.items()) if code is not None}


def _without_rivals(proposed: list[ColumnProposal]) -> tuple[ColumnProposal, ...]:
    """Leave out every column that fills a field which another one may fill too: a person chooses."""
    fields = Counter(filled for item in proposed for filled in _filled(item))
    rivals = {field for field, times in fields.items() if times > 1}
    return tuple(
        msgspec.structs.replace(item, accepted=False, why=f"{item.why}; another column may be the same field")
        if rivals & _filled(item)
        else item
        for item in proposed
    )


def _filled(item: ColumnProposal) -> frozenset[tuple[str, str]]:
    """Return what the column may fill: fields, with the gene where it is only one of the marker's."""
    return frozenset((name, way.gene) for way in item.maps for name in way.fields)


def _as_yaml(columns: tuple[ColumnProposal, ...], mapping: ColumnMapping, name: str) -> str:
    lines = [f"# Proposed by `her2crc map` for {_quoted(name)}. Check every line, then use it with --mapping."]
    if mapping.encoding:
        lines.append(f"encoding: {mapping.encoding}")
    if mapping.sheet:
        lines.append(f"sheet: {_quoted(mapping.sheet)}")
    lines.append("columns:" if mapping.columns else "columns: []")
    for item in columns:
        if item.maps:
            lines.append(
                f"  # {item.confidence}: {item.why}" + ("" if item.accepted else "; take the # away to use it")
            )
            lines += [("  - " if item.accepted else "  # - ") + _flow(way) for way in item.maps]
    unknown = [_quoted(item.column) for item in columns if not item.maps]
    if len(unknown) == len(columns):
        lines.append(
            "# no header of the table is known; none is repeated here, since the first row may hold no headers"
        )
    elif unknown:
        lines.append(f"# not mapped, nothing in these headers is known: {', '.join(unknown)}")
    if not any("tumour" in way.fields for way in mapping.columns):
        lines.append("# constants: {tumour: colorectal} # if it holds for every row, take the first # away")
    return "\n".join(lines) + "\n"


def _flow(way: ColumnMap) -> str:
    parts = [f"column: {_quoted(way.column)}"]
    parts += [f"field: {way.field}"] if way.field else ["capture: '" + way.capture.replace("'", "''") + "'"]
    if way.values:
        parts.append("values: {" + ", ".join(f"{_quoted(a)}: {_quoted(b)}" for a, b in way.values.items()) + "}")
    parts += [f"{key}: {value}" for key in ("gene", "unit", "date") if (value := getattr(way, key))]
    return "{" + ", ".join(parts) + "}"


def _quoted(text: str) -> str:
    """Return a text as YAML, on one line: JSON is YAML too, but for signs that cannot be printed."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)
