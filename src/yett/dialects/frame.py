"""What stands around the text of an event, in a stream of which nearly all events differ in that text only.

An event that has the bytes of one before around it, and between them a text without a quotation mark, an escape or a control
character, is the same JSON document with another text, however it is read: it need not be taken apart to know that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from yett.dialects.openai_chat import ENVELOPE


class Frame(NamedTuple):
    """The bytes `before` and `behind` a text, its quotation marks included, and its channel: the choice's index, `delta`, and the
    field's name."""

    before: bytes
    behind: bytes
    channel: tuple[int, str, str]

    def text(self, raw: bytes) -> str:
        """What stands in this frame; "" when that is another event, or cannot be told so easily."""
        before, behind, _ = self
        if not (raw.startswith(before) and raw.endswith(behind)):
            return ""
        try:
            text = raw[len(before) : -len(behind)].decode()  # empty where both overlap
        except UnicodeDecodeError:
            return ""
        return text if text.isprintable() and '"' not in text and "\\" not in text else ""

    def texts(self, data: bytes) -> list[str]:
        """What stands in each event of `data`, one after the other, where all of them have this frame; else []."""
        before, behind, _ = self
        if not (data.startswith(before) and data.endswith(behind)):
            return []
        inside = data[len(before) : -len(behind)]
        between = behind + before
        if between not in inside:
            text = self.text(data)
            return [text] if text else []
        pieces = inside.split(between)
        try:
            # A line feed between them: a character that the end of an event cuts stays a mistake.
            texts = b"\n".join(pieces).decode().split("\n")
        except UnicodeDecodeError:
            return []
        whole = "".join(texts)
        plain = whole.isprintable() and '"' not in whole and "\\" not in whole
        return texts if plain and len(texts) == len(pieces) and all(texts) else []


def frame_of(raw: bytes, document: dict[str, Any]) -> Frame | None:
    """The frame of an event that is a piece of one text of one choice, and nothing else. `raw` is `data: …` and an empty line,
    and reads as `document`."""
    choices = document.get("choices")
    if b"\\" in raw or document.get("usage") is not None or document.keys() - ENVELOPE != {"choices"}:
        return None
    if type(choices) is not list or len(choices) != 1 or type(choice := choices[0]) is not dict:
        return None
    delta, index = choice.get("delta"), choice.get("index")
    says_more = choice.get("finish_reason") is not None or choice.get("logprobs") is not None
    if type(delta) is not dict or says_more or choice.keys() - ENVELOPE != {"delta"}:
        return None
    texts = [name for name, value in delta.items() if value is not None and name not in ENVELOPE]
    if len(texts) != 1 or type(text := delta[texts[0]]) is not str:
        return None
    token = b'"%b"' % text.encode()
    if not text or raw.count(token) != 1:
        return None
    at = raw.index(token)
    return Frame(raw[: at + 1], raw[at + len(token) - 1 :], (index if type(index) is int else 0, "delta", texts[0]))
