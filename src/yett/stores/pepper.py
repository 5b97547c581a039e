"""The pepper: the secret under which virtual keys are hashed, in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from yett.config.virtual_key import digest
from yett.errors import IntegrityError
from yett.stores.sqlite import StoreUnavailable

PEPPER_BYTES = 32


def state_directory(path: Path) -> Path:
    """Create the state directory if need be, closed to others. Raises StoreUnavailable."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the state directory {path} cannot be created: {error.strerror}") from error
    return path


def read_pepper(path: Path) -> bytes | None:
    """The pepper in `path`, None when there is no such file. Raises IntegrityError when it is not one."""
    try:
        text = path.read_bytes().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be read: {error.strerror}") from error
    try:
        pepper = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        pepper = b""
    if len(pepper) != PEPPER_BYTES:
        raise IntegrityError(
            f"{path} is not a pepper ({2 * PEPPER_BYTES} hexadecimal digits); restore it from a backup"
        )
    return pepper


def create_pepper(path: Path, randomness: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Write a new pepper, or return the one that another process wrote first. Raises StoreUnavailable.

    The file appears complete and durable or not at all: it is written beside and linked into place.
    """
    pepper = randomness(PEPPER_BYTES)
    beside = path.with_name(f".pepper.{os.getpid()}.{randomness(4).hex()}")
    try:
        descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, pepper.hex().encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            path.hardlink_to(beside)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error
    written = read_pepper(path)
    if written is None:
        raise StoreUnavailable(f"{path} disappeared while it was being created")
    return written


def pepper_id(pepper: bytes) -> str:
    """A name for the pepper that does not give it away, kept beside the hashes that were made with it."""
    return digest(pepper, b"yett pepper").hex()[:16]
