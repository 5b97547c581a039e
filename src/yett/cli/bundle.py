"""What goes into a shared configuration: its files, collected from a folder, checked as gateways will, and searched for secrets."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from yett.cli.automata import builder
from yett.config.compile import compile_snapshot, gather
from yett.config.reading import Reading
from yett.config.secrets import PRIVATE_KEY, secret_references
from yett.config.shared import FILE, is_inside
from yett.detectors.engine import Scanner
from yett.errors import ConfigurationError, Mistake
from yett.model.route import Secret
from yett.stores.revisions import MOST_BYTES, Files, RevisionMistake, write


def collected(folder: Path) -> Files:
    """yett.toml, policies and every other file of `folder`, but those that begin with a dot. Raises RevisionMistake, ConfigurationError."""
    files: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in Path(name).parts) or path.is_dir():
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise RevisionMistake(f"{path} leads out of the folder; put a copy there")
        if not is_inside(name):
            raise RevisionMistake(f"{path} has a name that not every machine can have")
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise RevisionMistake(f"{path} cannot be read: {error.strerror}") from error
        size += len(files[name])
        if size > MOST_BYTES:
            raise RevisionMistake(
                f"{folder} has more than {MOST_BYTES} bytes; name large files by absolute paths, which each machine has"
            )
    if FILE not in files:
        raise ConfigurationError((Mistake(str(folder / FILE), 0, "there is no such file"),))
    return files


def checked(config: Path, folder: Path | None, files: Files) -> None:
    """Everything that a gateway checks, but whether it finds the secrets that are referred to: those are the machines' own. Raises
    ConfigurationError with every mistake."""
    with _placed(folder, files) as place:
        sources = gather(config, None, None, place)
        reading = sources.reading
        own = replace(reading.settings.gateway, tls=None)  # of this machine, and with its key
        known = replace(
            reading,
            settings=replace(reading.settings, gateway=own),
            secrets=dict(_stand_ins(reading)),
        )
        snapshot = compile_snapshot(replace(sources, reading=known), epoch=0, pepper=b"", build=builder(os.environ))
        if found := list(_secrets(snapshot.scanner, place, files)):
            raise ConfigurationError(tuple(found))


@contextmanager
def _placed(folder: Path | None, files: Files) -> Iterator[Path]:
    """Where the files are: in the folder that they are from, else in one of their own."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="yett-revision-") as made:
        write(files, Path(made))
        yield Path(made)


def _stand_ins(reading: Reading) -> Iterator[tuple[str, Secret]]:
    """For every secret that is referred to something of its kind."""
    private = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for path, reference in secret_references(reading.settings):
        yield reference, Secret(private if path[-1] == PRIVATE_KEY else "stand-in")


def _secrets(scanner: Scanner, folder: Path, files: Files) -> Iterator[Mistake]:
    for name, content in files.items():
        text = content.decode("utf-8", "replace")
        for finding in scanner.scan_text(text):
            if finding.family == "secret":
                line = text.count("\n", 0, finding.start) + 1
                what = finding.kind.partition(".")[2]
                yield Mistake(
                    str(folder / name),
                    line,
                    f'looks like a secret ({what}); write "env:NAME", "file:PATH" or "sealed:NAME"',
                )
