"""health: which targets and provider keys may be used now, judged by what became of earlier attempts.

    a target is   ok ──failures in a row, or half of a window──▶ open ──cool-down over──▶ half_open ──success──▶ ok
                                                                  ▲                          │
                                                                  └───── failure, twice as long ◀┘
    a key is      ok ──401, 402, 429──▶ set_aside ──time over──▶ probation ──success──▶ ok

Half-open targets and keys on probation take one call at a time. Nothing here reads a clock: `now` is monotonic seconds.
State is kept by target id, and by provider id and key, so that it survives a reload of the configuration; a key that was
replaced starts afresh.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from msgspec import Struct

from yett.config.settings import RoutingSettings
from yett.model.route import Provider, Secret, Target

WINDOW = 30.0  # seconds; failure rates are judged over the current window and the one before
WINDOW_MINIMUM = 20  # attempts in both windows below which a rate says nothing
WINDOW_RATE = 0.5
LONGEST = 600.0  # seconds; no cool-down and no Retry-After sets a target aside for longer
LONGEST_KEY = 3600.0  # seconds; a key that is not accepted is somebody's mistake, which takes time to be put right
PROBE_LEASE = 60.0  # seconds after which a probe that was never reported no longer keeps others out

# Nothing about the target: the caller went away, or the gateway gave up for reasons of its own.
_NO_VERDICT = frozenset(("cancelled", "too_large", "no_disk"))
_KEY_REFUSED = frozenset((401, 402))
_CALLERS_FAULT = frozenset((400, 405, 409, 411, 413, 414, 415, 422))


class PooledKey(Struct, frozen=True):
    """A provider key in its pool; `label` is its position, "2/3", for the record."""

    secret: Secret
    label: str


class TargetState(Struct, frozen=True):
    """For /readyz and the metrics. `state`: ok, open, half_open. `seconds` until it may be tried, 0 when it may be now."""

    id: str
    state: str
    seconds: float
    failures: int  # in a row


class KeyState(Struct, frozen=True):
    """For /readyz and the metrics. `state`: ok, set_aside, probation."""

    provider: str
    label: str
    state: str
    seconds: float


class _Gate:
    """What targets and keys have in common: closed until a time, then open to one call at a time until one has succeeded."""

    __slots__ = ("_leased_until", "closures", "status", "until")

    def __init__(self) -> None:
        self.until = 0.0  # not to be used before
        self.status = 0  # HTTP status that a key was set aside for last
        self.closures = 0  # without a success since
        self._leased_until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until a call may pass; 0.0: now."""
        if not self.closures and self.until <= now:
            return 0.0
        wait = self.until - now
        if self.closures:
            wait = max(wait, min(self._leased_until - now, 1.0))
        return max(0.0, wait)

    def take(self, now: float) -> None:
        """A call passes the gate while it is on probation, and is the only one."""
        self._leased_until = now + PROBE_LEASE

    def give_back(self) -> None:
        """The call has ended without a verdict."""
        self._leased_until = 0.0

    def open(self) -> None:
        self.until = self._leased_until = 0.0
        self.closures = 0

    def close(self, now: float, seconds: float) -> None:
        self.until = now + seconds
        self.closures += 1
        self._leased_until = 0.0

    def longer(self, seconds: float, longest: float) -> float:
        """`seconds`, doubled for every closure since the last success."""
        return min(seconds * 2.0 ** min(self.closures, 32), longest)


class _Breaker:
    """One target's."""

    __slots__ = ("_before", "_current", "_since", "failures", "gate")

    def __init__(self) -> None:
        self.gate = _Gate()
        self.failures = 0  # in a row
        self._since = 0.0
        self._current = [0, 0]  # attempts, failures of this window
        self._before = [0, 0]

    def succeeded(self, now: float) -> None:
        gate = self.gate
        if gate.closures:
            if gate.until > now:
                return  # one that began before the breaker opened
            gate.open()
        self.failures = 0
        self._count(now, 0)

    def failed(self, now: float, retry_after: float, routing: RoutingSettings) -> None:
        if self.gate.closures and self.gate.until > now:
            return
        self.failures += 1
        self._count(now, 1)
        attempts = self._current[0] + self._before[0]
        rate = (self._current[1] + self._before[1]) / attempts
        bad = attempts >= WINDOW_MINIMUM and rate >= WINDOW_RATE
        if self.gate.closures or bad or self.failures >= routing.breaker_failures:
            self.gate.close(now, self.gate.longer(routing.cooldown, max(LONGEST, routing.cooldown)))
            self._current, self._before = [0, 0], [0, 0]
        if retry_after > 0:
            self.gate.until = max(self.gate.until, now + min(retry_after, LONGEST))

    def _count(self, now: float, failures: int) -> None:
        age = now - self._since
        if age >= WINDOW:
            self._before = self._current if age < 2 * WINDOW else [0, 0]
            self._current = [0, 0]
            self._since = now
        self._current[0] += 1
        self._current[1] += failures


