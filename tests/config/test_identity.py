"""From `[identity]` to the issuers that tokens are held against."""

from __future__ import annotations

from pathlib import Path

from yett.config import identity
from yett.config.reader import parse

TEXT = """
[teams.research]

[identity.issuers.corp]
issuer = "https://idp.example/realm/"
audiences = ["yett"]
types = ["application/at+jwt", "JWT"]
team = "research"
tenant = "acme"
ca_file = "ca.pem"
require = { org = ["acme"] }

[identity.issuers.k8s]
issuer = "kubernetes"
audiences = ["yett"]
jwks_url = "https://k8s.example:6443/openid/v1/jwks"
team_claim = "/kubernetes.io/namespace"
tenant_claim = "t"
tenants = ["one", "two"]

[identity.issuers.ci]
issuer = "ci"
audiences = ["yett"]
jwks_file = "keys.json"
team = "research"

[identity.trust_domains."example.org"]
bundle_url = "https://spire.example/bundle"
tenant = "mesh"
audiences = ["yett"]
workloads = [{ path = "/", team = "research" }, { path = "/ns/a", team = "research", kind = "agent", labels = { b = "c" } }]
"""


def test_issuers(tmp_path: Path) -> None:
    for name in ("ca.pem", "keys.json"):
        (tmp_path / name).write_text("x")
    reading = parse(TEXT, tmp_path / "yett.toml", {})
    assert reading.mistakes == ()
    corp, k8s, ci, mesh = identity.issuers(reading)
    assert (corp.source.url, corp.source.discovery) == (
        "https://idp.example/realm/.well-known/openid-configuration",
        True,
    )
    assert corp.source.provider is not None
    assert (corp.source.provider.base_url, corp.source.provider.ca_file) == (
        "https://idp.example",
        str(tmp_path / "ca.pem"),
    )
    assert (corp.types, corp.required) == ({"at+jwt", "jwt"}, (("org", frozenset(("acme",))),))
    assert (corp.tenant.fixed, corp.team.fixed, corp.kind.fixed) == ("acme", "research", "user")
    assert (k8s.source.url, k8s.source.discovery) == ("https://k8s.example:6443/openid/v1/jwks", False)
    assert (k8s.tenant.claim, k8s.tenant.fixed, k8s.tenants) == ("t", "", {"one", "two"})
    assert (ci.source.file, ci.source.provider) == (str(tmp_path / "keys.json"), None)
    assert (mesh.url, mesh.credential, mesh.workloads[0].path) == ("spiffe://example.org", "svid", "/ns/a")
    assert identity.tenants(reading.settings) == {"default", "acme", "one", "two", "mesh"}
