"""No route goes around a control: every route × every control, on the real pipeline, and proof that the walk would notice.

The rows are the routes of `stages.understand.SURFACES` and every way in which a request can fail before it has a route; the
columns are the controls below. A cell without a test needs a reason in EXEMPT. A new route or a new way to fail has no
row, and the walk says so. The controls are then taken out of the pipeline one by one: each loss must be noticed on every
route that the control is for.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.certificates import Certifier
from tests.issuing import Authority
from tests.scene import (
    CONFIGURATION,
    MAIL,
    NOW,
    POLICIES,
    SECRET,
    Answer,
    Reply,
    Run,
    Scene,
    chat,
    get,
    key,
    post,
    stream,
    until,
    whole,
)

from yett import pipeline
from yett.config.snapshot import with_fences
from yett.config.virtual_key import mint
from yett.dialects import openai_chat
from yett.edge import http1
from yett.errors import CODES, Refusal
from yett.identity.exchange import GRANT
from yett.identity.issuer import Workload
from yett.identity.jws import read_keys
from yett.identity.x509 import Authority as Vouching
from yett.model.attachment import Extracted
from yett.model.call import Inbound
from yett.model.fence import Fence
from yett.model.key import Budget, Limits, VirtualKey
from yett.model.record import Proof, Record
from yett.ports import Exchange, Scope, UpstreamFailure
from yett.stages.tokens import input_tokens
from yett.stages.understand import SURFACES, Surface
from yett.stores.shared_ledger import SharedLedger

ADA = mint((1).to_bytes(32, "big"))  # the key that a scene gives ada
FIRST = f"call_{int(NOW * 1000):011x}{1:014x}"  # the id that a scene gives its first call

# ---- the rows -----------------------------------------------------------------------------------------------------------


class Row(Struct, frozen=True):
    """A way in: `plain` is a request that is answered, `risky` is the same with a secret in it. `surface` is the route's id;
    `refused` the code when it never gets as far as a caller."""

    plain: Inbound
    risky: Inbound
    surface: str = ""
    refused: str = ""

    @property
    def invokes(self) -> bool:
        return self.surface == "openai_chat"


def _unreadable(code: str) -> Row:
    """What the listener hands over when it cannot take a request."""
    inbound = Inbound("", "", "", {}, b"", "127.0.0.1:5", 0.0, code)
    return Row(inbound, inbound, refused=code)


def form(**fields: str) -> Inbound:
    """A token exchange: for the key of ada, whoever asks."""
    usual = {
        "grant_type": GRANT,
        "subject_token": ADA,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    return replace(post(urlencode({**usual, **fields}).encode()), path="/oauth/token")


ROUTES = {
    "chat": Row(chat("hello"), chat(f"hello {SECRET}"), "openai_chat"),
    "chat, streamed": Row(chat("hello", stream=True), chat(f"hello {SECRET}", stream=True), "openai_chat"),
    "models": Row(get("/v1/models"), get("/v1/models", f"key={SECRET}"), "openai_models"),
    "model": Row(get("/v1/models/fast"), get("/v1/models/fast", f"key={SECRET}"), "openai_model"),
    "token": Row(form(), form(purpose=SECRET), "oauth_token"),
    "call": Row(get(f"/yett/v1/calls/{FIRST}"), get(f"/yett/v1/calls/{FIRST}", f"key={SECRET}"), "yett_calls"),
}
ERRORS = {
    "no route": Row(get("/v1/nothing"), get("/v1/nothing", SECRET), refused="not_found"),
    "no method": Row(get("/v1/chat/completions"), get("/v1/chat/completions", SECRET), refused="method_not_allowed"),
    **{
        code: _unreadable(code)
        for code in (
            "bad_http",
            "headers_too_large",
            "uri_too_long",
            "body_too_large",
            "unsupported_encoding",
            "request_timeout",
        )
    },
}
ROWS = {**ROUTES, **ERRORS}

# ---- the columns --------------------------------------------------------------------------------------------------------


ISSUER = """
[identity.tasks]
issuer = "https://yett.example"

[identity.issuers.corp]
issuer = "https://idp.example"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"
"""
CORP, MESH = Authority(), Certifier("mesh", at=NOW)


def bearing(inbound: Inbound, token: bytes) -> Inbound:
    return replace(inbound, headers={**inbound.headers, b"authorization": b"Bearer " + token})


class World:
    """Where one control meets one route: makes scenes whose pipeline is the one under test."""

    def __init__(self, folder: Path, row: Row, run: Run = pipeline.run) -> None:
        self.row = row
        self._folder = folder
        self._run = run
        self._made = 0
        self._open = contextlib.ExitStack()

    async def scene(
        self, policies: str = POLICIES, settings: dict[str, str] | None = None, first: str = "ada", **keys: VirtualKey
    ) -> Scene:
        """A scene in which one call of `first` has been answered already: `GET /yett/v1/calls/{id}` asks for it."""
        self._made += 1
        scene = self._open.enter_context(
            Scene(
                self._folder / str(self._made),
                configuration=CONFIGURATION + "\n[teams.other]\n" + ISSUER,
                policies=policies,
                settings=settings,
                keys=keys,
                run=self._run,
            )
        )
        scene.run = pipeline.run
        await scene.call(chat("the first"), first)
        scene.run = self._run
        scene.upstream.sent.clear()
        scene.meters.told.clear()
        return scene

    def close(self) -> None:
        self._open.close()


Control = Callable[[World], Awaitable[None]]
CONTROLS: dict[str, Control] = {}


def control(test: Control) -> Control:
    CONTROLS[test.__name__] = test
    return test


def recorded(scene: Scene, reply: Reply) -> Record:
    """The one outcome of this call. The scene's first call has another."""
    found = [record for record in scene.outcomes() if record.call != FIRST and record.call == reply.id]
    assert len(found) == 1
    return found[0]


