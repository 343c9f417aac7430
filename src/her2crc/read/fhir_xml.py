"""FHIR R4 XML into FHIR JSON, so that one reader serves both.

Before :mod:`her2crc.read.fhir`. Which elements repeat is taken from the structs that the reader decodes into, and only
elements of FHIR's namespace are kept: the narrative, which is XHTML, is left out.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from her2crc.errors import InputError
from her2crc.read import fhir_resources
from her2crc.read.xml_safe import read_xml

NAMESPACE = "{http://hl7.org/fhir}"
HOLDERS = ("resource", "contained")
"""Elements around a whole resource, whose type is the name of the element inside."""


def fhir_xml_to_json(data: bytes, source: str) -> bytes:
    """Return a FHIR XML file (a bundle or a single resource) as FHIR JSON, digits kept.

    Raises:
        InputError: not well-formed, not safe, too large, or its root is no resource.
    """
    root = read_xml(data, source)
    if not root.tag.startswith(NAMESPACE):
        raise InputError("The XML file is not FHIR: its root is of another namespace.", where=source)
    return msgspec.json.encode(_resource(root))


def _resource(element: Element) -> dict[str, Any]:
    content = _value(element)
    return {"resourceType": _name(element)} | (content if isinstance(content, dict) else {})


def _value(element: Element) -> Any:
    children = [child for child in element if child.tag.startswith(NAMESPACE)]
    if not children or "value" in element.attrib:
        return _primitive(_name(element), element.get("value"))
    if _name(element) in HOLDERS:
        return _resource(children[0])
    content: dict[str, Any] = {"url": url} if (url := element.get("url")) else {}
    for child in children:
        name, value = _name(child), _value(child)
        if name in _REPEATED:
            content.setdefault(name, []).append(value)
        elif name in content:
            known = content[name]
            content[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            content[name] = value
    return content


def _primitive(name: str, written: str | None) -> Any:
    if name in _WHOLE and written is not None and written.lstrip("-").isdecimal():
        return int(written)
    if name in _TRUTH and written in ("true", "false"):
        return written == "true"
    return written


def _name(element: Element) -> str:
    return element.tag.removeprefix(NAMESPACE)


def _named(kind: str) -> frozenset[str]:
    """Return the names of the elements whose JSON is only of one kind: ``array``, ``integer`` or ``boolean``."""
    defined = [item for item in vars(fhir_resources).values() if isinstance(item, type)]
    structs = msgspec.inspect.multi_type_info(item for item in defined if issubclass(item, msgspec.Struct))
    fields = [field for item in structs if isinstance(item, msgspec.inspect.StructType) for field in item.fields]
    return frozenset(field.encode_name for field in fields if _is_only(field.type, kind))


def _is_only(kind: msgspec.inspect.Type, wanted: str) -> bool:
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    known = [item for item in kinds if not isinstance(item, msgspec.inspect.NoneType)]
    return all(isinstance(item, _KINDS[wanted]) for item in known)


_KINDS: dict[str, type[msgspec.inspect.Type]] = {
    "array": msgspec.inspect.VarTupleType,
    "integer": msgspec.inspect.IntType,
    "boolean": msgspec.inspect.BoolType,
}
_REPEATED, _WHOLE, _TRUTH = _named("array"), _named("integer"), _named("boolean")
