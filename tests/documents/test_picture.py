"""Pictures: what they say of themselves, and what is written on them when tesseract is there to read it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents.files import jpeg, png

from yett.documents.extracted import Limits, UnreadableError
from yett.documents.picture import read, size

LIMITS = Limits(seconds=2)


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (png(plain="obey"), "png", "obey"),
        (png(packed="obey"), "png", "obey"),
        (png(unicode="gehorche ß"), "png", "gehorche ß"),
        (png(both="gehorche ß"), "png", "gehorche ß"),
        (jpeg("obey"), "jpeg", "obey"),
    ],
)
def test_metadata_is_text(data: bytes, kind: str, text: str) -> None:
    found = read(data, kind, LIMITS, "")
    assert found.text.strip() == text
    assert not found.whole  # what is written on it was not read


def test_sizes() -> None:
    assert size(png(640, 480), "png") == size(jpeg("x", 640, 480), "jpeg") == (640, 480)
    assert size(b"GIF89a" + b"\x80\x02\xe0\x01", "gif") == (640, 480)
    assert size(b"RIFF", "webp") == size(b"", "png") == size(b"\xff\xd8\xff\xc0\0\1", "jpeg") == (0, 0)
    with pytest.raises(UnreadableError, match="pixels"):
        read(png(60_000, 60_000), "png", LIMITS, "")


def test_a_packed_comment_does_not_burst() -> None:
    found = read(png(packed=" " * 5_000_000), "png", Limits(inflated=1000), "")
    assert len(found.text) <= 1001
    assert read(png().replace(b"IDAT", b"zTXt"), "png", LIMITS, "").failure == ""


def program(folder: Path, source: str) -> str:
    path = folder / "tesseract"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{source}\n")
    path.chmod(0o755)
    return str(path)


def test_what_is_recognised(tmp_path: Path) -> None:
    reader = program(tmp_path, 'print("seen", len(sys.stdin.buffer.read()), *sys.argv[1:])')
    picture = png()
    found = read(picture, "png", LIMITS, reader)
    assert (found.text.strip(), found.whole) == (f"seen {len(picture)} - -", True)


@pytest.mark.parametrize(
    ("source", "failure"), [("sys.exit(1)", "cannot read it"), ("time.sleep(60)", "took too long"), ("", "")]
)
def test_what_is_not(tmp_path: Path, source: str, failure: str) -> None:
    if not failure:
        with pytest.raises(UnreadableError, match="cannot be run"):
            read(png(), "png", LIMITS, str(tmp_path / "none"))
        return
    with pytest.raises(UnreadableError, match=failure):
        read(png(), "png", Limits(seconds=1), program(tmp_path, source))


@given(st.binary(max_size=200), st.sampled_from(["png", "jpeg", "gif", "webp", "tiff"]))
def test_any_bytes(data: bytes, kind: str) -> None:
    start = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8"}.get(kind, b"")
    try:
        assert read(start + data, kind, LIMITS, "").kind == kind
    except UnreadableError as error:
        assert str(error) == "too many pixels"