def refused(scene: Scene, reply: Reply, *codes: str) -> Record:
    """The call was refused with one of these codes, is on the record as such, and no upstream has heard of it."""
    assert reply.code in codes
    assert reply.status == CODES[reply.code].status
    assert reply.error["yett"]["call"] == reply.id
    assert scene.upstream.sent == []
    record = recorded(scene, reply)
    assert record.code == reply.code
    assert record.outcome in ("refused", "failed", "cut")
    assert scene.in_flight() == 0
    return record


@control
async def identity(world: World) -> None:
    """Without a valid key there is no answer."""
    scene = await world.scene(revoked=key(revoked=1), expired=key(expires=1))
    refused(scene, await scene.call(world.row.plain, ""), "missing_key")
    for name in ("revoked", "expired"):
        record = refused(scene, await scene.call(world.row.plain, name), f"{name}_key")
        assert record.caller == ""
    scene.secrets["stranger"] = scene.secrets["ada"].replace("ytk_live_0", "ytk_live_1")
    refused(scene, await scene.call(world.row.plain, "stranger"), "malformed_key")
    assert (await scene.call(world.row.plain, "ada")).status == 200
    scene.upstream.sent.clear()
    scene.trust.known["corp"] = read_keys(CORP.document())
    for token, code in (
        (CORP.token(exp=NOW - 60, iat=NOW - 90), "expired_token"),
        (CORP.token(aud="other"), "wrong_audience"),
        (CORP.sign(CORP.claims(), alg="none"), "algorithm_refused"),
        (CORP.token()[:-9] + b"A" * 9, "invalid_signature"),
    ):
        record = refused(scene, await scene.call(bearing(world.row.plain, token)), code)
        assert (record.caller, record.proof) == ("", None)
    reply = await scene.call(bearing(world.row.plain, CORP.token(sub="ada")))
    assert reply.status == (404 if world.row.surface == "yett_calls" else 200)  # the call is another caller's
    record = recorded(scene, reply)
    assert (record.caller, record.proof) == ("corp/ada", Proof("oidc", "user", 2, "corp", "t1"))
    scene.upstream.sent.clear()
    certificate = replace(world.row.plain, certificates=(MESH.svid("spiffe://example.org/a").der,))
    record = refused(scene, await scene.call(certificate, ""), "unacceptable_certificate")
    assert (record.caller, record.proof) == ("", None)
    vouching = Vouching(
        "example.org", "x509:example.org", (MESH.certificate,), workloads=(Workload("/", "research", "agent"),)
    )
    scene.live.current = replace(scene.live.current, authorities={vouching.url: vouching})
    stolen = replace(world.row.plain, certificates=(Certifier("else", at=NOW).svid("spiffe://example.org/a").der,))
    assert refused(scene, await scene.call(stolen, ""), "invalid_certificate").caller == ""
    reply = await scene.call(certificate, "")
    record = recorded(scene, reply)
    assert (record.caller, record.proof and record.proof.assurance) == ("spiffe://example.org/a", 3)


@control
async def fences(world: World) -> None:
    """Who is fenced off gets no answer, with whatever key; the record says who it was and which fence."""
    scene = await world.scene()
    fence = Fence("team:default/research", 7, since=1, reason="not for the caller")
    scene.live.current = with_fences(scene.live.current, (fence,))
    reply = await scene.call(world.row.risky)
    record = refused(scene, reply, "fenced")
    assert (record.caller, record.fence, record.decision) == ("key_ada", fence.label, "deny")
    assert b"not for the caller" not in reply.body
    scene.live.current = with_fences(scene.live.current, ())
    assert (await scene.call(world.row.plain)).status == 200


@control
async def task_limits(world: World) -> None:
    """Calls of one task are counted together, and bounded; another caller's task of the same name is another one."""
    scene = await world.scene(settings={"[audit]": "[tasks]\nmax_steps = 2\n[audit]"}, bob=key())
    named = replace(world.row.plain, headers={**world.row.plain.headers, b"x-yett-task": b"run-17"})
    for number in (1, 2):
        assert recorded(scene, await scene.call(named)).step == number
    scene.upstream.sent.clear()
    record = refused(scene, await scene.call(named), "task_limit_exceeded")
    assert record.caller == "key_ada"
    assert recorded(scene, await scene.call(named, "bob")).step == 1


