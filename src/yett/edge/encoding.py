"""Undo a reply's content-encoding piece by piece, and never more of it than was asked for (decompression bombs)."""

from __future__ import annotations

import zlib
from typing import Any

from yett.ports import UpstreamFailure

_PIECE = 65_536  # most bytes that one take() gives
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's wbits


class Decoder:
    """gzip (RFC 1952, several members too), x-gzip, and deflate both as zlib (RFC 1950) and bare (RFC 1951).

    Feed what arrives, take pieces of at most 64 KiB until an empty one. At most `limit` decoded bytes come out in all.
    Raises UpstreamFailure: garbage for what does not decode, too_large past the limit, truncated from `finish`.
    """

    __slots__ = ("_gzip", "_inner", "_input", "_limit", "_more", "_total")

    def __init__(self, encoding: bytes, limit: int) -> None:
        if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
            raise UpstreamFailure("garbage", "the reply has a content-encoding that was not asked for")
        self._gzip = encoding != b"deflate"
        self._inner: Any = None  # zlib's decompressor; None until the first byte
        self._input = b""
        self._limit = limit
        self._more = False  # zlib may hold output although its input is used up
        self._total = 0

    @property
    def pending(self) -> bool:
        """There may be more to take before anything else is fed."""
        return self._more or bool(self._input)

    def limit(self, limit: int) -> None:
        """Lower the limit to `limit` bytes."""
        self._limit = min(self._limit, limit)

    def feed(self, data: bytes) -> None:
        self._input = self._input + data if self._input else data

    def take(self) -> bytes:
        """The next decoded piece; empty when more input is needed."""
        while self._more or self._input:
            if self._inner is None or self._inner.eof:
                self._inner = self._begin()
            try:
                piece: bytes = self._inner.decompress(self._input, _PIECE)
            except zlib.error:
                raise UpstreamFailure("garbage", "the reply's content-encoding does not decode") from None
            ended = self._inner.eof
            self._more = not ended and len(piece) == _PIECE
            self._input = self._inner.unused_data if ended else self._inner.unconsumed_tail
            if piece:
                self._total += len(piece)
                if self._total > self._limit:
                    raise UpstreamFailure("too_large", f"the decoded reply exceeds {self._limit} bytes")
                return piece
        return b""

    def finish(self) -> None:
        """The encoded body has ended. An empty one (a reply to HEAD, a 304) is an empty body."""
        if self._inner is not None and not self._inner.eof:
            raise UpstreamFailure("truncated", "the reply's content-encoding ends in the middle")

    def _begin(self) -> Any:
        if self._gzip:
            return zlib.decompressobj(_GZIP)
        if self._inner is not None:
            raise UpstreamFailure("garbage", "bytes follow the end of the reply's content-encoding")
        # RFC 9110 section 8.4.1.2 means zlib, some servers send bare deflate. A zlib header's first byte would be a stored
        # block with padding bits set, which no encoder writes.
        return zlib.decompressobj(_ZLIB if self._input[0] & 0x8F == 0x08 else _RAW)
