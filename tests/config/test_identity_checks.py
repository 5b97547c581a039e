"""Mistakes in `[identity]`, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.reader import parse

TEAM = "[teams.research]\n"
ISSUER = '[identity.issuers.corp]\nissuer = "https://idp.example"\naudiences = ["yett"]\nteam = "research"\n'
CORP = '[identity.client_cas.corp]\nca_file = "x"\nclients = [{ name = "dns:a", team = "research" }]\n'
TASKS = '[identity.tasks]\nissuer = "https://yett.example"\n'
DOMAIN = (
    '[identity.trust_domains."example.org"]\nbundle_url = "https://spire.example/bundle"\naudiences = ["yett"]\n'
    'workloads = [{ path = "/ns", team = "research" }]\n'
)


def mistakes(text: str, folder: Path) -> list[str]:
    return [mistake.message for mistake in parse(TEAM + text, folder / "yett.toml", {}).mistakes]


def test_what_is_right(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    text = ISSUER + 'jwks_file = "keys.json"\ntenant_claim = "org"\ntenants = ["acme"]\nrequire = { org = ["acme"] }\n'
    assert mistakes(text + DOMAIN, tmp_path) == []
    assert mistakes(ISSUER.replace("https://idp.example", "http://127.0.0.1:8080/realm"), tmp_path) == []
    assert (
        mistakes(
            ISSUER.replace("https://idp.example", "kubernetes/serviceaccount") + 'jwks_url = "https://k8s"', tmp_path
        )
        == []
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ISSUER.replace("corp", '"a b"'), "an issuer's name consists of"),
        (ISSUER.replace("https:", "http:"), "is not encrypted"),
        (ISSUER.replace("https://idp.example", "accounts"), 'is not an http:// or https:// URL with a host; to take its keys from'),
        (ISSUER + 'jwks_url = "ftp://x"', "jwks_url: \"ftp://x\" is not an"),
        (ISSUER + 'jwks_url = "https://x"\njwks_file = "x"', 'give either "jwks_url" or "jwks_file"'),
        (ISSUER + 'jwks_file = "x"', "jwks_file: there is no file"),
        (ISSUER + 'ca_file = "x"', "ca_file: there is no file"),
        (ISSUER + 'tenant_claim = "org"', "tenants: required with tenant_claim"),
        (ISSUER.replace('team = "research"', ""), 'give "team", or "team_claim"'),
        (ISSUER.replace('team = "research"', 'team = "reserch"'), 'team: no team "reserch"; did you mean "research"?'),
        (ISSUER + 'teams = { g = "other" }', 'teams.g: no team "other"'),
        (ISSUER + 'models = ["fast"]', 'models[0]: no model "fast"'),
        (ISSUER + 'algorithms = ["HS256"]', "algorithms"),
        (ISSUER + 'algorithms = []', "algorithms"),
        (ISSUER.replace('["yett"]', "[]"), "audiences"),
        (ISSUER + ISSUER.replace("corp", "again"), 'again.issuer: is the same as that of "corp"'),
        (ISSUER + CORP, "client_cas.corp: has the name of [identity.issuers.corp]"),
        (DOMAIN.replace("example.org", "Example.org"), "a trust domain's name consists of"),
        (DOMAIN.replace("bundle_url", "ca_file"), 'give either "bundle_url" or "bundle_file"'),
        (DOMAIN.replace("https:", "http:"), "is not encrypted"),
        (DOMAIN.replace('["yett"]', "[]"), "audiences: is empty"),
        (CORP.replace("corp]", '"a b"]'), "an authority's name consists of"),
        (CORP.replace('{ name = "dns:a", team = "research" }', ""), "clients: is empty"),
        (CORP.replace("dns:a", "a"), "clients[0].name"),
        (CORP.replace("dns:a", "uri:spiffe://x/y"), "is a SPIFFE ID"),
        (CORP.replace("dns:a", "subject:*O=x"), "ends in the middle of a name of the subject"),
        (CORP + 'tenant = "a/b"\n', "tenant"),
        (ISSUER + 'tenant_claim = "o"\ntenants = ["a/b"]\n', "tenants[0]"),
        (CORP.replace("[{", '[{ name = "dns:a", team = "research" }, {'), 'clients[1].name: "dns:a" is already'),
        (CORP.replace('"research"', '"reserch"'), 'no team "reserch"; did you mean "research"?'),
        (CORP + 'models = ["fast"]', 'models[0]: no model "fast"'),
        (ISSUER + CORP, "is the name of an issuer, too"),
        (CORP, "ca_file: the file"),
        ('[gateway.tls]\ncertificate_file = "a"\nprivate_key = "env:A"\nclients = "required"\n', "nobody is trusted to sign"),
        (TASKS.replace("https:", "x:"), "tasks.issuer: \"x://yett.example\" is not an"),
        (TASKS + ISSUER.replace("idp.example", "yett.example"), 'corp.issuer: is the same as that of "tasks"'),
        (TASKS + 'ttl = "11m"', "ttl"),
        (DOMAIN.replace('"/ns"', '"ns/"'), 'workloads[0].path: "ns/" is no path of a SPIFFE ID'),
        (DOMAIN.replace('team = "research"', 'team = "x"'), 'workloads[0].team: no team "x"'),
        (DOMAIN.replace("}]", '}, { path = "/ns", team = "research" }]'), '"/ns" is already in the list'),
        (DOMAIN + 'models = ["fast"]', 'models[0]: no model "fast"'),
        (DOMAIN.replace('[{ path = "/ns", team = "research" }]', "[]"), "workloads"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(text: str, expected: str, tmp_path: Path) -> None:
    assert any(expected in mistake for mistake in mistakes(text, tmp_path)), mistakes(text, tmp_path)


RECEIVER = '[receivers.corp]\nissuer = "https://idp.example"\naudiences = ["yett"]\njwks_file = "keys.json"\n'


FETCHED = RECEIVER.replace('jwks_file = "keys.json"\n', "")


def test_receivers_of_events(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    assert mistakes(RECEIVER, tmp_path) == []
    assert mistakes(FETCHED, tmp_path) == []
    assert mistakes(FETCHED.replace("https://idp.example", "idp") + 'jwks_url = "https://x/k"', tmp_path) == []
    assert mistakes(ISSUER + RECEIVER + 'identity = "corp"\ntenants = ["default"]\n', tmp_path) == []
    for text, expected in (
        (RECEIVER.replace("corp", '"a b"'), "a receiver's name consists of"),
        (RECEIVER.replace("keys.json", "none.json"), "jwks_file: there is no file"),
        (RECEIVER.replace('["yett"]', "[]"), "audiences"),
        (RECEIVER + 'identity = "corp"', 'identity: there is no [identity.issuers."corp"]'),
        (RECEIVER + 'tenants = ["acme"]', 'tenants[0]: there is no tenant "acme"'),
        (RECEIVER + "algorithms = []", "algorithms"),
        (RECEIVER + 'jwks_url = "https://idp.example/keys"', 'give either "jwks_url" or "jwks_file"'),
        (RECEIVER + 'ca_file = "none.pem"', "ca_file: there is no file"),
        (FETCHED.replace("https:", "http:"), 'issuer: "http://idp.example" is not encrypted'),
        (FETCHED + 'jwks_url = "http://idp.example/keys"', 'jwks_url: "http://idp.example/keys" is not encrypted'),
        (RECEIVER + 'token = "env:NOT_SET"', "NOT_SET"),
    ):
        (told,) = mistakes(text, tmp_path)
        assert expected in told


TLS = '[gateway.tls]\ncertificate_file = "x"\nprivate_key = "env:K"\nclients = "optional"\n'
MESH = '[identity.trust_domains."mesh.example"]\nx509_bundle_file = "mesh.pem"\nworkloads = []\n'
EMPTY = '[identity.client_cas.corp]\nca_file = "corp.pem"\nclients = []\n'
PROXY = '[identity.proxies.edge]\nspiffe_id = "spiffe://mesh.example/edge"\ntrust_domains = ["mesh.example"]\n'
LONE = '[identity.proxies.lb]\nca = "corp"\nname = "dns:lb.example"\nclient_cas = ["corp"]\n'


def test_proxies(tmp_path: Path) -> None:
    for file in ("mesh.pem", "corp.pem", "x"):
        (tmp_path / file).write_text("")

    def told(text: str, encryption: str = TLS) -> list[str]:
        found = mistakes(encryption + text, tmp_path)
        return [each for each in found if not each.startswith("gateway.tls")]

    assert told(MESH + EMPTY + PROXY + LONE) == []  # an authority may be there for its proxies alone
    assert any("workloads: is empty" in each for each in told(MESH + EMPTY + LONE))
    assert any("clients: is empty" in each for each in told(MESH + EMPTY + PROXY))
    for text, expected in (
        (PROXY.replace("edge]", '"a b"]'), "a proxy's name consists of"),
        (PROXY.replace("spiffe_id", "name"), "identity.proxies.edge"),
        (PROXY + 'ca = "corp"\nname = "dns:a"\n', 'give either "spiffe_id", or "ca" and "name"'),
        (PROXY + 'ca = "corp"\n', 'give either "spiffe_id", or "ca" and "name"'),
        (LONE.replace('ca = "corp"\n', ""), 'give either "spiffe_id", or "ca" and "name"'),
        (PROXY.replace("example/edge", "example"), "is not the SPIFFE ID of one workload"),
        (PROXY.replace("spiffe:", "https:"), "is not the SPIFFE ID of one workload"),
        (PROXY.replace("//mesh", "//mash"), 'no trust domain "mash.example" with an x509_bundle_file; did you mean'),
        (PROXY.replace('["mesh', '["mash'), 'trust_domains[0]: no trust domain "mash.example" with an x509'),
        (PROXY.replace('["mesh.example"]', "[]"), "whose certificates it may pass on"),
        (
            LONE.replace('ca = "corp"', 'ca = "crop"'),
            'ca: no authority "crop" in identity.client_cas; did you mean "corp"?',
        ),
        (LONE.replace('["corp"]', '["crop"]'), 'client_cas[0]: no authority "crop"'),
        (LONE.replace("lb.example", "*.example"), "name: is the name of one certificate, without *"),
        (LONE.replace("dns:lb", "uri:spiffe://lb"), "name: is a SPIFFE ID: write spiffe_id"),
        (LONE.replace("dns:lb", "lb"), "name"),
        (LONE + LONE.replace(".lb]", ".again]"), 'again: is known by the same certificate as "lb"'),
        (LONE + 'header = "x-real-cert"\n', "header"),
    ):
        assert any(expected in each for each in told(MESH + EMPTY + text)), told(MESH + EMPTY + text)
    assert any("set gateway.tls.clients" in each for each in told(MESH + PROXY, ""))
    assert any("set gateway.tls.clients" in each for each in told(MESH + PROXY, TLS.replace("optional", "none")))


SCIM = '[scim.corp]\nteams = { "ML" = "research" }\n'
LISTED = ISSUER.replace('team = "research"', 'directory = "corp"\njwks_file = "keys.json"')


def test_directories_that_are_right(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    labels = 'label_attributes = { unit = "department", name = "name.formatted", mail = "emails" }\n'
    assert mistakes(LISTED + SCIM + labels + 'match = "email"\n', tmp_path) == []
    assert mistakes(LISTED + 'tenant = "acme"\n' + SCIM + 'tenant = "acme"\n', tmp_path) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LISTED, 'directory: there is no [scim."corp"]'),
        (LISTED + 'team = "research"\n' + SCIM, "team: its callers have the teams of their groups"),
        (LISTED + 'team_claim = "groups"\n' + SCIM, "team_claim: its callers have the teams"),
        (LISTED + SCIM + 'tenant = "acme"', 'tenant: its callers are of the tenant of their directory, "acme"'),
        (LISTED + 'tenant_claim = "org"\ntenants = ["a"]\n' + SCIM, "tenant_claim: its callers are of the tenant"),
        (SCIM.replace("corp", '"a b"'), "a directory's name consists of"),
        ("[scim.corp]\nteams = {}", "teams: is empty"),
        (SCIM.replace('"research"', '"reserch"'), 'no team "reserch"; did you mean "research"?'),
        ('[scim.corp]\nteams = { "ML" = "research", "ml" = "research" }', "is there already"),
        (SCIM + 'label_attributes = { x = "shoeSize" }', 'users have no attribute "shoeSize"'),
        (SCIM + 'label_attributes = { x = "name" }', '"name" has parts'),
        (SCIM + 'match = "sub"', "match"),
    ],
)
def test_directories_that_are_wrong(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "keys.json").write_text("{}")
    assert any(expected in mistake for mistake in mistakes(text, tmp_path)), mistakes(text, tmp_path)
