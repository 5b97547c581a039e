"""settle: what a call used and what that costs, from what the provider said or, when it said nothing, from what was seen."""

from __future__ import annotations

from yett.model.usage import Usage
from yett.stages.record import Trail
from yett.stages.tokens import written_tokens

# After these the provider did not start to work on the request, or says that it does not charge for it.
_FREE = frozenset(("refused", "dns", "tls", "timeout.connect", "status"))


def used(trail: Trail, reported: Usage | None, received: int, characters: int) -> Usage:
    """What to charge: as `reported`; else estimated and flagged, from what was sent and what was `received`: bytes, and the
    characters of the answer in them."""
    if reported is None:
        if not received and all(attempt.outcome in _FREE for attempt in trail.attempts):
            return Usage()
        reported = Usage(
            input=trail.input_tokens, output=written_tokens(received, characters, trail.told), estimated=True
        )
    return _priced(trail, reported)


def _priced(trail: Trail, usage: Usage) -> Usage:
    """With its cost in micro-USD; an unknown price costs nothing and says so by `prices=""`."""
    route = trail.snapshot.models.get(trail.call.model) if trail.call else None
    price = route.prices.get(trail.target) if route else None
    if price is None:
        return usage
    cost = price.cost(usage.input, usage.cached, usage.output)
    return Usage(usage.input, usage.cached, usage.output, cost, usage.estimated, price.id)
