"""Counted signals as a laboratory gives them: nuclei one by one, or totals; each with its place in the file."""

from __future__ import annotations

import msgspec

from her2crc.model.record import Issue


class Nucleus(msgspec.Struct, frozen=True):
    """One nucleus: signals of HER2, of CEP17 (None: one probe only), and where it lay (in any unit)."""

    name: str
    her2: int
    cep17: int | None
    place: str
    region: str = ""
    observer: str = ""
    x: float | None = None
    y: float | None = None


class Total(msgspec.Struct, frozen=True):
    """Signals summed over ``nuclei`` nuclei (None: not said how many), of one region and observer."""

    her2: int
    cep17: int | None
    nuclei: int | None
    place: str
    region: str = ""
    observer: str = ""


class Counting(msgspec.Struct, frozen=True):
    """Everything counted on one specimen: either nuclei or totals, never both.

    ``left_out`` are the places of nuclei of which one of two probes was not scored; ``named`` tells whether the table
    names the specimen; ``facts`` are other facts of it as written, all values where rows differ.
    """

    patient_id: str
    specimen_id: str
    nuclei: tuple[Nucleus, ...] = ()
    totals: tuple[Total, ...] = ()
    left_out: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    named: bool = True
    facts: dict[str, tuple[str, ...]] = {}

    def counts(self) -> tuple[Nucleus | Total, ...]:
        """Return what was counted, whichever it is."""
        return (*self.nuclei, *self.totals)