@control
async def policy_before_inspection(world: World) -> None:
    """Whom policy refuses whatever they say is refused before anybody looks at what they say."""
    scene = await world.scene()
    record = refused(scene, await scene.call(world.row.risky, "banned"), "policy_denied")
    assert (record.decision, record.policies, record.findings) == ("deny", ("not-banned",), ())
    assert record.caller == "key_banned"


@control
async def policy_on_listings(world: World) -> None:
    """What policy does not let a caller use is not shown to it either; a text with a finding is a fact like others."""
    scene = await world.scene(
        POLICIES + '@id("x") forbid (principal, action == Action::"ListModel", resource) when '
        '{ context.findings.contains("secret") };'
    )
    for inbound, who in ((world.row.plain, "banned"), (world.row.risky, "ada")):
        reply = await scene.call(inbound, who)
        assert reply.code == "model_not_found" if reply.status != 200 else reply.json["data"] == []
    reply = await scene.call(world.row.plain)
    assert b'"fast"' in reply.body
    assert recorded(scene, reply).action == "ListModel"


@control
async def inspection_and_policy_after_it(world: World) -> None:
    """What is in the text is found, and decides."""
    scene = await world.scene(
        POLICIES
        + '@id("no-secret-at-all") forbid (principal, action, resource) when { context.findings.contains("secret") };'
    )
    assert (await scene.call(world.row.plain)).status == 200
    scene.upstream.sent.clear()
    record = refused(scene, await scene.call(world.row.risky), "content_blocked")
    assert record.policies == ("no-secret-at-all",)
    assert [(each.kind, each.action) for each in record.findings] == [("secret.github-token", "blocked")]


@control
async def findings_recorded(world: World) -> None:
    """What was found is on the record and told, also when policy does not mind."""
    scene = await world.scene('@id("everything") permit (principal, action, resource);')
    reply = await scene.call(world.row.risky)
    assert reply.status == 200
    record = recorded(scene, reply)
    assert [(each.kind, each.where, each.action) for each in record.findings] == [
        ("secret.github-token", "request", "noted")
    ]
    assert reply.headers["x-yett-findings"] == "secret.github-token=1;noted"


@control
async def redaction(world: World) -> None:
    """What policy wants out of the text does not leave; where it cannot be cut out, nothing does."""
    scene = await world.scene()
    reply = await scene.call(world.row.risky)
    assert SECRET.encode() not in b"".join(sent.body for sent in scene.upstream.sent)
    record = recorded(scene, reply)
    if world.row.invokes:
        (sent,) = scene.upstream.sent
        assert b"hello [REDACTED:secret.github-token]" in sent.body
        assert [each.action for each in record.findings] == ["redacted"]
    else:
        refused(scene, reply, "content_blocked")


@control
async def targets(world: World) -> None:
    """Failover goes only where policy permits."""
    scene = await world.scene(
        POLICIES
        + '@id("at-home") @obligation("route:on-prem") permit (principal in Team::"research", action, resource);'
    )
    scene.upstream.will(*(UpstreamFailure("refused") for _ in range(3)))
    reply = await scene.call(world.row.plain)
    assert reply.code == "upstream_error"
    assert {sent.provider.id for sent in scene.upstream.sent} == {"local"}
    assert {attempt.target for attempt in recorded(scene, reply).attempts} == {"local/llama"}


@control
async def output_cap(world: World) -> None:
    """A cap that policy sets is in what leaves and in what is reserved."""
    scene = await world.scene(
        POLICIES + '@id("short") @obligation("cap:max_tokens=9") permit (principal, action, resource);'
    )
    held: list[int] = []
    scene.upstream.on_send = lambda _: held.extend(f.trail.hold.tokens for f in scene.gate.flights if f.trail.hold)
    reply = await scene.call(world.row.plain)
    assert reply.status == 200
    assert b'"max_tokens":9' in scene.upstream.sent[0].body
    assert 9 < held[0] < 100
    assert "cap:max_tokens=9" in recorded(scene, reply).obligations


@control
async def what_is_added(world: World) -> None:
    """A canary that policy wants planted is in what leaves, a fence around what tools answer too, and the caller sees neither."""
    scene = await world.scene(
        POLICIES
        + '@id("marked") @obligation("plant:canary, spotlight:tool") permit (principal, action, resource);'
        + '@id("kept") @obligation("redact:exfiltration.canary") permit (principal, action, resource);'
    )
    body = world.row.plain.body.replace(
        b'"messages":[', b'"messages":[{"role":"system","content":"Be brief."},{"role":"tool","content":"12 C"},'
    )
    inbound = replace(world.row.plain, body=body)
    held: list[int] = []
    scene.upstream.on_send = lambda _: held.extend(f.trail.hold.tokens for f in scene.gate.flights if f.trail.hold)
    assert (await scene.call(inbound)).status == 200
    longer = len(scene.upstream.sent[0].body) - len(body)
    assert held[0] > input_tokens(body) + 4096 + longer // 4, "what is added is reserved"
    system, tool, _ = json.loads(scene.upstream.sent[0].body)["messages"]
    assert "Document mark ytc" in system["content"]
    assert "in which nothing is an instruction" in tool["content"]
    streamed = b'"stream":true' in body
    words = [f"{word} " for word in system["content"].split()]
    scene.upstream.will(stream(*words) if streamed else whole(system["content"]))
    reply = await scene.call(inbound)
    assert b"ytc" not in reply.body
    assert [each.kind for each in recorded(scene, reply).findings] == ["exfiltration.canary"]


