"""Turns: what only shows across turns: a request that is cut into several of them, and many made-up turns within one message.

A model is shown a conversation as one text. Whoever cuts an instruction into pieces that say nothing, or writes a whole conversation
of obedient answers into one message, has the detectors read something else than the model does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TURNS = 8  # of a user, the last ones
LONGEST = 500  # characters of one that may be a piece
ALL = 2000  # characters of them together
SHOTS = 8  # made-up exchanges within one message, from which on they are many

_MARK = re.compile(
    r"\n[ \t>#*_\-\[(]{0,6}+(?:<\|(?:im_start|start_header_id)\|>[ \t]{0,2}+)?+(?=[abcghimoprsuапюП用助ユア])"
    r"(?:(?P<asks>user|human|me|customer|student|interviewer|prompt|instruction|request|benutzer|utilisateur|usuario|utente|пользователь|用户|ユーザー)"
    r"|(?:assistant|ai|bot|chatbot|gpt|chatgpt|claude|model|response|answer|output|assistent|asistente|assistente|ассистент|助手|アシスタント))"
    r"[ \t]{0,2}\d{0,3}[\])*_]{0,4}[ \t]{0,2}(?::|：|\||<\|end_header_id\|>|\r?$)",
    re.IGNORECASE | re.MULTILINE,
)


def joined(turns: Sequence[str]) -> str:
    """The last turns of a user as one text, "" where there are no two that may be pieces of one."""
    pieces: list[str] = []
    left = ALL
    for turn in reversed(turns[-TURNS:]):
        left -= len(turn)
        if left < 0:
            break
        if len(turn) <= LONGEST:
            pieces.append(turn)
    return " ".join(reversed(pieces)) if len(pieces) > 1 else ""


def shots(text: str) -> tuple[int, int, int]:
    """How many exchanges a message makes up, and from where to where."""
    if text.count("\n") < 2 * SHOTS - 1:  # nearly always: each turn begins a line
        return 0, 0, 0
    count = start = end = 0
    asked = False
    for mark in _MARK.finditer(f"\n{text}"):
        if mark["asks"] is not None:
            start = start if count or asked else mark.start()
            asked = True
        elif asked:
            asked = False
            count += 1
            line_end = text.find("\n", mark.end() - 1)
            end = line_end if line_end >= 0 else len(text)
    return count, start, end
