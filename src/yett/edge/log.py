"""Structured logs on standard error: one line per call, and what the operator has to know. Never a prompt, a key or a credential.

The line of a call is made from its outcome record, which holds names, numbers and codes only.
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from yett.model.record import Record

MOST_LINES = 512
LONGEST_KEPT = 128  # characters of a caller's word that may stay in a cache
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "ts": _time(int(record.created * 1e6)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        when = _time(int(record.created * 1e6))
        line = f"{when} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip()
        # A line break in a value would let a caller forge log lines.
        line = line.replace("\r", "\\r").replace("\n", "\\n")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(micros: int) -> str:
    """Microseconds since the epoch as RFC 3339, to the millisecond."""
    return f"{_second(micros // 1_000_000)}.{'%03d' % (micros // 1000 % 1000)}Z"  # noqa: UP031 - `:03d` takes twice as long


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def configure(format: str, level: str) -> logging.Logger:
    """Set up and return the `yett` logger. `format` is json or text."""
    logger = logging.getLogger("yett")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format == "json" else _Text())
    logger.handlers[:] = [handler]
    logger.setLevel(_LEVELS[level])
    logger.propagate = False
    return logger


class AccessLog:
    """Writes one line for each outcome, in batches: on the path of a call a line is one append to a list."""

    def __init__(self, format: str, write: Callable[[bytes], object]) -> None:
        self._render = _json_line if format == "json" else _text_line
        self._write = write
        self._lines: list[bytes] = []

    def observe(self, outcome: Record) -> None:
        self._lines.append(self._render(outcome))
        if len(self._lines) >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            lines, self._lines = self._lines, []
            self._write(b"".join(lines))


class _Line(msgspec.Struct, omit_defaults=True):
    ts: str
    level: str = ""
    event: str = ""
    call: str = ""
    outcome: str = ""
    status: int = 0
    code: str = ""
    caller: str = ""
    team: str = ""
    surface: str = ""
    model: str = ""
    target: str = ""
    decision: str = ""
    tokens: int = 0
    cost_microusd: int = 0
    ms: float = 0.0
    overhead_ms: float = 0.0


def _line(record: Record) -> _Line:
    usage = record.usage
    return _Line(
        _time(record.ts),
        "info",
        "call",
        record.call,
        record.outcome,
        record.status,
        record.code,
        record.caller,
        record.team,
        record.surface,
        record.model,
        record.target,
        record.decision,
        usage.total if usage else 0,
        usage.cost if usage else 0,
        record.ms,
        record.overhead_ms,
    )


_encode = msgspec.json.Encoder().encode


def _json_line(record: Record) -> bytes:
    return _encode(_line(record)) + b"\n"


def _text_line(record: Record) -> bytes:
    model, usage = record.model, record.usage
    about = _about if len(model) <= LONGEST_KEPT else _about.__wrapped__
    fields = about(record.code, record.caller, record.team, record.surface, model, record.decision, record.target)
    if usage is not None and usage.total:
        fields += f" tokens={usage.total} cost_microusd={usage.cost}"
    return (
        f"{_time(record.ts)} info    call call={record.call} outcome={record.outcome} status={record.status}"
        f" ms={record.ms} overhead_ms={record.overhead_ms}{fields}\n"
    ).encode()


@lru_cache(maxsize=1024)
def _about(code: str, caller: str, team: str, surface: str, model: str, decision: str, target: str) -> str:
    """The part of a line that many calls have in common."""
    fields = f" code={code}" if code else ""
    if caller:
        fields += f" caller={caller} team={team}"
    if surface:
        fields += f" surface={surface}"
    if model:
        # The caller's word: JSON's escapes keep it from forging log lines.
        fields += f" model={model if model.isidentifier() else _encode(model).decode()}"
    if decision:
        fields += f" decision={decision}"
    if target:
        fields += f" target={target}"
    return fields
