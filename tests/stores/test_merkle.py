"""The tree against the definition in RFC 6962, and against published vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.stores.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, tree_root

# Certificate Transparency's reference inputs and roots.
INPUTS = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes([number])) for number in range(20)]


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


def test_published_vectors() -> None:
    assert tree_root([]) == EMPTY_ROOT == sha256(b"").digest()
    for count, root in enumerate(ROOTS, 1):
        assert tree_root([leaf_hash(each) for each in INPUTS[:count]]).hex() == root


@given(st.integers(0, 200))
@settings(deadline=None)
def test_frontier_agrees_with_the_definition(count: int) -> None:
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(count)]
    assert tree_root(leaves) == by_definition(leaves)


def test_frontier_survives_being_stored_at_every_size() -> None:
    for count in range(len(LEAVES)):
        half = Frontier()
        for leaf in LEAVES[:count]:
            half.append(leaf)
        again = Frontier.load(half.size, half.dump())
        for leaf in LEAVES[count:]:
            again.append(leaf)
        assert again.root() == by_definition(LEAVES)


@pytest.mark.parametrize(("size", "packed"), [(3, b"x" * 32), (1, b"x" * 31), (0, b"x"), (-1, b"")])
def test_a_frontier_that_cannot_be_is_refused(size: int, packed: bytes) -> None:
    with pytest.raises(ValueError, match="not the frontier"):
        Frontier.load(size, packed)
