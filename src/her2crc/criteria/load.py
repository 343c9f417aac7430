"""Criteria files into criteria sets: strict, typed, every condition parsed, every citation resolved.

A file that is wrong is refused whole, with file, line, key and what is allowed there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.nodes import And, IsNull, Node, Not, OneOf, Or
from her2crc.criteria.parse import ConditionError, parse_condition
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.criteria.strict_yaml import line_of, load_strict
from her2crc.errors import KnowledgeError
from her2crc.model.citation import Citation, Reference

Confidence = Literal["primary", "secondary", "unverified"]
ReviewState = Literal["submitted", "under_review", "approved"]


class _FieldFile(msgspec.Struct, forbid_unknown_fields=True):
    fields: list[Field]


SET_ID = re.compile(r"[a-z][a-z0-9_]*")


class RowFile(msgspec.Struct, forbid_unknown_fields=True):
    """A deciding row as it stands in a file."""

    id: str
    when: str
    then: Literal["positive", "negative", "equivocal", "indeterminate"]
    says: str
    cite: list[Citation]
    needs: list[str] = []


class SilentFile(msgspec.Struct, forbid_unknown_fields=True):
    """A situation that the source does not cover, as it stands in a file."""

    id: str
    when: str
    why: str
    cite: list[Citation]


class SetFile(msgspec.Struct, forbid_unknown_fields=True):
    """A criteria file."""

    id: str
    name: str
    role: Literal["rule", "contrast", "unseen"]
    tumour: str
    judges: Literal["tissue", "plasma"]
    method: Literal["ihc_ish", "ish", "copies", "any"]
    confidence: Confidence
    effective: date
    effective_precision: Literal["day", "month", "year"]
    reviewed_on: date
    review_state: ReviewState
    summary: str
    cite: list[Citation]
    references: list[Reference] = []
    define: dict[str, str] = {}
    rows: list[RowFile] = []
    silent: list[SilentFile] = []
    monotone: list[str] = []
    open_questions: list[str] = []


def load_fields(path: Path) -> dict[str, Field]:
    """Read the list of fields, in file order, by name."""
    fields: dict[str, Field] = {}
    for field in load_strict(path, _FieldFile).fields:
        if field.name in fields:
            raise KnowledgeError(
                f"the field '{field.name}' is defined twice",
                where=f"{path.name}:{line_of(path, 'name: ' + field.name)}",
                fix="Keep one of the two.",
            )
        fields[field.name] = field
    return fields


def load_set(
    path: Path, fields: Mapping[str, Field], references: Sequence[str], origin: str = "shipped"
) -> CriteriaSet:
    """Read one criteria file.

    Raises:
        KnowledgeError: anything in it is not as it must be; the message names file, line and key.
    """
    raw = load_strict(path, SetFile)
    build = Assembly(path, fields, [*references, *(own.id for own in raw.references)])
    build.check_head(raw)
    defined: dict[str, Node] = {}
    for name, text in raw.define.items():
        if name in fields:
            raise build.error(f"'{name}' is a field already and cannot be defined anew", name)
        defined[name] = build.condition(text, defined)
    rows = [build.row(row, defined) for row in raw.rows] + [build.silence(item, defined) for item in raw.silent]
    build.check_unique([row.id for row in rows])
    return CriteriaSet(
        id=raw.id,
        name=raw.name,
        role=raw.role,
        tumour=raw.tumour,
        judges=raw.judges,
        method=raw.method,
        confidence=raw.confidence,
        effective=raw.effective,
        effective_precision=raw.effective_precision,
        reviewed_on=raw.reviewed_on,
        review_state=raw.review_state,
        summary=raw.summary,
        cite=build.citations(raw.cite),
        applies=_applies(raw),
        rows=tuple(rows),
        monotone=tuple(raw.monotone),
        open_questions=tuple(raw.open_questions),
        origin=origin,
        references=tuple(raw.references),
        define={name: " ".join(text.split()) for name, text in raw.define.items()},
    )


def _applies(raw: SetFile) -> Node:
    """When a set applies: the right tumour (contrast sets: any) and the right kind of material.

    A tumour or specimen kind that is not stated does not exclude a set.
    """
    plasma = OneOf("specimen_kind", ("plasma",))
    known_plasma = And((Not(IsNull("specimen_kind")), plasma))
    if raw.judges == "plasma":
        material: Node = Or((known_plasma, Not(IsNull("plasma_copies"))))
    else:
        material = Not(known_plasma)
    if raw.role == "contrast":
        return material
    return And((Or((IsNull("tumour"), OneOf("tumour", (raw.tumour,)))), material))


class Assembly:
    """Checks and parses the parts of one file; every complaint names the file and the line."""

    def __init__(self, path: Path, fields: Mapping[str, Field], references: Sequence[str]) -> None:
        self.path, self.fields, self.references = path, fields, references

    def error(self, what: str, near: str, fix: str = "") -> KnowledgeError:
        """Return an error at the first line that holds ``near``."""
        return KnowledgeError(what, where=f"{self.path.name}:{line_of(self.path, near)}", fix=fix)

    def check_head(self, raw: SetFile) -> None:
        """Check what a type cannot: dates, tumour, role and monotone fields."""
        if not SET_ID.fullmatch(raw.id):
            raise self.error(f"'{raw.id}' cannot be an id", "id:", "Use small letters, digits and underscores.")
        if raw.reviewed_on < raw.effective and raw.effective_precision == "day":
            raise self.error("reviewed_on lies before effective", "reviewed_on")
        if raw.tumour not in self.fields["tumour"].values:
            allowed = ", ".join(self.fields["tumour"].values)
            raise self.error(f"unknown tumour '{raw.tumour}'", "tumour:", f"Allowed: {allowed}.")
        if (raw.role == "unseen") == bool(raw.rows):
            raise self.error("a set has rows, or the role 'unseen' and no rows", "role:")
        for name in raw.monotone:
            self.check_field(name, "monotone")

    def check_field(self, name: str, near: str) -> None:
        """Refuse a name that is not a field."""
        if name not in self.fields:
            raise self.error(f"'{name}' is not a field", near, "See `her2crc criteria fields`.")

    def check_unique(self, ids: Sequence[str]) -> None:
        """Refuse a row id that stands twice."""
        for row_id in ids:
            if ids.count(row_id) > 1:
                raise self.error(f"the row id '{row_id}' stands twice", f"id: {row_id}", "Give each row its own.")

    def condition(self, text: str, defined: Mapping[str, Node]) -> Node:
        """Parse a condition."""
        try:
            return parse_condition(text, self.fields, defined)
        except ConditionError as error:
            raise self.error(f"in the condition: {error}", text) from None

    def citations(self, cited: Sequence[Citation], near: str = "cite:") -> tuple[Citation, ...]:
        """Refuse a missing citation and one that is not in ``references.yaml``."""
        if not cited:
            raise self.error("a citation is missing", near, "Every row names its source and the place in it.")
        for citation in cited:
            if citation.ref not in self.references:
                fix = "A set of your own may list its sources under `references`."
                raise self.error(f"'{citation.ref}' is not in references.yaml", citation.ref, fix)
        return tuple(cited)

    def row(self, raw: RowFile, defined: Mapping[str, Node]) -> Row:
        """Build a deciding row."""
        for name in raw.needs:
            self.check_field(name, f"id: {raw.id}")
        when, cite = self.condition(raw.when, defined), self.citations(raw.cite, f"id: {raw.id}")
        return Row(raw.id, when, raw.when, raw.then, raw.says, cite, tuple(raw.needs))

    def silence(self, raw: SilentFile, defined: Mapping[str, Node]) -> Row:
        """Build a silent row."""
        when, cite = self.condition(raw.when, defined), self.citations(raw.cite, f"id: {raw.id}")
        return Row(raw.id, when, raw.when, "not_covered", raw.why, cite)
