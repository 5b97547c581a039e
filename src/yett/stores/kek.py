"""Key-encryption keys: what data keys are wrapped under. Here they are from a file or a variable; `stores.transit` asks a service.

A ring holds one or more keys of 32 bytes, base64, separated by commas: the first wraps, all of them unwrap. That is how a KEK is
changed without a moment in which something cannot be opened: the new one is put in front, the data keys are wrapped anew, and
the old one is taken out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from yett.errors import ConfigurationError, Mistake, YettError
from yett.stores.envelope import KEY_BYTES, NONCE_BYTES, Randomness, Wrapped, binding, seal, unseal
from yett.stores.secret_file import secret_file

_WRAP = binding("yett", "data key")


class KekTrouble(YettError):
    """Data keys can be neither wrapped nor unwrapped now. `lasting` is False when trying again later may help."""

    def __init__(self, message: str, *, lasting: bool = True) -> None:
        super().__init__(message)
        self.lasting = lasting


class Kek(Protocol):
    """Wraps and unwraps data keys. Each method may raise KekTrouble."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the keys that it can unwrap under; of one with versions, what they have in common."""
        ...

    def wrap(self, keys: Sequence[bytes]) -> list[Wrapped]:
        """Under the newest key there is."""
        ...

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | str]:
        """The data keys; where one cannot be had, why."""
        ...

    def newest(self, wrapped: Sequence[Wrapped]) -> list[bool]:
        """Which of them are under the newest key, so that wrapping them anew would change nothing."""
        ...


class KeyRing:
    """Implements Kek with keys of its own; `where` says in messages where they are from."""

    def __init__(self, keys: Sequence[bytes], where: str, randomness: Randomness = secrets.token_bytes) -> None:
        self._keys = {name_of(key): key for key in keys}
        self._first = name_of(keys[0])
        self._where = where
        self._randomness = randomness

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def wrap(self, keys: Sequence[bytes]) -> list[Wrapped]:
        kek = self._keys[self._first]
        return [Wrapped(self._first, b"".join(seal(kek, key, _WRAP, self._randomness))) for key in keys]

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | str]:
        return [self._unwrapped(one) for one in wrapped]

    def _unwrapped(self, one: Wrapped) -> bytes | str:
        kek = self._keys.get(one.kek)
        if kek is None:
            return f"it was sealed under the key-encryption key {one.kek}, which is not in {self._where}"
        key = unseal(kek, one.key[:NONCE_BYTES], one.key[NONCE_BYTES:], _WRAP)
        return "its data key was changed since it was sealed" if key is None else key

    def newest(self, wrapped: Sequence[Wrapped]) -> list[bool]:
        return [one.kek == self._first for one in wrapped]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"


class Either:
    """Implements Kek while one replaces another: wraps under the new one, unwraps with whichever of them can."""

    def __init__(self, new: Kek, old: Kek) -> None:
        self._new = new
        self._old = old

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._new.names, *self._old.names)

    def wrap(self, keys: Sequence[bytes]) -> list[Wrapped]:
        return self._new.wrap(keys)

    def unwrap(self, wrapped: Sequence[Wrapped]) -> list[bytes | str]:
        found = self._new.unwrap(wrapped)
        left = [place for place, key in enumerate(found) if isinstance(key, str)]
        for place, key in zip(left, self._old.unwrap([wrapped[place] for place in left]), strict=True):
            found[place] = key
        return found

    def newest(self, wrapped: Sequence[Wrapped]) -> list[bool]:
        return self._new.newest(wrapped)


def name_of(key: bytes) -> str:
    """A name for a KEK that does not give it away."""
    return "local:" + hashlib.sha256(b"yett kek\0" + key).hexdigest()[:16]


def opens(names: Collection[str], kek: str) -> bool:
    """Whether somebody who has the keys of these names can unwrap what is under `kek`."""
    return kek in names or kek.rpartition(":")[0] in names


def ring(text: str, where: str) -> KeyRing:
    """The ring that `text` holds. Raises KekTrouble when it is none."""
    keys = [_key(part.strip()) for part in text.split(",")]
    good = [key for key in keys if key is not None]
    if len(good) < len(keys):
        raise KekTrouble(
            f"{where} is not a key-encryption key: {KEY_BYTES} random bytes in base64 (several with commas)"
        )
    return KeyRing(good, where)


def _key(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text.encode("ascii"), altchars=b"-_" if {"-", "_"} & set(text) else None, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def fresh(randomness: Randomness = secrets.token_bytes) -> str:
    """A new KEK as it is written."""
    return base64.b64encode(randomness(KEY_BYTES)).decode()


def own_file(path: Path, *, make: bool) -> KeyRing:
    """The ring in a file of the state directory, which only its owner may read. With `make` it is written when there is none,
    by whichever process comes first. Raises KekTrouble, ConfigurationError when others may read it."""
    if not make and not path.exists():
        raise KekTrouble(
            f"{path} is missing, and sealed credentials cannot be opened without it; restore it", lasting=False
        )
    try:
        text = secret_file(path, lambda: fresh().encode() + b"\n").decode("ascii", "replace")
    except OSError as error:
        raise KekTrouble(f"{path} cannot be used: {error.strerror}") from error
    return ring(text.strip(), str(path))


def put_in_front(path: Path, text: str) -> str:
    """Make `text` the newest key of the ring in a file; returns what is in it now. Raises KekTrouble."""
    before = _content(path)
    ring(before, str(path))
    return _replace(path, f"{text},{before}")


def keep_newest(path: Path) -> str:
    """Take all keys but the newest out of a file. Raises KekTrouble."""
    return _replace(path, _content(path).partition(",")[0])


def _content(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigurationError((Mistake(str(path), 0, f"is readable by others (mode {mode:04o}): chmod 600 it"),))
        return path.read_text("ascii").strip()
    except OSError as error:
        raise KekTrouble(f"{path} cannot be read: {error.strerror}") from error


def _replace(path: Path, text: str) -> str:
    """In one step: whoever reads sees the ring before or the ring after, and after a power cut one of both is there."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KekTrouble(f"{path} cannot be written: {error.strerror}; is it mounted read-only?") from error
    return text
