"""Writing on pictures, by a locally installed tesseract; and what pictures say of themselves in text: comments, Exif, XMP."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterator

from yett.documents import exif
from yett.documents.extracted import Limits, UnreadableError, Writer
from yett.model.attachment import Extracted

_EXIF = b"Exif\0\0"


def read(data: bytes, kind: str, limits: Limits, tesseract: str) -> Extracted:
    """`tesseract` is the program's path; without one only the metadata is read, and the picture is not read whole. Raises
    UnreadableError."""
    width, height = size(data, kind)
    if width * height > limits.pixels:
        raise UnreadableError("too many pixels")
    writer = Writer(limits.characters)
    for text in _metadata(data, kind, limits.inflated):
        writer.add(f"{text}\n")
    if tesseract:
        writer.add(_recognised(data, tesseract, limits.seconds))
    return Extracted(kind, writer.text, whole=bool(tesseract) and not writer.full)


def size(data: bytes, kind: str) -> tuple[int, int]:
    """Width and height as the header has them; 0, 0 for kinds whose header is not read here."""
    if kind == "png" and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if kind == "gif" and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if kind == "jpeg":
        for marker, segment in _segments(data):
            if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC} and len(segment) >= 5:
                return int.from_bytes(segment[3:5], "big"), int.from_bytes(segment[1:3], "big")
    return 0, 0


def _recognised(data: bytes, tesseract: str, seconds: int) -> str:
    try:
        done = subprocess.run([tesseract, "-", "-"], input=data, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreadableError("its text took too long to recognise") from error
    except OSError as error:
        raise UnreadableError("tesseract cannot be run") from error
    if done.returncode:
        raise UnreadableError("tesseract cannot read it")
    return done.stdout.decode("utf-8", "replace")


def _metadata(data: bytes, kind: str, most: int) -> Iterator[str]:
    match kind:
        case "png":
            yield from _of_png(data, most)
        case "jpeg":
            yield from _of_jpeg(data)
        case "webp":
            yield from _of_webp(data)
        case "tiff":
            yield from exif.texts(data)


def _of_png(data: bytes, most: int) -> Iterator[str]:
    for name, chunk in _chunks(data):
        rest = chunk.partition(b"\0")[2]
        if name == b"tEXt":
            yield rest.decode("latin-1")
        elif name == b"eXIf":
            yield from exif.texts(chunk)
        elif name == b"zTXt":
            yield _inflated(rest[1:], most).decode("latin-1")
        elif name == b"iTXt":
            text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
            yield (_inflated(text, most) if rest[:1] == b"\x01" else text).decode("utf-8", "replace")


def _of_jpeg(data: bytes) -> Iterator[str]:
    for marker, segment in _segments(data):
        if marker == 0xFE:
            yield segment.decode("utf-8", "replace")
        elif marker == 0xE1 and segment.startswith(_EXIF):
            yield from exif.texts(segment.removeprefix(_EXIF))
        elif marker == 0xE1:  # XMP, which is XML
            yield segment.partition(b"\0")[2].decode("utf-8", "replace")


def _of_webp(data: bytes) -> Iterator[str]:
    for name, chunk in _riff(data):
        if name == b"EXIF":
            yield from exif.texts(chunk.removeprefix(_EXIF))
        elif name == b"XMP ":
            yield chunk.decode("utf-8", "replace")


def _inflated(data: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error:
        return b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A PNG's chunks (w3.org/TR/png section 5.3)."""
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A WebP's chunks (RFC 9649 section 2.3)."""
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A JPEG's marker segments up to the picture itself (ITU-T T.81, annex B)."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if length < 2:
            return
        yield data[place + 1], data[place + 4 : place + 2 + length]
        place += 2 + length
