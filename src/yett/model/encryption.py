"""Encryption: how connections to the port that callers use are protected."""

from __future__ import annotations

from msgspec import Struct

from yett.model.route import Secret


class Tls(Struct, frozen=True):
    """`chain` (PEM) and `key` belong together. `name` is equal for what was made of equal files and settings; `handshake` is in
    seconds."""

    name: bytes
    chain: bytes
    key: Secret
    handshake: float
    clients: str = "none"  # whether callers are asked for certificates of their own: none, optional, required
    trusted: str = ""  # by whom those may be signed, PEM
