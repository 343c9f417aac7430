"""What the report compares with, sweeps and redraws: ``knowledge/cohort.yaml``, loaded strictly.

Data of the report on a cohort; no threshold of a rule stands there.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.strict_yaml import load_strict


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure and what of the cohort is set beside it."""

    prior: str
    measure: str
    where: dict[str, str] = {}


class Method(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A method and the criteria set that stands for it; no set: the score itself."""

    name: str
    set: str


class Measurement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The declared error of one reading, and where it comes from."""

    ihc_percent_points: float
    copies_log_sd: float
    basis: str


class Redraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often and how many are redrawn."""

    draws: int
    most_specimens: int
    seed: int


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    published: tuple[Comparison, ...]
    methods: dict[str, Method]
    ihc_to_ish: dict[str, str]
    purity_bands: tuple[str, ...]
    purity_band_basis: str
    sweep: dict[str, tuple[str, ...]]
    measurement: Measurement
    redraw: Redraw
    listed: int
    most_modelled: int
    fewest_events: int
    fewest_at_risk: int


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of the report."""
    return load_strict(KNOWLEDGE_DIR / "cohort.yaml", Settings)
