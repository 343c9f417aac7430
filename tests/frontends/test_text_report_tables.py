"""Tables, layouts and histories of whole reports: whose value each is, which number counts, and of what time it is."""

from __future__ import annotations

import pytest

from her2crc.frontends.text import Finding, extract

Expected = list[tuple[str, str, dict[str, object]]]


def told(found: Finding) -> tuple[str, str, dict[str, object]]:
    """Return the analyte, the time and the plain values of a finding."""
    left_out = {"antibody", "pattern", "assay", "her2_signals", "cep17_signals", "cells"}
    values = {name: value for name, value in found.values.items() if name not in left_out}
    return found.analyte, found.temporality, {k: str(v) for k, v in values.items()}


def read(text: str) -> Expected:
    """Return what a report states, in order of test and time."""
    return sorted((told(item) for item in extract(text).findings), key=str)


IHC, ISH, TISSUE, PLASMA, STATUS = "HER2_IHC", "HER2_ISH", "ERBB2_CN_TISSUE", "ERBB2_CN_PLASMA", "HER2_STATUS"
NOW, PRIOR = "current", "prior"
AMPLIFIED, NOT_AMPLIFIED = {"status": "amplified"}, {"status": "not_amplified"}

ROWS = {
    "two pairs to a row": (
        "ERBB2    Amplification        NTRK2    None detected\nKRAS     None detected        POLE     None detected",
        [(TISSUE, NOW, AMPLIFIED)],
    ),
    "two pairs to a row under a header that comes twice": (
        "Gene | CN | Gene | CN\nERBB2 | 18.2 | MYC | 3.3\nEGFR | 2.0 | MET | 2.1",
        [(TISSUE, NOW, {"cn": "18.2"})],
    ),
    "three pairs to a row": (
        "Gene | Result | Gene | Result | Gene | Result\n"
        "KRAS | G12D | ERBB2 | No amplification | MET | Amplification\n"
        "NRAS | WT | EGFR | Amplification | FGFR1 | No amplification",
        [(TISSUE, NOW, NOT_AMPLIFIED)],
    ),
    "pairs in German": (
        "Gen          Befund                Gen        Befund\n"
        "ERBB2        keine Amplifikation   EGFR       Amplifikation\n"
        "MET          Amplifikation         KRAS       Wildtyp",
        [(TISSUE, NOW, NOT_AMPLIFIED)],
    ),
    "no status of the row above": (
        "ERBB2   CNA-Seq   Amplification Not Detected   trastuzumab: lack of benefit\n"
        "HER2    IHC   Positive | 3+, 95%  trastuzumab: benefit",
        [(IHC, NOW, {"ihc_score": "3+", "percent": "95", "status": "positive"}), (TISSUE, NOW, NOT_AMPLIFIED)],
    ),
    "rows of genes nobody knows": (
        "Gene    Alteration       Copy number\nFLT3    Amplification    14.2\nERBB2   Not detected     -\n"
        "CCND1   Amplification    9.9",
        [],
    ),
    "a cell that names its quantity, in Chinese": (
        "基因\t变异\t丰度/拷贝数\t临床意义\nERBB2\t基因扩增\t拷贝数11.6\tI类\nTP53\tp.R248W\t42.3%\tIII类",
        [(TISSUE, NOW, {"cn": "11.6", "status": "amplified"})],
    ),
    "labels and numbers without a colon": (
        "Test                     Result             Flag\nHER2 IHC score           2+                 A\n"
        "HER2 % cells             55\nFISH HER2/CEP17 ratio    1.4                N\n"
        "FISH interpretation      Not amplified      N\nTOP2A                    Amplified          A",
        [(IHC, NOW, {"ihc_score": "2+", "percent": "55"}), (ISH, NOW, {"ratio": "1.4", "status": "not_amplified"})],
    ),
}
PARTS = {
    "areas and their total": (
        "Parameter\tAreal 1\tAreal 2\tGesamt\nMittelwert HER2 je Kern\t7,7\t8,3\t8,0\n"
        "Mittelwert CEP17 je Kern\t2,1\t2,3\t2,2\nQuotient HER2/CEP17\t\t\t3,64",
        [(ISH, NOW, {"her2_mean": "8.0", "cep17_mean": "2.2", "ratio": "3.64"})],
    ),
    "readers and their mean, in Chinese": (
        "项目\t观察者1\t观察者2\t平均\nHER2信号均值\t5.8\t6.2\t6.0\nCEP17信号均值\t2.0\t2.0\t2.0\nHER2/CEP17比值\t2.9\t3.1\t3.0",
        [(ISH, NOW, {"her2_mean": "6.0", "cep17_mean": "2.0", "ratio": "3.0"})],
    ),
    "zones in French": (
        "Paramètre | Zone 1 | Zone 2 | Total\nNombre moyen de signaux HER2 par noyau | 3,1 | 2,9 | 3,0\n"
        "Nombre moyen de signaux CEP17 par noyau | 2,0 | 2,0 | 2,0\nRapport HER2/CEP17 | 1,55 | 1,45 | 1,5",
        [(ISH, NOW, {"her2_mean": "3.0", "cep17_mean": "2.0", "ratio": "1.5"})],
    ),
    "areas in Spanish": (
        "Parámetro\tÁrea 1\tÁrea 2\tTotal\nMedia de copias de HER2 por núcleo\t9,0\t8,0\t8,5\n"
        "Media de CEP17 por núcleo\t2,0\t2,1\t2,05\nCociente HER2/CEP17\t4,5\t3,8\t4,15",
        [(ISH, NOW, {"her2_mean": "8.5", "cep17_mean": "2.05", "ratio": "4.15"})],
    ),
    "readers by name and their consensus": (
        "Reader              First      Second     Consensus\nHER2/CEP17 ratio    2.00       2.26       2.13",
        [(ISH, NOW, {"ratio": "2.13"})],
    ),
    "parts that agree": (
        "Item               Block 1A     Block 2B\nHER2/CEP17 ratio   2.1          2.1",
        [(ISH, NOW, {"ratio": "2.1"})],
    ),
    "a patient beside a control": (
        "Item | Patient | Control\nHER2/CEP17 ratio | 3.3 | 1.0\nHER2 signals per nucleus | 7.5 | 2.0",
        [(ISH, NOW, {"her2_mean": "7.5", "ratio": "3.3"})],
    ),
    "means under the columns of their probes": (
        "HER2 FISH\nObserver     Nuclei     HER2 signals     CEP17 signals\n"
        "------------------------------------------------------\n"
        "1            30         318              64\n2            30         294              68\n"
        "Total        60         612              132\n"
        "------------------------------------------------------\n"
        "Mean per nucleus        10.2             2.2\nHER2/CEP17 ratio        4.64",
        [(ISH, NOW, {"her2_mean": "10.2", "cep17_mean": "2.2", "ratio": "4.64"})],
    ),
    "means under a header that is indented": (
        "FISH\n                    HER2     CEP17\nMean per nucleus    10.2     2.2",
        [(ISH, NOW, {"her2_mean": "10.2", "cep17_mean": "2.2"})],
    ),
    "counts of single cells, their sum and their mean": (
        "HER2 ISH\nCount    Cell 1   Cell 2   Cell 3   Cell 4   Sum    Mean\n"
        "HER2     12       15       9        14       50     12.5\n"
        "CEP17    2        2        3        2        9      2.25\n"
        "Ratio    6.0      7.5      3.0      7.0             5.56",
        [(ISH, NOW, {"her2_mean": "12.5", "cep17_mean": "2.25", "ratio": "5.56"})],
    ),
    "a column of means": (
        "Probe            Count      Nuclei     Mean\nHER2             215        50         4.30\n"
        "CEP17            108        50         2.16\nRatio                                  1.99",
        [(ISH, NOW, {"her2_mean": "4.30", "cep17_mean": "2.16", "ratio": "1.99"})],
    ),
}
STAINS = {
    "a bare 0 of an intensity": (
        "Antibody            Clone         Vendor        Result                          Intensity\n"
        "CK20                Ks20.8        Dako          positive, patchy                2+\n"
        "HER3                RTJ2          Santa Cruz    positive                        3+\n"
        "HER2                4B5           Ventana       negative                        0",
        [(IHC, NOW, {"ihc_score": "0", "status": "negative"})],
    ),
    "numbers on lines of their own, in French": (
        "FISH HER2\nNombre moyen de signaux HER2 par noyau :\n9,4\nNombre moyen de signaux CEP17 par noyau :\n2,1",
        [(ISH, NOW, {"her2_mean": "9.4", "cep17_mean": "2.1"})],
    ),
    "a share of positive cells is no status": (
        "免疫组化\n指标\t结果\t阳性比例\nCK20\t+\t90%\nHER2\t2+\t60%\nMLH1\t+\t100%",
        [(IHC, NOW, {"ihc_score": "2+", "percent": "60"})],
    ),
    "specimens beside a clone": (
        "Antikörper   Klon   Primärtumor   Lebermetastase\nHER2         4B5    0             2+",
        [(IHC, NOW, {"ihc_score": "0"}), (IHC, NOW, {"ihc_score": "2+"})],
    ),
    "a bare 0 in Chinese": (
        "抗体\t克隆号\t结果\t强度\nCK20\tKs20.8\t阳性\t3+\nHER2\t4B5\t阴性\t0\nCDX2\tEPR\t阳性\t3+",
        [(IHC, NOW, {"ihc_score": "0", "status": "negative"})],
    ),
    "a bare 0 in German": (
        "Antikörper\tKlon\tErgebnis\tIntensität\nCK20\tKs20.8\tpositiv\t3+\nHER2\t4B5\tnegativ\t0\nCDX2\tEPR\tpositiv\t3",
        [(IHC, NOW, {"ihc_score": "0", "status": "negative"})],
    ),
    "the title of a panel is the method of its rows": (
        "Immunohistochemistry (block A2)\n\nMarker   Result\nMLH1     retained\nHER2     negative\n\n"
        "Molecular\nGene     Result\nKRAS     wild type\nERBB2    not amplified",
        [(IHC, NOW, {"status": "negative"}), (TISSUE, NOW, NOT_AMPLIFIED)],
    ),
    "a sentence of the stain before its score, in a long report": (
        "RESULT\nHER2 IHC: heterogeneous. Intense, circumferential staining (3+) in 20%\nof tumour cells; 80% of"
        " tumour cells without staining.\nCategory by HERACLES: EQUIVOCAL.\n\nMATERIAL\n"
        + "The block was cut at 3 micrometres. "
        * 20,
        [(IHC, NOW, {"ihc_score": "3+", "percent": "20", "status": "equivocal"})],
    ),
}
TIMES = {
    "samples of plasma": (
        "Collected      ERBB2 amplification        Plasma copy number\n01/12/2026     Detected                   22.4\n"
        "04/20/2026     Detected                   3.1\n08/28/2026     Not detected               -",
        [
            (PLASMA, NOW, NOT_AMPLIFIED),
            (PLASMA, PRIOR, {"cn": "22.4", "status": "amplified"}),
            (PLASMA, PRIOR, {"cn": "3.1", "status": "amplified"}),
        ],
    ),
    "samples in Spanish": (
        "Biopsia líquida\nFecha         Amplificación de ERBB2     Número de copias\n"
        "15/01/2026    Detectada                  9,8\n22/05/2026    No detectada               -",
        [(PLASMA, NOW, NOT_AMPLIFIED), (PLASMA, PRIOR, {"cn": "9.8", "status": "amplified"})],
    ),
    "several places are no series": (
        "Date         Site      HER2   FISH\n12.01.2026   Rectum    2+     amplified\n11.03.2026   Lung      1+     -",
        [(IHC, NOW, {"ihc_score": "1+"}), (IHC, NOW, {"ihc_score": "2+"}), (ISH, NOW, AMPLIFIED)],
    ),
    "a column of earlier results": (
        "Test          Result          Previous result\nHER2 IHC      3+              1+\n"
        "HER2 FISH     amplified       not amplified",
        [
            (IHC, NOW, {"ihc_score": "3+"}),
            (IHC, PRIOR, {"ihc_score": "1+"}),
            (ISH, NOW, AMPLIFIED),
            (ISH, PRIOR, NOT_AMPLIFIED),
        ],
    ),
    "lines of a date and a score": (
        "HER2 results over time (IHC, colon)\n2024-05-01   2+\n2026-02-11   3+",
        [(IHC, NOW, {"ihc_score": "3+"}), (IHC, PRIOR, {"ihc_score": "2+"})],
    ),
    "entries of a history": (
        "2014: invasive ductal carcinoma of the right breast, HER2 3+. Mastectomy.\n2019: hysterectomy.\n"
        "03/2026: right hemicolectomy, adenocarcinoma of the colon.\nHER2 immunohistochemistry: score 1+.",
        [(IHC, NOW, {"ihc_score": "1+"}), (IHC, PRIOR, {"ihc_score": "3+"})],
    ),
    "a heading of an earlier report": (
        "Plasma 19.06.2026: ERBB2-Amplifikation nachgewiesen.\n\nVorbefund derselben Patientin\n"
        "Plasma vom 14.01.2026 (vor Therapie): ERBB2-Amplifikation nicht\nnachgewiesen, Tumorfraktion unter 1 %.",
        [(PLASMA, NOW, AMPLIFIED), (PLASMA, PRIOR, NOT_AMPLIFIED)],
    ),
    "the hybridisation of an earlier stain": (
        "Biopsy 2022: HER2 2+, FISH not amplified. Resection 2025: HER2 3+.",
        [(IHC, NOW, {"ihc_score": "3+"}), (IHC, PRIOR, {"ihc_score": "2+"}), (ISH, PRIOR, NOT_AMPLIFIED)],
    ),
}
CONCLUSIONS = {
    "of a report of hybridisation": (
        "HER2 FISH REPORT\n\nHER2/CEP17 ratio: 4.6\n\nINTERPRETATION\nAMPLIFICATION of the HER2 gene is present.",
        [(ISH, NOW, {"ratio": "4.6", "status": "amplified"})],
    ),
    "of one in German": (
        "Fluoreszenz-in-situ-Hybridisierung\n\nMaterial: Lebermetastase\n\nQuotient HER2/CEP17 3,64\n\nBeurteilung\n"
        "HER2-Gen amplifiziert.",
        [(ISH, NOW, {"ratio": "3.64", "status": "amplified"})],
    ),
    "of a report of sequencing": (
        "Targeted sequencing panel (NGS), 50 genes\n\nINTERPRETATION\nERBB2 amplification is present.",
        [(TISSUE, NOW, AMPLIFIED)],
    ),
    "of a report that has both": (
        "HER2 FISH: ratio 1.4.\n\nNGS panel of 50 genes\n\nINTERPRETATION\n\nERBB2 amplification is present.",
        [(ISH, NOW, {"ratio": "1.4"}), (TISSUE, NOW, AMPLIFIED)],
    ),
}
REPORTS = ROWS | PARTS | STAINS | TIMES | CONCLUSIONS


