"""Asking policy as facts grow: what refuses at once, what waits, what is remembered, and what binds each target."""

from __future__ import annotations

import json

import pytest
from tests.scene import CONFIGURATION, NOW, chat, get
from tests.stages.conftest import Compiled, caller_of, keyed, trail_of

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.call import Inbound
from yett.model.finding import Finding
from yett.model.segment import Segment
from yett.stages import decide
from yett.stages.decide import Edit, Plan
from yett.stages.inspect import Seen
from yett.stages.record import Trail
from yett.stages.understand import surface_of

ALL = '@id("all") permit (principal, action, resource);'
MAIL = (Finding("pii.email", 0, 0, 5, "email"),)
SECRET = (Finding("secret.github-token", 0, 0, 5, "github"),)


def plan_for(
    snapshot: Snapshot,
    inbound: Inbound,
    findings: tuple[Finding, ...] = (),
    labels: tuple[str, ...] = (),
    trail: Trail | None = None,
) -> Plan:
    """Both passes, as the pipeline makes them."""
    trail = trail or trail_of(snapshot)
    surface, caller = surface_of(inbound), caller_of(snapshot)
    call = surface.read(surface, inbound, labels)
    plan = decide.before_inspection(snapshot, caller, call, NOW, trail)
    if plan is None or findings:
        seen = Seen(findings, (Segment("x", "user", 0),))
        plan = decide.after_inspection(snapshot, caller, call, seen, NOW, trail)
    return plan


def refusal(
    snapshot: Snapshot, inbound: Inbound, *findings: Finding, labels: tuple[str, ...] = (), trail: Trail | None = None
) -> Refusal:
    with pytest.raises(Refusal) as caught:
        plan_for(snapshot, inbound, findings, labels, trail)
    return caught.value


def test_a_plan_is_made_once_for_equal_facts(compiled: Compiled) -> None:
    snapshot = keyed(compiled(ALL))
    first = plan_for(snapshot, chat("hello"))
    assert plan_for(snapshot, chat("other words")) is first
    assert plan_for(snapshot, chat("other words"), MAIL) is not first
    assert plan_for(snapshot, chat("hello", stream=True)) is not first
    assert plan_for(snapshot, chat("hello"), labels=("x",)) is not first
    assert plan_for(keyed(snapshot), chat("hello")) is not first  # keys were exchanged


def test_a_plan_that_is_remembered_is_not_used_for_another_text(compiled: Compiled) -> None:
    forbid = '@id("no-mail") forbid (principal, action, resource) when { context.findings.contains("pii") };'
    snapshot = keyed(compiled(ALL + forbid))
    assert plan_for(snapshot, chat("hello")).verdict == "allow"
    trail = trail_of(snapshot)
    refused = refusal(snapshot, chat("hello"), *MAIL, trail=trail)
    assert (refused.code, refused.policies, str(refused)) == (
        "content_blocked",
        ("no-mail",),
        "Refused by policy no-mail.",
    )
    assert [(count.kind, count.action) for count in trail.findings] == [("pii.email", "blocked")]
    assert json.loads(bytes(trail.facts))["findings"] == ["pii", "pii.email", "pii@user"]


def test_what_no_finding_can_change_is_refused_before_inspection(compiled: Compiled) -> None:
    snapshot = keyed(compiled(ALL + '@id("no") forbid (principal, action, resource) when { context.stream };'))
    surface, caller = surface_of(chat("x")), caller_of(snapshot)
    call = surface.read(surface, chat("x", stream=True), ())
    trail = trail_of(snapshot)
    with pytest.raises(Refusal) as caught:
        decide.before_inspection(snapshot, caller, call, NOW, trail)
    assert caught.value.code == "policy_denied"
    assert json.loads(bytes(trail.facts))["inspected"] is False
    assert decide.before_inspection(snapshot, caller, surface.read(surface, chat("x"), ()), NOW, trail) is None


