"""What a scene is played with: a real `yett serve` on free ports, a caller on raw sockets, and a look into its books.

A scene asserts both what the caller sees and what is on the record. `Gateway.outcome` insists on one intent at most and on
exactly one outcome; `Gateway.rests` that nothing is left in flight, neither in the metrics nor in the ledger.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from msgspec import Struct

from yett.cli.system import SystemClock
from yett.model.key import Limits
from yett.ports import Scope
from yett.simulator.recording import Received
from yett.simulator.server import Simulator
from yett.simulator.settings import Settings
from yett.stores.journal_reader import entries, find
from yett.stores.keys import KeyStore, NewKey
from yett.stores.shared_ledger import SharedLedger
from yett.verify import Report, verify

T = TypeVar("T")
PATIENCE = 20.0  # seconds for what must happen soon, on a machine that may be busy
PERMIT = '@id("everything") permit (principal, action, resource);\n'
PROVIDER_KEY = "sk-provider-0001"


# ---- the provider ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def simulator_thread(settings: Settings | None = None) -> Iterator[Simulator]:
    """A simulator on a loop of its own, so that blocking callers can be used."""
    simulator = Simulator(settings=settings)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def play() -> None:
        async with simulator:
            ready.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(play()), name="simulator")
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield simulator
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE)
        loop.close()


# ---- the caller -----------------------------------------------------------------------------------------------------


_BLANK = re.compile(rb"\r?\n\r?\n")


# Compiled patterns, for all gateways of a run: compiling them takes seconds.
CACHE = tempfile.mkdtemp(prefix="yett-test-cache-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)


class Line(http.client.HTTPConnection):
    """A caller's connection, and what was read from it."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port, timeout=PATIENCE)
        self.replies: list[Reply] = []

    def hang_up(self) -> None:
        for reply in self.replies:
            reply.close()
        self.close()


class Reply:
    """The reply to one request, read as it comes."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection
        connection.replies.append(self)
        assert connection.sock is not None
        self._socket = connection.sock  # http.client forgets it when the server says `connection: close`
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}
        self._body: bytes | None = None
        self._ahead = b""

    @property
    def id(self) -> str:
        return self.headers["x-yett-request-id"]

    @property
    def body(self) -> bytes:
        """The whole of it. Raises http.client.IncompleteRead when the connection ends first."""
        if self._body is None:
            self._body = self._response.read()
            self.close()
        return self._body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of an error in OpenAI's shape; "" when it is none."""
        error = self.json.get("error")
        if error is None:
            return ""
        assert {"message", "type", "param", "code"} <= set(error), "OpenAI's error shape"
        return str(error["code"])

    @property
    def text(self) -> str:
        """What the model said."""
        return str(self.json["choices"][0]["message"]["content"])

    def event(self) -> str:
        """The next server-sent event, without its blank line; "" at the end. Raises http.client.IncompleteRead when the stream
        breaks off."""
        while (end := _BLANK.search(self._ahead)) is None:
            piece = self._response.read1(65_536)  # readline() would hide how it ends
            if not piece:
                assert not self._ahead, "half an event"
                return ""
            self._ahead += piece
        event, self._ahead = self._ahead[: end.start()], self._ahead[end.end() :]
        return event.decode().replace("\r\n", "\n")

    def events(self) -> list[str]:
        """Those that are left, comments and [DONE] among them."""
        found = []
        while event := self.event():
            found.append(event)
        self.close()
        return found

    def piece(self, most: int) -> bytes:
        return self._response.read1(most)

    def close(self) -> None:
        self._connection.close()
        self._response.close()

    def reset(self) -> None:
        """Go away with a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


def said(events: list[str]) -> str:
    """The text that a stream's events add up to."""
    return "".join(
        choice["delta"].get("content") or ""
        for event in events
        if event.startswith("data: {")
        for choice in json.loads(event[6:]).get("choices") or ()
    )


def error_of(events: list[str]) -> str:
    """The code of the in-band error that ends a stream, "" when none does. A stream that ends in one has no [DONE]. (A provider
    that reports an error in-band has its own passed on before Yett's.)"""
    errors = [json.loads(event[6:])["error"] for event in events if event.startswith('data: {"error"')]
    if not errors:
        return ""
    assert events[-1].startswith('data: {"error"'), events[-1]
    assert "data: [DONE]" not in events
    return str(errors[-1]["code"])


def request_body(model: str, text: str = "Hello there", **fields: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **fields}).encode()


# ---- the gateway ----------------------------------------------------------------------------------------------------


class Target(Struct, frozen=True):
    """`model` is what the provider calls it, words included."""

    provider: str
    model: str
    priority: int = 0


class Book(Struct, frozen=True):
    """What the journal says of one call."""

    intents: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]


