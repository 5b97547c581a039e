"""The lines of the access log: what they say, and what a caller cannot make them say."""

from __future__ import annotations

import json
import logging

import pytest

from yett.edge.log import LONGEST_KEPT, MOST_LINES, AccessLog, configure
from yett.model.record import Record
from yett.model.usage import Usage

OUTCOME = Record(
    kind="outcome",
    call="call_1",
    ts=1_767_225_600_007_999,
    caller="key_1",
    team="research",
    surface="openai_chat",
    model="fast",
    decision="allow",
    outcome="ok",
    status=200,
    target="openai/gpt-5-mini",
    usage=Usage(170, 0, 120, 410, estimated=False, prices="own"),
    ms=12.5,
    overhead_ms=0.25,
)
REFUSED = Record(
    kind="outcome", call="call_2", ts=0, outcome="refused", status=401, code="missing_key", ms=1.0, overhead_ms=1.0
)


def lines(format: str, *outcomes: Record) -> bytes:
    written: list[bytes] = []
    log = AccessLog(format, written.append)
    for outcome in outcomes:
        log.observe(outcome)
    log.flush()
    log.flush()  # nothing is written twice
    return b"".join(written)


def test_a_text_line_says_what_happened() -> None:
    assert lines("text", OUTCOME, REFUSED) == (
        b"2026-01-01T00:00:00.007Z info    call call=call_1 outcome=ok status=200 ms=12.5 overhead_ms=0.25 caller=key_1 "
        b"team=research surface=openai_chat model=fast decision=allow target=openai/gpt-5-mini tokens=290 cost_microusd=410\n"
        b"1970-01-01T00:00:00.000Z info    call call=call_2 outcome=refused status=401 ms=1.0 overhead_ms=1.0 "
        b"code=missing_key\n"
    )


def test_a_json_line_says_the_same() -> None:
    first, second = (json.loads(line) for line in lines("json", OUTCOME, REFUSED).splitlines())
    assert first == {
        "ts": "2026-01-01T00:00:00.007Z",
        "level": "info",
        "event": "call",
        "call": "call_1",
        "outcome": "ok",
        "status": 200,
        "caller": "key_1",
        "team": "research",
        "surface": "openai_chat",
        "model": "fast",
        "target": "openai/gpt-5-mini",
        "decision": "allow",
        "tokens": 290,
        "cost_microusd": 410,
        "ms": 12.5,
        "overhead_ms": 0.25,
    }
    assert second["code"] == "missing_key"
    assert "tokens" not in second


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize(
    "model", ["a\n2026-01-01T00:00:00.000Z info    call forged", 'x" status=200', "m" * (LONGEST_KEPT + 1)]
)
def test_a_callers_word_does_not_forge_a_line(format: str, model: str) -> None:
    written = lines(format, Record(kind="outcome", call="call_1", ts=1, model=model, outcome="refused", status=404))
    assert written.count(b"\n") == 1
    shown = model if model.isidentifier() else json.dumps(model)
    assert shown in written.decode()


def test_lines_are_written_in_batches() -> None:
    written: list[bytes] = []
    log = AccessLog("text", written.append)
    for _ in range(MOST_LINES - 1):
        log.observe(OUTCOME)
    assert not written
    log.observe(OUTCOME)
    assert [batch.count(b"\n") for batch in written] == [MOST_LINES]


@pytest.mark.parametrize("format", ["text", "json"])
def test_what_the_operator_is_told(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept = logging.getLogger("yett").handlers[:]
    logger = configure(format, "info")
    try:
        logger.debug("not said")
        logger.warning("reload\nrefused", extra={"fields": {"why": "yett.toml:1"}})
        try:
            int("bad")
        except ValueError:
            logger.exception("crashed")
    finally:
        logger.handlers[:] = kept
    first, second, *trace = capsys.readouterr().err.splitlines()
    if format == "json":
        assert json.loads(first)["event"] == "reload\nrefused"
        assert json.loads(first)["why"] == "yett.toml:1"
        assert "ValueError: " in json.loads(second)["trace"]
    else:
        assert first.endswith(" warning reload\\nrefused why=yett.toml:1")
        assert " error   crashed" in second
        assert trace[-1].startswith("ValueError: ")
