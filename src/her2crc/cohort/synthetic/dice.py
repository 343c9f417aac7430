"""Random draws in columns: one generator a block of patients, so that neither cores nor block order change a value.

Used by every step of a synthetic registry. Codes are small integers into the list of names of a table; -1 is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from her2crc.cohort.synthetic.parameters import Parameters, chances_of, names_of

Column: TypeAlias = NDArray[Any]
UNKNOWN = -1


class Dice:
    """The random numbers and the parameters of one block.

    Args:
        seed: of the whole registry.
        block: which block; each has numbers of its own.
        parameters: what to draw from.
    """

    def __init__(self, seed: int, block: int, parameters: Parameters) -> None:
        self.random = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, block])))
        self.parameters = parameters

    def value(self, name: str) -> float:
        """Return a single parameter."""
        return self.parameters[name]

    def table(self, name: str) -> Mapping[str, float]:
        """Return a table of parameters."""
        return self.parameters.tables[name]

    def chance(self, probability: Column | float, size: int) -> Column:
        """Draw yes or no, each with its own or the same probability."""
        return self.random.random(size) < probability

    def stated(self, name: str, size: int) -> Column:
        """Draw whether a detail is on file, by the parameter that says how often it is."""
        return self.chance(self.value(name), size)

    def code(self, name: str, size: int) -> Column:
        """Draw a code from the table ``name``."""
        return self.random.choice(len(self.table(name)), size, p=np.array(chances_of(self.table(name)))).astype(np.int8)

    def number(self, name: str, size: int) -> Column:
        """Draw from a table whose cases are themselves numbers, such as stages or nuclei."""
        return np.array([int(case) for case in names_of(self.table(name))])[self.code(name, size)]

    def between(self, name: str, size: int) -> Column:
        """Draw evenly between ``least`` and ``most`` of a table."""
        ends = self.table(name)
        return self.random.uniform(ends["least"], ends["most"], size)

    def beta(self, mean: Column | float, firmness: str, size: int) -> Column:
        """Draw a share with that mean; ``firmness`` is the sum of the two parameters of the beta distribution."""
        total = self.value(firmness)
        inside = np.clip(mean, 1 / PRECISION, 1 - 1 / PRECISION)
        return self.random.beta(inside * total, (1 - inside) * total, size)

    def scatter(self, spread: str, size: int) -> Column:
        """Draw factors around 1 with that standard deviation of the logarithm."""
        return np.exp(self.random.normal(0, self.value(spread), size))

    def known(self, values: Column, probability: Column | float) -> Column:
        """Blank codes to unknown where the fact is not on file."""
        return np.where(self.chance(probability, len(values)), values, UNKNOWN)


PRECISION = 1000
"""A share of exactly 0 or 1 has no beta distribution; it is kept so far from the ends."""


def by_case(cases: Sequence[Column], values: Sequence[float], otherwise: float) -> Column:
    """Return for each row the value of the first case that holds."""
    return np.select(list(cases), list(values), otherwise)
