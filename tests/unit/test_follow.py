"""Following a patient: what is beyond noise, what was lost, what emerged, and what stays unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.errors import InputError, UsageError
from her2crc.flow import assess, load_knowledge, read_patients
from her2crc.follow.changes import changes_of
from her2crc.follow.figures import Noise, follow_figures
from her2crc.following import follow_up
from her2crc.model.follow import FollowUp
from her2crc.report.follow_plot import draw_follow
from her2crc.report.follow_text import follow_text
from her2crc.report.formats import render

Write = Callable[[dict[str, Any]], Path]


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(patient: dict[str, Any]) -> Path:
        path = tmp_path / f"{patient['patient_id']}-{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(patient), encoding="utf-8")
        return path

    return to_file


def plasma(name: str, day: str, copies: float | None, fraction: float | None, **more: Any) -> dict[str, Any]:
    return {
        "specimen_id": name,
        "tumour": "colorectal",
        "site": "plasma",
        "collected_on": day,
        "plasma_copies": copies,
        "tumour_fraction": fraction,
        **more,
    }


def patient(*specimens: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"patient_id": "P", "specimens": list(specimens), **more}


def followed(path: Path, knowledge: Knowledge, **options: Any) -> FollowUp:
    (found,) = follow_up([path], knowledge, **options)
    return found


def events(found: FollowUp) -> dict[str, str]:
    return {event.id: event.text for event in found.events}


def verdicts(found: FollowUp) -> dict[str, str]:
    return {change.what: change.verdict for change in found.changes}


# ---- change beyond noise


def test_a_change_within_noise_is_not_called(write: Write, knowledge: Knowledge) -> None:
    found = followed(write(patient(plasma("A", "2026-01-01", 6, 0.2), plasma("B", "2026-02-01", 5.6, 0.19))), knowledge)
    assert set(verdicts(found).values()) == {"within_noise"}
    assert found.label.startswith("Exploratory")


def test_a_rise_beyond_noise_is_called_and_less_noise_calls_more(write: Write, knowledge: Knowledge) -> None:
    path = write(patient(plasma("A", "2026-01-01", 6, 0.2), plasma("B", "2026-02-01", 7.2, 0.2)))
    assert verdicts(followed(path, knowledge))["observed_copies"] == "real_rise"
    assert verdicts(followed(path, knowledge, copies_cv=0.2))["observed_copies"] == "within_noise"
    change = followed(path, knowledge).changes[0]
    assert change.probability_rise == pytest.approx(1 - change.probability_fall)
    assert change.interval[0] <= change.difference <= change.interval[1]


def test_fewer_than_five_percent_of_unchanged_patients_are_called(write: Write, knowledge: Knowledge) -> None:
    """The declared noise alone; bench/validate_ish.py does this over copies and fractions."""
    random, figures = Random(3), follow_figures()
    noise = Noise(float(knowledge.settings.copies_cv), float(knowledge.settings.fraction_cv), "")
    points = followed(
        write(patient(plasma("A", "2026-01-01", 6, 0.2), plasma("B", "2026-02-01", 6, 0.2))), knowledge
    ).points
    called = 0
    for _ in range(1000):
        drawn = [msgspec.structs.replace(point, copies=random.gauss(6, 0.3)) for point in points]
        called += changes_of(drawn, {}, noise, figures)[0].verdict != "within_noise"
    assert 0.03 <= called / 1000 <= 0.07


def test_different_assays_are_shown_and_not_compared(write: Write, knowledge: Knowledge) -> None:
    first = plasma("A", "2026-01-01", 6, 0.2, plasma_assay="one")
    second = plasma("B", "2026-02-01", 16, 0.2, plasma_assay="two")
    found = followed(write(patient(first, second)), knowledge)
    assert set(verdicts(found).values()) == {"not_comparable"}
    assert any("different assays" in note for note in found.notes)


# ---- loss


def test_a_fall_of_tumour_dna_is_not_taken_for_loss_of_copies(write: Write, knowledge: Knowledge) -> None:
    """20 copies per tumour cell on both days; only the share of tumour DNA falls from 40 % to 1 %."""
    path = write(patient(plasma("A", "2026-01-01", 9.2, 0.4), plasma("B", "2026-02-01", 2.18, 0.01)))
    found = events(followed(path, knowledge))
    assert "loss_of_tumour_dna" in found
    assert "2.18" in found["loss_of_tumour_dna"]
    assert "loss_of_copies" not in found


def test_copies_lost_while_tumour_dna_stays(write: Write, knowledge: Knowledge) -> None:
    path = write(patient(plasma("A", "2026-01-01", 9.2, 0.4), plasma("B", "2026-02-01", 2.1, 0.38)))
    found = events(followed(path, knowledge))
    assert "loss_of_copies" in found
    assert "loss_of_tumour_dna" not in found


def test_without_a_fraction_the_two_are_not_told_apart(write: Write, knowledge: Knowledge) -> None:
    path = write(patient(plasma("A", "2026-01-01", 9.2, 0.4), plasma("B", "2026-02-01", 2.1, None)))
    assert "loss_not_told_apart" in events(followed(path, knowledge))


def test_copies_that_come_back(write: Write, knowledge: Knowledge) -> None:
    days = (("A", "2026-01-01", 9.2, 0.4), ("B", "2026-02-01", 2.1, 0.02), ("C", "2026-03-01", 8.0, 0.3))
    assert "return" in events(followed(write(patient(*(plasma(*day) for day in days))), knowledge))


# ---- resistance and acquired amplification


def variant(gene: str, change: str = "p.X1Y") -> dict[str, Any]:
    return {"gene": gene, "change": change, "allele_fraction": 0.03}


def test_a_ras_variant_first_reported_later(write: Write, knowledge: Knowledge) -> None:
    first = plasma("A", "2026-01-01", 9, 0.4, variants=[variant("APC")])
    second = plasma("B", "2026-02-01", 9, 0.4, variants=[variant("APC"), variant("KRAS", "p.G12D"), variant("ERBB2")])
    found = events(followed(write(patient(first, second)), knowledge))
    assert "KRAS p.G12D at 3 %" in found["resistance_ras"]
    assert "resistance_erbb2" in found


@pytest.mark.parametrize("before", [None, [variant("KRAS", "p.G12D")]])
def test_what_was_not_stated_or_known_before_has_not_emerged(
    before: list[dict[str, Any]] | None, write: Write, knowledge: Knowledge
) -> None:
    first = plasma("A", "2026-01-01", 9, 0.4) | ({"variants": before} if before else {})
    second = plasma("B", "2026-02-01", 9, 0.4, variants=[variant("KRAS", "p.G12D")])
    assert "resistance_ras" not in events(followed(write(patient(first, second)), knowledge))


def test_ras_as_the_highest_allele_fraction_of_a_wild_type_tumour(write: Write, knowledge: Knowledge) -> None:
    first = plasma("A", "2026-01-01", 9, 0.4, plasma_max_vaf=0.2, plasma_max_vaf_gene="APC")
    second = plasma("B", "2026-02-01", 9, 0.4, plasma_max_vaf=0.2, plasma_max_vaf_gene="NRAS")
    path = write(patient(first, second, ras="wild_type"))
    assert "resistance_wild_type" in events(followed(path, knowledge))


CETUXIMAB = {"regimen": "cetuximab", "kind": "anti-EGFR", "start": "2026-01-10", "stop": "2026-04-01"}
NEGATIVE = {"specimen_id": "T", "tumour": "colorectal", "site": "primary", "ihc_score": 0, "collected_on": "2026-01-02"}


def test_amplification_acquired_after_anti_egfr_in_plasma(write: Write, knowledge: Knowledge) -> None:
    path = write(
        patient(plasma("A", "2026-01-01", 2.05, 0.3), plasma("B", "2026-05-01", 6, 0.3), treatments=[CETUXIMAB])
    )
    text = events(followed(path, knowledge))["acquired"]
    assert "2026-01-10" in text
    assert "4 of 18" in text


def test_negative_tissue_then_positive_plasma_after_anti_egfr(write: Write, knowledge: Knowledge) -> None:
    path = write(patient(NEGATIVE, plasma("B", "2026-05-01", 6, 0.3), treatments=[CETUXIMAB]))
    assert "acquired" in events(followed(path, knowledge))


def test_nothing_is_acquired_before_the_treatment_began(write: Write, knowledge: Knowledge) -> None:
    later = CETUXIMAB | {"start": "2026-06-01", "stop": None}
    path = write(patient(NEGATIVE, plasma("B", "2026-05-01", 6, 0.3), treatments=[later]))
    found = events(followed(path, knowledge))
    assert "acquired" not in found
    assert "status_change" in found


def test_without_days_of_treatment_the_order_is_unknown(write: Write, knowledge: Knowledge) -> None:
    path = write(patient(NEGATIVE, plasma("B", "2026-05-01", 6, 0.3), prior_anti_egfr=True))
    assert "acquired_undated" in events(followed(path, knowledge))


# ---- imaging


def test_the_lead_of_a_rise_over_progression(write: Write, knowledge: Knowledge) -> None:
    path = write(
        patient(
            plasma("A", "2026-01-01", 3, 0.1),
            plasma("B", "2026-02-01", 9, 0.4),
            imaging=[{"on": "2026-04-02", "finding": "progression"}],
        )
    )
    leads = {item.what: item.days for item in followed(path, knowledge).lead_times}
    assert leads["observed_copies"] == 60


def test_imaging_that_says_the_opposite_has_no_lead(write: Write, knowledge: Knowledge) -> None:
    imaging = [{"on": "2026-04-02", "finding": "response"}]
    path = write(patient(plasma("A", "2026-01-01", 3, 0.1), plasma("B", "2026-02-01", 9, 0.4), imaging=imaging))
    assert followed(path, knowledge).lead_times == ()


# ---- reading


def test_treatments_and_imaging_from_tables(write: Write, knowledge: Knowledge, tmp_path: Path) -> None:
    path = write(patient(plasma("A", "2026-01-01", 3, 0.1), plasma("B", "2026-02-01", 9, 0.4)))
    treatments = tmp_path / "treatments.csv"
    treatments.write_text("patient_id;regimen;kind;start;stop\nP;T-DXd;anti-HER2;2026-01-15;\n", encoding="utf-8")
    imaging = tmp_path / "imaging.csv"
    imaging.write_text("patient_id,on,finding\nP,2026-03-01,Progression\n", encoding="utf-8")
    found = followed(path, knowledge, treatments=treatments, imaging=imaging)
    assert [(item.regimen, item.kind) for item in found.treatments] == [("T-DXd", "anti_her2")]
    assert found.points[1].treatment == ("T-DXd",)
    assert found.lead_times
    imaging.write_text("patient_id,on,finding\nP,soon,Progression\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        followed(path, knowledge, imaging=imaging)
    assert refused.value.where == "imaging.csv:2"
    imaging.write_text("patient_id,on,finding\nQ,2026-03-01,Progression\n", encoding="utf-8")
    with pytest.raises(InputError, match="No patient of the table"):
        followed(path, knowledge, imaging=imaging)


def test_results_of_one_patient_in_several_files_are_joined(write: Write, knowledge: Knowledge) -> None:
    files = [write(patient(plasma("A", "2026-01-01", 3, 0.1))), write(patient(plasma("B", "2026-02-01", 9, 0.4)))]
    (found,) = follow_up(files, knowledge)
    assert [point.specimen_id for point in found.points] == ["A", "B"]


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("treatments", {"regimen": "x", "kind": "magic", "start": "2026-01-01"}),
        ("treatments", {"regimen": "x", "kind": "other"}),
        ("treatments", {"regimen": "x", "kind": "other", "start": "2026-02-01", "stop": "2026-01-01"}),
        ("imaging", {"on": "yesterday", "finding": "stable"}),
        ("imaging", "progression"),
    ],
)
def test_an_entry_that_cannot_be_used_is_an_error_and_the_rest_stands(
    key: str, entry: Any, write: Write, knowledge: Knowledge
) -> None:
    path = write(patient(plasma("A", "2026-01-01", 3, 0.1), **{key: [entry]}))
    (read,) = read_patients(path, knowledge)
    (issue,) = [issue for issue in read.issues if issue.field == key]
    assert issue.level == "error"
    assert read.specimens[0].plasma.plasma_copies is not None


def test_an_undated_specimen_is_named(write: Write, knowledge: Knowledge) -> None:
    undated = plasma("U", "", 9, 0.4)
    found = followed(write(patient(plasma("A", "2026-01-01", 3, 0.1), undated)), knowledge)
    assert [point.specimen_id for point in found.points] == ["A"]
    assert any("U" in note for note in found.notes)


def test_an_impossible_noise_is_refused(write: Write, knowledge: Knowledge) -> None:
    with pytest.raises(UsageError):
        followed(write(patient(plasma("A", "2026-01-01", 3, 0.1))), knowledge, copies_cv=7)


# ---- the result of assess, and the reports

COURSE = patient(
    NEGATIVE,
    plasma("A", "2026-01-08", 2.05, 0.3, variants=[variant("APC")]),
    plasma("B", "2026-05-01", 9, 0.3, variants=[variant("KRAS")]),
    plasma("C", "2026-07-01", 2.1, 0.02),
    treatments=[CETUXIMAB],
    imaging=[{"on": "2026-06-01", "finding": "progression"}],
)


def test_assess_fills_follow_up_only_for_serial_plasma(write: Write, knowledge: Knowledge) -> None:
    (serial,) = read_patients(write(COURSE), knowledge)
    (single,) = read_patients(write(patient(plasma("A", "2026-01-01", 3, 0.1))), knowledge)
    assert assess(single, knowledge).follow_up == {}
    found = msgspec.convert(assess(serial, knowledge).follow_up, FollowUp)
    assert [point.specimen_id for point in found.points] == ["T", "A", "B", "C"]


def test_an_earlier_result_is_read_with_its_course(write: Write, knowledge: Knowledge) -> None:
    (read,) = read_patients(write(COURSE), knowledge)
    (again,) = read_patients(b"".join(render([read], "json", knowledge)), knowledge, "again.json")
    assert again.treatments == read.treatments
    assert again.imaging == read.imaging
    assert [item.variants for item in again.specimens] == [item.variants for item in read.specimens]
    assert not again.issues


def test_the_schema_takes_the_course_and_refuses_what_is_not_one() -> None:
    schema = her2crc.patient_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    clean = json.loads(json.dumps(COURSE).replace("anti-EGFR", "anti_egfr"))
    assert list(validator.iter_errors(clean)) == []
    assert list(validator.iter_errors(clean | {"treatments": [{"regimen": "x"}]}))


def test_reports_show_the_course(write: Write, knowledge: Knowledge) -> None:
    (read,) = read_patients(write(COURSE), knowledge)
    answer = assess(read, knowledge)
    text = b"".join(render([answer], "text", knowledge)).decode()
    page = b"".join(render([answer], "html", knowledge)).decode()
    for shown in (text, page):
        assert "no published cut-off exists" in " ".join(shown.split())
        assert "4 of 18 patients" in " ".join(shown.split())
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="follow"' in page


def test_the_picture_is_one_valid_svg(write: Write, knowledge: Knowledge) -> None:
    found = followed(write(COURSE), knowledge)
    tree = ElementTree.fromstring(draw_follow(found))
    words = "".join(tree.itertext())
    assert "cetuximab" in words
    assert "progression" in words
    assert draw_follow(msgspec.structs.replace(found, points=())) == ""
    assert "HER2 over time" in follow_text(found)


def test_text_in_a_regimen_cannot_become_markup(write: Write, knowledge: Knowledge) -> None:
    evil = CETUXIMAB | {"regimen": "<script>alert(1)</script>"}
    (read,) = read_patients(write(COURSE | {"treatments": [evil]}), knowledge)
    page = b"".join(render([assess(read, knowledge)], "html", knowledge)).decode()
    assert "<script>" not in page


def test_two_readings_of_one_day_are_no_change(write: Write, knowledge: Knowledge) -> None:
    path = write(patient(plasma("A", "2026-01-01", 3, 0.1), plasma("B", "2026-01-01", 9, 0.4)))
    assert followed(path, knowledge).changes == ()


def test_specimens_without_a_name_in_two_files_are_two(tmp_path: Path, knowledge: Knowledge) -> None:
    files = []
    for number, (day, copies) in enumerate((("2026-01-01", 3), ("2026-02-01", 9))):
        files.append(tmp_path / f"visit{number}.csv")
        text = f"patient_id,site,collected_on,plasma_copies,tumour_fraction\nP,plasma,{day},{copies},0.3\n"
        files[-1].write_text(text, encoding="utf-8")
    (found,) = follow_up(files, knowledge)
    assert [point.copies for point in found.points] == [3, 9]
    assert not found.issues


def test_variants_stay_with_their_specimen_when_files_are_joined(write: Write, knowledge: Knowledge) -> None:
    files = [
        write(patient(plasma("C", "2026-01-01", 9, 0.4, variants=[variant("APC")]))),
        write(patient(plasma("C", "2026-02-01", 9, 0.4, variants=[variant("KRAS", "p.G12D")]))),
    ]
    (found,) = follow_up(files, knowledge)
    (event,) = [event for event in found.events if event.id == "resistance_ras"]
    assert str(event.on) == "2026-02-01"


# ---- what must not be called


def pair(*readings: tuple[float, float | None], **more: Any) -> dict[str, Any]:
    days = ("2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01")
    found = [plasma(f"C{n}", day, *read) for n, (day, read) in enumerate(zip(days, readings, strict=False), 1)]
    return patient(*found, **more)


def test_below_the_cut_within_noise_is_no_loss_of_anything(write: Write, knowledge: Knowledge) -> None:
    """The tumour fraction did not fall, and it was said that it had."""
    found = events(followed(write(pair((2.5, 0.4), (2.35, 0.4))), knowledge))
    assert set(found) == {"below_within_noise", "status_change"}
    assert "no more than the noise" in found["status_change"]


@pytest.mark.parametrize("first", [(9.2, 0.4), (50.0, 0.4)])
def test_little_tumour_dna_shows_no_loss_of_copies(
    first: tuple[float, float], write: Write, knowledge: Knowledge
) -> None:
    """At 2 % a reading of 1.9 lies beyond noise below what is expected, but nothing can be told there."""
    found = followed(write(pair(first, (1.9, 0.02))), knowledge)
    assert set(events(found)) == {"loss_not_assessable"}
    assert "adjusted_copies" not in verdicts(found)


def test_two_readings_of_one_day_are_no_loss(write: Write, knowledge: Knowledge) -> None:
    first, second = plasma("A", "2026-01-01", 9, 0.4), plasma("B", "2026-01-01", 2.1, 0.4)
    assert not events(followed(write(patient(first, second)), knowledge))


def test_another_assay_shows_no_loss_and_no_trend(write: Write, knowledge: Knowledge) -> None:
    names = ("one", "two", "two")
    case = pair((9, 0.4), (2.0, 0.4), (2.0, 0.4))
    for specimen, name in zip(case["specimens"], names, strict=True):
        specimen["plasma_assay"] = name
    found = followed(write(case), knowledge)
    assert set(events(found)) == {"loss_other_assay", "status_change"}
    assert "different assays" in events(found)["status_change"]
    assert not found.trends


def test_copies_that_were_never_seen_do_not_come_back(write: Write, knowledge: Knowledge) -> None:
    assert "return" not in events(followed(write(pair((2.1, 0.03), (9, 0.4))), knowledge))


def test_an_impossible_reading_is_no_loss(write: Write, knowledge: Knowledge) -> None:
    found = followed(write(pair((9, 0.4), (0, 0.4))), knowledge)
    assert "loss_of_copies" not in events(found)
    assert "adjusted_copies" not in verdicts(found)
    assert any("C2" in note and "wrong" in note for note in found.notes)


def test_ras_in_the_first_stated_variants_of_a_wild_type_tumour(write: Write, knowledge: Knowledge) -> None:
    first = plasma("A", "2026-01-01", 9, 0.4)
    second = plasma("B", "2026-02-01", 9, 0.4, variants=[variant("KRAS", "p.G12D")])
    assert "resistance_wild_type" in events(followed(write(patient(first, second, ras="wild_type")), knowledge))
    assert not events(followed(write(patient(first, second)), knowledge))


def test_one_result_and_unusable_dates_are_said(write: Write, knowledge: Knowledge) -> None:
    found = followed(write(patient(plasma("A", "2026-01-01", 9, 0.4), plasma("B", "31.02.2026", 2.1, 0.4))), knowledge)
    text = follow_text(found)
    assert "Only one dated plasma result" in text
    assert "collected_on must be a date" in text


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_days_at_the_ends_of_the_calendar_are_drawn(day: str, write: Write, knowledge: Knowledge) -> None:
    found = followed(write(patient(plasma("A", "2026-01-01", 9, 0.4), plasma("B", day, 9, 0.4))), knowledge)
    assert ElementTree.fromstring(draw_follow(found)).tag.endswith("svg")


def test_a_treatment_until_the_end_of_the_calendar_has_no_end_stated(write: Write, knowledge: Knowledge) -> None:
    case = pair((9, 0.4), (9, 0.4), treatments=[CETUXIMAB | {"stop": "9999-12-31"}])
    found = followed(write(case), knowledge)
    assert found.treatments[0].stop is None
    assert "9999" not in draw_follow(found)


def test_fractions_in_percent_without_a_sign_are_suspected(write: Write, knowledge: Knowledge) -> None:
    """Of 40 and 1, one is refused and the other would be 100 % tumour DNA."""
    found = followed(write(pair((9, 40), (2.1, 1))), knowledge)
    assert any("percent" in note for note in found.notes)
    assert not any("percent" in note for note in followed(write(pair((9, 0.4), (2.1, 1))), knowledge).notes)


def test_within_noise_is_said_also_without_a_fraction(write: Write, knowledge: Knowledge) -> None:
    assert set(events(followed(write(pair((2.5, None), (2.35, None))), knowledge))) == {"below_within_noise"}


def test_the_whole_is_written_as_a_hundred_percent(write: Write, knowledge: Knowledge) -> None:
    found = events(followed(write(pair((9, 0.4), (2.0, 1))), knowledge))
    assert "at 100 % the copies" in found["loss_of_copies"]
