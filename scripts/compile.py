"""Compile the busiest modules with mypyc, the compiler that comes with mypy. Takes about a minute.

    .venv/bin/python scripts/compile.py

Needs a C compiler and Python's headers. What is made lies in ``_compiled`` inside of the package, and is used only as
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
PACKAGE = "frontends/text"
LEFT = (
    *("__init__", "documents", "documents_docx", "documents_html", "documents_pdf", "documents_text", "findings"),
    *("item_patterns", "language_files", "review", "review_corrections", "review_marks"),
)
"""The package that is compiled, and the modules of it that are left: records, and what runs once a text or less."""
NAME = f"her2crc.{PACKAGE.replace('/', '.')}"
BUSY = [path.stem for path in sorted((SOURCE / PACKAGE).glob("*.py")) if path.stem not in LEFT]
LIBRARY = f"{NAME}.reader"
"""What holds all of them: in one library they call each other directly, which is a tenth faster."""
SETTINGS = f"""\
[mypy]
cache_dir = /dev/null
follow_imports = skip
[mypy-{NAME}.*,her2crc.errors,her2crc.model.*,msgspec.*,builtins,collections.*,functools,re,typing]
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
    Path("mypy.ini").write_text(SETTINGS, encoding="utf-8")
    files = [f"her2crc/{PACKAGE}/{module}.py" for module in BUSY]
    for file in files:
        write_final(Path(file))
    extensions = mypycify(["--config-file", "mypy.ini", *files], opt_level="2", debug_level="0", group_name=LIBRARY)
    setup(
        name="her2crc-compiled",
        packages=[],
        ext_modules=extensions,
        script_args=["build_ext", "--build-lib=out", f"-j{os.cpu_count() or 1}"],
    )
    return work / "out" / "her2crc" / PACKAGE


def main() -> None:
    """Compile, then put what was made in its place, all at once."""
    before = fingerprint(SOURCE / PACKAGE)
    folder = SOURCE / PACKAGE / FOLDER
    with tempfile.TemporaryDirectory() as name:
        built = build(Path(name))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(built, folder)
        (folder / MARK).write_text(before, encoding="ascii")
    print(f"compiled: {PACKAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
