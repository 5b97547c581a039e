"""An authority for certificates: what it signs, well-formed or not. Certificates are P-256; times are relative to now."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

HOUR = 3600


class Pair(Struct, frozen=True):
    """A certificate with its key, and the certificates that lead from it to its authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    between: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in (self.certificate, *self.between))

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def into(self, context: ssl.SSLContext) -> ssl.SSLContext:
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.key_pem + self.pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context


class Certifier:
    """Signs with a key of its own; `above` is who signed its own certificate, when not it itself. `at` is when it signs, wall
    seconds; 0 is now."""

    def __init__(self, name: str, above: Certifier | None = None, at: float = 0.0) -> None:
        self._at = at
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = _key(f"authority {name}")
        self._above = above
        self.certificate = (above or self).sign(self._name, self._key.public_key(), [], ends=10 * HOUR, authority=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def svid(self, *ids: str, ends: float = HOUR) -> Pair:
        """An X.509-SVID: empty subject, the id as its URI."""
        return self.issue("", [x509.UniformResourceIdentifier(id) for id in ids], ends=ends)

    def host(self, *names: str, ends: float = HOUR) -> Pair:
        return self.issue(names[0], [x509.DNSName(name) for name in names], ends=ends)

    def issue(self, common: str, names: list[x509.GeneralName], *, ends: float = HOUR) -> Pair:
        key = _key(f"{common} {names}")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])
        between = (self.certificate,) if self._above is not None else ()
        return Pair(self.sign(subject, key.public_key(), names, ends=ends), key, between)

    def sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        names: list[x509.GeneralName],
        *,
        ends: float = HOUR,
        authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.fromtimestamp(self._at, UTC) if self._at else datetime.now(UTC)
        usage = [name in (("key_cert_sign", "crl_sign") if authority else ("digital_signature",)) for name in _USAGES]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=2))
            .not_valid_after(now + timedelta(seconds=ends))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(*usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not list(subject))
        if not authority:
            purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return builder.sign(self._key, hashes.SHA256())


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
    "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def client(trusted: Certifier, own: Pair | None = None) -> ssl.SSLContext:
    """A caller that trusts this authority, with its own certificate or without one."""
    context = ssl.create_default_context(cadata=trusted.pem.decode())
    return own.into(context) if own is not None else context
