"""From yett.toml and the policies beside it to a Snapshot, or to every mistake in all of them together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec import Struct

from yett.config import guardrails, identity, inspection
from yett.config.oauth import check_keys, grant
from yett.config.prices import Price, PriceBook, own_price
from yett.config.provider_settings import ProviderSettings
from yett.config.reader import changed, fingerprint, read
from yett.config.reading import Reading
from yett.config.scim_settings import rules
from yett.config.sealed import Unseal
from yett.config.settings import LimitSettings, ModelSettings, Settings, TeamSettings
from yett.config.snapshot import LOCAL, ModelRoute, Snapshot, TeamRoute, with_keys
from yett.config.suppressions import suppressions
from yett.config.tenants import tenants
from yett.config.tls import tls
from yett.config.units import parse_budget
from yett.config.wholes import topic_names, wholes
from yett.detectors.detector import Detector
from yett.detectors.engine import Scanner
from yett.detectors.exfiltration.canary import key_of
from yett.detectors.sieve import Automaton
from yett.detectors.traits import VOCABULARY
from yett.errors import ConfigurationError, Mistake
from yett.identity.issuer import by_url
from yett.model.key import Limits, VirtualKey
from yett.model.route import Provider, Target, Timeouts
from yett.model.segment import ORIGINS
from yett.policy.engine import PolicyEngine
from yett.ports import Scope
from yett.providers.shelf import KINDS

Build = Callable[[tuple[bytes, ...]], Automaton]
_MOST_POLICY_BYTES = 4 * 1024**2


class Sources(Struct, frozen=True):
    """The operator's files as they were at one moment. `policies` are texts by the names that mistakes show."""

    reading: Reading
    policies: Mapping[str, str]
    mistakes: tuple[Mistake, ...]  # of the policy files themselves: unreadable, none there
    fingerprints: Mapping[str, bytes]  # of the policy files' contents

    def changed(self) -> bool:
        """Whether the same files have another content now."""
        return {
            str(path): fingerprint(_content(path)[0]) for path in _policy_files(self.reading)
        } != self.fingerprints or changed(self.reading)

    @property
    def digest(self) -> str:
        """Names the content: equal for equal settings and policies, wherever they stand and however they are laid out."""
        whole = hashlib.sha256(msgspec.json.encode(self.reading.settings, order="deterministic"))
        for name, text in sorted(self.policies.items()):
            for part in (Path(name).name, text):
                encoded = part.encode()
                whole.update(len(encoded).to_bytes(8, "big") + encoded)
        return whole.hexdigest()


def gather(
    path: Path, environment: Mapping[str, str] | None, unseal: Unseal | None = None, folder: Path | None = None
) -> Sources:
    """Read yett.toml at `path`, the policies it names and, with `unseal`, sealed credentials. Raises nothing: what is wrong is in the
    result. For `environment` and `folder` see `read`."""
    reading = read(path, environment, unseal, folder)
    texts: dict[str, str] = {}
    fingerprints: dict[str, bytes] = {}
    mistakes: list[Mistake] = []
    for file in _policy_files(reading):
        raw, trouble = _content(file)
        fingerprints[str(file)] = fingerprint(raw)
        line = 0
        try:
            texts[str(file)] = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line, trouble = raw.count(b"\n", 0, error.start) + 1, "is not UTF-8 text"
        if trouble:
            mistakes.append(Mistake(str(file), line, trouble))
    nothing_yet = reading.shared is not None and folder is None and not reading.revision  # which is told already
    if not fingerprints and reading.parsed and not nothing_yet:
        missing = "no .cedar file in" if reading.policies.is_dir() else "no directory"
        trouble = f"there is {missing} {reading.policies}; without policies every call is refused"
        mistakes.append(reading.mistake(("policy", "dir"), trouble))
    return Sources(reading, texts, tuple(mistakes), fingerprints)


def compile_snapshot(
    sources: Sources, *, epoch: int, pepper: bytes, keys: tuple[VirtualKey, ...] = (), build: Build | None = None
) -> Snapshot:
    """Check everything and compile it. `build` makes the automata, when not the library anew. Raises ConfigurationError with
    every mistake in all files."""
    reading = sources.reading
    settings = reading.settings
    mistakes = [*reading.mistakes, *sources.mistakes]
    scanner = Scanner(inspection.detectors(reading, mistakes, key_of(pepper)), build)
    check_keys(reading, mistakes)
    whole = wholes(reading, mistakes)
    authorities = identity.authorities(reading, mistakes)
    encryption = tls(reading, authorities.values(), mistakes)
    suppressed = suppressions(reading, mistakes)
    policy = _policy(sources, scanner, mistakes)
    if mistakes or policy is None:
        raise ConfigurationError(tuple(mistakes))
    prices = PriceBook.load()
    providers = {name: _provider(name, provider, reading) for name, provider in settings.providers.items()}
    snapshot = Snapshot(
        epoch=epoch,
        digest=sources.digest,
        settings=settings,
        policy=policy,
        scanner=scanner,
        suppressions=suppressed,
        inspector=inspection.inspector(settings, scanner, policy, whole, build),
        examiner=inspection.inspector(settings, Scanner(scanner.detectors, build), policy, whole, build),
        prices=prices,
        models=MappingProxyType(
            {name: _model(name, model, settings, providers, prices) for name, model in settings.models.items()}
        ),
        teams=MappingProxyType({name: _team(name, team) for name, team in settings.teams.items()}),
        local=LOCAL,
        pepper=pepper,
        proxy=proxy_of(reading),
        panel=guardrails.panel(reading),
        sealed=reading.sealed.change if reading.sealed is not None else 0,
        revision=reading.revision,
        tls=encryption,
        authorities=authorities,
        proxies=identity.proxies(settings),
        issuers=by_url(identity.issuers(reading)),
        rules=MappingProxyType({name: rules(name, directory) for name, directory in settings.scim.items()}),
    )
    return with_keys(snapshot, keys)


