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
from yett.model.route import AssumedRole, Grant, Secret, ServiceAccount

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


AWS = """role = "arn:aws:iam::123456789012:role/team/models"
region = "eu-west-1"
token_file = "token"
"""


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (f"[providers.a.aws]\n{AWS}", ""),
        ("[providers.a.aws]", "providers.a.aws.role: is missing"),
        (f"[providers.a.aws]\n{AWS.replace('arn:aws:iam::', '')}", "providers.a.aws.role: "),
        (f"[providers.a.aws]\n{AWS.replace('eu-west-1', 'evil.example/')}", "providers.a.aws.region: "),
        (f"[providers.a.aws]\n{AWS.replace('token_file', 'tokenfile')}", "no such setting"),
        (f"[providers.a.aws]\n{AWS}".replace('"token"', '"nowhere"'), "providers.a.aws.token_file: there is no file "),
        (f"[providers.a.aws]\n{AWS}lifetime = '1m'", "providers.a.aws.lifetime: "),
        (f"[providers.a.aws]\n{AWS}session_name = 'a b'", "providers.a.aws.session_name: "),
        (f"[providers.a.aws]\n{AWS}sts_url = 'http://sts.example'", "would send tokens unencrypted"),
        (f"key = 'env:S'\n[providers.a.aws]\n{AWS}", 'providers.a.aws: give either "keys", "oauth" or "aws"'),
        (f"[providers.a.oauth]\n{BASIC}[providers.a.aws]\n{AWS}", 'give either "keys", "oauth" or "aws"'),
        (f"[providers.a.oauth]\n{BASIC}service_account = {{ email = 'a@b' }}", ""),
        (f"[providers.a.oauth]\n{BASIC}service_account = {{ email = 'a/b@c' }}", "oauth.service_account.email: "),
        (f"[providers.a.oauth]\n{BASIC}service_account = {{ email = 'a@b', scopes = [] }}", "service_account.scopes: "),
        (
            f"[providers.a.oauth]\n{BASIC}service_account = {{ email = 'a@b', url = 'http://x.example' }}",
            "providers.a.oauth.service_account.url: ",
        ),
    ],
)
def test_what_is_wrong_with_a_cloud(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "token").write_text("x")
    reading = parse(f'[providers.a]\nkind = "openai"\n{table}', tmp_path / "yett.toml", {"S": "s3cret"})
    found = [mistake.message for mistake in reading.mistakes]
    assert (found == []) if not message else any(message in mistake for mistake in found), found


def pem(key: PrivateKeyTypes, encryption: KeySerializationEncryption | None = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def granted(folder: Path, oauth: str) -> tuple[Grant | None, list[Mistake]]:
    reading = parse(
        f'[providers.a]\nkind = "openai"\n[providers.a.oauth]\n{oauth}', folder / "yett.toml", {"S": "s3cret"}
    )
    found = list(reading.mistakes)
    check_keys(reading, found)
    return (None if found else grant(reading.settings.providers["a"], reading)), found


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


def test_roles_and_service_accounts(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    text = f"""[providers.a]
kind = "openai"
[providers.a.aws]
{AWS}lifetime = "15m"
[providers.b]
kind = "openai"
[providers.b.oauth]
{BASIC}service_account = {{ email = "m@p.iam.gserviceaccount.com" }}
[providers.c]
kind = "openai"
key = "env:S"
"""
    reading = parse(text, tmp_path / "yett.toml", {"S": "s3cret"})
    role, account, keys = (grant(reading.settings.providers[name], reading) for name in "abc")
    assert role == Grant(
        "web_identity",
        "https://sts.eu-west-1.amazonaws.com",
        "",
        "none",
        file=str(tmp_path / "token"),
        role=AssumedRole("arn:aws:iam::123456789012:role/team/models", "yett", "eu-west-1", 900),
    )
    assert account is not None
    assert account.account == ServiceAccount(
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/m@p.iam.gserviceaccount.com:generateAccessToken",
        ("https://www.googleapis.com/auth/cloud-platform",),
        3600,
    )
    assert keys is None
