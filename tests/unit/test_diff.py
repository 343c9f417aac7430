"""Where two sets differ: every kind of difference is found, real, and told with a patient; and the JSON export."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest

from her2crc.criteria.cache import load_editions
from her2crc.criteria.diff import MOST_SHOWN, Difference, diff_sets
from her2crc.criteria.export import export_json
from her2crc.criteria.fields import NUMERIC
from her2crc.criteria.run import decide
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import Ratio, Value
from her2crc.normalise import derive_facts

EDITIONS = load_editions()
FIELDS = EDITIONS.fields
SETS = {criteria.id: criteria for criteria in EDITIONS.sets}


def differences(first: str, second: str) -> list[Difference]:
    return diff_sets(SETS[first], SETS[second], FIELDS, derive_facts)


def patient(facts: dict[str, str | None]) -> dict[str, Value | None]:
    read: dict[str, Value | None] = {}
    for name, shown in facts.items():
        kind = FIELDS[name].type
        number = Decimal(shown) if shown is not None and kind in NUMERIC else None
        read[name] = (Ratio(number, Decimal(1)) if kind == "ratio" else number) if number is not None else shown
    return read


def test_a_ratio_of_exactly_two_is_the_whole_difference_of_these_two_sets_on_two_plus() -> None:
    found = differences("s1613", "fujii_2020")
    assert (found[0].first, found[0].second) == ("negative", "positive")
    assert found[0].example == "HER2 score by immunohistochemistry: 2; HER2/CEP17 ratio: 2.00; nothing else reported"
    assert (found[0].first_row, found[0].second_row) == ("two_plus_ish_negative", "two_plus_ish_positive")
    opposite = [item for item in found if {item.first, item.second} == {"positive", "negative"}]
    assert len(opposite) == 1


PAIRS = [
    ("csco_article", "heracles_2015"),
    ("breast_2018", "heracles_2015"),
    ("cenaj_2019", "yeh_2019"),
    ("mountaineer", "sun_2023"),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_each_example_really_gets_both_statuses(first: str, second: str) -> None:
    found = differences(first, second)
    assert found
    for item in found:
        case = patient(item.facts)
        statuses = decide(SETS[first], case).status, decide(SETS[second], case).status
        assert statuses == (item.first, item.second)
        assert statuses[0] != statuses[1]
        assert item.cases > 0


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_opposite_verdicts_come_first_and_the_list_stays_readable(first: str, second: str) -> None:
    found = differences(first, second)
    decided = [len({item.first, item.second} & {"positive", "negative"}) for item in found]
    assert decided == sorted(decided, reverse=True)
    assert len(found) <= MOST_SHOWN
    assert len({(item.first_row, item.second_row, item.first, item.second) for item in found}) == len(found)


def test_the_other_way_round_is_the_same_difference() -> None:
    one = {(item.first_row, item.second_row, item.cases) for item in differences("cenaj_2019", "yeh_2019")}
    other = {(item.second_row, item.first_row, item.cases) for item in differences("yeh_2019", "cenaj_2019")}
    assert one == other


def test_a_set_does_not_differ_from_itself_nor_do_two_that_say_the_same() -> None:
    assert differences("triumph", "triumph") == []
    assert differences("destiny_crc01", "destiny_crc02") == []


def test_tissue_and_plasma_sets_differ_where_only_one_applies() -> None:
    found = differences("csco_article", "guardant360_observed")
    assert (found[0].first, found[0].second) == ("negative", "positive")
    assert "not_covered" in {item.second for item in found}


def test_the_json_export_holds_every_set_and_reads_back_without_loss() -> None:
    text = export_json(EDITIONS.sets)
    document = json.loads(text)
    assert list(document) == ["criteria"]
    again = msgspec.convert(document["criteria"], tuple[CriteriaSet, ...])
    assert again == EDITIONS.sets
    heracles = next(item for item in document["criteria"] if item["id"] == "heracles_2015")
    assert heracles["rows"][0]["when"]["args"][0] == {"type": "compare", "field": "ihc_score", "op": "=", "value": "3"}
