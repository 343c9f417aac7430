"""Criteria sets and their rows as loaded from data: frozen, every row with its source."""

from __future__ import annotations

from datetime import date

import msgspec

from her2crc.criteria.nodes import Node
from her2crc.model.citation import Citation, Reference

STATUSES = ("positive", "negative", "equivocal", "indeterminate", "not_covered")


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One row: when ``when`` holds, the source says ``then``.

    ``says`` is our own paraphrase of the source. A silent row (``then`` = not_covered) gives in ``says`` why the
    source does not cover the situation. ``needs`` names the facts that would settle a row that is not assessable.
    """

    id: str
    when: Node
    when_text: str
    then: str
    says: str
    cite: tuple[Citation, ...]
    needs: tuple[str, ...] = ()


class CriteriaSet(msgspec.Struct, frozen=True, omit_defaults=True):
    """One published rule set in one edition.

    ``role`` is ``rule`` (enters the agreement), ``contrast`` (another organ's rule, shown as a pitfall only) or
    ``unseen`` (its text was not read: it gives no verdict). ``judges`` is ``tissue`` or ``plasma``.
    ``monotone`` names the fields of which more never lowers the verdict; ``define`` keeps the text of the named
    conditions that rows use; ``references`` are sources that only this set cites (a laboratory's own procedure).
    """

    id: str
    name: str
    role: str
    tumour: str
    judges: str
    method: str
    confidence: str
    effective: date
    effective_precision: str
    reviewed_on: date
    review_state: str
    summary: str
    cite: tuple[Citation, ...]
    applies: Node
    rows: tuple[Row, ...] = ()
    monotone: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    origin: str = "shipped"
    references: tuple[Reference, ...] = ()
    define: dict[str, str] = {}
