"""What inspection costs: the time that texts of several sorts take, each the best of several runs."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import yett
from yett.cli.inspection import Look
from yett.detectors.engine import Scanner
from yett.detectors.window import Window

SIZE = 20_000  # characters
_RUNS = 5
_CHUNK = 40
_WORDS = """
the of to and a in is it you that he was for on are with as his they be at one have this from or had by hot word but what
some we can out other were all there when up use your how said an each she which do their time if will way about many then
them write would like so these her long make thing see him two has look more day could go come did number sound no most
people my over know water than call first who may down side been now find any new work part take get place made live where
after back little only round man year came show every good me give our under name very through just form sentence great
""".split()


class Row(TypedDict):
    """Microseconds: `clean` is the automaton alone, `patterns` with confirmation, `all` with decoding, rules, model, and `names`."""

    text: str
    clean_us: float
    patterns_us: float
    all_us_per_kb: float
    names_us_per_kb: float
    chunk_us: float


def measure(patterns: Scanner, look: Look, rounds: int = 1) -> list[Row]:
    """A row for each sort of text: the least of so many rounds, between which the machine may have something else to do."""
    found = [[_row(name, text, patterns, look) for name, text in texts().items()] for _ in range(rounds)]
    return [_least(rows) for rows in zip(*found, strict=True)]


def _least(rows: Sequence[Row]) -> Row:
    first, *others = rows
    for row in others:
        for name in ("clean_us", "patterns_us", "all_us_per_kb", "names_us_per_kb", "chunk_us"):
            first[name] = min(first[name], row[name])
    return first


def texts() -> dict[str, str]:
    """Texts of SIZE characters, the same on every machine."""
    noise = hashlib.shake_256(b"yett").digest(SIZE)  # noise that is the same everywhere
    words = " ".join(_WORDS[byte % len(_WORDS)] + (".\n" if byte == 0 else "") for byte in noise)
    code = (Path(yett.__file__).parent / "pipeline.py").read_text(encoding="utf-8")
    rows = [
        {"id": at, "name": _WORDS[byte % 90], "ratio": byte / 256, "ok": byte > 99} for at, byte in enumerate(noise)
    ]
    digits = "".join(str(byte % 10) + " ,-\n"[byte % 4] * (byte % 7 == 0) for byte in noise)
    cut = {
        "prose": words,
        "code": code * (SIZE // len(code) + 1),
        "JSON": json.dumps(rows),
        "base64": b64encode(noise).decode(),
        "digits": digits,
    }
    return {name: text[:SIZE] for name, text in cut.items()}


def _row(name: str, text: str, patterns: Scanner, look: Look) -> Row:
    data = text.encode()
    return {
        "text": name,
        "clean_us": best(lambda: patterns.clean(data)),
        "patterns_us": best(lambda: patterns.scan_text(text)),
        "all_us_per_kb": best(lambda: look.at(text)) / (len(data) / 1000),
        "names_us_per_kb": best(lambda: look.names(text)) / (len(data) / 1000),
        "chunk_us": best(lambda: _stream(patterns, text)) / (len(text) / _CHUNK),
    }


def best(work: Callable[[], object]) -> float:
    """Microseconds of the fastest of several runs."""
    took = []
    for _ in range(_RUNS):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return min(took) * 1e6


def _stream(patterns: Scanner, text: str) -> None:
    window = Window(patterns)
    for at in range(0, len(text), _CHUNK):
        window.feed(text[at : at + _CHUNK])
    window.finish()
