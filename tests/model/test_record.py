"""A record is written as JSON whatever is known of the call."""

from __future__ import annotations

import json

import msgspec

from yett.model.record import NO_FACTS, Record


def test_a_record_without_facts_is_json_and_says_nothing_of_them() -> None:
    line = msgspec.json.encode(Record(kind="outcome", call="call_1", ts=1, facts=NO_FACTS))
    assert json.loads(line) == {"kind": "outcome", "call": "call_1", "ts": 1}
    assert msgspec.json.encode(msgspec.json.decode(line, type=Record)) == line
