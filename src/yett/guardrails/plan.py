"""Plan: long texts in parts that a service takes, and what was said about the parts put together again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from yett.guardrails.kind import Piece, Signal, Verdict

OVERLAP = 200  # characters that two parts of a long text have in common, so that nothing is cut in two for both


class Part(Struct, frozen=True):
    """Characters of text number `text`, from `begins` on."""

    text: int
    begins: int
    piece: Piece


class Answer(Struct, frozen=True):
    """What became of one request about some pieces. `failure` is why there is no verdict, or not a whole one; "" when it is."""

    pieces: tuple[Piece, ...]
    verdict: Verdict | None = None
    failure: str = ""


class Heard(Struct, frozen=True):
    """Everything that was said about one text; offsets are the text's. `whole`: nothing is missing."""

    signals: tuple[Signal, ...]
    whole: bool


def planned(texts: Mapping[int, tuple[str, str]], longest: int) -> tuple[Part, ...]:
    """The parts of texts, each given as text and role under its number. A piece's position is its part's."""
    found: list[Part] = []
    for number, (text, role) in texts.items():
        for begins, piece in _cut(text, longest):
            found.append(Part(number, begins, Piece(piece, role, len(found))))
    return tuple(found)


def heard(parts: Sequence[Part], answers: Sequence[Answer]) -> dict[int, Heard]:
    """By number of the text. A part that several requests are about has been judged when all of them have been answered."""
    said: dict[int, list[Signal]] = {}
    judged = {piece.position for answer in answers for piece in answer.pieces}
    for answer in answers:
        if answer.failure:
            judged.difference_update(piece.position for piece in answer.pieces)
        for signal in answer.verdict.signals if answer.verdict is not None else ():
            position = answer.pieces[signal.piece].position
            said.setdefault(position, []).append(_placed(signal, parts[position]))
    signals: dict[int, list[Signal]] = {}
    missing: set[int] = set()
    for position, part in enumerate(parts):
        signals.setdefault(part.text, []).extend(said.get(position, ()))
        if position not in judged:
            missing.add(part.text)
    return {number: Heard(_distinct(theirs), number not in missing) for number, theirs in signals.items()}


def _cut(text: str, longest: int) -> Iterator[tuple[int, str]]:
    step = max(1, longest - min(OVERLAP, longest // 4))
    start = 0
    while True:
        yield start, text[start : start + longest]
        if start + longest >= len(text):
            return
        start += step


def _placed(signal: Signal, part: Part) -> Signal:
    start, end = (signal.start, signal.end) if signal.end else (0, len(part.piece.text))
    return replace(signal, piece=0, start=part.begins + start, end=part.begins + end)


def _distinct(signals: Sequence[Signal]) -> tuple[Signal, ...]:
    """Each finding once, though two parts may share it. Of what is no finding, only the strongest of each kind: it counts
    for the scores."""
    flagged: dict[tuple[str, str, int, int], Signal] = {}
    strongest: dict[str, Signal] = {}
    for signal in signals:
        if signal.flagged:
            flagged.setdefault((signal.kind, signal.label, signal.start, signal.end), signal)
        elif signal.score > (strongest[signal.kind].score if signal.kind in strongest else 0.0):
            strongest[signal.kind] = signal
    return (*flagged.values(), *strongest.values())
