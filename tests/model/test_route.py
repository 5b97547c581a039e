"""A Secret gives itself away only when asked."""

from __future__ import annotations

import copy
import pickle

import msgspec
import pytest

from yett.model.route import Provider, Secret, Timeouts

WORD = "hunter2"


def test_only_reveal_reveals() -> None:
    secret = Secret(WORD)
    assert secret.reveal() == WORD
    provider = Provider("p", "openai", "http://x", (), (secret,), Timeouts())
    assert all(
        WORD not in shown for shown in (str(secret), repr(secret), f"{secret!s:>30}", repr(provider), repr([secret]))
    )


def test_equal_secrets_are_equal() -> None:
    assert Secret(WORD) == Secret(WORD)
    assert Secret(WORD) != Secret("other")
    assert Secret(WORD) != WORD
    assert len({Secret(WORD), Secret(WORD)}) == 1


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, msgspec.json.encode, msgspec.to_builtins])
def test_it_is_not_serialised(write: object) -> None:
    with pytest.raises((TypeError, NotImplementedError)):
        write(Secret(WORD))  # type: ignore[operator]
