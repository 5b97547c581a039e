"""`yett doctor`: is this machine fit to run Yett as configured? Each finding says what to do next."""

from __future__ import annotations

import contextlib
import errno
import importlib.metadata
import os
import shutil
import socket
import sqlite3
import ssl
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

import click
from msgspec import Struct, to_builtins

from yett.cli.automata import builder
from yett.cli.common import FINDINGS, configuration_option, json_option, print_json
from yett.cli.doctor_identity import identities
from yett.cli.doctor_tokens import tokens
from yett.cli.sealed import Unsealer
from yett.cli.state import open_database, open_keys
from yett.cli.system import SystemClock
from yett.config.compile import compile_snapshot, gather
from yett.config.reading import Reading
from yett.config.secrets import secret_references
from yett.config.settings import Settings
from yett.config.tls import term
from yett.errors import ConfigurationError, YettError
from yett.model.guardrail import Panel
from yett.providers.shelf import KINDS
from yett.stores.journal import PUBLIC_KEY, SIGNING_KEY

_NEEDED = (
    "uvicorn", "httptools", "uvloop", "msgspec", "cedarpy", "google-re2", "phonenumbers", "cryptography",
    "starlette", "click", "prometheus-client",
)  # fmt: skip
_LITTLE_SPACE, _NO_SPACE = 1024**3, 100 * 1024**2
_REACH_SECONDS = 5.0
_RENEWAL = 30 * 86_400.0  # seconds before its end when a certificate should have been renewed
_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing looked at. `status`: ok, warning, failure. `next` is what to do about it."""

    check: str
    status: str
    message: str
    next: str = ""


@click.command("doctor")
@click.option(
    "--network",
    is_flag=True,
    help="Also try to reach every provider (no key is sent), get a token for each that has no keys, and fetch the keys of issuers.",
)
@configuration_option
@json_option
def command(*, network: bool, config: Path, as_json: bool) -> None:
    """Look at this machine and the configuration, and say what to do about what is wrong. Exits with 1 on a failure."""
    findings = list(_examine(config, network=network))
    failed = sum(finding.status == "failure" for finding in findings)
    if as_json:
        print_json({"ok": not failed, "findings": to_builtins(findings)})
    else:
        for finding in findings:
            click.echo(
                f"{click.style(finding.status.ljust(7), fg=_COLOURS[finding.status])}  {finding.check}: {finding.message}"
            )
            if finding.next:
                click.echo(f"         → {finding.next}")
    if failed:
        sys.exit(FINDINGS)


def _examine(config: Path, *, network: bool) -> Iterator[Finding]:
    yield _python()
    yield from _dependencies()
    sources = gather(config, os.environ, Unsealer())
    reading = sources.reading
    panel: Panel | None = None
    sound = False
    try:
        panel = compile_snapshot(sources, epoch=0, pepper=b"", build=builder(os.environ)).panel
        sound = True
        yield Finding("configuration", "ok", f"{config} and its policies have no mistakes")
    except ConfigurationError as error:
        yield Finding("configuration", "failure", f"{_count(error)}: {error.mistakes[0]}", "run: yett check")
    if not reading.parsed:
        return
    yield from _ports(reading.settings)
    yield from _state(reading)
    yield _space(reading.state)
    yield _clock(reading)
    yield _audit_key(reading)
    yield _keys(reading)
    yield from _certificate(reading)
    if sound:
        for check, status, message, advice in identities(reading, network=network):
            yield Finding(check, status, message, advice)
    yield from _limits(reading)
    yield from _vault(reading)
    yield from _attachments(reading.settings)
    if network:
        yield from _providers(reading)
        for check, status, message, advice in tokens(reading) if sound else ():
            yield Finding(check, status, message, advice)
        yield from _guardrails(panel)
        yield from _operators(reading)


def _count(error: ConfigurationError) -> str:
    return "a mistake" if len(error.mistakes) == 1 else f"{len(error.mistakes)} mistakes, the first"


def _python() -> Finding:
    return Finding("python", "ok", ".".join(map(str, sys.version_info[:3])))


def _dependencies() -> Iterator[Finding]:
    missing = [name for name in _NEEDED if _version(name) is None]
    if missing:
        yield Finding(
            "packages", "failure", f"missing: {', '.join(missing)}", "install from requirements/core.txt: make setup"
        )
    else:
        yield Finding("packages", "ok", f"{len(_NEEDED)} needed, all there")
    if _version("hyperscan") is None:
        yield Finding(
            "pattern engine",
            "warning",
            "hyperscan is not installed; its portable twin finds the same, more slowly",
            "install hyperscan where its wheel exists (x86-64 and ARM64 Linux, macOS)",
        )
    else:
        yield Finding("pattern engine", "ok", f"hyperscan {_version('hyperscan')}")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _ports(settings: Settings) -> Iterator[Finding]:
    for what, host, port in (
        ("gateway", settings.gateway.host, settings.gateway.port),
        ("admin", settings.admin.host, settings.admin.port),
    ):
        yield _port(what, host, port)


def _port(what: str, host: str, port: int) -> Finding:
    check = f"{what} port"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Finding(
                check,
                "warning",
                f"{host}:{port} is in use",
                f"fine if it is a running Yett; else stop what uses it (ss -ltnp) or set {what}.port",
            )
        if error.errno == errno.EACCES:
            return Finding(check, "failure", f"{host}:{port} is not permitted", f"set {what}.port above 1023")
        return Finding(
            check,
            "failure",
            f"{host}:{port}: {error.strerror or error}",
            f"set {what}.host to an address of this machine",
        )
    return Finding(check, "ok", f"{host}:{port} is free")


def _state(reading: Reading) -> Iterator[Finding]:
    state = reading.state
    if not state.exists():
        parent = next(path for path in [*state.absolute().parents] if path.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield Finding("state", "ok", f"{state} will be created")
        else:
            yield Finding("state", "failure", f"{state} cannot be created", f"make {parent} writable, or set state.dir")
        return
    if not state.is_dir() or not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "state", "failure", f"{state} is not a directory that can be written", "set state.dir, or change its owner"
        )
        return
    secrets = [reading.own(name) for kind, name in _references(reading) if kind == "file"]
    private = [
        state,
        state / "pepper",
        state / "kek",
        state / "yett.db",
        state / "vault.db",
        *state.glob("*.key"),
        *secrets,
    ]
    open_to_others = [path for path in private if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_to_others:
        names = " ".join(str(path) for path in open_to_others)
        yield Finding("state", "failure", f"other users can read: {names}", f"run: chmod go= {names}")
    else:
        yield Finding("state", "ok", f"{state} and every secret is private to its owner")


def _references(reading: Reading) -> Iterator[tuple[str, str]]:
    for _, reference in secret_references(reading.settings):
        kind, _, name = reference.partition(":")
        yield kind, name


def _space(state: Path) -> Finding:
    place = next(path for path in [state.absolute(), *state.absolute().parents] if path.exists())
    free = shutil.disk_usage(place).free
    message = f"{free / 1024**3:.1f} GiB free at {place}"
    if free < _NO_SPACE:
        return Finding("disk", "failure", message, "free some space: calls that cannot be recorded are refused")
    if free < _LITTLE_SPACE:
        return Finding("disk", "warning", message, "free some space, or move state.dir and audit.dir to a larger disk")
    return Finding("disk", "ok", message)


def _clock(reading: Reading) -> Finding:
    """A clock that lies makes keys live for ever and audit records worthless."""
    now = SystemClock().now()
    if now < Path(__file__).stat().st_mtime - 86_400:
        return Finding("clock", "failure", "it is earlier than when Yett was installed", "set the clock, and run NTP")
    newest = max((path.stat().st_mtime for path in reading.audit.glob("*/*")), default=0.0)
    if newest > now + 60:
        return Finding("clock", "failure", "the audit journal was written in the future", "set the clock, and run NTP")
    return Finding("clock", "ok", "later than everything that was written")


def _audit_key(reading: Reading) -> Finding:
    signing, public = reading.state / SIGNING_KEY, reading.audit / PUBLIC_KEY
    if signing.exists():
        return Finding("audit key", "ok", f"{signing}; keep a copy of {public} elsewhere, to verify with")
    if public.exists():
        return Finding(
            "audit key",
            "failure",
            f"{signing} is missing, but {reading.audit} was signed with it",
            f"restore it, or move {reading.audit} away to begin a new journal",
        )
    return Finding("audit key", "ok", "will be created at the first start")


def _keys(reading: Reading) -> Finding:
    shared = bool(reading.settings.stores.state)
    if not shared and not (reading.state / "yett.db").exists():
        return Finding("keys", "ok", "none yet", "run: yett keys create --name … --team …")
    try:
        with open_keys(reading) as store:
            now = int(SystemClock().now())
            active = {one.key.id: one.key for one in store.list() if one.state(now) == "active"}
    except YettError as error:
        advice = "check stores.state and the network" if shared else "restore yett.db and pepper together from a backup"
        return Finding("keys", "failure", str(error), advice)
    stray = sorted(f"{key.team}/{key.name}" for key in active.values() if key.team not in reading.settings.teams)
    if stray:
        return Finding(
            "keys",
            "warning",
            f"refused, because their team is not in {reading.file}: {', '.join(stray)}",
            "add the teams, or revoke the keys",
        )
    return Finding("keys", "ok", f"{len(active)} active")


def _certificate(reading: Reading) -> Iterator[Finding]:
    if (good := term(reading)) is None:
        return
    left = good.ends.timestamp() - SystemClock().now()
    soon = min(_RENEWAL, (good.ends - good.begins).total_seconds() / 5)  # some are good for an hour, some for years
    when = f"{good.ends:%Y-%m-%d %H:%M} UTC"
    advice = "renew the files of [gateway.tls]: a running gateway takes them up by itself"
    if left <= 0:
        yield Finding("certificate", "failure", f"expired on {when}", advice)
    elif left < soon:
        yield Finding("certificate", "warning", f"expires on {when}", advice)
    else:
        yield Finding("certificate", "ok", f"good until {when}")


def _limits(reading: Reading) -> Iterator[Finding]:
    if not reading.limits or any(message.startswith("stores.") for message in _messages(reading)):
        return
    if _version("hiredis") is None:
        yield Finding("limits", "failure", "hiredis is not installed", 'install the extra: pip install "yett[cluster]"')
        return
    from yett.cli.store_check import limits_store

    for status, message, advice in limits_store(reading):
        yield Finding("limits", status, message, advice)


def _messages(reading: Reading) -> list[str]:
    return [mistake.message for mistake in reading.mistakes]


def _shared_vault(reading: Reading) -> Iterator[Finding]:
    now = int(SystemClock().now())
    try:
        with contextlib.closing(open_database(reading)) as database:
            if not database.rows("SELECT 1 FROM migrations WHERE component = $1", "vault"):
                return
            ((rows, expired, size),) = database.rows(
                "SELECT count(*), count(CASE WHEN expires <= $1 THEN 1 END), coalesce(sum(length(sealed)), 0)"
                " FROM substitutes",
                now,
            )
    except YettError:
        return  # which the check of the keys has told
    where = f"in {database.name}: {rows} values ({expired} past their time), {int(size) / 1024**2:.1f} MiB"
    yield Finding("vault", "ok", where)


def _vault(reading: Reading) -> Iterator[Finding]:
    if reading.settings.stores.state:
        yield from _shared_vault(reading)
        return
    path = reading.state / "vault.db"
    if not path.exists():
        return
    where = f"file:{quote(str(path.absolute()))}?mode=ro"  # looking changes nothing
    try:
        with contextlib.closing(sqlite3.connect(where, uri=True, timeout=_REACH_SECONDS)) as vault:
            ((sound,),) = vault.execute("PRAGMA quick_check(1)")
            ((rows, expired),) = vault.execute(
                "SELECT count(*), coalesce(sum(expires <= ?), 0) FROM substitutes", (int(SystemClock().now()),)
            )
    except sqlite3.Error as error:
        sound, rows, expired = str(error), 0, 0
    if sound == "ok":
        size = path.stat().st_size / 1024**2
        yield Finding("vault", "ok", f"{rows} values ({expired} past their time), {size:.1f} MiB")
    else:
        advice = "move vault.db away: a new one is begun, and tokens of earlier answers are no longer understood"
        yield Finding("vault", "failure", f"{path}: {sound}", advice)


def _attachments(settings: Settings) -> Iterator[Finding]:
    wanted = settings.inspection.attachments
    if wanted.mode == "off":
        return
    missing = [] if _version("pypdf") else ['PDF (install the extra: pip install "yett[documents]")']
    if wanted.pictures == "read" and shutil.which("tesseract") is None:
        missing.append('pictures (install tesseract, or set inspection.attachments.pictures = "metadata")')
    what = "refused" if wanted.unread == "refuse" else "passed on unread"
    if missing:
        yield Finding("attachments", "warning", f"what cannot be read is {what}", f"to read {', '.join(missing)}")
    else:
        yield Finding("attachments", "ok", f"documents and pictures are read; what cannot be is {what}")


def _guardrails(panel: Panel | None) -> Iterator[Finding]:
    for guardrail in panel.guardrails if panel else ():
        if guardrail.provider.base_url:
            trusted = Path(guardrail.provider.ca_file) if guardrail.provider.ca_file else None
            fails = "let calls pass" if guardrail.fail_open else "refuse calls"
            advice = f"check base_url, DNS and the firewall: without it guardrails {fails}"
            yield from _reached(f"guardrail {guardrail.id}", urlsplit(guardrail.provider.base_url), trusted, advice)


def _providers(reading: Reading) -> Iterator[Finding]:
    for name, provider in reading.settings.providers.items():
        kind = KINDS.get(provider.kind)
        url = urlsplit(provider.base_url or (kind.base_url if kind else ""))
        trusted = reading.resolve(provider.ca_file) if provider.ca_file else None
        yield from _reached(f"provider {name}", url, trusted, "check base_url, DNS, the firewall and ca_file")


def _operators(reading: Reading) -> Iterator[Finding]:
    settings = reading.settings.operators
    trusted = reading.resolve(settings.ca_file) if settings.ca_file else None
    advice = "check operators.issuer, DNS, the firewall and ca_file; until then only `yett operators break-glass` lets anybody in"
    yield from _reached("operators", urlsplit(settings.issuer), trusted, advice)


def _reached(check: str, url: SplitResult, trusted: Path | None, advice: str) -> Iterator[Finding]:
    """Whether somebody answers there; no key is sent."""
    if not url.hostname:
        return
    port = url.port or (443 if url.scheme == "https" else 80)
    where = f"{url.hostname}:{port}"
    try:
        with socket.create_connection((url.hostname, port), timeout=_REACH_SECONDS) as connection:
            if url.scheme == "https":
                context = ssl.create_default_context(cafile=trusted)
                context.wrap_socket(connection, server_hostname=url.hostname).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
        yield Finding(check, "failure", f"{where}: {reason}", advice)
    else:
        yield Finding(check, "ok", f"{where} answers")
