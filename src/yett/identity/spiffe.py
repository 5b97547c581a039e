"""SPIFFE IDs (SPIFFE-ID, section 2): `spiffe://trust-domain/path`, read strictly, because an ID is compared as text."""

from __future__ import annotations

import re

LONGEST = 2048  # bytes
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def trust_domain(name: str) -> bool:
    """Whether `name` can be a trust domain."""
    return _TRUST_DOMAIN.fullmatch(name) is not None


def parse(id: str) -> tuple[str, str]:
    """Trust domain and path ("" or "/…") of a SPIFFE ID. Raises ValueError for everything else: another scheme or case, a port,
    user, query, fragment, percent-encoding, empty and dot segments, a slash at the end."""
    if len(id) > LONGEST or not id.startswith("spiffe://"):
        raise ValueError("not a SPIFFE ID")
    domain, slash, path = id[len("spiffe://") :].partition("/")
    if not trust_domain(domain):
        raise ValueError("not a trust domain")
    if not slash:
        return domain, ""
    for segment in path.split("/"):
        if segment in (".", "..") or not _SEGMENT.fullmatch(segment):
            raise ValueError("not a path of a SPIFFE ID")
    return domain, f"/{path}"
