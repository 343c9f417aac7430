"""The criteria sets as one JSON document, for programs that cannot read the knowledge files.

Every row carries its condition twice: as written and as a tree of typed nodes, so that a reader needs no parser.
:mod:`her2crc.criteria.export_cql` writes CQL instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from her2crc.criteria.sets import CriteriaSet


def export_json(sets: Iterable[CriteriaSet]) -> str:
    """Return the sets as indented JSON; decimals are strings, so that no digit is lost on the way."""
    return msgspec.json.format(msgspec.json.encode({"criteria": list(sets)}), indent=2).decode()
