"""Verdicts that were given before: agents send their whole history each turn, and a text is judged once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from yett.guardrails.kind import Signal

MOST_TENANTS = 256

Key = tuple[str, str, str, bytes]  # settings of the guardrail, side, role, digest of the text


class Digests:
    """Names texts by their content, each of a question once, however many guardrails are shown it."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def of(self, text: str) -> bytes:
        digest = self._known.get(text)
        if digest is None:
            digest = self._known[text] = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return digest


class Verdicts:
    """Kept apart by tenant: nobody learns from how fast an answer comes what another tenant has asked, and nobody's flood
    drives out what others have. Bounded in both; what was not asked for longest goes first. Holds no text."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, OrderedDict[Key, tuple[float, tuple[Signal, ...]]]] = OrderedDict()

    def find(self, tenant: str, key: Key, now: float) -> tuple[Signal, ...] | None:
        kept = self._tenants.get(tenant)
        if kept is None or key not in kept:
            return None
        self._tenants.move_to_end(tenant)
        until, signals = kept[key]
        if until <= now:
            del kept[key]
            return None
        kept.move_to_end(key)
        return signals

    def keep(self, tenant: str, key: Key, signals: tuple[Signal, ...], until: float, most: int) -> None:
        """Remember a whole verdict until this time, among at most `most` of the tenant's."""
        if most <= 0:
            return
        kept = self._tenants.setdefault(tenant, OrderedDict())
        self._tenants.move_to_end(tenant)
        kept[key] = (until, signals)
        kept.move_to_end(key)
        while len(kept) > most:
            kept.popitem(last=False)
        while len(self._tenants) > MOST_TENANTS:
            self._tenants.popitem(last=False)

    def __len__(self) -> int:
        return sum(len(kept) for kept in self._tenants.values())
