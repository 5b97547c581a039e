"""What the journal is told is JSON that can be read back, also when there are no facts."""

from __future__ import annotations

import msgspec

from yett.model.record import NO_FACTS, Record


def test_a_record_without_facts_is_read_back() -> None:
    record = Record(kind="outcome", call="call_1", ts=1, facts=NO_FACTS)
    line = msgspec.json.encode(record)
    assert b"facts" not in line
    assert msgspec.json.decode(line, type=Record).call == "call_1"
