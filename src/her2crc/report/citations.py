"""Numbered citations of one report, in the order of reading, and the reference behind each number.

Part of stage 5. A number is given when a citation is first written, so that every number has its reference in the
list and every reference of the list is cited.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from her2crc.model.citation import Citation, Reference


class Numbered(NamedTuple):
    """A reference with its number, and the places in it that the report cites."""

    number: int
    reference: Reference
    places: tuple[str, ...]


class Citations:
    """Gives numbers to citations while a report is written.

    Args:
        references: the references of the knowledge base by id.
    """

    def __init__(self, references: dict[str, Reference]) -> None:
        self._references = references
        self._places: dict[str, list[str]] = {}

    def numbers(self, cites: Iterable[Citation]) -> list[int]:
        """Return the numbers of some citations, giving new ones where needed."""
        for cite in cites:
            places = self._places.setdefault(cite.ref, [])
            if cite.place not in places:
                places.append(cite.place)
        order = list(self._places)
        return sorted({order.index(cite.ref) + 1 for cite in cites})

    def mark(self, cites: Iterable[Citation]) -> str:
        """Return the numbers as they stand in running text: ``[1, 3]``, empty where nothing is cited."""
        numbers = self.numbers(tuple(cites))
        return f"[{', '.join(map(str, numbers))}]" if numbers else ""

    def listed(self) -> list[Numbered]:
        """Return the references cited so far, by number."""
        return [
            Numbered(number, self._references[ref], tuple(places))
            for number, (ref, places) in enumerate(self._places.items(), 1)
        ]


def show_reference(item: Reference) -> str:
    """Write a reference on one line, as far as it is known; its identifiers are left to the caller."""
    where = " ".join(part for part in (item.journal, str(item.year or ""), item.volume_issue) if part)
    where += f": {item.pages}" if item.pages else ""
    parts = (item.authors, item.title, where)
    return " ".join(f"{part.rstrip('.')}." for part in parts if part) or f"{item.id} (not identified)."


def identifiers(item: Reference) -> str:
    """Write the identifiers of a reference that are known."""
    known = (("doi:", item.doi), ("PMID ", item.pmid), ("", item.pmcid))
    return ", ".join(f"{label}{value}" for label, value in known if value)
