"""Service accounts of Google Cloud: a federated token for one of the account that it may speak for (IAM Credentials API,
`generateAccessToken`). Bytes in, bytes out."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from yett.edge.grants import Headers, Token, TokenTrouble, error_name, until, usable
from yett.model.route import Secret, ServiceAccount


class _Trouble(Struct):
    status: str = ""


class _Answer(Struct):
    accessToken: str = ""  # noqa: N815 - as it is called there
    expireTime: str = ""  # noqa: N815
    error: _Trouble | None = None


def request(account: ServiceAccount, federated: Secret) -> tuple[Headers, bytes]:
    """Headers and body."""
    headers = (
        (b"authorization", b"Bearer " + federated.reveal().encode()),
        (b"content-type", b"application/json"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"yett"),
    )
    return headers, msgspec.json.encode({"scope": account.scopes, "lifetime": f"{account.seconds}s"})


def answer(account: ServiceAccount, status: int, body: bytes, now: float) -> Token:
    """The account's token; `now` is wall seconds. Raises TokenTrouble."""
    try:
        said = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TokenTrouble(f"the service account: status {status}, and no JSON as of that service") from None
    if status != 200:
        name = said.error.status if said.error is not None else ""
        raise TokenTrouble(f"the service account: status {status}{error_name(name)}")
    if not usable(said.accessToken):
        raise TokenTrouble("the service account: an answer without a usable token")
    return Token(Secret(said.accessToken), min(until(said.expireTime, now), float(account.seconds)))
