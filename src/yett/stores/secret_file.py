"""A secret in a file of mode 0600, made on first use by whichever process comes first."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from yett.errors import ConfigurationError, Mistake


def create_once(path: Path, data: bytes, mode: int) -> None:
    """Have `path` hold `data` unless it exists. It appears complete or not at all: `link` fails when the name is taken,
    so of several processes starting at once exactly one wins. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of the file; when there is none, `make()` is written first. Raises ConfigurationError when others may read
    it, OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        create_once(path, make(), 0o600)
    descriptor = os.open(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o077:
            raise ConfigurationError((Mistake(str(path), 0, f"is readable by others (mode {mode:04o}): chmod 600 it"),))
        return file.read()


def replace_file(path: Path, data: bytes) -> None:
    """Have `path` hold `data`, in one step: whoever reads sees what was there before, or this. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
