"""Structures: tokens that a standard describes, and the headers and commands that carry credentials.

Sources: RFC 7515 and 7516 (JWS, JWE), RFC 7617 (Basic), RFC 6750 (Bearer), curl(1); PASETO and macaroons.
"""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as BinasciiError

import msgspec

from yett.detectors import entropy
from yett.detectors.detector import EDGE, Detector, when
from yett.detectors.secrets.token import BASE64URL, after, token

VALUE = r"[A-Za-z0-9!#$%&()*+./:=?@^_~-]"


class _Header(msgspec.Struct):
    alg: str = ""
    enc: str = ""
    typ: str = ""


_PARAMETER = re.compile(rb"""\{\s{0,4}"(?:alg|enc|typ|kid|cty|zip|epk|x5[ctu]|jk[wu])"\s{0,2}:""")
_TYPED = re.compile(rb"[!-~]{4,}")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?:[:/].*)?$|.*@")
SCHEME = re.compile(r"[A-Z0-9]{1,8}(?:-[A-Z0-9]{1,8})+$")  # `AWS4-HMAC-SHA256`


def _jwt(text: str) -> bool:
    """RFC 7515, RFC 7516: the first part is base64url of a JSON object with `alg` (or `enc`)."""
    part = text.partition(".")[0]
    try:
        header = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Header)
    except (BinasciiError, ValueError):
        return False
    return bool(header.alg or header.enc or header.typ)


