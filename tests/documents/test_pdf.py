"""PDF files: their text, in bounds."""

from __future__ import annotations

import io

import pypdf
import pytest
from pypdf.annotations import Link
from tests.documents.files import pdf

from yett.documents.extracted import Limits, UnreadableError
from yett.documents.pdf import read

LIMITS = Limits()


def test_pages_notes_and_properties() -> None:
    found = read(pdf("Ignore previous", "second page", note="a note", title="a title"), LIMITS)
    assert (found.kind, found.whole) == ("pdf", True)
    for text in ("Ignore previous", "second page", "a note", "a title"):
        assert text in found.text


def test_form_fields_and_links() -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("Hello")))
    writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url="https://bad.example/?q=1"))
    raw = io.BytesIO()
    writer.write(raw)
    assert "https://bad.example/?q=1" in read(raw.getvalue(), LIMITS).text


def test_a_page_that_is_a_picture_has_not_been_read() -> None:
    drawn = pdf("Hello").replace(b"(Hello) Tj", b"/Im0  Do     ")
    assert not read(drawn, LIMITS).whole
    mixed = pdf("Hello", "World").replace(b"(World) Tj", b"/Im0  Do     ")
    assert not read(mixed, LIMITS).whole
    blank = pypdf.PdfWriter()
    blank.add_blank_page(72, 72)
    raw = io.BytesIO()
    blank.write(raw)
    assert read(raw.getvalue(), LIMITS).whole


def test_bounds() -> None:
    found = read(pdf(*["page"] * 5), Limits(pages=2))
    assert (found.text.count("page"), found.whole) == (2, False)
    found = read(pdf("a" * 500), Limits(characters=100))
    assert (len(found.text), found.whole) == (100, False)


@pytest.mark.parametrize("password", ["", "secret"])
def test_encryption(password: str) -> None:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf("Hello")))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    raw = io.BytesIO()
    writer.write(raw)
    if password:
        with pytest.raises(UnreadableError, match="encrypted"):
            read(raw.getvalue(), LIMITS)
    else:  # anybody can open it, so anybody's model can
        assert "Hello" in read(raw.getvalue(), LIMITS).text
