"""Ways: what policy wants done with a finding before the text leaves, for good or not."""

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
        """redact, tokenize or surrogate; "" when the finding may leave as it is. Of the last two, the one whose selector is closer."""
        tokenize, replace = _closest(kind, self.tokenize), _closest(kind, self.surrogate)
        if _closest(kind, self.redact) or ((tokenize or replace) and matches(kind, ONE_WAY)):
            return "redact"
        return "" if not tokenize and not replace else "tokenize" if tokenize >= replace else "surrogate"


def _closest(kind: str, selectors: Sequence[str]) -> int:
    """The length of the longest selector that means this kind, 0 when none does."""
    return max((len(selector) for selector in selectors if matches(kind, selector)), default=0)
