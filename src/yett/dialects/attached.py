"""The files that a body carries, wherever in it they stand: pictures, documents, recordings.

OpenAI's chat has them as parts of a message: `image_url` (an address or a data URL), `file` (`file_data` in base64 or a data
URL, or a `file_id`), `input_audio` (`data` in base64). Other servers know more; a data URL is a file whatever its field is called.
"""

from __future__ import annotations

import re
from typing import Any

from yett.dialects import strict_json
from yett.model.attachment import Attached

_SIGNS = (b"_url", b"file", b"audio", b"_type", b"b64_json", b'"format"', b"data:", b"\\u")
_OTHERWISE = frozenset(("tools", "functions", "response_format"))  # what a tool takes may be called like a file
_ADDRESSES = frozenset(("image_url", "file_url", "video_url", "audio_url", "document_url"))
_NAMES = frozenset(("file_id", "image_file_id"))
_ENCODED = frozenset(("file_data", "b64_json"))
_TYPED = frozenset(("format", "media_type", "mime_type"))
_ELSEWHERE = Attached("")
# In a field of any name, as no sentence begins: "Data: 5, 6" is none.
_FILE = re.compile(r"\s*data:[^,\s]{0,200};base64,", re.IGNORECASE)


def attached(body: bytes) -> tuple[Attached, ...]:
    """In the order of the body, which `understand` has accepted."""
    lower = body.lower()
    if not any(sign in lower for sign in _SIGNS):
        return ()
    found: list[Attached] = []
    for name, value in strict_json.decode(body).items():
        if name not in _OTHERWISE:
            _walk(value, found)
    return tuple(found)


def _walk(value: Any, found: list[Attached]) -> None:
    kind = type(value)
    if kind is str:
        if _FILE.match(value):
            found.append(Attached(value))
    elif kind is list:
        for item in value:
            _walk(item, found)
    elif kind is dict:
        for name, item in value.items():
            own = _own(value, name, item)
            if own is None:
                _walk(item, found)
            else:
                found.append(own)


def _own(holder: dict[str, Any], name: str, item: Any) -> Attached | None:
    """The file that a field is or names; None when it is a field like others."""
    if name in _ADDRESSES:
        address = item.get("url") if type(item) is dict else item
        if type(address) is str:
            return Attached(address) if is_data_url(address) else _ELSEWHERE
    if type(item) is not str or not item:
        return None
    if name in _NAMES:
        return _ELSEWHERE
    if name in _ENCODED or (name == "data" and not _TYPED.isdisjoint(holder)):
        return Attached(item)
    return None


def is_data_url(text: str) -> bool:
    """Whether what is to be an address is a data URL, of whatever sort."""
    return text[:64].lstrip()[:5].lower() == "data:"
