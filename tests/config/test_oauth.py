"""Grants instead of keys, as they are written: what fits together, and what the provider then has."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from yett.config.oauth import check_keys, grant
from yett.config.reader import parse
from yett.errors import Mistake
from yett.model.route import Grant, Secret

URL = 'token_url = "https://login.example/token"\n'
BASIC = f'{URL}auth = "basic"\nclient_id = "me"\nclient_secret = "env:S"\n'


def mistakes(oauth: str, more: str = "") -> list[str]:
    text = f'[providers.a]\nkind = "openai"\n{more}[providers.a.oauth]\n{oauth}'
    return [mistake.message for mistake in parse(text, Path("yett.toml"), {"S": "s3cret"}).mistakes]


def test_a_provider_with_a_grant_needs_no_key() -> None:
    assert mistakes(BASIC) == []


@pytest.mark.parametrize(
    ("oauth", "message"),
    [
        ("", "providers.a.oauth.token_url: is missing"),
        (BASIC.replace("https", "http"), "would send secrets and tokens unencrypted"),
        (BASIC.replace("https://login.example", "login"), "is not an http:// or https:// URL"),
        (f"{BASIC}plaintexts = true", "no such setting"),
        (BASIC.replace("env:S", "s3cret"), "a secret must not be written here"),
        (BASIC.replace('client_id = "me"\n', ""), 'providers.a.oauth.client_id: auth = "basic" needs it'),
        (
            BASIC.replace('"basic"', '"private_key_jwt"'),
            'providers.a.oauth.private_key: auth = "private_key_jwt" needs it',
        ),
        (BASIC.replace('"basic"', '"none"'), 'is not used with auth = "none"; write auth = "basic"'),
        (URL, "anybody could have such a token"),
        (f'{URL}grant = "token_exchange"', 'providers.a.oauth.token_file: grant = "token_exchange" needs it'),
        (
            f'{URL}grant = "jwt_bearer"\ntoken_file = "nowhere"',
            "providers.a.oauth.token_file: there is no file nowhere",
        ),
        (f'{URL}grant = "jwt_bearer"\ntoken_file = "/dev/null"\nauth = "token_file"', "the file has what is exchanged"),
        (f'{URL}auth = "token_file"', 'auth = "token_file" needs it'),
        (f'{BASIC}ca_file = "nowhere.pem"', "there is no file nowhere.pem"),
        (f'{BASIC}grant = "password"', 'expected "client_credentials" or "jwt_bearer" or "token_exchange"'),
    ],
)
def test_what_is_wrong(oauth: str, message: str) -> None:
    found = mistakes(oauth)
    assert any(message in mistake for mistake in found), found
    assert not any("s3cret" in mistake for mistake in found)


def test_keys_or_a_grant() -> None:
    assert mistakes(BASIC, 'key = "env:S"\n') == ['providers.a.oauth: give either "keys" or "oauth"']


def pem(key: PrivateKeyTypes, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def granted(folder: Path, oauth: str) -> tuple[Grant | None, list[Mistake]]:
    reading = parse(
        f'[providers.a]\nkind = "openai"\n[providers.a.oauth]\n{oauth}', folder / "yett.toml", {"S": "s3cret"}
    )
    found = list(reading.mistakes)
    check_keys(reading, found)
    written = reading.settings.providers["a"].oauth
    assert written is not None
    return (None if found else grant(written, reading)), found


def test_what_a_provider_has_then(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    key = pem(ec.generate_private_key(ec.SECP256R1()))
    (tmp_path / "key.pem").write_text(key)
    made, _ = granted(
        tmp_path, f'{URL}auth = "private_key_jwt"\nclient_id = "me"\nprivate_key = "file:key.pem"\ntoken_file = "token"'
    )
    assert made is not None
    assert (made.proof, made.private_key, made.file) == (
        "private_key_jwt",
        Secret(key.strip()),
        str(tmp_path / "token"),
    )
    assert "PRIVATE" not in repr(made)
    assert granted(tmp_path, BASIC)[0] == Grant(
        "client_credentials",
        "https://login.example/token",
        "me",
        "basic",
        Secret("s3cret"),
        file_type="urn:ietf:params:oauth:token-type:jwt",
    )


@pytest.mark.parametrize(
    "key",
    [
        "no key at all",
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.generate_private_key(ec.SECP521R1())),
        pem(x25519.X25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"password")),
    ],
    ids=["none", "short", "curve", "exchange", "locked"],
)
def test_a_key_that_cannot_sign(tmp_path: Path, key: str) -> None:
    (tmp_path / "key.pem").write_text(key)
    _, (mistake,) = granted(tmp_path, f'{URL}auth = "private_key_jwt"\nclient_id = "me"\nprivate_key = "file:key.pem"')
    assert mistake.message.startswith("providers.a.oauth.private_key: is no private key to sign with")
    assert mistake.line == 7
