"""Patient level of a cohort: each set's status, whom to test, what to test next, and what can be acted on.

Every answer comes from the functions that answer a single patient, asked once for each different question; which
patients ask the same is told by whole numbers packed from the facts that the question reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from her2crc.cohort.outcomes import Outcomes
from her2crc.cohort.signatures import ABSENT, KNOWN, UNUSABLE
from her2crc.cohort.values import UNIT, Column, Flags, Ints
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.library import Knowledge
from her2crc.criteria.nodes import Node, fields_read
from her2crc.criteria.run import evaluate
from her2crc.criteria.sets import STATUSES
from her2crc.judge import untested_sites
from her2crc.judge.verdicts import PATIENT_ORDER, has_result, is_colorectal_tissue, is_metastasis
from her2crc.model.patient import History, Patient, Specimen
from her2crc.model.quantity import UNSETTLED, Value
from her2crc.model.verdict import DECIDED, Reason, SetVerdict, SpecimenVerdict, Testing
from her2crc.recommend import recommend_testing, recommend_tests
from her2crc.recommend.testing import SPOKEN_OF

NO, YES, OPEN = 0, 1, 2
"""A truth value of many patients as a number; open: a fact that decides is unknown."""
Answers = npt.NDArray[np.int8]
MOST_VERDICTS = 100_000
"""Verdicts of a set on different patients that are remembered."""
MOST_COMBINATIONS = 1 << 20
"""Of facts, up to which each has a place in a table; beyond, those that occur are sorted."""
EXAMPLE = "(tumour of a specimen)"
"""Stands among the facts for the tumour of one specimen, where all are of tumours that no source speaks of."""


class Asked(NamedTuple):
    """A patient-level fact of many patients as small numbers: 0 unknown, else its place among ``values`` plus 1."""

    places: Ints
    values: tuple[Value, ...]


class Group(NamedTuple):
    """The specimens of whole patients: the index of each specimen's signature, and where each patient starts."""

    signature: Ints
    starts: Ints
    sizes: Ints

    def any(self, flags: Flags) -> Flags:
        """Return for each patient whether any of the specimens has the flag."""
        return self.reduce(np.logical_or, flags, False)

    def reduce(self, how: np.ufunc, values: npt.NDArray[Any], without: object) -> npt.NDArray[Any]:
        """Reduce values of specimens to one a patient; ``without`` where a patient has no specimen."""
        shape = (len(self.sizes), *values.shape[1:])
        found = np.full(shape, without, values.dtype)
        has = self.sizes > 0
        if has.any():
            found[has] = how.reduceat(values, self.starts[has], axis=0)
        return found


class Patients(NamedTuple):
    """What is said of each patient: set statuses, the judged facts, and the answers as numbers of :class:`Advice`."""

    statuses: npt.NDArray[np.int8]
    discordant: Flags
    highest: Asked
    primary: Answers
    metastasis: Answers
    any_positive: Answers
    any_discordant: Flags
    testing: Ints
    fits: Answers
    tests: Ints


