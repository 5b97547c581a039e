"""What two JSON parsers could read differently is refused."""

from __future__ import annotations

import json

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


def _padded(document: dict[str, object], form: str) -> bytes:
    """The document as different clients write it: short or long, compact or spaced, with few colons or with many."""
    size, style, colons = form.split()
    text = ("it reads: well; " if colons == "many" else "it reads well ") * (1000 if size == "long" else 10)
    many = {f"name{number}": number for number in range(2 * strict_json.FEW_COLONS if colons == "many" else 1)}
    separators = {"compact": (",", ":"), "spaced": (", ", ": "), "odd": (" , ", " : ")}[style]
    return json.dumps(document | {"text": text, "more": many}, separators=separators).encode()


FORMS = [
    f"{size} {style} {colons}"
    for size in ("short", "long")
    for style in ("compact", "spaced", "odd")
    for colons in ("few", "many")
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_body_is_read_as_it_is(form: str) -> None:
    for document in ({"model": "m"}, {"model": 'a":"b', 'odd":': [{"x": {}}, [], "\\:"], "e": 1e3}):
        body = _padded(document, form)
        assert strict_json.decode(body) == json.loads(body)


@pytest.mark.parametrize("form", FORMS)
def test_a_name_given_twice_is_refused_in_every_form_of_a_body(form: str) -> None:
    body = _padded({"first": {"a": 1, "b": 2}, "list": [{"x": 1, "y": 2}], 'quoted":': 1}, form)
    for name, other in ((b'"b"', b'"a"'), (b'"y"', b'"x"'), (b'"list"', b'"first"'), (b'"b"', b'"\\u0061"')):
        with pytest.raises(Refusal) as caught:
            strict_json.decode(body.replace(name, other))
        assert caught.value.code == "duplicate_key"


@pytest.mark.parametrize("form", FORMS)
def test_depth_is_refused_in_every_form_of_a_body(form: str) -> None:
    nested: object = 1
    for _ in range(strict_json.MAX_DEPTH):
        nested = [nested]
    strict_json.decode(_padded({"deep": nested}, form))
    nested = [nested]
    with pytest.raises(Refusal) as caught:
        strict_json.decode(_padded({"deep": nested}, form))
    assert caught.value.code == "json_too_deep"


@pytest.mark.parametrize("body", [b"1", b'"x"', b"[]", b"{}", b"null", b'{"a"\t:1}', b'[":"]'])
def test_values_without_a_name_or_colon(body: bytes) -> None:
    assert strict_json.decode(body) == json.loads(body)


@pytest.mark.parametrize("times", [1, strict_json.FEW_ESCAPES // 4, strict_json.FEW_ESCAPES])
def test_few_and_many_escapes_are_undone_alike(times: int) -> None:
    string = b'a \\"b\\" \\n\\tc:"'
    body = b"[" + b",".join([b'"' + string] * times) + b"]"
    assert strict_json.flat(body, b"|") == b"[" + b",".join([b'|a "b" \n\tc:|'] * times) + b"]"


@pytest.mark.parametrize("escape", [b"\\\\", b"\\/", b"\\u0041", b"\\r", b"\\b", b"\\f", b"\\\\n"])
@pytest.mark.parametrize("times", [1, strict_json.FEW_ESCAPES + 1])
def test_other_escapes_are_left_to_a_parser(escape: bytes, times: int) -> None:
    assert strict_json.flat(b'["' + b"\\n" * times + escape + b'"]', b"|") is None
    assert strict_json.flat(b'["' + escape + b"\\n" * times + b'"]', b"|") is None


@pytest.mark.parametrize(
    "body", [b'"x" ', b" 1", b"null\n", b"[ 1, [2, []], {}]", b'{"a" :{"b": [1]}}', b'{"a":"\\":","b":1 }']
)
def test_values_of_every_kind_are_decoded(body: bytes) -> None:
    assert strict_json.decode(body) == strict_json.loads(body)


@pytest.mark.parametrize(
    ("body", "certain"),
    [
        (b'{"a":{"b":1}}', True),
        (b'{"text" : "\\":"}', True),
        (b'{"a":1,"a":1}', False),
        (b'{"a" : {"b":1,"b":2}}', False),
        (b'{"a":' * 70 + b"1" + b"}" * 70, False),
    ],
)
def test_what_every_parser_reads_alike_is_certain(body: bytes, certain: bool) -> None:
    assert strict_json.is_certain(body, json.loads(body)) is certain
