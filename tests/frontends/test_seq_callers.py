"""What callers really write: names of keys, contigs and columns as in their own files, and the purity beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

import her2crc
from her2crc.errors import InputError

KNOWLEDGE = her2crc.load_knowledge()
LOG2 = "1.1375035"  # of 2.2
SEG_HEADER = "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean"


def measure(text: str | bytes, name: str = "x.txt", **options):
    data = text if isinstance(text, bytes) else text.encode()
    return her2crc.measure_tissue(data, KNOWLEDGE, name=name, **options)


def vcf(header: str, record: str) -> str:
    pytest.importorskip("pysam", reason="pysam is not installed")
    keys = "".join(f'##FORMAT=<ID={key},Number=1,Type=Float,Description="-">\n' for key in ("CN", "SM", "BC", "NP"))
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tT1\n"
    return "##fileformat=VCFv4.2\n" + header + keys + columns + record.replace(" ", "\t") + "\n"


HG38 = "##contig=<ID=chr17,length=83257441>\n"
PLACE = "chr17 39600000 . N <DUP> . PASS SVTYPE=CNV;END=39800000"


@pytest.mark.parametrize(
    ("header", "record", "bins"),
    [
        (HG38 + "##EstimatedTumorPurity=0.3\n", f"{PLACE} SM:CN:BC 2.2:10:30", 30),  # DRAGEN
        (HG38 + "##EstimatedTumorPurity=0.30\n", f"{PLACE} CN:BC 10:90", 90),  # Canvas
        ("##CellularityAsAFractionBetween0-1=0.3\n" + HG38, f"{PLACE};RAW_CN=4.4;NUMTILES=20 CN 10", 20),  # Oncomine
        (HG38 + "##tumor_purity=0.3\n", f"{PLACE};FOLD_CHANGE=2.2;PROBES=28 CN 4", 28),  # CNVkit
        (HG38 + "##purity=0.3\n", f"{PLACE} CN:NP 4.4:12", 12),  # GATK
        ("##contig=<ID=NC_000017.11>\n##purity=0.3\n", f"{PLACE} CN 4.4".replace("chr17", "NC_000017.11"), None),
    ],
)
def test_copies_of_vcf_are_corrected_for_purity_once(header: str, record: str, bins: int | None) -> None:
    found = measure(vcf(header, record), "x.vcf")[0]
    assert (found.fold, found.tumour_copies) == (pytest.approx(2.2), pytest.approx(10))
    assert (found.bins, found.build, found.tumour_purity) == (bins, "hg38", 0.3)


def test_a_key_that_the_header_does_not_define_is_read_all_the_same() -> None:
    header = "##fileformat=VCFv4.2\n" + HG38 + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    pytest.importorskip("pysam", reason="pysam is not installed")
    assert measure(header + PLACE.replace(" ", "\t") + ";CN=4.4\n", "x.vcf")[0].fold == pytest.approx(2.2)


@pytest.mark.parametrize("copies", ["-3", "0"])
def test_a_copy_number_that_cannot_be_is_refused(copies: str) -> None:
    text = vcf(HG38, f"{PLACE} CN {copies}")
    with pytest.raises(InputError, match="not above 0") as error:
        measure(text, "x.vcf")
    assert error.value.where == f"x.vcf:{len(text.splitlines())}"


@pytest.mark.parametrize(
    ("text", "build"),
    [
        (f"{SEG_HEADER}\nA\tNC_000017.11\t39600000\t39800000\t40\t{LOG2}\n", "hg38"),
        (f"{SEG_HEADER}\nA\tNC_000017.10\t37800000\t38000000\t40\t{LOG2}\n", "hg19"),
        (f"A\tchr1\t1\t248956000\t90\t0\nA\tchr17\t39600000\t83250000\t40\t{LOG2}\n", "hg38"),  # no header
        (f"{SEG_HEADER}\nA\t1\t1\t249250000\t9\t0\nA\t17\t37000000\t38500000\t40\t{LOG2}\n".replace("\t", " "), "hg19"),
        (
            "@HD\tVN:1.6\n@SQ\tSN:chr17\tLN:83257441\n"
            "CONTIG\tSTART\tEND\tNUM_POINTS_COPY_RATIO\tMEAN_LOG2_COPY_RATIO\tCALL\n"
            f"chr17\t39600000\t39800000\t40\t{LOG2}\t+\n",
            "hg38",
        ),
    ],
)
def test_segments_of_every_style_find_their_build(text: str, build: str) -> None:
    found = measure(text, "x.seg")[0]
    assert (found.fold, found.build, found.bins) == (pytest.approx(2.2), build, 40)


def test_a_build_that_contradicts_the_file_is_refused() -> None:
    text = f"{SEG_HEADER}\nA\tNC_000017.11\t39600000\t39800000\t40\t{LOG2}\n"
    with pytest.raises(InputError, match="says hg38"):
        measure(text, "x.seg", build="hg19")


def test_denoised_copy_ratios_without_labels_are_bins() -> None:
    rows = [f"chr1\t{at}000\t{at}500\t{0.1 * (-1) ** at}" for at in range(1000, 1060)]
    rows += [f"chr17\t{at}000\t{at}500\t{float(LOG2) + 0.1 * (-1) ** at}" for at in range(39688, 39718)]
    head = "@SQ\tSN:chr17\tLN:83257441\nCONTIG\tSTART\tEND\tLOG2_COPY_RATIO\n"
    found = measure(head + "\n".join(rows) + "\n", "x.denoisedCR.tsv")[0]
    assert (found.fold, found.basis, found.bins) == (pytest.approx(2.2), "bins", 30)


@pytest.mark.parametrize("label", ["erbb2", "HER2", "ERBB2-exon5", "ERBB2.5", "ERBB2(NM_004448)", "ENSG00000141736"])
def test_erbb2_is_found_however_its_bins_are_labelled(label: str) -> None:
    rows = [f"chr1\t{at}000\t{at}500\tA\t{0.1 * (-1) ** at}\t1" for at in range(1000, 1060)]
    rows += [f"chr17\t{at}00\t{at}50\t{label}\t{1 + 0.1 * (-1) ** at}\t1" for at in range(378560, 378580)]
    text = "chromosome\tstart\tend\tgene\tlog2\tweight\n" + "\n".join(rows) + "\n"
    assert measure(text, "x.cnr")[0].fold == pytest.approx(2, rel=0.01)
    with pytest.raises(InputError, match="No bin is labelled"):
        measure(text.replace(label, "ERBB2IP"), "x.cnr")


PAIRS = {
    "T.purple.cnv.gene.tsv": (
        "chromosome\tstart\tend\tgene\tminCopyNumber\tmaxCopyNumber\nchr17\t39687914\t39730426\tERBB2\t10\t12\n",
        "T.purple.purity.tsv",
        "purity\tnormFactor\tploidy\n0.4\t0.9\t2.1\n",
        0.4,
    ),
    "S_genes.csv": (
        'Sampleid,gene.symbol,C,seg.mean,number.targets\n"S","ERBB2",10,1.1,30\n',
        "S.csv",
        '"Sampleid","Purity","Ploidy"\n"S",0.3,2.05\n',
        0.3,
    ),
    "Q_segments.txt": (
        '"chromosome"\t"start.pos"\t"end.pos"\t"depth.ratio"\t"N.ratio"\t"sd.ratio"\t"CNt"\n'
        '"chr1"\t1\t248956000\t1\t9000\t0.4\t2\n"chr17"\t39000000\t83200000\t2.2\t100\t0.4\t10\n',
        "Q_confints_CP.txt",
        '"cellularity"\t"ploidy.estimate"\n0.27\t1.9\n0.3\t2.0\n0.33\t2.1\n',
        0.3,
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_purity_that_the_caller_wrote_beside_its_copies_is_used(tmp_path: Path, name: str) -> None:
    text, other, content, purity = PAIRS[name]
    (tmp_path / name).write_text(text)
    without = her2crc.measure_tissue(tmp_path / name, KNOWLEDGE)[0]
    assert without.tumour_purity is None and {rule.outcome for rule in without.rules} == {"cannot_decide"}
    (tmp_path / other).write_text(content)
    found = her2crc.measure_tissue(tmp_path / name, KNOWLEDGE)[0]
    assert found.tumour_purity == purity and found.tumour_copies == pytest.approx(10, rel=0.06)
    low, high = found.tumour_copies_interval
    assert low < 10 < high and any(other in note for note in found.notes)
    assert her2crc.measure_tissue(tmp_path / name, KNOWLEDGE, purity=0.6)[0].tumour_purity == 0.6


def test_a_table_of_a_spreadsheet_program(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    workbook = openpyxl.Workbook()
    workbook.active.append(["a cover sheet"])
    sheet = workbook.create_sheet("results")
    for row in (["specimen_id", "ngs_fold", "purity"], ["A", 2.2, 0.3], [], ["B", 2.8, "20 %"], ["C", 2.8, None]):
        sheet.append(row)
    workbook.save(tmp_path / "lab.xlsx")
    found = her2crc.measure_tissue(tmp_path / "lab.xlsx", KNOWLEDGE)
    assert [(item.specimen_id, item.tumour_copies) for item in found] == [("A", 10.0), ("B", 20.0), ("C", None)]


def test_a_purity_of_foundation_below_one_is_a_share() -> None:
    text = """<variant-report specimen="F" purity-assessment="{}"><copy-number-alteration gene="ERBB2" ratio="2.2"
        copy-number="10" type="amplification"/></variant-report>"""
    for purity in ("30", "0.3"):
        assert measure(text.format(purity), "f.xml")[0].tumour_copies == pytest.approx(10)


def test_without_a_number_every_rule_is_still_answered_and_none_is_negative() -> None:
    for text in (PAIRS["T.purple.cnv.gene.tsv"][0], "Hugo_Symbol\tA\nERBB2\t-1\n", "specimen_id,ngs_fold\nA,\n"):
        found = measure(text)[0]
        assert found.fold is None and found.rules
        assert {rule.outcome for rule in found.rules} == {"cannot_decide"}


def test_one_bad_row_of_a_laboratory_does_not_stop_the_others() -> None:
    bad, good = measure("specimen_id,ngs_fold,tumour_purity\nA,>10,0.3\nB,2.2,0.3\n", "lab.csv")
    assert "lab.csv:2" in bad.refused and bad.tumour_copies is None
    assert good.tumour_copies == 10 and not good.refused
    with pytest.raises(InputError, match="no number"):
        measure("specimen_id,ngs_fold\nA,>10\n", "lab.csv")


@pytest.mark.parametrize(
    "text",
    [
        "Hugo_Symbol\tCytoband\tA\nERBB2\t17q12\t1.5\n",
        "Entrez_Gene_Id\tHugo_Symbol\tA\n2064\tERBB2\t1.5\n",
        "Entrez_Gene_Id\tA\n2064\t1.5\n",
        "Gene Symbol\tLocus ID\tCytoband\tA\nERBB2\t2064\t17q12\t1.5\n",
    ],
)
def test_a_matrix_names_erbb2_by_symbol_or_number(text: str) -> None:
    found = measure(text)[0]
    assert (found.specimen_id, found.fold) == ("A", pytest.approx(2**1.5))


def test_linear_values_are_not_read_as_logarithms() -> None:
    with pytest.raises(InputError, match="linear"):
        measure("Hugo_Symbol\tS1\nERBB2\t4.4\n", name="data_linear_cna.txt")


def test_no_copies_at_all_in_a_pure_tumour_is_no_crash() -> None:
    text = PAIRS["T.purple.cnv.gene.tsv"][0].replace("\t10\t12", "\t-0.1\t0")
    found = measure(text, purity=1)[0]
    assert (found.tumour_copies, found.fold) == (0, None) and "negative" not in found.conclusion
