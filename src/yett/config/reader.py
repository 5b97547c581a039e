"""Reads yett.toml: syntax, types, references to secrets and between tables; every mistake with its file and line."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from yett.config.checks import REFERENCES, check_references, limits_trouble
from yett.config.decoding import Problem, decode, dotted, suggestion
from yett.config.guardrail_checks import check_guardrails
from yett.config.identity_checks import check_identity
from yett.config.lines import KeyPath, line_of, locate
from yett.config.oauth_checks import check_oauth
from yett.config.operator_checks import check_operators
from yett.config.provider_settings import ProviderSettings
from yett.config.sealed import Place, Unseal, Unsealed
from yett.config.settings import Settings
from yett.config.shared import FILE, FOLDER, OWN, Part, current, shared_part
from yett.errors import ConfigurationError, Mistake
from yett.model.route import Secret

_MOST_BYTES = 4 * 1024**2
_MOST_DEPTH = 100
_MOST_SECRET = 16_384
_MOST_CERTIFICATES = 1024**2
_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
TOKEN_FILE = "token_file"  # noqa: S105 - what a platform writes for the workload: a secret, so the machine's own
PRIVATE_KEY = "private_key"  # the one setting, in several tables, whose secret has lines
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Reading(Struct, frozen=True):
    """What was read of one yett.toml, right or wrong: where something is wrong, a default stands in `settings`.

    `secrets` are by reference ("env:NAME"), `certificates` are contents by the names of their files; `sealed` is where those of
    "sealed:NAME" are from; `root` is the directory that relative paths start from, but those of the shared part start from its own.
    """

    file: str
    root: Path
    settings: Settings
    secrets: Mapping[str, Secret]
    mistakes: tuple[Mistake, ...]
    lines: Mapping[KeyPath, int]
    certificates: Mapping[str, bytes] = {}
    fingerprint: bytes = b""  # of the file's content
    sealed: Unsealed | None = None  # when there are any
    parsed: bool = True  # False: nothing at all could be made of the file
    shared: Part | None = None  # what is the same for all gateways, when that is not in the file

    def mistake(self, path: KeyPath, message: str) -> Mistake:
        """A mistake about the setting at `path`."""
        where = dotted(path)
        file = self.file
        if self.shared is not None and path and path[0] not in OWN and line_of(self.shared.lines, path):
            file = str(self.shared.folder / FILE)
        return Mistake(file, line_of(self.lines, path), f"{where}: {message}" if where else message)

    def resolve(self, name: str) -> Path:
        """A path of what gateways may share, relative to the file that names it."""
        return _under(self.shared.folder if self.shared is not None else self.root, name)

    def own(self, name: str) -> Path:
        """A path of what is always the machine's own, and of secrets, relative to its yett.toml."""
        return _under(self.root, name)

    def path_of(self, setting: KeyPath, name: str) -> Path:
        """A path that a setting names."""
        return self.own(name) if setting[0] in OWN or setting[-1] == TOKEN_FILE else self.resolve(name)

    @property
    def revision(self) -> int:
        """Of the shared configuration, 0 where there is none."""
        return self.shared.revision if self.shared is not None else 0

    @property
    def state(self) -> Path:
        return self.own(self.settings.state.dir)

    @property
    def audit(self) -> Path:
        return self.own(self.settings.audit.dir) if self.settings.audit.dir else self.state / "audit"

    @property
    def limits(self) -> str:
        """Address of the store of limits, "" when it is a file of this machine."""
        secret = self.secrets.get(self.settings.stores.limits)
        return secret.reveal() if secret else self.settings.stores.limits

    @property
    def policies(self) -> Path:
        return self.resolve(self.settings.policy.dir)


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
            value, trouble = _secret_file(reading.own(name), lines=path[-1] == PRIVATE_KEY)
            known = reading.secrets.get(reference)
            if (Secret(value) if not trouble else None) != known:
                return True
    for path, name in _certificate_files(reading.settings):
        if _certificates(reading.path_of(path, name))[0] != reading.certificates.get(name):
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
    file = str(path)
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
    secrets = {} if environment is None else _secrets(settings, path.parent, environment, problems)
    if (secret := secrets.get(settings.stores.limits)) and (trouble := limits_trouble(secret.reveal(), settings)):
        problems.append((("stores", "limits"), trouble))
    reading = Reading(file, path.parent, settings, secrets, (), lines, shared=shared)
    if environment is not None:
        reading = _with_sealed(reading, unseal, problems)
    problems += _files(reading)
    reading = _with_certificates(reading, problems)
    mistakes = [reading.mistake(where, message) for where, message in problems]
    mistakes += shared.mistakes if shared is not None else ()
    mistakes.sort(key=lambda mistake: mistake.line)
    return structs.replace(reading, mistakes=tuple(mistakes))


def _under(root: Path, name: str) -> Path:
    """`name` relative to `root`, or as it is. An unknown `~user` is left as it stands, and then is not found."""
    try:
        return root / Path(name).expanduser()
    except RuntimeError:
        return root / name


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


