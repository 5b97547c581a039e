"""What a call is charged: what the provider says, else what was seen, and nothing for what no provider worked on."""

from __future__ import annotations

import pytest
from tests.scene import chat
from tests.stages.conftest import trail_of

from yett.config.snapshot import Snapshot
from yett.model.call import Call
from yett.model.record import Attempt
from yett.model.usage import Usage
from yett.stages import settle
from yett.stages.record import Trail


def sent(snapshot: Snapshot, *outcomes: str, target: str = "sim/sim-gpt", model: str = "fast") -> Trail:
    trail = trail_of(snapshot)
    trail.call = Call("openai_chat", "InvokeModel", chat("hello").body, model=model)
    trail.target = target
    trail.input_tokens = 30
    trail.attempts = [Attempt(target, outcome) for outcome in outcomes]
    return trail


def test_what_the_provider_reports_is_charged_at_the_targets_price(snapshot: Snapshot) -> None:
    used = settle.used(sent(snapshot, "ok"), Usage(input=10, output=5), 999, 999)
    assert (used.total, used.cost, used.estimated) == (15, 20, False)
    assert used.prices.startswith("own/")
    assert settle.used(sent(snapshot, "ok", target="local/llama"), Usage(input=10, output=5), 0, 0).cost == 0


@pytest.mark.parametrize("outcomes", [(), ("refused",), ("dns", "tls"), ("timeout.connect", "status", "status")])
def test_what_nobody_worked_on_is_free(snapshot: Snapshot, outcomes: tuple[str, ...]) -> None:
    assert settle.used(sent(snapshot, *outcomes), None, 0, 0) == Usage()


@pytest.mark.parametrize("outcome", ["reset", "timeout.first_byte", "truncated", "garbage", "cancelled", "ok"])
def test_what_somebody_may_have_worked_on_is_estimated(snapshot: Snapshot, outcome: str) -> None:
    used = settle.used(sent(snapshot, "refused", outcome), None, 0, 0)
    assert (used.input, used.estimated) == (30, True)
    assert used.cost > 0


def test_what_was_received_counts(snapshot: Snapshot) -> None:
    assert settle.used(sent(snapshot, "ok"), None, 300, 300).output >= 100


def test_nobody_writes_more_than_it_was_told_as_far_as_its_text_can_be_so_short(snapshot: Snapshot) -> None:
    trail = sent(snapshot, "ok")
    trail.told = 70
    assert settle.used(trail, None, 180, 180).output == 61
    assert settle.used(trail, None, 300, 300).output == 70
    assert settle.used(trail, None, 600, 600).output == 100


def test_an_unknown_price_is_no_price(snapshot: Snapshot) -> None:
    used = settle.used(sent(snapshot, "ok", target="sim/unpriced", model="free"), Usage(input=10, output=5), 0, 0)
    assert (used.total, used.cost, used.prices) == (15, 0, "")
    assert settle.used(sent(snapshot, "ok", model="gone"), Usage(input=1), 0, 0).prices == ""
    assert settle.used(trail_of(snapshot), None, 0, 0) == Usage()
