"""Certificates: who may vouch for whom. The certificates are real; time is, too."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace
from tests.certificates import HOUR, Certifier, Pair

from yett.cli.system import SystemClock
from yett.errors import Refusal
from yett.identity.issuer import Subject, Workload
from yett.identity.x509 import Authority, Client, verify

CLOCK = SystemClock()
HOME, ABROAD, CORP, STRANGER = Certifier("home"), Certifier("abroad"), Certifier("corp"), Certifier("stranger")
BETWEEN = Certifier("between", HOME)
AGENT = "spiffe://example.org/ns/agents/a1"


def authority(url: str, by: Certifier, **more: object) -> Authority:
    return Authority(url.partition(":")[2], url, (by.certificate,), **more)  # type: ignore[arg-type]


AUTHORITIES = MappingProxyType(
    {
        each.url: each
        for each in (
            authority(
                "x509:example.org", HOME, workloads=(Workload("/ns/agents", "research", "agent", (("a", "b"),)),)
            ),
            authority("x509:partner.org", ABROAD, workloads=(Workload("/", "partners", "service"),)),
            authority(
                "ca:corp",
                CORP,
                tenant="acme",
                clients=(
                    Client("dns", "reports.example", "support", "service"),
                    Client("dns", "*.batch.example", "research", "service"),
                    Client("email", "ada@example.com", "research", "user"),
                    Client("subject", "CN=laptop", "research", "user"),
                ),
            ),
        )
    }
)


def known(pair: Pair, *between: Certifier, now: float = 0.0) -> Subject:
    chain = (pair.der, *(each.certificate.public_bytes(Encoding.DER) for each in between))
    return verify(chain, AUTHORITIES, now or CLOCK.now())[1]


def refused(pair: Pair, *between: Certifier, now: float = 0.0) -> Refusal:
    with pytest.raises(Refusal) as caught:
        known(pair, *between, now=now)
    return caught.value


def test_a_workload_of_a_trust_domain() -> None:
    pair = HOME.svid(AGENT)
    found = known(pair)
    assert (found.id, found.name, found.team, found.kind, found.labels) == (
        AGENT,
        "a1",
        "research",
        "agent",
        (("a", "b"),),
    )
    assert found.issued == int(pair.certificate.not_valid_before_utc.timestamp())
    assert found.expires == int(pair.certificate.not_valid_after_utc.timestamp())
    assert known(ABROAD.svid("spiffe://partner.org/x")).team == "partners"


def test_certificates_between_lead_to_the_bundle_and_may_end_first() -> None:
    pair = BETWEEN.svid(AGENT, ends=20 * HOUR)
    assert known(pair, BETWEEN).expires == int(BETWEEN.certificate.not_valid_after_utc.timestamp())
    assert refused(pair).code == "invalid_certificate"


def test_nobody_vouches_for_another_trust_domain() -> None:
    assert refused(ABROAD.svid(AGENT)).code == "invalid_certificate"
    assert refused(CORP.svid(AGENT)).code == "invalid_certificate"
    assert refused(HOME.svid(AGENT, "spiffe://partner.org/x")).code == "invalid_certificate"
    assert refused(HOME.svid(AGENT, "https://example.org")).code == "invalid_certificate"
    assert refused(HOME.svid("spiffe://elsewhere.org/ns/agents/a")).code == "unacceptable_certificate"
    assert refused(HOME.svid("spiffe://example.org/ns/other")).code == "unacceptable_certificate"


@pytest.mark.parametrize(
    "id", ["SPIFFE://example.org/ns/agents/a", "spiffe://Example.org/x", "spiffe://example.org/../x"]
)
def test_what_is_almost_an_id_is_none(id: str) -> None:
    assert refused(HOME.svid(id)).code == "invalid_certificate"


def test_times() -> None:
    assert refused(HOME.svid(AGENT, ends=-60)).code == "expired_certificate"
    assert refused(HOME.svid(AGENT), now=CLOCK.now() - 3 * HOUR).code == "invalid_certificate"
    assert refused(HOME.svid(AGENT), now=CLOCK.now() + 2 * HOUR).code == "expired_certificate"


def test_an_authority_is_no_caller() -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    pair = HOME.svid(AGENT)
    sub = HOME.sign(name, pair.key.public_key(), [x509.UniformResourceIdentifier(AGENT)], authority=True)
    assert refused(Pair(sub, pair.key)).code == "invalid_certificate"


@pytest.mark.parametrize(
    ("pair", "id", "team"),
    [
        (CORP.host("reports.example"), "corp/dns:reports.example", "support"),
        (CORP.host("Reports.Example", "other.example"), "corp/dns:reports.example", "support"),
        (CORP.host("j1.batch.example"), "corp/dns:j1.batch.example", "research"),
        (CORP.issue("x", [x509.RFC822Name("ada@example.com")]), "corp/email:ada@example.com", "research"),
        (CORP.issue("laptop", []), "corp/subject:CN=laptop", "research"),
    ],
)
def test_clients_of_a_plain_authority(pair: Pair, id: str, team: str) -> None:
    found = known(pair)
    assert (found.id, found.team, found.tenant) == (id, team, "acme")


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (CORP.host("nobody.example"), "unacceptable_certificate"),
        (CORP.host("j1.batch.example", "j2.batch.example"), "unacceptable_certificate"),  # which of them?
        (CORP.issue("", [x509.DNSName(".".join(["y" * 50] * 5) + ".batch.example")]), "unacceptable_certificate"),
        (CORP.issue("someone", []), "unacceptable_certificate"),
        (CORP.issue("", [x509.UniformResourceIdentifier("https://x.example")]), "unacceptable_certificate"),
        (STRANGER.host("reports.example"), "invalid_certificate"),
        (HOME.host("reports.example"), "invalid_certificate"),
        (CORP.host("reports.example", ends=-60), "expired_certificate"),
    ],
)
def test_others_are_refused(pair: Pair, expected: str) -> None:
    assert refused(pair).code == expected


def test_what_cannot_be_read_and_nobody_trusted() -> None:
    for chain, authorities in (((b"\x30\x00",), AUTHORITIES), ((CORP.host("reports.example").der,), {})):
        with pytest.raises(Refusal) as caught:
            verify(chain, authorities, CLOCK.now())
        assert caught.value.code == "invalid_certificate"


def test_a_comma_in_a_name_of_the_subject_is_no_other_name() -> None:
    """An authority that signs any common name must not thereby sign organisations."""
    staff = replace(AUTHORITIES["ca:corp"], clients=(Client("subject", "*,O=Example", "support", "user"),))

    def subject(common: str, organisation: str = "") -> Pair:
        names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common)]
        names = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation), *names] if organisation else names
        key = CORP.host("a").key
        return Pair(CORP.sign(x509.Name(names), key.public_key(), []), key)

    def found(pair: Pair) -> str:
        try:
            return verify((pair.der,), {"ca:corp": staff}, CLOCK.now())[1].id
        except Refusal as refusal:
            return refusal.code

    assert found(subject("ada", "Example")) == "corp/subject:CN=ada,O=Example"
    assert found(subject("ada\\", "Example")) == "corp/subject:CN=ada\\\\,O=Example"
    assert found(subject("ada,O=Example")) == "unacceptable_certificate"
    assert found(subject("ada\\,O=Example")) == "unacceptable_certificate"
