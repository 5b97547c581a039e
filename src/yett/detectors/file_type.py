"""File type: what a file is by its first bytes, whatever it is called or declared to be."""

from __future__ import annotations

import re
import string
from base64 import b64decode
from binascii import Error as BinasciiError

from msgspec import Struct

# Offset, bytes, type. Sources: the formats' own specifications; IANA media types by their common short name.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (0, b"BM", "bmp"),
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (4, b"ftypavif", "avif"),
    (4, b"ftyphei", "heic"),
    (4, b"ftyp", "mp4"),
    (0, b"%PDF-", "pdf"),
    (0, b"PK\x03\x04", "zip"),  # and everything that is one: docx, xlsx, jar, apk
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),  # doc, xls, msi
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
    (0, b"\x7fELF", "elf"),
    (0, b"MZ", "exe"),
    (0, b"\xfe\xed\xfa", "mach-o"),
    (0, b"\xcf\xfa\xed\xfe", "mach-o"),
    (0, b"\xca\xfe\xba\xbe", "class"),
    (0, b"\x00asm", "wasm"),
    (0, b"#!", "script"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"fLaC", "flac"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"{\\rtf", "rtf"),
    (0, b"<?xml", "xml"),
    (0, b"<svg", "svg"),
    (0, b"\x80\x04\x95", "pickle"),
    (0, b"\x80\x05\x95", "pickle"),
)
TYPES = frozenset(name for _, _, name in _MAGIC)
_DATA_URL = re.compile(
    r"data:([a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,80})?(?:;[a-z0-9-]{1,20}=[a-z0-9._-]{1,40}){0,3};base64,", re.IGNORECASE
)
_ALPHABET = string.ascii_letters + string.digits + "+/"
_SEEN = 512  # characters of the content that are decoded
_BARE = re.compile(rf"[{re.escape(_ALPHABET)}]{{64,}}={{0,2}}\s*\Z")


class Embedded(Struct, frozen=True):
    """A file in a text: declared media type, type by its first bytes ("" for unknown), and where its data: URL begins."""

    declared: str
    type: str
    start: int


def file_type(data: bytes) -> str:
    """The type by the first 300 bytes, "" for unknown."""
    return next((name for offset, magic, name in _MAGIC if data.startswith(magic, offset)), "")


def embedded(text: str) -> tuple[Embedded, ...]:
    """All base64 data: URLs in a text (RFC 2397)."""
    found = []
    for url in _DATA_URL.finditer(text):
        kind = _type_of(text[url.end() : url.end() + _SEEN])
        found.append(Embedded((url.group(1) or "text/plain").lower(), kind, url.start()))
    return tuple(found)


def bare(text: str) -> str:
    """The type of a file that a text is the base64 of, and nothing else; "" for unknown."""
    return _type_of(text[:_SEEN]) if _BARE.match(text) else ""


def _type_of(content: str) -> str:
    """By the base64 that a text begins with."""
    content = content[: len(content) - len(content.lstrip(_ALPHABET))]
    try:
        whole = content[:-1] if len(content) % 4 == 1 else content
        data = b64decode(whole + "=" * (-len(whole) % 4))
    except BinasciiError:  # pragma: no cover - the pattern leaves nothing to refuse
        data = b""
    return file_type(data)
