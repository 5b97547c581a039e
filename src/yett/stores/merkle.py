"""The RFC 6962 Merkle tree: leaf and node hashes, and an append frontier of O(log n) state. Pure.

A leaf is hashed with a 0x00 in front and a node with a 0x01, so that no node can pass for a leaf (RFC 6962 §2.1). The
frontier keeps only the roots of the complete subtrees, largest first: appending merges equal sizes from the right like
carrying in a binary counter, and the tree's root folds what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d0}): 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: 32 bytes."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree, reduced to what appending needs. `size` counts leaves; `hashes` are the complete subtrees' roots."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Raises ValueError when `hashes` are not as many as `size` has bits set, or not 32 bytes each."""
        if size < 0 or len(hashes) != size.bit_count() or any(len(each) != HASH_BYTES for each in hashes):
            raise ValueError("not the frontier of a tree of this size")
        self.size = size
        self.hashes = list(hashes)

    @classmethod
    def load(cls, size: int, packed: bytes) -> Frontier:
        """The inverse of `dump`. Raises ValueError."""
        return cls(size, [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)])

    def dump(self) -> bytes:
        return b"".join(self.hashes)

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        carry = self.size
        hashes = self.hashes
        while carry & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            carry >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()