def secret_references(settings: Settings) -> list[tuple[KeyPath, str]]:
    """Every reference to a secret, with the setting that makes it."""
    found: list[tuple[KeyPath, str]] = []
    tls = settings.gateway.tls
    single: list[tuple[KeyPath, str]] = [
        (("admin", "token"), settings.admin.token),
        (("operators", "client_secret"), settings.operators.client_secret),
        (("gateway", "tls", PRIVATE_KEY), tls.private_key if tls is not None else ""),
        (("credentials", "kek"), settings.credentials.kek),
        (("credentials", "transit", "token"), settings.credentials.transit.token),
    ]
    found += [(path, reference) for path, reference in single if reference]
    if settings.routing.proxy.startswith(REFERENCES):
        found.append((("routing", "proxy"), settings.routing.proxy))
    stores = settings.stores
    for setting, written in (("state", stores.state), ("pepper", stores.pepper), ("limits", stores.limits)):
        if written.startswith(REFERENCES):
            found.append((("stores", setting), written))
    for name, provider in settings.providers.items():
        found += [(("providers", name, *path), reference) for path, reference in _references(provider) if reference]
    found += [(("receivers", name, "token"), one.token) for name, one in settings.receivers.items() if one.token]
    for name, guardrail in settings.guardrails.items():
        for setting in ("key", "access_key", "session_token"):
            if reference := getattr(guardrail, setting):
                found.append((("guardrails", name, setting), reference))
    return found


def _references(provider: ProviderSettings) -> Iterator[tuple[KeyPath, str]]:
    yield ("key",), provider.key
    for index, key in enumerate(provider.keys):
        yield ("keys", index), key
    if provider.oauth is not None:
        yield ("oauth", "client_secret"), provider.oauth.client_secret
        yield ("oauth", PRIVATE_KEY), provider.oauth.private_key


def _secrets(
    settings: Settings, root: Path, environment: Mapping[str, str], problems: list[Problem]
) -> dict[str, Secret]:
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
    return _secret_file(_under(root, name), lines=lines)


def _with_sealed(reading: Reading, unseal: Unseal | None, problems: list[Problem]) -> Reading:
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


def _secret_file(path: Path, *, lines: bool = False) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            value = file.read(_MOST_SECRET + 1).decode("utf-8")
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


def _with_certificates(reading: Reading, problems: list[Problem]) -> Reading:
    """`reading` with the certificates that it names. A file that cannot be read counts as empty, until it can."""
    found: dict[str, bytes] = {}
    where: dict[str, Path] = {}
    for path, name in _certificate_files(reading.settings):
        file = reading.path_of(path, name)
        if where.setdefault(name, file) != file:
            problems.append((path, f"{name} is a file of this machine as well: give it another name"))
            continue
        found[name], trouble = _certificates(file)
        if trouble:
            problems.append((path, trouble))
    return structs.replace(reading, certificates=found)


def _certificate_files(settings: Settings) -> list[tuple[KeyPath, str]]:
    tls, identity = settings.gateway.tls, settings.identity
    named: list[tuple[KeyPath, str]] = [(("gateway", "tls", "certificate_file"), tls.certificate_file if tls else "")]
    for name, domain in identity.trust_domains.items():
        named.append((("identity", "trust_domains", name, "x509_bundle_file"), domain.x509_bundle_file))
    for name, authority in identity.client_cas.items():
        named.append((("identity", "client_cas", name, "ca_file"), authority.ca_file))
    return [(path, file) for path, file in named if file]


def _certificates(path: Path) -> tuple[bytes, str]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_CERTIFICATES + 1)
    except OSError as error:
        return b"", f"the file {path} cannot be read: {error.strerror}"
    return (raw, "") if len(raw) <= _MOST_CERTIFICATES else (b"", f"the file {path} is too large for certificates")


def _files(reading: Reading) -> list[Problem]:
    settings = reading.settings
    named: list[tuple[KeyPath, str]] = [(("providers", n, "ca_file"), p.ca_file) for n, p in settings.providers.items()]
    named += [
        (("providers", n, "oauth", setting), file)
        for n, p in settings.providers.items()
        if p.oauth is not None
        for setting, file in (("ca_file", p.oauth.ca_file), ("token_file", p.oauth.token_file))
    ]
    named += [
        (("providers", n, "aws", setting), file)
        for n, p in settings.providers.items()
        if p.aws is not None
        for setting, file in (("ca_file", p.aws.ca_file), (TOKEN_FILE, p.aws.token_file))
    ]
    named.append((("credentials", "transit", "ca_file"), settings.credentials.transit.ca_file))
    named.append((("stores", "ca_file"), settings.stores.ca_file))
    named.append((("operators", "ca_file"), settings.operators.ca_file))
    for name, receiver in settings.receivers.items():
        named.append((("receivers", name, "ca_file"), receiver.ca_file))
        named.append((("receivers", name, "jwks_file"), receiver.jwks_file))
    named += [(("guardrails", name, "ca_file"), one.ca_file) for name, one in settings.guardrails.items()]
    for name, issuer in settings.identity.issuers.items():
        path = ("identity", "issuers", name)
        named += [((*path, "ca_file"), issuer.ca_file), ((*path, "jwks_file"), issuer.jwks_file)]
    for name, domain in settings.identity.trust_domains.items():
        path = ("identity", "trust_domains", name)
        named += [((*path, "ca_file"), domain.ca_file), ((*path, "bundle_file"), domain.bundle_file)]
    for name, one in settings.guardrails.items():
        if one.folder:
            path = ("guardrails", name, "folder")
            named += [(path, f"{one.folder}/model.onnx"), (path, f"{one.folder}/tokenizer.json")]
    return [
        (path, f"there is no file {reading.path_of(path, file)}")
        for path, file in named
        if file and not reading.path_of(path, file).is_file()
    ]
