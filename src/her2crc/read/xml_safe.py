"""XML read safely: no document types, entities or outside references, and limits on size, depth and elements.

Shared by the readers of XML formats. Names are compared without their namespace and in lower case, because the same
vendor's files differ in both.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from her2crc.errors import InputError

MAX_BYTES = 50_000_000
"""A vendor's report with its PDF inside has a tenth of this."""
MAX_ELEMENTS, MAX_DEPTH = 500_000, 100


def read_xml(data: bytes, name: str) -> Element:
    """Return the root element of an XML file.

    Raises:
        InputError: not well-formed (with line and column), too large or too deep, or with parts that are not safe.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if len(data) > MAX_BYTES:
        raise InputError(f"The file is larger than {MAX_BYTES // 1_000_000} MB.", where=name, fix="Split it.")
    events = ElementTree.iterparse(io.BytesIO(data), ("start", "end"), forbid_dtd=True)
    try:
        return _build(events, name)
    except DefusedXmlException:
        raise InputError(
            "The XML file declares a document type or entities, which can be used for attacks; it is not read.",
            where=name,
            fix="Export it without a DOCTYPE.",
        ) from None
    except ParseError as error:
        line, column = error.position
        where = f"{name}:{line}, column {column + 1}"
        raise InputError("This is not well-formed XML.", where=where, fix="Export it again, whole.") from None
    except (ValueError, LookupError):  # an encoding that is declared wrongly, or is not known
        raise InputError("The encoding of the XML file cannot be read.", where=name, fix="Save it as UTF-8.") from None


def _build(events: Iterator[tuple[str, Element]], name: str) -> Element:
    root: Element | None = None
    depth = count = 0
    for event, element in events:
        root = element if root is None else root
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise InputError("The XML file is nested too deeply or has too many elements.", where=name)
    if root is None:
        raise InputError("The XML file is empty.", where=name)
    return root


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def elements(parent: Element | None, name: str) -> list[Element]:
    """Return every element of a name inside another (which may be of that name itself), in the order of the file."""
    return [] if parent is None else [item for item in parent.iter() if local_name(item) == name]


def child(parent: Element | None, name: str) -> Element | None:
    """Return the first element of a name inside another."""
    return next(iter(elements(parent, name)), None)


def text(parent: Element | None, name: str) -> str:
    """Return the text of the first element of a name that has any, without blanks around it."""
    return next((said for item in elements(parent, name) if (said := (item.text or "").strip())), "")


def attribute(element: Element | None, name: str) -> str:
    """Return an attribute without blanks around it; empty where there is none."""
    return (element.get(name) or "").strip() if element is not None else ""
