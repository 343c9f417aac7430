"""Synthetic registries: patients drawn from published figures, marked as synthetic, with the truth written beside.

``parameters`` (data) -> ``patients`` and ``specimens`` (the truth) -> ``readings`` (what tests saw) -> ``tables``
(columns) -> ``write`` (files), with ``sample`` for FHIR and report text of a few.
"""
