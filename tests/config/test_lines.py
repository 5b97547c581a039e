"""Positions of keys: documents are written at random in every style of TOML, and each path must be found on its own line."""

from __future__ import annotations

import random
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.config.lines import KeyPath, line_of, locate

SCALARS = [
    "1",
    "-3.5e7",
    "true",
    "1979-05-27 07:32:00",
    "0xdead_beef",
    '"plain"',
    '"a \\" ] } # , b\\\\"',
    "'lit # \" ]'",
    "''",
    '""',
    '"""three\nlines # of [text]\nwith \\""" inside"""',
    "'''two\nlines'''",
    '""""quoted""""',
    "''''quoted''''",
    '"""cont \\\n   inued"""',
    "inf",
]
KEYS = ["a", "b-c", "d_1", "42", '"q.k"', "'lit'", '"esc\\u0041"', '"[x]"', '"="', '"it\'s"']


class Writer:
    """Writes a random document and notes where it put everything."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.text = ""
        self.expected: dict[KeyPath, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def noise(self) -> None:
        self.text += self.random.choice(["", "", "", "\n", "  \t", "# a comment [x] = {y}\n", "\n\n"])

    def key(self, used: set[str]) -> str | None:
        free = [key for key in KEYS if key not in used]
        if not free:
            return None
        key = self.random.choice(free)
        used.add(key)
        return key

    def name(self, key: str) -> str:
        return next(iter(tomllib.loads(f"{key} = 1")))

    def document(self) -> str:
        root: set[str] = set()
        self.pairs((), root, 3)
        for _ in range(self.random.randint(0, 4)):
            key = self.key(root)
            if key is None:
                break
            self.table((self.name(key),), key, 2)
        return self.text

    def table(self, path: KeyPath, header: str, depth: int) -> None:
        if self.random.random() < 0.4:
            for index in range(self.random.randint(1, 3)):
                self.noise()
                self.text += "\n"
                self.expected.setdefault(path, self.line)
                self.expected[(*path, index)] = self.line
                self.text += f"[[ {header} ]] # c\n"
                self.body((*path, index), header, depth)
            return
        self.text += "\n"
        self.expected.setdefault(path, self.line)
        self.text += f"[{header}]\n"
        self.body(path, header, depth)

    def body(self, path: KeyPath, header: str, depth: int) -> None:
        used: set[str] = set()
        self.pairs(path, used, 2)
        for _ in range(self.random.randint(0, 2) if depth else 0):
            key = self.key(used)
            if key is not None:
                self.table((*path, self.name(key)), f"{header} . {key}", depth - 1)

    def pairs(self, path: KeyPath, used: set[str], most: int) -> None:
        for _ in range(self.random.randint(0, most)):
            key = self.key(used)
            if key is None:
                return
            self.noise()
            if self.text and not self.text.endswith("\n"):
                self.text += "\n"
            self.pair(path, key, depth=3)
            self.text += self.random.choice(["", "  # tail"]) + "\n"

    def pair(self, path: KeyPath, key: str, depth: int) -> None:
        path = (*path, self.name(key))
        self.expected.setdefault(path, self.line)
        self.text += key
        while self.random.random() < 0.2:
            dotted = self.random.choice(KEYS)
            path = (*path, self.name(dotted))
            self.expected.setdefault(path, self.line)
            self.text += self.random.choice([".", " . "]) + dotted
        self.text += self.random.choice(["=", " = "])
        self.value(path, depth)

    def value(self, path: KeyPath, depth: int) -> None:
        shape = self.random.random()
        if depth and shape < 0.25:
            self.text += "["
            for index in range(self.random.randint(0, 3)):
                self.text += self.random.choice(["", "\n", " \n  # note ]\n"])
                self.expected[(*path, index)] = self.line
                self.value((*path, index), depth - 1)
                self.text += self.random.choice([",", " ,", "\n,"])
            self.text += "]"
        elif depth and shape < 0.5:
            self.text += "{"
            used: set[str] = set()
            for position in range(self.random.randint(0, 3)):
                self.text += ", " if position else " "
                self.pair(path, self.key(used) or "zz", depth - 1)
            self.text += " }"
        else:
            self.text += self.random.choice(SCALARS)


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= paths(item, (*path, index))
    return found


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_every_path_is_found_on_its_line(seed: int, crlf: bool) -> None:
    writer = Writer(seed)
    text = writer.document()
    written = text.replace("\n", "\r\n") if crlf else text
    found = locate(written)
    assert set(found) == paths(tomllib.loads(written))
    assert found == writer.expected


def test_the_shapes_of_a_real_file() -> None:
    text = """\
# comment
mode = "observe"
gateway.port = 1

[models.fast]
targets = [
  { provider = "a", model = "x" },
  # in between
  { provider = "b", model = '''
y''' }, { provider = "c" },
]
[models."very.fast"]
[[rules]]
name = "one"
[rules.match]
path = "/"
[[rules]]
name = "two"
[[rules.sub]]
[[rules.sub]]
x = [[1,
2], 3]
"""
    lines = locate(text)
    assert lines["mode",] == 2
    assert lines["gateway", "port"] == 3
    assert lines["models", "fast", "targets", 1, "model"] == 9
    assert lines["models", "fast", "targets", 2, "provider"] == 10
    assert lines["models", "very.fast"] == 12
    assert lines["rules", 0, "match", "path"] == 16
    assert lines["rules", 1, "name"] == 18
    assert lines["rules", 1, "sub", 1, "x", 0, 1] == 22


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "a=1", "[a]", "a = [\n1, # one\n]\n#end"])
def test_small_documents(text: str) -> None:
    assert set(locate(text)) == paths(tomllib.loads(text))


def test_a_missing_path_falls_back_to_its_parent() -> None:
    lines = locate("\n[models.fast]\nweight = 1\n")
    assert line_of(lines, ("models", "fast", "targets", 3)) == 2
    assert line_of(lines, ("models", "fast", "weight")) == 3
    assert line_of(lines, ("gateway", "port")) == 0
    assert line_of(lines, ()) == 0
