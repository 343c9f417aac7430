"""What a section of the report is made of: tables of typed cells, sentences, and pictures drawn from tables.

A number never stands in free text, so that :mod:`her2crc.cohort.report.disclosure` sees every count there is.
"""

from __future__ import annotations

import msgspec


class Count(msgspec.Struct, frozen=True, tag="count"):
    """A number of patients or specimens."""

    n: int


class Share(msgspec.Struct, frozen=True, tag="share"):
    """``events`` of ``total``; percentage and exact interval are worked out where it is shown."""

    events: int
    total: int


class Figure(msgspec.Struct, frozen=True, tag="figure"):
    """A statistic with its ``interval``, shown to ``digits``; ``counts`` are the cells that it was computed from."""

    value: float
    digits: int
    counts: tuple[int, ...]
    interval: tuple[float, float] | None = None
    significant: bool = False


class Published(msgspec.Struct, frozen=True, tag="published"):
    """A published percentage, as printed or recomputed from its count; it is never hidden."""

    percent: str
    source: str
    events: int | None = None
    total: int | None = None


class Hidden(msgspec.Struct, frozen=True, tag="hidden"):
    """A small cell that is not shown; ``text`` says what may be said of it."""

    text: str


Cell = Count | Share | Figure | Published | Hidden | str | None
"""What stands in a table; ``None`` is "does not apply"."""

Sentence = tuple[Cell, ...]
"""Words with cells between them."""


class Table(msgspec.Struct, frozen=True):
    """A table: columns by name, rows of cells; ``note`` stands below it.

    A ``listing`` names patients or has a step a patient. One that is ``drawn`` is a picture on the page; its numbers
    are in CSV and JSON.
    """

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    listing: bool = False
    drawn: bool = False


class Plot(msgspec.Struct, frozen=True):
    """A picture of a table: ``intervals`` of a share, ``matrix`` of figures, ``lines`` of figures over numbers, or
    ``sweep``: shares of each row over the columns.

    ``of`` names the table, ``columns`` those that are drawn (label or x first).
    """

    kind: str
    of: str
    title: str
    columns: tuple[str, ...]
    unit: str = ""


class Section(msgspec.Struct, frozen=True):
    """One section. ``impossible`` says why there is nothing to show, where the data do not allow it."""

    id: str
    title: str
    lead: tuple[Sentence, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    notes: tuple[Sentence, ...] = ()
    impossible: str = ""
