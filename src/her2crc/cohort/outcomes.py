"""What every set says of every specimen that a cohort holds, worked out once for each signature.

The reference executor decides; here is only memory: by signature, and below it for each set by the facts that this
set reads. Patient level, testing, next tests and actions are built on it in :mod:`her2crc.cohort.advice`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from her2crc.cohort.signatures import Signatures, quotient_name
from her2crc.cohort.values import Ints
from her2crc.criteria.closure import OPEN, OUTSIDE, SILENT
from her2crc.criteria.kernel import EMPTY, Seen
from her2crc.criteria.library import Knowledge
from her2crc.criteria.missing import missing_facts
from her2crc.criteria.nodes import CompareRatio, Node, fields_of, walk
from her2crc.criteria.run import Facts, decide
from her2crc.criteria.run import Outcome as Decided
from her2crc.criteria.sets import STATUSES, CriteriaSet
from her2crc.errors import Her2crcError
from her2crc.model.patient import Specimen
from her2crc.normalise import specimen_facts


class Outcome(NamedTuple):
    """What a set says of a specimen: the number of its status, the deciding row, the facts that would decide.

    ``code`` is the place of the row in its set, or that the case is open, in no row, or outside of the set.
    """

    status: int
    row: str | None
    missing: tuple[str, ...]
    code: int


class Outcomes:
    """All outcomes seen so far. ``of_set[index]`` holds, for a signature's index, the outcome of each set."""

    def __init__(self, knowledge: Knowledge, signatures: Signatures) -> None:
        self.knowledge, self.signatures = knowledge, signatures
        self.sets = tuple(knowledge.criteria.values())
        self.seen = Seen()
        self.specimens: list[tuple[Specimen, Facts]] = []
        self.known: list[Outcome] = []
        self.of_set = np.zeros((0, len(self.sets)), np.int32)
        self._number: dict[Outcome, int] = {}
        self._seen: dict[tuple[object, ...], int] = {}
        self._reads = [_facts_of(item, knowledge, signatures) for item in self.sets]
        self.empty = np.array([self._decide(item, {}) for item in self.sets], np.int32)

    def find(self, signatures: Ints, examples: Callable[[Ints], Iterable[Specimen]]) -> npt.NDArray[np.int64]:
        """Return the index of each signature; ``examples`` gives the specimens at positions, for those not yet seen."""
        found, missing = self.seen.find(signatures)
        if missing:
            new = np.flatnonzero(found == EMPTY)
            distinct, first = np.unique(signatures[new], return_index=True)
            for value, specimen in zip(distinct.tolist(), examples(new[first]), strict=True):
                self._learn(value, specimen)
            found, _ = self.seen.find(signatures)
        return found

    def count(self, times: Ints) -> Ints:
        """Return for each set (a line) and status (a column) how often it was said; each index stands ``times``."""
        status = np.fromiter((item.status for item in self.known), np.int8)
        return count_statuses(status[self.of_set[: len(times)]], times)

    def check(self, index: Ints, codes: npt.NDArray[Any]) -> None:
        """Compare what another engine says of specimens with what is known of their signatures.

        Raises:
            Her2crcError: they differ, which would be an error of the program.
        """
        expected = np.array([item.code for item in self.known], np.int64)[self.of_set[index]]
        if not np.array_equal(expected, codes):
            which = int(np.argwhere(expected != codes)[0][1])
            raise disagree(f"Two engines say different things under {self.sets[which].id}.")

    def _learn(self, signature: int, specimen: Specimen) -> None:
        facts = specimen_facts(specimen)
        places = self.signatures.places(facts)
        if self.signatures.pack(places) != signature:
            raise disagree("The columns and the single case read a specimen differently.")
        numbers = [self._outcome(at, facts, places) for at in range(len(self.sets))]
        self.seen.add(signature)
        self.specimens.append((specimen, facts))
        if len(self.specimens) > len(self.of_set):
            self.of_set = np.resize(self.of_set, (2 * len(self.specimens), len(self.sets)))
        self.of_set[len(self.specimens) - 1] = numbers

    def _outcome(self, at: int, facts: Facts, places: Mapping[str, int]) -> int:
        key = (at, *map(places.__getitem__, self._reads[at]))
        if key not in self._seen:
            self._seen[key] = self._decide(self.sets[at], facts)
        return self._seen[key]

    def _decide(self, criteria: CriteriaSet, facts: Facts) -> int:
        outcome = decide(criteria, facts)
        missing = missing_facts(criteria, facts, outcome, self.knowledge.fields)
        row = outcome.row.id if outcome.row else None
        found = Outcome(STATUSES.index(outcome.status), row, missing, _code(criteria, outcome))
        if found not in self._number:
            self._number[found] = len(self.known)
            self.known.append(found)
        return self._number[found]


def count_statuses(statuses: npt.NDArray[np.int8], times: Ints) -> Ints:
    """Return for each set (a column) and status how often it is said, where each line stands so many times."""
    sets = statuses.shape[1]
    packed = statuses + len(STATUSES) * np.arange(sets)
    counts = np.bincount(packed.ravel(), np.repeat(times, sets), len(STATUSES) * sets)  # doubles, exact up to 2**53
    return counts.astype(np.int64).reshape(sets, len(STATUSES))


def disagree(what: str) -> Her2crcError:
    """Return the error that stops a screening in which two ways gave different answers."""
    return Her2crcError(
        what, why="Nothing is written that is not sure.", fix="Please report this with your table's header."
    )


def _code(criteria: CriteriaSet, outcome: Decided) -> int:
    if outcome.row is not None:
        return criteria.rows.index(outcome.row)
    if criteria.rows and outcome.applies is False:
        return OUTSIDE
    return OPEN if outcome.status == "indeterminate" else SILENT


def conditions_of(criteria: CriteriaSet) -> tuple[Node, ...]:
    """Return every condition of a set: when it applies, and when each row does."""
    return (criteria.applies, *(row.when for row in criteria.rows))


def _facts_of(criteria: CriteriaSet, knowledge: Knowledge, signatures: Signatures) -> tuple[str, ...]:
    """Return the facts that a set's outcome depends on, those included that a derived fact is made of."""
    leaves = [leaf for node in conditions_of(criteria) for leaf in walk(node)]
    read = [name for leaf in leaves for name in fields_of(leaf)]
    bases = [base for name in read for base in knowledge.fields[name].derived_from]
    pairs = [quotient_name(leaf.numerator, leaf.denominator) for leaf in leaves if isinstance(leaf, CompareRatio)]
    return tuple(name for name in dict.fromkeys((*read, *bases, *pairs)) if name in signatures.scales)
