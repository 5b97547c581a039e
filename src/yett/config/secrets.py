"""Secrets: which settings refer to one, and what the references lead to: environment variables, files, sealed credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import structs

from yett.config.checks import REFERENCES
from yett.config.decoding import Problem, suggestion
from yett.config.lines import KeyPath
from yett.config.reading import Reading, under
from yett.config.sealed import Place, Unseal
from yett.config.settings import Settings
from yett.model.route import Secret

PRIVATE_KEY = "private_key"  # the one setting, in several tables, whose secret has lines
_MOST_SECRET = 16_384  # characters
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


def secret_references(settings: Settings) -> list[tuple[KeyPath, str]]:
    """Every reference to a secret, with the setting that makes it."""
    return [(path, written) for path, written in _written(settings) if written.startswith(REFERENCES)]


def _written(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """What stands where a secret can; some of these settings may also be something plain, or empty."""
    yield ("admin", "token"), settings.admin.token
    yield ("operators", "client_secret"), settings.operators.client_secret
    if settings.gateway.tls is not None:
        yield ("gateway", "tls", PRIVATE_KEY), settings.gateway.tls.private_key
    yield ("credentials", "kek"), settings.credentials.kek
    yield ("credentials", "transit", "token"), settings.credentials.transit.token
    yield ("routing", "proxy"), settings.routing.proxy
    yield ("stores", "state"), settings.stores.state
    yield ("stores", "pepper"), settings.stores.pepper
    yield ("stores", "limits"), settings.stores.limits
    for name, provider in settings.providers.items():
        yield ("providers", name, "key"), provider.key
        for index, key in enumerate(provider.keys):
            yield ("providers", name, "keys", index), key
        if provider.oauth is not None:
            yield ("providers", name, "oauth", "client_secret"), provider.oauth.client_secret
            yield ("providers", name, "oauth", PRIVATE_KEY), provider.oauth.private_key
    for name, receiver in settings.receivers.items():
        yield ("receivers", name, "token"), receiver.token
    for name, guardrail in settings.guardrails.items():
        yield ("guardrails", name, "key"), guardrail.key
        yield ("guardrails", name, "access_key"), guardrail.access_key
        yield ("guardrails", name, "session_token"), guardrail.session_token


def secret_values(
    settings: Settings, root: Path, environment: Mapping[str, str], problems: list[Problem]
) -> dict[str, Secret]:
    """The secrets by their references, but sealed ones; those that lead to nothing become `problems`."""
    found: dict[str, Secret] = {}
    for path, reference in secret_references(settings):
        if reference.startswith("sealed:"):
            continue  # what opens them is among the others
        value, trouble = secret_at(reference, root, environment, lines=path[-1] == PRIVATE_KEY)
        if trouble:
            problems.append((path, trouble))
        else:
            found[reference] = Secret(value)
    return found


def secret_at(reference: str, root: Path, environment: Mapping[str, str], *, lines: bool = False) -> tuple[str, str]:
    """What an `env:` or `file:` reference leads to, and why nothing, "" when something. With `lines` it may have several."""
    kind, _, name = reference.partition(":")
    if kind == "sealed":
        return "", "what sealed credentials are opened with, or beside, cannot be sealed itself"
    if kind == "env":
        return _variable(name, environment, lines=lines)
    return secret_file(under(root, name), lines=lines)


def with_sealed(reading: Reading, unseal: Unseal | None, problems: list[Problem]) -> Reading:
    """`reading` with the sealed credentials that it refers to."""
    references = [
        (path, reference)
        for path, reference in secret_references(reading.settings)
        if reference.startswith("sealed:") and path[0] not in ("credentials", "stores")  # which is a mistake of its own
    ]
    if not references:
        return reading
    if unseal is None:
        problems += [(path, "sealed credentials are not opened here") for path, _ in references]
        return reading
    settings, secrets = reading.settings, reading.secrets
    written = settings.stores.state
    shared = secrets.get(written, Secret("" if written.startswith(REFERENCES) else written)) if written else None
    place = Place(reading.root, reading.state, settings.credentials, secrets, shared)
    unsealed = unseal(place, [reference.partition(":")[2] for _, reference in references])
    found = dict(secrets)
    for path, reference in references:
        name = reference.partition(":")[2]
        if (secret := unsealed.values.get(name)) is None:
            problems.append((path, unsealed.troubles[name]))
            continue
        value, trouble = _usable(secret.reveal(), f'the sealed credential "{name}"', lines=path[-1] == PRIVATE_KEY)
        if trouble:
            problems.append((path, trouble))
        else:
            found[reference] = Secret(value)
    return structs.replace(reading, secrets=found, sealed=unsealed)


def _variable(name: str, environment: Mapping[str, str], *, lines: bool = False) -> tuple[str, str]:
    value = environment.get(name)
    if value is None:
        hint = suggestion(name, environment)
        return "", f"the environment variable {name} is not set{hint if 'did you mean' in hint else ''}"
    return _usable(value, f"the environment variable {name}", lines=lines)


def secret_file(path: Path, *, lines: bool = False) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            value = file.read(_MOST_SECRET + 1).decode("utf-8-sig")
    except OSError as error:
        return "", f"the file {path} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return "", f"the file {path} is not UTF-8 text"
    return _usable(value, f"the file {path}", lines=lines)


def _usable(value: str, where: str, *, lines: bool = False) -> tuple[str, str]:
    value = value.strip()
    if not value:
        return "", f"{where} is empty"
    if len(value) > _MOST_SECRET:
        return "", f"{where} holds too much for a secret"
    if not lines and not _VISIBLE.fullmatch(value):
        # it goes into a header: a line break in it would let it write headers of its own
        return "", f"{where} contains a blank or a character that cannot go into a header"
    return value, ""
