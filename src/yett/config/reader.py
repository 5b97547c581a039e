"""Reads yett.toml: syntax, types, references to secrets and between tables; every mistake with its file and line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import structs

from yett.config.checks import check_references, limits_trouble
from yett.config.decoding import decode
from yett.config.files import certificate_files, certificates, missing_files, with_certificates
from yett.config.guardrail_checks import check_guardrails
from yett.config.identity_checks import check_identity
from yett.config.lines import KeyPath, locate
from yett.config.oauth_checks import check_oauth
from yett.config.operator_checks import check_operators
from yett.config.reading import Reading
from yett.config.sealed import Unseal
from yett.config.secrets import PRIVATE_KEY, secret_file, secret_references, secret_values, with_sealed
from yett.config.settings import Settings
from yett.config.shared import FILE, FOLDER, OWN, current, shared_part
from yett.errors import ConfigurationError, Mistake
from yett.model.route import Secret

_MOST_BYTES = 4 * 1024**2  # of the file
_MOST_DEPTH = 100  # tables and arrays in one another
_MARK = "\ufeff"  # of the order of bytes, with which some editors begin a file
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: Path, environment: Mapping[str, str] | None, unseal: Unseal | None = None) -> Reading:
    """Read and check `path`. Raises ConfigurationError with every mistake. See `read`."""
    reading = read(path, environment, unseal)
    if reading.mistakes:
        raise ConfigurationError(reading.mistakes)
    return reading


def read(
    path: Path, environment: Mapping[str, str] | None, unseal: Unseal | None = None, folder: Path | None = None
) -> Reading:
    """Read `path`, with its mistakes beside what could be made of it. `folder` is where the shared part is, when it is not the one in
    force.

    Without an `environment`, references to secrets are left alone: whoever issues a key need not know the providers'.
    `unseal` opens sealed credentials; without it they are mistakes.
    """
    raw, mistake = _content(path)
    if mistake is None:
        try:
            return structs.replace(
                parse(raw.decode("utf-8"), path, environment, unseal, folder), fingerprint=fingerprint(raw)
            )
        except UnicodeDecodeError as error:
            mistake = Mistake(str(path), raw.count(b"\n", 0, error.start) + 1, "is not UTF-8 text")
    return structs.replace(_failed(path, mistake), fingerprint=fingerprint(raw))


def changed(reading: Reading) -> bool:
    """Whether the file, or what it takes a secret or certificates from (a file, the sealed credentials), has another content now."""
    raw, _ = _content(Path(reading.file))
    if fingerprint(raw) != reading.fingerprint:
        return True
    if reading.shared is not None and current(reading.state / FOLDER) not in ("", reading.shared.folder.name):
        return True
    for path, reference in secret_references(reading.settings):
        kind, _, name = reference.partition(":")
        if kind == "file":
            value, trouble = secret_file(reading.own(name), lines=path[-1] == PRIVATE_KEY)
            known = reading.secrets.get(reference)
            if (Secret(value) if not trouble else None) != known:
                return True
    for path, name in certificate_files(reading.settings):
        if certificates(reading.path_of(path, name))[0] != reading.certificates.get(name):
            return True
    return reading.sealed is not None and reading.sealed.changed()


def fingerprint(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def parse(
    text: str,
    path: Path,
    environment: Mapping[str, str] | None,
    unseal: Unseal | None = None,
    folder: Path | None = None,
) -> Reading:
    """The reading of a `text` that stands in `path`."""
    file, text = str(path), text.removeprefix(_MARK)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _failed(path, _syntax(file, text, error))
    except (RecursionError, ValueError) as error:  # a number with too many digits is a plain ValueError
        return _failed(path, Mistake(file, 0, f"cannot be read as TOML: {type(error).__name__}"))
    if _depth(document) > _MOST_DEPTH:
        return _failed(path, Mistake(file, 0, "is nested too deeply"))
    lines = locate(text)
    if (shared := shared_part(document, path.parent, folder)) is not None:
        document = {**shared.document, **{name: value for name, value in document.items() if name in OWN}}
        lines = {**shared.lines, **lines}
        if _depth(document) > _MOST_DEPTH:
            return _failed(path, Mistake(str(shared.folder / FILE), 0, "is nested too deeply"))
    settings, problems = decode(Settings, document)
    problems += shared.problems if shared is not None else ()
    reported = {path for path, _ in problems}
    related = [
        *check_references(settings),
        *check_oauth(settings),
        *check_guardrails(settings),
        *check_identity(settings),
        *check_operators(settings),
    ]
    problems += [problem for problem in related if not _within(problem[0], reported)]
    secrets = {} if environment is None else secret_values(settings, path.parent, environment, problems)
    if (secret := secrets.get(settings.stores.limits)) and (trouble := limits_trouble(secret.reveal(), settings)):
        problems.append((("stores", "limits"), trouble))
    reading = Reading(file, path.parent, settings, secrets, (), lines, shared=shared)
    if environment is not None:
        reading = with_sealed(reading, unseal, problems)
    problems += missing_files(reading)
    reading = with_certificates(reading, problems)
    mistakes = [reading.mistake(where, message) for where, message in problems]
    mistakes += shared.mistakes if shared is not None else ()
    mistakes.sort(key=lambda mistake: mistake.line)
    return structs.replace(reading, mistakes=tuple(mistakes))


def _within(path: KeyPath, reported: set[KeyPath]) -> bool:
    """Whether a mistake was reported for `path` or what contains it: another one would only be its echo."""
    return any(path[:length] in reported for length in range(1, len(path) + 1))


def _failed(path: Path, mistake: Mistake) -> Reading:
    return Reading(str(path), path.parent, Settings(), {}, (mistake,), {}, parsed=False)


def _content(path: Path) -> tuple[bytes, Mistake | None]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return b"", Mistake(str(path), 0, 'there is no such file; "yett init" writes one')
    except OSError as error:
        return b"", Mistake(str(path), 0, f"cannot be read: {error.strerror}")
    if len(raw) > _MOST_BYTES:
        return raw, Mistake(str(path), 0, f"is larger than {_MOST_BYTES} bytes")
    return raw, None


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
