"""The validation of intervals (bench/validate_ish.py): what decisions 0021 and 0022 claim holds."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def bench() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "bench" / "validate_ish.py"
    spec = importlib.util.spec_from_file_location("validate_ish", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KNOWN = {("ratio", "15 % amplified", 20), ("her2_copies", "15 % amplified", 20), ("her2_copies", "not amplified", 20)}
"""Where the shipped interval is known not to hold 93 to 97 %; decision 0021 says why."""


@pytest.mark.long
def test_every_shipped_interval_covers_but_for_the_named_ones() -> None:
    rows = bench().rows(7, 1000)
    failing = {(row["quantity"], row["setting"], row["nuclei"]) for row in rows if row["holds"] is False}
    assert failing <= KNOWN


def test_the_shipped_interval_is_the_one_that_covers_a_minority_of_amplified_nuclei() -> None:
    """The case that decided: few amplified nuclei among others."""
    validate = bench()
    random = validate.np.random.default_rng(11)
    truth = validate.means_of("30 % amplified")
    her2, cep17 = validate.draw("30 % amplified", (600, 20), random)
    moments = [validate.moments_of(h.tolist(), c.tolist()) for h, c in zip(her2, cep17, strict=True)]
    held = {
        name: validate.covered([method(item) for item in moments], truth[0] / truth[1])
        for name, method in validate.METHODS.items()
    }
    assert held["shipped"] >= 0.93
    assert held["shipped"] > held["delta_log"] >= held["fieller"]
