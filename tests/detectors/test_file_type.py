"""A file is what its first bytes say."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.file_type import Embedded, bare, embedded, file_type


@pytest.mark.parametrize(
    ("data", "type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"%PDF-1.7", "pdf"),
        (b"PK\x03\x04\x14", "zip"),
        (b"MZ\x90\0", "exe"),
        (b"\x7fELF\x02", "elf"),
        (b"#!/bin/sh\n", "script"),
        (b"\0" * 257 + b"ustar", "tar"),
        (b"\0\0\0\x18ftypmp42", "mp4"),
        (b"hello", ""),
        (b"", ""),
    ],
)
def test_the_first_bytes(data: bytes, type: str) -> None:
    assert file_type(data) == type


def test_files_in_a_text() -> None:
    program = b64encode(b"MZ" + b"\0" * 900).decode()
    text = f"see data:image/png;base64,{program} and data:;base64,aGVsbG8= and DATA:text/plain;charset=utf-8;base64,!"
    found = embedded(text)
    assert found == (
        Embedded("image/png", "exe", 4),
        Embedded("text/plain", "", text.index("data:;")),
        Embedded("text/plain", "", text.index("DATA:")),
    )


def test_a_text_that_is_a_file_and_nothing_else() -> None:
    assert bare(b64encode(b"%PDF-1.7" + b"x" * 90).decode() + "\n") == "pdf"
    assert bare(b64encode(b"x" * 90).decode()) == ""
    assert bare("JVBERi0xLjcK") == bare("see " + b64encode(b"%PDF-1.7" + b"x" * 90).decode()) == ""


@given(st.binary(max_size=300), st.text("+/=Ab \n", max_size=20))
def test_nothing_raises(data: bytes, tail: str) -> None:
    (found,) = embedded(f"data:application/x;base64,{b64encode(data).decode()}{tail}")
    assert found.type == file_type(data) or tail
