"""`yett scan`: what is in files, folders, standard input, JSON Lines or a commit, before anyone sends it anywhere."""

from __future__ import annotations

import io
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click
from msgspec import Struct

from yett.cli.common import FINDINGS, USAGE, json_option, told
from yett.cli.inspection import ROLES, Look, unknown
from yett.cli.scan_places import files, is_descriptor, pieces, staged
from yett.cli.scan_report import Told, of_files, of_lines, of_pieces, of_staged

T = TypeVar("T")
_BATCH_LINES, _BATCH_BYTES, _BATCH_FILES = 64, 1 << 20, 8
_LONGEST_LINE = 64 << 20  # bytes of one line of JSON Lines
_AHEAD = 4  # batches in work or waiting, for each process: what is read ahead is bounded


@click.command("scan")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True, allow_dash=True), metavar="[PATH]...")
@click.option(
    "--input",
    "lines",
    type=click.File("rb"),
    help='JSON Lines, "-" for standard input: a {"text": …, "role"?: …} on each line, answered by a line each.',
)
@click.option("--staged", "of_git", is_flag=True, help="What is staged in git: findings on the lines that it adds.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use the detectors of this yett.toml.",
)
@click.option(
    "--role",
    type=click.Choice(list(ROLES)),
    default="user",
    show_default=True,
    metavar="ROLE",
    help="Who wrote the text, where it does not say: user, tool, document, …",
)
@click.option(
    "--kinds", multiple=True, metavar="KIND", help="Only findings of this kind or family, like pii. Repeatable."
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files and folders to leave out. Repeatable.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that look.")
@json_option
def command(
    *,
    paths: tuple[Path, ...],
    lines: BinaryIO | None,
    of_git: bool,
    config: Path | None,
    role: str,
    kinds: tuple[str, ...],
    exclude: tuple[str, ...],
    jobs: int,
    as_json: bool,
) -> None:
    """Look for secrets, personal data and injection in texts.

    PATH is a file or a folder; "-", or nothing at all, is standard input. Excerpts hide what was found. A line of a file
    that says `yett:allow` is passed over. Exit codes: 0 nothing found, 1 findings, 2 something could not be looked at.
    """
    if (len(paths) > 0) + (lines is not None) + of_git > 1:
        raise click.UsageError("give paths, --input or --staged: one of them")
    look = Look(config, ROLES[role], kinds, as_json)
    with told(as_json=as_json):
        if trouble := unknown(look):  # a configuration with a mistake is told of here, too, and not by every process
            raise click.UsageError(f"--kinds: {trouble}")
        if lines is not None:
            work: Iterable[Told] = _over(partial(of_lines, look, _name(lines)), _batches(lines), jobs)
            tally = _tell(work, "texts", _size(lines), lines)
        elif of_git:
            tally = _tell(_over(partial(of_staged, look), _groups(staged(exclude)), jobs), "files")
        elif not paths or paths == (Path("-"),):
            tally = _tell([_standard_input(look)], "texts")
        else:
            found = list(files(paths, exclude))
            jobs = 1 if any(map(is_descriptor, found)) else jobs  # other processes do not have it
            walked = any(path.is_dir() for path in paths)  # then what is passed over is counted, not named
            tally = _tell(_over(partial(of_files, look), _groups(found), jobs), "files", len(found), quiet=walked)
    sys.exit(tally.exit_code)


# ---- what there is to look at ---------------------------------------------------------------------------------------


def _standard_input(look: Look) -> Told:
    if sys.stdin.isatty():
        raise click.UsageError("name a file or a folder, or send a text to standard input")
    try:
        return of_pieces(look, "-", pieces(sys.stdin.buffer))
    except ValueError as error:
        return Told("", trouble=f"-: {error}")


def _batches(lines: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """Lines in bounded batches, each with how many lines came before it. What is too long for a line is cut, and then is no
    JSON; its rest is passed over."""
    before, batch, size = 0, [], 0
    while line := lines.readline(_LONGEST_LINE):
        rest = line
        while len(rest) == _LONGEST_LINE and not rest.endswith(b"\n"):
            rest = lines.readline(_LONGEST_LINE)
        batch.append(line)
        size += len(line)
        if len(batch) == _BATCH_LINES or size > _BATCH_BYTES:
            yield before, batch
            before, batch, size = before + len(batch), [], 0
    if batch:
        yield before, batch


def _groups(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while group := list(islice(rest, _BATCH_FILES)):
        yield group


def _name(file: BinaryIO) -> str:
    return "-" if file is sys.stdin.buffer else str(getattr(file, "name", "-"))


def _size(file: BinaryIO) -> int | None:
    """How many bytes there are to read, None where that cannot be known."""
    try:
        return Path(file.name).stat().st_size if file.seekable() else None
    except (AttributeError, OSError, io.UnsupportedOperation, TypeError):
        return None


# ---- looking --------------------------------------------------------------------------------------------------------


def _over(look_at: Callable[[T], list[Told]], work: Iterable[T], jobs: int) -> Iterator[Told]:
    """What is said of each piece of work, in their order, by so many processes."""
    if jobs == 1:
        for each in work:
            yield from look_at(each)
        return
    # not forked: a library's threads would be left behind half-way
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[list[Told]]] = deque()
        for each in work:
            waiting.append(pool.submit(look_at, each))
            if len(waiting) > _AHEAD * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


# ---- telling --------------------------------------------------------------------------------------------------------


class _Tally(Struct):
    texts: int = 0
    found: int = 0  # texts with findings
    findings: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def exit_code(self) -> int:
        return USAGE if self.failed else FINDINGS if self.findings else 0


def _tell(
    work: Iterable[Told], what: str, size: int | None = None, source: BinaryIO | None = None, *, quiet: bool = False
) -> _Tally:
    """Print as it comes, over a progress bar where a person is watching; how it went at the end."""
    tally = _Tally()
    bar: AbstractContextManager[Any] = nullcontext()
    watched = bool(size) and sys.stderr.isatty()
    if watched:
        bar = click.progressbar(length=size, label="scanning", file=sys.stderr)
    with bar as progress:
        for each in work:
            trouble = "" if each.skipped and quiet else each.trouble
            if watched and (each.printed or trouble):
                click.echo("\r\x1b[2K", nl=False, err=True)  # the bar is drawn again below what is printed now
            if each.printed:
                click.echo(each.printed)
            if trouble:
                click.echo(f"yett: {trouble}", err=True)
            tally.texts += not each.trouble
            tally.found += each.findings > 0
            tally.findings += each.findings
            tally.skipped += each.skipped
            tally.failed += bool(each.trouble) and not each.skipped
            if watched:
                progress.update(source.tell() - progress.pos if source else 1)
    skipped = f", {tally.skipped} skipped that are not text" if tally.skipped else ""
    failed = f", {tally.failed} that could not be looked at" if tally.failed else ""
    found = f"{tally.findings} finding{'' if tally.findings == 1 else 's'} in {tally.found} of {tally.texts} {what}"
    click.echo(f"yett: {found}{skipped}{failed}", err=True)
    return tally
