"""Where a rule, a statement or a figure comes from."""

from __future__ import annotations

import msgspec


class Citation(msgspec.Struct, frozen=True):
    """A place in a source: ``ref`` is an id of ``references.yaml``, ``place`` says where in that source."""

    ref: str
    place: str


class Reference(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A source as far as it was seen; ``basis`` says what was read, ``confidence`` how sure it is."""

    id: str
    confidence: str
    basis: str
    title: str = ""
    authors: str = ""
    journal: str = ""
    year: int | None = None
    volume_issue: str = ""
    pages: str = ""
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    figures: str = ""
    note: str = ""
