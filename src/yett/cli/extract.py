"""`yett extract`: the text of attached files as Yett reads it, for `yett scan` or for the eye."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import click

from yett.cli.common import USAGE, json_option, print_json
from yett.edge.attachments import Attachments
from yett.model.attachment import Extracted


@click.command("extract")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--ocr/--no-ocr", default=True, show_default=True, help="Read pictures with tesseract, where it is installed."
)
@json_option
def command(*, paths: tuple[Path, ...], ocr: bool, as_json: bool) -> None:
    """Print the text of PDF, Office and OpenDocument files, and of pictures; "-" is standard input.

    Each file is read by a process of its own, bounded in memory and time. PDF needs the extra `documents`. What could not be
    read, or not wholly, is told on standard error. Exit codes: 0 ok, 2 something could not be read.

        yett extract report.pdf | yett scan --role document
    """
    tesseract = shutil.which("tesseract") if ocr else None
    attachments = Attachments({"PATH": os.environ.get("PATH", os.defpath)}, tesseract or "")
    found = asyncio.run(_all(attachments, [_content(path) for path in paths]))
    for path, one in zip(paths, found, strict=True):
        if as_json:
            print_json(
                {"file": str(path), "kind": one.kind, "text": one.text, "whole": one.whole, "failure": one.failure}
            )
        else:
            click.echo(one.text, nl=not one.text.endswith("\n") and bool(one.text))
            if one.failure or not one.whole:
                click.echo(f"{path}: {one.failure or 'not read to its end'}", err=True)
    sys.exit(USAGE if any(one.failure for one in found) else 0)


def _content(path: Path) -> bytes:
    return sys.stdin.buffer.read() if path == Path("-") else path.read_bytes()


async def _all(attachments: Attachments, files: list[bytes]) -> list[Extracted]:
    return [await attachments.extract(data) for data in files]
