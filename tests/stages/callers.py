"""Who calls in the tests of identify: two issuers, what they are configured to vouch for, and how a token is shown."""

from __future__ import annotations

import asyncio

from tests.issuing import Authority
from tests.scene import Trust, post

from yett.config.snapshot import Snapshot
from yett.model.call import Inbound
from yett.model.caller import Caller
from yett.stages.identify import identify

ISSUERS = """
[identity.issuers.corp]
issuer = "https://idp.example"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"
team_claim = "team"
labels = { env = "prod" }
models = ["fast"]

[identity.trust_domains."example.org"]
audiences = ["yett"]
bundle_file = "bundle.json"
algorithms = ["Ed25519"]
workloads = [{ path = "/ns/prod", team = "research", kind = "agent" }]
"""
CORP, MESH = Authority(), Authority("spiffe://example.org")


def known(snapshot: Snapshot, inbound: Inbound, trust: Trust | None = None, now: float = 100.0) -> Caller:
    return asyncio.run(identify(inbound, snapshot, trust or Trust(), now))


def bearer(token: bytes) -> Inbound:
    return post(b"", {b"authorization": b"Bearer " + token})
