"""Signing in: what is asked, and everything that can be wrong with what comes back."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace
from tests.issuing import NOW, Authority

from yett.errors import Refusal
from yett.identity import sign_in
from yett.identity.issuer import Issuer, Source
from yett.identity.jws import take_apart
from yett.identity.sign_in import Metadata, Pending
from yett.model.operator import Mapped, Role

METADATA = Metadata("https://idp.example", "https://idp.example/auth", "https://idp.example/token")
PENDING = Pending("state", "nonce", "verifier", "/console", NOW + 600)
ISSUER = Issuer(
    name="operators",
    credential="oidc",
    url="https://idp.example",
    source=Source(),
    audiences=frozenset(("console",)),
    algorithms=frozenset(("Ed25519",)),
    types=frozenset(("", "jwt")),
)
IDP = Authority()
MAPPING = (Mapped("chiefs", Role("admin")), Mapped("staff", Role("viewer")))


def check(max_age: float = 0.0, **claims: Any) -> None:
    said = IDP.claims(**{"aud": "console", "nonce": "nonce", **claims})
    sign_in.check_id_token(ISSUER, "console", take_apart(IDP.sign(said, typ="JWT")), PENDING, max_age, NOW)


def test_what_the_provider_is_asked() -> None:
    url = sign_in.authorization_url(METADATA, "console", "https://y.example/console/callback", PENDING, ("email",), 0)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked == {
        "response_type": "code",
        "client_id": "console",
        "redirect_uri": "https://y.example/console/callback",
        "scope": "openid email",
        "state": "state",
        "nonce": "nonce",
        "code_challenge": "iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ",
        "code_challenge_method": "S256",
    }
    elsewhere = replace(METADATA, authorization_endpoint="https://idp.example/auth?tenant=1")
    aged = sign_in.authorization_url(elsewhere, "console", "https://y.example", PENDING, (), 60)
    assert aged.startswith("https://idp.example/auth?tenant=1&response_type=code")
    assert aged.endswith("&max_age=60")


def test_signing_out_at_the_provider() -> None:
    assert sign_in.end_url(METADATA, "console", "https://y.example") == ""
    offered = replace(METADATA, end_session_endpoint="https://idp.example/end")
    wanted = "https://idp.example/end?client_id=console&post_logout_redirect_uri=https%3A%2F%2Fy.example"
    assert sign_in.end_url(offered, "console", "https://y.example") == wanted
    offered = replace(METADATA, end_session_endpoint="https://idp.example/end?a=b")
    assert sign_in.end_url(offered, "console", "https://y.example").startswith("https://idp.example/end?a=b&client_id")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"state": "another"}, "another sign-in"),
        ({"state": ""}, "another sign-in"),
        ({"state": "\udc80"}, "another sign-in"),
        ({"iss": "https://evil.example"}, "another identity provider"),
        ({"error": "access_denied"}, r"sign anybody in \(access_denied\)"),
        ({"error": "<script>"}, r"sign anybody in\.$"),
        ({"code": ""}, "no code"),
        ({"code": "x" * 5000}, "no code"),
    ],
)
def test_answers_that_are_refused(change: dict[str, str], said: str) -> None:
    good = {"state": "state", "code": "c0de"}
    assert sign_in.code_of(good, PENDING, METADATA, NOW) == "c0de"
    with pytest.raises(Refusal, match=said) as caught:
        sign_in.code_of({**good, **change}, PENDING, METADATA, NOW)
    assert caught.value.code == "sign_in_refused"


def test_an_answer_that_comes_too_late_or_from_nobody() -> None:
    good = {"state": "state", "code": "c0de"}
    with pytest.raises(Refusal, match="too long"):
        sign_in.code_of(good, PENDING, METADATA, NOW + 600)
    naming = replace(METADATA, authorization_response_iss_parameter_supported=True)
    with pytest.raises(Refusal, match="another identity provider"):
        sign_in.code_of(good, PENDING, naming, NOW)
    assert sign_in.code_of({**good, "iss": METADATA.issuer}, PENDING, naming, NOW) == "c0de"


def test_how_the_console_proves_itself() -> None:
    def request(secret: str, *methods: str) -> tuple[dict[bytes, bytes], dict[str, list[str]]]:
        metadata = replace(METADATA, token_endpoint_auth_methods_supported=methods or ("client_secret_basic",))
        headers, body = sign_in.token_request(metadata, "con:sole", secret, "https://y.example", "c0de", "verifier")
        return dict(headers), parse_qs(body.decode())

    headers, form = request("a:b%")
    assert base64.b64decode(headers[b"authorization"][6:]) == b"con%3Asole:a%3Ab%25"
    assert form == {
        "grant_type": ["authorization_code"],
        "code": ["c0de"],
        "redirect_uri": ["https://y.example"],
        "code_verifier": ["verifier"],
    }
    headers, form = request("secret", "client_secret_post")
    assert (b"authorization" in headers, form["client_id"], form["client_secret"]) == (False, ["con:sole"], ["secret"])
    headers, _ = request("secret", "private_key_jwt")
    assert b"authorization" in headers
    headers, form = request("")
    assert (b"authorization" in headers, form["client_id"], "client_secret" in form) == (False, ["con:sole"], False)


def test_the_token_of_an_answer() -> None:
    assert sign_in.id_token_of(b'{"id_token": "a.b.c", "access_token": "x"}') == b"a.b.c"
    for body in (b"", b"{}", b"[" * 10_000, b'{"id_token": 1}'):
        with pytest.raises(Refusal, match="no ID token"):
            sign_in.id_token_of(body)


def test_an_id_token_that_will_do() -> None:
    check()
    check(azp="console")
    check(aud=["console", "x"], azp="console")
    check(60, auth_time=NOW - 60)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "https://evil.example"}, "unknown_issuer"),
        ({"aud": "another"}, "wrong_audience"),
        ({"aud": ["console", "another"]}, "sign_in_refused"),
        ({"azp": "another"}, "sign_in_refused"),
        ({"nonce": "another"}, "sign_in_refused"),
        ({"nonce": None}, "sign_in_refused"),
        ({"nonce": "\udc80"}, "sign_in_refused"),
        ({"exp": NOW - 60}, "expired_token"),
        ({"iat": NOW + 60}, "token_not_yet_valid"),
        ({"auth_time": NOW - 200, "max_age": 60}, "sign_in_refused"),
        ({"auth_time": True, "max_age": 60}, "sign_in_refused"),
        ({"max_age": 60}, "sign_in_refused"),
    ],
)
def test_id_tokens_that_are_refused(claims: dict[str, Any], code: str) -> None:
    max_age = claims.pop("max_age", 0)
    if claims.get("nonce") == "\udc80":
        token = replace(
            take_apart(IDP.sign(IDP.claims(aud="console"), typ="JWT")), claims={**IDP.claims(aud="console"), **claims}
        )
        with pytest.raises(Refusal) as caught:
            sign_in.check_id_token(ISSUER, "console", token, PENDING, 0, NOW)
    else:
        with pytest.raises(Refusal) as caught:
            check(max_age, **claims)
    assert caught.value.code == code


def test_whom_a_token_is_about() -> None:
    said = IDP.claims(groups=["staff", "others", 7], name="Ada L", email="ada@acme.example")
    who = sign_in.identity_of(ISSUER, said, "groups", MAPPING)
    assert (who.subject, who.name, who.email, who.said) == ("ada", "Ada L", "ada@acme.example", ("staff",))
    nested = IDP.claims(realm={"roles": "chiefs"}, preferred_username="ada.l", email="a\nb")
    who = sign_in.identity_of(ISSUER, nested, "/realm/roles", MAPPING)
    assert (who.name, who.email, who.said) == ("ada.l", "", ("chiefs",))
    assert sign_in.identity_of(ISSUER, IDP.claims(groups="staff"), "groups", MAPPING).name == "ada"
    listing = replace(ISSUER, directory="corp", directory_claim="oid")
    who = sign_in.identity_of(listing, IDP.claims(groups="staff", oid="E1"), "", MAPPING)
    assert (who.subject, who.listed, who.said) == ("ada", "E1", ())  # whose roles the directory says
    with pytest.raises(Refusal, match='the claim "oid" is missing'):
        sign_in.identity_of(listing, IDP.claims(groups="staff"), "groups", MAPPING)
    for nothing in (None, [], ["Staff"], {"staff": True}, 7):
        with pytest.raises(Refusal) as caught:
            sign_in.identity_of(ISSUER, IDP.claims(groups=nothing), "groups", MAPPING)
        assert caught.value.code == "role_required"


def test_how_long_an_access_token_lasts() -> None:
    token = take_apart(IDP.sign(IDP.claims(aud="console"), typ="JWT"))
    assert sign_in.lasting(ISSUER, token, NOW) == (NOW, NOW + 300)


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "/console//evil.example", "/consolex", "/", "",
        "/console/../x", "/console\\x", "/console/ü", "/console/\nx", "/console/" + "x" * 600, "/console#x", "console", "/api/v1/me",
    ],
)  # fmt: skip
def test_links_lead_nowhere_else(next: str) -> None:
    assert sign_in.place(next) == "/console"


@pytest.mark.parametrize("next", ["/console", "/console/calls", "/console?team=research"])
def test_links_lead_to_pages_of_the_console(next: str) -> None:
    assert sign_in.place(next) == next
