"""What the demo starts from: its folder with a sample configuration, the starter policies and freshly issued keys."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import secrets
import shutil
import socket
from importlib.resources import files
from pathlib import Path
from string import Template

from msgspec import Struct

from yett.cli.keys import command as key_commands

MARK = ".yett-demo"  # only a folder with this file in it is ever emptied
SPACE = 64 * 1024**2  # bytes; the journal needs room, and a demo that stops half-way shows nothing

# name -> what `yett keys create` is given for it
KEYS = {
    "support": ("--team", "support", "--label", "env=prod"),
    "research": ("--team", "research"),
    "contractor": ("--team", "support"),
    "batch": ("--team", "support", "--rpm", "3"),
    "intern": ("--team", "research", "--models", "smart", "--budget", "0.04usd/day"),
    "you": ("--team", "research", "--rpm", "60", "--budget", "1usd/day"),
}


class Ports(Struct, frozen=True):
    gateway: int
    admin: int
    simulator: int


class DemoImpossible(Exception):
    """The demo cannot start here; the message says why and what to do."""


def check_ports(ports: Ports) -> None:
    """Raises DemoImpossible when one of them is taken."""
    options = {"--port": ports.gateway, "--admin-port": ports.admin, "--simulator-port": ports.simulator}
    for option, port in options.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise DemoImpossible(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from error
                raise DemoImpossible(
                    f"port {port} is in use, perhaps by another demo or gateway.\n"
                    f"See by what:   ss -ltnp 'sport = :{port}'\n"
                    f"Or elsewhere:  yett demo {option} {_free_port()}   (make demo ARGS='{option} …')"
                ) from error


def prepare(folder: Path, ports: Ports) -> dict[str, str]:
    """Empty and fill the folder, closed to others; the keys by name. Raises DemoImpossible, YettError."""
    try:
        _empty(folder)
        _check_space(folder, shutil.disk_usage(folder).free)
        _fill(folder, ports)
        keys = {name: str(_keys(folder, "create", "--name", name, *options)["key"]) for name, options in KEYS.items()}
        client = f"OPENAI_BASE_URL=http://127.0.0.1:{ports.gateway}/v1\nOPENAI_API_KEY={keys['you']}\n"
        _write(folder / "client.env", client)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DemoImpossible(_no_space(folder, 0)) from error
        raise DemoImpossible(
            f"{error.filename or folder}: {error.strerror}; choose another folder with --dir"
        ) from error
    return keys


def revoke(folder: Path, name: str) -> None:
    """Revoke a key while the gateway runs, as `yett keys revoke` does."""
    _keys(folder, "revoke", name)


def _keys(folder: Path, *arguments: str) -> dict[str, object]:
    """Run `yett keys …` in this process; the object that it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        key_commands.main([*arguments, "--json", "--config", str(folder / "yett.toml")], standalone_mode=False)
    described: dict[str, object] = json.loads(printed.getvalue())
    return described


def _empty(folder: Path) -> None:
    """Make an empty folder of it. One that is not ours is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise DemoImpossible(f"{folder} holds something that is not a demo; choose another folder with --dir")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write(folder / MARK, "made by `yett demo`, which empties this folder each time it starts\n")


def _check_space(folder: Path, free: int) -> None:
    if free < SPACE:
        raise DemoImpossible(_no_space(folder, free))


def _no_space(folder: Path, free: int) -> str:
    return (
        f"{folder} is on a disk with {free // 1024**2} MiB free, and the demo wants {SPACE // 1024**2}.\n"
        "Make room, or put it elsewhere with --dir (make demo ARGS='--dir …')."
    )


def _fill(folder: Path, ports: Ports) -> None:
    data = files("yett.data")
    values = {
        "port": str(ports.gateway),
        "admin_port": str(ports.admin),
        "simulator": f"http://127.0.0.1:{ports.simulator}",
        "provider_key": f"sk-sim-{secrets.token_hex(16)}",
    }
    for name in ("yett.toml", "simulator.toml"):
        template = Template((data / "demo" / name).read_text(encoding="utf-8"))
        _write(folder / name, template.substitute(values))
    _write(folder / "provider.key", values["provider_key"] + "\n")
    (folder / "policies").mkdir()
    for policy in (data / "policies").iterdir():
        if policy.name.endswith((".cedar", ".toml")):
            _write(folder / "policies" / policy.name, policy.read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    """A new file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
