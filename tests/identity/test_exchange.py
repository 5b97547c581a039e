"""Task tokens only ever narrow: scope, life, budget, depth; and they say who acts for whom."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from yett.errors import Refusal
from yett.identity.exchange import CERTIFICATE, TaskClaims, Terms, Wish, caller, may_act, narrowed, read
from yett.identity.exchange import KEY as KEY_OF
from yett.identity.issuer import Issuer, Source, Workload, by_url
from yett.model.caller import Actor, Caller, Credential
from yett.model.fence import Fence
from yett.model.key import Budget, Limits

NOW = 1_000_000


def somebody(id: str, *models: str, expires: int = 0, tenant: str = "default", **fields: Any) -> Caller:
    kind = "oidc" if expires else "key"
    origins = ("https://idp.example",) if expires else ()
    credential = Credential(kind, id, expires=expires, models=models, fences=(f"user:{tenant}/{id}",), origins=origins)
    return Caller(id, id, "research", tenant, (("env", "prod"),), credential, id, **fields)


ADA = somebody("corp/ada", "fast", "smart", expires=NOW + 200, assurance=2, kind="user")
BOT = somebody("spiffe://example.org/bot", "fast", "tiny", expires=NOW + 90, assurance=3, kind="agent")
KEY = somebody("key_1")


def terms(id: str = "task_1", **more: Any) -> Terms:
    return replace(Terms("https://yett.example", 300, 4, id, NOW), **more)


NO_WISH = Wish()


def token(subject: Caller, actor: Caller | None = None, wish: Wish = NO_WISH, **more: Any) -> TaskClaims:
    return narrowed(subject, actor or subject, wish, terms(**more))


def holder(claims: TaskClaims) -> Caller:
    """Who comes with such a token."""
    return caller(read({**msgspec.to_builtins(claims), "new": 1}), "like", {})


def code(*arguments: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as caught:
        token(*arguments, **more)
    return caught.value.code


def test_a_first_token() -> None:
    claims = token(ADA, wish=Wish(purpose="report"))
    assert (claims.sub, claims.jti, claims.txn, claims.dep, claims.act) == ("corp/ada", "task_1", "task_1", 0, None)
    assert (claims.iat, claims.exp, claims.scope, claims.tctx) == (
        NOW,
        NOW + 200,
        "m:fast m:smart",
        {"purpose": "report"},
    )
    found = holder(claims)
    assert (found.id, found.team, found.kind, found.assurance, found.labels) == (
        "corp/ada",
        "research",
        "user",
        2,
        ADA.labels,
    )
    assert (found.credential.kind, found.credential.models) == ("task", ("fast", "smart"))
    assert found.credential.origins == ("https://idp.example",)
    assert found.credential.fences == ("user:default/corp/ada", "task:default/task_1")


def test_whoever_acts_is_put_in_front() -> None:
    first = holder(token(ADA, BOT))
    claims = token(first, KEY, id="task_2")
    assert claims.act == {"sub": "key_1", "act": {"sub": "spiffe://example.org/bot"}}
    assert (claims.sub, claims.txn, claims.jti, claims.dep) == ("corp/ada", "task_1", "task_2", 1)
    assert claims.src == ("https://idp.example", "key:key_1")
    found = holder(claims)
    assert found.credential.delegation is not None
    assert found.credential.delegation.actors == ("key_1", "spiffe://example.org/bot")
    # an actor that itself comes with a task token is whoever acts in it
    third = token(ADA, found, id="task_3")
    assert third.act == {"sub": "key_1"}
    assert token(ADA, holder(token(BOT)), id="task_4").act == {"sub": "spiffe://example.org/bot"}
    assert third.dep == 2


def test_scope_is_what_both_may_use() -> None:
    assert token(ADA, BOT).scope == "m:fast"
    assert token(KEY).scope == ""
    assert token(KEY, wish=Wish(("m:x", "m:a"))).scope == "m:a m:x"
    assert token(ADA, wish=Wish(("m:smart",))).scope == "m:smart"
    assert code(ADA, BOT, Wish(("m:smart",))) == "invalid_scope"
    assert code(ADA, None, Wish(("t:tool",))) == "invalid_scope"
    assert code(ADA, None, Wish(("m:",))) == "invalid_scope"
    assert code(ADA, somebody("x", "other")) == "invalid_scope"
    narrow = holder(token(ADA, wish=Wish(("m:smart",))))
    assert code(narrow, None, Wish(("m:fast",))) == "invalid_scope"
    assert token(narrow).scope == "m:smart"


def test_it_ends_before_what_it_was_exchanged_for() -> None:
    assert token(KEY).exp == NOW + 300
    assert token(KEY, wish=Wish(seconds=20)).exp == NOW + 20
    assert token(KEY, wish=Wish(seconds=9999)).exp == NOW + 300
    assert token(ADA, BOT).exp == NOW + 90
    assert token(holder(token(KEY, wish=Wish(seconds=20)))).exp == NOW + 20
    assert code(ADA, now=NOW + 200) == "expired_token"


def test_budgets_of_all_tokens_above_go_on_counting() -> None:
    first = token(KEY, wish=Wish(budget=500))
    second = token(holder(first), wish=Wish(budget=100), id="task_2")
    assert first.bud == (("token:task_1", 500),)
    assert second.bud == (("token:task_1", 500), ("token:task_2", 100))
    found = caller(second, "like", {"key:key_1": Limits(rpm=5)})
    assert found.credential.limits == (
        ("key:key_1", Limits(rpm=5)),
        ("token:task_1", Limits(budget=Budget(500, "ever"))),
        ("token:task_2", Limits(budget=Budget(100, "ever"))),
    )
    assert token(ADA, holder(first)).bud == first.bud  # who acts under a budget does so for others, too


def test_depth_is_bounded() -> None:
    current = holder(token(KEY))
    for depth in range(1, 5):
        current = holder(token(current, ADA if depth % 2 else BOT))
        assert current.credential.delegation is not None
        assert current.credential.delegation.depth == depth
    assert code(current) == "delegation_too_deep"
    assert code(KEY, holder(token(KEY)), depth=0) == "delegation_too_deep"
    many = replace(KEY, credential=replace(KEY.credential, origins=tuple(map(str, range(33)))))
    assert code(many) == "delegation_too_deep"


def test_context_and_tenant_do_not_change() -> None:
    first = holder(token(KEY, wish=Wish(purpose="report")))
    assert token(first, wish=Wish(purpose="report")).tctx == token(first).tctx == {"purpose": "report"}
    assert code(first, None, Wish(purpose="payment")) == "invalid_request"
    assert code(holder(token(KEY)), None, Wish(purpose="payment")) == "invalid_request"
    assert code(ADA, somebody("spy", tenant="other")) == "delegation_refused"


@pytest.mark.parametrize("claims", [{}, {"iss": 5}, {**msgspec.to_builtins(token(KEY)), "bud": "all"}])
def test_other_claims_are_no_task(claims: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        read(claims)
    assert caught.value.code == "unacceptable_token"


def test_it_is_as_old_as_the_oldest_of_its_proofs() -> None:
    """Somebody's sessions are ended at NOW - 5, and that is heard of only after the exchange."""
    young, old = (
        replace(who, credential=replace(who.credential, issued=issued)) for who, issued in ((ADA, NOW), (BOT, NOW - 10))
    )
    for proofs in ((young, old), (old, young), (old,)):
        again = token(holder(token(*proofs)))
        assert holder(again).credential.issued == NOW - 10
        assert Fence("tenant:default", 1, since=NOW - 5, sessions=True).holds(holder(again).credential.issued, NOW)
    assert holder(token(young)).credential.issued == NOW


