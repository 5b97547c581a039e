"""A gateway without sockets: the real pipeline on the real policy engine, scanner, ledger and journal, between a caller and
an upstream that are made for the test. Both implement ports; nothing is patched.

    scene = Scene(folder)
    reply = await scene.call(chat("hello"))
    reply.status, reply.json, scene.upstream.sent, scene.outcome(reply)
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from msgspec.structs import replace

from yett import pipeline
from yett.config.compile import compile_snapshot, gather
from yett.config.snapshot import Snapshot, with_keys
from yett.config.virtual_key import digest, mint
from yett.edge.examiner import Examiner
from yett.edge.log import AccessLog
from yett.edge.metrics import Metrics
from yett.edge.tasks import spawn
from yett.errors import Refusal
from yett.gate import Gate
from yett.identity.dpop import Seen
from yett.identity.issuer import Issuer
from yett.identity.jws import KeySet
from yett.model.attachment import Attached, Extracted
from yett.model.call import Inbound
from yett.model.guardrail import NO_ADVICE, Advice, Panel, Question
from yett.model.key import VirtualKey
from yett.model.record import Record
from yett.ports import Exchange, Journal, Ledger, Outgoing, UpstreamFailure
from yett.stages.health import Health
from yett.stages.tasks import Tasks
from yett.stores.journal import FileJournal, open_journal
from yett.stores.journal_reader import entries, find
from yett.stores.live_tokens import LiveTokens
from yett.stores.shared_ledger import SharedLedger
from yett.stores.signing import FileSeeds, SigningKeys
from yett.stores.vault import Vault

NOW = 1_795_003_200.0  # 2026-11-18 12:00 UTC, a Wednesday
PEPPER = b"pepper of the tests"
# Made from pieces, so that nobody's scanner takes this file for a leak.
SECRET = "ghp_" + "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R"
MAIL = "ada.lovelace@example.org"

CONFIGURATION = """
[gateway]
max_body_bytes = 1048576

[audit]
content = "digest"

[providers.sim]
kind = "simulator"
base_url = "http://127.0.0.1:9/v1"
labels = ["external"]

[providers.local]
kind = "vllm"
base_url = "http://127.0.0.1:9/v1"
labels = ["on-prem"]

[models.fast]
targets = [{ provider = "sim", model = "sim-gpt" }, { provider = "local", model = "llama", priority = 1 }]

[models.free]
targets = [{ provider = "sim", model = "unpriced" }]
unknown_price = "flag"

[routing]
backoff = "10ms"

[teams.research]

[teams.banned]

[prices."sim/sim-gpt"]
input_usd_per_mtok = 1
output_usd_per_mtok = 2

[prices."local/llama"]
input_usd_per_mtok = 0
output_usd_per_mtok = 0
"""
POLICIES = """
@id("everything") permit (principal, action, resource);
@id("not-banned") @advice("Your team is banned.") forbid (principal in Team::"banned", action, resource);
@id("no-secrets") @obligation("redact:secret") permit (principal, action, resource);
"""


class Clock:
    """Implements `ports.Clock`; time passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Answer:
    """Implements `ports.Exchange`: what the upstream answers. A piece of body may be bytes, an exception, or an event to
    wait for."""

    def __init__(
        self,
        *pieces: bytes | Exception | asyncio.Event,
        status: int = 200,
        headers: Iterable[tuple[bytes, bytes]] = ((b"content-type", b"application/json"),),
    ) -> None:
        self.status = status
        self.headers = tuple(headers)
        self._pieces = pieces
        self.log: list[str] = []  # pause, resume, abort
        self._unread = b""

    def header(self, name: bytes) -> bytes:
        return next((value for found, value in self.headers if found == name), b"")

    async def read(self, limit: int) -> bytes:
        body = bytearray()
        await self._run(body.extend)
        if len(body) > limit:
            raise UpstreamFailure("too_large")
        return bytes(body)

    async def stream(self, sink: Callable[[bytes], None]) -> None:
        await self._run(sink)

    async def _run(self, sink: Callable[[bytes], None]) -> None:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            else:
                await self._give(piece, sink)
            await asyncio.sleep(0)

    async def _give(self, piece: bytes, sink: Callable[[bytes], None]) -> None:
        """What comes back is given again when it may go on; without it, nobody is waited for."""
        while piece:
            sink(piece)
            piece, self._unread = self._unread, b""
            while piece and self.log[-1:] == ["pause"]:
                await asyncio.sleep(0)

    def unread(self, rest: bytes) -> None:
        self._unread = rest

    def pause(self) -> None:
        self.log.append("pause")

    def resume(self) -> None:
        self.log.append("resume")

    def abort(self) -> None:
        self.log.append("abort")


