"""Weigh: how likely it is that an address carries data out, from 0.0 to 1.0.

Only what the address itself shows counts: text that was encoded, personal data, a placeholder that was to be filled in, long
random strings, and where all that would go. It is seen in its first 240 characters, so each weighing is bounded.
"""

from __future__ import annotations

import re
from base64 import b32decode, b64decode
from binascii import Error as BinasciiError
from functools import lru_cache
from urllib.parse import unquote_plus

from yett.detectors.entropy import classes, entropy
from yett.detectors.exfiltration import hosts
from yett.detectors.expression import compiled

# What an image, loaded without a click, may weigh at most; what a link, and what a bare address in a text.
LOADED, CLICKED, WRITTEN = 0.5, 0.6, 0.8

_SCHEME = re.compile(r"^(?:[A-Za-z]+:)?/*")
# An address with none of these, and no long run of letters and digits, carries nothing worth a look: most addresses end here.
_CARRIES = re.compile(r"[?;=%@$&]")
_RUNS = re.compile(r"[A-Za-z0-9_+-]+")
_LONG = 12
# Nothing but words and short numbers, at a host that is looked at beside it: nearly all addresses, told in one pass. A password
# or a number of a person may be made of words and numbers, too, and is left to the others.
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[0-9]{1,4})"
_WORDS = rf"{_WORD}(?:[._~]{_WORD}|-[A-Z]?[a-z]{{1,15}}|-[0-9]{{1,4}}(?![0-9-]))*+"
_NAMED = r"(?:[0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?:\.[a-z]{2,4})?"  # after its content
_PAIR = r"[A-Za-z_]{1,24}=(?:[a-z]{0,7}|[0-9]{0,7})"
_HARMLESS = re.compile(
    rf"(?:[A-Za-z]{{2,5}}:)?/{{1,3}}([A-Za-z0-9.-]{{1,80}}+)(?:/(?:{_NAMED}(?=[/?#]|$)|{_WORDS})?)*+(?:\?({_PAIR}(?:&{_PAIR})*+))?(?:#(?:{_WORDS})?)?"
)
# Parameters that say what they carry: whatever their value is, and those that have harmless namesakes.
_TELLING = frozenset(
    """data payload exfil exfiltrate exfiltrated leak leaked secret secrets stolen dump loot cred creds credential credentials
    password passwd pwd cookie cookies history conversation conversations prompt instructions memory pii ssn userdata private
    confidential""".split()
)
_HINTING = frozenset(
    """chat message messages msg msgs context content body summary email info env key keys token apikey log out output result
    response system text q d x c b b64 base64 enc encoded""".split()
)
_TELLS = re.compile("|".join((*sorted(_TELLING), "passw", "key")))
_NAMES = re.compile(r"[^a-z0-9]+")
_SIGNATURE = re.compile(
    r"(?i)x-amz-.*|(?:x-)?goog-.*|sig(?:nature)?|expires|policy|key-pair-id|hash|integrity|h|etag|v|ver|version|rev|id|ixid|utm_.*|.*clid"
)
_PLACEHOLDER = compiled(
    r"\$\(|\$[A-Za-z_]{2,}|\$(?:$|#$)|%24%7[Bb]|%7[Bb]%7[Bb]|%3[Cc][A-Za-z_+ %0-9]{3,20}%3[Ee]|%5[Bb][A-Z][A-Za-z_+ %0-9]{2,20}%5[Dd]|"
    r"=_*(?:[A-Z0-9]+_)*(?:USER|DATA|SECRETS?|PROMPT|CHAT|HISTORY|CONVERSATION|CONTEXT|KEY|TOKEN|PASSWORD|INPUT|CONTENT|BASE64|ENCODED|INFO|HERE)(?:_[A-Z0-9]+)*_*(?:$|[#&])|"
    r"(?i:=(?:[^&#]{0,24}[_.+-])?(?:user|chat|base64|encoded|secret|system|conversation|private|sensitive|stolen)[_+.-]?"
    r"(?:data|prompt|history|secret|info|here|contents?|message)s?(?:$|[#&/]))"
)
_PERSONAL = compiled(
    r"[A-Za-z0-9_+-]@[A-Za-z0-9-]{1,40}\.[A-Za-z]{2}|(?:^|[^0-9])(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|[3-6][0-9]{3}(?:[ -][0-9]{4}){3})(?:$|[^0-9])|=[3-6][0-9]{15}(?:$|[^0-9])|"
    r"AKIA[A-Z0-9]{12}|sk-[A-Za-z0-9_-]{16}|gh[pousr]_[A-Za-z0-9]{20}|xox[abp]-[0-9]|-----BEGIN|"
    r"(?i:passw(?:or)?d|api[_-]?key|secret)[:=][^&#]{4}"
)
_DIGEST = re.compile(
    r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?:[0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}={0,2}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){6,}")