class Advice:
    """Answers what is asked of patients, remembering each different question."""

    def __init__(self, knowledge: Knowledge, outcomes: Outcomes) -> None:
        self.knowledge, self.outcomes = knowledge, outcomes
        self.testing: list[Testing] = []
        self.tests: list[tuple[tuple[str, int | None], ...]] = []
        self._testing: dict[tuple[Value | None, ...], int] = {}
        self._conditions: dict[tuple[Node, tuple[Value | None, ...]], int] = {}
        self._tests: dict[tuple[object, ...], int] = {}
        self._kinds: dict[tuple[object, ...], int] = {}
        self._kind_of: list[int] = []
        self._verdict = lru_cache(MOST_VERDICTS)(self._make_verdict)
        self.rules = np.array([item.role == "rule" for item in outcomes.sets])

    def answer(self, group: Group, facts: Mapping[str, Column]) -> Patients:
        """Answer for whole patients, given the signatures of their specimens and their own facts."""
        statuses, discordant = self._statuses(group)
        judged = self._judged(group, statuses, discordant)
        asked = {name: _asked(column, self.knowledge.fields[name]) for name, column in facts.items()}
        asked |= {
            "highest_ihc_score": judged.highest,
            "primary_tested": _answered(judged.primary),
            "metastasis_tested": _answered(judged.metastasis),
            "any_positive": _answered(judged.any_positive),
            "any_discordant": _answered(judged.any_discordant),
        }
        for at, item in enumerate(self.outcomes.sets):
            asked[item.id] = _decided(statuses[:, at])
        testing = self._ask_testing(group, asked)
        fits = np.empty((len(group.sizes), len(self.knowledge.actions)), np.int8)  # there may be no action yet
        for at, action in enumerate(self.knowledge.actions):
            fits[:, at] = self._fit(action.conditions, asked)
        return judged._replace(testing=testing, fits=fits, tests=self._ask_tests(group, testing, asked))

    def _statuses(self, group: Group) -> tuple[npt.NDArray[np.int8], Flags]:
        status_of = np.fromiter((item.status for item in self.outcomes.known), np.int8)
        bits = np.left_shift(1, status_of).astype(np.int8)
        empty = bits[self.outcomes.empty]
        seen = group.reduce(np.bitwise_or, bits[self.outcomes.of_set[group.signature]], 0)
        seen = np.where((group.sizes > 0)[:, None], seen, empty[None, :])
        both = sum(1 << STATUSES.index(status) for status in DECIDED)
        table = np.array([_first_status(mask) for mask in range(1 << len(STATUSES))], np.int8)
        return table[seen], (seen & both) == both

    def _judged(self, group: Group, statuses: npt.NDArray[np.int8], discordant: Flags) -> Patients:
        specimens = [item for item, _ in self.outcomes.specimens]

        def flag(test: Callable[..., bool]) -> Flags:
            return np.fromiter(map(test, specimens), np.bool_, len(specimens))[group.signature]

        tissue = flag(is_colorectal_tissue)
        tested = tissue & flag(has_result)
        score = self.knowledge.fields["ihc_score"]
        unknown = -1
        scores = np.fromiter((unknown if s.ihc.ihc_score is None else s.ihc.ihc_score for s in specimens), np.int64)
        highest = group.reduce(
            np.maximum, np.where(tissue, scores[group.signature] if len(scores) else 0, unknown), unknown
        )
        unsure = group.any(tissue & flag(lambda item: score.name in item.unsettled)) & (
            highest != int(score.maximum or 0)
        )
        ruling = statuses[:, self.rules]
        positive = (ruling == STATUSES.index("positive")).any(axis=1)
        negative = (ruling == STATUSES.index("negative")).any(axis=1)
        return Patients(
            statuses=statuses,
            discordant=discordant,
            highest=Asked(np.where(unsure, 0, highest + 1), tuple(range(int(score.maximum or 0) + 1))),
            primary=_any_at(
                group, tested, flag(lambda item: item.site == "primary"), flag(lambda item: item.site is None)
            ),
            metastasis=_any_at(group, tested, flag(is_metastasis), flag(lambda item: item.site is None)),
            any_positive=np.where(positive, YES, np.where(negative, NO, OPEN)).astype(np.int8),
            any_discordant=np.any(discordant[:, self.rules], axis=1),
            testing=np.zeros(0, np.int64),
            fits=np.zeros((0, 0), np.int8),
            tests=np.zeros(0, np.int64),
        )

    def _ask_testing(self, group: Group, asked: Mapping[str, Asked]) -> Ints:
        """Number the testing answer of each patient: by its facts, and by one example of its specimens' tumours."""
        specimens = [item for item, _ in self.outcomes.specimens]
        tumours = tuple(dict.fromkeys(("", *(item.tumour or "" for item in specimens))))
        places = np.array([tumours.index(item.tumour or "") for item in specimens], np.int64)
        spoken = np.array([(tumour or None) in SPOKEN_OF for tumour in tumours])
        tumour = places[group.signature] if len(places) else group.signature
        example = group.reduce(np.maximum, np.where(spoken[tumour], len(tumours), tumour), len(tumours))
        asked = {**asked, EXAMPLE: Asked(np.where(example == len(tumours), 0, example), tumours[1:])}
        read = _read_by((row.when for source in self.knowledge.eligibility for row in source.rows), asked)
        names = (*read, EXAMPLE)

        def ask(values: tuple[Value | None, ...]) -> int:
            if values not in self._testing:
                self._testing[values] = len(self.testing)
                facts = dict(zip(names, values, strict=True))
                other = facts.pop(EXAMPLE)
                specimens = (Specimen("", tumour=str(other)),) if other else ()
                self.testing.append(recommend_testing(facts, self.knowledge, specimens))
            return self._testing[values]

        return _ask_each(names, asked, len(group.sizes), ask)

    def _fit(self, conditions: Iterable[object], asked: Mapping[str, Asked]) -> Answers:
        """Whether a regimen fits: no where any condition fails, open where one is unknown (as for one patient)."""
        met = [self._holds(condition.when, asked) for condition in conditions]  # type: ignore[attr-defined]
        failed, unknown = (np.any([answers == value for answers in met], axis=0) for value in (NO, OPEN))
        return np.where(failed, NO, np.where(unknown, OPEN, YES)).astype(np.int8)

    def _holds(self, node: Node, asked: Mapping[str, Asked]) -> Ints:
        names = _read_by((node,), asked)

        def ask(values: tuple[Value | None, ...]) -> int:
            if (node, values) not in self._conditions:
                held = evaluate(node, dict(zip(names, values, strict=True)))
                self._conditions[node, values] = OPEN if held is None else int(held)
            return self._conditions[node, values]

        return _ask_each(names, asked, len(next(iter(asked.values())).places), ask)

    def _ask_tests(self, group: Group, testing: Ints, asked: Mapping[str, Asked]) -> Ints:
        """Number the next tests of each patient: by testing, metastatic disease, and the kinds of the specimens."""
        kinds = self._kinds_of_specimens()[group.signature] if len(group.signature) else group.signature
        testing = self._kinds_of_testing()[testing]
        metastatic = asked["metastatic"].places
        answers = np.zeros(len(group.sizes), np.int64)
        for size in np.unique(group.sizes).tolist():
            at = np.flatnonzero(group.sizes == size)
            columns = [testing[at], metastatic[at], *(kinds[group.starts[at] + place] for place in range(size))]
            first, inverse = _distinct(columns)
            each = [self._next(group, kinds, testing, metastatic, int(at[one])) for one in first]
            answers[at] = np.array(each, np.int64)[inverse]
        return answers

    def _next(self, group: Group, kinds: Ints, testing: Ints, metastatic: Ints, at: int) -> int:
        span = slice(int(group.starts[at]), int(group.starts[at] + group.sizes[at]))
        key = (int(testing[at]), int(metastatic[at]), *kinds[span].tolist())
        if key not in self._tests:
            self._tests[key] = len(self.tests)
            extent = {1: False, 2: True}.get(int(metastatic[at]))
            self.tests.append(self._next_tests(group.signature[span].tolist(), self.testing[int(testing[at])], extent))
        return self._tests[key]

    def _next_tests(
        self, indexes: list[int], testing: Testing, metastatic: bool | None
    ) -> tuple[tuple[str, int | None], ...]:
        """Ask the recommending stage about a patient put together from examples of the specimens."""
        examples = [self.outcomes.specimens[index] for index in indexes]
        named = [msgspec.structs.replace(item, specimen_id=str(at)) for at, (item, _) in enumerate(examples)]
        patient = Patient("", tuple(named), history=History(metastatic=metastatic))
        facts = {str(at): item for at, (_, item) in enumerate(examples)}
        verdicts = self._verdicts(indexes)
        tests = recommend_tests(patient, verdicts, facts, testing, untested_sites(patient), self.knowledge)
        return tuple((item.test, None if item.specimen is None else int(item.specimen)) for item in tests)

    def _verdicts(self, indexes: list[int]) -> dict[str, SetVerdict]:
        rows = self.outcomes.of_set[indexes].T.tolist()
        return {
            item.id: self._verdict(at, tuple(numbers))
            for at, (item, numbers) in enumerate(zip(self.outcomes.sets, rows, strict=True))
        }

    def _make_verdict(self, at: int, numbers: tuple[int, ...]) -> SetVerdict:
        """Return what a set says of a patient whose specimens, named by their place, have these outcomes."""
        item = self.outcomes.sets[at]
        outcomes = [self.outcomes.known[number] for number in numbers]
        of_specimens = {
            str(place): SpecimenVerdict(STATUSES[one.status], one.row, one.missing, (), "")  # type: ignore[arg-type]  # a known status
            for place, one in enumerate(outcomes)
        }
        statuses = {one.status for one in outcomes} or {self.outcomes.known[self.outcomes.empty[at]].status}
        return SetVerdict(
            status=STATUSES[_first_status(sum(1 << one for one in statuses))],  # type: ignore[arg-type]  # a known status
            discordant={STATUSES.index(one) for one in DECIDED} <= statuses,
            specimens=of_specimens,
            name=item.name,
            role=item.role,
            confidence=item.confidence,
            review_state=item.review_state,
            effective=item.effective,
            effective_precision=item.effective_precision,
            origin=item.origin,
        )

    def _kinds_of_testing(self) -> Ints:
        """Name for each testing answer the first that next tests cannot tell from it."""
        markers = {name for kind in self.knowledge.tests if kind.level == "patient" for name in kind.supplies}
        first: dict[tuple[object, ...], int] = {}
        kinds = []
        for at, item in enumerate(self.testing):
            wanted = any(reason.recommended is not False for reason in item.reasons)
            kinds.append(first.setdefault((wanted, tuple(name for name in item.missing if name in markers)), at))
        return np.array(kinds, np.int64)

    def _kinds_of_specimens(self) -> Ints:
        """Number the specimens by all that next tests can depend on, so that fewer questions are different."""
        for at in range(len(self._kind_of), len(self.outcomes.specimens)):
            item, facts = self.outcomes.specimens[at]
            names = {name for kind in self.knowledge.tests for name in (*kind.supplies, *kind.only_if)}
            begun = tuple(_state(facts.get(name)) for name in sorted(names))
            outcomes = (self.outcomes.known[number] for number in self.outcomes.of_set[at][self.rules])
            said = tuple((one.status, one.missing) for one in outcomes)
            key = (
                item.site,
                item.tumour,
                item.specimen_kind,
                facts.get("specimen_kind"),
                has_result(item),
                begun,
                said,
            )
            self._kind_of.append(self._kinds.setdefault(key, len(self._kinds)))
        return np.array(self._kind_of, np.int64)


