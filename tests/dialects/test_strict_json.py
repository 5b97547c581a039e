"""What two JSON parsers could read differently is refused."""

from __future__ import annotations

import pytest

from yett.dialects import strict_json
from yett.dialects.leaves import MAX_DEPTH, Leaves
from yett.errors import Refusal


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"a":1}x', "invalid_json"),
        (b'\xef\xbb\xbf{"a":1}', "invalid_json"),
        (b'{"a":"\xff"}', "invalid_json"),
        (b'{"a":"\x01"}', "invalid_json"),
        ('{"a":1}'.encode("utf-16"), "invalid_json"),
        (b'{"a":NaN}', "invalid_json"),
        (b'{"a":-Infinity}', "invalid_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "invalid_json"),
        (b"{'a':1}", "invalid_json"),
        (b'{"a":01}', "invalid_json"),
        (b'{"a":1,}', "invalid_json"),
        (b'{"a":1,"a":1}', "duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key"),
        (b'{"m":[{"x":{"c":1,"c":2}}]}', "duplicate_key"),
        (b"[" * 100_000, "json_too_deep"),
        (b'{"a":' * 100_000, "json_too_deep"),
    ],
)
def test_refused(body: bytes, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        strict_json.loads(body)
    assert caught.value.code == code


def test_the_message_does_not_hold_the_text() -> None:
    with pytest.raises(Refusal) as caught:
        strict_json.loads(b'{"password": hunter2}')
    assert "hunter2" not in str(caught.value)


def test_depth_is_bounded_by_the_walk() -> None:
    Leaves().walk(strict_json.loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), "user")
    with pytest.raises(Refusal) as caught:
        Leaves().walk(strict_json.loads(b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2)), "user")
    assert caught.value.code == "json_too_deep"


def test_every_leaf_is_seen() -> None:
    leaves = Leaves()
    leaves.walk({"a": ["x", {"zkey": "y"}], "n": 4111111111111111, "small": 42, "e": ""}, "user")
    assert [(s.text, s.index) for s in leaves.segments] == [
        ("a", -1), ("x", 0), ("zkey", -1), ("y", 1), ("4111111111111111", -1), ("small", -1), ("e", -1),
    ]  # fmt: skip
