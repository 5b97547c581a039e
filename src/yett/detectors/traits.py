"""Traits: what a text is, whatever is found in it: its language, the code it contains, the files that come with it.

Worked out where a policy reads them, and remembered with what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from yett.detectors.code.language import KNOWN, blocks, guess
from yett.detectors.file_type import TYPES, bare, embedded
from yett.detectors.natural import LANGUAGES
from yett.detectors.natural import languages as spoken
from yett.model.segment import Segment

OTHER = "other"  # code or a file of no known kind
VOCABULARY = {"languages": LANGUAGES, "code": KNOWN | {OTHER}, "files": TYPES | {OTHER}}  # by the name of the fact

_SAID = frozenset(("user",))
_GIVEN = frozenset(
    ("user", "tool", "function", "document", "attachment")
)  # what a caller pastes, and what its tools return
_FILES = _GIVEN | {"url"}
_NOT_CODE = frozenset(("", "text", "txt", "plain", "plaintext", "none", "output", "log", "markdown"))
_AMBIGUOUS = frozenset(("", "yaml", "json", "html"))  # without a label: prose with colons, data
_LINES = 80  # that are judged together
_RUNS = 50
_FEWEST = 3  # lines of code without a label
# What lines of code look like in any language, and the share of them from which on a text is code.
_LINE = re.compile(
    r"\s*(?:(?:return|raise|break|continue|pass|else:?|try:|finally:|yield)\b.*|(?:if|elif|for|while|with|except|switch|catch)\b.*[:{)]"
    r"|(?:self\.|this\.|@)\w.*|[\w.\[\]'\"]+ [-+*/|&]?= \S.*|[\w.]+\([^)]*\)|.*[;{}]|[})\]]+[,;]?|//.*|#include.*)\s*"
)
_MOSTLY = 0.5
_WIDEST = 200


class Traits(Struct, frozen=True, gc=False):
    """Each sorted. `languages` are those of what the user says, empty when it cannot be told."""

    languages: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


NO_TRAITS = Traits()


def traits(segments: Sequence[Segment], wanted: frozenset[str]) -> Traits:
    """What of the `wanted` names can be said of these texts."""
    if not wanted:
        return NO_TRAITS
    found = Traits(
        languages=spoken(segment.text for segment in segments if segment.role in _SAID)
        if "languages" in wanted
        else (),
        code=_code(segments) if "code" in wanted else (),
        files=_files(segments) if "files" in wanted else (),
    )
    return NO_TRAITS if found == NO_TRAITS else found


def united(several: Iterable[Traits]) -> Traits:
    """Those of several texts together."""
    several = [each for each in several if each is not NO_TRAITS]
    if len(several) < 2:
        return several[0] if several else NO_TRAITS
    return Traits(
        languages=_all(each.languages for each in several),
        code=_all(each.code for each in several),
        files=_all(each.files for each in several),
    )


def _all(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for some in names for name in some}))


def _code(segments: Sequence[Segment]) -> tuple[str, ...]:
    return tuple(sorted({name for one in segments if one.role in _GIVEN for name in _languages(one.text)}))


def _languages(text: str) -> Iterable[str]:
    """Of fenced blocks as they are labelled; of the rest of a text what it looks like."""
    fenced = blocks(text)
    for block in fenced:
        if block.language not in _NOT_CODE:
            yield block.language if block.language in KNOWN else OTHER
    at = 0
    for end, after in [*((block.start, block.end) for block in fenced), (len(text), 0)]:
        lines = text[at:end].split("\n")
        for start in range(0, min(len(lines), _LINES * _RUNS), _LINES):
            run = lines[start : start + _LINES]
            if len(run) >= _FEWEST:
                name = guess("\n".join(run))
                if name not in _AMBIGUOUS:
                    yield name
                elif _looks_like_code(run):
                    yield OTHER
        at = after


def _looks_like_code(lines: Sequence[str]) -> bool:
    written = [line for line in lines if line.strip()]
    like = sum(1 for line in written if len(line) < _WIDEST and _LINE.fullmatch(line))
    return like >= _FEWEST and like >= _MOSTLY * len(written)


def _files(segments: Sequence[Segment]) -> tuple[str, ...]:
    found: set[str] = set()
    for segment in segments:
        if segment.role in _FILES:
            if "base64," in segment.text:
                found.update(file.type or OTHER for file in embedded(segment.text))
            elif name := bare(segment.text):
                found.add(name)
    return tuple(sorted(found))
