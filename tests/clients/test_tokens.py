"""The official OpenAI SDK, unmodified, with a token where its API key goes: a SPIFFE JWT-SVID, an access token of an OpenID provider."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import openai
import pytest
from tests.clients.conftest import MESH, Endpoint
from tests.issuing import Authority

from yett.cli.system import SystemClock
from yett.identity import jws
from yett.identity.exchange import GRANT

HELLO = [{"role": "user", "content": "hello there"}]
AGENT = "spiffe://example.org/ns/prod/helper"


def svid(**claims: object) -> str:
    return MESH.sign(MESH.claims(SystemClock.now(), **{"iss": None, "sub": AGENT, **claims}), typ="JWT").decode()


def client(gateway: Endpoint, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.base_url, api_key=key, max_retries=0, timeout=20)


def test_a_jwt_svid_is_an_api_key(gateway: Endpoint) -> None:
    with client(gateway, svid()) as sdk:
        assert sdk.chat.completions.create(model="fast", messages=HELLO).choices[0].message.content  # type: ignore[call-overload]
        assert "fast" in [model.id for model in sdk.models.list()]
        with pytest.raises(openai.PermissionDeniedError):
            sdk.chat.completions.create(model="forbidden", messages=HELLO)  # type: ignore[call-overload]


def test_a_function_gives_the_svid_of_the_moment(gateway: Endpoint, tmp_path: Path) -> None:
    """As docs/identity.md shows it: a workload agent keeps the file renewed."""
    file = tmp_path / "yett.jwt"
    file.write_text(svid(exp=1, iat=0) + "\n")
    with openai.OpenAI(
        base_url=gateway.base_url, api_key=lambda: file.read_text().strip(), max_retries=0, timeout=20
    ) as sdk:
        with pytest.raises(openai.AuthenticationError):
            sdk.chat.completions.create(model="fast", messages=HELLO)  # type: ignore[call-overload]
        file.write_text(svid() + "\n")
        assert sdk.chat.completions.create(model="fast", messages=HELLO).choices[0].message.content  # type: ignore[call-overload]


def test_an_access_token_is_an_api_key(gateway: Endpoint, idp: Authority) -> None:
    with client(gateway, idp.token(SystemClock.now()).decode()) as sdk:
        stream = sdk.chat.completions.create(model="fast", messages=HELLO, stream=True)  # type: ignore[call-overload]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1, "iat": 0}, "expired_token"),
        ({"aud": "other"}, "wrong_audience"),
        ({"sub": "spiffe://other.org/ns/prod/helper"}, "unknown_issuer"),
        ({"sub": "spiffe://example.org/ns/test/helper"}, "unacceptable_token"),
    ],
)
def test_others_are_told_why(gateway: Endpoint, claims: dict[str, object], code: str) -> None:
    with client(gateway, svid(**claims)) as sdk, pytest.raises(openai.AuthenticationError) as caught:
        sdk.models.list()
    assert caught.value.code == code


def test_a_task_token_is_an_api_key(gateway: Endpoint, idp: Authority) -> None:
    """An agent acts for a person: its SVID authenticates the exchange, the person's token is the subject."""
    fields = {
        "grant_type": GRANT,
        "subject_token": idp.token(SystemClock.now()).decode(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "scope": "m:fast",
    }
    request = urllib.request.Request(
        gateway.base_url.removesuffix("/v1") + "/oauth/token",
        urllib.parse.urlencode(fields).encode(),
        {"authorization": f"Bearer {svid()}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.headers["cache-control"] == "no-store"
        token = json.load(answer)["access_token"]
    with client(gateway, token) as sdk:
        assert sdk.chat.completions.create(model="fast", messages=HELLO).choices[0].message.content  # type: ignore[call-overload]
        assert [model.id for model in sdk.models.list()] == ["fast"]
    # anybody can verify it with what the gateway publishes
    for port in (gateway.admin, gateway.base_url.removesuffix("/v1")):
        with urllib.request.urlopen(port + "/.well-known/oauth-authorization-server", timeout=20) as answer:
            assert json.load(answer)["token_endpoint"] == "https://yett.example/oauth/token"
        with urllib.request.urlopen(port + "/.well-known/jwks.json", timeout=20) as answer:
            keys = jws.read_keys(answer.read())
    signed = jws.take_apart(token.encode())
    jws.verify(signed, jws.algorithm_of(signed, ("Ed25519",)), keys)
    assert (signed.claims["act"], signed.claims["scope"]) == ({"sub": AGENT}, "m:fast")
    request.add_header("authorization", "Bearer sk-nobody")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    with caught.value as refused:
        assert json.load(refused)["error"] == "invalid_client"
