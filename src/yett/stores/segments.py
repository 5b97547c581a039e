"""A writer's records on disk: JSON Lines segments named by their first sequence number, each line in a chained envelope.

`{"w":writer,"n":sequence number,"prev":leaf hash of the line before,` and then the record's own fields. What is hashed are
the stored bytes without the line feed, never a re-encoding of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

ENVELOPE = re.compile(
    rb'\{"w":"(w-[0-9a-f-]+)","n":(0|[1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})","kind":"([a-z]+)","call":("(?:[^"\\]|\\.)*")'
)
BLOCK, BACKWARDS = 1 << 20, 1 << 16
NAME = re.compile(r"([0-9]{12,})\.jsonl")


def genesis(writer: str) -> str:
    """The `prev` of a log's first line, hex: it binds the chain to its writer."""
    return sha256(b"yett audit v1\n" + writer.encode()).hexdigest()


def segment_name(first: int) -> str:
    return f"{first:012d}.jsonl"


def segments(folder: Path) -> list[tuple[int, Path]]:
    """The writer's segments with their first sequence numbers, oldest first."""
    found = ((NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match is not None)


def whole_lines(path: Path, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Each complete line from `offset` on with the offset it starts at, without its line feed. A line that is still being
    written is left out."""
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield offset, line[:-1]
            offset += len(line)


def lines_backwards(path: Path) -> Iterator[bytes]:
    """The complete lines, last first, without their line feeds."""
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        held = b""  # the beginning of what was read last: the end of a line that starts further left
        first = True
        while at:
            step = min(BACKWARDS, at)
            at -= step
            file.seek(at)
            lines = (file.read(step) + held).split(b"\n")
            held = lines[0]
            if first:  # what follows the last line feed is not a complete line
                lines.pop()
                first = not lines
            yield from reversed(lines[1:])
        if not first:
            yield held


def whole_size(path: Path) -> int:
    """How many bytes of the file are complete lines."""
    with path.open("rb") as file:
        at = file.seek(0, os.SEEK_END)
        while at:
            step = min(BACKWARDS, at)
            at -= step
            file.seek(at)
            found = file.read(step).rfind(b"\n")
            if found >= 0:
                return at + found + 1
    return 0


def lines_with(path: Path, needle: bytes) -> Iterator[bytes]:
    """The complete lines that contain `needle`, first to last, without their line feeds.

    Reads in blocks: a mapped file that its writer cuts after a failed write would kill the reader with SIGBUS.
    """
    with path.open("rb") as file:
        held = b""
        while block := file.read(BLOCK):
            whole, feed, rest = block.rpartition(b"\n")
            if not feed:
                held += block
                continue
            text = held + whole
            held = rest
            at = text.find(needle)
            while at >= 0:
                end = text.find(b"\n", at)
                end = len(text) if end < 0 else end
                yield text[text.rfind(b"\n", 0, at) + 1 : end]
                at = text.find(needle, end)
