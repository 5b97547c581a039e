"""Which languages a text contains."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.code.language import Block, blocks, guess, languages

PYTHON = "import os\nfrom x import y\n\ndef f(a):\n    return a\n"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (PYTHON, "python"),
        ("const a = 1;\nfunction f() {\n});\n", "javascript"),
        ("package main\nimport (\nfunc main() {\n x := 1\n}", "go"),
        ("use std::io;\nfn main() {\n let mut x = 1;\n}", "rust"),
        ("#include <stdio.h>\nint main() {\nusing namespace std;\n}", "cpp"),
        ("SELECT a FROM t;", "sql"),
        ("$ ls\nsudo make\nexport A=1", "shell"),
        ("<html>\n<body>\n<p>hi</p>", "html"),
        ('{\n"a": 1,\n"b": 2,\n"c": 3\n}', "json"),
        ("Dear all,\nthe meeting is on Tuesday.\nPlease bring the plan.\nYours", ""),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_the_words_of_a_language(text: str, language: str) -> None:
    assert guess(text) == language


def test_fenced_blocks_say_what_they_are() -> None:
    text = f"Look:\n\n```py\nx = 1\n```\nand\n~~~\n{PYTHON}~~~\n```sh\nls"
    found = blocks(text)
    assert [(block.language, text[block.start : block.end]) for block in found] == [
        ("python", "x = 1\n"),
        ("python", PYTHON),
        ("shell", "ls"),
    ]
    assert languages(text) == ("python", "shell")


def test_a_fence_is_closed_by_one_as_long_and_without_a_label() -> None:
    text = "````md\n```py\n```\n````\n"
    assert blocks(text) == (Block("markdown", 7, text.rindex("````")),)
    assert blocks("```")[0] == Block("", 3, 3)


def test_text_without_blocks_is_looked_at_as_a_whole() -> None:
    assert languages(PYTHON) == ("python",)
    assert languages("just words") == ()


@given(st.lists(st.sampled_from(["```", "~~~", "py", "\n", " ", "x = 1", "````", "#"]), max_size=30).map("".join))
def test_blocks_lie_in_the_text_and_apart(text: str) -> None:
    end = 0
    for block in blocks(text):
        assert end <= block.start <= block.end <= len(text)
        end = block.end
