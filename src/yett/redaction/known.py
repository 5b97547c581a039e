"""Known: what was issued for one call, and where it stands in a text, whole or still arriving.

A token is found by its eight characters, and counts when its TYPE stands before them; so nothing depends on what surrounds it:
`EMAIL_7Q2MKD3F's` and `xEMAIL_7Q2MKD3F` are both understood. Case may have changed, and Markdown may have put a backslash before the
underscore. A surrogate looks like any other value, so it has to stand by itself, without a letter or digit at its sides.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from yett.model.substitute import Substitute
from yett.redaction.mint import ALPHABET, DIGITS, ID_LENGTH, LONGEST_TYPE

LITERAL = "literal.text"  # the kind of what a caller wrote and that only looks like a token
_ANY = ALPHABET + ALPHABET.lower()
_TOKEN = re.compile(rf"\\{{0,2}}_([{_ANY}]{{{ID_LENGTH - 1}}}[{DIGITS}])")
_TOKEN_BYTES = re.compile(rf"_[{_ANY}]{{{ID_LENGTH - 1}}}[{DIGITS}]".encode())
_RUN = re.compile(r"[^\W_]+")
_MOST_BACKSLASHES = 2  # one that Markdown wants, escaped once more in JSON
_FEW = 48  # strings that are looked for one by one
_MOST_SHAPES = 16  # ways in which values with the same first word are looked for
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")  # length and other letters stay
_LONGEST_TAIL = LONGEST_TYPE + _MOST_BACKSLASHES + 1 + ID_LENGTH


class Match(NamedTuple):
    start: int
    end: int
    entry: Substitute


class Literals:
    """Finds given strings where they stand by themselves. Linear in the text however many strings there are."""

    __slots__ = ("_fold", "_heads", "_longest", "_texts")

    def __init__(self, fold: bool = False) -> None:
        self._fold = fold  # without regard to case
        self._texts: dict[str, str] = {}  # as compared -> as given
        self._heads: dict[
            str, list[tuple[int, int]]
        ] = {}  # first word -> where it stands in the string, and its length
        self._longest = 0  # first word

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, text: str) -> bool:
        return self._compared(text) in self._texts

    def add(self, text: str) -> None:
        compared = self._compared(text)
        run = _RUN.search(compared)
        if run is None or compared in self._texts:
            return
        shapes = self._heads.setdefault(run[0], [])
        shape = (run.start(), len(text))
        if shape not in shapes:
            if len(shapes) == _MOST_SHAPES:
                return
            shapes.append(shape)
            shapes.sort(reverse=True)  # what begins first, and of those the longest
        self._texts[compared] = text
        self._longest = max(self._longest, len(run[0]))

    def find(self, text: str, start: int = 0, *, final: bool = True) -> Iterator[tuple[int, int, str]]:
        """Start, end, and the string as it was given, from `start` on. Unless the text is `final`, what touches its end may
        go on, and does not count yet."""
        done = start
        candidates = self._few(text, start) if len(self._texts) <= _FEW else self._many(text, start)
        for begin, end in candidates:
            if begin >= done and _alone(text, begin, end, final):
                given = self._texts.get(self._compared(text[begin:end]))
                if given is not None:
                    yield begin, end, given
                    done = end

    def occur(self, text: str) -> bool:
        """Whether any of the strings is in `text`, by itself or not."""
        if len(self._texts) <= _FEW:
            whole = self._compared(text)
            return any(wanted in whole for wanted in self._texts)
        return any(self._compared(text[begin:end]) in self._texts for begin, end in self._many(text, 0))

    def _few(self, text: str, start: int) -> list[tuple[int, int]]:
        """Where the strings stand, each looked for by itself."""
        whole = self._compared(text)
        if len(whole) != len(text):  # a letter that has no lower case of its own
            return list(self._many(text, start))
        found = []
        for wanted in self._texts:
            word = _RUN.match(wanted)
            step = word.end() if word else 1  # no other one can begin within its first word and stand by itself
            at = whole.find(wanted, start)
            while at >= 0:
                found.append((at, at + len(wanted)))
                at = whole.find(wanted, at + step)
        return sorted(found, key=lambda span: (span[0], -span[1]))

    def _many(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        """Where one of the strings may stand, by the words of the text."""
        for run in _RUN.finditer(text, start):
            if run.end() - run.start() <= self._longest:
                for offset, length in self._heads.get(self._compared(run[0]), ()):
                    yield run.start() - offset, run.start() - offset + length

    def _compared(self, text: str) -> str:
        return text.lower() if self._fold else text


def _alone(text: str, begin: int, end: int, final: bool) -> bool:
    if begin and text[begin - 1].isalnum():
        return False
    return not text[end].isalnum() if end < len(text) else final and end == len(text)


class Known:
    """Everything that stands for something in one call."""

    __slots__ = ("_by_id", "_entries", "_literals", "_longest", "_sorted", "_starts", "_types")

    def __init__(self, entries: Iterable[Substitute] = ()) -> None:
        self._entries: dict[str, Substitute] = {}  # by `shown`, in lower case
        self._by_id: dict[str, Substitute] = {}  # tokens by their eight characters
        self._literals = Literals(fold=True)
        self._types: set[str] = set()
        self._starts: set[str] = set()  # every beginning of a TYPE, whole ones too
        self._sorted: list[str] | None = None
        self._longest = 0  # literal
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Substitute]:
        return iter(self._entries.values())

    def get(self, shown: str) -> Substitute | None:
        """The entry that is shown as this, in any case."""
        return self._entries.get(shown.lower())

    def add(self, entry: Substitute) -> bool:
        """False when something else is shown like this already."""
        type, _, id = entry.shown.rpartition("_")
        if entry.shown.lower() in self._entries or (is_token(entry.shown) and id in self._by_id):
            return False
        if is_token(entry.shown):
            self._by_id[id] = entry
            self._types.add(type)
            self._starts.update(type[:length] for length in range(1, len(type) + 1))
        else:
            self._literals.add(entry.shown)
            if entry.shown not in self._literals:
                return False
            self._longest = max(self._longest, len(entry.shown))
        self._entries[entry.shown.lower()] = entry
        self._sorted = None
        return True

    def only(self, wanted: Callable[[Substitute], bool]) -> Known:
        """Those that are wanted; itself when all of them are."""
        chosen = [entry for entry in self if wanted(entry)]
        return self if len(chosen) == len(self) else Known(chosen)

    def occur(self, text: str) -> bool:
        """Whether `find` may find something in some part of `text`: told at a fraction of its cost."""
        if self._by_id and any(match[1].upper() in self._by_id for match in _TOKEN.finditer(text)):
            return True
        return len(self._literals) > 0 and self._literals.occur(text)

    def find(self, text: str, start: int = 0, *, final: bool = True) -> list[Match]:
        """Every place from `start` on where something known stands, in order; they do not overlap."""
        found = [
            Match(a, b, self._entries[given.lower()]) for a, b, given in self._literals.find(text, start, final=final)
        ]
        found += self._tokens(text, start)
        if not self._literals:
            return found
        found.sort(key=lambda match: match.start)
        kept: list[Match] = []
        for match in found:
            if not kept or match.start >= kept[-1].end:
                kept.append(match)
        return kept

    def _tokens(self, text: str, done: int) -> Iterator[Match]:
        for match in _TOKEN.finditer(text, done) if self._by_id and "_" in text else ():
            entry = self._by_id.get(match[1].upper())
            if entry is not None:
                length = len(entry.shown) - 1 - ID_LENGTH
                begin = match.start() - length
                if begin >= done and text[begin : match.start()].translate(_UPPER) == entry.shown[:length]:
                    yield Match(begin, match.end(), entry)
                    done = match.end()

    def pending(self, text: str, start: int) -> int:
        """Where the end of `text` begins that may still become something known; its length when there is none. What stands
        before `start` is settled."""
        place = self._pending_token(text, max(start, len(text) - _LONGEST_TAIL))
        return min(place, self._pending_literal(text, start)) if self._literals else place

    def _pending_token(self, text: str, start: int) -> int:
        tail = text[start:]
        head, bar, id = tail.rpartition("_")
        if bar:
            core = _unescaped(head).translate(_UPPER)
            places = [
                start + len(core) - len(type)
                for type in self._types
                if core.endswith(type) and self._begins(f"{type}_{id}")
            ]
            if places:
                return min(places)
            start += len(head) + 1
        core = _unescaped(text[start:]).translate(_UPPER)
        if len(core) < len(text) - start:  # a backslash, for which there must be a whole TYPE
            return min(
                [start + len(core) - len(type) for type in self._types if core.endswith(type)], default=len(text)
            )
        for place in range(max(0, len(core) - LONGEST_TYPE), len(core)):
            if core[place:] in self._starts:
                return start + place
        return len(text)

    def _pending_literal(self, text: str, start: int) -> int:
        for place in range(max(start, len(text) - self._longest), len(text)):
            if (not place or not text[place - 1].isalnum()) and self._begins(text[place:], whole=True):
                return place
        return len(text)

    def _begins(self, text: str, *, whole: bool = False) -> bool:
        """Whether something known begins with this, or, if that counts, is this."""
        if self._sorted is None:
            self._sorted = sorted(self._entries)
        wanted = text.lower()
        place = bisect_left(self._sorted, wanted)
        found = place < len(self._sorted) and self._sorted[place].startswith(wanted)
        return found and (whole or self._sorted[place] != wanted)


def is_token(shown: str) -> bool:
    """Whether this has the shape of a token, as it is issued."""
    found = _TOKEN.search(shown)
    return found is not None and found.end() == len(shown) and shown[: found.start()].isalpha() and shown.isupper()


def has_tokens(body: bytes) -> bool:
    """Whether a body may hold tokens, as they are issued or with another case."""
    return _TOKEN_BYTES.search(body) is not None


def token_shapes(text: str) -> Iterator[str]:
    """Everything in `text` that could be a token of some call, as it would have been issued."""
    for match in _TOKEN.finditer(text):
        start = max(0, match.start() - LONGEST_TYPE)
        name = re.search(r"[A-Za-z]*\Z", text[start : match.start()])
        if name is not None and name[0]:
            yield f"{name[0]}_{match[1]}".upper()


def _unescaped(text: str) -> str:
    """Without the backslashes at its end, as many as there may be before an underscore."""
    for _ in range(_MOST_BACKSLASHES):
        text = text.removesuffix("\\")
    return text
