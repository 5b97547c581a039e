"""`yett doctor`: what it sees on a good machine and on bad ones, and that each bad news says what to do."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.certificates import HOUR, Certifier
from tests.issuer_server import documents
from tests.issuing import Authority
from tests.servers import Valkey
from tests.token_endpoint import ROLE, token_endpoint

from yett.cli import doctor, keys
from yett.cli.system import SystemClock
from yett.stores.vault import Vault

POLICY = '@id("a") permit (principal, action, resource);\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/a.cedar").write_text(POLICY)
    write(tmp_path)
    return tmp_path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def write(folder: Path, more: str = "", port: int = 0) -> None:
    ports = f"[gateway]\nport = {port or free_port()}\n[admin]\nport = {free_port()}\n"
    (folder / "yett.toml").write_text(f"{ports}[teams.t]\n{more}")


def examine(folder: Path, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    result = CliRunner().invoke(doctor.command, ["--config", str(folder / "yett.toml"), "--json", *arguments])
    found = json.loads(result.stdout)
    for finding in found["findings"]:
        assert finding["status"] == "ok" or finding.get("next"), finding
    return result.exit_code, {finding["check"]: finding for finding in found["findings"]}


def test_a_good_machine(folder: Path) -> None:
    code, found = examine(folder)
    assert code == 0
    assert {
        check: f["status"] for check, f in found.items() if check not in ("disk", "pattern engine")
    } == dict.fromkeys(
        ("python", "packages", "configuration", "gateway port", "admin port", "state", "clock", "audit key", "keys"),
        "ok",
    )
    text = CliRunner().invoke(doctor.command, ["--config", str(folder / "yett.toml")])
    assert text.exit_code == 0
    assert "ok       gateway port: 127.0.0.1:" in text.stdout
    assert not (folder / ".yett").exists()  # looking changes nothing


def test_a_used_state(folder: Path) -> None:
    created = CliRunner().invoke(
        keys.command, ["create", "--name", "a", "--team", "t", "--config", str(folder / "yett.toml")]
    )
    assert created.exit_code == 0
    code, found = examine(folder)
    assert code == 0, found
    assert found["keys"]["message"] == "1 active"
    assert "audit-signing.key" in found["audit key"]["message"]
    write(folder, "[teams.u]\n")
    (folder / "yett.toml").write_text((folder / "yett.toml").read_text().replace("[teams.t]\n", ""))
    assert examine(folder)[1]["keys"]["status"] == "warning"
    (folder / ".yett/pepper").chmod(0o644)
    (folder / ".yett/yett.db").write_bytes(b"garbage" * 1000)
    (folder / ".yett/audit-signing.key").unlink()
    code, found = examine(folder)
    assert code == 1
    assert "pepper" in found["state"]["message"]
    assert "damaged" in found["keys"]["message"]
    assert found["audit key"]["status"] == "failure"


def test_mistakes_in_the_configuration(folder: Path) -> None:
    write(folder, "[gatewy]\n")
    code, found = examine(folder)
    assert code == 1
    assert found["configuration"]["status"] == "failure"
    assert found["configuration"]["next"] == "run: yett check"
    assert "gateway port" in found
    (folder / "yett.toml").write_text("nonsense")
    code, found = examine(folder)
    assert code == 1
    assert "gateway port" not in found


def test_ports(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        write(folder, port=taken.getsockname()[1])
        code, found = examine(folder)
    assert code == 0
    assert "is in use" in found["gateway port"]["message"]
    (folder / "yett.toml").write_text('[gateway]\nhost = "192.0.2.1"\n')
    code, found = examine(folder)
    assert code == 1
    assert found["gateway port"]["status"] == "failure"


def test_a_clock_that_is_behind(folder: Path) -> None:
    segment = folder / ".yett/audit/w-1/000.jsonl"
    segment.parent.mkdir(parents=True)
    segment.write_text("")
    os.utime(segment, (2**33, 2**33))
    (folder / ".yett").chmod(0o700)
    code, found = examine(folder)
    assert code == 1
    assert "future" in found["clock"]["message"]


def test_a_secret_that_others_can_read(folder: Path) -> None:
    (folder / ".yett").mkdir(mode=0o700)
    (folder / "provider.key").write_text("sk-x")
    (folder / "provider.key").chmod(0o640)
    write(folder, '[providers.a]\nkind = "openai"\nkey = "file:provider.key"\n')
    code, found = examine(folder)
    assert code == 1
    assert found["state"]["next"] == f"run: chmod go= {folder}/provider.key"


def test_state_that_is_no_directory(folder: Path) -> None:
    (folder / ".yett").write_text("")
    assert examine(folder)[1]["state"]["status"] == "failure"


def test_the_network_only_when_asked(folder: Path) -> None:
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        table = '[providers.{}]\nkind = "vllm"\nbase_url = "http://127.0.0.1:{}/v1"\n'
        operators = (
            f'[operators]\nissuer = "http://127.0.0.1:{free_port()}"\nclient_id = "c"\nurl = "http://localhost:8485"\n'
            'roles = [{ value = "chiefs", role = "admin" }]\n'
        )
        write(folder, table.format("up", there.getsockname()[1]) + table.format("down", free_port()) + operators)
        assert not any(check.startswith("provider") for check in examine(folder)[1])
        code, found = examine(folder, "--network")
    assert code == 1
    assert found["provider up"]["status"] == "ok"
    assert found["provider down"]["status"] == "failure"
    assert "break-glass" in found["operators"]["next"]


def test_a_token_is_got_for_each_provider_without_keys(folder: Path) -> None:
    table = """[providers.{name}]
