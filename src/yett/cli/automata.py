"""Compiled automata, kept between commands: compiling all patterns takes seconds, loading what was compiled a millisecond.

They lie in the user's cache directory, which nobody else can write to: what is loaded is trusted like code. A file is named
after the patterns and the library that compiled them; one that cannot be loaded (another processor, a copy that broke off) is
compiled again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from weakref import WeakValueDictionary

from yett.detectors.engine import Hyperscan
from yett.detectors.sieve import Automaton

MOST = 32  # files; the oldest go
_PRIVATE = 0o077


class Kept(Hyperscan):
    """As its parent, from a file where there is one."""

    def __init__(self, patterns: tuple[bytes, ...], folder: Path) -> None:
        import hyperscan  # where there is a wheel for this platform

        path = folder / f"{_name(patterns)}.hs"
        try:
            self._database = hyperscan.loadb(path.read_bytes(), hyperscan.HS_MODE_BLOCK)
            self._scratch = hyperscan.Scratch(self._database)
            self(b"\0")
            os.utime(path)
        except (OSError, ValueError, hyperscan.HyperscanError):
            super().__init__(patterns)
            _keep(path, hyperscan.dumpb(self._database))


class Builder:
    """What a Scanner builds its automata with; those of the same patterns that are in use share what was compiled. Without a folder
    of one's own, everything is compiled in each process."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._used: WeakValueDictionary[str, Hyperscan] = WeakValueDictionary()

    def __call__(self, patterns: tuple[bytes, ...]) -> Automaton:
        name = _name(patterns)
        used = self._used.get(name)
        built = self._used[name] = used.twin() if used is not None else self._build(patterns)
        return built

    def _build(self, patterns: tuple[bytes, ...]) -> Hyperscan:
        return Kept(patterns, self.folder) if self.folder else Hyperscan(patterns)


def builder(environment: Mapping[str, str]) -> Builder | None:
    """None where the library is missing, and its plain twin does the work."""
    return Builder(cache_folder(environment)) if find_spec("hyperscan") else None


def cache_folder(environment: Mapping[str, str]) -> Path | None:
    """The user's cache directory for this, made if need be; None where there can be none, or others could write to it."""
    root = environment.get("XDG_CACHE_HOME") or (f"{home}/.cache" if (home := environment.get("HOME")) else "")
    if not root:
        return None
    folder = Path(root) / "yett"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return None
    return folder if found.st_uid == os.getuid() and not found.st_mode & _PRIVATE else None


def _name(patterns: tuple[bytes, ...]) -> str:
    whole = hashlib.sha256(version("hyperscan").encode())
    for pattern in patterns:
        whole.update(len(pattern).to_bytes(4, "big") + pattern)
    return whole.hexdigest()


def _keep(path: Path, data: bytes) -> None:
    """Written whole or not at all; a full disk is no reason to fail."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
        for old in sorted(path.parent.glob("*.hs"), key=lambda each: each.stat().st_mtime)[:-MOST]:
            old.unlink()
    except OSError:
        return
