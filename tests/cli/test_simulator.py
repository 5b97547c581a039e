"""`yett simulator` as a process: it serves, says where, stops when told to, and explains why it cannot start."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from click.testing import CliRunner

from yett.cli.simulator import command
from yett.simulator.behaviour import KEYS, MALFORMED

RUN = [sys.executable, "-c", "from yett.cli.simulator import command; command()"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_it_serves_until_it_is_told_to_stop() -> None:
    with subprocess.Popen([*RUN, "--port", "0", "--json", "--seed", "3"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{told['base_url']}/models") as reply:
            assert json.load(reply)["object"] == "list"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_port_in_use_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run([*RUN, "--port", str(port)], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 3
    assert f"port {port} on 127.0.0.1 is in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_bad_configuration_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "simulator.toml"
    file.write_text("[default]\nstatsu = 500\n")
    result = CliRunner().invoke(command, ["--config", str(file), "--port", "0"])
    assert result.exit_code == 3
    assert f'{file}:2: [default] no behaviour "statsu"; did you mean "status"?' in result.output


def test_a_bad_certificate_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    assert CliRunner().invoke(command, ["--tls-cert", str(tmp_path / "empty.pem")]).exit_code == 2
    assert CliRunner().invoke(command, ["--tls-key", str(tmp_path / "empty.pem")]).exit_code == 2


def test_the_vocabulary_is_listed_and_documented() -> None:
    listed = CliRunner().invoke(command, ["--words"]).output
    told = json.loads(CliRunner().invoke(command, ["--words", "--json"]).output)
    document = DOCUMENT.read_text()
    assert set(told["behaviours"]) == set(KEYS)
    for key, (_, meaning) in KEYS.items():
        assert key in listed
        assert re.search(rf"^\| `{re.escape(key)}` \| .*{re.escape(meaning[1:])}", document, re.MULTILINE), key
    for kind in MALFORMED:
        assert f"| `malformed={kind}` |" in document
