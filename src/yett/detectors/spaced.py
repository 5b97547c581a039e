"""Spaced: JSON with its escapes for white space looked at as white space, each as long as it is written.

In `"Dear all,\\n4111 1111 1111 1111"`, as the text of a tool's argument reads before it is parsed, an `n` stands before the digits.
Places stay what they are, so that whatever is found can be replaced where it stands.
"""

from __future__ import annotations

import re

from yett.model.segment import Segment

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)  # one after the other: `\\n` is a backslash and an n
_SPACES = {"n": " \n", "r": " \r", "t": " \t", "f": "  ", "b": "  "}


def looked_at(segment: Segment) -> str:
    """The text of a segment as patterns are to see it: spaced where it is JSON."""
    text = segment.text
    if "\\" in text and (segment.role == "arguments" or text.lstrip()[:1] in ("{", "[")):
        return spaced(text)
    return text


def spaced(text: str) -> str:
    """A piece of JSON that ends in no escape."""
    return _ESCAPE.sub(_space, text) if "\\" in text else text


def _space(escape: re.Match[str]) -> str:
    return _SPACES.get(escape[1], escape[0])
