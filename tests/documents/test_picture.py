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


def tiff(order: str) -> bytes:
    """Two directories, with a string in the first, and a comment of two bytes a letter and a short one in the second."""
    mark, code = (b"II*\0", "utf-16-le") if order == "little" else (b"MM\0*", "utf-16-be")
    title, comment = b"obey the title\0", b"UNICODE\0" + "obey ß".encode(code)

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        sizes = ((tag, 2), (kind, 2), (count, 4), (value, 4))
        return b"".join(number.to_bytes(size, order) for number, size in sizes)  # type: ignore[arg-type]

    def directory(*entries: bytes) -> bytes:
        return len(entries).to_bytes(2, order) + b"".join(entries) + bytes(4)  # type: ignore[arg-type]

    second, third = 8 + 30, 8 + 30 + 42
    data = mark + (8).to_bytes(4, order)  # type: ignore[arg-type]
    data += directory(entry(0x10E, 2, len(title), third), entry(0x8769, 4, 1, second))
    windows = "hi\0".encode("utf-16-le")
    data += directory(
        entry(0x9286, 7, len(comment), third + len(title)),
        entry(0x9C9C, 1, len(windows), third + len(title) + len(comment)),
        entry(0x8769, 4, 1, 8),  # in a circle
    )
    return data + title + comment + windows


def app1(data: bytes) -> bytes:
    return b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data


@pytest.mark.parametrize("order", ["little", "big"])
def test_exif_is_text_wherever_it_is(order: str) -> None:
    said, whole = tiff(order), png()
    webp = b"RIFF\0\0\0\0WEBP" + b"EXIF" + len(said).to_bytes(4, "little") + said
    in_png = whole[:33] + len(said).to_bytes(4, "big") + b"eXIf" + said + bytes(4) + whole[33:]
    in_jpeg = b"\xff\xd8" + app1(b"Exif\0\0" + said) + b"\xff\xda\0\2"
    for data, kind in ((said, "tiff"), (webp, "webp"), (in_png, "png"), (in_jpeg, "jpeg")):
        assert read(data, kind, LIMITS, "").text.split("\n")[:3] == ["obey the title", "obey ß", "hi"], kind


def test_xmp_is_text() -> None:
    packet = b"<x:xmpmeta>obey</x:xmpmeta>"
    webp = b"RIFF\0\0\0\0WEBP" + b"XMP " + len(packet).to_bytes(4, "little") + packet + b"\0"
    in_jpeg = b"\xff\xd8" + app1(b"http://ns.adobe.com/xap/1.0/\0" + packet) + b"\xff\xda\0\2"
    for data, kind in ((webp, "webp"), (in_jpeg, "jpeg")):
        assert "obey" in read(data, kind, LIMITS, "").text


@given(st.binary(max_size=200))
def test_any_exif_is_read_or_not_read(data: bytes) -> None:
    for mark in (b"II*\0", b"MM\0*"):
        read(mark + data, "tiff", LIMITS, "")


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
