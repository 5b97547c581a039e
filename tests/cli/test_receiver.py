"""What receives security events looks for another configuration now and then, not with each event that anybody sends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.issuing import Authority

from yett.cli.receiver import LOOK_SECONDS, Receiver
from yett.config.reader import load

TOML = """
[receivers.idp]
issuer = "https://idp.example"
audiences = ["yett"]
jwks_file = "keys.json"
algorithms = ["Ed25519"]
token = "file:token"
"""


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_new_token_is_known_after_a_second_and_events_cause_no_reading(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(Authority("https://idp.example").document())
    (tmp_path / "token").write_text("first")
    config = tmp_path / "yett.toml"
    config.write_text(TOML)
    time = Time()
    receiver = Receiver(config, {}, load(config, {}), time)

    def status(token: str) -> int:
        return asyncio.run(receiver.take("idp", b"nonsense", f"Bearer {token}")).status

    assert (status("first"), status("second")) == (400, 401)
    (tmp_path / "token").write_text("second")
    assert (status("first"), status("second")) == (400, 401), "nobody has looked"
    time.now += LOOK_SECONDS
    assert (status("first"), status("second")) == (401, 400)
    config.write_text("half a fi")
    time.now += LOOK_SECONDS
    assert status("second") == 400, "what was right before still is"