kind = "openai"
base_url = "{origin}/v1"
[providers.{name}.aws]
role = "{role}"
region = "eu-west-1"
token_file = "workload"
sts_url = "{sts}"
"""
    with token_endpoint() as cloud:
        (folder / "workload").write_text(cloud.subject)
        cloud.expires_in = 900
        wanted = {
            "right": (ROLE, cloud.origin),
            "denied": (f"{ROLE}2", cloud.origin),
            "gone": (ROLE, f"http://127.0.0.1:{free_port()}"),
        }
        made = (
            table.format(name=name, origin=cloud.origin, role=role, sts=sts) for name, (role, sts) in wanted.items()
        )
        write(folder, "".join(made))
        assert not any(check.startswith("token") for check in examine(folder)[1])
        assert cloud.asked == []
        code, found = examine(folder, "--network")
    assert (code, found["token for right"]["status"]) == (1, "ok")
    assert re.search(r"good for (900|8\d\d) s", found["token for right"]["message"])
    assert found["token for denied"]["message"] == "status 403, AccessDenied"
    assert "DNS" in found["token for gone"]["next"]


def test_the_vault_is_looked_at_and_not_touched(folder: Path) -> None:
    state = folder / ".yett"
    state.mkdir(mode=0o700)
    Vault(state / "vault.db", SystemClock()).close()
    before = (state / "vault.db").read_bytes()
    code, found = examine(folder)
    assert (code, found["vault"]["status"]) == (0, "ok")
    assert found["vault"]["message"].startswith("0 values (0 past their time)")
    assert (state / "vault.db").read_bytes() == before
    (state / "vault.db").write_bytes(b"no database at all" * 100)
    code, found = examine(folder)
    assert (code, found["vault"]["status"]) == (1, "failure")


def test_what_it_takes_to_read_attached_files(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    on = '[inspection.attachments]\nmode = "inspect"\n'
    write(folder, on)
    finding = examine(folder)[1]["attachments"]
    assert finding["status"] == "warning"
    assert "tesseract" in finding["next"]
    write(folder, on + 'pictures = "metadata"\nunread = "pass"\n')
    assert examine(folder)[1]["attachments"]["message"].endswith("passed on unread")


def test_guardrails_are_reached_for_when_asked(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        lines = [
            f'[guardrails.{name}]\nkind = "lakera"\nbase_url = "http://127.0.0.1:{port}"\nkey = "env:HOME"\nfail = "{fail}"\n'
            for name, port, fail in (("here", there.getsockname()[1], "open"), ("gone", free_port(), "closed"))
        ]
        write(folder, "".join(lines))
        code, found = examine(folder, "--network")
    assert (code, found["guardrail here"]["status"], found["guardrail gone"]["status"]) == (1, "ok", "failure")
    assert "refuse calls" in found["guardrail gone"]["next"]


def test_the_store_of_limits(folder: Path, valkey: Valkey) -> None:
    write(folder, f'[stores]\nlimits = "{valkey.url}"\n')
    code, found = examine(folder)
    assert (code, found["limits"]["status"]) == (0, "warning")  # it was started without a file to remember in
    assert "forgets at a restart" in found["limits"]["message"]
    write(folder, f'[stores]\nlimits = "redis://127.0.0.1:{free_port()}"\n')
    code, found = examine(folder)
    assert (code, found["limits"]["status"]) == (1, "failure")
    assert "calls are refused" in found["limits"]["next"]


@pytest.mark.parametrize(
    ("ends", "status"), [(HOUR, "ok"), (0.2 * HOUR, "warning"), (-60, "failure")], ids=["good", "soon", "expired"]
)
def test_the_end_of_the_gateways_certificate(folder: Path, ends: float, status: str) -> None:
    pair = Certifier("here").host("gate.example", ends=ends)
    (folder / "cert.pem").write_bytes(pair.pem)
    (folder / "key.pem").write_bytes(pair.key_pem)
    (folder / "key.pem").chmod(0o600)
    write(folder, '[gateway.tls]\ncertificate_file = "cert.pem"\nprivate_key = "file:key.pem"\n')
    found = examine(folder)[1]
    assert found["certificate"]["status"] == status
    assert found["configuration"]["status"] == "ok"


IDENTITY = """
[gateway.tls]
certificate_file = "cert.pem"
private_key = "file:key.pem"
clients = "optional"