_BASE32 = re.compile(r"(?:[A-Z2-7]{16,}|[a-z2-7]{16,})=*")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_URLSAFE = str.maketrans("-_", "+/")


def weigh(address: str, allowed: frozenset[str] = frozenset(), *, listed_only: bool = False) -> float:
    """The weight of an address whose host is not among the `allowed` suffixes. With `listed_only` every other host weighs 1."""
    return 0.0 if not listed_only and harmless(address) else thoroughly(address, allowed, listed_only=listed_only)


def thoroughly(address: str, allowed: frozenset[str] = frozenset(), *, listed_only: bool = False) -> float:
    """The same, without telling beforehand what carries nothing."""
    if not listed_only and not _CARRIES.search(address) and max(map(len, _RUNS.findall(address)), default=0) < _LONG:
        return _quiet(address, allowed)
    host, path, query, fragment = _split(address)
    login, _, name = host.rpartition("@")
    name = name.partition(":")[0].lower().strip(".")
    if not name or hosts.within(name, allowed):
        return 0.0
    if listed_only:
        return 1.0
    if hosts.well_known(name):
        return 0.0
    weight = max(
        _plain(f"/{path.replace('@', '/')}?{query}#{fragment}"),
        _login(login),
        _query(query),
        _path(path),
        0.8 * _path(fragment),
        _labels(name),
    )
    if hosts.collects(name, path):
        return 1.0 if weight or len(path) + len(query) > 40 else 0.7
    if hosts.named_for_it(name) and len(query) > 4:
        weight = max(weight, 0.25)
    return min(1.0, weight + 0.3) if weight and hosts.suspect(name) else weight


def harmless(address: str) -> bool:
    """Whether an address is seen at once to carry nothing to anybody, which is true of nearly all."""
    found = _HARMLESS.fullmatch(address)
    if not found or "sk-" in address or not _ordinary(found[1]):
        return False
    return not (found[2] and _TELLS.search(found[2].lower()))


@lru_cache(maxsize=1024)
def _ordinary(host: str) -> bool:
    """A host whose name carries nothing, and that does not collect what it is sent."""
    name = host.lower().strip(".")
    return bool(name) and not (_labels(name) or hosts.may_collect(name) or hosts.suspect(name))


def _quiet(address: str, allowed: frozenset[str]) -> float:
    """An address that carries nothing matters only where requests themselves are what is collected."""
    host, path, _, _ = _split(address)
    name = host.partition(":")[0].lower().strip(".")
    return 0.7 if hosts.collects(name, path) and not hosts.within(name, allowed) else 0.0


def _split(address: str) -> tuple[str, str, str, str]:
    """Host with login and port, path, query, fragment."""
    rest, _, fragment = _SCHEME.sub("", address).partition("#")
    rest, _, query = rest.partition("?")
    host, _, path = rest.partition("/")
    return host, path, query, fragment


