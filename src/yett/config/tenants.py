"""The tenants that there are: those of keys, and those that other proofs of identity lead to."""

from __future__ import annotations

from yett.config.settings import Settings
from yett.config.snapshot import TENANT


def tenants(settings: Settings) -> frozenset[str]:
    """Every tenant that a caller can be of."""
    identity = settings.identity
    found = {TENANT, *settings.tenants, *(domain.tenant for domain in identity.trust_domains.values())}
    found.update(authority.tenant for authority in identity.client_cas.values())
    found.update(directory.tenant for directory in settings.scim.values())
    for issuer in identity.issuers.values():
        found.update(issuer.tenants if issuer.tenant_claim else (issuer.tenant,))
    return frozenset(found)
