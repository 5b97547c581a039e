"""Who is calling: one way in, and a reason for everybody else that does not repeat what they sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.identity.test_dpop import THUMBPRINT, proof
from tests.issuing import NOW
from tests.scene import Trust, post
from tests.stages.callers import CORP, known
from tests.stages.conftest import SECRET_KEY, caller_of, keyed

from yett.config.snapshot import Snapshot
from yett.errors import CODES, Refusal
from yett.model.call import Inbound
from yett.stages.identify import MAX_CREDENTIAL, check


def refused(snapshot: Snapshot, authorization: bytes | None, now: float = 100.0) -> Refusal:
    headers = {} if authorization is None else {b"authorization": authorization}
    with pytest.raises(Refusal) as caught:
        known(snapshot, post(b"", headers), now=now)
    assert caught.value.status == 401
    return caught.value


def test_a_key_is_its_caller(snapshot: Snapshot) -> None:
    for scheme in (b"Bearer ", b"bearer ", b"BEARER  "):
        caller = known(snapshot, post(b"", {b"authorization": scheme + SECRET_KEY.encode()}))
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
    keys = keyed(snapshot, **fields)
    caller = caller_of(keys)
    if expected:
        assert refused(keys, b"Bearer " + SECRET_KEY.encode(), now).code == expected
        with pytest.raises(Refusal) as caught:
            check(caller.credential, keys, now)
        assert caught.value.code == expected
    else:
        check(caller.credential, keys, now)


def test_a_key_that_is_no_longer_there_was_revoked(snapshot: Snapshot) -> None:
    with pytest.raises(Refusal) as caught:
        check(caller_of(snapshot).credential, replace(snapshot, keys={}), 100.0)
    assert caught.value.code == "revoked_key"


@given(st.binary(max_size=80))
def test_nothing_else_gets_in(value: bytes) -> None:
    empty = Nobody()
    with pytest.raises(Refusal) as caught:
        known(empty, post(b"", {b"authorization": value}))  # type: ignore[arg-type]
    assert CODES[caught.value.code].status == 401


class Nobody:
    """As much of a snapshot as it takes to know nobody."""

    def __init__(self) -> None:
        self.pepper = b"p"
        self.callers: dict[bytes, object] = {}
        self.issuers: dict[str, object] = {}


# ---- possession ---------------------------------------------------------------------------------------------------


def showing(token: bytes, proof: bytes | None, scheme: bytes = b"DPoP") -> Inbound:
    headers = {b"authorization": scheme + b" " + token, b"host": b"yett.example"}
    return post(b"", headers if proof is None else {**headers, b"dpop": proof})


def test_a_bound_token_needs_its_key_for_every_call(issuing: Snapshot, trust: Trust) -> None:
    token = CORP.token(cnf={"jkt": THUMBPRINT})
    caller = known(issuing, showing(token, proof(token)), trust, NOW)
    assert (caller.id, caller.credential.shown) == ("corp/ada", THUMBPRINT)
    other = CORP.token(cnf={"jkt": "another"}, jti="t2")
    for inbound, expected in (
        (showing(token, proof(token)), "replayed_proof"),
        (showing(token, None), "proof_required"),
        (showing(token, None, b"Bearer"), "proof_required"),
        (showing(token, proof(token, jti="p2"), b"Bearer"), "proof_required"),
        (showing(token, proof(CORP.token(), jti="p3")), "invalid_proof"),
        (showing(token, proof(token, jti="p4", iat=NOW - 90)), "invalid_proof"),
        (showing(other, proof(other, jti="p5")), "invalid_proof"),
        (showing(CORP.token(), None), "proof_required"),
    ):
        with pytest.raises(Refusal) as caught:
            known(issuing, inbound, trust, NOW)
        assert (caught.value.code, caught.value.status) == (expected, 401)
    assert known(issuing, showing(token, proof(token, jti="p6")), trust, NOW).credential.shown


def test_a_key_may_be_shown_with_a_token_that_is_not_bound(issuing: Snapshot, trust: Trust) -> None:
    token = CORP.token()
    assert known(issuing, showing(token, proof(token), b"Bearer"), trust, NOW).credential.shown == THUMBPRINT
    with pytest.raises(Refusal) as caught:
        known(issuing, showing(token, b"nonsense", b"Bearer"), trust, NOW)
    assert caught.value.code == "invalid_proof"
