"""Opens sealed credentials for whoever reads yett.toml: the store, and the key-encryption key that the settings name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from yett.cli.state import open_address, shared_address
from yett.config.checks import NO_KEK
from yett.config.reading import Reading
from yett.config.sealed import Place
from yett.config.secrets import secret_at
from yett.errors import ConfigurationError, YettError
from yett.model.route import Secret
from yett.stores.credentials import CredentialStore, Opened, latest_change
from yett.stores.database import Database
from yett.stores.kek import Kek, KekTrouble, own_file, ring
from yett.stores.sqlite import StoreUnavailable
from yett.stores.transit import Transit

RETRY_SECONDS = 10.0  # until a service that did not answer is asked again


def place_of(reading: Reading, environment: Mapping[str, str]) -> Place:
    """Where the sealed credentials of `reading` are. Only what opens them is read, not the providers' secrets. Raises KekTrouble,
    ConfigurationError."""
    settings = reading.settings.credentials
    secrets: dict[str, Secret] = {}
    for reference in (settings.kek, settings.transit.token):
        if reference:
            value, trouble = secret_at(reference, reading.root, environment)
            if trouble:
                raise KekTrouble(trouble)
            secrets[reference] = Secret(value)
    shared = Secret(shared_address(reading)) if reading.settings.stores.state else None
    return Place(reading.root, reading.state, settings, secrets, shared)


def kek_of(place: Place, *, make: bool = False) -> Kek:
    """The key-encryption key that a configuration names; with `make` its file in the state directory is written when there is
    none. Raises KekTrouble, ConfigurationError."""
    settings = place.settings
    transit = settings.transit
    if transit.address:
        if (token := place.secrets.get(transit.token)) is None:
            raise KekTrouble("the token for the transit key could not be read")
        return Transit(
            transit.address,
            transit.key,
            token,
            mount=transit.mount,
            namespace=transit.namespace,
            ca_file=str(place.root / transit.ca_file) if transit.ca_file else "",
            timeout=transit.timeout,
        )
    if settings.kek:
        if (secret := place.secrets.get(settings.kek)) is None:
            raise KekTrouble("the key-encryption key could not be read")
        return ring(secret.reveal(), settings.kek)
    if place.shared is not None:
        raise KekTrouble(NO_KEK.format("credentials are sealed in the database that stores.state names"))
    return own_file(place.state / "kek", make=make)


class _Found(Struct, frozen=True):
    """Implements `config.sealed.Unsealed`."""

    values: Mapping[str, Secret]
    troubles: Mapping[str, str]
    change: int
    latest: Callable[[], int]  # the number of the latest change now
    again: float  # monotonic seconds at which it is worth asking again though nothing has changed; 0.0: never
    now: Callable[[], float]

    def changed(self) -> bool:
        if self.again and self.now() >= self.again:
            return True
        try:
            return self.latest() != self.change
        except YettError:
            return False  # what was opened stays in force


class Unsealer:
    """Implements `config.sealed.Unseal`. One for each process: it remembers the latest manifest that it has seen, and takes no
    older one, even if the whole database is put back. `shared` is the database that several machines have them in, when it is
    open already; else it is opened for each question."""

    def __init__(self, now: Callable[[], float] = time.monotonic, shared: Database | None = None) -> None:
        self._now = now
        self._shared = CredentialStore(shared) if shared is not None else None
        self._latest: dict[Path, int] = {}

    def __call__(self, place: Place, names: Sequence[str]) -> _Found:
        change, again = 0, 0.0
        latest = partial(self._change, place)
        try:
            change = latest()
            opened = self._opened(place, names)
            return _Found(opened.values, opened.troubles, opened.change, latest, 0.0, self._now)
        except KekTrouble as error:
            again = 0.0 if error.lasting else self._now() + RETRY_SECONDS
            why = str(error)
        except ConfigurationError as error:
            why = str(error.mistakes[0])
        except StoreUnavailable as error:
            again = self._now() + RETRY_SECONDS if place.shared is not None else 0.0
            why = str(error)
        except YettError as error:
            why = str(error)
        return _Found({}, dict.fromkeys(names, why), change, latest, again, self._now)

    def _opened(self, place: Place, names: Sequence[str]) -> Opened:
        if not self._change(place):
            return Opened({}, {name: _unknown(name) for name in names}, 0)
        kek = kek_of(place)
        with self._store(place) as store:
            opened = store.reveal(names, kek)
        latest = self._latest.get(place.state, 0)
        if opened.change < latest:
            why = f"the sealed credentials are older (change {opened.change}) than those read before (change {latest})"
            return Opened({}, dict.fromkeys(names, why), opened.change)
        self._latest[place.state] = opened.change
        return opened

    def _change(self, place: Place) -> int:
        """The number of the latest change, as far as it is known here."""
        if self._shared is not None:
            return self._shared.version()
        if place.shared is None:
            return latest_change(place.state)
        with self._store(place) as store:
            return store.change()

    @contextmanager
    def _store(self, place: Place) -> Iterator[CredentialStore]:
        if self._shared is not None:
            yield self._shared
            return
        database = open_address(place.shared.reveal()) if place.shared is not None else None
        with CredentialStore.open(place.state, database=database) as store:
            yield store


def _unknown(name: str) -> str:
    return f'there is no sealed credential "{name}"; `yett credentials add {name}` seals one'
