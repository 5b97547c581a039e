"""Reads yett.toml: syntax, types, references to secrets and between tables; every mistake with its file and line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from yett.config.checks import check_references
from yett.config.decoding import Problem, decode, dotted, suggestion
from yett.config.lines import KeyPath, line_of, locate
from yett.config.settings import Settings
from yett.errors import ConfigurationError, Mistake
from yett.model.route import Secret

_MOST_BYTES = 4 * 1024**2
_MOST_DEPTH = 100
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Reading(Struct, frozen=True):
    """What was read of one yett.toml, right or wrong: where something is wrong, a default stands in `settings`.

    `secrets` are by reference ("env:NAME"); `root` is the directory that relative paths start from; `digest` material is
    the file itself and is taken by the snapshot.
    """

    file: str
    root: Path
    settings: Settings
    secrets: Mapping[str, Secret]
    mistakes: tuple[Mistake, ...]
    lines: Mapping[KeyPath, int]

    def mistake(self, path: KeyPath, message: str) -> Mistake:
        """A mistake about the setting at `path`."""
        where = dotted(path)
        return Mistake(self.file, line_of(self.lines, path), f"{where}: {message}" if where else message)

    def resolve(self, name: str) -> Path:
        """A path of the configuration, relative to the file that names it."""
        return self.root / Path(name).expanduser()

    @property
    def state(self) -> Path:
        return self.resolve(self.settings.state.dir)

    @property
    def audit(self) -> Path:
        return self.resolve(self.settings.audit.dir) if self.settings.audit.dir else self.state / "audit"

    @property
    def policies(self) -> Path:
        return self.resolve(self.settings.policy.dir)


def load(path: Path, environment: Mapping[str, str]) -> Reading:
    """Read and check `path`. Raises ConfigurationError with every mistake."""
    reading = read(path, environment)
    if reading.mistakes:
        raise ConfigurationError(reading.mistakes)
    return reading


def read(path: Path, environment: Mapping[str, str]) -> Reading:
    """Read `path`, with its mistakes beside what could be made of it."""
    text, mistake = _text(path)
    if mistake is not None:
        return _failed(path, mistake)
    return parse(text, path, environment)


def parse(text: str, path: Path, environment: Mapping[str, str]) -> Reading:
    """The reading of a `text` that stands in `path`."""
    file = str(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _failed(path, _syntax(file, text, error))
    except (RecursionError, ValueError) as error:  # a number with too many digits is a plain ValueError
        return _failed(path, Mistake(file, 0, f"cannot be read as TOML: {type(error).__name__}"))
    if _depth(document) > _MOST_DEPTH:
        return _failed(path, Mistake(file, 0, "is nested too deeply"))
    settings, problems = decode(Settings, document)
    reported = {path for path, _ in problems}
    problems += [problem for problem in check_references(settings) if not _within(problem[0], reported)]
    secrets = _secrets(settings, path.parent, environment, problems)
    lines = locate(text)
    reading = Reading(file, path.parent, settings, secrets, (), lines)
    problems += _files(reading)
    mistakes = [reading.mistake(where, message) for where, message in problems]
    mistakes.sort(key=lambda mistake: mistake.line)
    return Reading(file, path.parent, settings, secrets, tuple(mistakes), lines)


def _within(path: KeyPath, reported: set[KeyPath]) -> bool:
    """Whether a mistake was reported for `path` or what contains it: another one would only be its echo."""
    return any(path[:length] in reported for length in range(1, len(path) + 1))


def _failed(path: Path, mistake: Mistake) -> Reading:
    return Reading(str(path), path.parent, Settings(), {}, (mistake,), {})


def _text(path: Path) -> tuple[str, Mistake | None]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return "", Mistake(str(path), 0, 'there is no such file; "yett init" writes one')
    except OSError as error:
        return "", Mistake(str(path), 0, f"cannot be read: {error.strerror}")
    if len(raw) > _MOST_BYTES:
        return "", Mistake(str(path), 0, f"is larger than {_MOST_BYTES} bytes")
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return "", Mistake(str(path), line, "is not UTF-8 text")


def _syntax(file: str, text: str, error: tomllib.TOMLDecodeError) -> Mistake:
    message = str(error)
    match = _AT_LINE.search(message)
    line = 0
    if match is not None:
        line = int(match[1]) if match[1] else text.rstrip().count("\n") + 1
        message = message[: match.start()]
    return Mistake(file, line, f"not valid TOML: {message[:1].lower()}{message[1:]}")


def _depth(value: Any) -> int:
    """How deeply a document is nested, without recursion of our own."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth


def secret_references(settings: Settings) -> list[tuple[KeyPath, str]]:
    """Every reference to a secret, with the setting that makes it."""
    found: list[tuple[KeyPath, str]] = []
    if settings.admin.token:
        found.append((("admin", "token"), settings.admin.token))
    for name, provider in settings.providers.items():
        if provider.key:
            found.append((("providers", name, "key"), provider.key))
        found += [(("providers", name, "keys", index), key) for index, key in enumerate(provider.keys) if key]
    return found


def _secrets(
    settings: Settings, root: Path, environment: Mapping[str, str], problems: list[Problem]
) -> dict[str, Secret]:
    found: dict[str, Secret] = {}
    for path, reference in secret_references(settings):
        kind, _, name = reference.partition(":")
        value, trouble = _variable(name, environment) if kind == "env" else _secret_file(root / Path(name).expanduser())
        if not trouble and not _VISIBLE.fullmatch(value):
            # it goes into a header: a line break in it would let it write headers of its own
            trouble = f"what {reference} holds contains a blank or a character that cannot go into a header"
        if trouble:
            problems.append((path, trouble))
        else:
            found[reference] = Secret(value)
    return found


def _variable(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    value = environment.get(name)
    if value is None:
        hint = suggestion(name, environment)
        return "", f"the environment variable {name} is not set{hint if 'did you mean' in hint else ''}"
    if not (value := value.strip()):
        return "", f"the environment variable {name} is set, but empty"
    return value, ""


def _secret_file(path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            value = file.read(65_537).decode("utf-8").strip()
    except OSError as error:
        return "", f"the file {path} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return "", f"the file {path} is not UTF-8 text"
    if not value:
        return "", f"the file {path} is empty"
    return (value, "") if len(value) <= 65_536 else ("", f"the file {path} is too large for a secret")


def _files(reading: Reading) -> list[Problem]:
    return [
        (("providers", name, "ca_file"), f"there is no file {reading.resolve(provider.ca_file)}")
        for name, provider in reading.settings.providers.items()
        if provider.ca_file and not reading.resolve(provider.ca_file).is_file()
    ]
