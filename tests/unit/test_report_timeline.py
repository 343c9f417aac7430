"""The picture of time: lanes by site, marks by method, labels that do not overlap."""

from collections.abc import Callable
from itertools import combinations, pairwise

import pytest

from her2crc.model.verdict import Assessment
from her2crc.report.timeline import CHARACTER, LEFT, LONGEST_LABEL, Timeline, draw_timeline

Answer = Callable[..., Assessment]


def draw(answer: Answer, *specimens: dict[str, object]) -> Timeline:
    return draw_timeline(answer(*specimens).patient.specimens)


def test_lanes_are_sites_in_the_order_of_their_first_day(answer: Answer) -> None:
    picture = draw(
        answer,
        {"site": "liver", "collected_on": "2026-02-01", "ihc_score": 3},
        {"site": "primary", "collected_on": "2024-02-01", "ihc_score": 1},
        {"site": "liver", "collected_on": "2025-02-01", "ihc_score": 2},
    )
    assert [lane.site for lane in picture.lanes] == ["primary", "liver"]
    assert [item.specimen_id for item in picture.lanes[1].placed] == ["S3", "S1"]


def test_marks_are_the_methods(answer: Answer) -> None:
    picture = draw(
        answer,
        {"site": "liver", "collected_on": "2026-02-01", "ihc_score": 2, "ish_ratio": 3, "ngs_copies": 9},
        {"site": "plasma", "collected_on": "2026-03-01", "plasma_copies": 3},
        {"site": "bone", "collected_on": "2026-04-01"},
    )
    marks = {item.specimen_id: [mark.method for mark in item.marks] for lane in picture.lanes for item in lane.placed}
    assert marks == {"S1": ["ihc", "ish", "ngs"], "S2": ["plasma"], "S3": ["none"]}


def test_undated_specimens_are_listed_and_not_drawn(answer: Answer) -> None:
    picture = draw(answer, {"ihc_score": 3}, {"ihc_score": 2, "collected_on": "2026-02-01"})
    assert picture.undated == ("S1",)
    assert [item.specimen_id for lane in picture.lanes for item in lane.placed] == ["S2"]
    assert draw(answer, {"ihc_score": 3}).lanes == ()
    assert draw(answer).lanes == ()


@pytest.mark.parametrize("years", [0, 1, 2, 9, 40])
def test_time_runs_from_left_to_right_within_the_picture(answer: Answer, years: int) -> None:
    picture = draw(
        answer,
        {"specimen_id": "first", "collected_on": "1986-12-31", "ihc_score": 3},
        {"specimen_id": "last-with-a-very-long-name-indeed", "collected_on": f"{1986 + years}-12-31", "ihc_score": 3},
    )
    first, last = picture.lanes[0].placed
    assert LEFT <= first.marks[0].x <= last.marks[0].x
    assert (first.marks[0].x < last.marks[0].x) == (years > 0)
    assert last.label_x + CHARACTER * LONGEST_LABEL <= picture.width
    assert len(last.label) <= LONGEST_LABEL
    assert 2 <= len(picture.ticks) <= 10
    assert all(left.x < right.x for left, right in pairwise(picture.ticks))


def test_labels_of_one_lane_do_not_overlap(answer: Answer) -> None:
    days = ["2026-01-01", "2026-01-01", "2026-01-05", "2026-03-01", "2026-03-02", "2026-12-31"]
    picture = draw(
        answer,
        *(
            {"specimen_id": f"SPECIMEN-{n}", "site": "liver", "collected_on": day, "ihc_score": 1}
            for n, day in enumerate(days)
        ),
    )
    (lane,) = picture.lanes
    spans = [(item.y, item.marks[0].x, item.label_x + CHARACTER * len(item.label)) for item in lane.placed]
    assert len({y for y, *_ in spans}) > 1
    for (y, start, end), (other_y, other_start, other_end) in combinations(spans, 2):
        assert y != other_y or end <= other_start or other_end <= start
    assert all(lane.top < y < lane.top + lane.height for y, *_ in spans)
