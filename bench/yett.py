"""Yett as it is measured: every control on, with the policies that `yett init` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from joserfc import jws
from joserfc.jwk import OKPKey

from bench.machine import CannotRun
from bench.workloads import BUFFERED_MODEL, STREAM_MODEL, UPSTREAM_MODEL

COMMAND = Path(sys.executable).with_name("yett")
_ISSUER = "https://idp.bench.example"
# Limits on key, team and model at once, far above what the benchmark uses: checked and counted, but never the answer.
_CONFIGURATION = """
[gateway]
port = {port}
access_log = true

[admin]
port = {admin}

[audit]
durability = "crash"
content = "digest"

[inspection]
stream = true

[providers.answers]
kind = "openai"
base_url = "http://127.0.0.1:{buffered}/v1"
keys = ["env:BENCH_UPSTREAM_KEY"]
labels = ["external"]

[providers.streams]
kind = "openai"
base_url = "http://127.0.0.1:{stream}/v1"
keys = ["env:BENCH_UPSTREAM_KEY"]
labels = ["external"]

[models.{BUFFERED_MODEL}]
targets = [{{ provider = "answers", model = "{UPSTREAM_MODEL}" }}]
limits = {{ rpm = 1_000_000_000, tpm = 100_000_000_000, concurrency = 10_000, budget = "1000000usd/month" }}

[models.{STREAM_MODEL}]
targets = [{{ provider = "streams", model = "{UPSTREAM_MODEL}" }}]
limits = {{ rpm = 1_000_000_000, tpm = 100_000_000_000, concurrency = 10_000, budget = "1000000usd/month" }}

[teams.research]
limits = {{ rpm = 1_000_000_000, tpm = 100_000_000_000, concurrency = 10_000, budget = "1000000usd/month" }}

[teams.support]

[identity.issuers.bench]
issuer = "{ISSUER}"
jwks_file = "jwks.json"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"

[prices."answers/{UPSTREAM_MODEL}"]
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60

[prices."streams/{UPSTREAM_MODEL}"]
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
"""


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "BENCH_UPSTREAM_KEY": "sk-upstream"}  # noqa: TID251


def configure(folder: Path, port: int, admin: int, upstreams: tuple[int, int], extra: str = "") -> str:
    """Write configuration, ended by `extra`, and policies into `folder`, and issue the key that the load generator uses. Returns the key."""
    folder.mkdir(parents=True, exist_ok=True)
    _yett(folder, "init")
    text = _CONFIGURATION.format(
        port=port,
        admin=admin,
        buffered=upstreams[0],
        stream=upstreams[1],
        BUFFERED_MODEL=BUFFERED_MODEL,
        STREAM_MODEL=STREAM_MODEL,
        UPSTREAM_MODEL=UPSTREAM_MODEL,
        ISSUER=_ISSUER,
    )
    (folder / "yett.toml").write_text(text + extra)
    _issue(folder)
    limits = ["--rpm", "1000000000", "--tpm", "100000000000", "--concurrency", "10000", "--budget", "1000000usd/month"]
    created = _yett(folder, "keys", "create", "--json", "--name", "bench", "--team", "research", *limits)
    key: str = json.loads(created)["key"]
    return key


def token(folder: Path) -> str:
    """An access token for the same team: the other caller that the load generator plays."""
    return (folder / "token").read_text()


def _issue(folder: Path) -> None:
    """The keys of an issuer, and a token of it of a common size."""
    private = OKPKey.generate_key("Ed25519", {"kid": "bench"})
    (folder / "jwks.json").write_text(json.dumps({"keys": [private.as_dict(private=False)]}))
    now = int(time.time())  # noqa: TID251
    claims = {"iss": _ISSUER, "aud": "yett", "sub": "bench", "iat": now, "exp": now + 43_200, "jti": "bench"}
    claims |= {"groups": [f"group-{number}" for number in range(24)], "email": "bench@example.org"}
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": "bench"}
    signed = jws.serialize_compact(header, json.dumps(claims), private, algorithms=["Ed25519"])
    (folder / "token").write_text(signed)


def _yett(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(COMMAND), *arguments], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotRun(f"`yett {' '.join(arguments)}` failed:\n{done.stdout}{done.stderr}")
    return done.stdout
