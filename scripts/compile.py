"""Compile the busiest modules with mypyc, the compiler that comes with mypy. Takes half a minute.

    .venv/bin/python scripts/compile.py

Needs a C compiler and Python's headers. What is made lies in ``_compiled`` inside of each package, and is used only as
long as the package's source is the same (``her2crc.compiled``). Modules that define records for msgspec are left as
they are, since compiling would take the types from them.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from mypyc.build import mypycify
from setuptools import setup

from her2crc.compiled import FOLDER, MARK, fingerprint

SOURCE = Path(__file__).resolve().parents[1] / "src" / "her2crc"
LEFT = {
    "frontends/text": (
        *("__init__", "documents", "documents_docx", "documents_html", "documents_pdf", "documents_text", "findings"),
        *("item_patterns", "languages", "review", "review_corrections", "review_marks"),
    ),
}
"""The packages that are compiled, and the modules of each that are left: records, and what runs once a text or less."""
BUSY = {
    package: [path.stem for path in sorted((SOURCE / package).glob("*.py")) if path.stem not in left]
    for package, left in LEFT.items()
}
SETTINGS = """\
[mypy]
cache_dir = /dev/null
follow_imports = skip
[mypy-{packages},her2crc.errors,her2crc.model.*,msgspec.*,builtins,collections.*,functools,re,typing]
follow_imports = normal
"""
"""Nothing beside what these modules handle has to be looked at: the whole project is checked by `make check`."""
CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]*)(?:: (\S.*))? = ", re.MULTILINE)
FUTURE = "from __future__ import annotations\n"


def write_final(path: Path) -> None:
    """Declare a module's constants as final, so that reading one costs no look-up of its name; no line moves."""
    source = path.read_text(encoding="utf-8")
    source = source.replace(FUTURE, f"{FUTURE.rstrip()}; from typing import Final\n", 1)
    path.write_text(CONSTANT.sub(_final, source), encoding="utf-8")


def _final(found: re.Match[str]) -> str:
    return f"{found[1]}: Final[{found[2]}] = " if found[2] else f"{found[1]}: Final = "


def build(work: Path) -> Path:
    """Compile copies in a folder of its own, and return where the modules lie."""
    os.chdir(work)
    shutil.copytree(SOURCE, "her2crc", ignore=shutil.ignore_patterns("knowledge", FOLDER, "__pycache__"))
    packages = ",".join(f"her2crc.{package.replace('/', '.')}.*" for package in BUSY)
    Path("mypy.ini").write_text(SETTINGS.format(packages=packages), encoding="utf-8")
    files = [f"her2crc/{package}/{module}.py" for package, modules in BUSY.items() for module in modules]
    for file in files:
        write_final(Path(file))
    extensions = mypycify(["--config-file", "mypy.ini", *files], opt_level="2", debug_level="0", separate=True)
    cores = os.cpu_count() or 1
    setup(
        name="her2crc-compiled",
        packages=[],
        ext_modules=extensions,
        script_args=["build_ext", "--build-lib=out", f"-j{cores}"],
    )
    return work / "out" / "her2crc"


def main() -> None:
    """Compile, then put what was made in its place, all at once for each package."""
    before = {package: fingerprint(SOURCE / package) for package in BUSY}
    with tempfile.TemporaryDirectory() as name:
        built = build(Path(name))
        for package, mark in before.items():
            folder = SOURCE / package / FOLDER
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(built / package, folder)
            (folder / MARK).write_text(mark, encoding="ascii")
    print(f"compiled: {', '.join(BUSY)}", file=sys.stderr)


if __name__ == "__main__":
    main()
