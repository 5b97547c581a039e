"""Callers by a token: verified once, and a reason for everybody else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.issuing import NOW, Authority
from tests.scene import Trust
from tests.stages.callers import CORP, MESH, bearer, known
from tests.stages.conftest import SECRET_KEY, keyed

from yett.config.snapshot import Snapshot, with_directories
from yett.errors import Refusal
from yett.identity.jws import read_keys
from yett.policy.memo import Memo
from yett.scim.directory import Changes, Directory, Person, Rules, place_of
from yett.stages.identify import MAX_CREDENTIAL, check
from yett.stages.identify_tokens import REFUSED_SECONDS


def code(snapshot: Snapshot, trust: Trust, token: bytes, now: float = NOW) -> str:
    with pytest.raises(Refusal) as caught:
        known(snapshot, bearer(token), trust, now)
    for part in token.split(b"."):
        assert not part or part.decode("latin-1") not in str(caught.value)
    return caught.value.code


def test_a_token_is_its_caller(issuing: Snapshot, trust: Trust) -> None:
    caller = known(issuing, bearer(CORP.token()), trust, NOW)
    assert (caller.id, caller.name, caller.team, caller.tenant, caller.kind) == (
        "corp/ada",
        "ada",
        "research",
        "default",
        "user",
    )
    assert (caller.assurance, caller.labels) == (2, (("env", "prod"), ("tier", "1")))
    credential = caller.credential
    assert (credential.kind, credential.issuer, credential.id, credential.models) == ("oidc", "corp", "t1", ("fast",))
    assert (credential.issued, credential.expires) == (NOW, NOW + 300)
    assert credential.fences == ("tenant:default", "team:default/research", "user:default/corp/ada")


def test_a_workload_is_its_caller(issuing: Snapshot, trust: Trust) -> None:
    id = "spiffe://example.org/ns/prod/helper"
    caller = known(issuing, bearer(MESH.sign(MESH.claims(iss=None, sub=id, jti=None), typ="JWT")), trust, NOW)
    assert (caller.id, caller.name, caller.kind, caller.assurance) == (id, "helper", "agent", 2)
    assert (caller.credential.kind, caller.credential.issuer) == ("svid", "example.org")
    assert caller.credential.id.startswith("sha256:")


def test_a_token_is_verified_once(issuing: Snapshot, trust: Trust) -> None:
    token = CORP.token()
    first = known(issuing, bearer(token), trust, NOW)
    assert known(issuing, bearer(token), trust, NOW + 300) is first
    assert code(issuing, trust, token, NOW + 330) == "expired_token"
    trust.known = {"corp": read_keys(Authority("https://idp.example", "k2").document())}
    assert known(issuing, bearer(token), trust, NOW) is first  # nobody has said that the keys are others
    trust.generation += 1
    assert code(issuing, trust, token) == "unknown_signing_key"


def test_equal_callers_are_alike_and_others_are_not(issuing: Snapshot, trust: Trust) -> None:
    def like(**claims: Any) -> str:
        return known(issuing, bearer(CORP.token(**claims)), trust, NOW).like

    assert like() == like(jti="t2", exp=NOW + 60)
    assert len({like(), like(sub="bob"), like(team="banned")}) == 3


def test_a_key_that_is_not_known_may_be_new(issuing: Snapshot, trust: Trust) -> None:
    rotated = Authority("https://idp.example", "k1", "k2")
    token = rotated.sign(rotated.claims(), "k2")
    trust.soon = {"corp": read_keys(rotated.document())}
    assert known(issuing, bearer(token), trust, NOW).id == "corp/ada"
    assert trust.asked == ["corp"]
    unknown = rotated.sign(rotated.claims(), "k2", kid="k3")
    assert code(issuing, trust, unknown) == "unknown_signing_key"
    assert code(issuing, trust, unknown) == "unknown_signing_key"  # which may change, so that it is not remembered
    assert trust.asked == ["corp"] * 3


def test_an_issuer_that_cannot_be_asked(issuing: Snapshot) -> None:
    away = Trust()
    with pytest.raises(Refusal) as caught:
        known(issuing, bearer(CORP.token()), away, NOW)
    assert (caught.value.code, caught.value.status, caught.value.retry) == ("issuer_unavailable", 503, True)
    away.known = {"corp": read_keys(CORP.document())}
    assert known(issuing, bearer(CORP.token()), away, NOW).id == "corp/ada"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (CORP.token(exp=NOW - 60, iat=NOW - 300), "expired_token"),
        (CORP.token(nbf=NOW + 60), "token_not_yet_valid"),
        (CORP.token(aud="other"), "wrong_audience"),
        (CORP.token(iss="https://other.example"), "unknown_issuer"),
        (CORP.token(team="nobody"), "unacceptable_token"),
        (CORP.token(cnf={"x5t#S256": ""}), "unacceptable_token"),
        (CORP.token(cnf={"x5t#S256": ["x"]}), "unacceptable_token"),
        (CORP.token(cnf={"x5t#S256": "x", "jkt": "x"}), "unacceptable_token"),  # which of them?
        (CORP.token(cnf={"x5t": "x"}), "unacceptable_token"),
        (CORP.token(cnf=["x5t#S256"]), "unacceptable_token"),
        (CORP.token(cnf={"jkt": "x", "jwk": {}}), "unacceptable_token"),
        (CORP.token(cnf={"jkt": ""}), "unacceptable_token"),
        (CORP.sign(CORP.claims(), alg="none"), "algorithm_refused"),
        (CORP.sign(CORP.claims(), alg="HS256"), "algorithm_refused"),
        (CORP.token()[:-9] + b"A" * 9, "invalid_signature"),
        (MESH.sign(CORP.claims()), "invalid_signature"),
        (b"ey.ey.ey", "malformed_token"),
        (b"sk-proj.5", "malformed_token"),
        (CORP.token(pad="x" * 9000), "token_too_large"),
    ],
)
def test_tokens_that_get_nobody_in(issuing: Snapshot, trust: Trust, token: bytes, expected: str) -> None:
    assert code(issuing, trust, token) == expected
    assert code(issuing, trust, token) == expected  # remembered or not
    assert trust.asked == []


def test_garbage_is_looked_at_once_a_minute(issuing: Snapshot, trust: Trust) -> None:
    garbage = CORP.token()[:-9] + b"A" * 9
    assert code(issuing, trust, garbage) == "invalid_signature"
    trust.known = {}  # whoever looks again finds no keys
    assert code(issuing, trust, garbage) == "invalid_signature"
    assert code(issuing, trust, garbage, NOW + REFUSED_SECONDS + 1) == "issuer_unavailable"
    trust.generation += 1
    assert code(issuing, trust, garbage) == "issuer_unavailable"


def test_without_issuers_there_are_no_tokens(snapshot: Snapshot, trust: Trust) -> None:
    assert code(snapshot, trust, CORP.token()) == "malformed_key"


def test_a_call_goes_on_when_its_token_expires_but_not_when_its_issuer_is_gone(issuing: Snapshot, trust: Trust) -> None:
    credential = known(issuing, bearer(CORP.token()), trust, NOW).credential
    check(credential, issuing, NOW + 9999)
    with pytest.raises(Refusal) as caught:
        check(credential, replace(issuing, issuers={}), NOW)
    assert caught.value.code == "unknown_issuer"


def test_a_key_gets_in_beside_issuers(issuing: Snapshot, trust: Trust) -> None:
    assert known(keyed(issuing), bearer(SECRET_KEY.encode()), trust).id == "key_1"
    with pytest.raises(Refusal) as caught:
        known(issuing, bearer(b"x" * (MAX_CREDENTIAL + 1)), trust)
    assert caught.value.code == "malformed_key"


# ---- directories ----------------------------------------------------------------------------------------------------

RULES = Rules("entra", "default", "userName", (("ml", "research"),), (("unit", place_of("department")),))


def person(**more: Any) -> Person:
    return replace(Person("u1", "ada", active=True, team="research", labels=(("unit", "Engines"),)), **more)


def become(directory: Directory, *people: Person, removed: tuple[str, ...] = ()) -> None:
    directory.take(Changes(people, removed, (1, ""), 1, complete=True))


@pytest.fixture
def directory() -> Directory:
    made = Directory(RULES)
    become(made, person())
    return made


@pytest.fixture
def listing(issuing: Snapshot, directory: Directory) -> Snapshot:
    """Callers of `corp` have to be in a directory."""
    corp = replace(issuing.issuers["https://idp.example"], directory="entra")
    issuers = {**issuing.issuers, corp.url: corp}
    return with_directories(replace(issuing, issuers=issuers, rules={"entra": RULES}), [directory])


def test_a_user_of_a_directory_has_its_team_and_labels(listing: Snapshot, trust: Trust) -> None:
    caller = known(listing, bearer(CORP.token()), trust, NOW)
    assert (caller.id, caller.team) == ("corp/ada", "research")
    assert ("unit", "Engines") in caller.labels
    assert caller.credential.origins == ("https://idp.example", "directory:entra/u1/research")
    assert known(listing, bearer(CORP.token()), trust, NOW) is caller, "remembered"


def test_a_change_of_the_directory_ends_what_was_remembered(
    listing: Snapshot, trust: Trust, directory: Directory
) -> None:
    caller = known(listing, bearer(CORP.token()), trust, NOW)
    become(directory, person(labels=()))
    assert ("unit", "Engines") not in known(listing, bearer(CORP.token()), trust, NOW).labels
    check(caller.credential, listing, NOW)  # what has begun goes on: the team is the same
    for changed, expected in (
        ((person(active=False),), "deactivated_user"),
        ((person(team=""),), "not_provisioned"),
        ((person(match="eve"),), "not_provisioned"),
        ((person(), person(id="u2")), "not_provisioned"),  # nobody can say which of them it is
    ):
        become(directory, *changed)
        assert code(listing, trust, CORP.token()) == expected
    become(directory, person(), removed=("u2",))
    become(directory, person(team="sales"))
    with pytest.raises(Refusal) as caught:
        check(caller.credential, listing, NOW)
    assert caught.value.code == "not_provisioned"
    become(directory, removed=("u1",))
    assert code(listing, trust, CORP.token()) == "not_provisioned"


def test_a_directory_that_is_read_by_other_rules_is_waited_for(
    listing: Snapshot, trust: Trust, directory: Directory
) -> None:
    caller = known(listing, bearer(CORP.token()), trust, NOW)
    other = with_directories(replace(listing, rules={"entra": replace(RULES, teams=())}), [directory])
    for snapshot in (other, replace(other, proven=Memo(8))):
        assert code(snapshot, trust, CORP.token()) == "directory_unavailable"
    with pytest.raises(Refusal):
        check(caller.credential, other, NOW)


def test_a_token_that_names_nobody_in_the_directory(listing: Snapshot, trust: Trust) -> None:
    corp = replace(listing.issuers["https://idp.example"], directory_claim="oid")
    other = replace(listing, issuers={**listing.issuers, corp.url: corp})
    for claims in ({}, {"oid": ["ada", "eve"]}, {"oid": ""}, {"oid": "x" * 256}):
        assert code(other, trust, CORP.token(**claims)) == "unacceptable_token"
    assert known(other, bearer(CORP.token(oid="ADA")), trust, NOW).team == "research"
