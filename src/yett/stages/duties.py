"""Duties: the obligations of a verdict, by what has to be done."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.model.decision import Obligation


class Duties(Struct, frozen=True):
    """`redact` are selectors (families or kinds), `cap` is a number of output tokens, 0 for none, `tags` are labels for the
    record. `route` is not here: it has done its work when the targets were chosen."""

    redact: tuple[str, ...] = ()
    cap: int = 0
    tags: tuple[str, ...] = ()


NONE = Duties()


def duties_of(obligations: Sequence[Obligation]) -> Duties:
    if not obligations:
        return NONE
    caps = [int(o.argument.removeprefix("max_tokens=")) for o in obligations if o.verb == "cap"]
    return Duties(
        redact=tuple(o.argument for o in obligations if o.verb == "redact"),
        cap=min(caps, default=0),
        tags=tuple(o.argument for o in obligations if o.verb == "tag"),
    )
