"""Where `yett scan` looks: files, folders, and what is staged in git; and which of it is text."""

from __future__ import annotations

import codecs
import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

import click
from msgspec import Struct

PIECE = 4 << 20  # bytes of a file that are looked at together
OVERLAP = 64 << 10  # characters that two pieces share, so that nothing is cut in two
_SNIFF = 8192
_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".jj"})
_HUNK = re.compile(rb"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Piece(Struct, frozen=True):
    """A part of a text: how many characters, lines, and characters of a begun line are before it, and which of the findings
    that begin in it are its own: the others are the neighbours'."""

    text: str
    offset: int = 0
    lines: int = 0
    column: int = 0
    begin: int = 0
    end: int | None = None


class Staged(Struct, frozen=True):
    """A file as it will be committed, and the numbers of the lines that the commit adds."""

    name: str
    content: bytes
    added: frozenset[int]


def files(paths: Iterable[Path], excluded: tuple[str, ...]) -> Iterator[Path]:
    """The files that are named, and those in the folders that are named; in folders, no links are followed."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, inner, names in os.walk(path):
            here = Path(folder)
            inner[:] = sorted(
                name for name in inner if name not in _VERSION_CONTROL and not is_excluded(here / name, excluded)
            )
            for name in sorted(names):
                found = here / name
                if found.is_file() and not found.is_symlink() and not is_excluded(found, excluded):
                    yield found


def is_descriptor(path: Path) -> bool:
    """Whether it names what this process was given open, as a shell's `<(…)` does."""
    return str(path) == "/dev/stdin" or str(path.parent) in {"/dev/fd", "/proc/self/fd"}


def special(path: Path) -> str:
    """What a path is when it is no file: to open a pipe that nobody writes to is to wait for ever. Raises OSError."""
    mode = path.stat().st_mode
    if is_descriptor(path) or stat.S_ISREG(mode):
        return ""
    what = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}.get(stat.S_IFMT(mode), "a device")
    return f"{what}, not a file"


def is_excluded(path: Path, excluded: tuple[str, ...]) -> bool:
    """Whether a glob means the path as it is written, or its name."""
    return any(fnmatch(str(path), glob) or fnmatch(path.name, glob) for glob in excluded)


def pieces(file: BinaryIO) -> Iterator[Piece]:
    """The text of a file, a bounded part at a time. Raises ValueError for what is not text."""
    data = file.read(PIECE)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not encoding and b"\0" in data[:_SNIFF]:
        raise ValueError("binary")
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")("replace")
    held, offset, lines, column, begin = "", 0, 0, 0, 0
    while True:
        final = len(data) < PIECE
        held += decoder.decode(data, final)
        if final:
            yield Piece(held, offset, lines, column, begin)
            return
        gone = max(len(held) - OVERLAP, 0)
        middle = gone + (len(held) - gone) // 2
        yield Piece(held, offset, lines, column, begin, middle)
        newline = held.rfind("\n", 0, gone)
        lines += held.count("\n", 0, gone)
        column = gone - newline - 1 if newline >= 0 else column + gone
        held, offset, begin = held[gone:], offset + gone, middle - gone
        data = file.read(PIECE)


def staged(excluded: tuple[str, ...]) -> list[Staged]:
    """What is staged in the repository that the working directory is in. Raises UsageError when there is none."""
    names = _git("diff", "--cached", "--name-only", "-z", "--diff-filter=ACMR", "--no-renames").split(b"\0")
    found = []
    for raw in filter(None, names):
        name = os.fsdecode(raw)
        if not is_excluded(Path(name), excluded):
            changes = _git(
                "diff", "--cached", "--unified=0", "--no-color", "--no-ext-diff", "--", f":(top,literal){name}"
            )
            added = (range(int(first), int(first) + int(count or 1)) for first, count in _HUNK.findall(changes))
            found.append(Staged(name, _git("show", f":{name}"), frozenset(line for lines in added for line in lines)))
    return found


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", *arguments], check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise click.UsageError("--staged needs git, which is not installed here") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise click.UsageError(f"--staged: {reason}") from None
