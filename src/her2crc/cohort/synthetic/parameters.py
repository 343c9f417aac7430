"""The parameters of a synthetic registry: data with a source or the word "assumed", resolved to plain numbers.

First step of a synthetic registry. A published figure is taken from the priors by its id, never copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from her2crc.criteria.library import KNOWLEDGE_DIR, Knowledge
from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import KnowledgeError
from her2crc.model.citation import Citation

FILE = "synthetic.yaml"
PERCENT = 100


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parameter as the file states it; see the head of ``knowledge/synthetic.yaml``."""

    id: str
    meaning: str
    value: float | None = None
    table: dict[str, float] | None = None
    prior: str = ""
    mixture: tuple[str, str, str] | None = None
    cite: tuple[Citation, ...] = ()
    assumed: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    parameters: list[Parameter]


class Parameters(msgspec.Struct, frozen=True):
    """All parameters as numbers: single values and tables by id, and the ids of those that are assumed."""

    values: dict[str, float]
    tables: dict[str, dict[str, float]]
    assumed: tuple[str, ...]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


@lru_cache(maxsize=1)
def stated_parameters() -> tuple[Parameter, ...]:
    """Return the parameters as stated, in file order.

    Raises:
        KnowledgeError: a parameter has no value or several, or neither a source nor the word assumed.
    """
    found = load_strict(KNOWLEDGE_DIR / FILE, _File).parameters
    for item in found:
        ways = [item.value is not None, item.table is not None, bool(item.prior), item.mixture is not None]
        sourced = bool(item.prior or item.mixture or item.cite)
        if sum(ways) != 1 or sourced == bool(item.assumed):
            raise KnowledgeError(
                "a parameter needs exactly one value, and either a source or the word assumed.",
                where=f"{FILE}, parameter {item.id}",
            )
    return tuple(found)


def load_parameters(knowledge: Knowledge) -> Parameters:
    """Return the parameters as numbers, published figures taken from the knowledge.

    Raises:
        KnowledgeError: a prior is not known, or the file is wrong.
    """
    stated = stated_parameters()
    values = {item.id: _resolve(item, knowledge) for item in stated if item.table is None}
    tables = {item.id: item.table for item in stated if item.table is not None}
    return Parameters(values, tables, tuple(item.id for item in stated if item.assumed))


def _resolve(item: Parameter, knowledge: Knowledge) -> float:
    if item.value is not None:
        return item.value
    if item.prior:
        return published_share(item.prior, knowledge)
    overall, group, rest = (published_share(name, knowledge) for name in item.mixture or ())
    return (overall - rest) / (group - rest)


def published_share(name: str, knowledge: Knowledge) -> float:
    """Return a published figure as a share: the count where there is one, else the printed percentage.

    Raises:
        KnowledgeError: the knowledge has no figure of that id.
    """
    if name in knowledge.proportions:
        return knowledge.proportions[name].events / knowledge.proportions[name].total
    if name in knowledge.rates:
        return float(knowledge.rates[name].percent) / PERCENT
    raise KnowledgeError(f"no published figure '{name}'.", where=FILE, fix="Name an id of priors.yaml.")


def weighted(rates: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """Return the mean of rates, weighted by how frequent each case is."""
    total = sum(weights.values())
    return sum(rates[name] * weight for name, weight in weights.items()) / total


def names_of(table: Mapping[str, float]) -> list[str]:
    """Return the cases of a table, in file order."""
    return list(table)


def chances_of(table: Mapping[str, float]) -> Iterable[float]:
    """Return the shares of a table, in file order, adding up to one."""
    total = sum(table.values())
    return [value / total for value in table.values()]
