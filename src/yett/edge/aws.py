"""Roles of AWS: the token of a workload for the credentials of a role (STS, AssumeRoleWithWebIdentity), and these for the bearer key
that Bedrock takes. Bytes in, bytes out.

    token ── form ──> STS ── XML ──> access key, secret, session token ── signed here ──> bedrock-api-key-…

The key is a request that is signed but never sent (Signature Version 4, in the query): it names the action, the role's credentials, a
region and for how long, and Bedrock verifies it whenever it comes as a bearer token. The secret itself does not leave.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from contextlib import suppress
from urllib.parse import urlencode

from yett.edge.grants import Headers, Token, TokenTrouble, error_name, until, usable
from yett.guardrails.sigv4 import Credentials, presigned
from yett.model.route import AssumedRole, Secret

_SPACE = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_VERSION = "2011-06-15"
_HOST, _SERVICE, _ACTION = "bedrock.amazonaws.com", "bedrock", "CallWithBearerToken"
_PREFIX, _SUFFIX = "bedrock-api-key-", "&Version=1"
_ID = re.compile(r"[A-Za-z0-9_]{16,128}", re.ASCII)
_MOST_SESSION = 8192  # characters of a session token: the key is half as long again
_MOST_SECRET = 256
_DECLARES = "<!"  # entities, and whatever else makes parsing XML dangerous, are declared so


def request(role: AssumedRole, token: str) -> tuple[Headers, bytes]:
    """Headers and body. It is the token that proves who asks: nothing is signed."""
    headers = (
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"accept", b"text/xml"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"yett"),
    )
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": _VERSION,
        "RoleArn": role.arn,
        "RoleSessionName": role.session,
        "DurationSeconds": str(role.seconds),
        "WebIdentityToken": token,
    }
    return headers, urlencode(form).encode()


def answer(role: AssumedRole, status: int, body: bytes, now: float) -> Token:
    """The bearer key for the role's credentials; `now` is wall seconds. Raises TokenTrouble."""
    tree = _tree(status, body)
    if status != 200:
        raise TokenTrouble(f"status {status}{error_name(tree.findtext(f'{_SPACE}Error/{_SPACE}Code') or '')}")
    place = f"{_SPACE}AssumeRoleWithWebIdentityResult/{_SPACE}Credentials/{_SPACE}"
    id, secret, session, expires = (
        tree.findtext(place + name) or "" for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    )
    complete = _ID.fullmatch(id) and usable(secret, _MOST_SECRET) and usable(session, _MOST_SESSION)
    if tree.tag != f"{_SPACE}AssumeRoleWithWebIdentityResponse" or not complete:
        raise TokenTrouble("an answer without usable credentials")
    seconds = min(until(expires, now), float(role.seconds))
    assumed = Credentials(Secret(id), Secret(secret), Secret(session))
    return Token(bearer_key(assumed, role.region, seconds, now), seconds)


def _tree(status: int, body: bytes) -> ET.Element:
    with suppress(ET.ParseError, UnicodeDecodeError):
        text = body.decode()  # and nothing else: in another encoding a declaration could not be seen
        if _DECLARES not in text:
            return ET.fromstring(text)  # noqa: S314
    raise TokenTrouble(f"status {status}, and no XML as of the token service")


def bearer_key(role: Credentials, region: str, seconds: float, now: float) -> Secret:
    """The short-term key of Amazon Bedrock, as AWS's own generators of them write it."""
    query = presigned(role, "POST", _HOST, {"Action": _ACTION}, (region, _SERVICE), int(seconds), now)
    return Secret(_PREFIX + base64.b64encode(f"{_HOST}/?{query}{_SUFFIX}".encode()).decode())