def limits_of(settings: LimitSettings) -> Limits:
    """The limits that a table describes."""
    budget = parse_budget(settings.budget) if settings.budget else None
    return Limits(rpm=settings.rpm, tpm=settings.tpm, concurrency=settings.concurrency, budget=budget)


def _policy_files(reading: Reading) -> list[Path]:
    return sorted(reading.policies.glob("*.cedar"))


def _content(path: Path) -> tuple[bytes, str]:
    """A policy file's content, and why it is not usable, "" when it is."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_POLICY_BYTES + 1)
    except OSError as error:
        return b"", f"cannot be read: {error.strerror}"
    return raw, "" if len(raw) <= _MOST_POLICY_BYTES else f"is larger than {_MOST_POLICY_BYTES} bytes"


def finding_names(settings: Settings, detectors: Iterable[Detector]) -> frozenset[str]:
    """Everything that a finding may be called, the families, and those by who wrote the text (`injection@tool`)."""
    known = (inspection.finding_names(detectors), guardrails.finding_names(settings), topic_names(settings))
    names = frozenset(name for some in known for name in some)
    families = {name.partition(".")[0] for name in names}
    return names | {f"{family}@{role}" for family in families for role in ORIGINS}


def _policy(sources: Sources, scanner: Scanner, mistakes: list[Mistake]) -> PolicyEngine | None:
    settings = sources.reading.settings
    known: dict[str, Iterable[str]] = {
        "finding": finding_names(settings, scanner.detectors),
        **VOCABULARY,
        "Tenant": tenants(settings),
    }
    if not sources.reading.mistakes:  # else a name that is missing there would be reported again wherever it is used
        known["Team"] = settings.teams
        known["Model"] = settings.models
        known["Provider"] = {*settings.providers, *(target.provider.id for target in LOCAL.targets)}
        named = {f"{t.provider}/{t.model}" for model in settings.models.values() for t in model.targets}
        known["Target"] = named.union(LOCAL.by_id)
    try:
        return PolicyEngine.load(sources.policies, known)
    except ConfigurationError as error:
        mistakes.extend(error.mistakes)
        return None


def _provider(name: str, settings: ProviderSettings, reading: Reading) -> Provider:
    references = (settings.key,) if settings.key else settings.keys
    timeouts = settings.timeouts
    return Provider(
        id=name,
        kind=settings.kind,
        base_url=(settings.base_url or KINDS[settings.kind].base_url).rstrip("/"),
        labels=tuple(sorted(set(settings.labels))),
        keys=tuple(reading.secrets[reference] for reference in references),
        timeouts=Timeouts(timeouts.connect, timeouts.first_byte, timeouts.between_chunks, timeouts.total),
        ca_file=str(reading.resolve(settings.ca_file)) if settings.ca_file else "",
        grant=grant(settings, reading),
    )


def proxy_of(reading: Reading) -> str:
    written = reading.settings.routing.proxy
    return reading.secrets[written].reveal() if written in reading.secrets else written


def _model(
    name: str, model: ModelSettings, settings: Settings, providers: Mapping[str, Provider], prices: PriceBook
) -> ModelRoute:
    targets = tuple(
        Target(f"{t.provider}/{t.model}", providers[t.provider], t.model, t.weight, t.priority) for t in model.targets
    )
    return ModelRoute(
        name=name,
        targets=targets,
        by_id=MappingProxyType({target.id: target for target in targets}),
        prices=MappingProxyType({target.id: _price(prices, settings, target) for target in targets}),
        scopes=_scopes(f"model:{name}", model.limits),
        unknown_price=model.unknown_price,
        max_output_tokens=model.max_output_tokens or settings.limits.default_output_tokens,
        sent_cap=model.max_output_tokens or 0,
        attempts=model.attempts or settings.routing.attempts,
    )


def _team(name: str, team: TeamSettings) -> TeamRoute:
    return TeamRoute(
        name, frozenset(team.models), _scopes(f"team:{name}", team.limits), MappingProxyType(dict(team.labels))
    )


def _scopes(scope: str, settings: LimitSettings) -> tuple[Scope, ...]:
    limits = limits_of(settings)
    return () if limits.unlimited else (Scope(scope, limits),)


def _price(prices: PriceBook, settings: Settings, target: Target) -> Price | None:
    """The operator's own price of a target, else the price list's."""
    if (own := settings.prices.get(target.id)) is not None:
        return own_price(own)
    provider = target.provider
    return prices.find(KINDS[provider.kind].prices, target.model, provider.base_url)
