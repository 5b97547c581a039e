"""A configuration that several gateways share: which part of it that is, and the folder in which a machine has the one it runs.

    <state>/configuration/7-3f9ac2d41b07/    revision 7: yett.toml, the policies, the files that they name
    <state>/configuration/current            the name of the folder in force

yett.toml on the machine then keeps what is the machine's own, and nothing of that ever comes from the others.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec import Struct

from yett.config.lines import KeyPath, locate
from yett.errors import Mistake

OWN = frozenset(
    ("gateway", "admin", "state", "audit", "stores", "credentials", "log")
)  # tables of each machine's yett.toml
FILE = "yett.toml"
FOLDER, CURRENT = "configuration", "current"
_NAME = re.compile(r"([0-9]{1,9})-[0-9a-f]{12}", re.ASCII)
_ELSEWHERE = "is the same for all gateways: it belongs into the shared configuration"
_OWN = "is each machine's own: it belongs into its yett.toml"
_NOTHING = "this machine has no shared configuration yet; `yett config push` makes one, `yett config pull` gets it"


class Part(Struct, frozen=True):
    """The shared part of a configuration. Paths in it begin at `folder`. `problems` are of the machine's yett.toml, `mistakes` of the
    shared one."""

    folder: Path
    document: Mapping[str, Any]
    lines: Mapping[KeyPath, int]
    problems: tuple[tuple[KeyPath, str], ...] = ()
    mistakes: tuple[Mistake, ...] = ()

    @property
    def revision(self) -> int:
        """0 when it is no revision yet."""
        return revision_of(self.folder.name)


def shared_part(document: Mapping[str, Any], root: Path, folder: Path | None) -> Part | None:
    """What belongs to the yett.toml that says `document`; None when that is everything. `folder` is where it is, when it is not the
    one in force."""
    stores, state = (document.get(name) for name in ("stores", "state"))
    if not isinstance(stores, dict) or stores.get("configuration") != "shared":
        return None
    written = state.get("dir") if isinstance(state, dict) else None
    place = root / (written if isinstance(written, str) else ".yett") / FOLDER
    if folder is None and not (name := current(place)):
        return Part(place, {}, {}, ((("stores", "configuration"), _NOTHING),))
    folder = folder or place / name
    try:
        text = (folder / FILE).read_bytes().decode("utf-8-sig")
        shared = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        return Part(folder, {}, {}, mistakes=(Mistake(str(folder / FILE), 0, f"cannot be read: {error}"),))
    lines = locate(text)
    problems = tuple(((name,), _ELSEWHERE) for name in document if name not in OWN)
    mistakes = tuple(
        Mistake(str(folder / FILE), lines.get((name,), 0), f"{name}: {_OWN}") for name in shared if name in OWN
    )
    rest = {name: value for name, value in shared.items() if name not in OWN}
    return Part(folder, rest, {path: line for path, line in lines.items() if path[0] in rest}, problems, mistakes)


def current(place: Path) -> str:
    """The name of the folder in force, "" when there is none."""
    try:
        name = (place / CURRENT).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return name if _NAME.fullmatch(name) else ""


def folder_name(number: int, digest: str) -> str:
    return f"{number}-{digest[:12]}"


def revision_of(name: str) -> int:
    """The number in a folder's name, 0 when it is none of a revision."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else 0


def is_inside(name: str) -> bool:
    """Whether a file of this name is one of a shared configuration: below its folder, and named as every machine can."""
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and not name.startswith("~")
    return bool(name) and plain and not path.is_absolute() and ".." not in path.parts