class _KeyPool:
    """One provider's keys, taken in turn."""

    __slots__ = ("_next", "_turns", "gates", "keys", "secrets")

    def __init__(self, secrets: tuple[Secret, ...], known: dict[Secret, _Gate]) -> None:
        self.secrets = secrets
        self.keys = tuple(PooledKey(secret, f"{place}/{len(secrets)}") for place, secret in enumerate(secrets, 1))
        self.gates = {secret: known.get(secret) or _Gate() for secret in secrets}
        self._turns = tuple((key, self.gates[key.secret]) for key in self.keys)
        self._next = 0

    def take(self, now: float) -> PooledKey | None:
        count = len(self._turns)
        for step in range(count):
            place = (self._next + step) % count
            key, gate = self._turns[place]
            if gate.wait(now) <= 0:
                self._next = place + 1
                if gate.closures:
                    gate.take(now)
                return key
        return None

    def gate(self, key: PooledKey) -> _Gate | None:
        """The gate of a key, which may have been taken before a reload; None when it has gone since."""
        for known, gate in self._turns:
            if known is key:
                return gate
        return self.gates.get(key.secret)

    def wait(self, now: float) -> float:
        soonest = math.inf
        for _, gate in self._turns:
            if not gate.closures and gate.until <= now:  # nearly always
                return 0.0
            wait = gate.wait(now)
            if wait <= 0:
                return 0.0
            soonest = min(soonest, wait)
        return soonest


