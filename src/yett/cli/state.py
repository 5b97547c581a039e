"""The keys and fences as configured: in the state directory, or in a database that several machines share."""

from __future__ import annotations

import os
from collections.abc import Callable

from yett.config.reader import Reading, secret_at
from yett.errors import ConfigurationError
from yett.model.fence import Fence
from yett.model.key import VirtualKey
from yett.stores import fences, keys
from yett.stores.database import Database, FileDatabase
from yett.stores.fences import FenceStore
from yett.stores.keys import KeyStore


def open_database(reading: Reading) -> Database:
    """Raises ConfigurationError, IntegrityError, StoreUnavailable."""
    url = _secret(reading, "state", reading.settings.stores.state)
    if not url:
        return FileDatabase(reading.state)
    try:
        from yett.stores.postgres import PostgresDatabase
    except ModuleNotFoundError as error:
        message = f'needs {error.name}; install the extra: pip install "yett[cluster]"'
        raise ConfigurationError((reading.mistake(("stores", "state"), message),)) from error
    return PostgresDatabase(url)


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


def _secret(reading: Reading, setting: str, written: str) -> str:
    """Commands that need no provider's key do not read the references to those; so these are read by themselves."""
    if not written.startswith(("env:", "file:")):
        return written
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
