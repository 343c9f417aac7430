"""A synthetic patient as the text of a report, in the words that laboratories use.

Part of the sample of a synthetic registry. Its first line says that nobody is behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from her2crc.model.patient import Patient, Specimen

HEADER = "SYNTHETIC REPORT - TEST DATA, NO REAL PATIENT (her2crc generate)"
SITES = {"lymph_node": "lymph node", "other": "another site"}
PERCENT = 100


def report_text(patient: Patient) -> str:
    """Return the report: a header, a paragraph a specimen, the markers. What is unknown is not mentioned."""
    parts = [HEADER, f"Patient: {patient.patient_id}"]
    parts += ["\n".join(_specimen(item)) for item in patient.specimens]
    parts += ["\n".join(_markers(patient))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _specimen(item: Specimen) -> Iterator[str]:
    day = f", collected on {item.collected_on}" if item.collected_on else ""
    if item.site == "plasma":
        yield f"Specimen {item.specimen_id}: plasma{day}."
    else:
        place = "primary tumour" if item.site == "primary" else f"metastasis, {SITES.get(item.site or '', item.site)}"
        yield f"Specimen {item.specimen_id}: {item.specimen_kind}, {place}{day}. Colorectal adenocarcinoma."
    yield from _ihc(item)
    yield from _ish(item)
    yield from _sequencing(item)


def _ihc(item: Specimen) -> Iterator[str]:
    found = item.ihc
    if found.ihc_score is None:
        return
    words = [f"HER2 immunohistochemistry: score {found.ihc_score}{'+' if found.ihc_score else ''}"]
    if found.ihc_percent is not None:
        words.append(f"{found.ihc_percent.normalize():f} % of tumour cells stained")
    if found.ihc_pattern:
        words.append(f"{found.ihc_pattern} pattern")
    yield ", ".join(words) + "."


def _ish(item: Specimen) -> Iterator[str]:
    found = item.ish
    if found.ish_her2_signals is None or found.ish_cep17_signals is None:
        return
    cells = found.ish_cell_percent
    share = "" if cells is None else f"; {cells.normalize():f} % of nuclei with ratio >= 2"
    yield (
        f"HER2 FISH: total HER2 signals {found.ish_her2_signals}, total CEP17 signals {found.ish_cep17_signals}, "
        f"{found.ish_nuclei} nuclei counted, HER2/CEP17 ratio {found.ish_her2_signals / found.ish_cep17_signals:.2f}"
        f"{share}."
    )


def _sequencing(item: Specimen) -> Iterator[str]:
    if item.tissue.ngs_copies is not None:
        purity = item.tissue.tumour_purity
        content = f", tumour purity {purity * PERCENT:.0f} %" if purity is not None else ""
        call = (item.tissue.ngs_call or "").replace("_", " ")
        yield f"Sequencing: ERBB2 copy number {item.tissue.ngs_copies}, {call}{content}."
    if item.plasma.plasma_copies is not None:
        fraction = item.plasma.tumour_fraction
        content = f", tumour fraction {fraction * PERCENT:.1f} %" if fraction is not None else ""
        yield f"Plasma sequencing: ERBB2 copy number {item.plasma.plasma_copies}{content}."


def _markers(patient: Patient) -> Iterator[str]:
    genes = patient.genes
    named = {"RAS (KRAS/NRAS)": genes.ras, "BRAF V600E": genes.braf_v600e, "PIK3CA": genes.pik3ca}
    yield from (f"{name}: {value.replace('_', ' ')}." for name, value in named.items() if value)
    if genes.msi:
        yield f"Microsatellite status: {'MSI-high' if genes.msi == 'high' else 'microsatellite stable'}."
