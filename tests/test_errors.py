"""The error table is whole, and errors carry the fact that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

import yett
from yett.errors import CODES, ConfigurationError, IntegrityError, Mistake, Refusal, YettError


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_is_its_row(code: str) -> None:
    row, refusal = CODES[code], Refusal(code)
    assert (refusal.status, refusal.type, refusal.fault, refusal.retry) == (row.status, row.type, row.fault, row.retry)
    assert str(refusal) == row.meaning
    assert 400 <= row.status < 600
    assert row.fault in ("caller", "policy", "limit", "upstream", "gateway")
    assert row.meaning.endswith(".")
    assert str(Refusal(code, "other words")) == "other words"
    # SDKs retry 408, 409, 429 and 5xx by themselves; a status that says so and a row that does not would cost for nothing
    assert not row.retry or row.status in (408, 409, 429) or row.status >= 500


def test_every_code_can_occur() -> None:
    sources = [path for path in Path(yett.__file__).parent.rglob("*.py") if path.name != "errors.py"]
    code = "".join(path.read_text("utf-8") for path in sources)
    assert [name for name in CODES if f'"{name}"' not in code] == []


def test_an_unknown_code_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Refusal("no_such_code")


def test_mistakes_say_where() -> None:
    mistakes = (Mistake("yett.toml", 3, "wrong"), Mistake("a.cedar", 0, "unreadable"))
    error = ConfigurationError(mistakes)
    assert str(error) == "yett.toml:3: wrong\na.cedar: unreadable"
    assert error.mistakes == mistakes


def test_everything_is_a_yett_error() -> None:
    assert all(issubclass(kind, YettError) for kind in (ConfigurationError, IntegrityError, Refusal))
