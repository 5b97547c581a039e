"""Substitute: what stands for a value while it is away, a token or a made-up value."""

from __future__ import annotations

from msgspec import Struct

from yett.model.route import Secret


class Substitute(Struct, frozen=True):
    """`shown` stands for `value`, which was a finding of `kind`. The value can be neither printed nor serialised by accident."""

    kind: str
    shown: str
    value: Secret
