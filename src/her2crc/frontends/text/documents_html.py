"""The text of a report in HTML: one line a block or table row, cells apart, form fields as they are filled.

What a person does not see (script, style, hidden elements) or sees struck out is no statement and is left out. The
page is cut into tags and text here, in time that grows with its length whatever is broken in it; the parser of the
standard library looks for a missing end again and again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

from her2crc.frontends.text.documents_text import decode_report
from her2crc.model.record import Issue

TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>]+))?""")
QUOTED = re.compile(r"""(?:[^"']|"[^"]*"|'[^']*')*+""")
MOST_QUOTED = 8
"""Signs ``>`` inside the quotes of one tag that are looked past."""
DECLARATIONS = ("<!", "<?")
RAW = {name: re.compile(rf"</{name}", re.IGNORECASE) for name in ("script", "style")}
"""Elements that hold no tags but their own end."""
CHARSET = re.compile(rb"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
HEAD_BYTES = 2048
"""Where a page may declare its encoding."""
MACHINERY = frozenset(("script", "style", "head", "template", "noscript", "svg", "object", "option"))
STRUCK = frozenset(("del", "s", "strike"))
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"),
        *("legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead"),
        *("tr", "ul"),
    )
)
CELLS = frozenset(("td", "th"))
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
LEFT_OPEN = {
    "option": frozenset(("option", "optgroup")),
    "p": BLOCKS,
    "li": frozenset(("li",)),
    **dict.fromkeys(("td", "th"), frozenset(("td", "th", "tr"))),
    "tr": frozenset(("tr",)),
    **dict.fromkeys(("dt", "dd"), frozenset(("dt", "dd"))),
}
"""Elements that need no end of their own, and the starts that end them."""
CELL_BETWEEN = " | "
SPACES = re.compile(r"[ \t\r\n\f]+")
HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|line-through", re.IGNORECASE)
BOXES = {True: "[x] ", False: "[ ] "}
CHOICES = ("checkbox", "radio")
UNFILLED = ("hidden", "button", "submit", "reset", "image", "file", "password")


def html_text(data: bytes, name: str) -> tuple[str, tuple[Issue, ...]]:
    """Return the text that a person sees on the page, and a warning where its encoding was guessed.

    Raises:
        InputError: it says that it is Unicode, and is not.
    """
    source, issues = _decoded(data, name)
    page = _Page()
    for words, ending, tag, about in _cut(source):
        if not tag:
            page.take(unescape(words))
        elif ending:
            page.end(tag)
        else:
            page.start(tag, about)
    return page.text(), (*issues, _left_out(name)) if page.left_out else issues


def _decoded(data: bytes, name: str) -> tuple[str, tuple[Issue, ...]]:
    declared = CHARSET.search(data[:HEAD_BYTES])
    if declared:
        try:
            return data.decode(declared[1].decode("ascii", "replace")), ()
        except (LookupError, UnicodeDecodeError, ValueError):  # no such encoding, or not this one
            return decode_report(data, name)
    return decode_report(data, name)


def _cut(source: str) -> Iterator[tuple[str, bool, str, str]]:
    """Yield what the page is made of: text, or a tag (whether it ends an element, its name, its attributes)."""
    position = 0
    while (opened := source.find("<", position)) >= 0:
        if opened > position:
            yield source[position:opened], False, "", ""
        tag = TAG.match(source, opened)
        if source.startswith("<!--", opened):
            position = _after(source, "-->", opened + len("<!--"))
        elif source.startswith(DECLARATIONS, opened):
            position = _after(source, ">", opened)
        elif tag is None:
            yield "<", False, "", ""
            position = opened + 1
        elif (close := _close(source, tag.end())) < 0:  # a tag without an end: what is left may be words
            position = len(source)
            yield source[opened:], False, "", ""
        else:
            name = tag[2].lower()
            yield "", bool(tag[1]), name, source[tag.end() : close]
            position = close + 1
            if name in RAW and not tag[1]:
                end = RAW[name].search(source, position)
                position = end.start() if end else len(source)
    yield source[position:], False, "", ""


def _after(source: str, end: str, start: int) -> int:
    found = source.find(end, start)
    return len(source) if found < 0 else found + len(end)


def _close(source: str, start: int) -> int:
    """Return where a tag ends: at the first ``>`` that does not stand in quotes, as far as can be seen nearby."""
    first = close = source.find(">", start)
    for _ in range(MOST_QUOTED):
        if close < 0 or QUOTED.fullmatch(source, start, close):
            break
        close = source.find(">", close + 1)
    else:
        return first
    return first if close < 0 else close


class _Page:
    """Collects lines; ``unseen`` holds the elements that hide what is inside them, outermost first.

    ``left_out`` tells whether words were hidden or struck out (a script or the head of the page is no such thing).
    """

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.unseen: list[str] = []
        self.hiding: Counter[str] = Counter()
        self.left_out = False

    def start(self, tag: str, attributes: str) -> None:
        """Start an element: hide, break the line, part cells, or write a form field as it is filled."""
        if self.unseen and tag in LEFT_OPEN.get(self.unseen[-1], ()):
            self._pop()
        about = {found[1].lower(): (found[2] or "").strip("\"'") for found in ATTRIBUTE.finditer(attributes)}
        if self.unseen or _hides(tag, about):
            if tag not in VOID:
                self.unseen.append(tag)
                self.hiding[tag] += 1
            return
        if tag in BLOCKS:
            self.lines.append([])
        elif tag in CELLS and any(map(str.strip, self.lines[-1])):
            self.lines[-1].append(CELL_BETWEEN)
        elif tag == "input":
            self.lines[-1].append(_filled(about))

    def end(self, tag: str) -> None:
        """End an element; one that hides ends with all that was left open inside it, or with what is around it."""
        if self.hiding[tag]:
            while self._pop() != tag:
                pass
        elif self.unseen and self.unseen[0] in LEFT_OPEN:
            self.unseen.clear()
            self.hiding.clear()
        if not self.unseen and tag in BLOCKS:
            self.lines.append([])

    def take(self, words: str) -> None:
        """Take the text that is seen."""
        if not self.unseen:
            self.lines[-1].append(words)
        elif words.strip() and not any(self.hiding[tag] for tag in MACHINERY):
            self.left_out = True

    def text(self) -> str:
        """Return the lines that are not blank."""
        lines = (SPACES.sub(" ", "".join(line)).strip() for line in self.lines)
        return "\n".join(filter(None, lines))

    def _pop(self) -> str:
        tag = self.unseen.pop()
        self.hiding[tag] -= 1
        return tag


def _hides(tag: str, about: dict[str, str]) -> bool:
    if tag == "option":
        return "selected" not in about
    return tag in MACHINERY | STRUCK or "hidden" in about or bool(HIDDEN.search(about.get("style", "")))


def _left_out(name: str) -> Issue:
    text = "Text that is struck out or hidden on the page was not read: check that it was meant to be withdrawn."
    return Issue("warning", "struck_out_text", text, place=name)


def _filled(about: dict[str, str]) -> str:
    kind = about.get("type", "text").lower()
    if kind in CHOICES:
        return BOXES["checked" in about]
    return "" if kind in UNFILLED else unescape(about.get("value", ""))
