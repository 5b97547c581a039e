"""Kind: what an upstream of one kind needs to be called; the items of this shelf are values of it."""

from __future__ import annotations

from msgspec import Struct


class Kind(Struct, frozen=True):
    """`name` is the `kind` of `[providers.NAME]`. `chat_path` is appended to the base URL. `prices` names the catalogue's
    provider, "" when there is none. `stream_usage`: it reports usage on streams only when asked (`stream_options`)."""

    name: str
    base_url: str
    chat_path: str
    needs_key: bool
    prices: str = ""
    stream_usage: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = (
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"yett"),
    )
