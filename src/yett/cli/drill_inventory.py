"""Every secret that an installation has: what it is, whose, how old, where it is used and how it is replaced. Never its value."""

from __future__ import annotations

import pwd
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from yett.cli.credentials import open_credentials, used_by
from yett.cli.state import open_keys
from yett.config.live import AT_START
from yett.config.reading import Reading
from yett.config.secrets import secret_references
from yett.stores.journal import CONTENT_KEY, SIGNING_KEY
from yett.stores.journal_reader import Filter, entries

_ENDS = (("pepper", "pepper"), (SIGNING_KEY, "checkpoint key"), (CONTENT_KEY, "content key"))
_STAYS = {
    "pepper": "stays: every virtual key is recognised by it; a new one disowns them all",
    "checkpoint key": "stays: the past is verified with it; to begin anew, begin another journal",
    "content key": "stays: what was kept is read with it",
}


class Held(Struct, frozen=True):
    """One secret. `since` is seconds since the Unix epoch, 0 when nobody can tell: then it is not known how old it is."""

    kind: str
    name: str
    owner: str
    since: int
    where: str  # that it is, or that it is used
    replaced: str  # how

    def described(self, now: int) -> dict[str, object]:
        age = max(0, now - self.since) if self.since else None
        return {
            "kind": self.kind, "name": self.name, "owner": self.owner, "age_seconds": age, "where": self.where,
            "replaced": self.replaced,
        }  # fmt: skip


def inventory(reading: Reading, now: int) -> list[Held]:
    """By kind, in the order in which they are looked at. Raises StoreUnavailable, IntegrityError."""
    return [
        *_virtual_keys(reading, now),
        *_sealed(reading),
        *_references(reading),
        *_token_files(reading),
        *_kek(reading),
        *_state(reading),
    ]


def _virtual_keys(reading: Reading, now: int) -> Iterator[Held]:
    if not (reading.settings.stores.state or (reading.state / "yett.db").exists()):
        return
    rotated: dict[str, int] = {}
    if reading.audit.is_dir():
        for entry in entries(reading.audit, Filter(event="key.rotate")):
            rotated[entry.record.call] = entry.record.ts // 1_000_000
    with open_keys(reading) as store:
        keys = {one.key.id: one.key for one in store.list() if one.state(now) == "active"}
    for key in keys.values():
        since = rotated.get(key.id, key.created)
        yield Held("virtual key", f"{key.team}/{key.name}", key.team, since, key.id, "--key")


def _sealed(reading: Reading) -> Iterator[Held]:
    if not (reading.settings.stores.state or (reading.state / "yett.db").exists()):
        return
    with open_credentials(reading) as store:
        for one in store.list():
            where = ", ".join(used_by(one.id, reading)) or "nothing"
            yield Held("sealed credential", one.id, one.owner, one.rotated, where, "--credential")


def _references(reading: Reading) -> Iterator[Held]:
    for path, reference in secret_references(reading.settings):
        kind, _, name = reference.partition(":")
        where = ".".join(map(str, path))
        at_start = path[:2] in AT_START
        if kind == "env":
            sealable = path[0] not in ("credentials", "stores")
            how = "by whoever sets it, and a restart" + ("; or seal it" if sealable else "")
            yield Held("variable", name, "", 0, where, _STAYS["pepper"] if where == "stores.pepper" else how)
        elif kind == "file":
            since, owner = _file(reading.own(name))
            how = "by whoever writes it" + (", and a restart" if at_start else "; taken up by itself")
            yield Held("file", name, owner, since, where, _STAYS["pepper"] if where == "stores.pepper" else how)


def _token_files(reading: Reading) -> Iterator[Held]:
    for name, provider in reading.settings.providers.items():
        for table, settings in (("oauth", provider.oauth), ("aws", provider.aws)):
            if settings is not None and settings.token_file:
                since, owner = _file(reading.own(settings.token_file))
                where = f"providers.{name}.{table}.token_file"
                yield Held("workload token", settings.token_file, owner, since, where, "by the platform")


def _kek(reading: Reading) -> Iterator[Held]:
    transit, file = reading.settings.credentials.transit, reading.state / "kek"
    if transit.address:
        yield Held("KEK", f"{transit.mount}/{transit.key}", "", 0, transit.address, "--kek")
    elif file.exists() and not reading.settings.credentials.kek:
        since, owner = _file(file)
        yield Held("KEK", "kek", owner, since, str(file), "--kek")


def _state(reading: Reading) -> Iterator[Held]:
    known = dict(_ENDS)
    for path in sorted((reading.state / "task-signing").glob("*.key")):
        since, owner = _file(path)
        yield Held("task signing key", path.stem, owner, since, str(path), "by itself: identity.tasks.rotate")
    for path in sorted({reading.state / "pepper", *reading.state.glob("*.key")}):
        if path.is_file():
            since, owner = _file(path)
            kind = known.get(path.name, "key file")
            yield Held(kind, path.name, owner, since, str(path), _STAYS.get(kind, "by what made it"))


def _file(path: Path) -> tuple[int, str]:
    """When a file was written, and whose it is; (0, "") when it is not there."""
    try:
        status = path.stat()
    except OSError:
        return 0, ""
    try:
        return int(status.st_mtime), pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return int(status.st_mtime), str(status.st_uid)
