"""Stage 2: the rows read about one patient into typed, checked, contradiction-free facts."""

from her2crc.normalise.facts import derive_facts, patient_facts, specimen_facts
from her2crc.normalise.patient import normalise

__all__ = ["derive_facts", "normalise", "patient_facts", "specimen_facts"]
