"""Bad input over real sockets: a running `yett serve`, raw bytes in, and what the caller and the journal are told.

Every refusal has to name its code in OpenAI's error shape, close the connection when the bytes themselves are in doubt, leak
nothing, reach no upstream, and be on the record once.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from yett.config.virtual_key import mint
from yett.errors import CODES

YETT = str(Path(sys.executable).with_name("yett"))
CONFIGURATION = """
[gateway]
port = {port}
max_body_bytes = 65536
max_header_bytes = 8192
max_headers = 40
header_timeout = "1s"
body_timeout = "1s"
idle_timeout = "2s"

[admin]
port = {admin}

[providers.sim]
kind = "simulator"
base_url = "http://127.0.0.1:{simulator}/v1"
key = "env:SIMULATOR_KEY"

[models.fast]
targets = [{{ provider = "sim", model = "sim-gpt" }}]

[models.slow]
targets = [{{ provider = "sim", model = "sim-gpt+latency.first_byte=2s" }}]

[models.trickle]
targets = [{{ provider = "sim", model = "sim-gpt+chunks=200+latency.between_chunks=50ms" }}]

[teams.research]

[prices."sim/sim-gpt"]
input_usd_per_mtok = 1
output_usd_per_mtok = 1
[prices."sim/sim-gpt+latency.first_byte=2s"]
input_usd_per_mtok = 1
output_usd_per_mtok = 1
[prices."sim/sim-gpt+chunks=200+latency.between_chunks=50ms"]
input_usd_per_mtok = 1
output_usd_per_mtok = 1
"""
POLICY = '@id("everything") permit (principal, action, resource);'
PROMPT = "the prompt that must not come back"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        error = json.loads(self.body)["error"]
        assert {"message", "type", "param", "code"} <= set(error), "OpenAI's error shape"
        return str(error["code"])


@dataclass
class Gateway:
    folder: Path
    port: int
    admin: int
    simulator: int
    key: str = ""
    revoked: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def connect(self) -> Wire:
        connection = Wire()
        connection.settimeout(10)
        connection.connect(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def ask(self, data: bytes) -> Answer:
        """Send bytes on a connection of their own and read the first answer."""
        with self.connect() as connection:
            send(connection, data)
            return read(connection)

    def yett(self, *arguments: str) -> str:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "SIMULATOR_KEY": "sk-sim"}
        done = subprocess.run(
            [YETT, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, *arguments: str) -> None:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "SIMULATOR_KEY": "sk-sim"}
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [YETT, *arguments]
            self.processes.append(
                subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
            )

    def wait_for(self, port: int, name: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any(process.poll() for process in self.processes):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} does not run: {(self.folder / f'{name}.log').read_text()[-3000:]}")

    def reached(self) -> int:
        """How many requests the upstream has received."""
        connection = http.client.HTTPConnection("127.0.0.1", self.simulator, timeout=10)
        connection.request("GET", "/sim/requests")
        seen = json.loads(connection.getresponse().read())
        connection.close()
        return len(seen["requests"] if isinstance(seen, dict) else seen)

    def outcomes(self) -> list[dict[str, object]]:
        """All outcome records, oldest first."""
        lines = self.yett("audit", "export", "--jsonl").splitlines()
        return [record for line in lines if (record := json.loads(line)).get("kind") == "outcome"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    running = Gateway(folder, free_port(), free_port(), free_port())
    text = CONFIGURATION.format(port=running.port, admin=running.admin, simulator=running.simulator)
    (folder / "yett.toml").write_text(text)
    (folder / "policies").mkdir()
    (folder / "policies" / "all.cedar").write_text(POLICY)
    running.key = json.loads(running.yett("keys", "create", "--json", "--name", "a", "--team", "research"))["key"]
    running.revoked = json.loads(running.yett("keys", "create", "--json", "--name", "b", "--team", "research"))["key"]
    running.yett("keys", "revoke", "b")
    try:
        running.start("simulator", "simulator", "--port", str(running.simulator))
        running.start("serve", "serve")
        running.wait_for(running.simulator, "simulator")
        running.wait_for(running.port, "serve")
        yield running
        log = (folder / "serve.log").read_text()
        crash = log.find("Traceback")
        assert crash < 0, log[crash : crash + 3000]
        leaked = [text for text in (PROMPT, running.key, "ytk_live_") if text in log]
        assert leaked == []
    finally:
        for process in reversed(running.processes):
            process.terminate()
        for process in running.processes:
            process.wait(15)


class Wire(socket.socket):
    """A connection that keeps what it has read beyond one answer: the next answer."""

    read_ahead = b""

    def more(self) -> bytes:
        data = self.recv(65536)
        self.read_ahead += data
        return data

    def until(self, mark: bytes) -> bytes:
        while mark not in self.read_ahead:
            assert self.more(), f"the connection was closed after {self.read_ahead[:200]!r}"
        found, _, self.read_ahead = self.read_ahead.partition(mark)
        return found

    def take(self, count: int) -> bytes:
        while len(self.read_ahead) < count:
            assert self.more(), f"the connection was closed after {self.read_ahead[:200]!r}"
        found, self.read_ahead = self.read_ahead[:count], self.read_ahead[count:]
        return found


def send(connection: Wire, data: bytes) -> None:
    """A gateway that has seen enough may close before everything is sent."""
    with contextlib.suppress(ConnectionError):
        connection.sendall(data)


def read(connection: Wire) -> Answer:
    start, *lines = connection.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        body = connection.take(int(headers["content-length"]))
    elif "transfer-encoding" in headers:
        body = b""
        while size := int(connection.until(b"\r\n"), 16):
            body += connection.take(size)
            assert connection.take(2) == b"\r\n"
        assert connection.until(b"\r\n") == b""
    else:
        while connection.more():
            pass
        body, connection.read_ahead = connection.read_ahead, b""
    assert start.startswith("HTTP/1.1 ")
    return Answer(int(start.split()[1]), headers, body)


def closed(connection: Wire) -> bool:
    """Whether the gateway ends the connection without another byte."""
    with contextlib.suppress(ConnectionError):
        connection.settimeout(8)
        return connection.read_ahead + connection.recv(1) == b""
    return True


def chat(model: str = "fast", **fields: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": PROMPT}]} | fields).encode()


def request(
    gateway: Gateway, body: bytes = b"", *, line: bytes = b"POST /v1/chat/completions HTTP/1.1", extra: bytes = b""
) -> bytes:
    head = b"%b\r\nHost: yett\r\nAuthorization: Bearer %b\r\n%b" % (line, gateway.key.encode(), extra)
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def bare(gateway: Gateway, fields: bytes, body: bytes = b"") -> bytes:
    """A chat request with these header lines instead of Content-Length."""
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: yett\r\nAuthorization: Bearer " + gateway.key.encode()
    return head + b"\r\n" + fields + b"\r\n" + body


def healthy(gateway: Gateway) -> bool:
    return gateway.ask(request(gateway, chat())).status == 200


# ---- what smuggling is made of --------------------------------------------------------------------------------------

SMUGGLED = chat()
LENGTH = b"Content-Length: %d\r\n" % len(SMUGGLED)
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)

FRAMING = {
    "content-length with transfer-encoding": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
    "transfer-encoding with content-length": (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKS),
    "two lengths that differ": (b"Content-Length: 5\r\n" + LENGTH, SMUGGLED),
    "two lengths that agree": (LENGTH + LENGTH, SMUGGLED),
    "a list of lengths": (b"Content-Length: %d, %d\r\n" % (len(SMUGGLED), len(SMUGGLED)), SMUGGLED),
    "a negative length": (b"Content-Length: -1\r\n", SMUGGLED),
    "a signed length": (b"Content-Length: +%d\r\n" % len(SMUGGLED), SMUGGLED),
    "a hexadecimal length": (b"Content-Length: 0x10\r\n", SMUGGLED),
    "a length with a space in it": (b"Content-Length: 1 0\r\n", SMUGGLED),
    "a length beyond 64 bits": (b"Content-Length: 99999999999999999999999999\r\n", b""),
    "an empty length": (b"Content-Length:\r\n", b""),
    "transfer-encoding: identity": (b"Transfer-Encoding: identity\r\n", CHUNKS),
    "transfer-encoding: xchunked": (b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "transfer-encoding: gzip, chunked": (b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS),
    "transfer-encoding: chunked, identity": (b"Transfer-Encoding: chunked, identity\r\n", CHUNKS),
    "transfer-encoding twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKS),
    "obs-fold": (b"X-A: one\r\n two\r\n" + LENGTH, SMUGGLED),
    "obs-fold of transfer-encoding": (b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS),
    "bare LF after a header": (b"X-A: one\n" + LENGTH, SMUGGLED),
    "bare CR in a header": (b"X-A: one\rX-B: two\r\n" + LENGTH, SMUGGLED),
    "NUL in a header": (b"X-A: o\x00ne\r\n" + LENGTH, SMUGGLED),
    "space before the colon": (b"Content-Length : %d\r\n" % len(SMUGGLED), SMUGGLED),
    "space before the name": (b" X-A: one\r\n" + LENGTH, SMUGGLED),
    "a header without a colon": (b"nonsense\r\n" + LENGTH, SMUGGLED),
    "an empty header name": (b": one\r\n" + LENGTH, SMUGGLED),
    "a second Host": (b"Host: other\r\n" + LENGTH, SMUGGLED),
    "a chunk size that is no number": (b"Transfer-Encoding: chunked\r\n", b"zz\r\n" + SMUGGLED),
    "a negative chunk size": (b"Transfer-Encoding: chunked\r\n", b"-5\r\n" + SMUGGLED),
    "a chunk size beyond 64 bits": (b"Transfer-Encoding: chunked\r\n", b"fffffffffffffffff\r\n" + SMUGGLED),
    "a chunk size with 0x": (b"Transfer-Encoding: chunked\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello world\r\n0\r\n\r\n"),
    "a bare LF after a chunk size": (b"Transfer-Encoding: chunked\r\n", b"5\nhello\r\n0\r\n\r\n"),
    "a bare LF after a chunk": (b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\n0\r\n\r\n"),
}


@pytest.mark.parametrize("case", FRAMING)
def test_ambiguous_framing_is_refused_and_the_connection_closed(gateway: Gateway, case: str) -> None:
    fields, body = FRAMING[case]
    with gateway.connect() as connection:
        # What follows is what an attacker would want to be taken for a request of its own.
        send(connection, bare(gateway, fields, body) + request(gateway, line=b"GET /v1/models HTTP/1.1"))
        answer = read(connection)
        assert (answer.status, answer.code) == (400, "bad_http"), case
        assert answer.headers["connection"] == "close"
        assert closed(connection), "the second request must not be answered"


START_LINES = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(40),
    "the HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /v1/models\r\n\r\n",
    "HTTP/2.0": b"GET /v1/models HTTP/2.0\r\nHost: yett\r\n\r\n",
    "HTTP/3.1": b"GET /v1/models HTTP/3.1\r\nHost: yett\r\n\r\n",
    "a lower-case method": b"get /v1/models HTTP/1.1\r\nHost: yett\r\n\r\n",
    "an unknown method": b"BREW /v1/models HTTP/1.1\r\nHost: yett\r\n\r\n",
    "a space in the target": b"GET /v1/ models HTTP/1.1\r\nHost: yett\r\n\r\n",
    "a control character in the target": b"GET /v1/\x01models HTTP/1.1\r\nHost: yett\r\n\r\n",
    "no Host": b"GET /v1/models HTTP/1.1\r\n\r\n",
    "a Host with a space": b"GET /v1/models HTTP/1.1\r\nHost: yett other\r\n\r\n",
    "a Host with a path": b"GET /v1/models HTTP/1.1\r\nHost: yett/v1\r\n\r\n",
    "a Host with a user": b"GET /v1/models HTTP/1.1\r\nHost: you@yett\r\n\r\n",
    "a Host whose port is a word": b"GET /v1/models HTTP/1.1\r\nHost: yett:http\r\n\r\n",
    "a Host of other bytes": b"GET /v1/models HTTP/1.1\r\nHost: y\xe9tt\r\n\r\n",
    "bare LF everywhere": b"GET /v1/models HTTP/1.1\nHost: yett\n\n",
}


@pytest.mark.parametrize("host", [b"", b"yett:8484", b"127.0.0.1:1", b"[::1]:8484", b"[fe80::1]", b"a-b_c.example."])
def test_any_host_that_may_be_named_is_taken(gateway: Gateway, host: bytes) -> None:
    with gateway.connect() as connection:
        send(connection, b"GET /v1/models HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
        assert read(connection).code == "missing_key"


@pytest.mark.parametrize("case", START_LINES)
def test_what_is_not_http_1_is_refused(gateway: Gateway, case: str) -> None:
    with gateway.connect() as connection:
        send(connection, START_LINES[case])
        answer = read(connection)
        assert (answer.status, answer.code) == (400, "bad_http")
        assert closed(connection)


# ---- size -----------------------------------------------------------------------------------------------------------


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_sent(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, bare(gateway, b"Content-Length: 65537\r\n"))
        answer = read(connection)
    assert (answer.status, answer.code) == (413, "body_too_large")


def test_a_body_of_exactly_the_bound_is_taken(gateway: Gateway) -> None:
    body = chat(padding="")
    body = chat(padding="x" * (65536 - len(body)))
    assert len(body) == 65536
    assert gateway.ask(request(gateway, body)).status == 200


def test_a_chunked_body_that_grows_too_large_is_refused(gateway: Gateway) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    answer = gateway.ask(bare(gateway, b"Transfer-Encoding: chunked\r\n", chunk * 40))
    assert (answer.status, answer.code) == (413, "body_too_large")


def test_the_refusal_of_a_large_body_arrives_while_the_caller_still_sends(gateway: Gateway) -> None:
    """Closing with unread bytes would reset the connection and take the answer with it."""
    answer = gateway.ask(bare(gateway, b"Content-Length: 900000\r\n", b"x" * 900_000))
    assert answer.code == "body_too_large"


SIZES = {
    "one long header": (b"X-A: " + b"a" * 20_000 + b"\r\n", 431, "headers_too_large"),
    "one long header name": (b"X-" + b"a" * 20_000 + b": a\r\n", 431, "headers_too_large"),
    "many headers": (b"".join(b"X-%d: a\r\n" % number for number in range(60)), 431, "headers_too_large"),
    "many long headers": (b"".join(b"X-%d: %b\r\n" % (n, b"a" * 900) for n in range(20)), 431, "headers_too_large"),
    "a header that never ends": (b"X-A: " + b"a" * 300_000, 431, "headers_too_large"),
}


@pytest.mark.parametrize("case", SIZES)
def test_heads_are_bounded(gateway: Gateway, case: str) -> None:
    fields, status, code = SIZES[case]
    answer = gateway.ask(bare(gateway, fields))
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("length", [9_000, 200_000])
def test_targets_are_bounded(gateway: Gateway, length: int) -> None:
    answer = gateway.ask(b"GET /" + b"a" * length + b" HTTP/1.1\r\nHost: yett\r\n\r\n")
    assert (answer.status, answer.code) == (414, "uri_too_long")


def test_a_head_below_the_bounds_is_taken_in_one_piece_or_in_many(gateway: Gateway) -> None:
    data = request(gateway, chat(), extra=b"X-A: " + b"a" * 7_000 + b"\r\n")
    assert gateway.ask(data).status == 200
    with gateway.connect() as connection:
        for start in range(0, len(data), 1_000):
            connection.sendall(data[start : start + 1_000])
            time.sleep(0.005)
        assert read(connection).status == 200


def test_chunk_extensions_and_trailers_are_bounded_and_mean_nothing(gateway: Gateway) -> None:
    body = chat()
    start = bare(gateway, b"Transfer-Encoding: chunked\r\n", b"%x;a=b\r\n%b\r\n0\r\n" % (len(body), body))
    other = b"Authorization: Bearer nobody\r\nX-Yett-Labels: restricted\r\n\r\n"
    assert gateway.ask(start + other).status == 200
    with gateway.connect() as connection:
        send(connection, start + b"X-A: " + b"a" * 4_000_000)
        assert read(connection).code == "headers_too_large"
        assert closed(connection)


# ---- time -----------------------------------------------------------------------------------------------------------


def test_a_head_that_comes_byte_by_byte_is_cut_off_in_time(gateway: Gateway) -> None:
    """Slowloris: each byte must not buy another second."""
    with gateway.connect() as connection:
        began = time.monotonic()
        data = iter(request(gateway, chat(), extra=b"X-Slow: " + b"a" * 1000))
        with contextlib.suppress(ConnectionError):
            connection.settimeout(0.1)
            while time.monotonic() - began < 6:
                connection.sendall(bytes([next(data)]))
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1, socket.MSG_PEEK):
                        break
        connection.settimeout(5)
        answer = read(connection)
        assert (answer.status, answer.code) == (408, "request_timeout")
        assert time.monotonic() - began < 5
        assert closed(connection)


def test_a_body_that_stays_away_is_cut_off_in_time(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, bare(gateway, b"Content-Length: 500\r\n", b'{"model"'))
        answer = read(connection)
        assert (answer.status, answer.code) == (408, "request_timeout")
        assert closed(connection)


def test_a_chunked_body_that_trickles_is_cut_off_in_time(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, bare(gateway, b"Transfer-Encoding: chunked\r\n"))
        began = time.monotonic()
        connection.settimeout(0.1)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 6:
                connection.sendall(b"1\r\nx\r\n")
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1, socket.MSG_PEEK):
                        break
        connection.settimeout(5)
        assert read(connection).code == "request_timeout"
        assert time.monotonic() - began < 5


def test_a_connection_that_says_nothing_is_closed(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        assert closed(connection)


def test_many_idle_and_half_open_connections_do_not_keep_others_out(gateway: Gateway) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(300):
            connection = stack.enter_context(gateway.connect())
            if number % 2:
                connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nX-A: ")
        assert healthy(gateway)


# ---- unusual, and fine ----------------------------------------------------------------------------------------------


def test_a_chunked_request_body_is_taken(gateway: Gateway) -> None:
    body = chat()
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7))
    assert gateway.ask(bare(gateway, b"Transfer-Encoding: chunked\r\n", pieces + b"0\r\n\r\n")).status == 200


def test_a_request_that_comes_byte_by_byte_is_taken(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        for byte in request(gateway, chat()):
            connection.sendall(bytes([byte]))
        assert read(connection).status == 200


def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        models = request(gateway, line=b"GET /v1/models HTTP/1.1")
        send(connection, request(gateway, chat()) + models + request(gateway, chat("nobody")) + models)
        answers = [read(connection) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 404, 200]
    assert json.loads(answers[0].body)["object"] == "chat.completion"
    assert json.loads(answers[1].body)["object"] == "list"


def test_many_pipelined_requests_are_all_answered(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, request(gateway, line=b"GET /v1/models HTTP/1.1") * 200)
        assert {read(connection).status for _ in range(200)} == {200}


def test_a_pipelined_request_after_a_bad_one_is_not_answered(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        good = request(gateway, line=b"GET /v1/models HTTP/1.1")
        send(connection, good + b"nonsense\r\n\r\n" + good)
        assert read(connection).status == 200
        assert read(connection).code == "bad_http"
        assert closed(connection)


def test_a_caller_cannot_fill_memory_while_its_call_is_in_progress(gateway: Gateway) -> None:
    """Nothing bounds how long an upstream may take, so what comes behind a call must be bounded by size."""
    with gateway.connect() as connection:
        send(connection, request(gateway, chat("slow")))
        time.sleep(0.2)
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 50_000_000)
        connection.settimeout(10)
        assert read(connection).status == 200
        assert read(connection).code == "headers_too_large"
        assert closed(connection)


def test_expect_100_continue_is_answered_before_the_body(gateway: Gateway) -> None:
    body = chat()
    with gateway.connect() as connection:
        send(connection, bare(gateway, b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(body)))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read(connection).status == 200


def test_expect_100_continue_of_a_body_that_is_too_large_is_refused_at_once(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, bare(gateway, b"Expect: 100-continue\r\nContent-Length: 999999\r\n"))
        assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 413"
        assert read(connection).code == "body_too_large"


def test_an_http_1_0_request_is_answered_and_the_connection_closed(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, request(gateway, chat(), line=b"POST /v1/chat/completions HTTP/1.0"))
        assert read(connection).status == 200
        assert closed(connection)


def test_an_http_1_0_request_has_no_chunks(gateway: Gateway) -> None:
    data = bare(gateway, b"Transfer-Encoding: chunked\r\n", CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0")
    assert gateway.ask(data).code == "bad_http"


def test_an_http_1_0_stream_is_not_chunked(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        send(connection, request(gateway, chat(stream=True), line=b"POST /v1/chat/completions HTTP/1.0"))
        answer = read(connection)
    assert "transfer-encoding" not in answer.headers
    assert b"data: [DONE]\n\n" in answer.body


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_an_upgrade_is_not_taken_up(gateway: Gateway, protocol: bytes) -> None:
    answer = gateway.ask(request(gateway, line=b"GET /v1/models HTTP/1.1", extra=UPGRADE % protocol))
    assert answer.status == 200
    assert "upgrade" not in answer.headers


@pytest.mark.parametrize("framing", ["length", "chunked", "in pieces", "twice"])
def test_a_request_that_offers_an_upgrade_is_served_with_its_body(gateway: Gateway, framing: str) -> None:
    """Some clients offer h2c with the first request of every connection, whatever it is."""
    body = chat()
    data = request(gateway, body, extra=UPGRADE % b"h2c")
    if framing == "chunked":
        data = bare(
            gateway, UPGRADE % b"h2c" + b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        )
    pieces = [data * 2] if framing == "twice" else [data]
    if framing == "in pieces":
        pieces = [data[start : start + 40] for start in range(0, len(data), 40)]
    with gateway.connect() as connection:
        for piece in pieces:
            send(connection, piece)
            time.sleep(0.001)
        answer = read(connection)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert closed(connection)


def test_the_reply_to_head_has_no_body(gateway: Gateway) -> None:
    for path, status in ((b"/v1/models", b"200"), (b"/v1/chat/completions", b"405")):
        with gateway.connect() as connection:
            send(connection, request(gateway, line=b"HEAD %b HTTP/1.1" % path) + request(gateway, chat()))
            seen = b""
            while seen.count(b"\r\n\r\n") < 2:
                seen += connection.recv(65536)
        head, _, following = seen.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %b " % status)
        assert re.search(rb"content-length: [1-9]", head), "of the body that another method would have had"
        assert following.startswith(b"HTTP/1.1 200 OK\r\n")


# ---- routes ---------------------------------------------------------------------------------------------------------

ROUTES = {
    b"GET /": (404, "not_found"),
    b"GET /v1/chat/completions": (405, "method_not_allowed"),
    b"DELETE /v1/models": (405, "method_not_allowed"),
    b"OPTIONS *": (404, "not_found"),
    b"CONNECT yett:443": (404, "not_found"),
    b"TRACE /v1/models": (405, "method_not_allowed"),
    b"POST /v1/../v1/chat/completions": (404, "not_found"),
    b"POST //v1/chat/completions": (404, "not_found"),
    b"POST /v1/chat%2Fcompletions": (404, "not_found"),
    b"POST /V1/CHAT/COMPLETIONS": (404, "not_found"),
    b"POST http://elsewhere/v1/chat/completions": (404, "not_found"),
    b"POST /v1/embeddings": (404, "not_found"),
    b"GET /metrics": (404, "not_found"),
    b"GET /yett/v1/calls/../../metrics": (404, "call_not_found"),
    b"GET /yett/v1/calls/nothing": (404, "call_not_found"),
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.decode())
def test_only_listed_routes_exist(gateway: Gateway, route: bytes) -> None:
    answer = gateway.ask(request(gateway, chat() if route.startswith(b"POST") else b"", line=route + b" HTTP/1.1"))
    assert (answer.status, answer.code) == ROUTES[route]


# ---- JSON -----------------------------------------------------------------------------------------------------------

DEEP = b"[" * 5_000 + b"]" * 5_000
BODIES = {
    "nothing": (b"", "invalid_json"),
    "no JSON": (b"hello", "invalid_json"),
    "half of it": (chat()[:40], "invalid_json"),
    "two values": (chat() + b"{}", "invalid_json"),
    "invalid UTF-8": (chat().replace(b"the prompt", b"\xff\xfe\x80"), "invalid_json"),
    "overlong UTF-8": (chat().replace(b"the prompt", b"\xc0\xaf"), "invalid_json"),
    "an encoded surrogate": (chat().replace(b"the prompt", b"\xed\xa0\x80"), "invalid_json"),
    "UTF-16": (chat().decode().encode("utf-16"), "invalid_json"),
    "a byte order mark": (b"\xef\xbb\xbf" + chat(), "invalid_json"),
    "half of a surrogate pair": (chat().replace(b"the prompt", b"\\ud800"), "invalid_json"),
    "surrogates in the wrong order": (chat().replace(b"the prompt", b"\\udc00\\ud800"), "invalid_json"),
    "NaN": (chat().replace(b'"fast"', b'"fast", "temperature": NaN'), "invalid_json"),
    "a control character in a string": (chat().replace(b"the prompt", b"a\nb"), "invalid_json"),
    "single quotes": (chat().replace(b'"', b"'"), "invalid_json"),
    "a comment": (chat().replace(b'"fast"', b'"fast" /* */'), "invalid_json"),
    "a list": (b"[]", "invalid_request"),
    "null": (b"null", "invalid_request"),
    "a string": (b'"hello"', "invalid_request"),
    "deep lists": (chat().replace(b'"fast"', b'"fast", "x": ' + DEEP), "json_too_deep"),
    "deep objects": (chat().replace(b'"fast"', b'"fast", "x": ' + b'{"a":' * 200 + b"1" + b"}" * 200), "json_too_deep"),
    "nothing but depth": (b"[" * 60_000, "json_too_deep"),
    "a key twice": (chat().replace(b'"fast"', b'"slow", "model": "fast"'), "duplicate_key"),
    "a key twice, once escaped": (chat().replace(b'"fast"', b'"slow", "mod\\u0065l": "fast"'), "duplicate_key"),
    "a key twice in a message": (chat().replace(b'"user"', b'"system", "role": "user"'), "duplicate_key"),
    "a key twice in what nobody reads": (
        chat().replace(b'"fast"', b'"fast", "x": [{"a": 1, "a": 2}]'),
        "duplicate_key",
    ),
    "a model that is a number": (chat().replace(b'"fast"', b"5"), "invalid_request"),
    "no model": (b'{"messages": [{"role": "user", "content": "x"}]}', "invalid_request"),
    "no messages": (b'{"model": "fast"}', "invalid_request"),
    "messages that are text": (b'{"model": "fast", "messages": "hello"}', "invalid_request"),
    "messages that are empty": (b'{"model": "fast", "messages": []}', "invalid_request"),
    "a message that is text": (b'{"model": "fast", "messages": ["hello"]}', "invalid_request"),
    "a role that is a number": (b'{"model": "fast", "messages": [{"role": 1, "content": "x"}]}', "invalid_request"),
    "stream that is text": (chat(stream="yes"), "invalid_request"),
    "stream that is a number": (chat(stream=1), "invalid_request"),
    "max_tokens below nought": (chat(max_tokens=-1), "invalid_request"),
    "max_tokens that is true": (chat(max_tokens=True), "invalid_request"),
    "max_tokens without end": (chat(max_tokens=10**30), "invalid_request"),
    "no choices": (chat(n=0), "invalid_request"),
    "stream options that are a list": (chat(stream_options=[]), "invalid_request"),
    "an unknown model": (chat("gpt-unheard-of"), "model_not_found"),
    "the provider's own name of a model": (chat("sim-gpt"), "model_not_found"),
    "a model with a path": (chat("../fast"), "model_not_found"),
    "a model with a line break": (chat("fast\r\nx-a: b"), "model_not_found"),
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies_that_are_not_what_the_route_takes(gateway: Gateway, case: str) -> None:
    body, code = BODIES[case]
    with gateway.connect() as connection:
        connection.sendall(request(gateway, body))
        answer = read(connection)
        assert (answer.status, answer.code) == (CODES[code].status, code)
        connection.sendall(request(gateway, chat()))
        assert read(connection).status == 200, "the framing was right, so the connection goes on"


def test_a_compressed_body_is_not_taken(gateway: Gateway) -> None:
    answer = gateway.ask(request(gateway, chat(), extra=b"Content-Encoding: gzip\r\n"))
    assert (answer.status, answer.code) == (415, "unsupported_encoding")


STRANGE = {
    "a surrogate pair": chat().replace(b"the prompt", b"\\ud83d\\ude00"),
    "what looks like a surrogate": chat().replace(b"the prompt", b"\\\\ud800"),
    "NUL": chat().replace(b"the prompt", b"\\u0000"),
    "a number of 4,000 digits": chat().replace(b'"fast"', b'"fast", "x": ' + b"9" * 4_000),
    "a number out of range": chat().replace(b'"fast"', b'"fast", "x": 1e999'),
    "20,000 keys": chat().replace(b'"fast"', b'"fast", "x": {%b}' % b",".join(b'"%d":0' % n for n in range(6_000))),
    "an empty key": chat().replace(b'"fast"', b'"fast", "": 1'),
    "content that is null": b'{"model": "fast", "messages": [{"role": "user", "content": null}]}',
    "a role nobody knows": chat().replace(b'"user"', b'"wizard"'),
}


@pytest.mark.parametrize("case", STRANGE)
def test_what_is_strange_but_json_is_answered_one_way_or_the_other(gateway: Gateway, case: str) -> None:
    answer = gateway.ask(request(gateway, STRANGE[case]))
    assert answer.status == 200 or answer.code in {"invalid_json", "invalid_request", "provider_rejected"}


# ---- keys -----------------------------------------------------------------------------------------------------------

STRANGER = mint(bytes(range(32)))
CREDENTIALS = {
    "none": ("", "missing_key"),
    "empty": ("Authorization: \r\n", "malformed_key"),
    "no token": ("Authorization: Bearer\r\n", "malformed_key"),
    "a provider's key": ("Authorization: Bearer sk-proj-0123456789abcdef\r\n", "malformed_key"),
    "basic": ("Authorization: Basic " + base64.b64encode(b"a:b").decode() + "\r\n", "malformed_key"),
    "truncated": ("Authorization: Bearer {short}\r\n", "malformed_key"),
    "one letter wrong": ("Authorization: Bearer {typo}\r\n", "malformed_key"),
    "of another installation": (f"Authorization: Bearer {STRANGER}\r\n", "invalid_key"),
    "revoked": ("Authorization: Bearer {revoked}\r\n", "revoked_key"),
    "two of them": ("Authorization: Bearer {key}\r\nAuthorization: Bearer {key}\r\n", "malformed_key"),
    "two in one": ("Authorization: Bearer {key}, Bearer {key}\r\n", "malformed_key"),
    "with text behind": ("Authorization: Bearer {key} or 1=1\r\n", "malformed_key"),
    "in another header": ("X-Api-Key: {key}\r\n", "missing_key"),
    "not ASCII": ("Authorization: Bearer ytk_live_\xe9\xff\r\n", "malformed_key"),
    "long": ("Authorization: Bearer " + "a" * 6_000 + "\r\n", "malformed_key"),
}


@pytest.mark.parametrize("case", CREDENTIALS)
@pytest.mark.parametrize("route", [b"POST /v1/chat/completions", b"GET /v1/models", b"GET /yett/v1/calls/x"])
def test_no_route_answers_without_a_good_key(gateway: Gateway, route: bytes, case: str) -> None:
    fields, code = CREDENTIALS[case]
    wrong = "0" if gateway.key[-1] != "0" else "1"
    keys = {"key": gateway.key, "revoked": gateway.revoked, "short": gateway.key[:-3], "typo": gateway.key[:-1] + wrong}
    head = route + b" HTTP/1.1\r\nHost: yett\r\n" + fields.format(**keys).encode("latin-1")
    body = chat()
    answer = gateway.ask(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    assert (answer.status, answer.code) == (401, code)
    assert not any(key.encode() in answer.body for key in keys.values()), "an answer never repeats a key"


def test_a_key_in_the_url_is_no_key(gateway: Gateway) -> None:
    line = b"GET /v1/models?api_key=" + gateway.key.encode() + b" HTTP/1.1\r\nHost: yett\r\n\r\n"
    answer = gateway.ask(line)
    assert answer.code == "missing_key"
    assert gateway.key.encode() not in answer.body


# ---- callers who go away --------------------------------------------------------------------------------------------


def eventually(gateway: Gateway, before: int, expected: dict[str, str]) -> dict[str, object]:
    """The first new outcome with these values; the record is written moments after the caller has gone."""
    found: list[dict[str, object]] = []
    for _ in range(20):
        found = gateway.outcomes()[before:]
        for outcome in found:
            if expected.items() <= outcome.items():
                return outcome
        time.sleep(0.2)
    raise AssertionError(f"no outcome with {expected} among {found}")


def test_a_caller_who_leaves_before_the_answer_is_recorded(gateway: Gateway) -> None:
    before = len(gateway.outcomes())
    with gateway.connect() as connection:
        connection.sendall(request(gateway, chat("slow")))
        time.sleep(0.5)
    eventually(gateway, before, {"model": "slow", "outcome": "disconnected"})
    assert healthy(gateway)


def test_a_caller_who_leaves_a_stream_is_recorded_and_pays_for_what_was_used(gateway: Gateway) -> None:
    before = len(gateway.outcomes())
    with gateway.connect() as connection:
        connection.sendall(request(gateway, chat("trickle", stream=True)))
        received = b""
        while received.count(b"data: ") < 5:
            received += connection.recv(4096)
    outcome = eventually(gateway, before, {"model": "trickle", "outcome": "disconnected"})
    usage = outcome["usage"]
    assert isinstance(usage, dict)
    assert usage["input"] > 0
    assert 0 < usage["output"] < 200
    assert healthy(gateway)


def test_a_caller_who_leaves_in_the_middle_of_a_body_leaves_nothing_behind(gateway: Gateway) -> None:
    reached = gateway.reached()
    for data in (b"P", b"POST /v1/chat", request(gateway, chat())[:-5]):
        with gateway.connect() as connection:
            connection.sendall(data)
    time.sleep(0.3)
    assert gateway.reached() == reached
    assert healthy(gateway)


def test_a_caller_who_resets_the_connection_harms_nobody(gateway: Gateway) -> None:
    for data in (b"", b"POST", request(gateway, chat("trickle", stream=True))):
        connection = gateway.connect()
        connection.sendall(data)
        time.sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()
    assert healthy(gateway)


# ---- the record -----------------------------------------------------------------------------------------------------


def test_refusals_reach_no_upstream_tell_nothing_and_are_recorded_once(gateway: Gateway) -> None:
    reached = gateway.reached()
    refused = [bare(gateway, fields, body) for fields, body in FRAMING.values()]
    refused += list(START_LINES.values())
    refused += [request(gateway, body) for body, _ in BODIES.values()]
    refused += [bare(gateway, fields) for fields, _, _ in SIZES.values()]
    answers = [gateway.ask(data) for data in refused]
    assert gateway.reached() == reached
    for answer in answers:
        assert PROMPT.encode() not in answer.body
        assert gateway.key.encode() not in answer.body
    ids = [answer.headers["x-yett-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    recorded = [outcome["call"] for outcome in gateway.outcomes()]
    assert [recorded.count(id) for id in ids] == [1] * len(ids)