class Upstream:
    """Implements `ports.Upstream`: gives the scripted answers in turn, then the plain one; keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.answers: deque[Exchange | Exception] = deque()
        self.on_send: Callable[[Outgoing], None] = lambda _: None

    def will(self, *answers: Exchange | Exception) -> None:
        self.answers.extend(answers)

    async def send(self, outgoing: Outgoing) -> Exchange:
        self.sent.append(outgoing)
        self.on_send(outgoing)
        await asyncio.sleep(0)
        if not self.answers:
            return stream("Hello ", "there.") if b'"stream":true' in outgoing.body else whole("Hello there.")
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


def whole(text: str, *, status: int = 200, usage: tuple[int, int] | None = (7, 5), **more: object) -> Answer:
    """A buffered chat completion."""
    document: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        **more,
    }
    if usage:
        document["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return Answer(json.dumps(document).encode(), status=status)


def event(text: str = "", *, index: int = 0, finish: str | None = None, **more: object) -> bytes:
    delta = {"content": text} if text else {}
    document = {"id": "c", "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **more}
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"


END = event(finish="stop")
USAGE = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5}}\n\n'
DONE = b"data: [DONE]\n\n"
EVENTS = ((b"content-type", b"text/event-stream; charset=utf-8"),)


def stream(*texts: str | asyncio.Event | Exception, tail: Sequence[bytes] = (END, USAGE, DONE)) -> Answer:
    """A streamed chat completion, one event for each text."""
    pieces = [event(text) if isinstance(text, str) else text for text in texts]
    return Answer(*pieces, *tail, headers=EVENTS)


class Reply:
    """Implements `ports.Outlet`: the caller's side of one call, and what came of it."""

    def __init__(self) -> None:
        self.gone = False
        self.paused = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.length: int | None = 0
        self.body = b""
        self.ended = 0
        self.ending: Callable[[], None] = lambda: None  # called with the last byte
        self.abandoned = False  # the connection was ended because the reply cannot be
        self.task: asyncio.Task[None] | None = None
        self.arrived = asyncio.Event()  # something was written
        self._on_gone: Callable[[], None] | None = None
        self._on_pause: Callable[[bool], None] | None = None

    def head(self, status: int, headers: Sequence[tuple[str, str]], length: int | None) -> None:
        assert not self.status, "two heads for one call"
        assert all(" " <= c <= "~" for pair in headers for part in pair for c in part)
        self.status, self.headers, self.length = status, dict(headers), length

    def write(self, data: bytes) -> None:
        assert self.status, "a body before its head"
        assert not self.ended, "a body after its end"
        if not self.gone:
            self.body += data
            self.arrived.set()

    def end(self) -> None:
        self.ending()
        self.ended += 1

    def abandon(self) -> None:
        self.abandoned = True

    def cancel(self) -> None:
        assert self.task is not None
        self.task.cancel()

    def watch(self, on_gone: Callable[[], None], on_pause: Callable[[bool], None]) -> None:
        self._on_gone, self._on_pause = on_gone, on_pause

    # ---- what a test does to the call ----

    def disconnect(self) -> None:
        self.gone = True
        if self._on_gone is not None:
            self._on_gone()

    def read_slowly(self, paused: bool) -> None:
        self.paused = paused
        assert self._on_pause is not None
        self._on_pause(paused)

    # ---- what a test reads of it ----

    @property
    def id(self) -> str:
        return self.headers["x-yett-request-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a refusal, in the body or as a stream's last event."""
        last = self.body if self.body.startswith(b"{") else self.body.rstrip(b"\n").rpartition(b"data: ")[2]
        error: dict[str, Any] = json.loads(last)["error"]
        if isinstance(error, str):  # OAuth's shape
            found = json.loads(last)
            return {"message": found["error_description"], "code": found["yett"]["code"], "yett": found["yett"]}
        assert set(error) == {"message", "type", "param", "code", "yett"}
        return error

    @property
    def code(self) -> str:
        """The code of the refusal, "" for an answer."""
        return str(self.error["code"]) if b'"error"' in self.body else ""

    @property
    def text(self) -> str:
        """What a client puts together of a stream's first choice."""
        events = [json.loads(part[6:]) for part in self.body.split(b"\n\n") if part.startswith(b"data: {")]
        deltas = [choice["delta"] for each in events for choice in each.get("choices", []) if choice["index"] == 0]
        return "".join(delta.get("content") or "" for delta in deltas)


class Panelist:
    """Implements `ports.Advisers`: gives the same advice to every question, or one for each side; keeps what it was asked."""

    def __init__(self, advice: Advice = NO_ADVICE) -> None:
        self.advice = advice
        self.on: dict[str, Advice] = {}  # by side, instead
        self.asked: list[Question] = []

    async def advise(self, panel: Panel, question: Question) -> Advice:
        self.asked.append(question)
        return self.on.get(question.side, self.advice)


class Files:
    """Implements `ports.Files`: has the text of every file, by its content; what is not there cannot be read."""

    def __init__(self) -> None:
        self.texts: dict[str, Extracted] = {}
        self.asked: list[tuple[str, int, float, bool]] = []

    async def read(self, tenant: str, files: Sequence[Attached], seconds: float, *, recognise: bool) -> list[Extracted]:
        self.asked.append((tenant, len(files), seconds, recognise))
        missing = Extracted("", whole=False, failure="took too long")
        return [self.texts.get(file.content, missing) for file in files]


class Trust:
    """Implements `stages.identify_tokens.Trust`: the keys of each issuer by its name; those of `soon` are there after a refresh."""

    def __init__(self) -> None:
        self.generation = 1
        self.seen = Seen()
        self.known: dict[str, KeySet] = {}
        self.soon: dict[str, KeySet] = {}
        self.asked: list[str] = []

    def keys(self, issuer: Issuer) -> KeySet | None:
        return self.known.get(issuer.name)

    async def refresh(self, issuer: Issuer) -> None:
        self.asked.append(issuer.name)
        if issuer.name in self.soon:
            self.known[issuer.name] = self.soon.pop(issuer.name)
            self.generation += 1


class Live:
    """Implements `gate.Live`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.current = snapshot


class Meters:
    """Implements `ports.Meter` as a worker does: real metrics, a real access log, and what they were told."""

    def __init__(self, known: frozenset[str]) -> None:
        self.metrics = Metrics()
        self.metrics.known = known
        self.lines: list[bytes] = []
        self.log = AccessLog("json", self.lines.append)
        self.told: list[Record] = []

    def observe(self, outcome: Record) -> None:
        self.told.append(outcome)
        self.metrics.observe(outcome)
        self.log.observe(outcome)

    def logged(self) -> list[dict[str, Any]]:
        self.log.flush()
        return [json.loads(line) for line in b"".join(self.lines).splitlines()]

    def counted(self) -> dict[tuple[str, ...], float]:
        """yett_calls, by its labels."""
        return dict(self.metrics.state({}).counters["yett_calls"])


class Calls:
    """Implements `stages.local.Calls` on the journal. `held` lets a test keep a look-up waiting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.held: asyncio.Event | None = None
        self.asked = asyncio.Event()

    async def find(self, call: str) -> list[bytes]:
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        return find(self._folder, call)


Run = Callable[[Inbound, Reply, Gate], Coroutine[Any, Any, None]]


class Scene:
    """One gateway: configuration and policies compiled, stores on the disk, one key of each sort.

    `settings` replaces words of the configuration: {'content = "digest"': 'content = "full"'}; `keys` are VirtualKeys by
    name, of which `id`, `digest` and `last4` are filled in here.
    """

    def __init__(
        self,
        folder: Path,
        *,
        configuration: str = CONFIGURATION,
        policies: str = POLICIES,
        settings: dict[str, str] | None = None,
        keys: dict[str, VirtualKey] | None = None,
        run: Run = pipeline.run,
    ) -> None:
        for old, new in (settings or {}).items():
            assert old in configuration, old
            configuration = configuration.replace(old, new)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "yett.toml").write_text(configuration)
        (folder / "policies").mkdir(exist_ok=True)
        (folder / "policies" / "all.cedar").write_text(policies)
        self.folder = folder
        self.run = run
        self.clock = Clock()
        self.keys: dict[str, VirtualKey] = {}
        self.secrets: dict[str, str] = {}
        snapshot = compile_snapshot(
            gather(folder / "yett.toml", {"JUDGE": "whsec_anVkZ2UtanVkZ2UtanVkZ2UtanVkZ2U="}), epoch=1, pepper=PEPPER
        )
        self.live = Live(snapshot)
        for name, virtual in {"ada": key(), "banned": key(team="banned"), **(keys or {})}.items():
            self.issue(name, virtual)
        audit = snapshot.settings.audit
        self.journal: FileJournal = open_journal(
            folder / "audit", folder, self.clock, durability=audit.durability, content=audit.content
        )
        self.ledger = SharedLedger(folder / "ledger", self.clock, scopes=64, holds=64)
        self.vault = Vault(folder / "vault.db", self.clock)
        self.upstream = Upstream()
        self.meters = Meters(frozenset(snapshot.models))
        self.calls = Calls(folder / "audit")
        self._ids = 0
        self.panelist = Panelist()
        self.trust = Trust()
        self.signing = SigningKeys(FileSeeds(folder), self.clock, 86_400.0)
        self.signing.turn()
        self.trust.known["yett"] = self.signing.public
        self.files = Files()
        self.gate = Gate(
            live=self.live,
            ledger=self.ledger,
            journal=self.journal,
            upstream=self.upstream,
            health=Health(snapshot.settings.routing),
            trust=self.trust,
            signer=self.signing,
            allowance=LiveTokens(folder / "tokens.live"),
            clock=self.clock,
            meter=self.meters,
            calls=self.calls,
            examine=Examiner().examine,
            vault=self.vault,
            advisers=self.panelist,
            files=self.files,
            tasks=Tasks(PEPPER),
            new_id=self._id,
            roll=lambda: 0.5,
            flights=set(),
            aside=spawn,
        )

    def _id(self) -> str:
        self._ids += 1
        return f"call_{int(self.clock.now() * 1000):011x}{self._ids:014x}"

    def close(self) -> None:
        self.journal.close()
        self.ledger.close()
        self.vault.close()
        self.gate.allowance.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def issue(self, name: str, virtual: VirtualKey) -> None:
        """Put a key in force, or another version of it."""
        if name not in self.secrets:
            self.secrets[name] = mint((len(self.secrets) + 1).to_bytes(32, "big"))
        secret = self.secrets[name]
        self.keys[name] = replace(virtual, id=f"key_{name}", name=name, digest=digest(PEPPER, secret.encode()))
        self.live.current = with_keys(self.live.current, tuple(self.keys.values()))

    def withhold(self, **ports: Journal | Ledger) -> None:
        """Exchange a port of the gate."""
        self.gate = replace(self.gate, **ports)

    # ---- calls ----

    def begin(self, inbound: Inbound, who: str = "ada") -> Reply:
        """Start a call; `await reply.task` ends it."""
        if who and b"authorization" not in inbound.headers:
            inbound = replace(
                inbound, headers={**inbound.headers, b"authorization": b"Bearer " + self.secrets[who].encode()}
            )
        reply = Reply()
        reply.task = asyncio.get_running_loop().create_task(
            self.run(replace(inbound, received=self.clock.monotonic()), reply, self.gate)
        )
        return reply

    async def call(self, inbound: Inbound, who: str = "ada") -> Reply:
        """Run a call to its end, as `who` ("" without a key)."""
        reply = self.begin(inbound, who)
        assert reply.task is not None
        await asyncio.wait_for(reply.task, 20)
        assert not self.gate.flights
        return reply

    # ---- what came of them ----

    def records(self) -> list[Record]:
        return [entry.record for entry in entries(self.folder / "audit")]

    def intents(self) -> list[Record]:
        return [record for record in self.records() if record.kind == "intent"]

    def outcomes(self) -> list[Record]:
        return [record for record in self.records() if record.kind == "outcome"]

    def outcome(self, reply: Reply | None = None) -> Record:
        """The one outcome of a call, or of the only call so far."""
        found = [each for each in self.outcomes() if reply is None or not reply.status or each.call == reply.id]
        assert len(found) == 1, [(each.call, each.outcome) for each in found]
        return found[0]

    def in_flight(self) -> int:
        return self.ledger.figures().inflight


