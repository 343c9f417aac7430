"""READ ME FIRST: the whole program in one page.

    read  ->  normalise  ->  judge            ->  recommend           ->  report
    files     one patient     every criteria set   next test, retest,      text, HTML, PDF,
              of findings     per specimen and     who to test, action     JSON
                              per patient

Each stage is a package of its name, takes and gives plain frozen values (``her2crc.model``), and imports no other
stage; this module joins them. Knowledge (criteria, evidence, caveats) is data, loaded once.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from her2crc.criteria.cache import load_editions
from her2crc.criteria.library import Knowledge
from her2crc.follow import follow_course
from her2crc.judge import agreement_of, compare_specimens, judge, judged_facts, untested_sites
from her2crc.model.patient import Patient
from her2crc.model.record import PatientRecord
from her2crc.model.verdict import Assessment, Concordance, KnowledgeStamp
from her2crc.normalise import derive_facts, normalise, patient_facts, specimen_facts
from her2crc.read import read_bytes, read_file
from her2crc.read.source import piped_input
from her2crc.recommend import (
    collect_caveats,
    estimate_retest,
    recommend_actions,
    recommend_testing,
    recommend_tests,
)


def load_knowledge(as_of: date | None = None, criteria_dir: Path | str | None = None) -> Knowledge:
    """Return the knowledge of a day (today if none is named), with a laboratory's own sets added.

    Raises:
        KnowledgeError: a file of the knowledge base or of ``criteria_dir`` is wrong, or a set of one's own
            contradicts itself or leaves a case out (the same checks as for the shipped sets).
    """
    day = as_of or date.today()
    if criteria_dir is None:
        return load_editions().on(day)
    from her2crc.criteria.check import refuse_faulty
    from her2crc.criteria.compile import local_files

    knowledge = load_editions(local_files(Path(criteria_dir))).on(day)
    own = [item for item in knowledge.criteria.values() if item.origin != "shipped"]
    refuse_faulty(own, knowledge.fields, derive_facts)
    return knowledge


def read_patients(
    source: str | Path | bytes,
    knowledge: Knowledge,
    name: str = "",
    mapping: str | Path | None = None,
    corrections: str | Path | None = None,
) -> list[Patient]:
    """Read a file, a study folder, ``-`` (standard input) or bytes in any known format, as typed patients.

    ``mapping`` is the mapping file of a laboratory's own table; ``corrections`` is what a person decided about the
    findings of reports as prose (see ``review``).

    Raises:
        InputError: the input as a whole cannot be read. Single bad values are issues of their patient.
        KnowledgeError: the mapping file is wrong.
    """
    mapping = Path(mapping) if mapping is not None else None
    corrections = Path(corrections) if corrections is not None else None
    if isinstance(source, bytes):
        records = read_bytes(source, name, mapping, corrections)
    else:
        stdin = piped_input() if str(source) == "-" else None
        records = read_file(str(source), stdin=stdin, mapping=mapping, corrections=corrections)
    return [normalise_record(record, knowledge) for record in records]


def normalise_record(record: PatientRecord, knowledge: Knowledge) -> Patient:
    """Type and check what was read about one patient."""
    return normalise(record, knowledge.fields, knowledge.settings)


def assess(patient: Patient, knowledge: Knowledge) -> Assessment:
    """Answer one patient: every rule's verdict, what to test next, what can be acted on, and what to keep in mind."""
    facts = {item.specimen_id: specimen_facts(item) for item in patient.specimens}
    judgement = judge(patient, facts, knowledge)
    about_patient = patient_facts(patient) | judged_facts(patient, judgement, knowledge.fields)
    testing = recommend_testing(about_patient, knowledge, patient.specimens)
    untested = untested_sites(patient)
    retest = estimate_retest(patient, judgement.criteria, knowledge)
    return Assessment(
        patient_id=patient.patient_id,
        knowledge=KnowledgeStamp(knowledge.version, knowledge.sha256),
        as_of=knowledge.as_of,
        criteria=judgement.criteria,
        agreement=agreement_of(judgement.criteria),
        testing=testing,
        next_tests=recommend_tests(patient, judgement.criteria, facts, testing, untested, knowledge),
        concordance=Concordance(
            comparisons=compare_specimens(patient, judgement, knowledge),
            discordant_sets=tuple(name for name, item in judgement.criteria.items() if item.discordant),
            untested_sites=untested,
            retest=retest,
        ),
        actions=recommend_actions(about_patient, knowledge),
        follow_up=follow_course(patient, judgement.criteria, knowledge),
        caveats=collect_caveats(about_patient, facts, judgement.criteria, retest, knowledge),
        errors=tuple(issue for issue in patient.issues if issue.level == "error"),
        warnings=tuple(issue for issue in patient.issues if issue.level != "error"),
        disclaimer=knowledge.settings.disclaimer,
        patient=patient,
    )
