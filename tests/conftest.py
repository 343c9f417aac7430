"""What most tests need: the knowledge of a fixed day, and patients written as a laboratory would write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from her2crc.criteria.library import Knowledge
from her2crc.flow import assess, load_knowledge, normalise_record
from her2crc.model.patient import Patient
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.model.verdict import Assessment

TODAY = date(2026, 11, 22)
SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Data and facts that lie beside the repository and may not ship."""


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge(TODAY)


@pytest.fixture(scope="session")
def patient_of(knowledge: Knowledge) -> Callable[..., Patient]:
    """``patient_of({"ihc_score": "3+"}, {...}, ras="wt")``: one dict a specimen, the patient's fields by name."""

    def build(*specimens: dict[str, Any], **about: Any) -> Patient:
        rows = [SpecimenRow("test:1", about)] if about else []
        for number, values in enumerate(specimens, 1):
            rows.append(SpecimenRow(f"test:{number + 1}", {"specimen_id": f"S{number}", **values}))
        return normalise_record(PatientRecord("P", tuple(rows)), knowledge)

    return build


@pytest.fixture(scope="session")
def answer(knowledge: Knowledge, patient_of: Callable[..., Patient]) -> Callable[..., Assessment]:
    """The whole answer about a patient written as for ``patient_of``."""
    return lambda *specimens, **about: assess(patient_of(*specimens, **about), knowledge)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the data beside the repository ({SHARED.name}/) are not here")
    return SHARED