def _jwt_begins(text: str) -> bool:
    """The same of a header that is longer than a word may be (RFC 7516 puts keys into it), by how it begins."""
    header = urlsafe_b64decode(text[: len(text) // 4 * 4])
    return _PARAMETER.match(header) is not None


def _basic(text: str) -> bool:
    """RFC 7617: base64 of user:password."""
    try:
        user, colon, password = urlsafe_b64decode(text + "=" * (-len(text) % 4)).partition(b":")
    except (BinasciiError, ValueError):
        return False
    return bool(colon) and bool(user or password)


def _readable_basic(text: str) -> bool:
    """The same where no header is named: of characters that people type, on both sides of the colon."""
    if len(text) % 4:
        return False
    user, colon, password = b64decode(text).partition(b":")
    return bool(colon and user and password) and _TYPED.fullmatch(user + password) is not None


def spoken(text: str) -> bool:
    """A password that nothing introduces but a word: what no other word in a sentence looks like."""
    text = text.rstrip(".,:;!?)")
    if len(text) < 6 or not entropy.password(text) or _HOST.match(text) or not entropy.digits(text):
        return False
    if not any(c.islower() for c in text):
        return False
    return any(c in "@#$%^&*!" for c in text) or not entropy.wordlike(text)


def _bearer(text: str) -> bool:
    """What follows `Bearer` or `Token`: a key, or at least no word and no template."""
    if entropy.template(text) or entropy.placeholder(text) or SCHEME.match(text):
        return False
    return entropy.key(text, uuid=True) or (
        entropy.digits(text) >= 2 and len(text) >= 12 and not text.isdigit() and not entropy.wordlike(text)
    )


def _user(text: str) -> bool:
    """The password of `curl -u user:password`, where it is meant as it stands; a number is the group of `docker run -u 1000:1000`."""
    if text.isdigit() and len(text) < 6:
        return False
    return not entropy.template(text) and not entropy.placeholder(text) and entropy.password(text, quoted=True)


_AUTHORIZATION = r"""(?i:authorization)[\\]?["'`]?\]?[ \t]{0,4}(?:=>|[:=,])[ \t]{0,4}(?:[\\]?[A-Za-z]?["'`])?"""

STRUCTURES: tuple[Detector, ...] = (
    Detector(
        id="jwt",
        kind="secret.jwt",
        pattern=rf"{EDGE}(eyJ[A-Za-z0-9_-]{{10,200}}\.{{1,2}}[A-Za-z0-9_-]{{12}})",
        accept=when(_jwt),
        tail=r"[A-Za-z0-9_-]*(?:\.{1,2}[A-Za-z0-9_-]+)*",
    ),
    Detector(
        id="jwt-escaped",
        kind="secret.jwt",
        pattern=r"(?:\\[nrt]|%[0-9A-Fa-f]{2})(eyJ[A-Za-z0-9_-]{10,200}\.{1,2}[A-Za-z0-9_-]{12})",
        accept=when(_jwt),
        tail=r"[A-Za-z0-9_-]*(?:\.{1,2}[A-Za-z0-9_-]+)*",
    ),
    token("jwt-long-header", r"eyJ[A-Za-z0-9_-]{201}", r"[A-Za-z0-9_-]*(?:\.{1,2}[A-Za-z0-9_-]+)*", kind="jwt", valid=_jwt_begins),
    token("paseto", r"v[1-4]\.(?:local|public)\.[A-Za-z0-9_-]{60}", r"[A-Za-z0-9_.-]*"),
    token("paserk", r"k[1-4]\.(?:local|secret|seal)(?:-wrap\.pie|-pw)?\.[A-Za-z0-9_-]{43}", r"[A-Za-z0-9_.-]*", kind="paseto"),
    token("macaroon", r"MDA[xyz][A-Za-z0-9]{2}[A-Za-z0-9_-]{90}", BASE64URL, valid=entropy.mixed),
    Detector(
        id="authorization-basic",
        kind="secret.basic-auth",
        pattern=rf"{_AUTHORIZATION}(?i:basic)[ \t]{{1,2}}([A-Za-z0-9+/_-]{{8,200}}={{0,2}})[^A-Za-z0-9+/=_-]",
        accept=when(_basic),
    ),
    Detector(
        id="curl-user",
        kind="secret.basic-auth",
        pattern=rf"""[ \t](?:-u|--user|--proxy-user)[ \t=]{{0,3}}["']?[A-Za-z0-9._@+!-]{{0,48}}:["']?({VALUE}{{4,128}})""",
        accept=when(_user),
        tail=f"{VALUE}*",
    ),
    # A key in the place of the user, and no password.
    Detector(
        id="curl-user-alone",
        kind="secret.basic-auth",
        pattern=r"""[ \t](?:-u|--user)[ \t=]{0,3}["']?([A-Za-z0-9._@+!#%^&*=~-]{8,64}):["' \t\r\n]""",
        accept=when(spoken),
    ),
    Detector(
        id="basic-credentials",
        kind="secret.basic-auth",
        pattern=r"""[^A-Za-z0-9](?i:basic)[ \t]{1,2}([A-Za-z0-9+/]{12,200}={0,2})[^A-Za-z0-9+/=_-]""",
        accept=when(_readable_basic),
    ),
    Detector(
        id="bearer-token",
        kind="secret.bearer-token",
        pattern=r"(?i:[^A-Za-z](?:bearer|token|apikey|api-key|sso-key|geniekey|splunk|key))[ \t]{1,2}([A-Za-z._~+/:-]{0,60}[0-9][A-Za-z0-9._~+/:-]{6,100})",
        accept=when(_bearer),
        tail=r"[A-Za-z0-9._~+/=-]*",
        unless=r"(?i:(?:gpg|pgp)_key)[ \t]{1,2}\z",  # a fingerprint
    ),
    # Two detectors: in a stream, what may be a scheme or all of the value must not be decided by what follows it.
    Detector(
        id="authorization-value",
        kind="secret.bearer-token",
        pattern=rf"{_AUTHORIZATION}([A-Za-z0-9._~+/@:-]{{12,128}})",
        accept=when(_bearer),
        tail=r"[A-Za-z0-9._~+/=-]*",
    ),
    Detector(
        id="authorization-scheme",
        kind="secret.bearer-token",
        pattern=rf"{_AUTHORIZATION}[A-Za-z0-9-]{{3,20}}[ \t]{{1,2}}([A-Za-z0-9._~+/@:-]{{12,128}})",
        accept=when(_bearer),
        tail=r"[A-Za-z0-9._~+/=-]*",
    ),
    after("cookie-session", r"(?i:set-cookie|cookie)[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?[^\r\n\x00]{0,60}(?i:sess(?:ion)?(?:[_-]?id)?|sid|auth|token|jwt)=", r"[A-Za-z0-9._~%+/-]{16,128}", kind="session-cookie", tail=r"[A-Za-z0-9._~%+/=-]*"),
)  # fmt: skip


def holds(marks: tuple[bytes, ...], text: str) -> bool:
    """True when base64 text, cut anywhere, decodes to something with one of the marks in it; its first two bytes may be cut off."""
    for shift in range(3):
        part = text[shift:]
        data = b64decode(part[: len(part) // 4 * 4].replace("-", "+").replace("_", "/"))
        if any(mark[2:] in data for mark in marks):
            return True
    return False
