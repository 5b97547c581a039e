"""A provider that takes short-lived tokens: fetched beside the calls, and nowhere to be seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from tests.scenes.conftest import HEAD
from tests.scenes.harness import Gateway, Target, models_toml, until
from tests.token_endpoint import CLIENT, KEY, ROLE, token_endpoint


def test_a_client_that_signs(build: Callable[..., Gateway], tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    (tmp_path / "client.pem").write_text(pem)
    with token_endpoint() as endpoint, token_endpoint() as cloud:
        (tmp_path / "workload").write_text(cloud.subject)
        endpoint.key = ECKey.import_key(pem)
        endpoint.fail = [(503, b"")]
        provider = f"""
[providers.cloud]
kind = "openai"
base_url = "{endpoint.origin}/v1"
labels = ["external"]
[providers.cloud.oauth]
token_url = "{endpoint.url}"
auth = "private_key_jwt"
client_id = "{CLIENT}"
private_key = "file:{tmp_path}/client.pem"
scope = "models"
[providers.bedrock]
kind = "openai"
base_url = "{cloud.origin}/openai/v1"
labels = ["external"]
[providers.bedrock.aws]
role = "{ROLE}"
region = "eu-west-1"
token_file = "{tmp_path}/workload"
sts_url = "{cloud.origin}"
"""
        models = models_toml({"plain": (Target("cloud", "plain"),), "titan": (Target("bedrock", "titan"),)})
        gateway = build(HEAD + provider + models).start()
        until(lambda: gateway.chat("titan").status == 200, 10, "the first key of a role")
        assert (set(cloud.taken), len(cloud.asked)) == ({"token-1"}, 1)
        until(lambda: gateway.chat("plain").status == 200, 10, "the first token")
        assert gateway.chat("plain").text == "You came with token-1."
        assert set(endpoint.taken) == {"token-1"}
        assert endpoint.proofs == ["signature"]
        assert endpoint.asked[-1]["scope"] == "models"
        assert gateway.counted("yett_provider_token_fetches_total", provider="cloud", outcome="ok") == 1
        assert gateway.counted("yett_provider_token_fetches_total", provider="cloud", outcome="refused") == 1
        assert gateway.counted("yett_provider_token_seconds", provider="cloud") > 3000
        # refused by the provider, and the endpoint gives no other
        endpoint.revoked.add("token-1")
        endpoint.fail = [(400, b'{"error": "unauthorized_client"}')] * 9
        refused = gateway.chat("plain")
        assert (refused.status, refused.code) == (502, "upstream_error")
        refused = gateway.chat("plain")
        assert (refused.status, refused.code) == (503, "upstream_unavailable")
        assert gateway.outcome(refused.id)["attempts"][0]["outcome"] == "no_token"
        assert any("provider cloud: no token" in why for why in gateway.readiness()[1]["workers"][0]["degraded"])
        written = gateway.log + "".join(path.read_text() for path in gateway.audit.glob("*/*.jsonl"))
        assert all(secret not in written for secret in ("token-1", "PRIVATE", KEY, cloud.subject, "of/the+role"))
