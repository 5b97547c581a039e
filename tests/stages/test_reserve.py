"""The worst that a call can cost, reserved before it leaves."""

from __future__ import annotations

import pytest
from tests.scene import NOW, chat, get
from tests.stages.conftest import Compiled, caller_of, keyed, trail_of

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.call import Inbound
from yett.model.key import Limits
from yett.stages import decide, reserve
from yett.stages.inspect import NOTHING
from yett.stages.tokens import input_tokens
from yett.stages.understand import surface_of
from yett.stores import limits


def worst(snapshot: Snapshot, inbound: Inbound) -> reserve.Worst:
    surface, caller = surface_of(inbound), caller_of(snapshot)
    call = surface.read(surface, inbound, ())
    plan = decide.after_inspection(snapshot, caller, call, NOTHING, NOW, trail_of(snapshot))
    return reserve.worst_case(plan, caller, call)


def test_input_as_counted_output_as_wished(snapshot: Snapshot) -> None:
    inbound = chat("hello", max_tokens=100, n=3)
    found = worst(snapshot, inbound)
    tokens = input_tokens(inbound.body)
    assert (found.input, found.tokens) == (tokens, tokens + 300)
    assert found.cost == tokens + 600  # the dearer of the two targets


def test_a_call_that_wishes_nothing_may_get_the_default(snapshot: Snapshot) -> None:
    found = worst(snapshot, chat("hello"))
    assert found.tokens == found.input + 4096


def test_a_cap_of_policy_is_all_it_can_get(compiled: Compiled) -> None:
    capped = keyed(
        compiled(
            '@id("all") permit (principal, action, resource);'
            '@id("cap") @obligation("cap:max_tokens=9") permit (principal, action, resource);'
        )
    )
    for asked in (None, 5, 500):
        found = worst(capped, chat("hello", max_tokens=asked))
        assert found.tokens - found.input == min(asked or 9, 9)


def test_what_is_added_on_the_way_out_is_input_too(compiled: Compiled) -> None:
    snapshot = keyed(compiled('@id("all") permit (principal, action, resource);'))
    inbound, caller = chat("hello"), caller_of(snapshot)
    surface = surface_of(inbound)
    call = surface.read(surface, inbound, ())
    plan = decide.after_inspection(snapshot, caller, call, NOTHING, NOW, trail_of(snapshot))
    plain, longer = reserve.worst_case(plan, caller, call), reserve.worst_case(plan, caller, call, 300)
    assert (longer.input - plain.input, longer.tokens - plain.tokens) == (101, 101)
    assert longer.cost > plain.cost


def test_scopes_are_those_of_key_team_and_model(snapshot: Snapshot) -> None:
    limited = keyed(snapshot, limits=Limits(rpm=5))
    assert [scope.id for scope in worst(limited, chat("hello")).scopes] == ["key:key_1"]
    listing = worst(limited, get("/v1/models"))
    assert (len(listing.scopes), listing.tokens, listing.cost) == (1, 0, 0)


@pytest.mark.parametrize("fields", [{"n": 10**9}, {"n": 10**9, "max_tokens": 10**9}])
def test_what_the_ledger_cannot_count_is_refused(snapshot: Snapshot, fields: dict[str, int]) -> None:
    with pytest.raises(Refusal) as caught:
        worst(snapshot, chat("hello", **fields))
    assert caught.value.code == "invalid_request"
    assert (reserve.MOST_TOKENS, reserve.MOST_COST) == (limits.MOST_TOKENS, limits.MOST_COST)