def test_nothing_permits_what_no_policy_permits(compiled: Compiled) -> None:
    refused = refusal(
        keyed(compiled('@id("list") permit (principal, action == Action::"ListModel", resource);')), chat("x")
    )
    assert (refused.code, str(refused), refused.policies) == ("policy_denied", "No policy permits this call.", ())


def test_an_evaluation_error_refuses(compiled: Compiled) -> None:
    broken = '@id("broken") permit (principal, action, resource) when { context.max_tokens * 9223372036854775807 > 0 };'
    trail = trail_of(compiled(ALL + broken))
    refused = refusal(keyed(compiled(ALL + broken)), chat("x", max_tokens=9), trail=trail)
    assert refused.code == "policy_error"
    assert trail.decision is not None
    assert trail.decision.errors


def test_a_model_has_to_exist_and_to_be_on_the_lists(compiled: Compiled) -> None:
    snapshot = keyed(compiled(ALL), models=("free",))
    assert refusal(snapshot, chat("x", model="nope")).code == "model_not_found"
    assert refusal(snapshot, chat("x")).code == "policy_denied"
    assert plan_for(snapshot, chat("x", model="free")).verdict == "allow"
    assert plan_for(snapshot, get("/v1/models")).listed == ("free",)
    team = CONFIGURATION.replace("[teams.research]", '[teams.research]\nmodels = ["fast"]')
    assert plan_for(keyed(compiled(ALL, team)), get("/v1/models")).listed == ("fast",)
    assert refusal(keyed(compiled(ALL, team)), chat("x", model="free")).code == "policy_denied"


def test_observing_lifts_policies_and_not_lists(compiled: Compiled) -> None:
    observing = CONFIGURATION.replace("[gateway]", 'mode = "observe"\n[gateway]')
    snapshot = keyed(compiled(ALL + '@id("no") forbid (principal, action, resource);', observing), models=("free",))
    plan = plan_for(snapshot, chat("x", model="free"))
    assert (plan.verdict, plan.decision.observed, plan.obligations) == ("observe", ("no",), ())
    assert refusal(snapshot, chat("x")).code == "policy_denied"
    assert plan_for(snapshot, get("/v1/models")).listed == ("free",)


def test_obligations_bind_each_target_by_itself(compiled: Compiled) -> None:
    policies = ALL + (
        '@id("away") @obligation("redact:pii, cap:max_tokens=50") permit (principal, action == Action::"InvokeModel", resource)'
        ' when { resource.provider.labels.contains("external") };'
    )
    snapshot = keyed(compiled(policies))
    plan = plan_for(snapshot, chat("x", max_tokens=80, stream=True))
    assert plan.edits == {
        "sim/sim-gpt": Edit("sim-gpt", 50, include_usage=True, redact=("pii",)),
        "local/llama": Edit("llama", 0, include_usage=True, redact=()),
    }
    assert plan.obligations == ("cap:max_tokens=50", "redact:pii")
    assert [target.id for target in plan.targets] == ["sim/sim-gpt", "local/llama"]
    asked = plan_for(snapshot, chat("x", max_tokens=20, stream=True, stream_options={"include_usage": True}))
    assert asked.edits["sim/sim-gpt"] == Edit("sim-gpt", 0, include_usage=False, redact=("pii",))


def test_a_configured_limit_is_sent_when_nothing_was_asked(compiled: Compiled) -> None:
    limited = CONFIGURATION.replace('unknown_price = "flag"', 'unknown_price = "flag"\nmax_output_tokens = 77')
    snapshot = keyed(compiled(ALL, limited))
    assert plan_for(snapshot, chat("x", model="free")).edits["sim/unpriced"].cap == 77
    assert plan_for(snapshot, chat("x", model="free", max_tokens=5)).edits["sim/unpriced"].cap == 0


