"""Content-encodings undone piece by piece, and refused where they are hostile."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.edge.encoding import Decoder
from yett.ports import UpstreamFailure


def bare(data: bytes) -> bytes:
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


ENCODINGS = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"x-gzip", gzip.compress),
    "two members": (b"gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(b"") + gzip.compress(data[3:])),
    "deflate": (b"deflate", zlib.compress),
    "stored": (b"deflate", lambda data: zlib.compress(data, 0)),
    "bare deflate": (b"deflate", bare),
}


def decode(encoding: bytes, pieces: list[bytes], limit: int = 1 << 20) -> bytes:
    decoder = Decoder(encoding, limit)
    decoded = []
    for piece in pieces:
        decoder.feed(piece)
        while taken := decoder.take():
            decoded.append(taken)
        assert not decoder.pending
    decoder.finish()
    return b"".join(decoded)


@pytest.mark.parametrize("name", ENCODINGS)
def test_split_at_every_byte(name: str) -> None:
    encoding, squeeze = ENCODINGS[name]
    data = b"the quick brown fox " * 20
    wire = squeeze(data)
    assert decode(encoding, [wire]) == data
    assert decode(encoding, [wire[place : place + 1] for place in range(len(wire))]) == data
    for place in range(len(wire)):
        assert decode(encoding, [wire[:place], wire[place:]]) == data


@pytest.mark.parametrize("name", ENCODINGS)
@given(st.binary(max_size=300), st.integers(1, 50))
def test_anything_comes_back(name: str, data: bytes, size: int) -> None:
    encoding, squeeze = ENCODINGS[name]
    wire = squeeze(data)
    assert decode(encoding, [wire[place : place + size] for place in range(0, len(wire), size)]) == data


@pytest.mark.parametrize("name", ENCODINGS)
def test_truncated(name: str) -> None:
    encoding, squeeze = ENCODINGS[name]
    wire = squeeze(b"the quick brown fox")
    with pytest.raises(UpstreamFailure) as caught:
        decode(encoding, [wire[:-1]])
    assert caught.value.outcome == "truncated"


@pytest.mark.parametrize(
    ("encoding", "wire"),
    [
        (b"gzip", b"hello"),
        (b"gzip", gzip.compress(b"x") + b"tail"),
        (b"gzip", gzip.compress(b"x" * 100)[:-5] + b"\x00" * 5),  # the checksum
        (b"deflate", zlib.compress(b"x") + b"tail"),
        (b"deflate", b"\xff\xff\xff"),
    ],
)
def test_garbage(encoding: bytes, wire: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        decode(encoding, [wire])
    assert caught.value.outcome == "garbage"


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"compress", b""])
def test_an_encoding_that_nobody_asked_for(encoding: bytes) -> None:
    with pytest.raises(UpstreamFailure, match="not asked for"):
        Decoder(encoding, 100)


def test_nothing_at_all_is_an_empty_body() -> None:
    assert decode(b"gzip", []) == b""
    assert decode(b"deflate", [b""]) == b""


def test_a_bomb_is_stopped_at_the_limit_and_in_small_pieces() -> None:
    decoder = Decoder(b"gzip", 1_000_000)
    decoder.limit(2_000_000)  # a limit is only ever lowered
    decoder.limit(300_000)
    decoder.feed(gzip.compress(bytes(50_000_000)))
    taken = [decoder.take() for _ in range(4)]
    assert [len(piece) for piece in taken] == [65_536] * 4
    assert decoder.pending
    with pytest.raises(UpstreamFailure) as caught:
        decoder.take()
    assert caught.value.outcome == "too_large"


@pytest.mark.parametrize("extra", [0, 1, 2, 258])
def test_output_that_fills_a_piece_exactly(extra: int) -> None:
    data = bytes(65_536 + extra)
    assert decode(b"gzip", [gzip.compress(data)]) == data