def key(**fields: Any) -> VirtualKey:
    """A key of team research without limits; Scene fills in what identifies it."""
    return replace(VirtualKey(id="", name="", team="research", digest=b"", last4="abcd", created=1), **fields)


def chat(content: object = "hello", *, model: str = "fast", **fields: object) -> Inbound:
    """A chat completion. Values of `fields` are more fields of its body."""
    document = {"model": model, "messages": [{"role": "user", "content": content}], **fields}
    return post(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def post(body: bytes, headers: dict[bytes, bytes] | None = None) -> Inbound:
    return Inbound("POST", "/v1/chat/completions", "", headers or {}, body, "127.0.0.1:5", 0.0)


def get(path: str, query: str = "") -> Inbound:
    return Inbound("GET", path, query, {}, b"", "127.0.0.1:5", 0.0)


async def until(condition: Callable[[], bool]) -> None:
    """Let tasks run until something holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to hold")


class BrokenLedger:
    """Implements `ports.Ledger`: nothing can be reserved, and what was cannot be settled."""

    async def reserve(self, id: str, scopes: object, tokens: int, cost: int) -> Any:
        raise Refusal("ledger_unavailable")

    async def settle(self, hold: object, tokens: int, cost: int) -> None:
        raise Refusal("ledger_unavailable")

    async def add(self, hold: object, cost: int) -> Any:
        raise Refusal("ledger_unavailable")

    async def extend(self, hold: object) -> bool:
        return False


Step = Callable[[], Awaitable[None]]