def test_targets_without_a_price_are_left_out(compiled: Compiled) -> None:
    half = CONFIGURATION.replace('[prices."local/llama"]\ninput_usd_per_mtok = 0\noutput_usd_per_mtok = 0\n', "")
    assert [target.id for target in plan_for(keyed(compiled(ALL, half)), chat("x")).targets] == ["sim/sim-gpt"]
    none = CONFIGURATION.replace('unknown_price = "flag"', 'unknown_price = "refuse"')
    trail = trail_of(compiled(ALL, none))
    assert refusal(keyed(compiled(ALL, none)), chat("x", model="free"), trail=trail).code == "unknown_price"
    assert trail.decision is not None
    assert trail.decision.policies == ("all",)


def test_labels_in_the_text_are_facts(compiled: Compiled) -> None:
    home = '@id("home") @obligation("route:on-prem") permit (principal, action, resource) when { context.labels.contains("restricted") };'
    snapshot = keyed(compiled(ALL + home))
    marked = (Finding("label.restricted", 0, 0, 5, "marking"),)
    assert [target.id for target in plan_for(snapshot, chat("x"), marked).targets] == ["local/llama"]
    assert [target.id for target in plan_for(snapshot, chat("x"), labels=("restricted",)).targets] == ["local/llama"]
    assert len(plan_for(snapshot, chat("x")).targets) == 2


def test_what_follows_from_a_plan_is_on_the_trail(compiled: Compiled) -> None:
    snapshot = keyed(compiled(ALL))
    trail, plan = trail_of(snapshot), plan_for(snapshot, chat("x"), labels=("a",))
    decide.follow(plan, trail)
    assert (trail.verdict, trail.labels, trail.decision) == ("allow", ("a",), plan.decision)
    assert json.loads(bytes(trail.facts))["candidates"]


RELEASE = ALL + (
    '@id("no-mail") @advice("No addresses.") forbid (principal, action == Action::"ReleaseReply", resource)'
    ' when { context.findings.contains("pii") };'
    '@id("cut-secrets") @obligation("redact:secret") permit (principal, action == Action::"ReleaseReply", resource)'
    ' when { context.findings.contains("secret") };'
)


def test_replies_are_judged_by_what_is_in_them(compiled: Compiled) -> None:
    snapshot = keyed(compiled(RELEASE))
    plan, trail = plan_for(snapshot, chat("x")), trail_of(snapshot)
    target = plan.targets[0]
    assert decide.judge_reply(plan, trail, target, frozenset()) == ()
    assert decide.judge_reply(plan, trail, target, frozenset({"secret", "secret.x"})) == ("secret",)
    assert trail.decision is not None
    assert trail.decision.policies == ("all", "cut-secrets")
    for _ in range(2):  # the second time from memory
        with pytest.raises(Refusal) as caught:
            decide.judge_reply(plan, trail, target, frozenset({"pii", "pii.email"}))
        assert (caught.value.code, str(caught.value)) == ("reply_blocked", "No addresses.")
        assert caught.value.policies == ("no-mail",)


def test_what_is_remembered_of_replies_is_bounded(compiled: Compiled) -> None:
    snapshot = keyed(compiled(RELEASE))
    plan, trail = plan_for(snapshot, chat("x")), trail_of(snapshot)
    for number in range(1000):
        decide.judge_reply(plan, trail, plan.targets[0], frozenset({f"x.{number}"}))
    assert len(plan.rulings) < 200


def test_an_error_about_a_reply_refuses_it(compiled: Compiled) -> None:
    broken = '@id("b") forbid (principal, action == Action::"ReleaseReply", resource) when { context.max_tokens * 9223372036854775807 > 9 };'
    snapshot = keyed(compiled(ALL + broken))
    plan = plan_for(snapshot, chat("x", max_tokens=9))
    with pytest.raises(Refusal) as caught:
        decide.judge_reply(plan, trail_of(snapshot), plan.targets[0], frozenset())
    assert caught.value.code == "policy_error"
