"""Ways: what policy wants done with a finding before the text leaves, the strictest first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.detectors.mask import matches

ONE_WAY = "secret"  # the family that never comes back


class Ways(Struct, frozen=True):
    """Selectors of findings: those to `redact` for good, to `tokenize`, and to put a `surrogate` for."""

    redact: tuple[str, ...] = ()
    tokenize: tuple[str, ...] = ()
    surrogate: tuple[str, ...] = ()

    @property
    def reversible(self) -> bool:
        return bool(self.tokenize or self.surrogate)

    def of(self, kind: str) -> str:
        """redact, tokenize or surrogate; "" when the finding may leave as it is."""
        tokenize, replace = _any(kind, self.tokenize), _any(kind, self.surrogate)
        if _any(kind, self.redact) or ((tokenize or replace) and matches(kind, ONE_WAY)):
            return "redact"
        return "tokenize" if tokenize else "surrogate" if replace else ""


def _any(kind: str, selectors: Sequence[str]) -> bool:
    return any(matches(kind, selector) for selector in selectors)