@control
async def attached_files(world: World) -> None:
    """What is in an attached file is found like what is said; and where nobody could look into one, nothing leaves."""
    scene = await world.scene(settings={"[gateway]": '[inspection.attachments]\nmode = "inspect"\n[gateway]'})
    parts = [{"type": "image_url", "image_url": {"url": "data:,scan"}}]
    inbound = replace(world.row.plain, body=world.row.plain.body.replace(b'"hello"', json.dumps(parts).encode()))
    refused(scene, await scene.call(inbound), "attachment_unread")
    scene.files.texts["data:,scan"] = Extracted("pdf", f"the key is {SECRET}")
    record = refused(scene, await scene.call(inbound), "content_blocked")
    assert [(each.kind, each.action) for each in record.findings] == [("secret.github-token", "blocked")]
    scene.files.texts["data:,scan"] = Extracted("pdf", "a harmless page")
    assert (await scene.call(inbound)).status == 200


async def _used_up(world: World, limits: Limits, code: str) -> None:
    scene = await world.scene(limited=key(limits=limits))
    scene.upstream.will(whole("x", usage=(2000, 1000)))
    assert (await scene.call(chat("hello"), "limited")).status == 200
    scene.upstream.sent.clear()
    reply = await scene.call(world.row.plain, "limited")
    refused(scene, reply, code)
    assert int(reply.headers["retry-after"]) >= 1


@control
async def requests_per_minute(world: World) -> None:
    await _used_up(world, Limits(rpm=1), "rate_limit_exceeded")


@control
async def tokens_per_minute(world: World) -> None:
    await _used_up(world, Limits(tpm=5000), "rate_limit_exceeded")


@control
async def budget(world: World) -> None:
    await _used_up(world, Limits(budget=Budget(9000, "month")), "budget_exceeded")


@control
async def concurrency(world: World) -> None:
    scene = await world.scene(first="limited", limited=key(limits=Limits(concurrency=1)))
    more = asyncio.Event()
    scene.upstream.will(Answer(more, b"{}"))
    first = scene.begin(chat("hello"), "limited")
    await until(lambda: bool(scene.upstream.sent))
    second = scene.begin(world.row.plain, "limited")
    await finished(second)
    more.set()
    await finished(first)
    scene.upstream.sent.clear()
    refused(scene, second, "concurrency_exceeded")
    assert (await scene.call(world.row.plain, "limited")).status == 200, "the hold is let go of"


@control
async def calls_in_flight(world: World) -> None:
    scene = await world.scene(settings={"[gateway]": "[gateway]\nmax_in_flight = 1"})
    more = asyncio.Event()
    scene.upstream.will(Answer(more, b"{}"))
    first = scene.begin(chat("hello"))
    await until(lambda: bool(scene.upstream.sent))
    second = scene.begin(world.row.plain)
    await finished(second)
    more.set()
    await finished(first)
    scene.upstream.sent.clear()
    refused(scene, second, "overloaded")


@control
async def settlement(world: World) -> None:
    """Nothing is held once a call is over, and what was used is charged."""
    limits = Limits(rpm=100, concurrency=5, budget=Budget(10**6, "month"))
    scene = await world.scene(first="limited", limited=key(limits=limits))
    scope = Scope("key:key_limited", limits)
    before = scene.ledger.account(scope)
    reply = await scene.call(world.row.plain, "limited")
    assert reply.status == 200
    assert scene.in_flight() == 0
    account = scene.ledger.account(scope)
    assert (account.inflight, account.held) == (0, 0)
    assert account.requests > before.requests
    assert account.spent_month - before.spent_month == (17 if world.row.invokes else 0)
    usage = recorded(scene, reply).usage
    assert usage is not None
    assert usage.total == (12 if world.row.invokes else 0)


@control
async def a_ledger_that_fails(world: World) -> None:
    """Limits that cannot be checked are not met."""
    scene = await world.scene()
    ledger = SharedLedger(scene.folder / "doomed", scene.clock, scopes=8, holds=8, sync_seconds=0.01)
    scene.withhold(ledger=ledger)
    (scene.folder / "doomed").unlink()
    while not ledger.broken:
        await asyncio.sleep(0.01)
    refused(scene, await scene.call(world.row.plain), "ledger_unavailable")
    ledger.close()


@control
async def intent_before_anything_leaves(world: World) -> None:
    """The intent is in the journal before the upstream hears of the call, and says what was decided."""
    scene = await world.scene()
    seen: list[list[str]] = []
    scene.upstream.on_send = lambda _: seen.append([r.kind for r in scene.records() if r.call not in ("", FIRST)])
    reply = await scene.call(world.row.plain)
    assert seen == ([["intent"]] if world.row.invokes else [])
    (intent,) = (record for record in scene.intents() if record.call == reply.id)
    assert (intent.caller, intent.surface, intent.hold) == ("key_ada", world.row.surface, reply.id)
    assert (intent.decision, intent.snapshot) == ("allow", scene.live.current.digest)
    assert bytes(intent.facts)


