"""Reading: what was read of one yett.toml, and where the files that it names are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from yett.config.decoding import dotted
from yett.config.lines import KeyPath, line_of
from yett.config.sealed import Unsealed
from yett.config.settings import Settings
from yett.config.shared import FILE, OWN, Part
from yett.errors import Mistake
from yett.model.route import Secret

TOKEN_FILE = "token_file"  # noqa: S105 - what a platform writes for the workload: a secret, so the machine's own


class Reading(Struct, frozen=True):
    """What was read of one yett.toml, right or wrong: where something is wrong, a default stands in `settings`.

    `secrets` are by reference ("env:NAME"), `certificates` are contents by the names of their files; `sealed` is where those of
    "sealed:NAME" are from; `root` is the directory that relative paths start from, but those of the shared part start from its own.
    """

    file: str
    root: Path
    settings: Settings
    secrets: Mapping[str, Secret]
    mistakes: tuple[Mistake, ...]
    lines: Mapping[KeyPath, int]
    certificates: Mapping[str, bytes] = {}
    fingerprint: bytes = b""  # of the file's content
    sealed: Unsealed | None = None  # when there are any
    parsed: bool = True  # False: nothing at all could be made of the file
    shared: Part | None = None  # what is the same for all gateways, when that is not in the file

    def mistake(self, path: KeyPath, message: str) -> Mistake:
        """A mistake about the setting at `path`."""
        where = dotted(path)
        file = self.file
        if self.shared is not None and path and path[0] not in OWN and line_of(self.shared.lines, path):
            file = str(self.shared.folder / FILE)
        return Mistake(file, line_of(self.lines, path), f"{where}: {message}" if where else message)

    def resolve(self, name: str) -> Path:
        """A path of what gateways may share, relative to the file that names it."""
        return under(self.shared.folder if self.shared is not None else self.root, name)

    def own(self, name: str) -> Path:
        """A path of what is always the machine's own, and of secrets, relative to its yett.toml."""
        return under(self.root, name)

    def path_of(self, setting: KeyPath, name: str) -> Path:
        """A path that a setting names."""
        return self.own(name) if setting[0] in OWN or setting[-1] == TOKEN_FILE else self.resolve(name)

    @property
    def revision(self) -> int:
        """Of the shared configuration, 0 where there is none."""
        return self.shared.revision if self.shared is not None else 0

    @property
    def state(self) -> Path:
        return self.own(self.settings.state.dir)

    @property
    def audit(self) -> Path:
        return self.own(self.settings.audit.dir) if self.settings.audit.dir else self.state / "audit"

    @property
    def limits(self) -> str:
        """Address of the store of limits, "" when it is a file of this machine."""
        secret = self.secrets.get(self.settings.stores.limits)
        return secret.reveal() if secret else self.settings.stores.limits

    @property
    def policies(self) -> Path:
        return self.resolve(self.settings.policy.dir)


def under(root: Path, name: str) -> Path:
    """`name` relative to `root`, or as it is. An unknown `~user` is left as it stands, and then is not found."""
    try:
        return root / Path(name).expanduser()
    except RuntimeError:
        return root / name
