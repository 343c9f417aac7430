"""The names a file may use for its columns and keys, and how a name as written is matched to one of them.

Shared by the readers of tables and of JSON. The names themselves come from ``knowledge/fields.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache

from her2crc.criteria.cache import load_editions
from her2crc.criteria.fields import Field
from her2crc.model.record import Issue

PATIENT_ID = "patient_id"
SPECIMEN_ID = "specimen_id"
SPACING = re.compile(r"[\s_-]+")
LONGEST_NAME = 40
"""Characters of an unknown name that a message repeats; a longer one is no column name."""
MOST_NAMES = 20
"""Unknown names that a message repeats when no known name is near; wide tables have thousands."""


@cache
def fields() -> dict[str, Field]:
    """Return every field of the shipped list, by name."""
    return load_editions().fields


@cache
def given_fields() -> dict[str, Field]:
    """Return the fields that a file can give: all but the derived ones."""
    return {name: field for name, field in fields().items() if not field.derived_from}


@cache
def columns() -> tuple[str, ...]:
    """Return every column name of the specimen table."""
    return (PATIENT_ID, SPECIMEN_ID, *given_fields())


@cache
def specimen_columns() -> frozenset[str]:
    """Return the columns that tell of one specimen, not of the whole patient."""
    of_specimens = (name for name, field in given_fields().items() if field.level == "specimen")
    return frozenset((SPECIMEN_ID, *of_specimens))


@cache
def groups() -> frozenset[str]:
    """Return the names under which a nested patient (an earlier result) keeps its fields together."""
    return frozenset(field.group for field in given_fields().values())


def canonical(written: object) -> str:
    """Return a name in lower case, with underscores for blanks and hyphens."""
    return SPACING.sub("_", str(written).strip().lower())


def near(written: str) -> str | None:
    """Return the known name that a misspelt one most likely means."""
    return next(iter(get_close_matches(canonical(written), columns(), n=1, cutoff=0.8)), None)


def meant_patient_id(written: Iterable[str]) -> str:
    """Return what to do when ``patient_id`` is missing: other names are repeated only if they are near it."""
    for name in written:
        if near(name) == PATIENT_ID:
            return f"Did you mean it by '{name}'? Rename it."
    return (
        "Every patient needs a patient_id. For a table with other columns make a mapping with `her2crc map`."
        " (A table of a copy-number caller goes to `her2crc measure tissue`.)"
    )


def unknown_names(written: Iterable[str], place: str) -> tuple[Issue, ...]:
    """Return the one warning about all names of a file that are not known, or nothing."""
    explained, plain = [], []
    for name in dict.fromkeys(written):
        shown, remark = name[:LONGEST_NAME], _remark(name)
        if remark:
            explained.append(f"{shown}: {remark}")
        else:
            plain.append(shown)
    if not explained and not plain:
        return ()
    text = f"Names that are not known were ignored: {'; '.join(_shortened(plain) + explained)}"
    return (Issue("warning", "unknown_names", text, place=place),)


def _remark(name: str) -> str:
    if canonical(name) in fields():
        return "this is computed, it cannot be given"
    meant = near(name)
    return f"did you mean {meant}?" if meant else ""


def _shortened(names: Sequence[str]) -> list[str]:
    more = len(names) - MOST_NAMES
    return [*names[:MOST_NAMES], *([f"and {more} more"] if more > 0 else [])]