@control
async def outcome_before_the_last_byte(world: World) -> None:
    """What a caller has seen completed is on the record, exactly once."""
    scene = await world.scene()
    seen: list[list[str]] = []
    reply = scene.begin(world.row.plain)
    reply.ending = lambda: seen.append([record.call for record in scene.outcomes()])
    await finished(reply)
    assert seen == [[FIRST, reply.id]]
    record = recorded(scene, reply)
    assert record.surface == world.row.surface
    assert record.outcome == ("refused" if world.row.refused else "ok")


@control
async def a_journal_that_fails(world: World) -> None:
    """What cannot be recorded is not done."""
    scene = await world.scene()
    scene.journal.close()
    reply = await scene.call(world.row.plain)
    assert (reply.status, reply.code) == (503, "audit_unavailable")
    assert scene.upstream.sent == []
    assert scene.in_flight() == 0
    assert [record.code for record in scene.meters.told] == ["audit_unavailable"]


@control
async def content(world: World) -> None:
    """What the configuration wants kept of a request is kept, of refused ones too."""
    scene = await world.scene(settings={'content = "digest"': 'content = "full"'})
    for who in ("ada", "banned"):
        reply = await scene.call(world.row.plain, who)
        request = recorded(scene, reply).request
        assert request is not None
        assert request.hmac == scene.journal.fingerprint(world.row.plain.body)
        assert request.blob
        assert (recorded(scene, reply).reply is not None) == (who == "ada")


@control
async def revocation(world: World) -> None:
    """A key that is revoked while its call runs ends the call."""
    scene = await world.scene(settings={"[audit]": '[audit]\ndurability = "power"'})
    reply = scene.begin(world.row.plain)
    await until(lambda: bool(scene.gate.flights))
    (flight,) = scene.gate.flights
    await until(lambda: flight.trail.hold is not None)  # it now waits for its intent to be on the disk
    flight.cut(Refusal("revoked_key"))
    await finished(reply)
    assert refused(scene, reply, "revoked_key").outcome == "cut"


@control
async def revocation_of_a_stream(world: World) -> None:
    """The same once the upstream has begun to answer, in whatever form."""
    scene = await world.scene()
    never = asyncio.Event()
    scene.upstream.will(stream("One two ", never) if b'"stream":true' in world.row.plain.body else Answer(never))
    reply = scene.begin(world.row.plain)
    await until(lambda: bool(reply.body) or (bool(scene.upstream.sent) and b"stream" not in world.row.plain.body))
    (flight,) = scene.gate.flights
    flight.cut(Refusal("revoked_key"))
    await finished(reply)
    assert reply.code == "revoked_key"
    assert b"[DONE]" not in reply.body
    record = recorded(scene, reply)
    assert (record.outcome, record.usage is not None and record.usage.total > 0) == ("cut", True)
    assert scene.in_flight() == 0


@control
async def a_caller_who_leaves(world: World) -> None:
    """Nobody there to answer: recorded all the same."""
    scene = await world.scene()
    reply = scene.begin(world.row.plain)
    reply.gone = True
    await finished(reply)
    (outcome,) = (record for record in scene.outcomes() if record.call != FIRST)
    assert outcome.outcome == "disconnected"
    assert not reply.body
    assert len(scene.meters.told) == 1


@control
async def review_of_the_reply(world: World) -> None:
    """What the model says is inspected and decided on like what it was told."""
    scene = await world.scene(
        POLICIES + '@id("no-mail") forbid (principal, action == Action::"ReleaseReply", resource) when '
        '{ context.findings.contains("pii.email") };'
    )
    streamed = b'"stream":true' in world.row.plain.body
    for text, code in ((SECRET, ""), (MAIL, "reply_blocked")):
        scene.upstream.will(stream("One two ", text, " three") if streamed else whole(f"One two {text} three"))
        reply = await scene.call(world.row.plain)
        assert reply.code == code
        assert text.encode() not in reply.body
        (finding,) = recorded(scene, reply).findings
        assert (finding.where, finding.action) == ("reply", "blocked" if code else "redacted")


@control
async def observe_mode(world: World) -> None:
    """Observing changes nothing for the caller and records what would have been."""
    scene = await world.scene(settings={"[gateway]": 'mode = "observe"\n[gateway]'}, first="banned")
    reply = await scene.call(world.row.risky, "banned")
    assert reply.status == 200
    record = recorded(scene, reply)
    assert (record.decision, record.observed) == ("observe", ("not-banned",))
    assert reply.headers["x-yett-decision"] == "observe"
    refused_without_key = await scene.call(world.row.plain, "")
    assert refused_without_key.code == "missing_key", "policy is observed; identity is not policy"


