"""The pepper: the secret under which virtual keys are hashed, in a file that only its owner can read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from yett.config.virtual_key import digest
from yett.errors import IntegrityError
from yett.stores.secret_file import secret_file
from yett.stores.sqlite import StoreUnavailable

PEPPER_BYTES = 32


def state_directory(path: Path) -> Path:
    """Create the state directory if need be, closed to others. Raises StoreUnavailable."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the state directory {path} cannot be created: {error.strerror}") from error
    return path


def load_pepper(path: Path, randomness: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """The pepper in `path`; a new one is written when there is no such file, unless another process is faster.

    Raises IntegrityError when it is not a pepper, ConfigurationError when others may read it, StoreUnavailable.
    """
    try:
        text = secret_file(path, lambda: randomness(PEPPER_BYTES).hex().encode() + b"\n")
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be used: {error.strerror}") from error
    try:
        pepper = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        pepper = b""
    if len(pepper) != PEPPER_BYTES:
        raise IntegrityError(
            f"{path} is not a pepper ({2 * PEPPER_BYTES} hexadecimal digits); restore it from a backup"
        )
    return pepper


def pepper_id(pepper: bytes) -> str:
    """A name for the pepper that does not give it away, kept beside the hashes that were made with it."""
    return digest(pepper, b"yett pepper").hex()[:16]
