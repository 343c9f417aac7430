# ruff: noqa: RUF001 - full-width signs and the dotless i are what laboratories write
"""Documents to report text: every kind as its own library writes it, what is damaged, and any bytes at all."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable

import docx
import pypdf
import pytest
import weasyprint
from docx.oxml import parse_xml
from hypothesis import given
from hypothesis import strategies as st

from her2crc.errors import Her2crcError, InputError
from her2crc.frontends.text.documents import READERS, document_text
from her2crc.frontends.text.documents_text import decode_report, guess_encoding, is_readable

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SECRET = "Erika Mustermann"


def word(fill: Callable[[docx.document.Document], None]) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    fill(document)
    document.save(file)
    return file.getvalue()


def pdf(html: str) -> bytes:
    written: bytes = weasyprint.HTML(string=html).write_pdf()
    return written


def read(data: bytes, kind: str) -> str:
    return document_text(data, kind, "file")[0]


# ---- plain text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression", "utf-8"),
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression", "utf-8-sig"),
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression", "utf-16"),
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression", "utf-16-le"),
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression", "utf-16-be"),
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression", "utf-32"),
        ("HER2 3+ in 80 % der Tumorzellen, Überexpression für", "cp1252"),
        ("Réaction à l'anticorps équivoque : HER2 2+", "cp1252"),
        ("HER2 aşırı ekspresyonu saptanmadı", "cp1254"),
        ("免疫组化：HER2（3+），约80%肿瘤细胞呈强而完整的细胞膜着色。", "gb18030"),
        ("HER2免疫染色：スコア3+（腫瘍細胞の約70%に強い膜陽性像を認める）", "cp932"),
    ],
)
def test_text_is_read_in_the_encoding_it_was_written_in(text: str, encoding: str) -> None:
    found, issues = document_text(text.encode(encoding), "report_text", "r.txt")
    assert found == text
    says_so = encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")
    assert [issue.id for issue in issues] == ([] if says_so else ["encoding_guessed"])


@pytest.mark.parametrize(
    "text", ["HER2 3+", "für über Größe: HER2 2+", "à é è ç HER2 0", "señal µm ± HER2 1+", "½ HER2"]
)
def test_european_letters_are_never_taken_for_chinese(text: str) -> None:
    assert guess_encoding(text.encode("cp1252")) in ("utf-8", "cp1252")


def test_offsets_count_line_ends_as_one_character() -> None:
    assert read(b"HER2\r\n3+\rin 80 %", "report_text") == "HER2\n3+\nin 80 %"


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x03 HER2", bytes(range(256)), b"\xff\xfe\x00\xd8", b"12 345 --"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        document_text(data, "report_text", "r.txt")


def test_printer_codes_are_let_pass() -> None:
    assert is_readable("HER2 3+ \f second page " * 20 + "\x1a")


# ---- Word


def test_a_word_document_is_read_in_reading_order() -> None:
    def fill(document: docx.document.Document) -> None:
        document.sections[0].header.paragraphs[0].text = "Laboratory, S26-100"
        document.sections[0].footer.paragraphs[0].text = "Page of one"
        document.add_paragraph("Before the table.")
        table = document.add_table(2, 3)
        for row, cells in zip(table.rows, [("Marker", "Result", "Cells"), ("HER2", "3+", "80 %")], strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
        document.add_paragraph("After it.")

    assert read(word(fill), "report_docx").splitlines() == [
        "Laboratory, S26-100",
        "Before the table.",
        "Marker | Result | Cells",
        "HER2 | 3+ | 80 %",
        "After it.",
        "Page of one",
    ]


def test_merged_cells_are_read_once() -> None:
    def fill(document: docx.document.Document) -> None:
        table = document.add_table(1, 3)
        table.cell(0, 0).merge(table.cell(0, 1)).text = "HER2 3+"
        table.cell(0, 2).text = "80 %"

    assert read(word(fill), "report_docx") == "HER2 3+ | 80 %"


def test_a_form_is_read_as_it_is_filled() -> None:
    body = (
        "<w:sdt {ns}><w:sdtPr/><w:sdtContent><w:p><w:r><w:t>HER2 score: 2+</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        '<w:p {ns}><w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t> 3+ </w:t>'
        '<w:sym w:font="Wingdings" w:char="F0A8"/><w:t> 2+</w:t></w:r></w:p>',
        "<w:p {ns}><w:r><w:fldChar><w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData></w:fldChar>"
        "<w:t> amplified</w:t></w:r></w:p>",
        "<w:p {ns}><w:r><w:t>ratio</w:t><w:tab/><w:t>4.1</w:t><w:br/><w:t>end</w:t></w:r></w:p>",
    )

    def fill(document: docx.document.Document) -> None:
        for part in reversed(body):
            document.element.body.insert(0, parse_xml(part.replace("{ns}", WORD)))

    assert read(word(fill), "report_docx").splitlines() == [
        "HER2 score: 2+",
        "[x] 3+ [ ] 2+",
        "[x] amplified",
        "ratio\t4.1",
        "end",
    ]


def test_struck_out_and_deleted_text_is_not_read_and_that_is_said() -> None:
    deleted = "<w:p {ns}><w:del><w:r><w:delText>HER2 0</w:delText></w:r></w:del><w:r><w:t>HER2 3+</w:t></w:r></w:p>"

    def fill(document: docx.document.Document) -> None:
        document.element.body.insert(0, parse_xml(deleted.replace("{ns}", WORD)))
        paragraph = document.add_paragraph("FISH ")
        paragraph.add_run("not amplified").font.strike = True
        paragraph.add_run("amplified")

    text, issues = document_text(word(fill), "report_docx", "r.docx")
    assert text.splitlines() == ["HER2 3+", "FISH amplified"]
    assert [issue.id for issue in issues] == ["struck_out_text"]


def test_a_word_document_of_a_picture_needs_ocr() -> None:
    with pytest.raises(InputError, match="OCR"):
        document_text(word(lambda _: None), "report_docx", "scan.docx")


def test_a_word_document_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 3_000_000)
    monkeypatch.setattr("her2crc.frontends.text.documents.MOST_BYTES", 1_000_000)
    with pytest.raises(InputError, match="unpacks to more than 1 MB"):
        document_text(file.getvalue(), "report_docx", "bomb.docx")


# ---- PDF


def test_the_text_layer_of_a_pdf_is_read_line_by_line() -> None:
    table = "<table><tr><td>HER2</td><td>3+</td></tr><tr><td>EGFR</td><td>1+</td></tr></table>"
    page = f"<p>HER2 IHC: score 3+ in 80 % of cells.</p>{table}"
    lines = [line.split() for line in read(pdf(page), "report_pdf").splitlines() if line.strip()]
    assert [" ".join(line) for line in lines] == ["HER2 IHC: score 3+ in 80 % of cells.", "HER2 3+", "EGFR 1+"]
    assert lines[1:] == [["HER2", "3+"], ["EGFR", "1+"]]


def scan(*pages: str) -> bytes:
    """A PDF with a page of text for each text, and an empty one (as a scan has) for each empty text."""
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    for text in pages:
        if text:
            writer.append(io.BytesIO(pdf(f"<p>{text}</p>")))
        else:
            writer.add_blank_page(600, 800)
    writer.write(file)
    return file.getvalue()


def test_a_scan_says_that_ocr_is_missing() -> None:
    with pytest.raises(InputError, match="no text layer: it is a scan") as caught:
        document_text(scan("", ""), "report_pdf", "scan.pdf")
    assert "OCR" in caught.value.fix


def test_a_scanned_page_among_others_is_named() -> None:
    text, issues = document_text(scan("HER2 3+", "", "FISH amplified"), "report_pdf", "r.pdf")
    assert text.split() == ["HER2", "3+", "FISH", "amplified"]
    assert [issue.id for issue in issues] == ["pages_without_text"]
    assert "missing: 2." in issues[0].text


def test_a_locked_pdf_is_refused() -> None:
    writer, file = pypdf.PdfWriter(io.BytesIO(pdf("<p>HER2 3+</p>"))), io.BytesIO()
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(file)
    with pytest.raises(InputError, match="password"):
        document_text(file.getvalue(), "report_pdf", "locked.pdf")


def test_filled_form_fields_are_pointed_out() -> None:
    form = pdf('<form><input name="score" value="3+"></form><p>HER2 score</p>')
    writer, file = pypdf.PdfWriter(), io.BytesIO()
    writer.append(
        io.BytesIO(
            weasyprint.HTML(string='<p>HER2 score</p><form><input name="s" value="3+"></form>').write_pdf(
                pdf_forms=True
            )
        )
    )
    writer.write(file)
    assert [issue.id for issue in document_text(file.getvalue(), "report_pdf", "f.pdf")[1]] == ["form_fields_not_read"]
    assert document_text(form, "report_pdf", "f.pdf")[1] == ()


def test_a_text_layer_that_cannot_be_decoded_is_not_read_as_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypdf.PageObject.extract_text", lambda *_, **__: "\0H\0E\0R\x002\0 \x003\0+")
    with pytest.raises(InputError, match="cannot be decoded"):
        document_text(pdf("<p>HER2 3+</p>"), "report_pdf", "r.pdf")


# ---- HTML


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>HER2&nbsp;IHC: 3&#43;</p><p>next</p>", "HER2\xa0IHC: 3+\nnext"),
        ("<table><tr><th>HER2</th><td>3+</td></tr><tr><td>EGFR</td><td>1+</td></tr></table>", "HER2 | 3+\nEGFR | 1+"),
        ("HER2 <b>3</b>+<br>80 %", "HER2 3+\n80 %"),
        ("<script>HER2 3+</script><style>x</style><p>HER2 0</p>", "HER2 0"),
        ("<p>HER2 <del>0</del> <s>1+</s> 2+ <span style='text-decoration: line-through'>3+</span></p>", "HER2 2+"),
        ("<p hidden>HER2 3+</p><div style='display:none'><p>HER2 3+</p></div><p>HER2 1+</p>", "HER2 1+"),
        ("HER2 <input type=radio> 2+ <input type=radio checked> 3+", "HER2 [ ] 2+ [x] 3+"),
        ("HER2 <select><option>0<option selected>2+<option>3+</select> ratio <input value='4.1'>", "HER2 2+ ratio 4.1"),
        ("<ul><li hidden>HER2 0<li>HER2 1+</ul><p hidden>HER2 3+<table><tr><td hidden>0<td>2+</table>", "HER2 1+\n2+"),
        ("<select><option>0</select>HER2 1+<div><p hidden>HER2 3+</div>FISH", "HER2 1+\nFISH"),
        ("<!-- HER2 3+ --><p>HER2 0", "HER2 0"),
    ],
)
def test_html_is_read_as_a_person_sees_it(html: str, text: str) -> None:
    assert read(f"<html><body>{html}</body></html>".encode(), "report_html") == text


@pytest.mark.parametrize(
    ("html", "says_so"), [("<del>HER2 0</del>2+", True), ("<script>x</script>HER2 <del> </del>", False)]
)
def test_what_is_left_out_of_a_page_is_pointed_out(html: str, says_so: bool) -> None:
    issues = document_text(f"<html>{html}".encode(), "report_html", "r.html")[1]
    assert [issue.id for issue in issues] == ["struck_out_text"] * says_so


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("HER2 <b", "HER2 <b"),
        ("HER2 < 3 and <3+>", "HER2 < 3 and <3+>"),
        ("<p title='a > b'>HER2 3+</p>", "HER2 3+"),
        ('<p title="it\'s > it">HER2 3+</p>', "HER2 3+"),
        ("<p title='never closed>HER2 3+</p>", "HER2 3+"),
        ("HER2 3+<!-- never closed HER2 0", "HER2 3+"),
        ("<SCRIPT>if (a < b) HER2</SCRIPT >HER2 3+", "HER2 3+"),
        ("<textarea>HER2 3+</textarea>", "HER2 3+"),
        ("&lt;p&gt; HER2 3&plus;", "<p> HER2 3+"),
    ],
)
def test_broken_html_loses_no_words(html: str, text: str) -> None:
    assert read(f"<html>{html}".encode(), "report_html") == text


@pytest.mark.parametrize(
    ("start", "again", "kind"),
    [
        (b"<html>HER2 ", b"<a ", "report_html"),
        (b"<html>HER2 ", b"<!--", "report_html"),
        (b"<html>HER2 ", b"<p x='", "report_html"),
        (b"<html>HER2 ", b"<del>", "report_html"),
        (rb"{\rtf1 HER2 ", rb'{\field{\*\fldinst{ HYPERLINK "', "report_rtf"),
        (rb"{\rtf1{\fonttbl ", rb"\f1", "report_rtf"),
    ],
)
def test_what_never_ends_is_read_to_its_end(start: bytes, again: bytes, kind: str) -> None:
    """A megabyte of each took minutes or hours before; the run would not end."""
    text_or_our_error(start + again * (1_000_000 // len(again)), kind)


def test_html_says_its_encoding() -> None:
    page = '<html><head><meta charset="gb2312"></head><body>HER2免疫组化</body></html>'
    assert document_text(page.encode("gb2312"), "report_html", "r.html") == ("HER2免疫组化", ())


# ---- RTF


def test_rtf_is_read() -> None:
    words = rb"HER2: \b 3+\b0  in 80 % der Zellen, \'dcberexpression\par FISH: amplifiziert\par"
    rtf = rb"{\rtf1\ansi\ansicpg1252{\fonttbl\f0 Arial;}\f0 " + words + b"}"
    text = read(rtf, "report_rtf")
    assert text.splitlines() == ["HER2: 3+ in 80 % der Zellen, Überexpression", "FISH: amplifiziert"]


def test_struck_out_text_in_rtf_is_pointed_out() -> None:
    assert [issue.id for issue in document_text(rb"{\rtf1 {\strike HER2 0} HER2 3+}", "report_rtf", "r")[1]] == [
        "struck_out_text"
    ]
    assert document_text(rb"{\rtf1 \strike0 HER2 3+}", "report_rtf", "r")[1] == ()


# ---- whatever comes in

WHOLE = {
    "report_docx": word(lambda document: document.add_paragraph(f"{SECRET}: HER2 3+")),
    "report_pdf": pdf(f"<p>{SECRET}: HER2 3+</p>"),
    "report_html": f"<html><body><p>{SECRET}: HER2 3+</p></body></html>".encode(),
    "report_rtf": rb"{\rtf1\ansi Erika Mustermann: HER2 3+\par}",
    "report_text": f"{SECRET}: HER2 3+".encode(),
}


def text_or_our_error(data: bytes, kind: str) -> None:
    try:
        text, _ = document_text(data, kind, "file")
    except Her2crcError as error:
        assert SECRET not in str(error)
        return
    assert text.strip()


@pytest.mark.parametrize("kind", READERS)
@given(st.binary(max_size=300))
def test_any_bytes_give_text_or_one_of_our_errors(kind: str, data: bytes) -> None:
    text_or_our_error(data, kind)


@pytest.mark.parametrize("kind", READERS)
@given(st.data())
def test_any_damage_gives_text_or_one_of_our_errors(kind: str, data: st.DataObject) -> None:
    whole = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    text_or_our_error(bytes(whole), kind)
    text_or_our_error(bytes(whole[: data.draw(st.integers(0, len(whole)))]), kind)


@pytest.mark.parametrize("kind", READERS)
def test_nothing_of_a_report_is_written_to_a_log(
    kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for cut in (None, -20, len(WHOLE[kind]) // 2):
        text_or_our_error(WHOLE[kind][:cut], kind)
    assert "Mustermann" not in caplog.text
    assert capfd.readouterr() == ("", "")


@given(st.text(max_size=200))
def test_utf_8_is_always_read_as_it_is(text: str) -> None:
    data = text.encode("utf-8", "replace")
    if b"\0" not in data and not data.startswith(b"\xef\xbb\xbf"):
        assert decode_report(data, "r") == (data.decode(), ())
