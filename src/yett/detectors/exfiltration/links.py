"""Links: addresses that a reader's program loads or opens, and that carry data to whoever they lead to.

An image of an answer is loaded without a click: Markdown, HTML and CSS that a model was talked into writing are enough to send
what it knows to any host. What counts as data is said in `weigh.py`; hosts that the operator allows never count.
What is loaded comes first on the shelf, because it needs the least evidence.
"""

from __future__ import annotations

from collections.abc import Callable

from yett.detectors.detector import Detector
from yett.detectors.exfiltration.disguised import disguised
from yett.detectors.exfiltration.hosts import COLLECTING_PATHS, COLLECTORS
from yett.detectors.exfiltration.weigh import CLICKED, LOADED, WRITTEN, weigh

Accept = Callable[[str], int]

_URL = r"[A-Za-z0-9!#$%&*+./:=?@^_~-]"  # what a word may contain (see detector.py), less parentheses
_SCHEME = (
    r"(?:(?i:https?|ftp|wss?):/{0,3}|//)"  # a browser also takes `https:host`, and `//host` as the page's own scheme
)
# RE2 keeps to its fast automaton only while a pattern compiles to some 1,200 instructions (10 for each of these), so what is
# seen of an address, and found, is its first 100 characters.
_REST = rf"{_URL}{{4,100}}"
_ANY = r"[\x00-\xff]"
_HOLE = r"[{\[<]"  # an address breaks off here because something is to be filled in
_OPENING = r"""[ \t\r\n]{0,3}=[ \t\r\n]{0,3}\\?["']?[ \t]?"""
_MARKDOWN = r"\]\([ \t]{0,2}<?"
_IMAGE = rf"!\[[^\x00]{{0,100}}?{_MARKDOWN}"
_LOADING = rf"""[ \t\r\n"'/.](?i:src|srcset|imagesrcset|poster|background|lowsrc|ping){_OPENING}"""
_LEADING = rf"""[ \t\r\n"'/.:](?i:href|action|formaction|data|manifest){_OPENING}"""
_REFRESH = r"(?i:;[ \t]{0,3}url)[ \t]{0,2}=[ \t]{0,2}'?"
_CSS = r"""(?:[^A-Za-z0-9_.](?i:url)\([ \t\r\n]{0,3}\\?["']?|@(?i:import)[ \t]{1,3}\\?["'])"""
_REFERENCE = r"[\n>][ \t]{0,4}\[[^\]\n\x00]{1,80}\]:[ \t]{0,3}\n?[ \t]{0,3}<?"

_AFTER = ".:!?)*"  # ends the sentence or the emphasis that an address stands in, not the address

_HTTP = r"(?i:https?)://"
_FULL = r"(?i:https?|ftp|wss?)://"
# No colon but that of a port: an address within an address is looked at by itself, so that a row of them costs what it is long.
_PATH = r"[A-Za-z0-9._~%@/+-]"
_QUERY = rf"{_PATH}{{3,60}}(?::[0-9]{{1,5}}{_PATH}{{0,40}})?\?[A-Za-z0-9!#$%&()*+./=?@^_~-]{{4,40}}"
_COLLECTED = "|".join(name.replace(".", r"\.") for name in (*COLLECTORS, *COLLECTING_PATHS))