def free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def until(happens: Callable[[], T], seconds: float = PATIENCE, what: str = "it") -> T:
    """Wait until `happens` returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := happens()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.01)
    return found


def models_toml(models: Mapping[str, tuple[Target, ...]], extra: Mapping[str, str] | None = None) -> str:
    """`[models.…]` and prices of a dollar per million tokens for every target."""
    lines = []
    for name, targets in models.items():
        shown = ", ".join(
            f'{{ provider = "{t.provider}", model = "{t.model}", priority = {t.priority} }}' for t in targets
        )
        lines.append(f'[models."{name}"]\ntargets = [{shown}]\n{(extra or {}).get(name, "")}')
    priced = {f"{t.provider}/{t.model}" for targets in models.values() for t in targets}
    lines += [f'[prices."{target}"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1' for target in priced]
    return "\n".join(lines) + "\n"


class Gateway:
    """One state directory, and the process that serves it now. `log` is what its processes wrote so far."""

    def __init__(self, folder: Path, configuration: str, policies: str = PERMIT, **environment: str) -> None:
        self.folder = folder
        self.state = folder / ".yett"
        self.audit = self.state / "audit"
        self.port, self.admin = free_ports(2)
        self.process: subprocess.Popen[bytes] | None = None
        self.prefix: list[str] = []  # what the command is run by
        self.python = sys.executable  # whose version of Yett it is
        self.spread = 1  # calls after which every worker has had one
        self.environment = {"PATH": os.defpath, "PROVIDER_KEY": PROVIDER_KEY, "XDG_CACHE_HOME": CACHE, **environment}
        self._ledger: SharedLedger | None = None
        self._lines: list[Line] = []
        self.configure(configuration)
        (folder / "policies").mkdir()
        (folder / "policies" / "all.cedar").write_text(policies)
        self.key = self.new_key("main")

    def configure(self, text: str) -> None:
        """Write yett.toml; `{port}` and `{admin}` stand for the ports."""
        written = text.replace("{port}", str(self.port)).replace("{admin}", str(self.admin))
        (self.folder / "yett.toml").write_text(written)

    # ---- the process

    def start(self, *options: str, ready: bool = True) -> Gateway:
        command = [*self.prefix, self.python, "-m", "yett.cli", "serve", *options]
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stderr=log, stdout=log)
        if ready:
            self.await_ready()
        return self

    def await_ready(self) -> None:
        def answered() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"the gateway ended:\n{self.log[-3000:]}"
            return self.readiness()[0] == 200

        until(answered, 60, "readiness")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 40) -> int:
        assert self.process is not None
        status = self.process.wait(seconds)
        self.process = None
        return status

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        """End whatever still runs; the books are checked and the log searched for what may not be in it."""
        self.hang_up()
        if self.process is not None:
            process = self.process
            try:
                status = self.stop()
            finally:
                process.kill()
                process.wait()
            assert status == 0, self.log[-3000:]
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
        assert "Traceback" not in self.log, self.log[self.log.find("Traceback") :][:4000]
        assert [text for text in ("ytk_live_", PROVIDER_KEY) if text in self.log] == []

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    def yett(self, *arguments: str, **environment: str) -> str:
        """Run a command beside the gateway."""
        command = [self.python, "-m", "yett.cli", *arguments]
        variables = {**self.environment, **environment}
        done = subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # ---- callers

    def new_key(
        self, name: str, *, team: str = "research", tenant: str = "default", expires: int = 0, **limits: Any
    ) -> str:
        with KeyStore.open(self.state) as store:
            new = NewKey(name, team, tenant=tenant, limits=Limits(**limits), expires=expires)
            return store.create(new, int(SystemClock.now()))[1]

    def revoke(self, name: str) -> None:
        with KeyStore.open(self.state) as store:
            store.revoke(store.find(name).key.id, int(SystemClock.now()))

    def rotate(self, name: str, overlap: int) -> str:
        with KeyStore.open(self.state) as store:
            return store.rotate(store.find(name).key.id, int(SystemClock.now()), overlap)[1]

    def key_id(self, name: str) -> str:
        with KeyStore.open(self.state) as store:
            return store.find(name).key.id

    def send(
        self,
        body: bytes,
        *,
        key: str = "",
        method: str = "POST",
        path: str = "/v1/chat/completions",
        receive_buffer: int = 0,
        **headers: str,
    ) -> Line:
        """A connection of its own with a request on it."""
        connection = Line(self.port)
        if receive_buffer:
            connection.sock = socket.socket()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            connection.sock.settimeout(PATIENCE)
            connection.sock.connect(("127.0.0.1", self.port))
        self._lines.append(connection)
        fields = {"authorization": f"Bearer {key or self.key}", "content-type": "application/json"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, fields)
        return connection

    def hang_up(self) -> None:
        """Close what a scene has left open."""
        for line in self._lines:
            line.hang_up()
        self._lines.clear()

    def ask(self, body: bytes, **options: Any) -> Reply:
        return Reply(self.send(body, **options))

    def chat(self, model: str, text: str = "Hello there", *, key: str = "", **fields: object) -> Reply:
        return self.ask(request_body(model, text, **fields), key=key)

    def stream(self, model: str, text: str = "Hello there", *, key: str = "", **fields: object) -> Reply:
        return self.chat(model, text, key=key, stream=True, **fields)

    def fresh_key(self, name: str, **limits: Any) -> str:
        """A new key, when the gateway knows it."""
        key = self.new_key(name, **limits)
        until(lambda: all(self.listed(key) == 200 for _ in range(self.spread)), what="the key")
        return key

    def listed(self, key: str) -> int:
        """The status of GET /v1/models: whether a key works, without an upstream."""
        reply = self.ask(b"", key=key, method="GET", path="/v1/models")
        assert reply.body
        return reply.status

    def exchange(self, proof: str) -> str:
        """A task token for what proves who is calling."""
        fields = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": proof,
        }
        body = urllib.parse.urlencode(fields).encode()
        reply = self.ask(body, path="/oauth/token", key=proof, content_type="application/x-www-form-urlencoded")
        assert reply.status == 200, reply.body
        return str(reply.json["access_token"])

    # ---- the operator's view

    def published(self) -> bytes:
        """The keys that task tokens are verified with."""
        return self._get("/.well-known/jwks.json")[1]

    def _get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b"{}"

    def readiness(self) -> tuple[int, Any]:
        status, body = self._get("/readyz")
        return status, json.loads(body)

    def metrics(self) -> dict[str, float]:
        """Series as the exposition writes them, with their values."""
        status, body = self._get("/metrics")
        assert status == 200
        lines = [line.rpartition(" ") for line in body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def counted(self, metric: str, **labels: str) -> float:
        """The sum of a metric's series that have these labels."""
        total = 0.0
        for series, value in self.metrics().items():
            name, _, rest = series.partition("{")
            found = dict(re.findall(r'(\w+)="([^"]*)"', rest))
            if name == metric and all(found.get(label) == wanted for label, wanted in labels.items()):
                total += value
        return total

    @property
    def ledger(self) -> SharedLedger:
        if self._ledger is None:
            self._ledger = SharedLedger(self.state / "ledger", SystemClock())
        return self._ledger

    def replaced_ledger(self) -> None:
        """What is looked at from now on is the file that is there now."""
        self.ledger.close()
        self._ledger = None

    def account(self, scope: str, **limits: Any) -> Any:
        return self.ledger.account(Scope(scope, Limits(**limits)))

    def rests(self) -> None:
        """Wait until nothing is in flight, in the metrics and in the ledger."""
        until(lambda: self.metrics()["yett_calls_in_flight"] == 0, what="an end of the calls in flight")
        until(lambda: self.ledger.figures().inflight == 0, what="an end of the holds")

    # ---- the record

    def book(self, call: str) -> Book:
        lines = [json.loads(line) for line in find(self.audit, call)]
        return Book([r for r in lines if r["kind"] == "intent"], [r for r in lines if r["kind"] == "outcome"])

    def outcome(self, call: str) -> dict[str, Any]:
        """The one outcome of a call, as soon as it is there."""
        until(lambda: self.book(call).outcomes, what="an outcome")
        book = self.book(call)
        assert len(book.outcomes) == 1
        assert len(book.intents) <= 1
        assert book.outcomes[0]["outcome"] != "ok" or book.intents, "an answer without an intent"
        return book.outcomes[0]

    def outcomes(self, **wanted: str) -> list[dict[str, Any]]:
        """All outcomes that have these fields, oldest first."""
        found = [json.loads(entry.raw) for entry in entries(self.audit) if entry.record.kind == "outcome"]
        return [record for record in found if all(record.get(name) == value for name, value in wanted.items())]

    def events(self, event: str) -> list[dict[str, Any]]:
        return [json.loads(entry.raw) for entry in entries(self.audit) if entry.record.event == event]

    def verified(self) -> Report:
        report = verify(self.audit)
        assert report.ok, [str(problem) for problem in report.problems]
        return report


def arrived(simulator: Simulator, text: str) -> Received:
    """The provider's side of the exchange whose request has `text` in it, as soon as it is there."""
    return until(
        lambda: next((r for r in reversed(simulator.requests) if text.encode() in r.body), None), what="the request"
    )


def resident(pid: int) -> int:
    """Bytes of memory that a process has in RAM."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def encoded(words: str) -> str:
    """Text for a word of a simulator's model name."""
    return quote(words, safe="")
