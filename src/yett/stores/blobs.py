"""Content at rest: prompts and replies sealed with AES-256-GCM in an append-only file, and the keyed fingerprints of texts.

A frame is a 4-byte length, a 12-byte nonce, the ciphertext and its 16-byte tag. Its name, which the record keeps, is
`writer/offset/SHA-256 of the frame`, so that the signed record also fixes the ciphertext. Every writer has its own key,
derived from the key file, and counts its nonces: a frame that is cut off again never gives its nonce back.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from yett.config.keyed_hash import KeyedHash
from yett.errors import ConfigurationError, IntegrityError, Mistake
from yett.stores.append_file import AppendFile
from yett.stores.checkpoint import ZERO
from yett.stores.secret_file import secret_file

NAME = re.compile(r"(w-[0-9a-f-]+)/(0|[1-9][0-9]*)/([0-9a-f]{64})")
NONCE_BYTES = 12
SMALLEST = NONCE_BYTES + 16
LOST = "lost"  # in place of a name: the reply could not be kept, though it should have been


class ContentKey:
    """The master key of everything about content; separate keys are derived from it for every use."""

    def __init__(self, master: bytes) -> None:
        self._master = master
        self._fingerprints = KeyedHash(self._derive(b"yett audit fingerprint v1", 32))

    @classmethod
    def load(cls, path: Path) -> ContentKey:
        """Read the key file (32 bytes in hex, mode 0600), making it on first start. Raises ConfigurationError."""
        text = secret_file(path, lambda: secrets.token_hex(32).encode() + b"\n")
        try:
            master = bytes.fromhex(text.decode("ascii").strip())
        except ValueError:
            master = b""
        if len(master) != 32:
            raise ConfigurationError((Mistake(str(path), 0, "is not a content key: 32 bytes in hex"),))
        return cls(master)

    def _derive(self, purpose: bytes, length: int) -> bytes:
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(self._master)

    def cipher(self, writer: str) -> AESGCM:
        return AESGCM(self._derive(b"yett audit content v1 " + writer.encode(), 32))

    def fingerprint(self, text: bytes) -> str:
        """HMAC-SHA-256, hex. Keyed, because a short prompt could be guessed from a plain hash."""
        return self._fingerprints.digest(text).hex()


def _bound(call: str, part: str) -> bytes:
    """Additional data: a frame opens only as the part of the call that it was sealed for."""
    return f"{call}\n{part}".encode(errors="surrogatepass")


class BlobFile:
    """One writer's sealed content. `chain` is SHA-256 over the previous chain value and each frame's SHA-256."""

    def __init__(self, path: Path, writer: str, key: ContentKey) -> None:
        self.file = AppendFile(path)
        self.chain = ZERO
        self._writer = writer
        self._cipher = key.cipher(writer)
        self._nonce = 0

    @property
    def size(self) -> int:
        return self.file.size

    def put(self, call: str, part: str, text: bytes) -> str:
        """Seal and append; returns the name. Raises OSError: then nothing was kept."""
        self._nonce += 1
        nonce = self._nonce.to_bytes(NONCE_BYTES, "big")
        sealed = nonce + self._cipher.encrypt(nonce, text, _bound(call, part))
        frame = len(sealed).to_bytes(4, "big") + sealed
        offset = self.file.size
        self.file.append(frame)
        digest = sha256(frame)
        self.chain = sha256(self.chain + digest.digest()).digest()
        return f"{self._writer}/{offset}/{digest.hexdigest()}"


def open_blob(folder: Path, name: str, call: str, part: str, key: ContentKey) -> bytes:
    """The text that was kept. `folder` holds the writers' folders. Raises IntegrityError when it is gone or not the same."""
    found = NAME.fullmatch(name)
    if found is None:
        raise IntegrityError(f"not the name of a blob: {name!r}")
    writer, offset, digest = found.groups()
    try:
        with (folder / writer / "blobs").open("rb") as file:
            file.seek(int(offset))
            head = file.read(4)
            frame = head + file.read(int.from_bytes(head, "big"))
    except (OSError, OverflowError) as error:
        raise IntegrityError(f"blob {name} cannot be read: {error}") from error
    if sha256(frame).hexdigest() != digest:
        raise IntegrityError(f"blob {name} is not what was recorded")
    sealed = frame[4:]
    try:
        return key.cipher(writer).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(call, part))
    except InvalidTag as error:
        raise IntegrityError(f"blob {name} does not open with this key as the {part} of call {call}") from error


def follow_frames(file: AppendFile, offset: int, chain: bytes) -> tuple[int, bytes]:
    """Walk the whole frames from `offset`: where the last one ends, and the chain value there."""
    while True:
        head = file.read(offset, 4)
        length = int.from_bytes(head, "big")
        if len(head) < 4 or length < SMALLEST or offset + 4 + length > file.size:
            return offset, chain
        chain = sha256(chain + sha256(head + file.read(offset + 4, length)).digest()).digest()
        offset += 4 + length
