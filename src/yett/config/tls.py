"""From `[gateway.tls]` to the context that connections are made with, or to what is wrong with its files.

The files are read together with yett.toml: a certificate that was renewed is another configuration, and is taken up like one. While
certificate and key do not belong together, because only one of them was written yet, the pair before stays in force.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
import tempfile
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Struct

from yett.config.lines import KeyPath
from yett.config.reading import Reading
from yett.config.secrets import PRIVATE_KEY
from yett.config.tls_settings import TlsSettings
from yett.errors import Mistake
from yett.identity.x509 import Authority
from yett.model.encryption import Tls
from yett.model.route import Secret

_PATH: KeyPath = ("gateway", "tls")


class Term(Struct, frozen=True):
    """From when to when a certificate is good."""

    begins: datetime
    ends: datetime


def tls(reading: Reading, authorities: Iterable[Authority], mistakes: list[Mistake]) -> Tls | None:
    """None without `[gateway.tls]`, and with mistakes."""
    settings = reading.settings.gateway.tls
    chain, key = _pair(settings, reading)
    if settings is None or not chain or not key:
        return None  # not wanted, or reported when the files were read
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        mistakes.append(reading.mistake((*_PATH, "certificate_file"), "holds no certificate that can be read"))
        return None
    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # a key with a password is a TypeError
        mistakes.append(reading.mistake((*_PATH, PRIVATE_KEY), "is no private key without a password"))
        return None
    if private.public_key() != leaf.public_key():
        mistakes.append(reading.mistake((*_PATH, PRIVATE_KEY), "is not the key of the certificate"))
        return None
    anchors = [anchor.public_bytes(Encoding.PEM).decode() for one in authorities for anchor in one.anchors]
    trusted = "" if settings.clients == "none" else "".join(anchors)
    name = hashlib.sha256(b"\0".join((chain, key, trusted.encode(), repr(settings).encode()))).digest()
    made = Tls(name, chain, Secret(key.decode()), settings.handshake_timeout, settings.clients, trusted)
    try:
        context(made)
    except OSError as error:  # of OpenSSL, or there is no room for a temporary file
        reason = str(getattr(error, "reason", "") or error.strerror).replace("_", " ").lower()
        mistakes.append(reading.mistake((*_PATH, "certificate_file"), f"cannot be used: {reason}"))
        return None
    return made


def context(tls: Tls) -> ssl.SSLContext:
    """What new connections are made with. OpenSSL takes a key from a file only: there it is for a moment, closed with a password
    that nobody knows. Raises OSError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if tls.trusted:
        made.verify_mode = ssl.CERT_REQUIRED if tls.clients == "required" else ssl.CERT_OPTIONAL
        made.verify_flags |= (
            ssl.VERIFY_X509_PARTIAL_CHAIN
        )  # whoever is in a bundle is trusted, not only what signed itself
        made.load_verify_locations(cadata=tls.trusted)
        made.options |= ssl.OP_NO_TICKET  # every connection proves anew that it has the key
        made.num_tickets = 0
    password = secrets.token_hex(16).encode()
    key = load_pem_private_key(tls.key.reveal().encode(), None)
    with tempfile.NamedTemporaryFile() as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)) + tls.chain)
        file.flush()
        made.load_cert_chain(file.name, password=password)
    return made


def term(reading: Reading) -> Term | None:
    """Of the gateway's certificate, None where there is none that can be read."""
    chain, _ = _pair(reading.settings.gateway.tls, reading)
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        return None
    return Term(leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def _pair(settings: TlsSettings | None, reading: Reading) -> tuple[bytes, bytes]:
    if settings is None:
        return b"", b""
    secret = reading.secrets.get(settings.private_key)
    return reading.certificates.get(settings.certificate_file, b""), secret.reveal().encode() if secret else b""