def _plain(text: str) -> float:
    """Personal data, credentials, or a placeholder for them, with or without percent-encoding."""
    if _PERSONAL.search(unquote_plus(text).encode()) or _PLACEHOLDER.search(text.encode()):
        return 0.9
    return 0.0


def _login(login: str) -> float:
    return min(1.0, 0.5 + carried(login)) if len(login) > 11 else 0.0


def _query(query: str) -> float:
    weight = 0.0
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", pair
        if len(value) < 3:
            continue
        one = carried(value, fixed=bool(_SIGNATURE.fullmatch(name)))
        if name:
            names = _NAMES.split(name.lower())
            if not _TELLING.isdisjoint(names):
                one = max(one, 0.3) + (0.25 if len(value) < 8 or value.isalpha() else 0.35)
            elif len(value) >= 8 and not value.isalpha() and not _HINTING.isdisjoint(names):
                one += 0.25
        weight = max(weight, one)
    return min(1.0, weight)


def _path(path: str) -> float:
    if len(path) < 11:
        return 0.0
    weight = 0.0
    for part in re.split(r"[/;:]", path):
        if len(part) > 10:
            weight = max(weight, carried(_ENDING.sub("", part), part=True))
    return weight


def _labels(host: str) -> float:
    """Names below a domain that are text in base32 or hexadecimal, together or one by one: data in the DNS query itself."""
    labels = host.split(".")[:-2]
    if sum(map(len, labels)) < 12:
        return 0.0
    weight = max(carried(label) for label in (*labels, "".join(labels)))
    return max(weight, 0.6) if max(map(len, labels)) > 40 and weight else weight


def carried(value: str, *, fixed: bool = False, part: bool = False) -> float:
    """How much a value looks like data: text in an encoding 1.0 or 0.7, sentences and long random strings
    about 0.5. `fixed`: its parameter is one that random strings belong to; `part`: it is part of a path."""
    plain = unquote_plus(value)
    if len(plain) < 11 or _DIGEST.fullmatch(plain):
        return 0.0
    decoded = _decoded(plain)
    if decoded:
        return 1.0 if _speaks(decoded) else 0.7
    spaces = plain.count(" ")
    if spaces:
        return (
            0.2 + 0.3 * (spaces > 7)
            if part and spaces > 2
            else 0.0
            if part
            else min(0.6, 0.1 * spaces + 0.2 * (len(plain) > 60))
        )
    if fixed or len(plain) < (40 if part else 32):
        return 0.0
    if classes("".join(filter(str.isalnum, plain))) == 3 and entropy(plain) >= 4.2:
        return 0.55 if len(plain) >= 64 else 0.5
    return 0.0


def _decoded(value: str) -> str:
    """The text that a value is the encoding of, "" when it is none."""
    if _HEX.fullmatch(value) and (len(value) >= 32 or not value.isdigit()):
        return _text(bytes.fromhex(value))
    if _BASE32.fullmatch(value) and len(value.rstrip("=")) % 8 not in {1, 3, 6}:
        bare = value.upper().rstrip("=")
        if text := _text(b32decode(bare + "=" * (-len(bare) % 8))):
            return text
    if _BASE64.fullmatch(value):
        bare = value.rstrip("=").translate(_URLSAFE)
        bare = bare[: len(bare) // 4 * 4]  # it may have been cut off anywhere
        try:
            return _text(b64decode(bare))
        except BinasciiError:  # pragma: no cover - the pattern leaves nothing to refuse
            return ""
    return ""


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return text if len(text) >= 6 and all(c.isprintable() or c in "\n\r\t" for c in text) else ""


def _speaks(text: str) -> bool:
    """Words, or values with names, rather than an identifier that happens to be printable."""
    words = re.findall(r"[^\W\d_]{2,}", text)
    return (len(words) > 1 and any(c in text for c in " \n:=")) or bool(_PERSONAL.search(text.encode()))
