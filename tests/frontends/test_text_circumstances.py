# ruff: noqa: RUF001 - full-width signs and the dotless i are what laboratories write
"""Of whom and of what time a result is, in the words of eight languages."""

from __future__ import annotations

import pytest

from her2crc.frontends.text import extract

TIMES = [
    ("更正报告：原报告HER2结果由1+更正为2+，余诊断不变。", {"2+": "addendum"}),
    ("原HER2（1+）更正为HER2（2+）", {"2+": "addendum"}),
    ("HER2 1+ corrected to 2+", {"2+": "addendum"}),
    ("Relecture : le score HER2 initialement 2+ est corrigé en 3+.", {"3+": "addendum"}),
    ("Previous HER2 2+, amended report: 3+", {"2+": "prior", "3+": "addendum"}),
    (
        "2023年3月活检：HER2（2+）；当时FISH未扩增。2024年9月肝穿刺HER2（3+）",
        {"2+": "prior", "not_amplified": "prior", "3+": "current"},
    ),
    (
        "Externer Befund (Primärtumor, 2022): HER2 IHK 1+. Aktuelle Leberstanze: HER2 IHK 2+ in 55 %",
        {"1+": "prior", "2+": "current"},
    ),
    (
        "Referto integrativo del 20/11/2024. FISH HER2 amplificata. Nel referto originale HER2 era risultata 2+.",
        {"amplified": "addendum", "2+": "prior"},
    ),
    ("【追加報告 2025年4月10日】FISH法によるHER2検査。判定：増幅あり。", {"amplified": "addendum"}),
    ("Addendum report (15 Jan 2026)\nHER2 FISH not amplified.", {"not_amplified": "addendum"}),
    ("Dış merkez raporunda HER2 2+ bildirilmiş, merkezimizde tekrar HER2 3+.", {"2+": "prior", "3+": "current"}),
    ("外院HER2（1+），我院会诊HER2（3+）", {"1+": "prior", "3+": "current"}),
    ("前医では HER2 1+、当院での再検で 3+", {"1+": "prior", "3+": "current"}),
    ("The submitting laboratory reported HER2 3+. On our repeat stain we score 2+.", {"3+": "prior", "2+": "current"}),
    ("HER2 : 2+ sur la biopsie initiale, 3+ sur la métastase actuelle.", {"2+": "prior", "3+": "current"}),
    ("2015 wegen Mammakarzinom operiert (HER2 negativ).", {"negative": "prior"}),
    ("Opérée en 2015 d'un cancer du sein (HER2 négatif).", {"negative": "prior"}),
    ("2015年因乳腺癌行手术（HER2阴性）", {"negative": "prior"}),
    ("2022年HER2阴性，2024年复查HER2阳性（3+）。", {"negative": "prior", "3+": "current"}),
    ("HER2 negativo en 2021 (1+), positivo en 2024 (3+).", {"1+": "prior", "3+": "current"}),
    ("HER2 0, au lieu de 2+ sur la biopsie antérieure.", {"0": "current"}),
    ("Colon resection 2024, operated, HER2 3+", {"3+": "current"}),
]
RELATIVES = [
    "Die Mutter der Patientin erkrankte an einem HER2-positiven Mammakarzinom.",
    "Die Schwester des Patienten hat Brustkrebs, HER2 positiv",
    "La mère de la patiente a eu un cancer du sein HER2 positif",
    "La madre de la paciente tuvo cáncer de mama HER2 positivo",
    "La madre della paziente: carcinoma mammario HER2 positivo",
    "The mother of the patient had HER2-positive breast cancer.",
    "Trastuzumab bei HER2-positivem Magenkarzinom der Schwester.",
    "患者之姊乳癌HER2陽性",
    "Hastanın annesinde HER2 pozitif meme kanseri",
]
PATIENTS = [
    "Mother and patient both HER2 positive",
    "Patient with HER2-positive colon cancer, mother had breast cancer.",
    "王小姐，HER2阳性",
    "Mutter mit Mammakarzinom. Patientin selbst: HER2 positiv",
]


@pytest.mark.parametrize(("text", "times"), TIMES)
def test_time_of_results(text: str, times: dict[str, str]) -> None:
    found = extract(text).findings
    read = {str(item.values.get("ihc_score", item.values.get("status"))): item.temporality for item in found}
    assert read == times


@pytest.mark.parametrize("text", RELATIVES)
def test_a_result_of_a_relative(text: str) -> None:
    assert [item.subject for item in extract(text).findings] == ["family"]


@pytest.mark.parametrize("text", PATIENTS)
def test_a_result_of_the_patient_beside_a_relative(text: str) -> None:
    assert [item.subject for item in extract(text).findings] == ["patient"]


def test_a_tumour_of_the_past_is_not_that_of_the_present_result() -> None:
    text = "Klinische Angaben: Z.n. Mammakarzinom 2010 (HER2 3+).\nLeberstanze: HER2 2+ in 40 % der Tumorzellen."
    assert [(item.tumour, item.temporality) for item in extract(text).findings] == [
        ("breast", "prior"), (None, "current"),
    ]  # fmt: skip


def test_places_of_traditional_characters_are_those_of_the_text() -> None:
    text = "雙色原位雜交(DISH)：HER2基因無擴增，HER2/CEP17比值1.31"
    found = extract(text).findings[0]
    span = found.spans["status"][0]
    assert (found.values["status"], text[span.start : span.end]) == ("not_amplified", "基因無擴增")
