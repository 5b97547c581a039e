"""`yett init`: a commented yett.toml and the starter policies, in a directory of the operator's choice."""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from yett.cli.common import CONFIGURATION, USAGE

_IGNORE = "# what Yett keeps: keys, limits, the audit journal\n.yett/\n"


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(*, directory: Path, force: bool) -> None:
    """Write a commented yett.toml and policies/ into DIRECTORY (default: here)."""
    data = files("yett.data")
    wanted: list[tuple[Path, str]] = [(directory / "yett.toml", data.joinpath("yett.toml").read_text(encoding="utf-8"))]
    wanted += [(directory / "policies" / item.name, item.read_text(encoding="utf-8")) for item in _policies(data)]
    existing = [path for path, _ in wanted if os.path.lexists(path)]
    if existing and not force:
        for path in existing:
            click.echo(f"yett init: {path} exists already", err=True)
        click.echo("yett init: nothing was written; choose another directory, or overwrite with --force", err=True)
        sys.exit(USAGE)
    try:
        (directory / "policies").mkdir(parents=True, exist_ok=True)
        for path, text in wanted:
            path.write_text(text, encoding="utf-8")
            click.echo(f"wrote {path}")
        _ignore_state(directory / ".gitignore")
    except OSError as error:
        click.echo(f"yett init: {error.filename or directory}: {error.strerror}", err=True)
        sys.exit(CONFIGURATION)
    where = "" if directory == Path() else f" --config {directory / 'yett.toml'}"
    click.echo(
        "\nnext:\n"
        "  export OPENAI_API_KEY=…                          or change [providers] in yett.toml\n"
        f"  yett check{where}\n"
        f"  yett keys create --name laptop --team research{where}\n"
        f"  yett serve{where}"
    )


def _policies(data: Traversable) -> list[Traversable]:
    folder = data.joinpath("policies")
    return sorted((item for item in folder.iterdir() if item.name.endswith((".cedar", ".toml"))), key=lambda i: i.name)


def _ignore_state(path: Path) -> None:
    """Keep the state out of version control: it holds the pepper and the keys' hashes."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if ".yett/" not in text.split():
        path.write_text(text + ("\n" if text and not text.endswith("\n") else "") + _IGNORE, encoding="utf-8")
        click.echo(f"wrote {path}")
