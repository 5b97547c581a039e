"""Seal: what is derived from the key of one task, to name and seal what the vault keeps of it.

The key of a task comes from the pepper, which all gateways of a deployment have and no database has. A row is under a key of its own
task, and bound to its name: one that was changed, or put in another's place or another task, does not open.
"""

from __future__ import annotations

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yett.errors import IntegrityError
from yett.model.route import Secret
from yett.model.substitute import Substitute

NONCE = 12  # bytes, NIST SP 800-38D
NAME = 16  # bytes of whatever is named


class TaskSeal:
    """NIST SP 800-108 would call the labels purposes. `alone` is how a task was named before its owner was told."""

    __slots__ = ("_names", "_seal", "alone", "task")

    def __init__(self, owner: bytes, task: bytes) -> None:
        self.alone = hmac.digest(task, b"vault task", "sha256")[:NAME]
        self.task = owner + self.alone
        self._names = hmac.digest(task, b"vault names", "sha256")
        self._seal = AESGCM(hmac.digest(task, b"vault seal", "sha256"))

    def name(self, shown: str) -> bytes:
        return hmac.digest(self._names, shown.lower().encode("utf-8", "surrogatepass"), "sha256")[:NAME]

    def seal(self, substitute: Substitute, name: bytes) -> bytes:
        text = f"{substitute.kind}\0{substitute.shown}\0{substitute.value.reveal()}"
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._seal.encrypt(nonce, text.encode("utf-8", "surrogatepass"), name)

    def opened(self, name: bytes, sealed: bytes) -> Substitute:
        """Raises IntegrityError for a row that was changed or moved."""
        try:
            text = self._seal.decrypt(sealed[:NONCE], sealed[NONCE:], name).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            raise IntegrityError("a row of the vault was not written by this gateway") from None
        kind, shown, value = text.split("\0", 2)
        return Substitute(kind, shown, Secret(value))
