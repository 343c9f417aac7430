"""The house rules that no linter knows, measured on the whole source tree."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

import her2crc
from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.flow import load_knowledge

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "her2crc"
STATEMENT_TESTS = ROOT / "tests" / "spec" / "test_statements.py"

FREE_NUMBERS = {0, 1}
"""2 is a HER2 threshold, so it is not free."""
NUMBERS_ALLOWED: dict[str, str] = {}
"""``file.py: comparison`` to the reason why this number is not clinical."""

MOST_FILE_LINES, MEDIAN_FILE_LINES = 400, 150
MOST_FUNCTION_LINES, P90_FUNCTION_LINES, MEDIAN_FUNCTION_LINES = 60, 30, 8
LONG_ALLOWED: dict[str, str] = {}
"""``file.py`` or ``file.py: function`` to the reason why it is longer."""

MOST_PUBLIC_NAMES = 20
REQUIRED_STATEMENTS = [*(f"S{number:02}" for number in range(1, 31)), "P1", "P2", "P3", "P4", "Q5"]

# Written so that none of them matches this file.
ADDRESSES = (
    "registry\\.npmjs",
    "npmm[i]rror",
    "files\\.pythonhosted",
    "pypi\\.[a-z]+/simple",
    "index[-]url\\s*=\\s*http",
)
SECRETS = (
    "-----BEGIN [A-Z ]*PRIVATE",
    "\\bAKIA[0-9A-Z]{16}\\b",
    "\\bgh[pousr]_[A-Za-z0-9]{36}",
    "\\b(?:api[_-]?key|passw(?:or)?d|secret)\\s*[:=]\\s*['\"][^'\"\\s]{8,}",
)
FORBIDDEN = {
    "address of a package registry": "|".join(ADDRESSES),
    "path of one machine": r"/(?:h[o]me|U[s]ers|r[o]ot|w[o]rk)/\w|[A-Z]:\\\\?Users",
    "secret": "|".join(SECRETS),
}
TRACES_ALLOWED: dict[str, str] = {}
"""``path: kind`` to the reason why it stands there."""


@cache
def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(SRC).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SRC.rglob("*.py"))
    }


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


# ---- numbers


def numbers_in(node: ast.AST) -> Iterator[float]:
    """Numeric literals of an expression, also those written as text for a Decimal."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, int | float) and not isinstance(part.value, bool):
            yield part.value
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in ("Decimal", "Fraction"):
            texts = [arg.value for arg in part.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            yield from (float(text) for text in texts if re.fullmatch(r"-?\d+(\.\d+)?", text))


def compared_numbers(tree: ast.AST) -> Iterator[str]:
    """Comparisons (operators and `case`) with a number that is not free."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.MatchValue) and set(numbers_in(node)) - FREE_NUMBERS:
            yield ast.unparse(node.value if isinstance(node, ast.MatchValue) else node)


def test_no_threshold_stands_in_the_code() -> None:
    found = [f"{name}: {text}" for name, tree in trees().items() for text in compared_numbers(tree)]
    assert [item for item in found if item not in NUMBERS_ALLOWED] == []
    assert set(NUMBERS_ALLOWED) <= set(found), "an exception is not needed any more"


@pytest.mark.parametrize("text", ["ratio >= 2", "x < -3.5", "Decimal('2.0') < x", "50 < percent", "x in (2, 3)"])
def test_a_threshold_in_the_code_would_be_found(text: str) -> None:
    assert list(compared_numbers(ast.parse(text)))


def test_free_numbers_are_not_taken_for_thresholds() -> None:
    assert not list(compared_numbers(ast.parse("x > 0 and len(y) == 1 and flag is True and name == '2'")))


# ---- sizes


def test_files_are_small() -> None:
    sizes = {name: len((SRC / name).read_text(encoding="utf-8").splitlines()) for name in trees()}
    filled = [lines for lines in sizes.values() if lines]
    print(f"{len(filled)} files, lines: median {median(filled)}, most {max(filled)}")
    assert {name for name, lines in sizes.items() if lines > MOST_FILE_LINES} <= set(LONG_ALLOWED)
    assert median(filled) <= MEDIAN_FILE_LINES


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    docstring = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    documented = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - documented


def test_functions_are_small() -> None:
    sizes = {
        f"{name}: {function.name}": length(function) for name, tree in trees().items() for function in functions(tree)
    }
    lengths = list(sizes.values())
    p90 = quantiles(lengths, n=10)[-1]
    print(f"{len(lengths)} functions, lines: median {median(lengths)}, p90 {p90}, most {max(lengths)}")
    assert {name for name, lines in sizes.items() if lines > MOST_FUNCTION_LINES} <= set(LONG_ALLOWED)
    assert median(lengths) <= MEDIAN_FUNCTION_LINES
    assert p90 <= P90_FUNCTION_LINES


# ---- documentation and the public door


def undocumented(name: str, tree: ast.Module) -> Iterator[str]:
    """The module, its public classes, and the public functions and methods that have no docstring."""
    if tree.body and not ast.get_docstring(tree):
        yield name
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and is_public(node.name)]
    for node in (*tree.body, *(node for scope in classes for node in scope.body)):
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        if isinstance(node, kinds) and is_public(node.name) and not ast.get_docstring(node):
            yield f"{name}: {node.name}"


def is_public(name: str) -> bool:
    return not name.startswith("_")


def test_every_module_and_public_function_is_documented() -> None:
    assert [item for name, tree in trees().items() for item in undocumented(name, tree)] == []


def test_the_public_door_is_exact() -> None:
    assert her2crc.__all__ == sorted(her2crc.__all__)
    assert len(her2crc.__all__) == len(set(her2crc.__all__)) <= MOST_PUBLIC_NAMES
    public = {name for name in (*her2crc._HOME, *her2crc._MODULES) if is_public(name)}
    assert set(her2crc.__all__) == public, "what the door opens and what it announces differ"
    assert all(getattr(her2crc, name).__doc__ for name in her2crc.__all__)


# ---- what must not be in the repository


def repository_files() -> list[Path]:
    """Files that are tracked or would be, by git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of tracked files")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def traces(text: str) -> set[str]:
    return {kind for kind, pattern in FORBIDDEN.items() if re.search(pattern, text)}


def test_no_registry_machine_path_or_secret_is_in_the_repository() -> None:
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT).as_posix()}: {kind}" for kind in sorted(traces(text))]
    assert [item for item in found if item not in TRACES_ALLOWED] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("address of a package registry", "https://registry" + ".npmjs.org/x"),
        ("path of one machine", "see /ho" + "me/someone/x"),
        ("secret", "api_key = '" + "0123456789abcdef'"),
        ("secret", "-----BEGIN RSA" + " PRIVATE KEY-----"),
    ],
)
def test_such_a_trace_would_be_found(kind: str, text: str) -> None:
    assert traces(text) == {kind}


# ---- the knowledge base


def test_every_cited_reference_is_known() -> None:
    known = set(load_knowledge().references)
    cited = {
        ref
        for path in sorted(KNOWLEDGE_DIR.rglob("*.yaml"))
        for ref in re.findall(r"\bref: *([A-Za-z0-9_]+)", path.read_text(encoding="utf-8"))
    }
    assert len(cited) > len(known) / 2
    assert cited - known == set()


def test_every_statement_of_the_source_article_is_there() -> None:
    assert set(REQUIRED_STATEMENTS) - set(load_knowledge().statements) == set()


def test_every_statement_of_the_source_article_has_a_test() -> None:
    if not STATEMENT_TESTS.exists():
        pytest.skip("tests/spec/test_statements.py is not written yet")
    names = [function.name for function in functions(ast.parse(STATEMENT_TESTS.read_text(encoding="utf-8")))]
    missing = [
        item for item in REQUIRED_STATEMENTS if not any(name.startswith(f"test_{item.lower()}_") for name in names)
    ]
    assert missing == []
