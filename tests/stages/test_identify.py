"""Who is calling: one way in, and a reason for everybody else that does not repeat what they sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.scene import post
from tests.stages.conftest import SECRET_KEY, caller_of, keyed

from yett.config.snapshot import Snapshot
from yett.errors import CODES, Refusal
from yett.stages.identify import MAX_CREDENTIAL, check, identify


def refused(snapshot: Snapshot, authorization: bytes | None, now: float = 100.0) -> Refusal:
    headers = {} if authorization is None else {b"authorization": authorization}
    with pytest.raises(Refusal) as caught:
        identify(post(b"", headers), snapshot, now)
    assert caught.value.status == 401
    return caught.value


def test_a_key_is_its_caller(snapshot: Snapshot) -> None:
    for scheme in (b"Bearer ", b"bearer ", b"BEARER  "):
        caller = identify(post(b"", {b"authorization": scheme + SECRET_KEY.encode()}), snapshot, 100.0)
        assert (caller.id, caller.team, caller.tenant, caller.assurance) == ("key_1", "research", "default", 0)


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, "missing_key"),
        (b"", "malformed_key"),
        (b"Bearer", "malformed_key"),
        (b"Bearer ", "malformed_key"),
        (b"Basic " + SECRET_KEY.encode(), "malformed_key"),
        (SECRET_KEY.encode(), "malformed_key"),
        (b"Bearer sk-something-else", "malformed_key"),
        (b"Bearer \xff\xfe", "malformed_key"),
        (b"Bearer " + SECRET_KEY[:-1].encode(), "malformed_key"),
        (b"Bearer " + b"x" * (MAX_CREDENTIAL + 1), "malformed_key"),
        # two fields of the same name arrive joined (RFC 9110 section 5.3)
        (b"Bearer %b, Bearer %b" % (SECRET_KEY.encode(), SECRET_KEY.encode()), "malformed_key"),
        (b"Bearer ytk_live_" + b"0" * 43 + b"_" + b"0" * 6, "malformed_key"),
    ],
)
def test_everybody_else_is_told_why(snapshot: Snapshot, authorization: bytes | None, expected: str) -> None:
    refusal = refused(snapshot, authorization)
    assert refusal.code == expected
    sent = (authorization or b"").partition(b" ")[2].decode("latin-1")
    assert not sent or sent not in str(refusal)


def test_a_well_formed_key_that_nobody_issued(snapshot: Snapshot) -> None:
    assert refused(replace(snapshot, callers={}), b"Bearer " + SECRET_KEY.encode()).code == "invalid_key"


@pytest.mark.parametrize(
    ("fields", "now", "expected"),
    [
        ({"revoked": 100}, 99.9, ""),
        ({"revoked": 100}, 100.0, "revoked_key"),
        ({"expires": 100}, 99.9, ""),
        ({"expires": 100}, 100.0, "expired_key"),
        ({"revoked": 50, "expires": 50}, 100.0, "revoked_key"),
        ({}, 1e12, ""),
    ],
)
def test_times(snapshot: Snapshot, fields: dict[str, int], now: float, expected: str) -> None:
    known = keyed(snapshot, **fields)
    caller = caller_of(known)
    if expected:
        assert refused(known, b"Bearer " + SECRET_KEY.encode(), now).code == expected
        with pytest.raises(Refusal) as caught:
            check(caller.credential, known, now)
        assert caught.value.code == expected
    else:
        check(caller.credential, known, now)


def test_a_key_that_is_no_longer_there_was_revoked(snapshot: Snapshot) -> None:
    with pytest.raises(Refusal) as caught:
        check(caller_of(snapshot).credential, replace(snapshot, keys={}), 100.0)
    assert caught.value.code == "revoked_key"


@given(st.binary(max_size=80))
def test_nothing_else_gets_in(value: bytes) -> None:
    empty = Nobody()
    with pytest.raises(Refusal) as caught:
        identify(post(b"", {b"authorization": value}), empty, 0.0)  # type: ignore[arg-type]
    assert CODES[caught.value.code].status == 401


class Nobody:
    """As much of a snapshot as it takes to know nobody."""

    def __init__(self) -> None:
        self.pepper = b"p"
        self.callers: dict[bytes, object] = {}
