"""What is rewritten before it is read (tables, keys, dictation, shared values): each value keeps its own place."""

from __future__ import annotations

import pytest

from her2crc.frontends.text import Finding, extract
from her2crc.frontends.text.fold import Piece, fold, replaced


def places(finding: Finding, text: str) -> dict[str, str]:
    """What stands at the place of each value."""
    return {name: text[spans[0].start : spans[0].end] for name, spans in finding.spans.items()}


def test_a_value_of_a_table_has_the_place_of_its_cell_and_its_name_that_of_the_header() -> None:
    text = "Specimen\tHER2 IHC\tHER2 FISH\tHER2/CEP17\nLiver\t3+\tamplified\t6.8\nRectum\t1+\tnot amplified\t1.2"
    found = extract(text).findings
    assert [item.specimen_site for item in found] == ["liver", "liver", "rectum", "rectum"]
    assert places(found[1], text)["ratio"] == "6.8"
    assert found[3].spans["status"][0].start == text.index("not amplified")
    assert found[2].spans["anchor"][0].start == found[0].spans["anchor"][0].start == text.index("HER2")


def test_the_columns_of_a_table_can_be_the_specimens() -> None:
    text = (
        "Marker | Sigmoid colon | Liver\nHER2 IHC | 1+ | 3+\nKi-67 | 40% | 70%\nHER2 FISH | not amplified | amplified"
    )
    found = {
        (item.specimen_site, item.values.get("ihc_score") or item.values["status"]) for item in extract(text).findings
    }
    assert found == {
        ("sigmoid colon", "1+"),
        ("sigmoid colon", "not_amplified"),
        ("liver", "3+"),
        ("liver", "amplified"),
    }


def test_a_table_with_the_line_ends_of_windows_is_read() -> None:
    text = "Site;HER2 IHC;HER2 FISH\r\ncolon;2+;not amplified\r\nliver;3+;amplified\r\n"
    assert [places(item, text).get("ihc_score") for item in extract(text).findings] == ["2+", None, "3+", None]


def test_the_names_of_keys_have_no_value() -> None:
    text = '{"marker":"HER2","method":"FISH","her2Cep17Ratio":3.62,"meanHer2":8.7,"meanCep17":2.4}'
    (found,) = extract(text).findings
    assert {name: places(found, text)[name] for name in ("ratio", "her2_mean", "cep17_mean")} == {
        "ratio": "3.62",
        "her2_mean": "8.7",
        "cep17_mean": "2.4",
    }


@pytest.mark.parametrize(
    ("text", "field", "place"),
    [
        ("the her two immunostain is three plus", "ihc_score", "three plus"),
        ("HER2 IHC 3+ in ninety percent of cells", "percent", "ninety percent"),
        ("<M name='HER2' method='IHC'><Score>2+</Score><PercentPositive>55</PercentPositive></M>", "percent", "55"),
        ("H E R 2  I H C :  3 +", "ihc_score", "3 +"),
        ("HER2 IHC 2+ in between 30 and 40 % of cells", "percent", "30 and 40 %"),
    ],
)
def test_a_value_said_in_another_way_has_the_place_where_it_is_said(text: str, field: str, place: str) -> None:
    (found,) = extract(text).findings
    assert places(found, text)[field] == place


def test_each_of_two_shared_values_has_its_own_place() -> None:
    text = "The primary and the metastasis were HER2 1+ and 3+, respectively."
    assert [places(item, text)["ihc_score"] for item in extract(text).findings] == ["1+", "3+"]


def test_a_text_rewritten_twice_keeps_the_way_back() -> None:
    once = replaced(fold("HER two IHC three plus"), [Piece(0, 7, "her2"), Piece(12, 17, "3")])
    twice = replaced(once, [Piece(once.low.index("ihc"), once.low.index("ihc") + 3, "immunostain")])
    assert twice.low == "her2 immunostain 3 plus"
    assert twice.span(0, 4) == (0, 7)
    assert twice.span(5, 16) == (8, 11)
    assert twice.span(17, 18) == (12, 17)


def test_what_is_not_rewritten_stays() -> None:
    folded = fold("her2 3+")
    assert replaced(folded, []) is folded
