"""Golden files of the formats: what is expected of each, and what every file must hold to when it is damaged."""

import json
import random
from pathlib import Path

from her2crc.errors import Her2crcError
from her2crc.read import read_bytes

GOLDEN = Path(__file__).parents[1] / "golden"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "formats"
SECRETS = ("Beispiel", "Jörg", "SOMEBODY", "long story", "Another story", "Name of a person", "Name, A", "JVBER")
"""Names and free text in the golden files, none of which may be repeated."""


def files(kind):
    return sorted(path.name for path in (GOLDEN / kind).iterdir() if path.name != "expected.json")


def expected(kind):
    return json.loads((GOLDEN / kind / "expected.json").read_text(encoding="utf-8"))


def content(kind, name):
    return (GOLDEN / kind / name).read_bytes()


def shown(records):
    return [
        {
            "patient_id": record.patient_id,
            "rows": [
                {"place": row.place} | {name: str(item) for name, item in row.values.items()} for row in record.rows
            ],
            "issues": [f"{issue.level} {issue.id} {issue.place}" for issue in record.issues],
        }
        for record in records
    ]


def known(records):
    """Every value that was read, with whose it is."""
    return {
        (record.patient_id, row.values.get("specimen_id"), name, str(item))
        for record in records
        for row in record.rows
        for name, item in row.values.items()
        if item is not None
    }


def issues_of(records, id):
    return [issue for record in records for issue in record.issues if issue.id == id]


def said(data):
    """What a person is told about a file: records, or the one error about the whole file."""
    try:
        records = read_bytes(data, "file")
    except Her2crcError as error:
        return str(error)
    return " ".join(issue.text for record in records for issue in record.issues)


def damaged(data, seed):
    """A file with random parts cut, doubled, swapped, replaced, or its kinds of value changed."""
    chance, text = random.Random(seed), bytearray(data)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.choice([1, 3, 20, 200]))
        other = chance.randrange(len(text))
        match chance.randrange(6):
            case 0:
                del text[start:end]
            case 1:
                text[start:start] = text[start:end] * chance.choice([1, 2, 50])
            case 2:
                text[start:end] = bytes(chance.randrange(256) for _ in range(end - start))
            case 3:
                text[start:end] = text[other : other + end - start]
            case 4:
                text[start:end] = chance.choice(
                    [b"null", b"[]", b"{}", b'""', b"-1e999", b"\\X0\\", b"\r", b"&x;", b"|"]
                )
            case _:
                del text[start:]
        if not text:
            return b""
    return bytes(text)