class Health:
    """What is known about every target and key of this process."""

    def __init__(self, routing: RoutingSettings) -> None:
        self._routing = routing
        self._breakers: dict[str, _Breaker] = {}
        self._pools: dict[str, _KeyPool] = {}

    def configure(self, routing: RoutingSettings, targets: Iterable[Target]) -> None:
        """A new configuration is in force: what it no longer has is forgotten, everything else is kept."""
        self._routing = routing
        targets = tuple(targets)
        ids = {target.id for target in targets}
        providers = {target.provider.id: target.provider for target in targets}
        self._breakers = {name: breaker for name, breaker in self._breakers.items() if name in ids}
        self._pools = {name: pool for name, pool in self._pools.items() if name in providers}
        for provider in providers.values():
            self._pool(provider)

    def order(self, targets: Sequence[Target], roll: float, now: float) -> Iterator[Target]:
        """The targets that may be tried, best first: by priority, and among equals at random by weight.

        `roll` is a random number in [0, 1). A target is judged when its turn comes, and one that is half open is lent
        to the caller with it: `report` gives it back.
        """
        if len(targets) == 1:
            return iter(targets if self._lent(targets[0], now) else ())
        return (target for target in _arranged(targets, roll) if self._lent(target, now))

    def available_in(self, targets: Sequence[Target], now: float) -> float:
        """Seconds until the first of `targets` may be tried; 0.0 when one may be now, or when there is none."""
        return min((self._wait(target, now) for target in targets), default=0.0)

    def throttled(self, targets: Sequence[Target], now: float) -> bool:
        """Whether nothing keeps `targets` from being tried but keys that were answered 429."""
        return bool(targets) and all(self._throttled(target, now) for target in targets)

    def _throttled(self, target: Target, now: float) -> bool:
        breaker = self._breakers.get(target.id)
        if breaker is not None and breaker.gate.wait(now) > 0:
            return False
        gates = self._pool(target.provider).gates.values() if target.provider.keys else ()
        waiting = [gate for gate in gates if gate.wait(now) > 0]
        return len(waiting) == len(gates) > 0 and any(gate.status == 429 for gate in waiting)

    def key(self, provider: Provider, now: float) -> PooledKey | None:
        """The provider's next key in turn; None when it has none or all are set aside. `report` gives it back."""
        return self._pool(provider).take(now) if provider.keys else None

    def report(
        self, target: Target, key: PooledKey | None, outcome: str, status: int, retry_after: float, now: float
    ) -> None:
        """What became of an attempt: `outcome` and `status` as in its Attempt, `retry_after` in seconds, 0.0 when not said."""
        breaker = self._breakers.get(target.id)
        if breaker is None:
            breaker = self._breakers[target.id] = _Breaker()
        gate = None if key is None else self._pool(target.provider).gate(key)
        if outcome in _NO_VERDICT:
            breaker.gate.give_back()
            if gate is not None:
                gate.give_back()
        elif gate is not None and outcome == "status" and (status in _KEY_REFUSED or status == 429):
            breaker.gate.give_back()  # the target is well, and may do for another key
            self._set_aside(gate, status, retry_after, now)
        else:
            if gate is not None:
                if outcome != "ok" and status not in _CALLERS_FAULT:
                    gate.give_back()  # nothing was said about the key
                elif gate.closures and gate.until <= now:
                    gate.open()
            if outcome == "ok" or (outcome == "status" and status in _CALLERS_FAULT):
                breaker.succeeded(now)
            else:
                breaker.failed(now, retry_after, self._routing)

    def targets(self, now: float) -> tuple[TargetState, ...]:
        """The state of every target that was ever tried."""
        return tuple(
            TargetState(name, _named(breaker.gate, now, "open", "half_open"), breaker.gate.wait(now), breaker.failures)
            for name, breaker in self._breakers.items()
        )

    def keys(self, now: float) -> tuple[KeyState, ...]:
        """The state of every key that was ever looked at."""
        return tuple(
            KeyState(name, key.label, _named(gate, now, "set_aside", "probation"), gate.wait(now))
            for name, pool in self._pools.items()
            for key in pool.keys
            for gate in (pool.gates[key.secret],)
        )

    # ---- the parts ----

    def _lent(self, target: Target, now: float) -> bool:
        """Whether a target may be tried now, by whoever asks."""
        if self._wait(target, now) > 0:
            return False
        breaker = self._breakers.get(target.id)
        if breaker is not None and breaker.gate.closures:
            breaker.gate.take(now)
        return True

    def _wait(self, target: Target, now: float) -> float:
        breaker = self._breakers.get(target.id)
        wait = 0.0 if breaker is None else breaker.gate.wait(now)
        if target.provider.keys:
            keys = self._pool(target.provider).wait(now)
            if keys > wait:
                return keys
        return wait

    def _pool(self, provider: Provider) -> _KeyPool:
        pool = self._pools.get(provider.id)
        if pool is None or pool.secrets is not provider.keys:
            known = pool.gates if pool is not None else {}
            pool = self._pools[provider.id] = _KeyPool(provider.keys, known)
        return pool

    def _set_aside(self, gate: _Gate, status: int, retry_after: float, now: float) -> None:
        routing = self._routing
        gate.status = status
        if status != 429:
            seconds = gate.longer(routing.key_cooldown, max(LONGEST_KEY, routing.key_cooldown))
        elif retry_after > 0:
            seconds = min(retry_after, LONGEST)
        else:
            seconds = gate.longer(routing.backoff, routing.key_cooldown)
        if gate.until <= now:
            gate.close(now, seconds)
        elif status != 429 or retry_after > 0:  # calls that were under way together tell the same thing, but once
            gate.until = max(gate.until, now + seconds)


def _arranged(targets: Sequence[Target], roll: float) -> Iterator[Target]:
    """By priority; within one, drawn by weight without putting back. What is left of `roll` after a draw draws the next."""
    for _, group in groupby(sorted(targets, key=_priority), key=_priority):
        left = list(group)
        while len(left) > 1:
            ends = tuple(accumulate(target.weight for target in left))
            point = roll * ends[-1]
            place = min(bisect_right(ends, point), len(left) - 1)
            target = left.pop(place)
            roll = min((point - ends[place]) / target.weight + 1.0, 0.999_999)
            yield target
        yield left[0]


def _priority(target: Target) -> int:
    return target.priority


def _named(gate: _Gate, now: float, closed: str, trial: str) -> str:
    if gate.until > now:
        return closed
    return trial if gate.closures else "ok"
