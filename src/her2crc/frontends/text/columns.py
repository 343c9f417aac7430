"""The columns of a table in a text: what a label can mean, and what a cell can be.

:mod:`her2crc.frontends.text.tables` reads tables with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from her2crc.frontends.text.fold import Folded, Piece
from her2crc.frontends.text.grid import Cell
from her2crc.frontends.text.item_patterns import DATE
from her2crc.frontends.text.scan import Scanner

DATED = re.compile(DATE)
SCALE = re.compile(r"0\s?(?:-|to|/|,)\s?(?:1\+?,\s?2\+?,\s?)?3")
UNIT = "%"
EMPTY = re.compile(r"[\s.,;:*/_-]*|n\.?\s?/?a\.?|nan|null|none")
BARE = re.compile(rf"(?!{DATE})[^a-z\u0370-\U0010ffff]*")
"""A value that says nothing without a label."""
KEY = re.compile(r":(?:\s|$|[<>≤≥]?\d)")
DECIMAL = re.compile(r"\d{1,3}[.,]\d{1,3}")
"""What is no label of a column: it has a colon, or is a number."""
FRACTION = re.compile(r"(?<![\d/])\d{1,2}\s?/\s?\d{1,2}(?![\d/])")
"""A value out of a scale, as '0/8': no label of a column is one."""
COUNT = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")
NUMBERS = frozenset(("ratio", "mean", "per_cell", "signals", "copies"))
PLACES = frozenset(("site", "tumour", "part"))
NUMBER = re.compile(r"(?:[<>]=?|[≤≥~])?\s?\d{1,3}(?:[.,]\d{1,3})?(?:\s?-\s?\d{1,3}(?:[.,]\d{1,3})?)?")
SHARE = re.compile(NUMBER.pattern + r"\s?%?")
SCORE = re.compile(r"[0-3]\s?\+?")
WITH_PLUS = re.compile(r"[0-3]\s?\+")
OF_CLASS = re.compile(r"(?:(?:her-?2|ihc|score)[ :-]{1,2}){0,3}[0-3]\s?\+?(?![^\s/|(+])")
"""A score that stands for all results like it: '0/1+', '2+/ISH+'."""
BOUND = re.compile(r"(?:[<>]=?|[≤≥])\s?(\d+(?:[.,]\d+)?)")
INNER = re.compile(r"\((?![^()]*(?:her|erb))[^()]*\d[^()]*\)|[\"'_]")
"""What of a label only describes its values: '(0-3+)'; and what stands for a space."""
STATES = frozenset(("status", "sign"))
VALUES = frozenset(("score", "pct", "times", "status", "sign", "absent", "present", "noun", "elsewhere", "iscn"))
QUANTITIES = frozenset(
    ("percent", "copies", "ratio", "fold", "snr", "mean", "per_cell", "cep17", "signals", "counted", "total")
)
UNREAD = frozenset(("log2", "fraction", "criterion", "general", "serum", "other_probe", "no_result"))
"""What a column can be of that gives no result."""
OWN = frozenset(("ihc", "ish", "tissue", "plasma", "digital", "score_word")) | QUANTITIES
ORIGINS = frozenset(("site", "tumour", "date", "prior", "current", "part", "specimen"))
COUNTED = frozenset(("signals",))
MARKERS = frozenset(("anchor", "marker"))
NAMED = OWN | MARKERS


class Column(NamedTuple):
    """A column: where its label stands, and what the label can mean."""

    label: Cell
    kinds: frozenset[str]
    is_percent: bool

    @property
    def is_named(self) -> bool:
        """Tell whether the label says what its values are."""
        return self.is_percent or not self.kinds.isdisjoint(NAMED)

    @property
    def is_unread(self) -> bool:
        """Tell whether the column gives no result: a locus, a reference range, an allele fraction."""
        return not self.kinds.isdisjoint(UNREAD) and "anchor" not in self.kinds


def of_content(column: Column) -> Column:
    """Return a column before that of HER2 as one of the tumour's share, where it is one of a share."""
    return column._replace(kinds=column.kinds | {"fraction"}) if column.is_percent else column


def is_date(low: str, cells: Sequence[Cell]) -> bool:
    """Tell whether all cells of a column are dates."""
    return all(DATED.fullmatch(low, cell.start, cell.end) for cell in cells)


def is_class(column: Column) -> bool:
    """Tell whether a column is of all with one result: 'HER2-positive'."""
    return "anchor" in column.kinds and not column.kinds.isdisjoint(STATES)


class Labels:
    """Reads the labels and cells of the tables of one text."""

    def __init__(self, folded: Folded, scanner: Scanner) -> None:
        self.folded, self.low, self.scanner, self.languages = folded, folded.low, scanner, scanner.languages
        self.words: dict[Cell, list[str]] = {}

    def column(self, label: Cell) -> Column:
        """Return a column of a label."""
        plain = self.plain(label)
        kinds = self.kinds_of(plain, label.start)
        kinds |= {"no_result"} if self.names(label, self.languages.no_results) else set()
        kinds |= {"score_word"} if SCALE.search(self.low, *label) else set()
        is_percent = "percent" in kinds and "ish" not in kinds  # 'FISH orani' is a ratio
        return Column(label, frozenset(kinds), UNIT in self.low[label.start : label.end] or is_percent)

    def is_quantity(self, label: Cell) -> bool:
        """Tell whether the label of a row says what its number is: 'HER2 % cells', 'FISH HER2/CEP17 ratio'."""
        return UNIT in self.low[label.start : label.end] or not self.kinds(label).isdisjoint(QUANTITIES)

    def plain(self, label: Cell) -> str:
        """Return a label with spaces for what only describes its values."""
        return INNER.sub(lambda found: " " * len(found[0]), self.low[label.start : label.end])

    def names(self, label: Cell, words: frozenset[str]) -> bool:
        """Tell whether a label has one of some words."""
        own = self.words.get(label)
        if own is None:
            own = self.words[label] = self.plain(label).replace("-", " ").split()
        return not words.isdisjoint(own)

    def kinds(self, cell: Cell) -> set[str]:
        """Return the kinds of the items of a cell."""
        return self.kinds_of(self.low[cell.start : cell.end], cell.start)

    def kinds_of(self, written: str, at: int) -> set[str]:
        """Return the kinds of items in what is written, a character for each, for the text from a place on."""
        folded, end = self.folded, at + len(written)
        if folded.starts:
            own = folded.rewritten([Piece(at, end, written)])
        else:
            own = Folded(folded.text[at:end], written, [], [])
        return set(self.scanner.items(own, 0, len(written)).kinds)