@pytest.mark.parametrize("name", REPORTS)
def test_a_value_is_that_of_its_row_its_total_and_its_time(name: str) -> None:
    text, expected = REPORTS[name]
    assert read(text) == sorted(expected, key=str)


@pytest.mark.parametrize(
    "text",
    [
        "Parameter | Reader 1 | Reader 2\nHER2/CEP17 ratio | 4.1 | 1.2",
        "FISH\n                     Invasive front     Center\nHER2/CEP17 ratio     4.2                1.3",
        "Parameter            Area 1    Area 2    Comment\nHER2/CEP17 ratio     2.4       1.6       heterogeneous",
    ],
)
def test_parts_that_differ_without_a_total_are_shown_to_a_person(text: str) -> None:
    found = extract(text)
    assert (read(text), [item.reason for item in found.review]) == ([], ["number_range"])


def test_signals_that_were_counted_are_no_cells() -> None:
    found = extract("FISH RESULTS\nSignals counted (HER2): 84\nSignals counted (CEP17): 80\nNuclei: 40\nRatio: 1.05")
    assert not [item for item in found.findings if item.values.get("cells") in (84, 80)]


def test_a_total_has_the_place_of_its_cell() -> None:
    text = "Parameter\tAreal 1\tAreal 2\tGesamt\nQuotient HER2/CEP17\t3,6\t3,7\t3,64"
    (found,) = extract(text).findings
    span = found.spans["ratio"][0]
    assert text[span.start : span.end] == "3,64"
