"""Files that settings name: certificates, which are read with yett.toml, and the others, which have to be there."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from msgspec import structs

from yett.config.decoding import Problem
from yett.config.lines import KeyPath
from yett.config.reading import TOKEN_FILE, Reading
from yett.config.settings import Settings

_MOST_CERTIFICATES = 1024**2  # bytes of one file


def with_certificates(reading: Reading, problems: list[Problem]) -> Reading:
    """`reading` with the certificates that it names. A file that cannot be read counts as empty, until it can."""
    found: dict[str, bytes] = {}
    where: dict[str, Path] = {}
    for path, name in certificate_files(reading.settings):
        file = reading.path_of(path, name)
        if where.setdefault(name, file) != file:
            problems.append((path, f"{name} is a file of this machine as well: give it another name"))
            continue
        found[name], trouble = certificates(file)
        if trouble:
            problems.append((path, trouble))
    return structs.replace(reading, certificates=found)


def certificate_files(settings: Settings) -> list[tuple[KeyPath, str]]:
    """The files that are read with yett.toml, each with the setting that names it."""
    tls, identity = settings.gateway.tls, settings.identity
    named: list[tuple[KeyPath, str]] = [(("gateway", "tls", "certificate_file"), tls.certificate_file if tls else "")]
    for name, domain in identity.trust_domains.items():
        named.append((("identity", "trust_domains", name, "x509_bundle_file"), domain.x509_bundle_file))
    for name, authority in identity.client_cas.items():
        named.append((("identity", "client_cas", name, "ca_file"), authority.ca_file))
    return [(path, file) for path, file in named if file]


def certificates(path: Path) -> tuple[bytes, str]:
    """What is in the file, and why nothing, "" when something."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_CERTIFICATES + 1)
    except OSError as error:
        return b"", f"the file {path} cannot be read: {error.strerror}"
    return (raw, "") if len(raw) <= _MOST_CERTIFICATES else (b"", f"the file {path} is too large for certificates")


def missing_files(reading: Reading) -> list[Problem]:
    """What settings name and is not there, and what stands where a folder is to be."""
    missing: list[Problem] = [
        (path, f"there is no file {reading.path_of(path, file)}")
        for path, file in _needed(reading.settings)
        if file and not reading.path_of(path, file).is_file()
    ]
    for section, folder in (("state", reading.state), ("audit", reading.audit)):
        wrong = _in_the_way(folder)
        if wrong is not None and (section == "state" or reading.settings.audit.dir):
            missing.append(((section, "dir"), f"{wrong} is not a folder"))
    return missing


def _in_the_way(folder: Path) -> Path | None:
    """What is no folder, where this one is or would be made."""
    for place in (folder, *folder.parents):
        try:
            mode = place.stat().st_mode
        except (OSError, ValueError):
            continue
        return None if stat.S_ISDIR(mode) else place
    return None


def _needed(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Each setting that names a file, and the file; "" where it names none."""
    for name, provider in settings.providers.items():
        yield ("providers", name, "ca_file"), provider.ca_file
        for table, one in (("oauth", provider.oauth), ("aws", provider.aws)):
            if one is not None:
                yield ("providers", name, table, "ca_file"), one.ca_file
                yield ("providers", name, table, TOKEN_FILE), one.token_file
    yield ("credentials", "transit", "ca_file"), settings.credentials.transit.ca_file
    yield ("stores", "ca_file"), settings.stores.ca_file
    yield ("operators", "ca_file"), settings.operators.ca_file
    for name, receiver in settings.receivers.items():
        yield ("receivers", name, "ca_file"), receiver.ca_file
        yield ("receivers", name, "jwks_file"), receiver.jwks_file
    for name, issuer in settings.identity.issuers.items():
        yield ("identity", "issuers", name, "ca_file"), issuer.ca_file
        yield ("identity", "issuers", name, "jwks_file"), issuer.jwks_file
    for name, domain in settings.identity.trust_domains.items():
        yield ("identity", "trust_domains", name, "ca_file"), domain.ca_file
        yield ("identity", "trust_domains", name, "bundle_file"), domain.bundle_file
    for name, guardrail in settings.guardrails.items():
        yield ("guardrails", name, "ca_file"), guardrail.ca_file
        if guardrail.folder:
            for file in ("model.onnx", "tokenizer.json"):
                yield ("guardrails", name, "folder"), f"{guardrail.folder}/{file}"
