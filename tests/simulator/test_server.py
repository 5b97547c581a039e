"""The simulator over real sockets: exact when it behaves, exactly broken when it is asked to be."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import gzip
import ipaddress
import json
import ssl
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from yett.simulator.server import Simulator
from yett.simulator.settings import Layers, Settings

EVENT = "chat.completion.chunk"


def events(heard: object) -> list[dict[str, object]]:
    return [json.loads(event) for event in heard.events if event != "[DONE]"]  # type: ignore[attr-defined]


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close, and let the loop see the end of it, so that nothing is left to the garbage collector."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def eventually(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


# ---- when it behaves ------------------------------------------------------------------------------------------------


async def test_a_buffered_answer(simulator: Simulator, ask) -> None:
    heard = await ask()
    body = json.loads(heard.body)
    assert heard.status == 200
    assert b"content-length: %d" % len(heard.body) in heard.head
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "You said: hello there",
        "refusal": None,
        "annotations": [],
    }
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
    assert simulator.requests[0].outcome == "answered"


async def test_a_stream_as_openai_sends_it(ask) -> None:
    heard = await ask(stream=True, stream_options={"include_usage": True})
    chunks = events(heard)
    assert heard.events[-1] == "[DONE]"
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert heard.content == ["You", " said:", " hello", " there"]
    assert chunks[-2]["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens"] == 10
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    assert all(chunk["object"] == EVENT for chunk in chunks)
    assert len({chunk["id"] for chunk in chunks}) == 1


async def test_a_stream_without_usage_has_no_usage(ask) -> None:
    assert all("usage" not in chunk for chunk in events(await ask(stream=True)))


async def test_the_same_question_gets_the_same_bytes(ask) -> None:
    first, second = await ask(stream=True, n=2), await ask(stream=True, n=2)
    assert first.body == second.body
    assert {chunk["choices"][0]["index"] for chunk in events(first)} == {0, 1}


async def test_streamed_tool_calls(ask) -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    heard = await ask("sim+pieces=4", 'look({"at": "it"})', stream=True, tools=tools)
    deltas = [chunk["choices"][0]["delta"] for chunk in events(heard)]
    assert deltas[0]["content"] is None
    assert deltas[1]["tool_calls"][0]["function"] == {"name": "look", "arguments": ""}
    assert "".join(delta["tool_calls"][0]["function"]["arguments"] for delta in deltas[2:-1]) == '{"at": "it"}'
    assert events(heard)[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_what_was_received_is_kept_byte_for_byte(simulator: Simulator) -> None:
    body = b'{"model" : "sim-gpt", "x":1.10, "messages":[{"role":"user","content":"caf\xc3\xa9 \\u00e9"}]}'
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHoSt: a\r\nX-Twice: 1\r\nx-twice:  2 \r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
    writer.write(b"GET /sim/requests?last=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    raw = await reader.read()
    await closed(writer)
    [received] = simulator.requests
    assert received.body == body
    assert received.headers == (("HoSt", "a"), ("X-Twice", "1"), ("x-twice", "2 "), ("Transfer-Encoding", "chunked"))
    told = json.loads(raw.rpartition(b"\r\n\r\n")[2])
    assert told["total"] == 1
    assert base64.b64decode(told["requests"][0]["body_base64"]) == body
    assert told["requests"][0]["body"] == body.decode()
    assert told["requests"][0]["headers"][1] == ["X-Twice", "1"]


async def test_pipelined_requests_are_answered_in_order(simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    for text, words, last in (
        ("one", "+latency.first_byte=30ms", b""),
        ("two", "", b""),
        ("three", "", b"Connection: close\r\n"),
    ):
        body = json.dumps(
            {"model": f"sim{words}", "stream": text == "two", "messages": [{"role": "user", "content": text}]}
        ).encode()
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n%bContent-Length: %d\r\n\r\n%b" % (last, len(body), body)
        )
    raw = (await reader.read()).decode()
    await closed(writer)
    assert raw.index("said: one") < raw.index('" two"') < raw.index("said: three")
    assert raw.count("HTTP/1.1 200 OK") == 3


async def test_expect_100_continue(simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert b" 400 Bad Request" in await reader.read()
    await closed(writer)


async def test_http_1_0_gets_a_body_that_ends_with_the_connection(ask) -> None:
    heard = await ask(stream=True, version="1.0")
    assert b"transfer-encoding" not in heard.head
    assert heard.events[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /v1/chat/completions", 405),
        (b"POST /v1/models", 405),
        (b"GET /v1/files", 404),
        (b"GET /sim/nothing", 404),
        (b"GET /v1/models", 200),
        (b"GET /onprem/v1/models", 200),
        (b"POST /v1/chat/completions", 400),
        (b"NONSENSE", 400),
        (b"GET /%ff%00", 404),
    ],
)
async def test_routes(simulator: Simulator, request_line: bytes, status: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(request_line + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    raw = await reader.read()
    await closed(writer)
    assert raw.startswith(b"HTTP/1.1 %d " % status)
    json.loads(raw.partition(b"\r\n\r\n")[2])


async def test_a_body_that_is_too_large() -> None:
    async with Simulator(settings=Settings(max_body_bytes=100)) as simulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n" + b"x" * 200)
        assert b" 413 " in await reader.read()
        await closed(writer)


async def test_configured_keys_and_strict_models() -> None:
    async with Simulator(settings=Settings(keys=("sk-good",), models=("sim-gpt",), strict=True)) as simulator:

        async def post(key: str, model: str) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
            body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x"}]}).encode()
            authorization = f"Authorization: {key}\r\n".encode() if key else b""
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + authorization)
            writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            raw = await reader.read()
            await closed(writer)
            return raw

        assert b" 200 OK" in await post("Bearer sk-good", "sim-gpt+chunks=2")
        wrong = await post("Bearer sk-wrong-key-0001", "sim-gpt")
        assert b" 401 " in wrong
        assert b"invalid_api_key" in wrong
        assert b"sk-wrong-key-0001" not in wrong
        assert b" 401 " in await post("", "sim-gpt")
        assert b" 401 " in await post("Basic sk-good", "sim-gpt")
        assert b"model_not_found" in await post("bearer sk-good", "other")


async def test_tls(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=certificate)
    server.load_cert_chain(certificate)
    async with Simulator(tls=server) as simulator:
        assert simulator.url == f"https://127.0.0.1:{simulator.port}"
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port, ssl=client)
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"sim-large" in await reader.read()
        await closed(writer)


def make_certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "simulator.pem"
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


# ---- when it is asked to fail -----------------------------------------------------------------------------------------


async def test_statuses(ask) -> None:
    heard = await ask("sim+status=429+retry_after=1+header.x-region=eu")
    assert heard.status == 429
    assert b"retry-after: 1" in heard.head
    assert b"x-region: eu" in heard.head
    assert json.loads(heard.body)["error"]["code"] == "rate_limit_exceeded"
    heard = await ask("sim+status=500+code=boom+message=the%20text", stream=True)
    assert json.loads(heard.body)["error"] == {
        "message": "the text",
        "type": "server_error",
        "param": None,
        "code": "boom",
    }
    assert (await ask("sim+status=401")).status == 401
    assert (await ask("sim+status=418")).status == 418
    assert (await ask("sim+statsu=1")).status == 400


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("word", "ended", "outcome"),
    [("reset", "reset", "reset"), ("cut", "closed", "cut"), ("hang", "silent", "disconnected")],
)
@pytest.mark.parametrize("moment", ["head", "body", "chunk:2", "chunk:99", "end"])
async def test_every_breakage_at_every_moment(
    simulator: Simulator, ask, *, stream: bool, word: str, ended: str, outcome: str, moment: str
) -> None:
    whole = await ask("sim", "a b c d", stream=stream)
    heard = await ask(f"sim+{word}={moment}", "a b c d", stream=stream, silence=0.15 if word == "hang" else 10.0)
    assert heard.ended == ended
    if moment == "head":
        assert heard.raw == b""
    elif moment == "body":
        assert heard.raw.endswith(b"\r\n\r\n")
        assert heard.body == b""
    elif stream:
        assert b"[DONE]" not in heard.raw
        assert len(heard.content) == {"chunk:2": 2}.get(moment, 6)
        assert ('"finish_reason":"stop"' in heard.events[-1]) == (moment == "end")
    else:
        assert whole.body.startswith(heard.body)
        assert len(heard.body) == (len(whole.body) - 1 if moment == "end" else len(whole.body) // 2)
    await eventually(lambda: simulator.requests[-1].outcome == outcome)


async def test_missing_terminators(ask) -> None:
    without_done = await ask("sim+no_done", stream=True)
    assert '"finish_reason":"stop"' in without_done.events[-1]
    assert without_done.raw.endswith(b"0\r\n\r\n")
    without_finish = await ask("sim+no_finish", stream=True)
    assert '"content":" there"' in without_finish.events[-1]


async def test_an_error_in_the_middle_of_a_stream(ask) -> None:
    heard = await ask("sim+error=chunk:1", stream=True)
    assert json.loads(heard.events[-1])["error"]["type"] == "server_error"
    assert heard.raw.endswith(b"0\r\n\r\n")


async def test_malformed_streams(ask) -> None:
    with pytest.raises(json.JSONDecodeError):
        events(await ask("sim+malformed=json+malformed.at=0", stream=True))
    assert b'"content":"\xff\xfe' in (await ask("sim+malformed=utf8", stream=True)).body
    assert '"choices":null,"service_tier"' in (await ask("sim+malformed=shape", stream=True)).events[2]
    assert b"\r\nzz\r\n" in (await ask("sim+malformed=chunked", stream=True)).raw
    assert b"content-length: 1000000010" in (await ask("sim+malformed=length_long", stream=True)).head
    short = await ask("sim+malformed=length_short", stream=True)
    assert b"content-length: 90" in short.head
    assert len(short.raw) > 1000
    both = await ask("sim+malformed=both_lengths", stream=True)
    assert b"content-length" in both.head
    assert b"transfer-encoding" in both.head
    assert b"content-encoding: gzip" in (await ask("sim+malformed=gzip", stream=True)).head


@pytest.mark.parametrize("stream", [False, True])
async def test_malformed_replies(ask, *, stream: bool) -> None:
    assert not (await ask("sim+malformed=http", stream=stream)).raw.startswith(b"HTTP")
    assert b"text/html" in (await ask("sim+malformed=html", stream=stream)).head
    assert b"content-length: 0" in (await ask("sim+malformed=empty", stream=stream)).head
    assert len((await ask("sim+malformed=huge_head", stream=stream)).head) > 1_000_000


async def test_malformed_bodies(ask) -> None:
    whole = (await ask("sim")).body
    assert (await ask("sim+malformed=json")).body == whole[: len(whole) // 2]
    assert json.loads((await ask("sim+malformed=shape")).body)["choices"] is None
    with pytest.raises(UnicodeDecodeError):
        (await ask("sim+malformed=utf8")).body.decode()
    assert (await ask("sim+malformed=chunked")).raw.endswith(b"zz\r\n")
    assert b"content-length: %d" % (len(whole) + 10) in (await ask("sim+malformed=length_long")).head
    assert b"content-length: %d" % (len(whole) - 10) in (await ask("sim+malformed=length_short")).head
    both = await ask("sim+malformed=both_lengths")
    assert b"content-length: %d" % len(whole) in both.head
    assert both.body == whole


async def test_gzip(ask) -> None:
    plain, packed = await ask(), await ask("sim-gpt+gzip")
    assert json.loads(gzip.decompress(packed.body))["choices"] == json.loads(plain.body)["choices"]
    stream = await ask("sim-gpt+gzip", stream=True)
    assert zlib.decompress(stream.body, wbits=31).decode().endswith("data: [DONE]\n\n")


async def test_pieces_that_ignore_events(simulator: Simulator, ask) -> None:
    whole = await ask("sim", stream=True)
    framed = await ask("sim+frame=7", stream=True)
    assert len(framed.body) == len(whole.body)
    assert b"\r\n7\r\n" in framed.raw
    assert simulator.requests[-1].writes > 200
    assert json.loads((await ask("sim+frame=100")).body)


async def test_styles_of_sse(ask) -> None:
    heard = await ask("sim+sse.crlf+sse.comments", stream=True)
    assert b"\n" not in heard.body.replace(b"\r\n", b"")[:-14]
    assert heard.body.startswith(b": keep-alive\r\n\r\ndata: ")


async def test_connections_that_end(simulator: Simulator, ask) -> None:
    ended = await ask("sim+eof", connection="keep-alive")
    assert ended.ended == "closed"
    assert b"connection: close" in ended.head
    assert b"content-length" not in ended.head
    dropped = await ask("sim+drop", connection="keep-alive")
    assert dropped.ended == "closed"
    assert b"connection: close" not in dropped.head
    assert simulator.requests[-1].outcome == "answered"


async def test_latency_in_every_phase(ask) -> None:
    began = time.monotonic()
    await ask("sim+latency.first_byte=50ms+latency.body=50ms+latency.between_chunks=20ms+latency.end=50ms", stream=True)
    assert time.monotonic() - began >= 0.05 * 3 + 0.02 * 3 - 0.01
    began = time.monotonic()
    await ask("sim+latency.first_byte=40ms+latency.body=40ms+latency.end=40ms")
    assert time.monotonic() - began >= 0.11


async def test_failures_that_end(simulator: Simulator, ask) -> None:
    assert [(await ask("sim+status=500+fail.first=2")).status for _ in range(4)] == [500, 500, 200, 200]
    assert [(await ask("sim+status=429+fail.key=0002", key=key)).status for key in ("sk-0001", "sk-0002")] == [200, 429]
    simulator.reset()
    assert simulator.requests == []
    assert (await ask("sim+status=500+fail.first=2")).status == 500


async def test_behaviour_changes_while_it_runs(simulator: Simulator, ask) -> None:
    simulator.behave("status=503+fail.first=1", model="sim-gpt")
    assert [(await ask()).status, (await ask()).status, (await ask("other")).status] == [503, 200, 200]
    simulator.behave("status=500", provider="onprem")
    onprem = await ask("other", path="/onprem/v1/chat/completions")
    assert [onprem.status, (await ask("other")).status, (await ask()).status] == [500, 200, 200]
    simulator.behave("status=504")
    assert (await ask("other")).status == 504
    simulator.behave("")
    assert (await ask("other")).status == 200


async def test_a_change_is_on_top_of_the_configuration() -> None:
    layers = Layers(models={"sim": {"status": "418", "code": "teapot"}}, providers={"a": {"status": "500"}})
    simulator = Simulator(settings=Settings(layers=layers))
    for words, code, status in (("status=429", "teapot", 429), ("code=other", "other", 418), ("", "teapot", 418)):
        simulator.behave(words, model="sim")
        simulator.behave(words, provider="a")
        behaviour = simulator.service._layers.behaviour("a", "sim")
        assert (behaviour.code, behaviour.status) == (code, status)
    assert simulator.service._layers == layers


async def test_control_over_http(simulator: Simulator, ask) -> None:
    async def control(method: bytes, path: bytes, body: bytes = b"") -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        writer.write(
            b"%b %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
            % (method, path, len(body), body)
        )
        raw = await reader.read()
        await closed(writer)
        return int(raw[9:12]), raw.partition(b"\r\n\r\n")[2]

    assert (await control(b"POST", b"/sim/behave", b'{"behaviour":"status=500","model":"sim-gpt"}'))[0] == 200
    assert (await ask()).status == 500
    assert (await control(b"POST", b"/sim/behave", b'{"behaviour":"statsu=500"}'))[0] == 400
    assert (await control(b"POST", b"/sim/behave", b"{"))[0] == 400
    assert json.loads((await control(b"GET", b"/sim/requests"))[1])["requests"][0]["outcome"] == "answered"
    assert (await control(b"POST", b"/sim/reset"))[0] == 200
    assert json.loads((await control(b"GET", b"/sim/requests"))[1])["requests"] == []
    assert (await ask()).status == 200


async def test_the_recording_is_bounded() -> None:
    async with Simulator(settings=Settings(record_requests=3, record_bytes=250)) as simulator:
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        for number in range(10):
            size = 100 if number < 9 else 400
            writer.write(b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size))
            await reader.readuntil(b"\r\n\r\n")
            if number == 5:
                assert [received.number for received in simulator.requests] == [4, 5]
        await eventually(lambda: simulator.service.recording.total == 10)
        assert simulator.requests == []
        await closed(writer)


async def test_a_client_that_leaves_is_noticed(simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    body = b'{"model":"sim+chunks=1000+latency.between_chunks=5ms","stream":true,"messages":[{"role":"user","content":"x"}]}'
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await reader.readuntil(b'"content":" said:')
    assert simulator.connections == 1
    await closed(writer)
    await eventually(lambda: simulator.requests[0].outcome == "disconnected" and simulator.connections == 0)
    assert simulator.requests[0].writes < 900


async def test_a_client_that_does_not_read_is_waited_for(simulator: Simulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port, limit=1024)
    body = b'{"model":"sim+size=30m","stream":true,"messages":[{"role":"user","content":"x"}]}'
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    await eventually(lambda: bool(simulator.requests))
    seen = -1
    while (written := simulator.requests[0].writes) != seen:  # until nothing moves any more
        seen = written
        await asyncio.sleep(0.3)
    assert 0 < written < 1_900
    assert simulator.requests[0].outcome == "open"
    size = 0
    while piece := await reader.read(1 << 20):
        size += len(piece)
    assert size > 30_000_000
    await closed(writer)


@pytest.mark.parametrize("tls", [False, True])
def test_breakages_under_uvloop(tmp_path: Path, *, tls: bool) -> None:
    """The command runs on uvloop, whose transports and sockets are not asyncio's."""
    certificate = make_certificate(tmp_path)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=certificate)
    server.load_cert_chain(certificate)

    async def outcomes() -> list[tuple[str, bytes]]:
        heard = []
        async with Simulator(tls=server if tls else None) as simulator:
            for words in ("", "+reset=chunk:2", "+cut=chunk:2", "+reset=head", "+drop"):
                reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port, ssl=client if tls else None)
                body = json.dumps(
                    {"model": f"sim{words}", "stream": True, "messages": [{"role": "user", "content": "a b"}]}
                )
                head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                writer.write(head.encode())
                try:
                    raw = await reader.readuntil(b"0\r\n\r\n")
                except asyncio.IncompleteReadError as error:
                    raw = error.partial
                except ConnectionResetError:
                    raw = b"reset"
                await closed(writer)
                heard.append((simulator.requests[-1].outcome, raw))
        return heard

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        whole, reset, cut, early, dropped = runner.run(outcomes())
    assert [outcome for outcome, _ in (whole, reset, cut, early, dropped)] == [
        "answered",
        "reset",
        "cut",
        "reset",
        "answered",
    ]
    assert whole[1].endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert dropped[1].endswith(b"0\r\n\r\n")
    assert b"said:" in cut[1]
    assert early[1] in {b"", b"reset"}
    if not tls:
        assert (reset[1], early[1]) == (b"reset", b"reset")
