"""A laboratory's own table: mapping files, what they may declare, and what `map` proposes in seven languages."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.errors import Her2crcError, InputError, KnowledgeError, MissingInputError, UsageError
from her2crc.model.patient import Patient
from her2crc.proposal import MappingProposal, map_columns
from her2crc.read import read_bytes
from her2crc.read.column_words import meaning_of
from her2crc.read.mapping import load_mapping
from her2crc.read.patterns import LONGEST_CELL, check_pattern, matched

GERMAN = (
    "Patientennummer;Fallnummer;Entnahmeort;HER2 IHK;FISH Quotient;Tumorgehalt (%);RAS-Status;Befundtext\n"
    "4711;H23-100;Leber;3+ (80%);2,4;60;Wildtyp;geheim\n"
    "4712;H23-101;Dickdarm;2+ (40 %);1,8;70;mutiert;geheim\n"
    "4713;H23-102;Lunge;1+;;5;Wildtyp;geheim\n"
)
MAPPING = """\
columns:
  - {column: Patient, field: patient_id}
  - {column: Block, field: specimen_id}
  - column: HER2
    capture: '(?P<ihc_score>[0-3]\\+?)(?: \\((?P<ihc_percent>[0-9]{1,3}) ?%\\))?'
    values: {negativ: "0"}
  - {column: Reinheit, field: tumour_purity, unit: percent}
  - {column: Zellen, field: ish_cell_percent, unit: fraction}
  - {column: Ort, field: site, values: {Leber: liver, Dickdarm: primary}}
