"""Pattern: a regular expression that an operator wrote, read so far that it is known what it can match, and made safe.

The rules of `detector.py` are what makes a match decidable while a stream arrives. A pattern on the shelf keeps them because
tests hold it to them, one from a configuration because it is read here. What is read is a subset of RE2's syntax: literals,
classes, groups, alternatives, and repetitions with an upper bound. Edges are found by Yett, so there are no anchors.

The result is the same pattern for UTF-8 bytes, in which nothing can reach over the end of a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_letters, digits

from msgspec import Struct

from yett.detectors.detector import WORD, WORD_CAP

MOST = 1000  # characters of a pattern
LEFT_MOST = 40  # bytes that are matched left of the span
LEAST = 3  # a pattern that is content with less matches everywhere
_DEPTH = 10
_REPEAT = re.compile(r"\{(\d{1,3})(?:(,)(\d{0,3}))?\}")
_HEX = re.compile(r"x([0-7][0-9A-Fa-f])")
_CLASSES = {"d": digits, "w": ascii_letters + digits + "_", "s": " \t\n\r\f\v"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_SPECIAL = frozenset("\\.+*?()[]{}|^$")
_ANYTHING: frozenset[str] | None = None


class Part(Struct, frozen=True):
    """A piece of a pattern as the engine takes it, how many bytes it matches, and which characters: None for any."""

    written: str = ""
    least: int = 0
    most: int = 0
    characters: frozenset[str] | None = frozenset()


class Pattern(Struct, frozen=True):
    """What is matched left of the span, and the span."""

    left: Part
    span: Part


class Unreadable(ValueError):
    """Why a pattern cannot be used."""


def read(pattern: str) -> Pattern:
    """Its only group is the span, and ends it; without a group, all of it is the span. Raises Unreadable."""
    if len(pattern) > MOST:
        raise Unreadable(f"is longer than {MOST} characters")
    reader = _Reader(pattern)
    span = reader.alternatives()
    if reader.at < len(pattern):
        raise reader.wrong('")" closes nothing')
    left = reader.left or Part()
    if span.least < LEAST:
        raise Unreadable(f"may match {span.least} characters; at least {LEAST} keep it from matching everywhere")
    if span.most >= WORD_CAP:
        raise Unreadable(f"may match {span.most} characters; at most {WORD_CAP - 1} can be held back in a stream")
    if span.characters is None or not span.characters <= frozenset(WORD):
        strange = "any character" if span.characters is None else repr(min(span.characters - frozenset(WORD)))
        raise Unreadable(
            f"may match {strange}, which no word consists of; what stands before the word goes left of a group, "
            r"as in project[ -](\w{3,20})"
        )
    if left.most > LEFT_MOST:
        raise Unreadable(f"may match {left.most} bytes left of its group; at most {LEFT_MOST}")
    return Pattern(left, span)


def literal(text: str) -> str:
    """A pattern for a text as it is."""
    return "".join(map(_byte, text.encode()))


class _Reader:
    """One walk over a pattern, by recursive descent."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.left: Part | None = None  # what stands before the group, once there was one

    def wrong(self, reason: str) -> Unreadable:
        return Unreadable(f"{reason} (at character {self.at + 1})")

    def took(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.at)
        self.at += len(text) * found
        return found

    def alternatives(self, depth: int = 0, *, folded: bool = False) -> Part:
        branches = [self.sequence(depth, folded=folded)]
        while self.took("|"):
            branches.append(self.sequence(depth, folded=folded))
        if len(branches) == 1:
            return branches[0]
        if self.left is not None and depth == 0:
            raise self.wrong("the group must end the pattern, not one of its alternatives; use (?:…) around those")
        return Part(
            f"(?:{'|'.join(branch.written for branch in branches)})",
            min(branch.least for branch in branches),
            max(branch.most for branch in branches),
            _united(branches),
        )

    def sequence(self, depth: int, *, folded: bool) -> Part:
        parts: list[Part] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self.pattern[self.at] == "(" and not self.pattern.startswith("(?", self.at):
                return self.group(_joined(parts), depth)
            parts.append(self.repeated(depth, folded=folded))
        return _joined(parts)

    def group(self, left: Part, depth: int) -> Part:
        """The group that is the span."""
        if depth:
            raise self.wrong("a group may stand only once and not inside another; write (?:…)")
        self.at += 1
        span = self.alternatives(1)
        if not self.took(")"):
            raise self.wrong('a ")" is missing')
        if self.at < len(self.pattern):
            raise self.wrong("the group must end the pattern: what is right of a word is not known yet in a stream")
        self.left = left
        return span

    def repeated(self, depth: int, *, folded: bool) -> Part:
        part = self.atom(depth, folded=folded)
        if self.took("?"):
            bounds, written = (0, 1), "?"
        elif found := _REPEAT.match(self.pattern, self.at):
            low, comma, high = found.groups()
            if comma and not high:
                raise self.wrong(f"has no upper bound; write {{{low},64}}")
            bounds, written = (int(low), int(high or low)), found.group()
            if bounds[0] > bounds[1]:
                raise self.wrong("has its bounds the wrong way round")
            self.at = found.end()
        elif self.pattern[self.at : self.at + 1] in {"*", "+"}:
            raise self.wrong(f'"{self.pattern[self.at]}" has no upper bound; write {{1,64}}')
        else:
            return part
        lazy = "?" if self.took("?") else ""
        return Part(
            f"(?:{part.written}){written}{lazy}", part.least * bounds[0], part.most * bounds[1], part.characters
        )

    def atom(self, depth: int, *, folded: bool) -> Part:
        if self.took("(?:"):
            return self.inner(depth, folded=folded)
        if self.took("(?i:"):
            part = self.inner(depth, folded=True)
            return Part(f"(?i:{part.written})", part.least, part.most, part.characters)
        if self.took("["):
            return self.bracket(folded=folded)
        if self.took("\\"):
            characters, negated = self.escape()
            return _one_of(characters, negated=negated, folded=folded)
        return self.plain(folded=folded)

    def plain(self, *, folded: bool) -> Part:
        """A character that stands for itself, or a dot."""
        character = self.pattern[self.at]
        if character == ".":
            self.at += 1
            return _one_of(frozenset("\n"), negated=True, folded=False)
        if character in "^$":
            raise self.wrong(f'"{character}" is not needed: words are matched whole')
        if character in _SPECIAL:
            raise self.wrong(f'"{character}" cannot stand here; for the character itself write "\\{character}"')
        self.at += 1
        if character.isascii():
            return _one_of(frozenset(character), negated=False, folded=folded)
        size = len(character.encode("utf-8", "replace"))
        return Part(f"(?:{literal(character)})", size, size, _ANYTHING)

    def inner(self, depth: int, *, folded: bool) -> Part:
        if depth >= _DEPTH:
            raise self.wrong("is nested too deeply")
        part = self.alternatives(depth + 1, folded=folded)
        if not self.took(")"):
            raise self.wrong('a ")" is missing')
        return Part(f"(?:{part.written})", part.least, part.most, part.characters)

    def escape(self) -> tuple[frozenset[str], bool]:
        """The characters that an escape means, or (True) those that it does not mean."""
        character = self.pattern[self.at : self.at + 1]
        if found := _HEX.match(self.pattern, self.at):
            self.at = found.end()
            return frozenset(chr(int(found[1], 16))), False
        self.at += 1
        if character.lower() in _CLASSES:
            return frozenset(_CLASSES[character.lower()]), character.isupper()
        if character in _CONTROLS:
            return frozenset(_CONTROLS[character]), False
        if character and character.isascii() and not character.isalnum():
            return frozenset(character), False
        self.at -= 1
        if character and character in "bBAzZ":
            raise self.wrong(f'"\\{character}" is not needed: words are matched whole')
        raise self.wrong(f'"\\{character}" is not known')

    def bracket(self, *, folded: bool) -> Part:
        """What is between square brackets, the first of which has been taken."""
        negated = self.took("^")
        characters: set[str] = set()
        while not self.took("]"):
            first = self.member()
            if len(first) == 1 and self.pattern.startswith("-", self.at) and self.pattern[self.at + 1 :][:1] != "]":
                self.at += 1
                last = self.member()
                if len(last) != 1 or min(last) < min(first):
                    raise self.wrong("is no range of characters")
                first = frozenset(map(chr, range(ord(min(first)), ord(min(last)) + 1)))
            characters |= first
        return _one_of(frozenset(characters), negated=negated, folded=folded)

    def member(self) -> frozenset[str]:
        if self.took("\\"):
            characters, negated = self.escape()
            if negated:
                raise self.wrong("what is not meant cannot stand between brackets")
            return characters
        character = self.pattern[self.at : self.at + 1]
        if not character or character == "[":
            raise self.wrong('a "]" is missing' if not character else 'for "[" between brackets write "\\["')
        if not character.isascii():
            raise self.wrong("only ASCII can stand between brackets; write (?:…|…)")
        self.at += 1
        return frozenset(character)


def _joined(parts: list[Part]) -> Part:
    return Part(
        "".join(part.written for part in parts),
        sum(part.least for part in parts),
        sum(part.most for part in parts),
        _united(parts),
    )


def _united(parts: Iterable[Part]) -> frozenset[str] | None:
    together: set[str] = set()
    for part in parts:
        if part.characters is None:
            return None
        together |= part.characters
    return frozenset(together)


def _one_of(characters: frozenset[str], *, negated: bool, folded: bool) -> Part:
    """A class for the engine. NUL ends a text, so none may match it."""
    listed = "".join(map(_byte, sorted(map(ord, characters | {"\0"} if negated else characters - {"\0"}))))
    if not listed:
        raise Unreadable("matches a NUL, which no text contains")
    if negated:
        return Part(f"[^{listed}]", 1, 1, _ANYTHING)
    either = characters | {c.swapcase() for c in characters} if folded else characters
    return Part(listed if len(characters) == 1 else f"[{listed}]", 1, 1, frozenset(either))


def _byte(byte: int) -> str:
    return chr(byte) if 48 <= byte < 58 or 65 <= byte < 91 or 97 <= byte < 123 else f"\\x{byte:02x}"
