"""Certificates: who vouches for one, and whom it is about (X.509-SVID; RFC 5280).

    leaf ─> one SPIFFE ID?  yes ─> the bundle of its own trust domain, and no other ─> workload
                            no  ─> each plain authority in turn                     ─> client, by a name of the certificate

TLS has proven that the caller has the key of the leaf, and that somebody who is trusted here vouches for it. Who that is matters as
much: an authority that is trusted for its own names must not vouch for those of another. So the path is built anew.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError
from msgspec import Struct

from yett.errors import Refusal
from yett.identity import spiffe
from yett.identity.issuer import LONGEST_ID, LONGEST_NAME, Subject, Workload, workload_at

SORTS = ("dns", "uri", "email", "subject")


class Client(Struct, frozen=True):
    """Holders of certificates of a plain authority: those with this `name` of this sort. "*" at its beginning stands for any text; a
    certificate must then have only one name of the sort."""

    sort: str  # one of SORTS
    name: str
    team: str
    kind: str
    labels: tuple[tuple[str, str], ...] = ()


class Authority(Struct, frozen=True):
    """Who vouches for certificates: a trust domain, or a plain authority. `url` is what its callers' credentials are traced to."""

    name: str
    url: str  # x509:TRUST-DOMAIN, ca:NAME
    anchors: tuple[x509.Certificate, ...]
    tenant: str = "default"
    workloads: tuple[Workload, ...] = ()  # of a trust domain, longest path first
    clients: tuple[Client, ...] = ()
    models: tuple[str, ...] = ()
    credential: str = "mtls"
    assurance: int = 3


def verify(chain: tuple[bytes, ...], authorities: Mapping[str, Authority], now: float) -> tuple[Authority, Subject]:
    """Who vouches for the first certificate (DER) of `chain`, and for whom; the others may lead there. Raises Refusal:
    invalid_certificate, expired_certificate, unacceptable_certificate."""
    leaf, between, names = loaded(chain)
    if not of_workload(names):
        return _client(leaf, between, names, authorities.values(), now)
    if len(names["uri"]) != 1:  # X.509-SVID, section 2
        raise Refusal("invalid_certificate", "The certificate has more names than its SPIFFE ID.")
    (id,) = names["uri"]
    try:
        domain, path = spiffe.parse(id)
    except ValueError:
        raise Refusal("invalid_certificate", "The certificate's name is no SPIFFE ID.") from None
    authority = authorities.get(f"x509:{domain}")
    if authority is None:
        raise Refusal("unacceptable_certificate", "Nobody is trusted here for the certificate's trust domain.")
    expires = vouched_until(leaf, between, authority, now)
    workload = workload_at(authority.workloads, path)
    if workload is None:
        raise Refusal("unacceptable_certificate", "The certificate's workload is not among those of yett.toml.")
    name = id.rpartition("/")[2]
    return authority, _subject(leaf, id, name, authority, workload, expires)


def _client(
    leaf: x509.Certificate,
    between: list[x509.Certificate],
    names: Mapping[str, list[str]],
    authorities: Iterable[Authority],
    now: float,
) -> tuple[Authority, Subject]:
    refusal = Refusal("invalid_certificate")
    for authority in authorities:
        if not authority.clients:
            continue
        try:
            expires = vouched_until(leaf, between, authority, now)
        except Refusal as reason:
            refusal = reason
            continue
        for client in authority.clients:
            found = _named(client, names[client.sort])
            if found:
                id = f"{authority.name}/{client.sort}:{found}"
                return authority, _subject(leaf, id, found, authority, client, expires)
        raise Refusal("unacceptable_certificate", "The certificate has no name that yett.toml knows.")
    raise refusal


def _named(client: Client, names: list[str]) -> str:
    """The name of a certificate that the client is known by, "" when there is none."""
    if not client.name.startswith("*"):
        return client.name if client.name in names else ""
    if len(names) == 1 and names[0].endswith(client.name[1:]) and len(names[0]) >= len(client.name):
        if client.sort == "subject" and _within_value(names[0][: -len(client.name[1:])]):
            return ""
        return names[0] if len(names[0]) <= LONGEST_ID and names[0].isprintable() else ""
    return ""


def loaded(chain: tuple[bytes, ...]) -> tuple[x509.Certificate, list[x509.Certificate], dict[str, list[str]]]:
    """The first certificate (DER), the others, and the names of the first. Raises Refusal("invalid_certificate")."""
    try:
        leaf, *between = [x509.load_der_x509_certificate(each) for each in chain]
        return leaf, between, _names(leaf)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise Refusal("invalid_certificate", "The certificate cannot be read.") from None


def thumbprint(certificate: bytes) -> str:
    """What a token that is bound to it calls a certificate (DER): `x5t#S256`, RFC 8705 section 3.1."""
    return base64.urlsafe_b64encode(hashlib.sha256(certificate).digest()).rstrip(b"=").decode()


def end_of(certificate: bytes) -> int:
    """Until when a certificate (DER) is good by itself. Raises Refusal("invalid_certificate")."""
    return int(loaded((certificate,))[0].not_valid_after_utc.timestamp())


def of_workload(names: Mapping[str, list[str]]) -> bool:
    """Whether a certificate with these names has, or seems to have, a SPIFFE ID: then nobody but its trust domain can vouch for it."""
    return any(uri.lower().startswith("spiffe:") for uri in names["uri"])


def _within_value(before: str) -> bool:
    """Whether a subject goes on here with a character that has lost its meaning (RFC 4514): `CN=x\\,O=Example` is one name with a comma."""
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _names(leaf: x509.Certificate) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {sort: [] for sort in SORTS}
    subject = leaf.subject.rfc4514_string()
    if subject:
        found["subject"].append(subject)
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return found
    found["dns"] = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    found["uri"] = names.get_values_for_type(x509.UniformResourceIdentifier)
    found["email"] = names.get_values_for_type(x509.RFC822Name)
    return found


# Certificates of companies' own authorities have their name in the subject as often as not, and often no key identifiers.
_HOLDER = (
    ExtensionPolicy.webpki_defaults_ee()
    .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    .may_be_present(x509.AuthorityKeyIdentifier, Criticality.NON_CRITICAL, None)
)
_AUTHORITY = ExtensionPolicy.webpki_defaults_ca()


def vouched_until(leaf: x509.Certificate, between: list[x509.Certificate], authority: Authority, now: float) -> int:
    """Until when it is certain that this authority vouches for `leaf`: the end of whichever certificate ends first. Raises Refusal."""
    verifier = (
        PolicyBuilder()
        .store(Store(list(authority.anchors)))
        .time(datetime.fromtimestamp(now, UTC))
        .extension_policies(ca_policy=_AUTHORITY, ee_policy=_HOLDER)
        .build_client_verifier()
    )
    try:
        path = verifier.verify(leaf, between).chain
    except VerificationError:
        if leaf.not_valid_after_utc.timestamp() <= now:
            raise Refusal("expired_certificate") from None
        raise Refusal("invalid_certificate") from None
    return int(min(each.not_valid_after_utc for each in path).timestamp())


def _subject(
    leaf: x509.Certificate, id: str, name: str, authority: Authority, known: Workload | Client, expires: int
) -> Subject:
    return Subject(
        id=id,
        name=name[:LONGEST_NAME],
        tenant=authority.tenant,
        team=known.team,
        kind=known.kind,
        labels=known.labels,
        issued=int(leaf.not_valid_before_utc.timestamp()),
        expires=expires,
    )