constants: {tumour: colorectal}
"""
TABLE = (
    "Block;Patient;HER2;Reinheit;Zellen;Ort;Freitext\n"
    "B1;P1;3+  (80%);45;0.65;leber;x\n"
    "B2;P1;negativ;7,5 %;;Dickdarm;y\n"
    "B3;P2;stark;n/a;viele;Mars;z\n"
)


@pytest.fixture
def lab(tmp_path: Path, knowledge: Knowledge) -> Callable[..., list[Patient]]:
    def read(table: str | bytes = TABLE, mapping: str = MAPPING) -> list[Patient]:
        (tmp_path / "m.yaml").write_text(mapping, encoding="utf-8")
        data = table.encode() if isinstance(table, str) else table
        return her2crc.read_patients(data, knowledge, "lab.csv", mapping=tmp_path / "m.yaml")

    return read


@pytest.fixture
def propose(tmp_path: Path, knowledge: Knowledge) -> Callable[..., MappingProposal]:
    def run(table: str | bytes, name: str = "lab.csv") -> MappingProposal:
        path = tmp_path / name
        path.write_bytes(table.encode() if isinstance(table, str) else table)
        return map_columns(path, knowledge)

    return run


# ---- reading through a mapping


def test_a_mapping_reads_a_table(lab: Callable[..., list[Patient]]) -> None:
    first, second = lab()
    b1, b2 = first.specimens
    assert (first.patient_id, b1.specimen_id, b1.tumour, b1.site) == ("P1", "B1", "colorectal", "liver")
    assert (b1.ihc.ihc_score, str(b1.ihc.ihc_percent)) == (3, "80")
    assert (str(b1.tissue.tumour_purity), str(b1.ish.ish_cell_percent)) == ("0.45", "65.00")
    assert (b2.ihc.ihc_score, b2.ihc.ihc_percent, str(b2.tissue.tumour_purity)) == (0, None, "0.075")
    assert second.specimens[0].ihc.ihc_score is None


def test_what_does_not_fit_is_an_error_with_its_place_and_stays_unknown(lab: Callable[..., list[Patient]]) -> None:
    second = lab()[1]
    errors = {(issue.field, issue.place) for issue in second.issues if issue.level == "error"}
    assert errors == {(name, "lab.csv:4") for name in ("ihc_score", "ihc_percent", "ish_cell_percent", "site")}
    assert second.specimens[0].tissue.tumour_purity is None
    assert set(second.specimens[0].unsettled) == {"ihc_score", "ihc_percent", "ish_cell_percent", "site"}
    assert not any("stark" in issue.text or "viele" in issue.text for issue in second.issues)


def test_excel_by_sheet(lab: Callable[..., list[Patient]]) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    sheet = book.create_sheet("Daten")
    for line in TABLE.splitlines():
        sheet.append(line.split(";"))
    file = io.BytesIO()
    book.save(file)
    assert lab(file.getvalue(), MAPPING + "sheet: Daten\n")[0].specimens[0].ihc.ihc_score == 3
    with pytest.raises(InputError, match="sheet"):
        lab(file.getvalue(), MAPPING + "sheet: Other\n")


def test_a_column_that_is_missing_is_said_and_unknown(lab: Callable[..., list[Patient]]) -> None:
    first = lab(TABLE.replace("HER2;", "HER2 neu;"))[0]
    assert first.specimens[0].ihc.ihc_score is None
    assert next(issue.text for issue in first.issues if issue.id == "columns_missing").endswith("HER2")


def test_the_column_of_the_patient_must_be_there(lab: Callable[..., list[Patient]]) -> None:
    with pytest.raises(InputError, match="patient_id"):
        lab(TABLE.replace("Patient;", "Name;"))
    with pytest.raises(InputError, match="same name"):
        lab(TABLE.replace("Block;", "Patient;"))


def test_dropping_a_column_never_adds_a_value(lab: Callable[..., list[Patient]]) -> None:
    def facts(patients: list[Patient]) -> set[tuple[str, str, str]]:
        return {
            (patient.patient_id, field, str(value))
            for patient in patients
            for item in patient.specimens
            for part in (item.ihc, item.ish, item.tissue)
            for field in part.__struct_fields__
            if (value := getattr(part, field)) is not None
        }

    whole = facts(lab())
    rows = [line.split(";") for line in TABLE.splitlines()]
    for number in range(2, len(rows[0])):
        less = "".join(";".join(cells[:number] + cells[number + 1 :]) + "\n" for cells in rows)
        assert facts(lab(less)) <= whole


# ---- mapping files that are refused


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("columns:\n  - {column: A, field: patient_id}\n  - {column: A, field: ihc_scor}\n", "did you mean ihc_score"),
        ("columns:\n  - {column: A, field: patient_id}\n  - {column: B, field: patient_id}\n", "filled twice"),
        ("columns:\n  - {column: A, field: patient_id}\nconstants: {ihc_score: '3', specimen_id: x}\n", "the same in"),
        ("columns:\n  - {column: A, field: patient_id, capture: '(?P<site>a)'}\n", "either field or capture"),
        ("columns:\n  - {column: A}\n", "either field or capture"),
        ("columns:\n  - {column: A, field: ihc_score}\n", "no column is patient_id"),
        (
            "columns:\n  - {column: A, field: patient_id}\n  - {column: B, field: ihc_score, unit: percent}\n",
            "unit is only",
        ),
        (
            "columns:\n  - {column: A, field: patient_id}\n  - {column: B, field: tumour_purity, unit: per mille}\n",
            "Invalid",
        ),
        ("columns:\n  - {column: A, feld: patient_id}\n", "unknown field"),
        ("columns:\n  - {column: A, field: patient_id, column: B}\n", "stands twice"),
        ("columns:\n  - {column: A, field: patient_id}\nconstants: {tumour: [a]}\n", "Expected"),
        ("columns:\n  - {column: A, field: ngs_tumour_copies}\n", "not a field that can be given"),
        ("columns: []\n", "no column is patient_id"),
        ("", "empty"),
        ("columns: [", "YAML"),
        (
            "columns:\n  - {column: A, field: patient_id}\n  - {column: B, capture: '(?P<ihc_score>[0-3]'}\n",
            "not allowed",
        ),
        (
            "columns:\n  - {column: A, field: patient_id}\n  - {column: B, capture: '(?P<ihc_score>(a+)+)'}\n",
            "repeated",
        ),
        ("columns:\n  - {column: A, field: patient_id}\n  - {column: B, capture: '(?P<secret>a)'}\n", "not a field"),
        ("columns:\n  - {column: A, field: patient_id}\n  - {column: B, capture: 'a'}\n", "no named group"),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_and_line(tmp_path: Path, mapping: str, says: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(mapping)
    with pytest.raises(KnowledgeError, match=says) as caught:
        load_mapping(path)
    assert caught.value.where.startswith("m.yaml")


def test_a_mapping_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_mapping(tmp_path / "none.yaml")


# ---- patterns cannot run away


@pytest.mark.parametrize(
    "pattern",
    [
        "(?P<ihc_score>(a+)+)",
        "(?P<ihc_score>(a|a)*)",
        "(?P<ihc_score>.*.*.*.*)",
        "(?P<ihc_score>a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?)",
        "(?P<ihc_score>a{1,50}a{1,50}a{1,50}a{1,50})",
        "(?P<ihc_score>[0-3])(?=x)",
        "(?P<ihc_score>[0-3])(?P=ihc_score)",
        r"(?P<ihc_score>[0-3])\1",
        "(?i)(?P<ihc_score>[0-3])",
        "(?P<ihc_score>a**)",
        "(?P<ihc_score>" + "a" * 300 + ")",
    ],
)
def test_patterns_that_could_run_away_are_refused(pattern: str) -> None:
    assert check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?P<ihc_score>[0-3]\+?) ?\((?P<ihc_percent>[0-9]{1,3}) ?%\)",
        r"(?:HER2 )?(?P<ihc_score>[0-3]\+?)(?:[ (,;/][ (,;/]? ?(?P<ihc_percent>[0-9]{1,3}) ?%\)?)?",
        r"(?P<ish_her2_signals>\d+) ?/ ?(?P<ish_cep17_signals>\d+)",
        r".*(?P<ihc_score>[0-3])\+.*",
    ],
)
def test_the_slowest_cell_for_an_allowed_pattern_is_quick(pattern: str) -> None:
    assert check_pattern(pattern) == ""
    start = time.perf_counter()
    for filler in ("3", "3+", " ", "3 ", "a", "(", "0/"):
        matched(pattern, (filler * LONGEST_CELL)[:LONGEST_CELL])
    assert time.perf_counter() - start < 1


def test_a_percentage_is_never_taken_for_a_score() -> None:
    from her2crc.read.column_words import words

    for form in words().forms:
        assert check_pattern(form.pattern) == ""
        for cell in ("30%", "10 %", "300", "35%", "100%", "3%", "12"):
            assert matched(form.pattern, cell) is None, (form.pattern, cell)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="()[]{}?*+|\\.^$dP<>=:ihc_score0123,-% ", max_size=40))
def test_any_pattern_is_judged_without_a_crash(pattern: str) -> None:
    if not check_pattern(pattern):
        start = time.perf_counter()
        matched(pattern, "3+ 30" * 20)
        assert time.perf_counter() - start < 2


# ---- proposals


def chosen(proposal: MappingProposal) -> dict[str, tuple[str, ...]]:
    return {item.column: item.maps[0].fields for item in proposal.columns if item.accepted}


def test_the_proposal_can_be_used_as_it_is(
    tmp_path: Path, propose: Callable[..., MappingProposal], lab: Callable[..., list[Patient]]
) -> None:
    proposal = propose(GERMAN)
    patients = lab(GERMAN, proposal.yaml)
    assert [patient.patient_id for patient in patients] == ["4711", "4712", "4713"]
    assert [patient.specimens[0].ihc.ihc_score for patient in patients] == [3, 2, 1]
    assert [str(patient.specimens[0].tissue.tumour_purity) for patient in patients] == ["0.6", "0.7", "0.05"]
    assert [patient.genes.ras for patient in patients] == ["wild_type", "mutant", "wild_type"]
    assert [row["site"] for row in proposal.preview] == ["liver", "primary", "lung"]
    assert not [issue for patient in patients for issue in patient.issues if issue.level == "error"]


def test_free_text_is_neither_mapped_nor_written(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose(GERMAN)
    assert "geheim" not in proposal.yaml
    assert '"Befundtext"' in proposal.yaml
    assert not next(item for item in proposal.columns if item.column == "Befundtext").maps


HEADERS = {
    "english": (
        "Patient ID",
        "Specimen ID",
        "HER2 IHC score",
        "HER2/CEP17 ratio",
        "Tumor purity",
        "RAS status",
        "Biopsy site",
    ),
    "german": (
        "Patienten-ID",
        "Probennummer",
        "HER2-IHK",
        "HER2/CEP17-Quotient",
        "Tumorzellgehalt",
        "RAS",
        "Lokalisation",
    ),
    "french": (
        "N° patient",
        "Échantillon",
        "Score HER2",
        "Rapport HER2/CEP17",
        "Cellularité tumorale",
        "Statut RAS",
        "Organe",
    ),
    "spanish": (
        "ID paciente",
        "Muestra",
        "HER2 IHQ",
        "Cociente HER2/CEP17",
        "Pureza tumoral",
        "Estado RAS",
        "Localización",
    ),
    "italian": ("ID paziente", "Campione", "Punteggio HER2", "Rapporto HER2/CEP17", "Cellularità", "Stato RAS", "Sede"),
    "turkish": (
        "Hasta No",
        "Numune No",
        "HER2 skoru",
        "HER2/CEP17 oranı",  # noqa: RUF001 - Turkish
        "Tümör hücre oranı",  # noqa: RUF001 - Turkish
        "RAS durumu",
        "Lokalizasyon",
    ),
    "chinese": ("患者编号", "标本编号", "HER2评分", "HER2/CEP17比值", "肿瘤细胞含量", "RAS状态", "部位"),
}
MEANT = ("patient_id", "specimen_id", "ihc_score", "ish_ratio", "tumour_purity", "ras", "site")


@pytest.mark.parametrize("language", HEADERS)
def test_headers_of_seven_languages(language: str, propose: Callable[..., MappingProposal]) -> None:
    rows = ("P1,S1,3+,2.4,0.6,wild_type,liver", "P2,S2,0,1.1,0.3,mutant,primary")
    proposal = propose("\n".join((",".join(HEADERS[language]), *rows)) + "\n")
    assert chosen(proposal) == {header: (field,) for header, field in zip(HEADERS[language], MEANT, strict=True)}
    assert {item.confidence for item in proposal.columns} == {"high"}


def test_our_own_columns_map_to_themselves(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose("patient_id,ihc_score,ihc_percent\nP1,3,60\n")
    assert chosen(proposal) == {name: (name,) for name in ("patient_id", "ihc_score", "ihc_percent")}


def test_two_columns_for_one_field_are_both_left_to_a_person(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose("Patient ID,HER2 score,HER2 IHC\nP1,3+,3+\nP2,2+,0\n")
    assert chosen(proposal) == {"Patient ID": ("patient_id",)}
    for column in ("HER2 score", "HER2 IHC"):
        assert f'  # - {{column: "{column}", field: ihc_score}}' in proposal.yaml
    assert "ihc_score" not in proposal.preview[0]


def test_a_header_that_fits_but_whose_values_do_not_is_left_out(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose("Patient ID,HER2\nP1,positive\nP2,negative\n")
    assert chosen(proposal) == {"Patient ID": ("patient_id",)}
    assert '# - {column: "HER2", field: ihc_score}' in proposal.yaml


def test_the_range_of_a_column_tells_its_unit(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose("Patient ID,Tumor purity,HER2 %\nP1,60,0.55\nP2,30,0.1\n")
    units = {item.column: item.maps[0].unit for item in proposal.columns}
    assert units == {"Patient ID": "", "Tumor purity": "percent", "HER2 %": "fraction"}
    assert [str(row["tumour_purity"]) for row in proposal.preview] == ["0.6", "0.3"]
    plain = propose("Patient ID,Tumor purity,HER2 %\nP1,0.6,55\nP2,1,10\n")
    assert {item.maps[0].unit for item in plain.columns} == {""}


def test_without_a_patient_there_is_no_preview(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose("Foo,HER2\nP1,3+\n")
    assert proposal.preview == ()
    assert "columns:" in proposal.yaml


def test_the_sheet_with_the_known_headers_is_taken(propose: Callable[..., MappingProposal]) -> None:
    book = openpyxl.Workbook()
    for line in (["Notes", "x"], ["1", "2"]):
        book.active.append(line)
    sheet = book.create_sheet("Results")
    for line in (["MRN", "HER2 IHC"], [4711, "3+"]):
        sheet.append(line)
    file = io.BytesIO()
    book.save(file)
    proposal = propose(file.getvalue(), "lab.xlsx")
    assert 'sheet: "Results"' in proposal.yaml
    assert proposal.preview == ({"patient_id": "4711", "ihc_score": 3},)


@pytest.mark.parametrize("table", ["", "\n\n", "only a header\n", b"\x00\x01", b"PK\x03\x04", 'a,"b\nc'])
def test_what_is_no_table_is_refused(table: str | bytes, propose: Callable[..., MappingProposal]) -> None:
    with pytest.raises(InputError):
        propose(table)


def test_a_file_that_is_not_there(knowledge: Knowledge) -> None:
    with pytest.raises(MissingInputError):
        map_columns("no such file.csv", knowledge)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_give_a_proposal_or_our_error(
    tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.csv"
    path.write_bytes(data)
    try:
        proposal = map_columns(path, knowledge)
    except Her2crcError:
        return
    (path.parent / "m.yaml").write_text(proposal.yaml, encoding="utf-8")
    try:
        read_bytes(data, "x.csv", path.parent / "m.yaml")
    except Her2crcError:
        return


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=4, unique=True))
def test_any_headers_give_yaml_that_loads_or_is_refused_clearly(
    tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge, headers: list[str]
) -> None:
    import csv

    folder = tmp_path_factory.mktemp("any")
    with (folder / "x.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["patient_id", *headers], ["P1", *("3" for _ in headers)]])
    try:
        proposal = map_columns(folder / "x.csv", knowledge)
    except InputError:
        return
    (folder / "m.yaml").write_text(proposal.yaml, encoding="utf-8")
    if any("patient_id" in item.maps[0].fields for item in proposal.columns if item.accepted):
        assert load_mapping(folder / "m.yaml").columns


# ---- the command


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "her2crc"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def test_map_then_read_on_the_command_line(tmp_path: Path) -> None:
    table, mapping = tmp_path / "lab.csv", tmp_path / "mapping.yaml"
    table.write_text(GERMAN, encoding="utf-8")
    shown = run("map", str(table), "-o", str(mapping))
    assert shown.returncode == 0 and "4711" in shown.stdout
    read = run("read", str(table), "--mapping", str(mapping), "--format", "jsonl")
    assert read.returncode == 0 and len(read.stdout.splitlines()) == 3
    assert run("assess", str(table), "--mapping", str(mapping), "--format", "json").returncode == 0
    assert run("read", str(table), "--mapping", str(tmp_path / "none")).returncode == UsageError.exit_code


def test_what_map_prints_is_itself_a_mapping(tmp_path: Path) -> None:
    table = tmp_path / "lab.csv"
    table.write_text(GERMAN, encoding="utf-8")
    printed = run("map", str(table)).stdout
    (tmp_path / "m.yaml").write_text(printed, encoding="utf-8")
    assert len(load_mapping(tmp_path / "m.yaml").columns) == 7
    assert "# 4711" in printed


# ---- as laboratories write: days, character sets, titles, one column a gene, scores with words


@pytest.mark.parametrize(
    ("header", "written", "orders"),
    [
        ("Datum", ["01.03.2026", "15.03.2026"], ["day_first"]),
        ("Date", ["01/03/2026", "25/03/2026"], ["day_first"]),
        ("Date", ["03/01/2026", "03/25/2026"], ["month_first"]),
        ("Date (MM/DD/YYYY)", ["03/01/2026", "03/02/2026"], ["month_first"]),
        ("Date (DD/MM/YYYY)", ["03/01/2026"], ["day_first"]),
        ("Date", ["03/01/2026", "03/02/2026"], ["day_first", "month_first"]),
        ("取材日期", ["2026/3/1", "2026年3月15日"], ["day_first"]),
        ("Date", ["46082", "46100"], ["excel"]),
        ("Date", ["2026-03-01"], [""]),
    ],
)
def test_the_order_of_day_and_month_is_found_or_left_to_a_person(
    header: str, written: list[str], orders: list[str], propose: Callable[..., MappingProposal]
) -> None:
    proposal = propose(f"patient_id;{header}\n" + "".join(f"{n};{day}\n" for n, day in enumerate(written)))
    column = proposal.columns[1]
    assert [way.date for way in column.maps] == orders
    assert column.accepted is (len(orders) == 1)


def test_days_are_read_as_the_mapping_says(lab: Callable[..., list[Patient]]) -> None:
    mapping = "columns:\n  - {column: P, field: patient_id}\n  - {column: D, field: collected_on, date: %s}\n"
    table = "P;D\n1;03.04.2026\n2;31.12.2025\n3;2026-02-01\n4;3.4.26\n"
    (first, second, third, fourth) = (item.specimens for item in lab(table, mapping % "day_first"))
    assert [str(item[0].collected_on) for item in (first, second, third)] == ["2026-04-03", "2025-12-31", "2026-02-01"]
    assert fourth[0].collected_on is None
    (first, second, *_) = lab(table, mapping % "month_first")
    assert str(first.specimens[0].collected_on) == "2026-03-04"
    assert second.specimens[0].collected_on is None
    assert [issue.level for issue in second.issues] == ["error"]


def test_titles_above_and_totals_below_are_no_patients(
    lab: Callable[..., list[Patient]], propose: Callable[..., MappingProposal]
) -> None:
    table = "Registre HER2 2026;;\n;;\nN° patient;Score HER2;Organe\n1;3+;Foie\n2;1+;Poumon\nTotal;2;\n"
    mapping = propose(table).yaml
    first, second = lab(table, mapping)
    assert (first.patient_id, first.specimens[0].ihc.ihc_score, first.specimens[0].site) == ("1", 3, "liver")
    assert (second.patient_id, second.specimens[0].ihc.ihc_score) == ("2", 1)
    assert {issue.id for issue in first.issues} == {"rows_above_header", "total_row"}


def test_genes_in_columns_of_their_own_make_their_marker(
    lab: Callable[..., list[Patient]], propose: Callable[..., MappingProposal]
) -> None:
    table = (
        "NHC;KRAS;NRAS\n1;No mutado;No mutado\n2;No mutado;Mutado\n3;No mutado;\n4;;\n5;Mutado;G13R\n6;No mutado;G13R\n"
    )
    patients = lab(table, propose(table).yaml)
    assert [item.genes.ras for item in patients] == ["wild_type", "mutant", None, None, "mutant", None]
    assert [bool(item.issues) for item in patients] == [False, False, False, False, False, True]


def test_a_score_with_words_is_read_where_they_agree(
    lab: Callable[..., list[Patient]], propose: Callable[..., MappingProposal]
) -> None:
    table = "MRN;HER2 IHC (0-3+)\n1;3+ (positive)\n2;Negative (1+)\n3;Negative (3+)\n4;+++\n"
    patients = lab(table, propose(table).yaml)
    assert [item.specimens[0].ihc.ihc_score for item in patients] == [3, 1, None, 3]


def test_a_table_in_a_chinese_character_set(
    tmp_path: Path, knowledge: Knowledge, propose: Callable[..., MappingProposal]
) -> None:
    table = "病历号,部位,免疫组化,阳性细胞百分比\n100,肝,3+,80%\n101,结肠,2+,60%\n".encode("gb18030")
    proposal = propose(table)
    path, mapping = tmp_path / "table.csv", tmp_path / "mapping.yaml"
    path.write_bytes(table)
    mapping.write_text(proposal.yaml, encoding="utf-8")
    first, second = her2crc.read_patients(path, knowledge, mapping=mapping)
    assert (first.specimens[0].site, first.specimens[0].ihc.ihc_score) == ("liver", 3)
    assert (second.specimens[0].site, second.specimens[0].ihc.ihc_percent) == ("primary", 60)


@pytest.mark.parametrize("encoding", ["latin-9000", "ascii"])
def test_a_character_set_that_does_not_fit_is_refused(tmp_path: Path, knowledge: Knowledge, encoding: str) -> None:
    path, mapping = tmp_path / "table.csv", tmp_path / "mapping.yaml"
    path.write_text("P;Ä\n1;3\n", encoding="utf-8")
    mapping.write_text(f"encoding: {encoding}\ncolumns:\n  - {{column: P, field: patient_id}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="character set"):
        her2crc.read_patients(path, knowledge, mapping=mapping)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("{column: B, field: ihc_score, date: excel}", "date is only for"),
        ("{column: B, field: braf_v600e, gene: BRAF}", "gene is only for"),
        ("{column: B, field: ras, gene: KRAS}\n  - {column: C, field: ras, gene: KRAS}", "filled twice"),
        ("{column: B, field: ras, gene: KRAS}\n  - {column: C, field: ras}", "filled twice"),
    ],
)
def test_days_and_genes_are_declared_only_where_they_can_be(tmp_path: Path, column: str, says: str) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(f"columns:\n  - {{column: A, field: patient_id}}\n  - {column}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=says):
        load_mapping(path)


def test_a_file_that_is_no_table_is_refused_without_its_content(propose: Callable[..., MappingProposal]) -> None:
    message = "MSH|^~\\&|A|B|||2026||ORU^R01|1|P|2.5.1\rPID|1||4711||Beispiel^Jane\rOBX|1|ST|18474-7^HER2||3+\r"
    for content in (message, '{"resourceType": "Patient"}', "<x><y>Beispiel</y></x>"):
        with pytest.raises(InputError) as caught:
            propose(content, "export.csv")
        assert "Beispiel" not in str(caught.value)


def test_where_no_header_is_known_none_is_repeated(propose: Callable[..., MappingProposal]) -> None:
    proposal = propose("Beispiel;Jane;4711\nMuster;Max;4712\n")
    assert "Beispiel" not in proposal.yaml
    assert "no header of the table is known" in proposal.yaml


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("HER2 Signals/Cell", "ish_her2_copies"),
        ("Mean HER2 (signals/nucleus)", "ish_her2_copies"),
        ("Score IHK", "ihc_score"),
        ("HER2/neu IHK", "ihc_score"),
        ("N. campione", "specimen_id"),
        ("Nº de biopsia", "specimen_id"),
        ("HER2 % pos. Zellen", "ihc_percent"),
        ("HER2 IHC (0-3+)", "ihc_score"),
    ],
)
def test_a_header_in_other_words_or_order_means_the_same(header: str, field: str) -> None:
    assert meaning_of(header).fields == (field,)


@pytest.mark.parametrize("header", ["CEP17/HER2 ratio", "HER2 (FISH)", "HER2 (NGS)", "HER2 FISH"])
def test_a_header_of_another_method_or_the_inverse_is_not_known(header: str) -> None:
    assert not meaning_of(header).whole


def test_tumour_cells_may_be_those_stained_or_those_in_the_specimen() -> None:
    assert set(meaning_of("% Tumor Cells").fields) == {"ihc_percent", "tumour_purity"}


def test_a_table_from_a_pipe() -> None:
    command = [str(Path(sys.executable).parent / "her2crc"), "map", "-"]
    done = subprocess.run(command, input="Patient;HER2 Score\n1;3+\n", capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert '{column: "HER2 Score", field: ihc_score}' in done.stdout
