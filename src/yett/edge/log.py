"""Structured logs on standard error: one line per call, and what the operator has to know. Never a prompt, a key or a credential.

The line of a call is made from its outcome record, which holds names, numbers and codes only.
"""

from __future__ import annotations

import datetime
import logging
import sys
from typing import Any

import msgspec

from yett.model.record import Record

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "ts": _time(record.created),
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
        line = f"{_time(record.created)} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip()
        # A line break in a value would let a caller forge log lines.
        line = line.replace("\r", "\\r").replace("\n", "\\n")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(created: float) -> str:
    return datetime.datetime.fromtimestamp(created, datetime.UTC).isoformat(timespec="milliseconds")


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
    """Writes one line for each outcome."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def observe(self, outcome: Record) -> None:
        if not self._logger.isEnabledFor(logging.INFO):
            return
        fields: dict[str, Any] = {"call": outcome.call, "outcome": outcome.outcome, "status": outcome.status}
        for name in ("code", "caller", "team", "surface", "model", "target", "decision"):
            if value := getattr(outcome, name):
                fields[name] = value
        if outcome.usage is not None and outcome.usage.total:
            fields["tokens"] = outcome.usage.total
            fields["cost_microusd"] = outcome.usage.cost
        fields["ms"] = outcome.ms
        fields["overhead_ms"] = outcome.overhead_ms
        self._logger.info("call", extra={"fields": fields})
