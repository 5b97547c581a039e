"""Peer: the certificates that a caller has shown when its connection was made."""

from __future__ import annotations

import asyncio
from typing import Any

MOST = 8  # that lead from a certificate to its authority
_DER = 2  # _ssl.ENCODING_DER


def certificates(transport: asyncio.BaseTransport) -> tuple[bytes, ...]:
    """DER; the caller's own first, then those that it sent along. None without TLS, or when it showed none."""
    tls: Any = transport.get_extra_info("ssl_object")
    own = tls.getpeercert(binary_form=True) if tls is not None else None
    if not own:
        return ()
    # Python 3.13 has it in public, and as bytes
    sent = getattr(tls, "get_unverified_chain", None) or tls._sslobj.get_unverified_chain  # noqa: SLF001
    chain = [each if isinstance(each, bytes) else each.public_bytes(_DER) for each in sent() or ()]
    return (own, *[each for each in chain if each != own][:MOST])
