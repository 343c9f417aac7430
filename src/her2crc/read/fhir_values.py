"""One value of an observation or component into a score, number or word: exact, or the reason why it is unknown.

Nothing is guessed: a bound, a reason for absence, a wrong unit or a value of the wrong kind raises :class:`NotRead`,
which names the message for a person.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

from her2crc.model.quantity import parse_decimal
from her2crc.read.fhir_codes import REMEMBERED, Code, codebook, plain
from her2crc.read.fhir_resources import Component, Concept, Other, Quantity, Range, Ratio, Resource
from her2crc.read.score_words import stated_scores

BOUND_SIGNS = ("<", ">", "≤", "≥", "~", "≈")
QUOTIENT = Context(prec=12, rounding=ROUND_HALF_EVEN)
"""A quotient that does not end keeps so many digits; no threshold of fewer digits lies between it and the truth."""

DIMENSIONLESS = "1"
ANNOTATION = re.compile(r"\{[^{}]*\}")
PER_NUCLEUS = ("{copies}/{nucleus}", "{copies}/{cell}", "{signals}/{nucleus}", "{signals}/{cell}")

SCORE_AND_PERCENT = re.compile(r"(.+?)\s*[,;(]\s*(\d{1,3}(?:[.,]\d+)?)\s*%\s*\)?")

QUOTIENT_IN_WORDS = re.compile(r"(\d+(?:[.,]\d+)?)\s*[:/]\s*(\d+(?:[.,]\d+)?)")

Given = Concept | Quantity | Ratio | str | int


class NotRead(Exception):  # noqa: N818 - a value that stays unknown is no error of the program
    """The value stays unknown; ``id`` is the message that says why, ``what`` its safe detail."""

    def __init__(self, id: str, what: str = "") -> None:
        super().__init__(id)
        self.id, self.what = id, what


def values_of(answer: Resource | Component) -> list[Given | Range | Other]:
    """Return every value of an observation or component; FHIR allows one at most."""
    given: tuple[Given | Range | Other | None, ...] = (
        answer.value_codeable_concept,
        answer.value_quantity,
        answer.value_string,
        answer.value_integer,
        answer.value_ratio,
        answer.value_range,
        *(Other() for value in _of_no_test(answer) if value is not None),
    )
    return [value for value in given if value is not None]


def _of_no_test(answer: Resource | Component) -> tuple[object, ...]:
    """Return the values of those kinds that no test here has."""
    return (
        answer.value_boolean,
        answer.value_date_time,
        answer.value_time,
        answer.value_period,
        answer.value_sampled_data,
    )


def value_of(answer: Resource | Component) -> Given:
    """Return the one value of an observation or component."""
    if answer.data_absent_reason is not None:
        is_error = "error" in (item.code for item in answer.data_absent_reason.coding)
        raise NotRead("fhir_value_error" if is_error else "fhir_value_absent")
    values = values_of(answer)
    if len(values) != 1:
        raise NotRead("fhir_two_values" if values else "fhir_no_value")
    value = values[0]
    if isinstance(value, Other):
        raise NotRead("fhir_value_kind")
    return _point(value) if isinstance(value, Range) else value


def _point(range: Range) -> Quantity:
    """Return a range that is a single point as the amount it is; no other range is a value."""
    if range.low != range.high:
        raise NotRead("fhir_range")
    return range.low


@lru_cache(maxsize=REMEMBERED)
def meanings(value: Concept | str, name: str) -> frozenset[str]:
    """Return what a coded or written value means by one answer list (several: they contradict each other)."""
    answers = codebook().answers[name]
    return frozenset(answers.of_text(value) if isinstance(value, str) else answers.of_concept(value))


def read_choice(answer: Resource | Component, name: str) -> str:
    """Return the one thing that a coded or written value means by an answer list."""
    value = value_of(answer)
    meant = meanings(value, name) if isinstance(value, (Concept, str)) else frozenset()
    if len(meant) == 1:
        return min(meant)
    raise NotRead("fhir_answers_contradict", name) if meant else NotRead("fhir_not_understood")


def read_score(answer: Resource | Component, code: Code) -> int:
    """Return a HER2 score 0..3; 'present' or 'positive' is not a score."""
    value = value_of(answer)
    if isinstance(value, Ratio):
        raise NotRead("fhir_value_kind")
    if isinstance(value, Quantity):
        number = _quantity(value, code)
        value = int(number) if number == number.to_integral_value() else str(number)
    return _only_score(str(value) if isinstance(value, int) else value, code)


def _only_score(text: Concept | str, code: Code) -> int:
    scores = stated_meanings(text)
    if len(scores) == 1:
        return int(min(scores))
    raise NotRead("fhir_answers_contradict", code.name) if scores else _no_score(text)


@lru_cache(maxsize=REMEMBERED)
def stated_meanings(value: Concept | str) -> frozenset[str]:
    """Return the HER2 scores that a value means, as a code, a plain answer, or one with words around it."""
    table = codebook().answers["ihc_score"]
    if isinstance(value, str):
        return frozenset(table.of_text(value)) or stated_scores(value)
    texts = list(dict.fromkeys(text for text in (value.text, *(coding.display for coding in value.coding)) if text))
    said = [table.of_text(text) or stated_scores(text) for text in (*texts, "; ".join(texts))]
    coded = {score for score in map(table.of_coding, value.coding) if score is not None}
    scores = frozenset(coded).union(*said)
    bare = [frozenset(codebook().file.scores_of[word]) for word in meanings(value, "presence")]
    return scores.union(*(allowed for allowed in bare if scores and not scores & allowed))


def read_stain(answer: Resource | Component, code: Code) -> dict[str, int | Decimal]:
    """Return a HER2 score as the fields it fills; written plainly as in ``3+ (80 %)`` it brings the percentage too."""
    value = value_of(answer)
    text = value.text if isinstance(value, Concept) and not value.coding else value
    both = SCORE_AND_PERCENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if both is None:
        return {code.field: read_score(answer, code)}
    score, percent = both.groups()
    return {code.field: _only_score(score, code), "ihc_percent": parse_decimal(percent)}


def read_decimal(answer: Resource | Component, code: Code) -> Decimal:
    """Return a number with the digits that were written."""
    value = value_of(answer)
    if isinstance(value, Quantity):
        return _quantity(value, code)
    if isinstance(value, Ratio):
        raise NotRead("fhir_value_kind")
    return Decimal(value) if isinstance(value, int) else _written(value, code)


def read_count(answer: Resource | Component, code: Code) -> int:
    """Return a whole number."""
    number = read_decimal(answer, code)
    if number != number.to_integral_value():
        raise NotRead("fhir_not_whole")
    return int(number)


def read_ratio(answer: Resource | Component, code: Code) -> dict[str, Decimal]:
    """Return a HER2/CEP17 ratio as the fields it fills.

    A numerator and denominator whose units say 'per nucleus' are the two means, so these are kept too; they are never
    taken for totals counted. A quotient that does not end is left to the means, else kept to the digits of QUOTIENT.
    """
    ratio = value_of(answer)
    if isinstance(ratio, str) and (written := QUOTIENT_IN_WORDS.fullmatch(ratio.strip())):
        ratio = Ratio(*(Quantity(value=parse_decimal(number)) for number in written.groups()))
    if not isinstance(ratio, Ratio):
        return {code.field: read_decimal(answer, code)}
    numerator, denominator = _amount(ratio.numerator), _amount(ratio.denominator)
    if denominator <= 0:
        raise NotRead("fhir_zero_denominator")
    quotient = QUOTIENT.divide(numerator, denominator)
    if not all(_unit(part) in PER_NUCLEUS for part in (ratio.numerator, ratio.denominator)):
        return {code.field: quotient}
    means = {"ish_her2_copies": numerator, "ish_cep17_copies": denominator}
    return means | ({code.field: quotient} if quotient * denominator == numerator else {})


def read_words(answer: Resource | Component) -> str:
    """Return an answer as it was written, for ``normalise`` to know or to refuse."""
    value = value_of(answer)
    if isinstance(value, Concept):
        shown = [value.text, *(coding.display or coding.code for coding in value.coding)]
        value = next((text for text in shown if text), "")
    if not isinstance(value, str) or not value:
        raise NotRead("fhir_not_understood")
    return value


def bare_status(answer: Resource | Component) -> NotRead:
    """Return why a bare 'amplified' or 'not amplified' is not read, or that a score stands in its place."""
    value = value_of(answer)
    if not isinstance(value, (Concept, str)):
        return NotRead("fhir_value_kind")
    return NotRead("fhir_expression_under_ish" if meanings(value, "ihc_score") else "fhir_duplication_status")


def lacks_unit(answer: Resource | Component, code: Code) -> bool:
    """Tell whether a quantity says no unit where its number means something only with one."""
    quantity = answer.value_quantity
    return quantity is not None and bool(code.units) and DIMENSIONLESS not in code.units and not _unit(quantity)


def _quantity(quantity: Quantity, code: Code) -> Decimal:
    unit = _unit(quantity)
    if unit and not _fits(unit, code):
        raise NotRead("fhir_unit", code.name)
    return _amount(quantity)


def _fits(unit: str, code: Code) -> bool:
    """Tell whether a unit is one of a code, or a remark in braces, as UCUM allows, that is not the unit of any code."""
    if unit in code.units or unit.casefold() in code.units:
        return True
    is_remark = ANNOTATION.fullmatch(unit) is not None and unit.casefold() not in codebook().units
    return is_remark and DIMENSIONLESS in code.units


def _amount(quantity: Quantity) -> Decimal:
    if quantity.comparator:
        raise NotRead("fhir_bound")
    if quantity.value is None:
        raise NotRead("fhir_no_value")
    return _finite(str(quantity.value))


def _finite(text: str) -> Decimal:
    try:
        return parse_decimal(text)
    except ValueError:
        raise NotRead("fhir_not_a_number") from None


def _unit(quantity: Quantity) -> str:
    return quantity.code or plain(quantity.unit or "")


def _written(value: Concept | str, code: Code) -> Decimal:
    if isinstance(value, str):
        if _is_bound(value):
            raise NotRead("fhir_bound")
        try:
            return parse_decimal(value.strip().removesuffix("%") if "%" in code.units else value)
        except ValueError:
            pass
    if meanings(value, "ihc_score"):
        raise NotRead("fhir_expression_under_ish" if code.group == "ish" else "fhir_not_a_number")
    raise NotRead("fhir_bare_status" if meanings(value, "presence") else "fhir_not_understood")


def _no_score(value: Concept | str) -> NotRead:
    if isinstance(value, str) and _is_bound(value):
        return NotRead("fhir_bound")
    if meanings(value, "presence"):
        return NotRead("fhir_presence_not_score")
    try:
        parse_decimal(value if isinstance(value, str) else value.text or "")
    except ValueError:
        return NotRead("fhir_not_understood")
    return NotRead("fhir_not_a_score")


def _is_bound(text: str) -> bool:
    return text.strip().startswith(BOUND_SIGNS)
