"""Opens sealed credentials for whoever reads yett.toml: the store, and the key-encryption key that the settings name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from yett.config.reader import Reading, secret_at
from yett.config.sealed import Place
from yett.errors import ConfigurationError, YettError
from yett.model.route import Secret
from yett.stores.credentials import CredentialStore, Opened, latest_change
from yett.stores.kek import Kek, KekTrouble, own_file, ring
from yett.stores.transit import Transit

RETRY_SECONDS = 10.0  # until a service that did not answer is asked again


def place_of(reading: Reading, environment: Mapping[str, str]) -> Place:
    """Where the sealed credentials of `reading` are. Only what opens them is read, not the providers' secrets."""
    settings = reading.settings.credentials
    secrets: dict[str, Secret] = {}
    for reference in (settings.kek, settings.transit.token):
        if reference:
            value, trouble = secret_at(reference, reading.root, environment)
            if trouble:
                raise KekTrouble(trouble)
            secrets[reference] = Secret(value)
    return Place(reading.root, reading.state, settings, secrets)


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
    return own_file(place.state / "kek", make=make)


class _Found(Struct, frozen=True):
    """Implements `config.sealed.Unsealed`."""

    values: Mapping[str, Secret]
    troubles: Mapping[str, str]
    state: Path
    change: int
    again: float  # monotonic seconds at which it is worth asking again though nothing has changed; 0.0: never
    now: Callable[[], float]

    def changed(self) -> bool:
        if self.again and self.now() >= self.again:
            return True
        try:
            return latest_change(self.state) != self.change
        except YettError:
            return False  # what was opened stays in force


class Unsealer:
    """Implements `config.sealed.Unseal`. One for each process: it remembers the latest manifest that it has seen, and takes no
    older one, even if the whole database is put back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._latest: dict[Path, int] = {}

    def __call__(self, place: Place, names: Sequence[str]) -> _Found:
        change, again = 0, 0.0
        try:
            change = latest_change(place.state)
            opened = self._opened(place, names)
            return _Found(opened.values, opened.troubles, place.state, opened.change, 0.0, self._now)
        except KekTrouble as error:
            again = 0.0 if error.lasting else self._now() + RETRY_SECONDS
            why = str(error)
        except ConfigurationError as error:
            why = str(error.mistakes[0])
        except YettError as error:
            why = str(error)
        return _Found({}, dict.fromkeys(names, why), place.state, change, again, self._now)

    def _opened(self, place: Place, names: Sequence[str]) -> Opened:
        if not latest_change(place.state):
            return Opened({}, {name: _unknown(name) for name in names}, 0)
        with CredentialStore.open(place.state) as store:
            opened = store.reveal(names, kek_of(place))
        latest = self._latest.get(place.state, 0)
        if opened.change < latest:
            why = f"the sealed credentials are older (change {opened.change}) than those read before (change {latest})"
            return Opened({}, dict.fromkeys(names, why), opened.change)
        self._latest[place.state] = opened.change
        return opened


def _unknown(name: str) -> str:
    return f'there is no sealed credential "{name}"; `yett credentials add {name}` seals one'