def test_it_is_bound_to_what_was_shown() -> None:
    assert token(ADA).cnf is None
    key, certificate = (holder(token(ADA, bound=(what, "x"))).credential for what in (KEY_OF, CERTIFICATE))
    assert (key.bound, key.bound_certificate) == ("x", "")
    assert (certificate.bound, certificate.bound_certificate) == ("", "x")


def test_a_token_says_what_acts_for_its_subject() -> None:
    first = token(ADA, BOT)
    acting = holder(first).credential.delegation
    assert acting is not None
    assert acting.actor == Actor(BOT.id, BOT.kind, BOT.team, BOT.assurance, (BOT.id,))
    assert first.acr == (BOT.kind, BOT.team, BOT.assurance)
    again = holder(token(holder(first))).credential.delegation
    assert again is not None
    assert again.actor == acting.actor, "handed on to itself"
    passed_on = holder(token(KEY, replace(holder(first), tenant="default"))).credential.delegation
    assert passed_on is not None
    assert passed_on.actor is not None
    assert (passed_on.actor.id, passed_on.actor.assurance) == (BOT.id, 3), "not who it acts for there"
    earlier = holder(msgspec.structs.replace(first, acr=None)).credential.delegation
    assert earlier is not None
    assert earlier.actor == Actor(BOT.id, "service", "", 0, (BOT.id,)), "a token of an earlier version"
    alone = holder(token(ADA)).credential.delegation
    assert alone is not None
    assert alone.actor is None


