"""Which route a request is for, what it wants there, and which labels it carries."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.scene import SECRET, chat, get
from tests.stages.conftest import caller_of, keyed, seen_by

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.call import Call, Inbound
from yett.stages.understand import MAX_LABELS, MAX_TASK, SURFACES, labels_of, surface_of


def read(inbound: Inbound) -> Call:
    surface = surface_of(inbound)
    return surface.read(surface, inbound, ("x",))


@pytest.mark.parametrize(
    ("inbound", "surface", "argument"),
    [
        (chat("hello"), "openai_chat", ""),
        (get("/v1/models"), "openai_models", ""),
        (get("/v1/models/fast"), "openai_model", "fast"),
        (get("/v1/models/a/b"), "openai_model", "a/b"),
        (get("/yett/v1/calls/call_1"), "yett_calls", "call_1"),
        (get("/yett/v1/calls//"), "yett_calls", "/"),
    ],
)
def test_routes(inbound: Inbound, surface: str, argument: str) -> None:
    call = read(inbound)
    assert (call.surface, call.argument, call.labels) == (surface, argument, ("x",))
    assert call.action == next(s.action for s in SURFACES if s.id == surface)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1", "/v1/models/", "/yett/v1/calls/", "/V1/models", "//v1/models", "/v1/chat/completions/", "*"],
)
def test_what_is_no_route(path: str) -> None:
    with pytest.raises(Refusal) as caught:
        surface_of(get(path))
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("inbound", "allowed"),
    [
        (get("/v1/chat/completions"), "POST"),
        (replace(get("/v1/chat/completions"), method="HEAD"), "POST"),
        (replace(get("/v1/models"), method="POST"), "GET, HEAD"),
        (replace(get("/yett/v1/calls/x"), method="get"), "GET, HEAD"),
    ],
)
def test_methods(inbound: Inbound, allowed: str) -> None:
    with pytest.raises(Refusal) as caught:
        surface_of(inbound)
    assert (caught.value.code, caught.value.headers) == ("method_not_allowed", (("allow", allowed),))


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/fast", "/yett/v1/calls/x"])
def test_head_is_a_get_without_a_body(path: str) -> None:
    assert surface_of(replace(get(path), method="HEAD")) == surface_of(get(path))


def test_what_the_listener_could_not_take_is_refused_as_that() -> None:
    with pytest.raises(Refusal) as caught:
        surface_of(replace(chat("hello"), refused="body_too_large"))
    assert caught.value.code == "body_too_large"


def test_a_chat_is_understood() -> None:
    call = read(chat("hello", stream=True, stream_options={"include_usage": True}, max_tokens=5, n=2, tools=[{}]))
    assert (call.model, call.stream, call.include_usage, call.max_tokens) == ("fast", True, True, 5)
    assert (call.choices, call.tools, call.body) == (2, True, read(chat("hello")).body[:0] + call.body)


@pytest.mark.parametrize("inbound", [chat(SECRET), get(f"/v1/models/{SECRET}"), get("/v1/models", f"key={SECRET}")])
def test_every_route_is_looked_at(snapshot: Snapshot, inbound: Inbound) -> None:
    surface = surface_of(inbound)
    findings, segments, *_ = seen_by(snapshot, surface, read(inbound))
    (finding,) = findings
    assert finding.kind == "secret.github-token"
    assert SECRET in segments[finding.segment].text


def labelled(snapshot: Snapshot, header: bytes, **fields: object) -> tuple[str, ...]:
    keys = keyed(snapshot, **fields)
    return labels_of(replace(chat("hello"), headers={b"x-yett-labels": header} if header else {}), caller_of(keys))


def test_labels_come_from_the_header_and_from_the_key(snapshot: Snapshot) -> None:
    data = (("data", "restricted"), ("env", "prod"))
    assert labelled(snapshot, b"") == ()
    assert labelled(snapshot, b"", labels=data) == ("restricted",)
    assert labelled(snapshot, b" b, a,,b ,") == ("a", "b")
    assert labelled(snapshot, b"public", labels=data) == ("public", "restricted")


@pytest.mark.parametrize("header", [b"x" * 65, b"a\x00b", b",".join(b"l%d" % n for n in range(MAX_LABELS + 1))])
def test_labels_are_few_short_and_printable(snapshot: Snapshot, header: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        labelled(snapshot, header)
    assert caught.value.code == "invalid_request"


@pytest.mark.parametrize("task", [b"", b"ticket 4711", b"x" * MAX_TASK])
def test_the_task_that_a_call_is_part_of(task: bytes) -> None:
    assert read(replace(chat("hello"), headers={b"x-yett-task": task})).task == task.decode()


@pytest.mark.parametrize("task", [b"x" * (MAX_TASK + 1), b"a\tb", b"caf\xc3\xa9", b"\x7f"])
def test_what_names_no_task(task: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        read(replace(chat("hello"), headers={b"x-yett-task": task}))
    assert caught.value.code == "invalid_request"
