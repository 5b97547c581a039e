"""The signature, against the vectors that AWS publishes (the `aws-sig-v4-test-suite`)."""

from __future__ import annotations

import pytest

from yett.guardrails.sigv4 import Credentials, authority, presigned, signed
from yett.model.route import Secret

EXAMPLE = Credentials(Secret("AKIDEXAMPLE"), Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
THEN = 1_440_938_160.0  # 20150830T123600Z


@pytest.mark.parametrize(
    ("method", "headers", "body", "names", "signature"),
    [
        ("GET", {}, b"", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", {}, b"", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_the_published_vectors(method: str, headers: dict[str, str], body: bytes, names: str, signature: str) -> None:
    fields = signed(EXAMPLE, method, ("example.amazonaws.com", "/"), headers, body, ("us-east-1", "service"), THEN)
    assert fields["x-amz-date"] == "20150830T123600Z"
    assert fields["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    assert "host" not in fields


def test_a_session_token_is_signed_too() -> None:
    temporary = Credentials(EXAMPLE.access_key, EXAMPLE.secret_key, Secret("token"))
    fields = signed(temporary, "GET", ("example.amazonaws.com", "/"), {}, b"", ("us-east-1", "service"), THEN)
    assert fields["x-amz-security-token"] == "token"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in fields["authorization"]


def test_everything_that_is_signed_changes_the_signature() -> None:
    base = ("POST", ("h.example", "/a"), {"content-type": "x"}, b"body", ("eu-west-1", "bedrock"), THEN)
    others = [
        ("PUT", *base[1:]),
        (*base[:1], ("i.example", "/a"), *base[2:]),
        (*base[:1], ("h.example", "/b"), *base[2:]),
        (*base[:2], {"content-type": "y"}, *base[3:]),
        (*base[:3], b"other", *base[4:]),
        (*base[:4], ("eu-west-2", "bedrock"), THEN),
        (*base[:5], THEN + 1),
    ]
    signatures = {signed(EXAMPLE, *one)["authorization"].rpartition("=")[2] for one in (base, *others)}  # type: ignore[arg-type]
    assert len(signatures) == len(others) + 1


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://bedrock-runtime.eu-west-1.amazonaws.com", "bedrock-runtime.eu-west-1.amazonaws.com"),
        ("https://Proxy.Example:443/aws", "proxy.example"),
        ("http://127.0.0.1:8486", "127.0.0.1:8486"),
        ("http://localhost:80", "localhost"),
        ("https://[::1]:9000", "[::1]:9000"),
    ],
)
def test_the_host_is_signed_as_it_is_sent(base_url: str, host: str) -> None:
    assert authority(base_url) == host


def test_a_published_vector_of_a_query() -> None:
    query = presigned(EXAMPLE, "POST", "example.amazonaws.com", {}, ("us-east-1", "service"), 3600, THEN)
    assert query == (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request"
        "&X-Amz-Date=20150830T123600Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"
    )


def test_everything_in_a_query_is_signed() -> None:
    temporary = Credentials(EXAMPLE.access_key, EXAMPLE.secret_key, Secret("a/token+="))
    place = ("eu-west-1", "bedrock")
    base = (temporary, "POST", "h.example", {"Action": "A b"}, place, 900, THEN)
    others = [
        (EXAMPLE, *base[1:]),
        (temporary, "GET", *base[2:]),
        (*base[:2], "i.example", *base[3:]),
        (*base[:3], {"Action": "B"}, *base[4:]),
        (*base[:4], ("eu-west-2", "bedrock"), *base[5:]),
        (*base[:5], 901, THEN),
        (*base[:6], THEN + 1),
    ]
    queries = [presigned(*one) for one in (base, *others)]  # type: ignore[arg-type]
    assert queries[0].startswith("Action=A%20b&X-Amz-Algorithm=")
    assert "&X-Amz-Security-Token=a%2Ftoken%2B%3D&" in queries[0]
    assert len({query.rpartition("=")[2] for query in queries}) == len(queries)
