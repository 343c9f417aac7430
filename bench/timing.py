"""How the benchmark measures: units of work per CPU second of one process, as lines of a table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

QUICK = "--quick" in sys.argv
SECONDS = 0.5 if QUICK else 3.0
Row = dict[str, Any]


def rate(work: Callable[[], int]) -> float:
    """Return units of work per CPU second: ``work`` is repeated until SECONDS have passed and gives units done."""
    work()
    done, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        done += work()
    return done / (time.process_time() - start)


def row(what: str, per_second: float, unit: str, note: str = "") -> Row:
    """Return one line of the table."""
    return {"what": what, "rate": round(per_second), "unit": unit, "note": note}
