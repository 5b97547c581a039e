"""What is kept as configured: in the state directory, or in a database that several machines share."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from yett.config.reading import Reading
from yett.config.secrets import secret_at
from yett.errors import ConfigurationError, Mistake
from yett.model.fence import Fence
from yett.model.key import VirtualKey
from yett.stores import directory, fences, keys
from yett.stores.database import Database, FileDatabase
from yett.stores.directory import DirectoryStore
from yett.stores.fences import FenceStore
from yett.stores.keys import KeyStore
from yett.stores.sqlite import StoreUnavailable


def open_database(reading: Reading) -> Database:
    """Raises ConfigurationError, IntegrityError, StoreUnavailable."""
    return open_shared(reading) or FileDatabase(reading.state)


def open_shared(reading: Reading) -> Database | None:
    """The database that several machines share, None when there is none. Raises ConfigurationError, StoreUnavailable."""
    url = shared_address(reading)
    return open_address(url, partial(reading.mistake, ("stores", "state"))) if url else None


def _mistake(message: str) -> Mistake:
    return Mistake("stores.state", 0, message)


def open_address(url: str, mistake: Callable[[str], Mistake] = _mistake) -> Database:
    """Raises StoreUnavailable; without the extra `cluster` ConfigurationError, as `mistake` says it."""
    if not url:
        raise StoreUnavailable("the address of the shared state could not be read")
    try:
        from yett.stores.postgres import PostgresDatabase
    except ModuleNotFoundError as error:
        message = f'needs {error.name}; install the extra: pip install "yett[cluster]"'
        raise ConfigurationError((mistake(message),)) from error
    return PostgresDatabase(url)


def shared_address(reading: Reading) -> str:
    """Raises ConfigurationError when the reference to it leads nowhere."""
    return _secret(reading, "state", reading.settings.stores.state)


def open_keys(
    reading: Reading, database: Database | None = None, witness: Callable[[str, VirtualKey], None] = keys.nobody
) -> KeyStore:
    """Raises what `open_database` raises."""
    pepper = bytes.fromhex(_secret(reading, "pepper", reading.settings.stores.pepper))
    database = database or open_database(reading)
    return KeyStore.open(reading.state, witness=witness, database=database, pepper=pepper)


def open_fences(
    reading: Reading, database: Database | None = None, witness: Callable[[str, Fence], None] = fences.nobody
) -> FenceStore:
    """Raises what `open_database` raises."""
    return FenceStore.open(reading.state, witness=witness, database=database or open_database(reading))


def open_directories(
    reading: Reading,
    database: Database | None = None,
    witness: Callable[[str, str, str, dict[str, object]], None] = directory.nobody,
) -> DirectoryStore:
    """Raises what `open_database` raises."""
    return DirectoryStore.open(reading.state, witness=witness, database=database or open_database(reading))


def _secret(reading: Reading, setting: str, written: str) -> str:
    """Commands that need no provider's key do not read the references to those; so these are read by themselves."""
    if not written.startswith(("env:", "file:")):
        return written
    if (known := reading.secrets.get(written)) is not None and (setting != "pepper" or is_pepper(known.reveal())):
        return known.reveal()
    value, trouble = secret_at(written, reading.root, os.environ)
    if not trouble and setting == "pepper" and not is_pepper(value):
        trouble = "is not a pepper: 64 hexadecimal digits, as `openssl rand -hex 32` makes them"
    if trouble:
        raise ConfigurationError((reading.mistake(("stores", setting), trouble),))
    return value


def is_pepper(value: str) -> bool:
    try:
        return len(bytes.fromhex(value)) == 32
    except ValueError:
        return False
