"""What receives security events looks for another configuration now and then, not with each event that anybody sends."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.issuer_server import documents
from tests.issuing import Authority

from yett.cli.receiver import LOOK_SECONDS, Receiver
from yett.cli.system import SystemClock
from yett.config.reader import load
from yett.identity.events import SESSION_REVOKED

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


FETCHED = """
[receivers.idp]
issuer = "{url}/tenant"
audiences = ["yett"]
algorithms = ["Ed25519"]
"""


def test_keys_are_fetched_and_kept(tmp_path: Path) -> None:
    """By discovery; once more when there is another one, and not for a while after that; and without the provider after a restart."""
    config = tmp_path / "yett.toml"
    with documents({}) as idp:
        idp_url = f"{idp.url}/tenant"
        first, second = Authority(idp_url), Authority(idp_url, "k2")
        idp.at["/.well-known/ssf-configuration/tenant"] = json.dumps(
            {"issuer": idp_url, "jwks_uri": f"{idp.url}/keys"}
        ).encode()
        idp.at["/keys"] = first.document()
        config.write_text(FETCHED.replace("{url}", idp.url))

        def event(by: Authority, jti: str) -> bytes:
            subject = {"format": "opaque", "id": "ada"}
            at = int(SystemClock().now())
            claims = {
                "iss": idp_url,
                "aud": "yett",
                "iat": at,
                "jti": jti,
                "sub_id": subject,
                "events": {SESSION_REVOKED: {}},
            }
            return by.sign(claims, typ="secevent+jwt")

        async def pushed(*tokens: bytes) -> list[tuple[int, str]]:
            receiver = Receiver(config, {}, load(config, {}))
            try:
                answers = [await receiver.take("idp", token, "") for token in tokens]
            finally:
                await receiver.close()
            return [(answer.status, answer.err) for answer in answers]

        taken = asyncio.run(pushed(event(first, "e1"), event(second, "e2"), event(second, "e3")))
        assert taken == [(202, ""), (400, "invalid_key"), (400, "invalid_key")]
        assert idp.asked == ["/.well-known/ssf-configuration/tenant", "/keys"]
        idp.at["/keys"] = Authority(idp_url, "k1", "k2").document()
        assert asyncio.run(pushed(event(second, "e4"))) == [(202, "")]
    assert asyncio.run(pushed(event(first, "e5"), event(second, "e6"))) == [(202, ""), (202, "")]
    for kept in (tmp_path / ".yett" / "issuer-keys").iterdir():
        kept.unlink()
    assert asyncio.run(pushed(event(first, "e7"))) == [(503, "")]
