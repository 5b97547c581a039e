"""Snapshot: everything a call is judged by, compiled, checked and immutable. A call keeps the one it began with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from yett.config.prices import Price, PriceBook
from yett.config.settings import Settings
from yett.detectors.engine import Scanner
from yett.detectors.exfiltration.leak import Prompt
from yett.detectors.inspector import Inspector
from yett.detectors.suppress import Suppression
from yett.identity.issuer import Issuer
from yett.identity.proxies import Proxy
from yett.identity.x509 import Authority
from yett.model.caller import Caller, Credential
from yett.model.encryption import Tls
from yett.model.fence import Fence, Fences, by_name
from yett.model.guardrail import Panel
from yett.model.key import Limits, VirtualKey
from yett.model.route import Provider, Target, Timeouts
from yett.policy.engine import PolicyEngine
from yett.policy.memo import Memo
from yett.ports import Scope
from yett.scim.directory import Directory, Rules

TENANT = "default"
TOKEN_LASTS = 660  # seconds: a task token lives for ten minutes at most, and clocks differ
VERDICTS = 8_192  # remembered per generation; one is about 280 bytes, or more when something was found
PROMPTS = 512  # system prompts, prepared; one is some ten times as large as its text
PROVEN = 4096  # tokens, remembered per generation; one is about 1.5 kB
UNPROVEN = 512
PLANS = 4096  # remembered per generation of the memo; one is 2 to 3 kB


class ModelRoute(Struct, frozen=True):
    """One model as callers name it. `prices` are by target id, None where none is known; `scopes` is what limits all its
    callers together, empty when nothing does. `max_output_tokens` is reserved for a call that names no limit."""

    name: str
    targets: tuple[Target, ...]
    by_id: Mapping[str, Target]
    prices: Mapping[str, Price | None]
    scopes: tuple[Scope, ...]
    unknown_price: str  # refuse | flag
    max_output_tokens: int
    sent_cap: int  # the part of it that is also sent as the cap; 0 when it was not configured for this model
    attempts: int


# What Yett answers itself, put to policy as a target of its own: no route is outside policy.
_SELF = Target("yett/gateway", Provider("yett", "yett", "", ("local",), (), Timeouts()), "gateway")
LOCAL = ModelRoute("", (_SELF,), MappingProxyType({_SELF.id: _SELF}), MappingProxyType({}), (), "flag", 0, 0, 1)


class TeamRoute(Struct, frozen=True):
    """One team: the models it may use (empty: whatever policy allows), what limits it, what its keys inherit."""

    name: str
    models: frozenset[str]
    scopes: tuple[Scope, ...]
    labels: Mapping[str, str]


class Snapshot(Struct, frozen=True):
    """The compiled configuration. `epoch` counts builds of this process; `digest` names what was built: settings, policies
    and price list, not the keys. `keys` and `callers` are by the digest of the key."""

    epoch: int
    digest: str
    settings: Settings
    policy: PolicyEngine
    scanner: Scanner
    inspector: Inspector  # of the loop's thread; `examiner` is for long texts, of a thread beside it
    examiner: Inspector
    prices: PriceBook
    models: Mapping[str, ModelRoute]
    teams: Mapping[str, TeamRoute]
    local: ModelRoute  # what Yett answers itself
    pepper: bytes
    proxy: str  # "" or http://[user:password@]host[:port]
    revision: int = 0  # of the shared configuration, 0 where it is in files
    sealed: int = 0  # number of the latest change of the sealed credentials in it
    tls: Tls | None = None  # of the port that callers use
    panel: Panel | None = None  # the guardrails, when there are any
    suppressions: tuple[Suppression, ...] = ()  # ended ones included
    issuers: Mapping[str, Issuer] = MappingProxyType({})  # by the URL that their tokens name
    authorities: Mapping[str, Authority] = MappingProxyType({})  # by what credentials are traced to
    proxies: Mapping[str, Proxy] = MappingProxyType({})  # by what credentials are traced to
    keys: Mapping[bytes, VirtualKey] = MappingProxyType({})
    callers: Mapping[bytes, Caller] = MappingProxyType({})
    keys_by_id: Mapping[str, VirtualKey] = MappingProxyType({})
    fences: Fences = MappingProxyType({})
    rules: Mapping[str, Rules] = MappingProxyType({})  # of the directories
    directories: Mapping[str, Directory] = MappingProxyType({})  # those that are read by the rules above
    # What stages remember lives and dies with the snapshot that it was true under.
    plans: Memo[Any] = field(default_factory=lambda: Memo(PLANS))  # of stages.decide
    verdicts: Memo[Any] = field(default_factory=lambda: Memo(VERDICTS))  # of stages.inspect
    prompts: Memo[Prompt] = field(default_factory=lambda: Memo(PROMPTS))  # of stages.watch
    proven: Memo[Any] = field(default_factory=lambda: Memo(PROVEN))  # of stages.identify_*, by its hash
    unproven: Memo[Any] = field(default_factory=lambda: Memo(UNPROVEN))  # of stages.identify_tokens
    together: Memo[tuple[Scope, ...]] = field(default_factory=lambda: Memo(PLANS))  # of `scopes_of`

    def __repr__(self) -> str:
        return f"Snapshot(epoch={self.epoch}, digest={self.digest[:12]!r})"  # it holds secrets

    @property
    def observing(self) -> bool:
        """Whether policies only record what they would have done."""
        return self.settings.mode == "observe"

    def scopes_of(self, caller: Caller, route: ModelRoute) -> tuple[Scope, ...]:
        """Everything that limits a call of `caller` to `route`: credential, team, model. Equal calls get the same tuple, by
        which the ledger knows where to count."""
        found = self.together.get((caller.like, route.name))
        if found is None:
            own = tuple(_own(name, limits) for name, limits in caller.credential.limits)
            found = own + _of_team(caller, self.teams[caller.team]) + route.scopes
            self.together.put((caller.like, route.name), found)
        return found


def _own(name: str, limits: Limits) -> Scope:
    """A key's limits, or the budget of a task token. That lasts longer than any token that it is in."""
    return Scope(name, limits, 0 if name.startswith("key:") else TOKEN_LASTS)


