r"""Disguised: addresses that look like none, or like one on another host, until a renderer has read them.

A browser strips line ends and tabs from an address and takes `\` for `/` (WHATWG URL, "basic URL parser"); HTML and Markdown
spell its signs as entities, Markdown escapes them; a host may have letters of any script and full stops that are not ASCII
(UTS #46). What gives a disguise away stands left of the span, which is the rest of the address: without it the beginning leads
nowhere. The address is then weighed as it is rendered.
"""

from __future__ import annotations

import html
import re

from yett.detectors.detector import Detector
from yett.detectors.exfiltration.hosts import canonical
from yett.detectors.exfiltration.weigh import LOADED, weigh

_URL = r"[A-Za-z0-9!#$%&*+./:=?@^_~-]"
_ANY = r"[\x00-\xff]"
# A span never begins with what may still belong to the separator, or it would depend on how much has arrived.
_REST = rf"([A-Za-z0-9!#$%*+.=?@^_~-]{_URL}{{0,80}}){_ANY}"
_HOST_REST = rf"({_URL}{{1,80}}){_ANY}"
_ESCAPED_REST = rf"([.@:_-]{_URL}{{1,80}}){_ANY}"
_LETTERS = r"[\x80-\xff]{1,40}"
_NAME = "(?i:https?|ftp|wss?)"
_COLON = r"&(?:colon|#0{0,4}58|#[xX]0{0,4}3[aA]);?"
_ENTITY_SLASH = r"&(?:(?:b?sol|Tab|NewLine|#0{0,4}(?:9|1[03])|#[xX]0{0,4}[9aAdD]);|(?:#0{0,4}(?:47|92)|#[xX]0{0,4}(?:2[fF]|5[cC]));?)"
_SLASHES = rf"(?:[/\\\t\r\n]|{_ENTITY_SLASH}){{0,4}}"
_SEPARATOR = rf"(?:\\:|[\t\r\n]{{1,2}}:|{_COLON}|:/{{0,2}}(?:[\\\t\r\n]|{_ENTITY_SLASH}))"
_SEPARATED = _SEPARATOR + _SLASHES
_SPELT = r"&(?:#[0-9]{2,7}|#[xX][0-9A-Fa-f]{2,6}|Tab|NewLine);?"
_VALUE = r"""(?:\]\([ \t]{0,2}<?|=[ \t\r\n]{0,3}\\?["'][ \t]?|(?i:url)\([ \t]?\\?["']?)"""
_QUOTED = r"""=[ \t\r\n]{0,3}\\?["'][ \t]?"""
_STRIPPED = r"[\t\r\n]"

_PLAIN = re.compile(r"(?i)(?:https?|ftp|wss?):/{0,3}\Z")
_BEGUN = re.compile(r"(?i)(?:(?:https?|ftp|wss?)\\?:[/\\]*|[/\\]{2,})([^\s/?#\"'<>()]*)\Z")
_BREAKS = re.compile(r"[\t\r\n]")
_PUBLIC = re.compile(r"(?:[a-z0-9_-]|%[0-9a-f]{2})+(?:\.(?:[a-z0-9_-]|%[0-9a-f]{2})*)+")
_AFTER = ".:!?)*"  # ends what an address stands in, not the address


def disguised(allowed: frozenset[str], *, listed_only: bool) -> tuple[Detector, ...]:
    """The detectors for these `allowed` host suffixes; with `listed_only` an address on any other host is a finding."""

    def judge(before: str, rest: str) -> int:
        begun = None if _PLAIN.search(before) else _BEGUN.search(_BREAKS.sub("", html.unescape(before)))
        if not begun:
            return 0
        rest = rest.rstrip(_AFTER) or rest
        name, behind = _split(begun[1], rest)
        host = canonical(name)
        if not _PUBLIC.fullmatch(host):
            return 0  # a path, a format, a name that somebody only talks about
        if host.endswith(".") and any(name.startswith(host) for name in allowed):
            return 0  # it goes on in letters that no span has
        weight = weigh(f"https://{host}{behind}", allowed, listed_only=listed_only)
        return len(rest) if weight >= LOADED else 0

    def one(id: str, left: str, anchor: str = "", rest: str = _REST) -> Detector:
        return Detector(
            id=f"disguised-{id}",
            kind="exfiltration.disguised-url",
            pattern=left + rest,
            judge=judge,
            anchor=anchor or left + "[!-~]",
        )

    letters = rf"(?:{_NAME}:/{{0,3}}|{_VALUE}//)[A-Za-z0-9._~%@:-]"
    return (
        one("separator", _NAME + _SEPARATED, _NAME + _SEPARATOR),
        one("scheme", rf"{_SPELT}(?:[A-Za-z]|{_SPELT}){{0,5}}(?::|{_COLON}){_SLASHES}"),
        one(
            "line-end",
            rf"{_QUOTED}[A-Za-z]{{1,4}}{_STRIPPED}{{1,2}}(?:[A-Za-z]{_STRIPPED}{{0,2}}){{1,4}}:{_SLASHES}",
            rf"{_QUOTED}[A-Za-z]{{1,4}}{_STRIPPED}{{1,2}}[A-Za-z]",
        ),
        one(
            "host-line-end",
            rf"{_QUOTED}(?:{_NAME}:)?//[A-Za-z0-9._@:-]{{0,60}}{_STRIPPED}{{1,3}}",
            rf"{_QUOTED}(?:{_NAME}:)?//[A-Za-z0-9._@:-]*{_STRIPPED}",
        ),
        one("slashes", rf"{_VALUE}(?:/\\|\\[/\\])[/\\]{{0,4}}"),
        one(
            "host-escape",
            rf"{_NAME}:/{{1,3}}[A-Za-z0-9._@:-]{{1,60}}\\",
            r":/[A-Za-z0-9._@:/-]+\\[.@:_-]",
            _ESCAPED_REST,
        ),
        one("host-letters", rf"{letters}{{0,40}}{_LETTERS}", rf"{letters}*[\x80-\xff]", _HOST_REST),
        one(
            "host-more-letters",
            rf"{letters}{{0,20}}{_LETTERS}[.-][A-Za-z0-9.-]{{0,8}}{_LETTERS}",
            rf"{letters}*[\x80-\xff]",
            _HOST_REST,
        ),
    )


def _split(begun: str, rest: str) -> tuple[str, str]:
    r"""The host without login and port, and what is behind it, as Markdown renders them: `\.` is a full stop."""
    end = next((place for place, c in enumerate(rest) if c in "/?#"), len(rest))
    return (begun.replace("\\", "") + rest[:end]).rpartition("@")[2].partition(":")[0], rest[end:]
