"""Where `sealed:NAME` leads, as a port: whoever reads yett.toml is given a way to open sealed credentials, and knows no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from yett.config.credential_settings import CredentialSettings
from yett.model.route import Secret


class Place(Struct, frozen=True):
    """Where the sealed credentials of a configuration are, and what opens them. `secrets` are by reference; `shared` is the address
    of the database that several machines have them in, None when they are in the state directory."""

    root: Path  # that relative paths start from
    state: Path
    settings: CredentialSettings
    secrets: Mapping[str, Secret]
    shared: Secret | None = None


class Unsealed(Protocol):
    """What was found of some names, at one moment."""

    @property
    def values(self) -> Mapping[str, Secret]: ...

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why there is no value, by name."""
        ...

    @property
    def change(self) -> int:
        """The number of the latest change of the credentials that they are from."""
        ...

    def changed(self) -> bool:
        """Whether it is worth looking again."""
        ...


Unseal = Callable[[Place, Sequence[str]], Unsealed]
