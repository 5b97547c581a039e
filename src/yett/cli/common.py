"""What every command shares: the `--config` and `--json` options, exit codes, and how errors are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from yett.errors import ConfigurationError, IntegrityError, Mistake, YettError
from yett.stores.credentials import CredentialMistake
from yett.stores.keys import KeyMistake
from yett.stores.revisions import RevisionMistake

FINDINGS, USAGE, CONFIGURATION, INTEGRITY = 1, 2, 3, 4

configuration_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    envvar="YETT_CONFIG",
    default=Path("yett.toml"),
    show_default="yett.toml",
    help="The configuration file (also YETT_CONFIG).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@contextmanager
def told(*, as_json: bool = False) -> Iterator[None]:
    """Tell the user about an error of Yett's own, and exit with its code."""
    try:
        yield
    except ConfigurationError as error:
        tell_mistakes(error, as_json=as_json)
        sys.exit(CONFIGURATION)
    except YettError as error:
        code = USAGE if isinstance(error, KeyMistake | CredentialMistake | RevisionMistake) else CONFIGURATION
        code = INTEGRITY if isinstance(error, IntegrityError) else code
        if as_json:
            print_json({"ok": False, "error": str(error)})
        else:
            click.echo(f"yett: {error}", err=True)
        sys.exit(code)


def text_of(path: Path) -> str:
    """What is in a file of the operator's. Raises ConfigurationError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError((Mistake(str(path), 0, f"cannot be read: {error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError((Mistake(str(path), 0, "is not UTF-8"),)) from error


def tell_mistakes(error: ConfigurationError, *, as_json: bool) -> None:
    """All mistakes: as one JSON object on standard output, or a line each on standard error."""
    if as_json:
        mistakes = [
            {"file": mistake.file, "line": mistake.line, "message": mistake.message} for mistake in error.mistakes
        ]
        print_json({"ok": False, "mistakes": mistakes})
        return
    for mistake in error.mistakes:
        click.echo(str(mistake), err=True)
    count = len(error.mistakes)
    click.echo(f"yett: {count} mistake{'s' if count != 1 else ''}", err=True)


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
