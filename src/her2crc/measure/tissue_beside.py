"""The purity that a caller writes to a second file: looked for beside the file of copies, by the caller's own names.

What the caller used is what its copies must be read with. ``knowledge/terms/seq.yaml`` lists the pairs of names.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from her2crc.frontends.seq.profile import Profile
from her2crc.frontends.seq.tables import number, read_header
from her2crc.frontends.seq.terms import Beside, terms
from her2crc.read.source import decode, read_source


def with_purity_beside(profiles: list[Profile], path: Path) -> list[Profile]:
    """Return the profiles with purity and ploidy of the caller's second file, where they state none themselves.

    Only a file of one sample has such a second file. Raises an InputError where the second file cannot be opened.
    """
    if len(profiles) != 1 or profiles[0].purity is not None:
        return profiles
    for pair in terms().beside:
        other = path.with_name(path.name.removesuffix(pair.copies) + pair.purity_file)
        if path.name.endswith(pair.copies) and other.is_file():
            purity, ploidy = _read(other, pair)
            if purity is not None:
                note = f"The purity of {purity:g} was read from {other.name}, which lies beside the file."
                found = {"purity": purity, "ploidy": ploidy, "notes": (*profiles[0].notes, note)}
                return [msgspec.structs.replace(profiles[0], **found)]
    return profiles


def _read(path: Path, pair: Beside) -> tuple[float | None, float | None]:
    lines = decode(read_source(str(path), None)[0], path.name)[0].splitlines()
    header = read_header(lines)
    rows = [line.split(header.separator) for line in lines[header.line :] if line.strip()]
    if pair.row >= len(rows):
        return None, None
    cells = dict(zip(header.names, rows[pair.row], strict=False))
    purity, ploidy = (number(cells.get(name, "").strip("\"' ")) for name in (pair.purity, pair.ploidy))
    return purity, ploidy