def _of_team(caller: Caller, team: TeamRoute) -> tuple[Scope, ...]:
    """What limits a team, for each tenant by itself: teams of one name in two tenants have nothing in common but their settings."""
    if caller.tenant == TENANT:
        return team.scopes
    return tuple(Scope(f"team@{caller.tenant}:{team.name}", scope.limits) for scope in team.scopes)


def with_keys(snapshot: Snapshot, keys: tuple[VirtualKey, ...]) -> Snapshot:
    """`snapshot` with other keys. A key of a team that yett.toml does not (or no longer) know is left out, so that it is
    refused: the limits and lists that its team was to be held to are gone."""
    by_digest = {key.digest: key for key in keys if key.team in snapshot.teams}
    secrets = Counter(key.id for key in by_digest.values())
    rotated = {key for key, count in secrets.items() if count > 1}
    return replace(
        snapshot,
        keys=MappingProxyType(by_digest),
        callers=MappingProxyType(
            {digest: _caller(key, snapshot, marked=key.id in rotated) for digest, key in by_digest.items()}
        ),
        keys_by_id=MappingProxyType(_lasting(by_digest.values())),
        plans=Memo(PLANS),
        together=Memo(PLANS),
    )


def _lasting(keys: Iterable[VirtualKey]) -> dict[str, VirtualKey]:
    """Of each key the secret that is good for longest: while one is, so is the key."""
    return {key.id: key for key in sorted(keys, key=lambda key: key.expires or math.inf)}


def with_fences(snapshot: Snapshot, fences: tuple[Fence, ...]) -> Snapshot:
    """`snapshot` with other fences. What policies said of its callers stays remembered: fences are asked before they are."""
    return replace(snapshot, fences=MappingProxyType(by_name(fences)))


def with_directories(snapshot: Snapshot, directories: Iterable[Directory]) -> Snapshot:
    """`snapshot` with these directories, except those that were read by other rules than its own: who is to be looked up in one is refused
    until it is there."""
    right = {each.rules.name: each for each in directories if snapshot.rules.get(each.rules.name) == each.rules}
    return replace(snapshot, directories=MappingProxyType(right))


def _caller(key: VirtualKey, snapshot: Snapshot, *, marked: bool) -> Caller:
    labels = {**snapshot.teams[key.team].labels, **dict(key.labels)}
    credential = Credential(
        kind="key",
        id=key.id,
        issued=key.issued or key.created,
        expires=key.expires,
        models=key.models,
        limits=() if key.limits.unlimited else ((f"key:{key.id}", key.limits),),
        fences=(f"tenant:{key.tenant}", f"team:{key.tenant}/{key.team}", f"key:{key.id}"),
        digest=key.digest,
        mark=f"…{key.last4}" if marked else "",
    )
    return Caller(key.id, key.name, key.team, key.tenant, tuple(sorted(labels.items())), credential, key.id)
