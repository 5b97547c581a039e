"""What the stores of keys, fences and sessions do, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contracts.conftest import Open, new_database
from tests.servers import Postgres

from yett.errors import IntegrityError
from yett.model.key import Budget, Limits
from yett.model.operator import Identity
from yett.stores.database import FileDatabase
from yett.stores.facts import Facts
from yett.stores.fences import Event, FenceStore
from yett.stores.keys import KeyMistake, KeyStore, NewKey
from yett.stores.operators import CODE_SECONDS, Emergency, OperatorStore
from yett.stores.postgres import PostgresDatabase
from yett.stores.sqlite import Migration, StoreUnavailable

FULL = NewKey(
    "ci", "research", 5000, ("fast",), Limits(rpm=10, budget=Budget(5, "month")), (("z", "1"), ("env", "prod"))
)
PEPPER = b"p" * 32


@pytest.fixture
def keys(open_database: Open, tmp_path: Path) -> KeyStore:
    return KeyStore.open(tmp_path, database=open_database(), pepper=PEPPER)


def test_a_key_lives(keys: KeyStore, open_database: Open, tmp_path: Path) -> None:
    key, _ = keys.create(FULL, now=1000)
    again = KeyStore.open(tmp_path, database=open_database(), pepper=PEPPER)
    assert again.all() == (key,)
    assert key.labels == (("env", "prod"), ("z", "1"))
    with pytest.raises(KeyMistake, match="already has a key"):
        again.create(FULL, now=1001)
    rotated, _ = again.rotate(key.id, now=2000, overlap=60)
    assert {one.digest: one.expires for one in keys.all()} == {key.digest: 2060, rotated.digest: 5000}
    keys.touch({key.id: 2001})
    assert again.find("ci").last_used == 2001
    assert again.revoke(key.id, now=3000).revoked == 3000
    assert keys.revoke(key.id, now=4000).revoked == 3000
    keys.create(FULL, now=4000)


def test_who_else_looks_sees_a_change_within_a_second(keys: KeyStore, open_database: Open, tmp_path: Path) -> None:
    other = KeyStore.open(tmp_path, database=open_database(), pepper=PEPPER)
    before = other.version()
    time.sleep(0.2)  # it listens
    keys.create(FULL, now=1000)
    began = time.monotonic()
    while other.version() == before:
        assert time.monotonic() < began + 1.0
        time.sleep(0.005)
    before = other.version()
    keys.touch({"key": 1})
    time.sleep(0.1)
    assert other.version() == before, "last use is no change"


def test_what_the_witness_refuses_has_not_happened(open_database: Open, tmp_path: Path) -> None:
    def refuses(event: str, key: object) -> None:
        raise RuntimeError(event)

    store = KeyStore.open(tmp_path, database=open_database(), pepper=PEPPER, witness=refuses)
    before = store.version()
    with pytest.raises(RuntimeError, match=r"key\.create"):
        store.create(FULL, now=1)
    assert store.all() == ()
    assert store.version() == before


def test_of_two_who_create_one_name_one_is_told(open_database: Open, tmp_path: Path) -> None:
    told: list[str] = []

    def create() -> None:
        store = KeyStore.open(tmp_path, database=open_database(), pepper=PEPPER)
        try:
            store.create(FULL, now=1)
            told.append("created")
        except KeyMistake:
            told.append("taken")

    if isinstance(open_database(), FileDatabase):  # whose connections belong to their threads
        create()
        create()
    else:
        both = [threading.Thread(target=create) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    assert sorted(told) == ["created", "taken"]


def test_another_pepper_is_refused(keys: KeyStore, open_database: Open, tmp_path: Path) -> None:
    keys.create(FULL, now=1)
    with pytest.raises(IntegrityError, match="not the pepper"):
        KeyStore.open(tmp_path, database=open_database(), pepper=b"q" * 32)
    with pytest.raises(IntegrityError, match="is missing"):
        KeyStore.open(tmp_path, database=open_database())


def test_fences_are_made_stricter_and_lifted(open_database: Open, tmp_path: Path) -> None:
    store, other = (FenceStore.open(tmp_path, database=open_database()) for _ in range(2))
    store.draw(("team:t", "user:u"), 1000, until=2000, reason="why")
    store.draw(("team:t",), 1100, until=1500)
    assert [(fence.name, fence.since, fence.until) for fence in other.all()] == [
        ("user:u", 1000, 2000),
        ("team:t", 1100, 2000),
    ]
    event = Event("idp", "jti-1", 9000)
    assert store.draw(("team:t",), 1200, event=event)
    assert not other.draw(("team:t",), 1300, event=event)
    assert [fence.until for fence in other.all()] == [2000, 0]
    assert len(other.lift("team:t", 1400)) == 1
    assert [fence.name for fence in store.all()] == ["user:u"]


def test_facts_are_settled_once(open_database: Open) -> None:
    first, second = Facts(open_database()), Facts(open_database())
    assert first.get("ledger") == ""
    assert first.settle("ledger", "a") == "a"
    assert second.settle("ledger", "b") == "a"
    assert second.get("ledger") == "a"


STEP = Migration(1, "a table", ("CREATE TABLE a (one INTEGER PRIMARY KEY, two BLOB) STRICT",))


def test_migrations_go_forward_and_are_what_they_were(open_database: Open) -> None:
    first, second = open_database(), open_database()
    first.migrate("a", [STEP])
    second.migrate("a", [STEP, Migration(2, "a column", ("ALTER TABLE a ADD COLUMN three TEXT NOT NULL DEFAULT ''",))])
    second.migrate("a", [STEP, Migration(2, "a column", ("ALTER TABLE a ADD COLUMN three TEXT NOT NULL DEFAULT ''",))])
    assert first.run("INSERT INTO a (one, two) VALUES ($2, $1)", b"x", 1) == 1
    assert second.rows("SELECT one, two, three FROM a") == [(1, b"x", "")]
    with pytest.raises(IntegrityError, match="not the one"):
        first.migrate("a", [Migration(1, "a table", ("CREATE TABLE b (one INTEGER) STRICT",))])


def test_an_old_one_runs_beside_a_new_one_until_something_is_taken_away(postgres: Postgres) -> None:
    database = PostgresDatabase(new_database(postgres))
    more = Migration(2, "a column", ("ALTER TABLE a ADD COLUMN three TEXT NOT NULL DEFAULT ''",))
    less = Migration(3, "contract: no second column", ("ALTER TABLE a DROP COLUMN two",))
    database.migrate("a", [STEP, more])
    database.migrate("a", [STEP])  # the old one starts again
    assert database.run("INSERT INTO a (one, two) VALUES ($1, $2)", 1, b"x") == 1
    database.migrate("a", [STEP, more, less])
    with pytest.raises(IntegrityError, match="newer Yett"):
        database.migrate("a", [STEP])
    database.close()


def test_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    server = Postgres().start()
    database = PostgresDatabase(server.url)
    store = KeyStore.open(tmp_path, database=database, pepper=PEPPER)
    key, _ = store.create(FULL, now=1)
    version = store.version()
    server.stop()
    with pytest.raises(StoreUnavailable):
        store.all()
    assert store.version() == version
    until(lambda: database.trouble)
    assert "what was read last is in force" in database.trouble
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        PostgresDatabase(server.url)
    server.start()
    until(lambda: not database.trouble)
    assert store.all() == (key,)
    store.revoke(key.id, now=2)
    until(lambda: store.version() > version)
    database.close()
    server.close()


def until(happens: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


# ---- sessions of operators ------------------------------------------------------------------------------------------

ADA = Identity("https://idp.example", "ada", "Ada", "ada@acme.example", ("staff", "chiefs"))


def test_a_session_is_known_to_all_and_ended_by_any(open_database: Open, tmp_path: Path) -> None:
    one = OperatorStore.open(tmp_path, PEPPER, open_database())
    other = OperatorStore.open(tmp_path, PEPPER, open_database())
    session, token = one.begin("oidc", ADA, "state-1", 1000, 600, "192.0.2.7")
    assert other.find(token) == session
    assert (session.identity, session.begun, session.expires) == (ADA, 1000, 1600)
    assert other.find(token + "x") is None
    assert OperatorStore.open(tmp_path, b"q" * 32, open_database()).find(token) is None, "another deployment's"
    other.touch(session, 1200)
    other.touch(session, 1100)
    found = one.find(token)
    assert found is not None
    assert (found.seen, found.over(1499, 300), found.over(1500, 300)) == (1200, False, True)
    assert [each.id for each in one.all(1599)] == [session.id]
    assert one.all(1600) == ()
    ended = other.end(session.id, 1300)
    assert ended is not None
    assert (ended.ended, other.end(session.id, 1301), other.end("ses_none", 1)) == (1300, None, None)
    found = one.find(token)
    assert found is not None
    assert found.over(1301, 10_000)


def test_neither_a_state_nor_a_code_counts_twice(open_database: Open, tmp_path: Path) -> None:
    one = OperatorStore.open(tmp_path, PEPPER, open_database())
    other = OperatorStore.open(tmp_path, PEPPER, open_database())
    one.begin("oidc", ADA, "state-1", 1000, 600, "")
    with pytest.raises(KeyMistake, match="completed before"):
        other.begin("oidc", ADA, "state-1", 1001, 600, "")
    code = one.issue(Emergency("root", "the provider is away", 900), 1000)
    session, token = other.redeem(code, 1001, "192.0.2.8")
    assert (session.kind, session.identity.subject, session.reason) == ("break-glass", "root", "the provider is away")
    assert (session.expires, one.find(token)) == (1901, session)
    late = one.issue(Emergency("", "x", 60), 1000)
    for wrong, now in ((code, 1002), (late, 1000 + CODE_SECONDS), ("", 1001), ("\udc80", 1001)):
        with pytest.raises(KeyMistake, match="no code"):
            other.redeem(wrong, now, "")
    assert one.redeem(one.issue(Emergency("", "x", 60), 2000), 2001, "")[0].identity.name == "unknown"


def test_neither_cookie_nor_code_is_kept(tmp_path: Path) -> None:
    with OperatorStore.open(tmp_path, PEPPER) as store:
        _, token = store.begin("oidc", ADA, "state-1", 1000, 600, "")
        code = store.issue(Emergency("root", "x", 60), 1000)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("yett.db*"))
    assert [each for each in (token, code, "state-1") if each.encode() in kept] == []