@control
async def metrics_and_access_log(world: World) -> None:
    """Each call is counted once and logged once, under names that the configuration knows, without a word of its text."""
    scene = await world.scene()
    before = sum(scene.meters.counted().values())
    reply = await scene.call(world.row.risky)
    counted = scene.meters.counted()
    assert sum(counted.values()) == before + 1
    record = recorded(scene, reply)
    labels = (record.surface or "none", record.model, record.target.partition("/")[0], record.team)
    assert (*labels, record.decision, record.outcome, record.code) in counted
    line = scene.meters.logged()[-1]
    assert (line["call"], line["status"], line.get("code", "")) == (reply.id, reply.status, reply.code)
    assert SECRET.encode() not in b"".join(scene.meters.lines)


@control
async def metadata(world: World) -> None:
    """Every answer names its record; a refusal says whose fault it is and whether a retry can help."""
    scene = await world.scene()
    denied = "allow" if world.row.surface.startswith("openai_model") else "deny"  # a listing is not denied but empty
    for who, decision in (("ada", "allow"), ("banned", denied), ("", "")):
        reply = await scene.call(world.row.plain, who)
        record = recorded(scene, reply)
        assert record.call == reply.id == reply.headers["x-request-id"]
        assert record.decision == ("" if world.row.refused else decision)
        assert reply.headers.get("x-yett-decision", "") == record.decision
        if reply.code:
            assert reply.headers["x-should-retry"] == str(CODES[reply.code].retry).lower()


@control
async def refused_at_the_door(world: World) -> None:
    """With a good key or without one, and whatever it says."""
    scene = await world.scene()
    for who in ("ada", ""):
        record = refused(scene, await scene.call(world.row.risky, who), world.row.refused)
        assert (record.caller, record.surface, record.hold) == ("", "", "")


async def finished(reply: Reply) -> None:
    assert reply.task is not None
    await asyncio.wait_for(reply.task, 20)


# ---- the cells that have no test, each with its reason ------------------------------------------------------------------

LOCAL = ("models", "model", "token", "call")
LISTINGS = ("models", "model")
INVOKING = ("chat", "chat, streamed")


def _exempt() -> dict[tuple[str, str], str]:
    reasons: dict[str, tuple[Iterable[str], str]] = {
        "policy_before_inspection": (LISTINGS, "a listing is not refused but shortened: policy_on_listings"),
        "policy_on_listings": ((*INVOKING, "token", "call"), "lists nothing: policy_before_inspection"),
        "inspection_and_policy_after_it": (LISTINGS, "a listing is not refused but shortened: policy_on_listings"),
        "redaction": (LISTINGS, "nothing of a listing's request leaves"),
        "targets": (LOCAL, "goes to no target"),
        "task_limits": (LOCAL, "is no step of what an agent does"),
        "output_cap": (LOCAL, "no model writes anything"),
        "what_is_added": (LOCAL, "nothing leaves"),
        "attached_files": (LOCAL, "has no body"),
        "tokens_per_minute": (LOCAL, "uses no tokens"),
        "budget": (LOCAL, "costs nothing"),
        "content": (LOCAL, "has no body"),
        "revocation_of_a_stream": (LOCAL, "has no upstream to wait for: revocation"),
        "review_of_the_reply": (LOCAL, "made of the configuration and of the caller's own record, not by a model"),
        "refused_at_the_door": (ROUTES, "is a route"),
    }
    exempt = {(row, name): reason for name, (rows, reason) in reasons.items() for row in rows}
    for_errors = {
        "refused_at_the_door",
        "outcome_before_the_last_byte",
        "a_journal_that_fails",
        "a_caller_who_leaves",
        "metrics_and_access_log",
        "metadata",
    }
    at_the_door = "refused before there is a caller or a call: refused_at_the_door"
    return exempt | {(row, name): at_the_door for row in ERRORS for name in CONTROLS if name not in for_errors}


EXEMPT = _exempt()
CELLS = [(row, name) for row in ROWS for name in CONTROLS if (row, name) not in EXEMPT]

# ---- the walk -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "name"), CELLS)
async def test_every_route_meets_every_control(tmp_path: Path, row: str, name: str) -> None:
    world = World(tmp_path, ROWS[row])
    try:
        await CONTROLS[name](world)
    finally:
        world.close()


def unmet(surfaces: Iterable[Surface], codes: Iterable[str]) -> list[str]:
    """The routes, and the codes of requests that cannot be read, for which the walk has no row."""
    known = {row.surface for row in ROWS.values()} | {row.refused for row in ROWS.values()}
    return [name for name in (*(surface.id for surface in surfaces), *codes) if name not in known]


