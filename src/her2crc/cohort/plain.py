"""``normalise`` for many patients at once, as far as nothing in their rows is unusual.

A patient is *plain* when every cell can be used, no two rows speak of one specimen or contradict each other, and no
finding contradicts another. For plain patients this module gives the same facts as ``normalise``; all others are told
apart by tests that err only on the safe side, and go to the reference path one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from her2crc.cohort.values import UNIT, Column, Flags, Ints, decimals_of, to_units
from her2crc.criteria.fields import Field
from her2crc.criteria.library import Settings
from her2crc.model.dilution import shortfall
from her2crc.model.patient import IHC, ISH, Plasma, TissueCopyNumber
from her2crc.normalise.conflicts import PLASMA_READING
from her2crc.normalise.patient import DISTANT

DECIMALS_KEPT = 6
TISSUE_FINDINGS = tuple(name for kind in (IHC, ISH, TissueCopyNumber) for name in kind.__struct_fields__)
PLASMA_FINDINGS = Plasma.__struct_fields__
SLACK = 1e-5
"""Copies: more than whole units and the rounding of doubles can take from a reading."""


class Rows(NamedTuple):
    """Rows of whole patients: the columns by name, the patient of each row, and the first row of each patient."""

    columns: dict[str, Column]
    patient: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def first_of(self, flags: Flags) -> Flags:
        """Return for each patient whether any of its rows has the flag."""
        return np.logical_or.reduceat(flags, self.starts) if len(self.starts) else flags


def odd_rows(rows: Rows, fields: Mapping[str, Field], settings: Settings) -> Flags:
    """Return the rows in which a cell cannot be used, or whose findings may contradict each other."""
    odd = np.zeros(len(rows.patient), np.bool_)
    for column in rows.columns.values():
        odd |= column.odd
    odd |= _may_contradict(rows.columns, "ish_ratio", "ish_her2_signals", "ish_cep17_signals")
    odd |= _may_contradict(rows.columns, "ish_her2_copies", "ish_her2_signals", "ish_nuclei")
    odd |= _may_contradict(rows.columns, "ish_cep17_copies", "ish_cep17_signals", "ish_nuclei")
    odd |= _means_may_contradict(rows.columns)
    odd |= _no_control(rows.columns, "ish_cep17_signals") | _no_control(rows.columns, "ish_cep17_copies")
    odd |= _call_may_contradict(rows.columns, fields["ngs_call"], settings)
    odd |= _reading_may_be_unexplained(rows.columns, settings)
    return odd | _material_contradicts(rows.columns, fields)


def odd_patients(rows: Rows, fields: Mapping[str, Field], settings: Settings) -> Flags:
    """Return the patients whose rows contradict each other in what they say of the patient."""
    odd = np.zeros(len(rows.starts), np.bool_)
    for name, field in fields.items():
        if field.level == "patient" and name in rows.columns:
            odd |= _differs(rows, rows.columns[name])
    metastatic, stage = rows.columns["metastatic"], rows.columns["stage"]
    not_metastatic = rows.first_of(metastatic.known & (metastatic.values == 0))
    last_stage = rows.first_of(stage.known & (stage.values == settings.metastatic_stage * UNIT))
    site, codes = rows.columns["site"], [*fields["site"].values]
    distant = rows.first_of(site.known & np.isin(site.values, [codes.index(name) for name in DISTANT]))
    return odd | (not_metastatic & (last_stage | distant))


def of_patients(rows: Rows, fields: Mapping[str, Field], settings: Settings) -> dict[str, Column]:
    """Return the patient-level columns, one line a patient; a metastatic stage means metastatic disease."""
    found = {
        name: _first_known(rows, rows.columns[name]) for name, field in fields.items() if _stated_of_patient(field)
    }
    stage, metastatic = found["stage"], found["metastatic"]
    last = stage.known & (stage.values == settings.metastatic_stage * UNIT)
    known = metastatic.known | last
    return found | {"metastatic": metastatic._replace(values=np.where(last, 1, metastatic.values), known=known)}


def settle_material(columns: dict[str, Column], fields: Mapping[str, Field]) -> None:
    """Plasma named as site or as kind means both; only plasma findings mean plasma. Changes ``columns``."""
    kind, site = columns["specimen_kind"], columns["site"]
    plasma_kind, plasma_site = _code(fields["specimen_kind"], "plasma"), _code(fields["site"], "plasma")
    named = (kind.known & (kind.values == plasma_kind)) | (site.known & (site.values == plasma_site))
    neither = ~kind.known & ~site.known
    only = _any_known(columns, PLASMA_FINDINGS) & ~_any_known(columns, TISSUE_FINDINGS)
    plasma = named | (neither & only)
    columns["specimen_kind"] = _filled(kind, plasma & ~kind.known, plasma_kind)
    columns["site"] = _filled(site, plasma & ~site.known, plasma_site)


def _stated_of_patient(field: Field) -> bool:
    return field.level == "patient" and not field.derived_from and field.group != "judged"


def _code(field: Field, code: str) -> int:
    return [*field.values].index(code)


def _filled(column: Column, where: Flags, value: int) -> Column:
    return column._replace(values=np.where(where, value, column.values), known=column.known | where)


def _any_known(columns: Mapping[str, Column], names: tuple[str, ...]) -> Flags:
    known: Flags = np.zeros(len(columns["site"].known), np.bool_)
    for name in names:
        known |= columns[name].known
    return known


def _first_known(rows: Rows, column: Column) -> Column:
    """Return the value of each patient (the rows of a plain patient give at most one)."""
    if len(rows.starts) == len(rows.patient):
        return column
    filled = np.where(column.known, column.values, np.iinfo(np.int64).min)
    highest = np.maximum.reduceat(filled, rows.starts)
    known = rows.first_of(column.known)
    return Column(np.where(known, highest, 0), known, rows.first_of(column.odd))


def _differs(rows: Rows, column: Column) -> Flags:
    if len(rows.starts) == len(rows.patient) or not column.known.any():
        return np.zeros(len(rows.starts), np.bool_)
    bounds = np.iinfo(np.int64)
    highest = np.maximum.reduceat(np.where(column.known, column.values, bounds.min), rows.starts)
    lowest = np.minimum.reduceat(np.where(column.known, column.values, bounds.max), rows.starts)
    differs: Flags = rows.first_of(column.known) & (highest != lowest)
    return differs


def _half_unit(column: Column, at: Ints) -> tuple[Ints, Flags]:
    """Return half of the last digit written, in units, and where there are too many digits to say it in units."""
    decimals = decimals_of(column, at)
    many = (decimals > DECIMALS_KEPT) | (column.values[at] % 2).astype(np.bool_)
    return 10 ** np.clip(DECIMALS_KEPT - decimals, 0, DECIMALS_KEPT), many


def _may_contradict(columns: Mapping[str, Column], reported: str, above: str, below: str) -> Flags:
    """Return where a reported value and the quotient of two counts are not surely the same within rounding."""
    number, numerator, denominator = columns[reported], columns[above], columns[below]
    both = number.known & numerator.known & denominator.known & (denominator.values > 0)
    found = np.zeros(len(both), np.bool_)
    at = np.flatnonzero(both)
    if len(at):
        half, many = _half_unit(number, at)
        top, bottom = numerator.values[at], denominator.values[at] // UNIT
        low, high = (number.values[at] - half) * bottom, (number.values[at] + half) * bottom
        found[at] = many | (top < low) | (top > high)
    return found


def _means_may_contradict(columns: Mapping[str, Column]) -> Flags:
    """Return where a reported ratio and two reported means are not surely the same within rounding."""
    ratio, her2, cep17 = columns["ish_ratio"], columns["ish_her2_copies"], columns["ish_cep17_copies"]
    signals, controls = columns["ish_her2_signals"], columns["ish_cep17_signals"]
    counted = signals.known & controls.known & (controls.values > 0)
    found = ratio.known & her2.known & cep17.known & ~counted
    at = np.flatnonzero(found)
    if len(at):
        spans = []
        many = np.zeros(len(at), np.bool_)
        for column in (ratio, her2, cep17):
            half, too_many = _half_unit(column, at)
            spans.append((column.values[at] - half, column.values[at] + half))
            many |= too_many
        (low, high), (her2_low, her2_high), (cep17_low, cep17_high) = spans
        possible = (her2_low * UNIT <= high * cep17_high) & (her2_high * UNIT >= low * cep17_low)
        found[at] = many | ~((cep17_low <= 0) | possible)
    return found


def _no_control(columns: Mapping[str, Column], control: str) -> Flags:
    flags: Flags = columns[control].known & (columns[control].values == 0)
    return flags


def _call_may_contradict(columns: Mapping[str, Column], field: Field, settings: Settings) -> Flags:
    call, copies = columns["ngs_call"], columns["ngs_copies"]
    amplified, not_amplified = _code(field, "amplified"), _code(field, "not_amplified")
    few = (call.values == amplified) & (copies.values <= to_units(settings.low_gain))
    many = (call.values == not_amplified) & (copies.values >= to_units(settings.amplified_everywhere))
    flags: Flags = call.known & copies.known & (few | many)
    return flags


def _reading_may_be_unexplained(columns: Mapping[str, Column], settings: Settings) -> Flags:
    """Return where plasma copies lie below what normal DNA gives, the declared noise allowed for up to rounding."""
    copies, fraction = (columns[name] for name in PLASMA_READING)
    found: Flags = copies.known & fraction.known
    at = np.flatnonzero(found)
    if len(at):
        read, share = copies.values[at] / UNIT, fraction.values[at] / UNIT
        errors = float(settings.copies_cv) * read, float(settings.fraction_cv) * share
        found[at] = shortfall(read, errors[0], share, errors[1], float(settings.contradiction_level)) > -SLACK
    return found


def _material_contradicts(columns: Mapping[str, Column], fields: Mapping[str, Field]) -> Flags:
    kind, site = columns["specimen_kind"], columns["site"]
    plasma_kind = kind.values == _code(fields["specimen_kind"], "plasma")
    plasma_site = site.values == _code(fields["site"], "plasma")
    flags: Flags = kind.known & site.known & (plasma_kind != plasma_site)
    return flags