def links(allowed: frozenset[str] = frozenset(), *, listed_only: bool = False) -> tuple[Detector, ...]:
    """The detectors for these `allowed` host suffixes; with `listed_only` an address on any other host is a finding, whatever
    it carries."""

    def least(weight: float, filled_in: str = "") -> Accept:
        def accept(address: str) -> int:
            address = address.rstrip(_AFTER)
            return len(address) if weigh(address + filled_in, allowed, listed_only=listed_only) >= weight else 0

        return accept

    loaded, clicked, written = least(LOADED), least(CLICKED), least(WRITTEN)
    return (
        _loaded("markdown-image", _IMAGE, loaded, rf"{_MARKDOWN}{_SCHEME}"),
        _broken_off("markdown-image", _IMAGE, least(LOADED, "?a=USER_DATA"), r"[=/]\$?"),
        _loaded("html-image", _LOADING, loaded),
        _broken_off("html-image", _LOADING, least(LOADED, "words")),
        _loaded("css-url", _CSS, loaded),
        _loaded("reference-link", _REFERENCE, clicked, rf"\]:[ \t]{{0,3}}\n?[ \t]{{0,3}}<?{_SCHEME}"),
        _link(
            "markdown-link",
            "markdown-link",
            rf"{_MARKDOWN}({_SCHEME}{_QUERY}){_ANY}",
            clicked,
            rf"{_MARKDOWN}{_SCHEME}[A-Za-z0-9._~%:@/+-]+\?",
        ),
        _broken_off("markdown-link", _MARKDOWN, least(LOADED, "words")),
        _loaded("html-link", _LEADING, clicked),
        _loaded("html-refresh", _REFRESH, loaded),
        *disguised(allowed, listed_only=listed_only),
        *(_written_any(written) if listed_only else _written(written)),
    )


def _loaded(kind: str, left: str, accept: Accept, anchor: str = "") -> Detector:
    """An address after `left`, which the automaton looks for together with the scheme, so that it need not count."""
    return _link(kind, kind, rf"{left}({_SCHEME}{_REST}){_ANY}", accept, anchor or left + _SCHEME)


def _broken_off(kind: str, left: str, accept: Accept, before: str = "=") -> Detector:
    """An address with a hole, such as `?q={data}` or `?q=[DATA]`, `before` which there is a parameter's name."""
    return _link(f"{kind}-template", kind, rf"{left}({_SCHEME}{_REST}{before}){_HOLE}", accept, f"{before}{_HOLE}")


def _written(accept: Accept) -> tuple[Detector, ...]:
    """Addresses anywhere in a text. There are many in most texts, so only those whose shape can carry something are weighed."""
    return (
        _link(
            "url-collector",
            "url",
            rf"({_HTTP}[A-Za-z0-9.-]{{0,60}}(?:{_COLLECTED}){_URL}{{0,60}}){_ANY}",
            accept,
            _COLLECTED,
        ),
        _link(
            "url-query",
            "url",
            rf"({_HTTP}{_QUERY}){_ANY}",
            accept,
            r"://[A-Za-z0-9._~%:@/+-]+\?",
        ),
        _link(
            "url-path",
            "url",
            rf"({_HTTP}[A-Za-z0-9.:-]{{3,80}}/(?:[a-z0-9_.-]{{0,24}}/){{0,3}}[A-Za-z0-9+=_%-]{{20,90}}){_ANY}",
            accept,
            r"://[A-Za-z0-9.:-]+/[a-z0-9_./-]*[A-Za-z0-9+=_%-]{20}",
        ),
        _link(
            "url-label",
            "url",
            rf"({_HTTP}[A-Za-z0-9-]{{24,63}}\.[A-Za-z0-9.-]{{3,100}}){_ANY}",
            accept,
            r"://[A-Za-z0-9-]{24}",
        ),
    )


def _written_any(accept: Accept) -> tuple[Detector, ...]:
    """Addresses anywhere in a text, and what renderers make an address of without a scheme."""
    return (
        _link("url", "url", rf"({_FULL}{_REST}){_ANY}", accept, _FULL),
        _link(
            "url-www", "url", rf"[^A-Za-z0-9./@_-]((?i:www)\.{_URL}{{4,100}}){_ANY}", accept, r"(?i:www)\.[A-Za-z0-9]"
        ),
    )


def _link(id: str, kind: str, pattern: str, accept: Accept, anchor: str) -> Detector:
    return Detector(id=id, kind=f"exfiltration.{kind}", pattern=pattern, accept=accept, anchor=anchor)


EXFILTRATION: tuple[Detector, ...] = links()
