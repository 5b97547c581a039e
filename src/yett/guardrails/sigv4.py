"""AWS Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), in headers or in a query.

    canonical request ── SHA-256 ──▶ string to sign ── HMAC with a key of this day, region and service ──▶ signature

Time comes in as an argument; nothing here reads a clock or the environment.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

from yett.model.route import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"
_PLAIN = "-_.~"  # what stands in a query as it is, beside letters and digits


class Credentials(Struct, frozen=True):
    """An access key id and its secret; `token` when they are temporary."""

    access_key: Secret
    secret_key: Secret
    token: Secret | None = None


def authority(base_url: str) -> str:
    """The Host field that the client sends for a base URL."""
    url = urlsplit(base_url)
    host = url.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}.get(url.scheme)
    return bracketed if url.port in (None, usual) else f"{bracketed}:{url.port}"


def signed(
    credentials: Credentials,
    method: str,
    url: tuple[str, str],
    headers: Mapping[str, str],
    body: bytes,
    place: tuple[str, str],
    now: float,
) -> dict[str, str]:
    """`headers` with those that sign the request. `url` is host and path as they will be sent, without a query; `place` is
    region and service; `now` is wall time in seconds. Every header given is signed."""
    host, path = url
    stamp, scope = _moment(now, place)
    added = {"host": host, "x-amz-date": stamp}
    if credentials.token is not None:
        added["x-amz-security-token"] = credentials.token.reveal()
    fields = dict(sorted({**{name.lower(): value.strip() for name, value in headers.items()}, **added}.items()))
    names = ";".join(fields)
    canonical = "\n".join(
        (
            method,
            quote(path, safe="/-_.~"),  # encoded once more: only S3 signs a path as it is sent
            "",
            *(f"{name}:{value}" for name, value in fields.items()),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    credential = f"{credentials.access_key.reveal()}/{scope}"
    signature = _signature(credentials, canonical, stamp, scope)
    del fields["host"]  # the client's own
    fields["authorization"] = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return fields


def presigned(
    credentials: Credentials,
    method: str,
    host: str,
    query: Mapping[str, str],
    place: tuple[str, str],
    seconds: int,
    now: float,
) -> str:
    """The whole query of a request for "/" without a body, good for so many seconds: signature and everything else that AWS needs are in it."""
    stamp, scope = _moment(now, place)
    asked = {
        **query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key.reveal()}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.token is not None:
        asked["X-Amz-Security-Token"] = credentials.token.reveal()
    written = urlencode(sorted(asked.items()), safe=_PLAIN, quote_via=quote)
    canonical = "\n".join((method, "/", written, f"host:{host}", "", "host", hashlib.sha256(b"").hexdigest()))
    asked["X-Amz-Signature"] = _signature(credentials, canonical, stamp, scope)
    return urlencode(asked, safe=_PLAIN, quote_via=quote)


def _moment(now: float, place: tuple[str, str]) -> tuple[str, str]:
    """The time of a request, and the scope that its signature is good in."""
    at = datetime.fromtimestamp(now, UTC)
    return at.strftime("%Y%m%dT%H%M%SZ"), "/".join((at.strftime("%Y%m%d"), *place, "aws4_request"))


def _signature(credentials: Credentials, canonical: str, stamp: str, scope: str) -> str:
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key.reveal()}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
