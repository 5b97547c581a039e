"""What a data URL holds, and what kind of file that is."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents.files import docx, jpeg, pdf, png

from yett.documents.media import KINDS, bytes_of, data_of, kind_of


@given(st.binary(max_size=60))
def test_base64_of_every_spelling(data: bytes) -> None:
    plain, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    for written in (plain, safe, plain.rstrip("="), "\n".join(plain)):
        assert bytes_of(written) == data
        assert data_of(f"data:application/pdf;base64,{written}") == data


@pytest.mark.parametrize(
    "text",
    ["", "data:", "data:text/plain,hello", "https://x.example/a.pdf", "data:a;base64,???", "data:a;base64,aaaaa"],
)
def test_what_is_no_data_url(text: str) -> None:
    assert data_of(text) is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (pdf("x"), "pdf"),
        (b"some junk first\n" + pdf("x"), "pdf"),
        (docx("x"), "zip"),
        (png(), "png"),
        (jpeg("x"), "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"II*\0", "tiff"),
        (b"{\\rtf1 x}", "rtf"),
        ("grüße".encode(), "text"),
        (b"a\0b", ""),
        (b"\xff\xfe\x00", ""),
        (b"\x7fELF\xff", ""),
    ],
)
def test_a_file_is_what_it_begins_with(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind
    assert kind in {*KINDS, ""}
