"""What the journal is told is JSON that can be read back, also when there are no facts."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace
from tests.stages.conftest import caller_of, trail_of

from yett.config.snapshot import Snapshot
from yett.model.caller import Credential
from yett.model.key import Limits
from yett.model.record import NO_FACTS, Proof, Record
from yett.ports import Hold, Scope, Standing
from yett.stages.record import intent


def test_a_record_without_facts_is_read_back() -> None:
    record = Record(kind="outcome", call="call_1", ts=1, facts=NO_FACTS)
    line = msgspec.json.encode(record)
    assert b"facts" not in line
    assert msgspec.json.decode(line, type=Record).call == "call_1"


def test_how_a_caller_was_proven_is_on_the_record(snapshot: Snapshot) -> None:
    trail = trail_of(snapshot)
    assert intent(trail, 1).proof is None
    trail.caller = caller_of(snapshot)
    assert intent(trail, 1).proof == Proof("key")
    trail.caller = replace(trail.caller, credential=replace(trail.caller.credential, mark="…abcd"))
    assert intent(trail, 1).proof == Proof("key", id="…abcd")
    credential = Credential("oidc", "jti", issuer="corp")
    trail.caller = replace(trail.caller, credential=credential, kind="agent", assurance=2)
    assert intent(trail, 1).proof == Proof("oidc", "agent", 2, "corp", "jti")


def test_a_call_that_went_on_without_the_store_says_so(snapshot: Snapshot) -> None:
    trail = trail_of(snapshot)
    scopes = (Scope("team:t", Limits()),)
    trail.held(Hold("call_1", scopes, 2, 3, 0.0, Standing()))
    assert (intent(trail, 1).scopes, intent(trail, 1).reserved) == (("team:t",), (2, 3))
    assert intent(trail, 1).notes == ()
    trail.held(Hold("call_1", scopes, 2, 3, 0.0, Standing(share=4)))
    assert intent(trail, 1).scopes == ()
    assert intent(trail, 1).notes == ("limits: the store is away: 1/4 of each rate, no budget",)
