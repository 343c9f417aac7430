"""Random specimen tables with everything that a registry can hold, and what ``assess`` says of their patients."""

from __future__ import annotations

import random
from typing import Any

from her2crc.criteria.library import Knowledge
from her2crc.flow import assess, normalise_record
from her2crc.model.verdict import Assessment
from her2crc.read.columns import given_fields
from her2crc.read.table import read_grid

FIELDS = given_fields()
NUMBERS: dict[str, tuple[float, ...]] = {
    "ihc_score": (0, 1, 2, 3),
    "ihc_percent": (0, 5, 9.9, 10, 10.1, 30, 49.9, 50, 50.1, 100, 66.66666667),
    "ish_ratio": (1.0, 1.9, 1.99, 2.0, 2, 2.01, 2.2, 1.9999999, 2.0000001),
    "ish_her2_signals": (20, 40, 80, 81, 79, 88, 200),
    "ish_cep17_signals": (20, 40, 41, 39, 44, 0),
    "ish_nuclei": (20, 40, 60),
    "ish_her2_copies": (2, 3.9, 4.0, 4, 5.9, 6.0, 6, 6.1, 12.5, 6.0000000001),
    "ish_cep17_copies": (1.9, 2.0, 2, 3, 3.05),
    "ish_cell_percent": (0, 49.9, 50, 50.1),
    "ngs_copies": (1, 2, 3.03, 3.04, 3.05, 4, 5.9, 6, 8.42, 9.99, 10, 25, 6.00000001),
    "ngs_fold": (1, 2.5),
    "tumour_purity": (0, 0.05, 0.19, 0.2, 0.21, 0.5, 1, 0.333333333333),
    "plasma_copies": (0, 1.35, 1.7, 1.8, 2, 2.39, 2.4, 2.41, 5, 30),
    "tumour_fraction": (0, 0.01, 0.049, 0.05, 0.051, 0.3, 0.0503778, 1),
    "plasma_max_vaf": (0.01, 0.3),
    "lines_of_therapy": (0, 1, 2, 3),
    "stage": (1, 2, 3, 4),
}
UNUSABLE = ("<3", "n/a?", "1,250", "3/4", "101%")
NAMES = ("patient_id", "specimen_id", *FIELDS)

Rows = list[dict[str, Any]]


def random_rows(seed: int, patients: int, unusable: float) -> Rows:
    """Rows of patients in order; some specimens without a name, some named twice, some contradicting each other."""
    dice = random.Random(seed)
    rows: Rows = []
    for number in range(patients):
        naming = dice.choice(("each", "none", "twice", "mixed") if dice.random() < 0.1 else ("each", "each", "none"))
        about = {name: _value(dice, name, unusable) for name in FIELDS if dice.random() < 0.6}
        for at in range(dice.choice((1, 1, 1, 2, 3))):
            name = {"each": f"A{at}", "none": None, "twice": "A", "mixed": dice.choice(("A", None, "S1"))}[naming]
            row: dict[str, Any] = dict.fromkeys(NAMES) | {"patient_id": f"P{number:05}", "specimen_id": name}
            groups = dice.sample(("ihc", "ish", "tissue", "plasma"), dice.choice((0, 1, 1, 2, 3)))
            for field in FIELDS.values():
                if field.level == "patient":
                    keep = dice.random() < 0.97
                    row[field.name] = about.get(field.name) if keep else _value(dice, field.name, unusable)
                elif field.group in (*groups, "specimen") and dice.random() < 0.5:
                    row[field.name] = _value(dice, field.name, unusable)
            if row["tumour"] and dice.random() < 0.8:
                row["tumour"] = "colorectal"
            rows.append(row)
    return rows


def _value(dice: random.Random, name: str, unusable: float) -> Any:
    field = FIELDS[name]
    if dice.random() < unusable:
        return dice.choice(UNUSABLE)
    if name in NUMBERS:
        return dice.choice(NUMBERS[name])
    if field.type == "code":
        spellings = [*field.values, *(word for words in field.values.values() for word in words)]
        return dice.choice(spellings) if dice.random() < 0.5 else dice.choice([*field.values][:4])
    if field.type == "boolean":
        return dice.choice((True, False))
    return dice.choice(("2020-01-02", "2021-02-03") if field.type == "date" else ("a", "b", "wild_type"))


def assessed(columns: dict[str, list[Any]], knowledge: Knowledge) -> list[Assessment]:
    """What the single case says of each patient of a table given by its columns."""
    cells = zip(*columns.values(), strict=True)
    grid = [(0, list(columns)), *((number, list(row)) for number, row in enumerate(cells, 1))]
    return [assess(normalise_record(record, knowledge), knowledge) for record in read_grid(grid, "the table")]
