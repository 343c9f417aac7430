"""YAML read strictly: duplicate keys and anchors refused, every complaint with file, line and key.

Scalars stay text until a typed struct asks for a number or a date, so that no digit is lost on the way.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec
import yaml

from her2crc.errors import KnowledgeError

Shape = TypeVar("Shape")
STEP = re.compile(r"\[\.\.\.\]|(?<=\.)[A-Za-z_]\w*")


def load_strict(path: Path, shape: type[Shape]) -> Shape:
    """Read a YAML file into ``shape`` (a struct that forbids unknown fields).

    Raises:
        KnowledgeError: not YAML, a duplicate or unknown key, a missing key, or a value of the wrong kind.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise KnowledgeError("not readable as YAML", where=f"{path.name}:{line}", fix="Mend the syntax.") from None
    if root is None:
        raise KnowledgeError("the file is empty", where=path.name)
    lines: dict[tuple[str | int, ...], int] = {}
    plain = _plain(root, (), lines, path)
    try:
        return msgspec.convert(plain, shape, strict=False)
    except msgspec.ValidationError as error:
        what, _, steps = str(error).partition(" - at `")
        at, failing = _locate(plain, shape, STEP.findall(steps))
        where = f"{path.name}:{lines[at]}" + (f", key {'.'.join(map(str, at))}" if at else "")
        raise KnowledgeError(what, where=where, fix=_allowed_keys(what, failing)) from None


def line_of(path: Path, value: str) -> int:
    """Return the first line of a file that holds ``value``, for an error found after loading."""
    first = value.split("\n", 1)[0][:60]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if first in line:
            return number
    return 1


def _plain(node: yaml.Node, at: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int], path: Path) -> Any:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if key in found:
                raise KnowledgeError(
                    f"the key '{key}' stands twice",
                    where=f"{path.name}:{key_node.start_mark.line + 1}",
                    fix="Keep one of the two.",
                )
            found[key] = _plain(value_node, (*at, key), lines, path)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*at, number), lines, path) for number, item in enumerate(node.value)]
    return node.value


def _locate(plain: Any, shape: Any, steps: list[str]) -> tuple[tuple[str | int, ...], Any]:
    """Follow msgspec's error path, which leaves list indices out, to the item that really fails."""
    at: tuple[str | int, ...] = ()
    for step in steps:
        if step == "[...]":
            index, shape = _failing_item(plain, shape)
            plain, at = plain[index], (*at, index)
        elif isinstance(plain, dict) and step in plain:
            shape = _type_below(shape, step)
            plain, at = plain[step], (*at, step)
    return at, shape


def _failing_item(items: Any, shape: Any) -> tuple[str | int, Any]:
    """Return the index (of a mapping: the key) of the first item that fails, and the shape it should have."""
    item_shape = get_args(shape)[1] if isinstance(items, dict) else get_args(shape)[0]
    pairs = list(items.items() if isinstance(items, dict) else enumerate(items))
    for index, item in pairs:
        try:
            msgspec.convert(item, item_shape, strict=False)
        except msgspec.ValidationError:
            return index, item_shape
    return pairs[0][0], item_shape


def _type_below(shape: Any, name: str) -> Any:
    if get_origin(shape) is dict:
        return get_args(shape)[1]
    return next((field.type for field in msgspec.structs.fields(shape) if field.name == name), Any)


def _allowed_keys(what: str, shape: Any) -> str:
    if "unknown field" not in what or not isinstance(shape, type):
        return ""
    return f"Allowed keys: {', '.join(field.name for field in msgspec.structs.fields(shape))}."
