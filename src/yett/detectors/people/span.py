"""Span: where a name or an address stands in a text, and how sure that is."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """`score` is from 0.0 to 1.0."""

    start: int
    end: int
    score: float