[identity.issuers.good]
issuer = "{url}"
audiences = ["yett"]
team = "t"
algorithms = ["Ed25519"]

[identity.issuers.other]
issuer = "https://other.example"
jwks_url = "{url}/keys"
audiences = ["yett"]
team = "t"

[identity.issuers.away]
issuer = "https://away.example"
jwks_url = "{url}/none"
audiences = ["yett"]
team = "t"

[identity.trust_domains."mesh.example"]
bundle_file = "keys.json"
x509_bundle_file = "mesh.pem"
audiences = ["yett"]
algorithms = ["Ed25519"]
workloads = []

[identity.client_cas.old]
ca_file = "old.pem"
clients = [{ name = "dns:a", team = "t" }]

[identity.client_cas.mixed]
ca_file = "mixed.pem"
clients = [{ name = "dns:a", team = "t" }]

[identity.client_cas.ending]
ca_file = "ending.pem"
clients = [{ name = "dns:a", team = "t" }]

[identity.proxies.edge]
spiffe_id = "spiffe://mesh.example/edge"
trust_domains = ["mesh.example"]
client_cas = ["old"]

[receivers.idp]
issuer = "{url}"
jwks_file = "nothing.json"
audiences = ["yett"]
"""


def test_who_vouches_for_callers(folder: Path) -> None:
    mesh, gate = Certifier("mesh"), Certifier("here").host("localhost")
    old = Certifier("old", at=SystemClock().now() - 11 * HOUR)  # good for ten
    ending = Certifier("ending", at=SystemClock().now() - 9.9 * HOUR)
    idp = Authority("")
    with documents({"/keys": idp.document()}) as server:
        metadata = {"issuer": server.url, "jwks_uri": f"{server.url}/keys"}
        server.at["/.well-known/openid-configuration"] = json.dumps(metadata).encode()
        port = free_port()
        write(folder, IDENTITY.replace("{url}", server.url), port)
        text = (folder / "yett.toml").read_text()
        head = f"[gateway]\nport = {port}\n"  # its table comes before the one inside it
        (folder / "yett.toml").write_text(head + text.replace(head, ""))
        for name, content in {
            "cert.pem": gate.pem,
            "key.pem": gate.key_pem,
            "keys.json": idp.document(),
            "nothing.json": b"{}",
            "mesh.pem": mesh.pem,
            "old.pem": old.pem,
            "mixed.pem": old.pem + mesh.pem,
            "ending.pem": ending.pem,
        }.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        code, found = examine(folder)
        assert code == 1
        assert "issuer good" not in found, "nobody is asked"
        code, found = examine(folder, "--network")
    assert code == 1
    about = {check: (each["status"], each["message"].partition(" on 20")[0]) for check, each in found.items()}
    assert about["issuer good"] == ("ok", "1 of 1 keys can be used")
    assert about["issuer other"] == ("failure", "no key for RS256, only Ed25519")
    assert about["issuer away"] == ("failure", f"{server.url}/none: 127.0.0.1:{server.port} answered with status 404")
    assert about["trust domain mesh.example (tokens)"] == ("ok", "1 of 1 keys can be used")
    assert about["trust domain mesh.example"][0] == "ok"
    assert about["client authority old"] == ("failure", "all of its authorities have expired, the last")
    assert about["client authority mixed"] == ("warning", "one of its authorities expired")
    assert about["client authority ending"] == ("warning", "the last of its authorities ends")
    assert about["proxy edge"] == (
        "ok",
        "known as spiffe://mesh.example/edge; passes on certificates of mesh.example, old in client-cert",
    )
    assert about["receiver idp"][0] == "failure"
