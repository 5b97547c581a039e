"""`yett demo` as a user meets it: a whole run with every expectation met, and the ways it cannot start."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from yett.cli.demo_folder import MARK, SPACE, DemoImpossible, Ports, _check_space, check_ports, prepare
from yett.cli.demo_scenes import SCENES

YETT = [sys.executable, "-m", "yett.cli", "demo"]


def free_ports() -> Ports:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        return Ports(*(probe.getsockname()[1] for probe in probes))


def options(folder: Path, ports: Ports) -> list[str]:
    numbers = ["--port", ports.gateway, "--admin-port", ports.admin, "--simulator-port", ports.simulator]
    return ["--dir", str(folder), *map(str, numbers)]


@pytest.mark.timeout(120)
def test_a_whole_run(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ended = subprocess.run(
        [*YETT, "--once", "--json", *options(folder, free_ports())], capture_output=True, text=True, check=False
    )
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [one for one in told if not one.get("ok", True)] == [], ended.stderr
    assert ended.returncode == 0, ended.stderr + (folder / "serve.log").read_text()
    calls = [one for one in told if "scene" in one]
    assert len(calls) == len(SCENES)
    verdicts = {one["verdict"] for one in calls}
    assert verdicts == {"allowed", "redacted", "routed", "denied", "refused", "limited", "failed over", "failed"}
    assert next(one for one in told if "verified" in one)["verified"]
    journal = [line for file in (folder / "audit").glob("w-*/*.jsonl") for line in file.read_bytes().splitlines()]
    assert {json.loads(line)["kind"] for line in journal} == {"intent", "outcome", "event"}
    client = folder / "client.env"
    assert stat.S_IMODE(client.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "OPENAI_API_KEY=ytk_live_" in client.read_text()


@pytest.mark.timeout(120)
def test_it_serves_on_until_it_is_interrupted(tmp_path: Path) -> None:
    ports = free_ports()
    command = [*YETT, *options(tmp_path / "demo", ports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("Serving on" in line for line in process.stdout)
        with socket.create_connection(("127.0.0.1", ports.gateway)):
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    for port in (ports.gateway, ports.admin, ports.simulator):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_a_port_in_use_is_explained_and_nothing_is_touched(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports.admin)):
        command = [*YETT, "--once", *options(tmp_path / "demo", ports)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 3
    assert f"port {ports.admin} is in use" in ended.stderr
    assert "--admin-port" in ended.stderr
    assert not (tmp_path / "demo").exists()


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(DemoImpossible, match="not a demo"):
        prepare(tmp_path, free_ports())
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_demo_folder_is_started_afresh(tmp_path: Path) -> None:
    ports, folder = free_ports(), tmp_path / "demo"
    first = prepare(folder, ports)
    (folder / "left-over").write_text("x")
    second = prepare(folder, ports)
    assert not (folder / "left-over").exists()
    assert set(first) == set(second)
    assert not set(first.values()) & set(second.values())
    assert (folder / MARK).is_file()


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DemoImpossible, match=r"1 MiB free.*\n.*--dir"):
        _check_space(tmp_path, 1024**2)
    _check_space(tmp_path, SPACE)


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoImpossible, match="choose another folder"):
        prepare(tmp_path / "file" / "demo", free_ports())


def test_free_ports_pass() -> None:
    check_ports(free_ports())
