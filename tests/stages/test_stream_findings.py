"""What is found in a stream: put to policy when it is new, counted in every case."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.stages.conftest import Compiled, trail_of

from yett.detectors.suppress import Suppression
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.stages.evidence import Witness
from yett.stages.stream_findings import StreamFindings, suppressed_by
from yett.stages.watch import LEAK, TAINT

TEXT = "write to ada@example.org"
MAIL = Finding("pii.email", 0, 9, len(TEXT), "email")
KEY = Finding("secret.github-token", 0, 0, 5, "github-token")


class Policy:
    """Redacts `selectors`, refuses `forbidden`, and remembers what it was asked."""

    def __init__(self, *selectors: str, forbidden: str = "") -> None:
        self.selectors = selectors
        self.forbidden = forbidden
        self.asked: list[frozenset[str]] = []

    def __call__(self, kinds: frozenset[str]) -> tuple[str, ...]:
        self.asked.append(kinds)
        if self.forbidden in kinds:
            raise Refusal("reply_blocked")
        return self.selectors


def test_policy_is_asked_again_only_for_a_new_kind_or_another_place() -> None:
    policy = Policy("pii")
    found = StreamFindings(policy)
    assert found.to_redact(MAIL, TEXT, "assistant", 0)
    assert found.to_redact(MAIL, TEXT, "assistant", 40)
    assert not found.to_redact(KEY, TEXT, "assistant", 80)
    assert found.to_redact(MAIL, TEXT, "arguments", 0)
    assert [sorted(kinds) for kinds in policy.asked] == [
        ["pii", "pii.email", "pii@assistant"],
        ["pii", "pii.email", "pii@assistant", "secret", "secret.github-token", "secret@assistant"],
        ["pii", "pii.email", "pii@arguments", "pii@assistant", "secret", "secret.github-token", "secret@assistant"],
    ]
    assert found.kinds == policy.asked[-1]
    assert found.counted == {("pii.email", "redacted"): 3, ("secret.github-token", "noted"): 1}


def test_what_policy_does_not_release_is_counted_as_blocked() -> None:
    found = StreamFindings(Policy(forbidden="pii"))
    with pytest.raises(Refusal) as caught:
        found.to_redact(MAIL, TEXT, "assistant", 0)
    assert caught.value.code == "reply_blocked"
    assert found.counted == {("pii.email", "blocked"): 1}


def test_what_is_suppressed_is_neither_put_to_policy_nor_taken_down(compiled: Compiled) -> None:
    policy, witness = Policy("pii"), Witness(compiled(), "acme", "reply")
    found = StreamFindings(policy, lambda finding, text, role: "ours" if finding is MAIL else "", witness)
    assert not found.to_redact(MAIL, TEXT, "assistant", 0)
    assert (policy.asked, witness.listed, found.suppressed) == ([], [], {"ours": 1})
    found.to_redact(KEY, TEXT, "assistant", 7)
    assert [(each.kind, each.start, each.role) for each in witness.listed] == [("secret.github-token", 7, "assistant")]


def test_what_the_whole_answer_says_is_noted_or_ends_it(compiled: Compiled) -> None:
    witness = Witness(compiled(), "acme", "reply")
    policy = Policy(TAINT)
    found = StreamFindings(policy, witness=witness)
    found.notice([LEAK])
    with pytest.raises(Refusal, match="cannot be cut out"):
        found.notice([TAINT])
    assert found.counted == {(LEAK, "noted"): 1, (TAINT, "blocked"): 1}
    assert [(each.kind, each.detector) for each in witness.listed] == [(LEAK, "system-prompt"), (TAINT, "taint")]
    assert {"exfiltration@assistant", "exfiltration@arguments"} <= found.kinds


def test_nothing_is_taken_down_where_nothing_is_kept() -> None:
    found = StreamFindings(Policy("pii"))
    found.notice([LEAK])
    assert found.to_redact(MAIL, TEXT, "assistant", 0)
    assert found.counted == {(LEAK, "noted"): 1, ("pii.email", "redacted"): 1}


def test_only_a_suppression_in_force_is_asked(compiled: Compiled) -> None:
    trail = trail_of(compiled())
    assert suppressed_by(trail.snapshot, trail) is None
    ours = Suppression("ours", ("pii.email",), until=100.0, roles=("assistant",))
    snapshot = replace(trail.snapshot, suppressions=(ours,))
    trail.now = 100.0
    assert suppressed_by(snapshot, trail) is None
    trail.now = 99.0
    suppressed = suppressed_by(snapshot, trail)
    assert suppressed is not None
    assert suppressed(MAIL, TEXT, "assistant") == "ours"
    assert suppressed(MAIL, TEXT, "arguments") == ""
    assert suppressed(KEY, TEXT, "assistant") == ""
