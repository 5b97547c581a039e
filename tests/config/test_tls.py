"""`[gateway.tls]`: what its files must hold, each mistake with its line, and how a renewed certificate is taken up."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from tests.certificates import Certifier

from yett.config.reader import changed, parse, read
from yett.config.tls import context, term, tls
from yett.errors import Mistake
from yett.identity.x509 import Authority

TEXT = '[gateway.tls]\ncertificate_file = "cert.pem"\nprivate_key = "file:key.pem"\n'
CA = Certifier("here")
GATE = CA.host("gate.example")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TEXT)
    (tmp_path / "cert.pem").write_bytes(GATE.pem)
    (tmp_path / "key.pem").write_bytes(GATE.key_pem)
    return tmp_path


def mistakes(folder: Path, text: str = TEXT) -> list[Mistake]:
    reading = parse(text, folder / "yett.toml", {"KEY": GATE.key_pem.decode()})
    found = list(reading.mistakes)
    made = tls(reading, (), found)
    assert (made is None) == bool(found)
    return found


def test_what_fits_together(folder: Path) -> None:
    reading = read(folder / "yett.toml", {})
    made, again = tls(reading, (), []), tls(reading, (), [])
    assert made is not None
    assert again is not None
    assert made.name == again.name  # so that connections need not change
    assert context(made).minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.handshake == 10.0
    assert GATE.key_pem.decode().splitlines()[1] not in repr(made)
    assert mistakes(folder, TEXT.replace("file:key.pem", "env:KEY")) == []
    assert (good := term(reading)) is not None
    assert good.begins < good.ends


def test_without_a_table_there_is_none() -> None:
    reading = parse("", Path("yett.toml"), {})
    assert tls(reading, (), []) is None
    assert term(reading) is None


@pytest.mark.parametrize(
    ("file", "content", "line", "expected"),
    [
        ("cert.pem", None, 2, "gateway.tls.certificate_file: the file"),
        ("cert.pem", b"x" * (1024**2 + 1), 2, "too large for certificates"),
        ("cert.pem", b"nothing", 2, "gateway.tls.certificate_file: holds no certificate"),
        ("cert.pem", CA.host("other.example").pem, 3, "gateway.tls.private_key: is not the key of the certificate"),
        ("key.pem", None, 3, "gateway.tls.private_key: the file"),
        ("key.pem", b"nothing", 3, "gateway.tls.private_key: is no private key"),
        (
            "key.pem",
            GATE.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p")),
            3,
            "is no private key without a password",
        ),
        (
            "key.pem",
            x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            3,
            "is not the key of the certificate",
        ),
    ],
)  # fmt: skip
def test_mistakes(folder: Path, file: str, content: bytes | None, line: int, expected: str) -> None:
    (folder / file).unlink() if content is None else (folder / file).write_bytes(content)
    (found,) = mistakes(folder)
    assert found.line == line
    assert expected in found.message


def test_a_key_that_openssl_finds_too_small(folder: Path) -> None:
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "small")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(hours=1))
    (folder / "cert.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (found,) = mistakes(folder)
    assert found.line == 2
    assert found.message == "gateway.tls.certificate_file: cannot be used: ee key too small"


def test_callers_certificates_are_held_against_whom_yett_toml_trusts(folder: Path) -> None:
    authority = Authority("corp", "ca:corp", (CA.certificate,))
    for clients, mode in (("none", ssl.CERT_NONE), ("optional", ssl.CERT_OPTIONAL), ("required", ssl.CERT_REQUIRED)):
        reading = parse(f'{TEXT}clients = "{clients}"\n', folder / "yett.toml", {})
        assert (made := tls(reading, [authority], [])) is not None
        assert context(made).verify_mode == mode
        assert (made.trusted == CA.pem.decode()) == (clients != "none")


def test_a_table_without_its_files() -> None:
    reading = parse("[gateway.tls]\n", Path("yett.toml"), {})
    assert [mistake.message for mistake in reading.mistakes] == [
        "gateway.tls.certificate_file: is missing",
        "gateway.tls.private_key: is missing",
    ]
    assert term(reading) is None


def test_a_renewed_certificate_is_noticed_and_waits_for_its_key(folder: Path) -> None:
    reading = read(folder / "yett.toml", {})
    assert not changed(reading)
    renewed = CA.host("renewed.example")
    (folder / "cert.pem").write_bytes(renewed.pem)
    assert changed(reading)
    assert [found.line for found in mistakes(folder)] == [3]
    (folder / "key.pem").write_bytes(renewed.key_pem)
    assert mistakes(folder) == []
    (folder / "cert.pem").unlink()
    reading = read(folder / "yett.toml", {})
    assert not changed(reading)  # it cannot be read, which is known
    (folder / "cert.pem").write_bytes(renewed.pem)
    assert changed(reading)
