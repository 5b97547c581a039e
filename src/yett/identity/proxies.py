"""Proxies that may pass on the certificates of their callers, each known by one certificate of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from yett.errors import Refusal
from yett.identity.x509 import Authority, loaded, of_workload, vouched_until

CREDENTIAL, ASSURANCE = (
    "forwarded",
    2,
)  # of whom it tells of: it has seen that its caller has the key, and could tell so of others


class Proxy(Struct, frozen=True):
    """Whose certificate has this `name` of this `sort` under this `authority`. It speaks for the callers of `authorities`, and for none
    of its own."""

    name: str  # of the configuration
    url: str  # what credentials are traced to: proxy:NAME
    id: str  # its SPIFFE ID, or AUTHORITY/SORT:NAME
    sort: str  # one of x509.SORTS
    value: str  # of the certificate's name
    authority: str  # the URL of one
    header: str  # the field that it writes
    authorities: frozenset[str]  # whose certificates it may pass on, by URL
    tenant: str = "default"

    @property
    def fence(self) -> str:
        """What ends everything that came through it."""
        return f"service:{self.tenant}/{self.id}"

    @property
    def spiffe_id(self) -> str:
        return self.value if self.authority.startswith("x509:") else ""


def proxy_of(
    chain: tuple[bytes, ...], proxies: Iterable[Proxy], authorities: Mapping[str, Authority], now: float
) -> tuple[Proxy | None, int]:
    """Whose certificate it is, and until when that is certain; None and 0 for a certificate of no proxy. Raises Refusal:
    invalid_certificate, expired_certificate."""
    leaf, between, names = loaded(chain)
    workload = of_workload(names)
    for proxy in proxies:
        if workload != bool(proxy.spiffe_id) or proxy.value not in names[proxy.sort]:
            continue
        if workload and len(names["uri"]) != 1:
            raise Refusal("invalid_certificate", "The certificate has more names than its SPIFFE ID.")
        try:
            return proxy, vouched_until(leaf, between, authorities[proxy.authority], now)
        except Refusal as refusal:
            if workload or refusal.code != "invalid_certificate":
                raise  # else a holder of the same name, of another authority
    return None, 0
