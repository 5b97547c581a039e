"""Scenes of targets and keys that fail, cool down, are probed and come back. Time is a number."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.config.settings import RoutingSettings
from yett.model.route import Provider, Secret, Target, Timeouts
from yett.stages.health import LONGEST, LONGEST_KEY, PROBE_LEASE, WINDOW, WINDOW_MINIMUM, Health

ROUTING = RoutingSettings(breaker_failures=3, cooldown=15.0, key_cooldown=60.0, backoff=0.25)


def provider(name: str = "p", keys: int = 0) -> Provider:
    secrets = tuple(Secret(f"sk-{name}-{number}") for number in range(keys))
    return Provider(name, "openai", f"http://{name}.test/v1", (), secrets, Timeouts())


def target(name: str, *, weight: int = 1, priority: int = 0, keys: int = 0) -> Target:
    return Target(f"{name}/m", provider(name, keys), "m", weight, priority)


def ids(health: Health, targets: list[Target], roll: float = 0.0, now: float = 0.0) -> list[str]:
    return [each.provider.id for each in health.order(targets, roll, now)]


def fail(health: Health, failing: Target, now: float, times: int = 3, outcome: str = "reset") -> None:
    for _ in range(times):
        health.report(failing, None, outcome, 0, 0.0, now)


def state(health: Health, name: str, now: float) -> str:
    return next(each.state for each in health.targets(now) if each.id == f"{name}/m")


# ---- order ----


def test_lower_priority_numbers_go_first() -> None:
    assert ids(Health(ROUTING), [target("c", priority=2), target("a"), target("b", priority=1)]) == ["a", "b", "c"]


def test_equal_priorities_share_by_weight() -> None:
    health = Health(ROUTING)
    targets = [target("a", weight=6), target("b", weight=3), target("c", weight=1), target("z", priority=1)]
    orders = Counter(tuple(ids(health, targets, (draw + 0.5) / 10_000)) for draw in range(10_000))
    assert {order[-1] for order in orders} == {"z"}
    first = Counter[str]()
    for order, count in orders.items():
        first[order[0]] += count
    assert first == {"a": 6000, "b": 3000, "c": 1000}
    # The second is drawn by weight too: of the 6000 that begin with a, 3 in 4 go on with b.
    assert sum(count for order, count in orders.items() if order[:2] == ("a", "b")) == pytest.approx(4500, abs=2)


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 3)), max_size=8),
    st.floats(0, 1, exclude_max=True),
)
def test_every_target_comes_once(shapes: list[tuple[int, int]], roll: float) -> None:
    targets = [target(str(place), weight=w, priority=p) for place, (w, p) in enumerate(shapes)]
    ordered = list(Health(ROUTING).order(targets, roll, 0.0))
    assert sorted(ordered, key=lambda each: each.id) == sorted(targets, key=lambda each: each.id)
    assert [each.priority for each in ordered] == sorted(each.priority for each in targets)


# ---- the breaker ----


def test_failures_in_a_row_open_and_the_cool_down_admits_one_probe() -> None:
    health, a, b = Health(ROUTING), target("a"), target("b", priority=1)
    fail(health, a, 100.0, times=2)
    assert ids(health, [a, b], now=100.0) == ["a", "b"]
    fail(health, a, 100.0, times=1)
    assert ids(health, [a, b], now=114.9) == ["b"]
    assert health.available_in([a], 105.0) == 10.0
    assert health.available_in([a, b], 105.0) == 0.0
    assert state(health, "a", 114.9) == "open"
    assert ids(health, [a, b], now=115.0) == ["a", "b"]  # the probe
    assert state(health, "a", 115.0) == "half_open"
    assert ids(health, [a, b], now=115.0) == ["b"]  # nobody else
    assert health.available_in([a], 115.0) == 1.0
    health.report(a, None, "ok", 200, 0.0, 116.0)
    assert ids(health, [a, b], now=116.0) == ["a", "b"]
    assert ids(health, [a, b], now=116.0) == ["a", "b"]
    assert state(health, "a", 116.0) == "ok"


def test_a_success_between_failures_starts_the_row_again() -> None:
    health, a = Health(ROUTING), target("a")
    for _ in range(5):
        fail(health, a, 0.0, times=2)
        health.report(a, None, "ok", 200, 0.0, 0.0)
    assert ids(health, [a]) == ["a"]


def test_the_cool_down_doubles_up_to_its_cap() -> None:
    health, a, now = Health(ROUTING), target("a"), 0.0
    fail(health, a, now)
    waits = []
    for _ in range(10):
        waits.append(health.available_in([a], now))
        now += waits[-1]
        assert ids(health, [a], now=now) == ["a"]
        fail(health, a, now, times=1)
    assert waits[:4] == [15.0, 30.0, 60.0, 120.0]
    assert waits[-1] == LONGEST
    now += LONGEST
    assert ids(health, [a], now=now) == ["a"]
    health.report(a, None, "ok", 200, 0.0, now)
    fail(health, a, now)
    assert health.available_in([a], now) == 15.0  # a success starts over


def test_half_of_a_window_opens_although_no_row_is_long() -> None:
    health, a = Health(ROUTING), target("a")
    for place in range(WINDOW_MINIMUM // 2):
        assert ids(health, [a]) == ["a"]
        health.report(a, None, "ok", 200, 0.0, float(place))
        fail(health, a, float(place), times=1)
    assert ids(health, [a], now=12.0) == []


def test_an_old_window_is_forgotten() -> None:
    health, a = Health(ROUTING), target("a")
    for place in range(WINDOW_MINIMUM // 2 - 1):
        health.report(a, None, "ok", 200, 0.0, float(place))
        fail(health, a, float(place), times=1)
    health.report(a, None, "ok", 200, 0.0, 3 * WINDOW)
    fail(health, a, 3 * WINDOW, times=1)
    assert ids(health, [a], now=3 * WINDOW) == ["a"]


def test_the_window_before_still_counts() -> None:
    health, a = Health(ROUTING), target("a")
    for _ in range(WINDOW_MINIMUM // 2 - 1):
        health.report(a, None, "ok", 200, 0.0, 1.0)
        fail(health, a, 1.0, times=1)
    health.report(a, None, "ok", 200, 0.0, WINDOW + 1)
    fail(health, a, WINDOW + 1, times=1)
    assert ids(health, [a], now=WINDOW + 1) == []


def test_calls_that_were_under_way_when_it_opened_change_nothing() -> None:
    health, a = Health(ROUTING), target("a")
    fail(health, a, 0.0, times=10)
    health.report(a, None, "ok", 200, 0.0, 1.0)
    assert health.available_in([a], 0.0) == 15.0


@pytest.mark.parametrize("outcome", ["cancelled", "too_large", "no_disk"])
def test_what_says_nothing_about_the_target_gives_the_probe_back(outcome: str) -> None:
    health, a = Health(ROUTING), target("a")
    fail(health, a, 0.0)
    assert ids(health, [a], now=15.0) == ["a"]
    assert ids(health, [a], now=15.0) == []
    health.report(a, None, outcome, 200, 0.0, 15.0)
    assert ids(health, [a], now=15.0) == ["a"]


def test_a_probe_that_is_never_reported_does_not_keep_others_out_for_ever() -> None:
    health, a = Health(ROUTING), target("a")
    fail(health, a, 0.0)
    assert ids(health, [a], now=15.0) == ["a"]
    assert ids(health, [a], now=15.0 + PROBE_LEASE - 0.1) == []
    assert ids(health, [a], now=15.0 + PROBE_LEASE) == ["a"]


def test_a_probe_is_lent_only_when_its_turn_comes() -> None:
    health, a, b = Health(ROUTING), target("a"), target("b", priority=1)
    fail(health, b, 0.0)
    turns = health.order([a, b], 0.0, 15.0)
    assert next(turns) is a  # it served the call: nobody asked for b
    assert ids(health, [b], now=15.0) == ["b"]
    assert list(turns) == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_the_callers_mistakes_do_not_count(status: int) -> None:
    health, a = Health(ROUTING), target("a")
    for _ in range(50):
        health.report(a, None, "status", status, 0.0, 0.0)
    assert ids(health, [a]) == ["a"]


@pytest.mark.parametrize("status", [403, 404, 408, 429, 500, 503])
def test_statuses_that_count(status: int) -> None:
    health, a = Health(ROUTING), target("a")
    for _ in range(3):
        health.report(a, None, "status", status, 0.0, 0.0)
    assert ids(health, [a]) == []


def test_retry_after_is_kept_to_exactly_and_within_reason() -> None:
    health, a = Health(ROUTING), target("a")
    health.report(a, None, "status", 503, 7.0, 0.0)
    assert ids(health, [a], now=6.9) == []
    assert health.available_in([a], 5.0) == 2.0
    assert state(health, "a", 5.0) == "open"
    assert ids(health, [a], now=7.0) == ["a"]
    assert ids(health, [a], now=7.0) == ["a"]  # it was not broken, so there is no probe
    health.report(a, None, "status", 503, 1e9, 7.0)
    assert health.available_in([a], 7.0) == LONGEST


# ---- keys ----


def take(health: Health, owner: Target, now: float) -> str:
    key = health.key(owner.provider, now)
    return key.label if key else ""


def test_keys_take_turns() -> None:
    health, a = Health(ROUTING), target("a", keys=3)
    assert [take(health, a, 0.0) for _ in range(4)] == ["1/3", "2/3", "3/3", "1/3"]
    assert take(health, target("b"), 0.0) == ""
    assert "sk-" not in repr(health.key(a.provider, 0.0))


def test_a_refused_key_is_set_aside_and_comes_back_on_probation() -> None:
    health, a = Health(ROUTING), target("a", keys=2)
    key = health.key(a.provider, 0.0)
    health.report(a, key, "status", 401, 0.0, 0.0)
    assert [take(health, a, 59.0) for _ in range(3)] == ["2/2"] * 3
    assert [(each.label, each.state, each.seconds) for each in health.keys(59.0)] == [
        ("1/2", "set_aside", 1.0),
        ("2/2", "ok", 0.0),
    ]
    assert [take(health, a, 60.0) for _ in range(3)] == ["1/2", "2/2", "2/2"]  # one call tries it
    assert health.keys(60.0)[0].state == "probation"
    health.report(a, key, "ok", 200, 0.0, 61.0)
    assert [take(health, a, 61.0) for _ in range(2)] == ["1/2", "2/2"]
    assert ids(health, [a], now=61.0) == ["a"]  # none of it was the target's fault


def test_a_key_that_stays_refused_is_set_aside_for_longer() -> None:
    health, a, now, waits = Health(ROUTING), target("a", keys=1), 0.0, []
    for _ in range(8):
        key = health.key(a.provider, now)
        assert key is not None
        health.report(a, key, "status", 401, 0.0, now)
        waits.append(health.available_in([a], now))
        now += waits[-1]
    assert waits[:3] == [60.0, 120.0, 240.0]
    assert waits[-1] == LONGEST_KEY


def test_a_rate_limited_key_honours_retry_after_else_backs_off() -> None:
    health, a = Health(ROUTING), target("a", keys=1)
    key = health.key(a.provider, 0.0)
    health.report(a, key, "status", 429, 12.0, 0.0)
    assert take(health, a, 11.9) == ""
    assert ids(health, [a], now=11.9) == []  # a target without a key is not worth an attempt
    assert ids(health, [a], now=12.0) == ["a"]
    assert take(health, a, 12.0) == "1/1"
    health.report(a, key, "ok", 200, 0.0, 12.0)
    waits, now = [], 12.0
    for _ in range(10):
        assert take(health, a, now) == "1/1"
        health.report(a, key, "status", 429, 0.0, now)
        waits.append(health.available_in([a], now))
        now += waits[-1]
    assert waits[:3] == [0.25, 0.5, 1.0]
    assert waits[-1] == 60.0


def test_many_calls_that_are_limited_together_count_once() -> None:
    health, a = Health(ROUTING), target("a", keys=1)
    key = health.key(a.provider, 0.0)
    for _ in range(20):
        health.report(a, key, "status", 429, 0.0, 0.0)
    assert health.available_in([a], 0.0) == 0.25
    health.report(a, key, "status", 429, 3.0, 0.0)
    assert health.available_in([a], 0.0) == 3.0
    health.report(a, key, "status", 401, 0.0, 0.0)
    assert health.available_in([a], 0.0) == 120.0
    health.report(a, key, "ok", 200, 0.0, 0.0)  # began before
    assert health.available_in([a], 0.0) == 120.0


@pytest.mark.parametrize(("outcome", "status"), [("reset", 0), ("status", 500), ("cancelled", 0)])
def test_a_probation_that_says_nothing_about_the_key_goes_on(outcome: str, status: int) -> None:
    health, a = Health(ROUTING), target("a", keys=1)
    key = health.key(a.provider, 0.0)
    health.report(a, key, "status", 401, 0.0, 0.0)
    assert take(health, a, 60.0) == "1/1"
    assert take(health, a, 60.0) == ""
    health.report(a, key, outcome, status, 0.0, 60.0)
    assert health.keys(60.0)[0].state == "probation"
    assert take(health, a, 60.0) == "1/1"


# ---- reload ----


def test_a_reload_keeps_what_is_still_configured() -> None:
    health, a, b = Health(ROUTING), target("a", keys=2), target("b")
    health.report(a, health.key(a.provider, 0.0), "status", 401, 0.0, 0.0)
    fail(health, b, 0.0)
    fail(health, target("gone"), 0.0)
    health.key(provider("gone", 1), 0.0)
    # The same keys in another order, in new objects, and one more.
    secrets = (Secret("sk-a-2"), Secret("sk-a-1"), Secret("sk-a-0"))
    again = Target("a/m", Provider("a", "openai", "http://a.test/v2", (), secrets, Timeouts()), "m")
    health.configure(RoutingSettings(breaker_failures=1, cooldown=1.0), [again, target("b")])
    assert [each.state for each in health.keys(1.0)] == ["ok", "ok", "set_aside"]
    assert [each.id for each in health.targets(1.0)] == ["a/m", "b/m"]
    assert ids(health, [again, b], now=1.0) == ["a"]
    fail(health, again, 1.0, times=1)
    assert health.available_in([again], 1.0) == 1.0  # by the new rules


def test_a_replaced_key_starts_afresh_without_any_announcement() -> None:
    health, a = Health(ROUTING), target("a", keys=1)
    old = health.key(a.provider, 0.0)
    health.report(a, old, "status", 401, 0.0, 0.0)
    rotated = Target("a/m", Provider("a", "openai", "http://a.test/v1", (), (Secret("new"),), Timeouts()), "m")
    assert ids(health, [rotated]) == ["a"]
    assert take(health, rotated, 0.0) == "1/1"
    health.report(rotated, old, "status", 401, 0.0, 0.0)  # a late answer about the old one
    assert take(health, rotated, 0.0) == "1/1"


def test_nothing_known_is_nothing_wrong() -> None:
    health = Health(ROUTING)
    assert health.available_in([], 0.0) == 0.0
    assert health.available_in([target("a")], 0.0) == 0.0
    assert health.targets(0.0) == ()
    assert list(health.order([], 0.5, 0.0)) == []


def test_keys_that_were_answered_429_are_told_from_other_trouble() -> None:
    health, a, b = Health(ROUTING), target("a", keys=2), target("b", keys=1)
    assert not health.throttled([], 0.0)
    assert not health.throttled([a], 0.0)
    for status in (429, 401):
        health.report(a, health.key(a.provider, 0.0), "status", status, 5.0, 0.0)
    assert health.throttled([a], 1.0)
    assert not health.throttled([a, b], 1.0)  # b may be tried
    health.report(b, health.key(b.provider, 0.0), "status", 401, 0.0, 0.0)
    assert not health.throttled([a, b], 1.0)  # b's key is refused, not throttled
    assert not health.throttled([target("c")], 0.0)
    fail(health, a, 1.0)
    assert not health.throttled([a], 1.0)
