"""A whole registry at once: the same knowledge and the same verdicts as for one patient, run over columns."""
