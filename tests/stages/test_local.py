"""What Yett answers itself: lists of models, and a caller's own record."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace
from tests.stages.conftest import caller_of

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.caller import Delegation
from yett.model.record import Proof, Record
from yett.stages import local


def line(**fields: object) -> bytes:
    return msgspec.json.encode(Record(**{"kind": "intent", "call": "call_1", "ts": 1, "tenant": "default", **fields}))


def test_models() -> None:
    assert [model["id"] for model in json.loads(local.models(("a", "b"), ""))["data"]] == ["a", "b"]
    assert json.loads(local.models(("a", "b"), "b"))["id"] == "b"
    with pytest.raises(Refusal) as caught:
        local.models(("a",), "b")
    assert caught.value.code == "model_not_found"


def test_a_record_shows_what_is_the_callers_and_no_more(snapshot: Snapshot) -> None:
    lines = [
        line(caller="key_1", hold="h", model="fast", decision="allow"),
        line(caller="key_1", kind="outcome", outcome="ok", hold="h", model="fast", decision="allow", policies=("p",)),
    ]
    shown = json.loads(local.record(caller_of(snapshot), lines))
    assert shown["complete"] is True
    assert (shown["outcome"], shown["policies"], shown["model"]) == ("ok", ["p"], "fast")
    assert not {"hold", "facts", "caller", "tenant", "kind"} & set(shown)
    assert json.loads(local.record(caller_of(snapshot), lines[:1]))["complete"] is False


def test_a_token_shows_what_its_task_did_and_no_more(snapshot: Snapshot) -> None:
    holder = caller_of(snapshot)
    holder = replace(holder, credential=replace(holder.credential, kind="task", delegation=Delegation("task_1")))
    assert local.record(holder, [line(caller="key_1", task="task_1")])
    assert local.record(holder, [line(caller="key_1", proof=Proof("task", task="task_1"))])
    for other in ({}, {"task": "task_2"}, {"proof": Proof("task", task="task_2")}):
        with pytest.raises(Refusal) as caught:
            local.record(holder, [line(caller="key_1", **other)])
        assert caught.value.code == "call_not_found"


@pytest.mark.parametrize("fields", [{}, {"caller": "key_2"}, {"caller": "key_1", "tenant": "other"}, None])
def test_other_callers_records_are_not_there(snapshot: Snapshot, fields: dict[str, object] | None) -> None:
    with pytest.raises(Refusal) as caught:
        local.record(caller_of(snapshot), [] if fields is None else [line(**fields)])
    assert caught.value.code == "call_not_found"
