"""Request heads: what they look like, and that nothing can be smuggled through them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.edge.origin import Address, Origin
from yett.model.route import Secret

HEADERS = ((b"content-type", b"application/json"), (b"X-Thing", b"a b\tc\xe9"))


def head(address: Address, path: str = "/chat", **more: object) -> bytes:
    fields = {"method": "POST", "headers": HEADERS, "secret": None, "length": 3} | more
    return address.head(fields["method"], path, fields["headers"], fields["secret"], fields["length"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base_url", "origin", "start"),
    [
        ("https://api.test/v1", Origin(True, "api.test", 443), b"POST /v1/chat HTTP/1.1\r\nhost: api.test\r\n"),
        ("https://api.test/v1/", Origin(True, "api.test", 443), b"POST /v1/chat HTTP/1.1\r\nhost: api.test\r\n"),
        ("https://api.test:443", Origin(True, "api.test", 443), b"POST /chat HTTP/1.1\r\nhost: api.test\r\n"),
        ("http://API.test:8080", Origin(False, "api.test", 8080), b"POST /chat HTTP/1.1\r\nhost: api.test:8080\r\n"),
        ("http://127.0.0.1/x", Origin(False, "127.0.0.1", 80), b"POST /x/chat HTTP/1.1\r\nhost: 127.0.0.1\r\n"),
        ("http://[::1]:81", Origin(False, "::1", 81), b"POST /chat HTTP/1.1\r\nhost: [::1]:81\r\n"),
        ("https://xn--bcher-kva.test", Origin(True, "xn--bcher-kva.test", 443), b"POST /chat HTTP/1.1\r\nhost: xn--"),
    ],
)
def test_where_a_base_url_leads(base_url: str, origin: Origin, start: bytes) -> None:
    address = Address(base_url)
    assert address.origin == origin
    assert head(address).startswith(start)


@pytest.mark.parametrize(
    "base_url",
    ["", "api.test", "ftp://api.test", "http://", "http://user:hidden@api.test", "http://api.test/?hidden",
     "http://api.test/#hidden", "http://api test", "http://bücher.test", "http://api.test:x", "http://api.test:99999",
     "http://a\r\nb"],
)  # fmt: skip
def test_base_urls_that_are_none(base_url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Address(base_url)
    assert "hidden" not in str(caught.value)


def test_the_whole_head() -> None:
    assert head(Address("http://h"), secret=Secret("sk-1")) == (
        b"POST /chat HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nX-Thing: a b\tc\xe9\r\n"
        b"authorization: Bearer sk-1\r\ncontent-length: 3\r\n\r\n"
    )


def test_content_length_is_sent_where_it_means_something() -> None:
    address = Address("http://h")
    assert b"content-length: 0\r\n" in head(address, length=0)
    assert b"content-length" not in head(address, method="GET", length=0)
    assert b"content-length: 3\r\n" in head(address, method="DELETE", length=3)
    assert head(address, path="", method="GET", headers=(), length=0) == b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"


@pytest.mark.parametrize("name", [b"authorization", b"X-Api-Key", b"api-key", b"x-goog-api-key"])
def test_a_credential_of_the_provider_shelf_goes_first(name: bytes) -> None:
    assert b"sk-1" not in head(Address("http://h"), headers=((name, b"mine"),), secret=Secret("sk-1"))


def test_each_part_of_a_head_that_is_sent_again_may_be_another() -> None:
    """The last head is kept by the identity of its parts: one that differs in a single part must not be taken for it."""
    address, secret, other = Address("http://h"), Secret("sk-1"), Secret("sk-2")
    usual = {"method": "POST", "path": "/chat", "headers": ((b"a", b"1"),), "secret": secret, "length": 1}
    first = address.head(**usual)  # type: ignore[arg-type]
    for change, found in (
        ({"method": "PUT"}, b"PUT /chat "),
        ({"path": "/other"}, b"POST /other "),
        ({"headers": ((b"a", b"2"),)}, b"a: 2\r\n"),
        ({"secret": other}, b"Bearer sk-2\r\n"),
        ({"secret": None}, b"\r\na: 1\r\ncontent-length"),
        ({"length": 2}, b"content-length: 2\r\n"),
    ):
        assert found in address.head(**(usual | change))  # type: ignore[arg-type]
        assert address.head(**usual) == first  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="header 0"):
        address.head(**(usual | {"headers": ((b"a", b"\r\nb: c"),)}))  # type: ignore[arg-type]
    assert address.head(**usual) == first  # type: ignore[arg-type]


def test_equal_headers_with_other_secrets_are_not_mixed_up() -> None:
    address = Address("http://h")
    for number in (1, 2, 1, 2):
        assert b"Bearer sk-%d\r\n" % number in head(address, secret=Secret(f"sk-{number}"))
    assert b"Bearer" not in head(address)


@pytest.mark.parametrize(
    "field",
    [(b"x", b"1\r\ny: 2"), (b"x", b"1\n2"), (b"x", b"1\r2"), (b"x", b"1\x002"), (b"x", b"\x7f"), (b"x\r\ny", b"1"),
     (b"x:", b"1"), (b"x y", b"1"), (b"", b"1"), (b"x\x00", b"1"), (b"\xe9", b"1"), (b"Host", b"evil"),
     (b"content-length", b"0"), (b"Transfer-Encoding", b"chunked"), (b"connection", b"x"), (b"upgrade", b"h2c"),
     (b"expect", b"100-continue"), (b"te", b"trailers"), (b"proxy-authorization", b"x")],
)  # fmt: skip
def test_headers_that_may_not_be_sent(field: tuple[bytes, bytes]) -> None:
    address = Address("http://h")
    for _ in range(2):  # not by way of the cache either
        with pytest.raises(ValueError, match=r"^header 2 has") as caught:
            head(address, headers=(*HEADERS, field))
        assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["/a b", "/a\r\nx: y", "/a\n", "/a\x00", "/ä", "//a\tb", "/a HTTP/1.1\r\n\r\n", "/\x7f"]
)
def test_paths_that_may_not_be_sent(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        head(Address("http://h"), path=path)
    with pytest.raises(ValueError, match="path"):
        head(Address("http://h"), path=path.removeprefix("/") + " ")


@pytest.mark.parametrize("method", ["", "POST x", "POST\r\n", "CONNECT", "TRACE", "PÖST"])
def test_methods_that_may_not_be_sent(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        head(Address("http://h"), method=method)


@pytest.mark.parametrize("secret", ["", "sk hidden", "sk-hidden\r\n", "sk-hidden\x00", "sk-hiddén"])
def test_a_secret_that_cannot_be_sent_is_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="key has characters") as caught:
        head(Address("http://h"), secret=Secret(secret))
    assert "hidd" not in repr(caught.value)
    assert caught.value.__context__ is None


@given(
    st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=12)), max_size=4),
    st.text(max_size=12),
    st.sampled_from(["GET", "POST", "G T", "\r\n"]),
)
def test_a_head_has_the_lines_it_was_asked_for_or_is_none(
    headers: list[tuple[bytes, bytes]], path: str, method: str
) -> None:
    try:
        made = head(Address("http://h"), path=path, method=method, headers=tuple(headers))
    except ValueError:
        return
    lines = made.split(b"\r\n")
    assert len(lines) == 2 + len(headers) + 1 + 2  # request line, host, headers, content-length, the end
    assert lines[-2:] == [b"", b""]
    assert lines[0].count(b" ") == 2
    assert not set(made.replace(b"\r\n", b"")) & set(b"\r\n\x00")
    assert [tuple(line.split(b": ", 1)) for line in lines[2 : 2 + len(headers)]] == headers


def test_the_caches_do_not_grow_for_ever() -> None:
    address = Address("http://h")
    for number in range(2000):
        head(address, path=f"/{number}", headers=((b"x-id", b"%d" % number),))
    assert len(address._lines) <= 512
    assert len(address._blocks) <= 512