def reason_text(reason: Reason) -> str:
    """Return a source and its answer in one word."""
    return f"{reason.source}: {'unknown' if reason.recommended is None else 'yes' if reason.recommended else 'no'}"


def _state(value: Value | None) -> int:
    return ABSENT if value is None else UNUSABLE if value is UNSETTLED else KNOWN


def _first_status(mask: int) -> int:
    seen = (status for status in PATIENT_ORDER if mask >> STATUSES.index(status) & 1)
    return STATUSES.index(next(seen, "not_covered"))


def _decided(statuses: npt.NDArray[np.int8]) -> Asked:
    table = np.zeros(len(STATUSES), np.int64)
    for place, status in enumerate(DECIDED, 1):
        table[STATUSES.index(status)] = place
    return Asked(table[statuses], DECIDED)


def _answered(answers: npt.NDArray[np.generic]) -> Asked:
    return Asked(np.where(answers == OPEN, 0, answers.astype(np.int64) + 1), (False, True))


def _any_at(group: Group, tested: Flags, there: Flags, unknown: Flags) -> Answers:
    return np.where(group.any(tested & there), YES, np.where(group.any(tested & unknown), OPEN, NO)).astype(np.int8)


def _asked(column: Column, field: Field) -> Asked:
    """Return a patient-level column as small numbers; of a number, its place in the field's range."""
    if field.type in NUMERIC:
        lowest = int(field.minimum or 0)
        values: tuple[Value, ...] = tuple(range(lowest, int(field.maximum or 0) + 1))
        places = column.values // UNIT - lowest
    elif field.type == "boolean":
        values, places = (False, True), column.values
    elif field.type == "code":
        values, places = tuple(field.values), column.values
    else:
        named = tuple(field.values)
        values, places = (*named, "another text"), np.minimum(column.values, len(named))
    return Asked(np.where(column.known, places + 1, 0), values)