def only(caller: Caller, id: str) -> Caller:
    """Whose token says that nobody else may act for it."""
    return replace(caller, credential=replace(caller.credential, may_act=id))


def test_where_a_token_says_who_may_act_nobody_else_does() -> None:
    claims = token(only(ADA, BOT.id), BOT)
    assert (claims.act, claims.may_act) == ({"sub": BOT.id}, {"sub": BOT.id})
    assert code(only(ADA, BOT.id), KEY) == "delegation_refused"
    assert code(only(ADA, ""), BOT) == "delegation_refused"
    assert code(only(ADA, ADA.id), BOT) == "delegation_refused"
    # nor does anybody of whom it was handed on to, by whichever way
    for passed in (holder(claims), holder(token(only(ADA, BOT.id)))):
        assert code(passed, KEY) == "delegation_refused"
        assert token(passed, BOT).may_act == {"sub": BOT.id}
    assert holder(token(only(ADA, ""))).credential.may_act == ""
    # who acts may itself be acted for; it is not that which counts
    assert token(ADA, only(BOT, KEY.id)).may_act is None
    acting = holder(token(KEY, BOT))
    assert token(only(ADA, BOT.id), acting).act == {"sub": BOT.id}
    assert code(only(ADA, KEY.id), acting) == "delegation_refused"


CORP = Issuer("corp", "oidc", "https://idp.example", Source(), frozenset(), frozenset(), frozenset())
MESH = replace(CORP, name="example.org", url="spiffe://example.org", workloads=(Workload("/", "research", "agent"),))


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ({"sub": "bot"}, "corp/bot"),
        ({"sub": "bot", "iss": "https://idp.example"}, "corp/bot"),
        ({"sub": "spiffe://example.org/bot"}, "spiffe://example.org/bot"),
        ({"sub": "spiffe://example.org/bot", "iss": "spiffe://example.org"}, "spiffe://example.org/bot"),
        ({"sub": "spiffe://example.org/bot", "iss": "https://idp.example"}, "corp/spiffe://example.org/bot"),
        ({"sub": "bot", "iss": "https://other.example"}, ""),
        ({"sub": "bot", "iss": ["https://idp.example"]}, ""),
        ({"sub": "bot", "client_id": "bot"}, ""),
        ({"sub": ""}, ""),
        ({"sub": 1}, ""),
        ({"client_id": "bot"}, ""),
        ({}, ""),
        ("bot", ""),
        (None, ""),
    ],
)
def test_whom_a_token_names_as_the_one_who_may_act(claim: Any, expected: str) -> None:
    assert may_act({"may_act": claim}, CORP, by_url((CORP, MESH))) == expected
    assert may_act({}, CORP, by_url((CORP, MESH))) is None
