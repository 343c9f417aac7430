"""The list of fields: every name that a table, a condition or a report may use, defined once.

The definitions are data (``knowledge/fields.yaml``); this module gives them a type and finds one by name.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Field(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One field.

    ``level`` is ``patient`` or ``specimen``; ``group`` the finding it belongs to; ``type`` one of
    ``integer decimal ratio code boolean date text``; ``values`` maps each allowed code to the other
    spellings that are read as it; ``derived_from`` names the fields a derived field is computed from.
    """

    name: str
    level: str
    group: str
    type: str
    meaning: str
    unit: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    values: dict[str, tuple[str, ...]] = {}
    loinc: str = ""
    derived_from: tuple[str, ...] = ()


NUMERIC = ("integer", "decimal", "ratio")