def _distinct(columns: Iterable[Ints]) -> tuple[Ints, Ints]:
    """Return where each different combination of whole numbers stands first, and the combination of each line."""
    first = inverse = np.zeros(0, np.int64)
    for column in columns:
        packed = column.astype(np.int64) if not len(inverse) else inverse * (int(column.max()) + 1) + column
        _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    return first, inverse


def _read_by(nodes: Iterable[Node], asked: Mapping[str, Asked]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(n for node in nodes for n in fields_read(node)) if name in asked)


def _ask_each(
    names: tuple[str, ...], asked: Mapping[str, Asked], length: int, ask: Callable[[tuple[Value | None, ...]], int]
) -> Ints:
    """Ask once for each different combination of facts, and return the answer of each patient."""
    packed, step = np.zeros(length, np.int64), 1
    for name in names:
        packed += asked[name].places * step
        step *= len(asked[name].values) + 1
    if step > MOST_COMBINATIONS:
        codes, packed = np.unique(packed, return_inverse=True)
        return np.array([ask(_facts_of(code, names, asked)) for code in codes.tolist()], np.int64)[packed]
    answers = np.zeros(step, np.int64)
    for code in np.flatnonzero(np.bincount(packed, minlength=step)).tolist():
        answers[code] = ask(_facts_of(code, names, asked))
    return answers[packed]


def _facts_of(code: int, names: tuple[str, ...], asked: Mapping[str, Asked]) -> tuple[Value | None, ...]:
    """Return the facts that were packed into a whole number."""
    facts = []
    for name in names:
        code, place = divmod(code, len(asked[name].values) + 1)
        facts.append(asked[name].values[place - 1] if place else None)
    return tuple(facts)
