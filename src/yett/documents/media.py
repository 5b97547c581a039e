"""Media: what a data URL (RFC 2397) holds, told by its first bytes and not by what it says of itself."""

from __future__ import annotations

import base64
import binascii
import re

KINDS = ("pdf", "zip", "png", "jpeg", "gif", "webp", "tiff", "rtf", "text")
_DATA = re.compile(r"\s*data:[^,]{0,200},", re.IGNORECASE)
_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"{\\rtf", "rtf"),
)
_LATE = 1024  # a PDF may begin this far in, and readers accept it


def data_of(text: str) -> bytes | None:
    """What a data URL holds; None when `text` is none, or says that it is not base64."""
    match = _DATA.match(text)
    if match is None or not match[0].lower().endswith(";base64,"):
        return None
    return bytes_of(text[match.end() :])


def bytes_of(encoded: str) -> bytes | None:
    """Base64, of either alphabet and with or without padding, as lenient readers take it; None when it is none."""
    clean = "".join(encoded.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(clean + "=" * (-len(clean) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def kind_of(data: bytes) -> str:
    """One of KINDS; "" for anything else."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if b"%PDF-" in data[:_LATE]:
        return "pdf"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "text" if b"\x00" not in data else ""
