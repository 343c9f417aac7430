"""What one would write without this project: json or orjson with if/else, CQL, and a parse with three FHIR libraries.

All that decide follow one rule: 3+, or 2+ with a HER2/CEP17 ratio above 2.0, as the set ``destiny_crc01`` has it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
CQL = HERE.parent / "tests" / "cql"
RULE = "destiny_crc01"


def json_if_else(data: bytes) -> str:
    """Return the status of a bundle's one patient the plain way."""
    return _if_else(json.loads(data))


def orjson_if_else(data: bytes) -> str:
    """Return the same with the fastest general JSON parser of Python."""
    import orjson

    return _if_else(orjson.loads(data))


def _if_else(bundle: dict[str, Any]) -> str:
    score = ratio = None
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Observation":
            continue
        code = resource["code"]["coding"][0]["code"]
        if code == "18474-7":
            score = int(resource["valueCodeableConcept"]["text"].rstrip("+"))
        elif code == "49683-6":
            ratio = resource["valueQuantity"]["value"]
    if score is None:
        return "indeterminate"
    if score != 2:
        return "positive" if score == 3 else "negative"
    if ratio is None:
        return "equivocal"
    return "positive" if ratio > 2.0 else "negative" if ratio < 2.0 else "not_covered"


def cql_execution(bundles: Sequence[bytes], seconds: float) -> tuple[list[str], float] | None:
    """Return the statuses by cql-execution over cql-exec-fhir, and its bundles per CPU second; None without node."""
    if shutil.which("node") is None or not (CQL / "node_modules" / "cql-exec-fhir").is_dir():
        return None
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.json" for number in range(len(bundles))]
        for file, data in zip(files, bundles, strict=True):
            file.write_bytes(data)
        command = ["node", CQL / "bundles.mjs", HERE / "peer.cql", str(seconds), *files]
        done = subprocess.run(command, cwd=CQL, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return answer["statuses"], answer["bundles"] / answer["seconds"]


def fhir_resources_parse(data: bytes) -> object:
    """Parse a bundle with fhir.resources (R4B models), without any decision."""
    from fhir.resources.R4B.bundle import Bundle

    return Bundle.model_validate(json.loads(data, parse_float=Decimal))


def fhirclient_parse(data: bytes) -> object:
    """Parse a bundle with fhirclient (the SMART client's models), without any decision."""
    from fhirclient.models.bundle import Bundle

    return Bundle(json.loads(data))


def fhirkit_parse(data: bytes) -> object:
    """Parse a bundle with fhirkit-rs (models in Rust), without any decision."""
    import fhirkit

    return fhirkit.parse(json.loads(data))
