"""Who is fenced off is refused, and told what was revoked but not why."""

from __future__ import annotations

import pytest

from yett.errors import Refusal
from yett.model.caller import Credential
from yett.model.fence import Fence, by_name
from yett.stages.fence import check

NAMES = ("tenant:default", "team:default/research", "key:key_1", "user:default/ada")
TEAM = Fence("team:default/research", 3, since=100, reason="the audit of May")
SESSIONS = Fence("user:default/ada", 4, since=100, sessions=True)


def held(issued: int) -> Credential:
    return Credential("oidc", "jti-1", issued=issued, fences=NAMES)


def refused(*fences: Fence, issued: int = 50, now: float = 200.0) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(by_name(fences), held(issued), now)
    return caught.value


def test_nobody_is_kept_out_without_a_fence() -> None:
    check({}, held(0), 200.0)
    check(by_name((Fence("team:other/research", 1, 0), Fence("user:default/adam", 2, 0))), held(0), 200.0)


def test_a_fence_refuses_and_is_named_for_the_record() -> None:
    refusal = refused(TEAM)
    assert (refusal.code, refusal.fence) == ("fenced", "team:default/research#3")
    assert str(refusal) == "Access was revoked for this team."


def test_who_signs_in_again_is_let_in() -> None:
    refusal = refused(SESSIONS)
    assert (refusal.code, refusal.fence) == ("session_revoked", "user:default/ada#4")
    check(by_name((SESSIONS,)), held(101), 200.0)


def test_signing_in_again_is_advised_only_where_it_helps() -> None:
    tenant = Fence("tenant:default", 5, since=150, sessions=True)
    assert refused(SESSIONS, tenant).fence == "tenant:default#5", "the first of those that it would help with"
    late = Fence("user:default/ada", 6, since=160)
    assert refused(tenant, SESSIONS, late).code == "fenced"


def test_a_task_is_fenced_off_by_itself() -> None:
    fences = by_name((Fence("task:default/task_1", 7, since=100),))
    check(fences, held(0), 200.0, "task:default/task_2")
    with pytest.raises(Refusal, match="this task"):
        check(fences, held(0), 200.0, "task:default/task_1")
