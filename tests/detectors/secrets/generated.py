"""Tokens made from the patterns that look for them, so that nothing that could pass for a credential is written down here."""

from __future__ import annotations

import random
import re
from typing import Any

from yett.detectors.detector import Detector

_CLASSES = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": "abcXYZ019_"}


def drawn(pattern: str, seed: int | None) -> tuple[str, str]:
    """Text that `pattern` matches and the part of it that is its group, drawn with `seed`; without one, filled with the letter
    x, or what comes nearest to it in the alphabet."""
    dice = random.Random(seed)
    span: list[str] = []

    def item(operator: Any, argument: Any) -> str:
        match str(operator):
            case "LITERAL":
                return chr(argument)
            case "NOT_LITERAL":
                return " "
            case "IN":
                return one_of(argument)
            case "BRANCH":
                return sequence(dice.choice(argument[1]))
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, body = argument
                times = (
                    least
                    if least > 12
                    else min(int(most), max(least, 5) if seed is None else dice.randint(least, least + 4))
                )
                return "".join(sequence(body) for _ in range(times))
            case "SUBPATTERN":
                text = sequence(argument[3])
                if argument[0] is not None:
                    span.append(text)
                return text
            case other:
                raise AssertionError(other)

    def one_of(options: Any) -> str:
        if str(options[0][0]) == "NEGATE":
            return " "
        characters = ""
        for operator, argument in options:
            match str(operator):
                case "LITERAL":
                    characters += chr(argument)
                case "RANGE":
                    characters += "".join(map(chr, range(argument[0], argument[1] + 1)))
                case "CATEGORY":
                    characters += _CLASSES[str(argument)]
        if seed is None:
            return next((c for c in "xX0a" if c in characters), characters[0])
        return dice.choice(characters)

    def sequence(items: Any) -> str:
        return "".join(item(operator, argument) for operator, argument in items)

    text = sequence(re._parser.parse(pattern))  # type: ignore[attr-defined]
    return text, span[0]


def example(detector: Detector) -> tuple[str, str]:
    """The first draw that the detector accepts."""
    for seed in range(200):
        text, span = drawn(detector.pattern, seed)
        if detector.accept is None or detector.accept(span):
            return text, span
    raise AssertionError(f"{detector.id}: nothing that its pattern matches is accepted")