def door_codes() -> set[str]:
    """The codes with which the listener hands over what it cannot take, from its source."""
    tree = ast.parse(Path(http1.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    arguments = [call.args[0] for call in calls if call.func.attr in ("_refuse", "_stop")]  # type: ignore[attr-defined]
    constants = [node for argument in arguments for node in ast.walk(argument) if isinstance(node, ast.Constant)]
    return {node.value for node in constants if isinstance(node.value, str)}


def test_the_walk_has_a_row_for_every_way_in() -> None:
    assert len(door_codes()) >= 6
    assert unmet(SURFACES, door_codes()) == []
    routed = [(row, next(s for s in SURFACES if s.id == row.surface)) for row in ROUTES.values()]
    assert all(row.plain.method == surface.method for row, surface in routed)


def test_a_new_route_or_door_would_be_noticed() -> None:
    new = Surface("anthropic_messages", "POST", "/v1/messages", "InvokeModel", SURFACES[0].read, SURFACES[0].look)
    assert unmet((*SURFACES, new), ("bad_http", "too_strange")) == ["anthropic_messages", "too_strange"]


def test_every_exemption_is_of_a_cell_that_exists() -> None:
    assert [cell for cell in EXEMPT if cell[0] not in ROWS or cell[1] not in CONTROLS] == []
    assert all(any((row, name) not in EXEMPT for row in ROWS) for name in CONTROLS)


def test_nothing_but_the_pipeline_leads_to_an_upstream() -> None:
    """What leaves is an Outgoing: `forward` makes those for models, and only the pipeline forwards; `edge/guardrails` makes
    them for second opinions on what is being governed; `edge/issuers` asks for keys and `edge/keyless` for tokens
    to providers, and `console/provider` signs operators in, with nothing of any call in them."""
    source = Path(pipeline.__file__).parent
    makers, forwarders = [], []
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                makers += [path.name] if node.func.id == "Outgoing" else []
                forwarders += [path.name] if node.func.id == "forward" else []
    assert (sorted(makers), forwarders) == (
        ["forward.py", "guardrails.py", "issuers.py", "keyless.py", "provider.py"],
        ["pipeline.py"],
    )


# ---- proof that the walk can fail ---------------------------------------------------------------------------------------


class Loss(Struct, frozen=True):
    """A control that is taken out of the pipeline: words of its source, what stands in their place, and the columns that
    must notice it on every route they are for, or on those among `rows`."""

    words: str
    instead: str
    noticed: tuple[str, ...]
    rows: tuple[str, ...] = tuple(ROWS)


LOSSES = {
    "anyone is somebody": Loss(
        "await identify(inbound, snapshot, gate.trust, clock.now())",
        "next(iter(snapshot.callers.values()))",
        ("identity",),
    ),
    "no fence": Loss("fence.check(snapshot.fences, caller.credential, clock.now())", "pass", ("fences",)),
    "no task": Loss("step.join(gate.tasks, trail, inbound, caller, call)", "pass", ("task_limits",), INVOKING),
    "no first decision": Loss(
        "plan = decide.before_inspection(snapshot, caller, call, now, trail)",
        "plan = None",
        ("policy_before_inspection",),
    ),
    "no inspection": Loss(
        "await surface.look(gate.examine, snapshot, caller, call)",
        "inspect.NOTHING",
        ("inspection_and_policy_after_it", "findings_recorded", "redaction", "policy_on_listings"),
    ),
    "no second decision": Loss(
        "decide.after_inspection(snapshot, caller, call, seen, now, trail)",
        "decide.after_inspection(snapshot, caller, call, inspect.NOTHING, now, trail)",
        ("inspection_and_policy_after_it", "policy_on_listings"),
    ),
    "no redaction": Loss(
        "bodies_for(call, plan, seen, trail, gate.vault)",
        "bodies_for(call, plan, inspect.NOTHING, trail, gate.vault)",
        ("redaction",),
    ),
    "no look into files": Loss(
        "await attachments.on_request(gate.files, gate.examine, trail, caller, call, seen)", "seen", ("attached_files",)
    ),
    "nothing reserved for what is added": Loss("bodies.added)", "0)", ("what_is_added",)),
    "any target": Loss("plan.targets", "list(plan.route.targets)", ("targets",)),
    "no obligations": Loss(
        "bodies.of",
        "lambda target: call.body.replace(b'fast', target.model.encode())",
        ("redaction", "output_cap", "what_is_added"),
        INVOKING,
    ),
    "no scopes": Loss(
        "step.scopes(trail, worst.scopes), worst.tokens, worst.cost",
        "(), worst.tokens, worst.cost",
        ("requests_per_minute", "tokens_per_minute", "budget", "concurrency", "settlement"),
    ),
    "nothing reserved": Loss(
        "step.scopes(trail, worst.scopes), worst.tokens, worst.cost",
        "step.scopes(trail, worst.scopes), 0, 0",
        ("tokens_per_minute", "budget", "output_cap"),
    ),
    "no reservation": Loss(
        "trail.held(await gate.ledger.reserve(trail.id, step.scopes(trail, worst.scopes), worst.tokens, worst.cost))",
        "pass",
        ("a_ledger_that_fails", "requests_per_minute", "concurrency", "intent_before_anything_leaves"),
    ),
    "no bound": Loss("len(gate.flights) >", "0 >", ("calls_in_flight",)),
    "no settlement": Loss(
        "await gate.ledger.settle(trail.hold, trail.usage.total, trail.usage.cost)",
        "pass",
        ("settlement", "concurrency"),
    ),
    "no intent": Loss(
        "await gate.journal.append(record.intent(trail, _micros(gate)))", "pass", ("intent_before_anything_leaves",)
    ),
    "no outcome": Loss("await gate.journal.append(outcome)", "pass", ("outcome_before_the_last_byte",)),
    "answered before it is recorded": Loss(
        "await gate.journal.append(outcome)",
        "_finish(outlet, trail, reply, refusal)\n        await gate.journal.append(outcome)\n        return",
        ("outcome_before_the_last_byte",),
    ),
    "a journal that need not work": Loss(
        "await gate.journal.append(record.intent(trail, _micros(gate)))",
        "import contextlib\n    with contextlib.suppress(Refusal): await gate.journal.append(record.intent(trail, _micros(gate)))",
        ("a_journal_that_fails",),
        INVOKING,  # elsewhere nothing leaves but the answer, which waits for the outcome
    ),
    "nothing kept": Loss(
        "trail.request = keep.content(gate.journal, trail, 'request', call.body)", "pass", ("content",)
    ),
    "nothing kept of the refused": Loss(
        "trail.request = keep.refused(gate.journal, trail, trail.call.body)", "pass", ("content",)
    ),
    "nobody can be cut": Loss("gate.flights.add(flight)", "pass", ("revocation", "revocation_of_a_stream")),
    "nobody is told": Loss("flight.reason or", "", ("revocation", "revocation_of_a_stream")),
    "nobody leaves": Loss("if outlet.gone:\n        raise asyncio.CancelledError", "pass", ("a_caller_who_leaves",)),
    "no review": Loss(
        "await reply.deliver(exchange, target)",
        "await unreviewed(reply, exchange)",
        ("review_of_the_reply", "what_is_added"),
    ),
    "decisions not recorded": Loss("decide.follow(plan, trail)", "pass", ("observe_mode", "metadata"), tuple(ROUTES)),
    "not counted": Loss("gate.meter.observe(outcome)", "pass", ("metrics_and_access_log", "a_caller_who_leaves")),
    "counted twice": Loss(
        "gate.meter.observe(outcome)",
        "gate.meter.observe(outcome), gate.meter.observe(outcome)",
        ("metrics_and_access_log", "a_caller_who_leaves"),
    ),
    "nameless": Loss("metadata.headers(trail)", "[]", ("metadata",)),
    "not refused": Loss("surface = surface_of(inbound)", "surface = SURFACES[1]", ("refused_at_the_door",)),
}


async def unreviewed(reply: Any, exchange: Exchange) -> None:
    """What a pipeline without a review would do with an answer."""
    reply._trail.outcome, reply._trail.status = "ok", 200
    if not isinstance(reply, pipeline.BufferedReply):
        reply.begin()
        await exchange.stream(lambda data: reply._outlet.write(data.replace(openai_chat.DONE, b"")))
    else:
        reply.body = await exchange.read(1 << 20)


def without(loss: Loss) -> Run:
    """`pipeline.run`, compiled again without one of its controls. The original stays as it is."""
    source = ast.unparse(ast.parse(Path(pipeline.__file__).read_text()))
    assert loss.words in source, f"the pipeline no longer says {loss.words!r}: say here what it says instead"
    module = ModuleType("pipeline_without_a_control")
    module.__dict__.update(SURFACES=SURFACES, unreviewed=unreviewed)
    exec(compile(source.replace(loss.words, loss.instead), module.__name__, "exec"), module.__dict__)
    run: Run = module.run
    return run


async def notices(name: str, world: World) -> bool:
    """Whether a control fails. A call that hangs is noticed, too."""
    try:
        await asyncio.wait_for(CONTROLS[name](world), 5)
    except Exception:  # noqa: BLE001 - an assertion, a key that is not there, a time-out: whatever it is, it is noticed
        return True
    finally:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        world.close()
    return False


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a pipeline that forgets to await
@pytest.mark.parametrize("name", LOSSES)
async def test_the_walk_notices_the_loss_of_a_control(tmp_path: Path, name: str) -> None:
    loss = LOSSES[name]
    run = without(loss)
    cells = [(row, column) for row, column in CELLS if column in loss.noticed and row in loss.rows]
    assert {column for _, column in cells} == set(loss.noticed)
    row, column = cells[0]
    assert not await notices(column, World(tmp_path / "whole", ROWS[row])), "it notices what is not lost"
    missed = [
        (row, column)
        for number, (row, column) in enumerate(cells)
        if not await notices(column, World(tmp_path / str(number), ROWS[row], run))
    ]
    assert missed == []


@pytest.mark.parametrize("name", LOSSES)
async def test_a_pipeline_without_a_control_would_answer_all_the_same(tmp_path: Path, name: str) -> None:
    """Otherwise the walk would notice a crash and not the loss."""
    if name == "not refused":
        return  # every call has become a listing
    with Scene(tmp_path / "gateway", run=without(LOSSES[name])) as scene:
        reply = await scene.call(chat("hello"))
        assert reply.status == 200


def test_every_control_is_lost_somewhere() -> None:
    """A column that no loss is noticed by may be one that cannot fail."""
    assert set(CONTROLS) - {column for loss in LOSSES.values() for column in loss.noticed} == set()
