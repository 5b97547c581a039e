"""Signed checkpoints of an audit log, in the C2SP tlog-checkpoint and signed-note formats.

    yett.local/audit/w-6920c1f0-9f8e7d6c            origin: the log
    1000                                            size: how many records
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    root of the RFC 6962 tree over them
    yett 3 1763710000000000 open 990 4096 …=        index, microseconds, state, oldest open intent, blob bytes, blob chain
    prev …=                                         SHA-256 of the checkpoint before this one: a removed one leaves a gap
    frontier …=                                     the tree's frontier, so that recovery need not rehash the past
                                                    (an empty line)
    — yett.local/audit/w-6920c1f0-9f8e7d6c …=       Ed25519 over everything above the empty line

Sources: C2SP tlog-checkpoint and signed-note (https://c2sp.org). Lines four to six are extension lines.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from yett.errors import ConfigurationError, IntegrityError, Mistake
from yett.stores.secret_file import create_once, secret_file

ALGORITHM_ED25519 = b"\x01"
ZERO = bytes(32)
HASH = rb"([A-Za-z0-9+/]{43}=)"
NUMBER = rb"(0|[1-9][0-9]{0,17})"
NOTE = re.compile(
    rb"([!-~]+)\n" + NUMBER + rb"\n" + HASH + rb"\n"
    rb"yett " + NUMBER + b" " + NUMBER + rb" (open|closed|recovered) " + NUMBER + b" " + NUMBER + b" " + HASH + rb"\n"
    rb"prev " + HASH + rb"\n"
    rb"frontier ([A-Za-z0-9+/=]*)\n"
    rb"\n"
    rb"\xe2\x80\x94 ([!-~]+) ([A-Za-z0-9+/]{91}=)\n"
)


class Checkpoint(Struct, frozen=True):
    """What is signed: the log `origin` had `size` records with this tree `root` at `ts` (microseconds)."""

    origin: str
    size: int
    root: bytes
    index: int
    ts: int
    prev: bytes = ZERO
    state: str = "open"  # open; closed by its own process; recovered: closed by a later one
    since: int = 0  # the oldest intent whose outcome is still out; == size when there is none
    blobs: int = 0  # bytes of the blob file
    blobs_chain: bytes = ZERO
    frontier: bytes = b""

    def text(self) -> bytes:
        return (
            f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"
            f"yett {self.index} {self.ts} {self.state} {self.since} {self.blobs} {_b64(self.blobs_chain)}\n"
            f"prev {_b64(self.prev)}\nfrontier {_b64(self.frontier)}\n"
        ).encode()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def note_digest(note: bytes) -> bytes:
    """What the next checkpoint's `prev` holds: 32 bytes."""
    return sha256(note).digest()


def key_hash(name: str, public: bytes) -> bytes:
    """The 4-byte key id of the signed-note format."""
    return sha256(name.encode() + b"\n" + ALGORITHM_ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """`name+hash+key`, the signed-note text form of a public key."""
    return f"{name}+{key_hash(name, public).hex()}+{_b64(ALGORITHM_ED25519 + public)}"


class Signer:
    """The deployment's audit signing key. `name` is the origin that all its logs' origins begin with."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self.name = name
        self._key = key
        self.public = key.public_key().public_bytes_raw()

    @classmethod
    def load(cls, path: Path, name: str) -> Signer:
        """Read the key file (32 bytes in hex, mode 0600), making it on first start. Raises ConfigurationError."""
        text = secret_file(path, lambda: Ed25519PrivateKey.generate().private_bytes_raw().hex().encode() + b"\n")
        try:
            seed = bytes.fromhex(text.decode("ascii").strip())
            return cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        except ValueError as error:
            raise ConfigurationError((Mistake(str(path), 0, "is not an Ed25519 key: 32 bytes in hex"),)) from error

    def export(self, path: Path) -> None:
        """Put the public key beside the journal. Raises IntegrityError when another key's is there."""
        text = verifier_key(self.name, self.public) + "\n"
        if not path.exists():
            create_once(path, text.encode(), 0o644)
        if (found := path.read_text(errors="replace")) != text:
            raise IntegrityError(
                f"{path}: this journal was signed with another key ({found.strip()[:80]}); give back its key file, or "
                "move the folder away to begin a new journal"
            )

    def sign(self, checkpoint: Checkpoint) -> bytes:
        """The signed note."""
        text = checkpoint.text()
        signature = key_hash(checkpoint.origin, self.public) + self._key.sign(text)
        return text + f"\n— {checkpoint.origin} {_b64(signature)}\n".encode()

    def read(self, note: bytes) -> Checkpoint:
        """Check a note that this key should have signed. Raises IntegrityError."""
        found = NOTE.fullmatch(note)
        if found is None:
            raise IntegrityError("not a checkpoint")
        origin, size, root, index, ts, state, since, blobs, chain, prev, frontier, name, signature = found.groups()
        signed = base64.b64decode(signature)
        if name != origin or signed[:4] != key_hash(origin.decode(), self.public):
            raise IntegrityError("a checkpoint of another key")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signed[4:], note[: note.index(b"\n\n") + 1])
        except InvalidSignature:
            raise IntegrityError("a checkpoint with a wrong signature") from None
        return Checkpoint(
            origin=origin.decode(),
            size=int(size),
            root=base64.b64decode(root),
            index=int(index),
            ts=int(ts),
            prev=base64.b64decode(prev),
            state=state.decode(),
            since=int(since),
            blobs=int(blobs),
            blobs_chain=base64.b64decode(chain),
            frontier=base64.b64decode(frontier),
        )


def split_notes(data: bytes) -> tuple[list[bytes], int]:
    """The notes at the beginning of a `checkpoints` file (each followed by an empty line), and how many bytes they take."""
    notes: list[bytes] = []
    at = 0
    while (found := NOTE.match(data, at)) is not None and data[found.end() : found.end() + 1] == b"\n":
        notes.append(found.group())
        at = found.end() + 1
    return notes, at
