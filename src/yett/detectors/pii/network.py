"""Network: addresses by which a person's device is known: IP, MAC, IMEI."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from stdnum import imei

from yett.detectors.detector import Detector, when
from yett.detectors.pii.checks import apart
from yett.detectors.pii.words import CODE, LEFT_EDGE, NEAR, NUMBERS, digits, named

_DOTTED = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])(?!\.[0-9])(?![A-Za-z_-])")
_LOCAL = re.compile(r"(?:10|127|0|192\.168|169\.254|172\.(?:1[6-9]|2[0-9]|3[01]))\.")  # RFC 1918, 1122, 3927
_PLACEHOLDER_MACS = frozenset(
    ("001a2b3c4d5e", "001122334455", "aabbccddeeff", "ffffffffffff", "000000000000", "0123456789ab")
)
# What stands before four numbers that are a version: a product and a slash, too (`nginx/25.1.213.59`).
_IS_VERSION = rf"(?:[=~<>^]=|[A-Za-z]/|{LEFT_EDGE}(?i:version|versions|vers|ver|v|release|releases|released|rel|build|builds|firmware|fw|driver|drivers|kernel|patch|update|updated|updates|upgrade|upgraded|upgrading|downgrade|hotfix|sdk|library|package|dependency|chrome|chromium|firefox|safari|windows|macos|ios|android|java|jdk|oracle|openssl|plugin|section|chapter|clause|article|oid|tag|tagged|changelog|bump|bumped|pin|pinned|requires)[^0-9\x00\n]{{0,24}})\z"


def _ipv4(text: str) -> str:
    found = _DOTTED.match(text)
    return found.group() if found else ""


def public_ipv4(text: str) -> int:
    """An address that stands for someone out there, and is no version of something: those have small numbers."""
    if _LOCAL.match(text):  # nearly all that logs are full of, told at a tenth of the cost
        return 0
    dotted = _ipv4(text)
    try:
        address = IPv4Address(dotted)
    except AddressValueError:
        return 0
    return len(dotted) if len(dotted) >= 11 and address.is_global and not address.is_multicast else 0


def any_ipv4(text: str) -> int:
    """Any address but those that every machine has."""
    dotted = _ipv4(text)
    try:
        address = IPv4Address(dotted)
    except AddressValueError:
        return 0
    return 0 if address.is_unspecified or address.is_loopback or dotted.startswith("255.") else len(dotted)


def ipv6(text: str) -> int:
    """RFC 4291: an address with all its groups or with a gap, not a link's or the machine's own."""
    written = text.rstrip(".:")
    if written.count(":") < _FEW and not _GLOBAL.match(written):
        return 0
    try:
        address = IPv6Address(written)
    except AddressValueError:
        return 0
    return (
        0
        if address.is_loopback or address.is_link_local or address.is_unspecified or int(address) < 1 << 64
        else len(written)
    )


def mac(text: str) -> bool:
    """IEEE 802: six octets, none of the examples that documentation is full of."""
    return "".join(filter(str.isalnum, text)).lower() not in _PLACEHOLDER_MACS


_FOUR_NUMBERS = r"[^A-Za-z0-9._+-][0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_FEW = 4  # colons: with fewer, `a:b::c` may be anything
_GLOBAL = re.compile("(?i)(?!2001:0?db8:)(?:2[0-9a-f]{3}|f[cd][0-9a-f]{2}):")  # RFC 3587, RFC 4193; not RFC 3849
_HEX = r"[0-9A-Fa-f]{2}"

NETWORK: tuple[Detector, ...] = (
    named(
        "ip-address-named",
        "pii.ip-address",
        "ip|ip address|ip addr|ip adresse|adresse ip|dirección ip|endereço ip|indirizzo ip|ip adres|adres ip|ip-адрес|ipアドレス|ip地址|ipv4|ipaddress|client ip|remote addr|remote address|x forwarded for|forwarded for|login from|logged in from|connection from|connected from|request from|address|visitor ip|source ip|destination ip|host ip",
        r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}[0-9A-Za-z._-]{0,40}",
        any_ipv4,
        right=r"[^0-9A-Za-z_-]",
        besides=_FOUR_NUMBERS,
        unless=_IS_VERSION,
    ),
    Detector(
        id="ip-address",
        kind="pii.ip-address",
        pattern=r"[^A-Za-z0-9._+-]([0-9]{1,3}(?:\.[0-9]{1,3}){3}[0-9A-Za-z._-]{0,40})[^0-9A-Za-z_-]",
        accept=public_ipv4,
        unless=_IS_VERSION,
        besides=_FOUR_NUMBERS,
        group=NUMBERS,
    ),
    Detector(
        id="ipv6-address",
        kind="pii.ip-address",
        pattern=r"[^A-Za-z0-9:.]([0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7})[^A-Za-z0-9:]",
        accept=ipv6,
        anchor=r":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:|[^A-Za-z0-9:.][0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:",
    ),
    Detector(
        id="mac-address",
        kind="pii.mac-address",
        pattern=rf"[^A-Za-z0-9:-]({_HEX}(?::{_HEX}){{5}}|{_HEX}(?:-{_HEX}){{5}}|[0-9A-Fa-f]{{4}}(?:\.[0-9A-Fa-f]{{4}}){{2}})[^A-Za-z0-9:-]",
        accept=when(mac),
    ),
    named(
        "mac-address-named",
        "pii.mac-address",
        "mac|mac address|mac addr|macaddress|hwaddr|hw addr|hardware address|ethernet address|physical address|mac adresse|adresse mac|dirección mac|indirizzo mac|bssid",
        r"[0-9A-Fa-f]{12}",
        when(lambda text: not text.isdigit() and not text.isalpha() and mac(text)),
        gap=NEAR,
        besides=CODE,
    ),
    named(
        "imei",
        "pii.imei",
        "imei|imei number|imei no|imeisv|device id|equipment identity|serial imei",
        rf"{digits(15)}",
        apart(imei.is_valid),
    ),
    named(
        "imsi",
        "pii.imsi",
        "imsi|imsi number|subscriber identity",
        r"[2-7][0-9]{13,14}",
    ),
)
