"""Where each key of a TOML document stands: the standard library's reader keeps no positions, so this one finds them.

The text must already have been accepted by `tomllib`: this scanner follows the grammar of TOML 1.0 but does not judge it.
A key and the beginning of its value always stand on the same line (TOML 1.0, "Key/Value Pair"), so one line is enough.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]

_BARE = frozenset(string.ascii_letters + string.digits + "_-")
_SCALAR = re.compile(r"[^,\]}#\n]+")


def locate(text: str) -> dict[KeyPath, int]:
    """The 1-based line of every table, key and array element of `text`, by path: ("models", "fast", "targets", 0)."""
    return _Scanner(text).document()


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """The line of `path`, or of its nearest parent that is written down; 0 when there is none."""
    for length in range(len(path), 0, -1):
        if (line := lines.get(path[:length])) is not None:
            return line
    return 0


class _Scanner:
    def __init__(self, text: str) -> None:
        # tomllib does the same, so that offsets and lines mean the same to both
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self.elements: dict[KeyPath, int] = {}  # how many tables each array of tables has so far

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self.skip_blank()
            if self.at >= len(self.text):
                return self.lines
            table = self.header() if self.text[self.at] == "[" else self.pair(table)

    def header(self) -> KeyPath:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self.keys("]")
        self.at += 2 if array else 1
        path: KeyPath = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            self.lines.setdefault(path, self.line)
            if array and position == len(keys) - 1:
                index = self.elements.get(path, 0)
                self.elements[path] = index + 1
                path = (*path, index)
                self.lines.setdefault(path, self.line)
                self.elements = {other: n for other, n in self.elements.items() if other[: len(path)] != path}
            elif path in self.elements:  # [fruit.variety] under [[fruit]] belongs to the newest fruit
                path = (*path, self.elements[path] - 1)
        return path

    def pair(self, table: KeyPath) -> KeyPath:
        path = table
        for key in self.keys("="):
            path = (*path, key)
            self.lines.setdefault(path, self.line)
        self.at += 1
        self.skip_spaces()
        self.value(path)
        return table

    def keys(self, end: str) -> list[str]:
        """The parts of a dotted key, up to `end`."""
        keys: list[str] = []
        while self.text[self.at] != end:
            if self.text[self.at] in " \t.":
                self.at += 1
            elif self.text[self.at] in "\"'":
                start = self.at
                self.skip_string()
                keys.append(_unquoted(self.text[start : self.at]))
            else:
                start = self.at
                while self.text[self.at] in _BARE:
                    self.at += 1
                keys.append(self.text[start : self.at])
        return keys

    def value(self, path: KeyPath) -> None:
        match self.text[self.at]:
            case '"' | "'":
                self.skip_string()
            case "[":
                self.array(path)
            case "{":
                self.inline_table(path)
            case _:
                scalar = _SCALAR.match(self.text, self.at)
                self.at = scalar.end() if scalar else self.at + 1

    def array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while True:
            self.skip_blank()
            if self.text[self.at] == "]":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            element = (*path, index)
            self.lines[element] = self.line
            self.value(element)
            index += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self.skip_spaces()
            if self.text[self.at] == "}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.pair(path)

    def skip_string(self) -> None:
        """Past a string of any of the four kinds, counting the lines inside it."""
        quote = self.text[self.at]
        start = self.at
        if self.text.startswith(quote * 3, self.at):
            self.at += 3
            while not self.text.startswith(quote * 3, self.at):
                self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
            while self.text.startswith(quote * 4, self.at):  # up to two quotes may stand before the closing three
                self.at += 1
            self.at += 3
            self.line += self.text.count("\n", start, self.at)
            return
        self.at += 1
        while self.text[self.at] != quote:
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += 1

    def skip_spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def skip_blank(self) -> None:
        """Past white space, line ends and comments."""
        while self.at < len(self.text) and (character := self.text[self.at]) in " \t\n#":
            if character == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                self.line += character == "\n"
                self.at += 1


def _unquoted(quoted: str) -> str:
    value = tomllib.loads(f"key = {quoted}")["key"]
    return str(value)
