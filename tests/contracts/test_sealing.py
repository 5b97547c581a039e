"""What is sealed, in a file of one machine and in a database that several share: credentials, and keys that sign task tokens."""

from __future__ import annotations

import threading

import pytest
from tests.contracts.conftest import Open
from tests.scene import Clock
from tests.stores.test_signing import verified

from yett.cli.credentials import Agreement
from yett.cli.system import SystemClock
from yett.errors import IntegrityError
from yett.model.route import Secret
from yett.stores.credentials import CredentialMistake, CredentialStore
from yett.stores.database import FileDatabase
from yett.stores.kek import KekTrouble, KeyRing
from yett.stores.replicas import FORGOTTEN_SECONDS, GONE_SECONDS, Replica, Replicas
from yett.stores.sealed_signing import SealedSeeds
from yett.stores.signing import AHEAD, OVERLAP, SigningKeys

OLD, NEW = KeyRing([b"o" * 32], "old"), KeyRing([b"n" * 32], "new")
BOTH = KeyRing([b"n" * 32, b"o" * 32], "both")
HOUR = 3600.0


def test_a_credential_lives(open_database: Open) -> None:
    told: list[tuple[str, int]] = []
    store = CredentialStore(open_database(), witness=lambda event, one: told.append((event, one.version)))
    other = CredentialStore(open_database())
    assert (other.list(), other.change(), other.version()) == ((), 0, 0)
    store.add("cloud", "sk-cloud-of-the-tests-0001", "platform", 1000, OLD)
    store.add("azure", "sk-azure", "platform", 1000, OLD)
    assert other.reveal(("cloud",), OLD).values == {"cloud": Secret("sk-cloud-of-the-tests-0001")}
    other.rotate("cloud", "sk-cloud-of-the-tests-0002", 2000, OLD)
    opened = store.reveal(("cloud", "gone"), OLD)
    assert (opened.values, opened.change) == ({"cloud": Secret("sk-cloud-of-the-tests-0002")}, 3)
    assert "there is no sealed credential" in opened.troubles["gone"]
    assert [(one.id, one.version, one.rotated) for one in store.list()] == [("azure", 1, 1000), ("cloud", 2, 2000)]
    assert store.rewrap(BOTH).done == 2
    assert other.reveal(("cloud",), NEW).values == opened.values
    with pytest.raises(KekTrouble, match="cannot be opened"):
        other.reveal(("cloud",), OLD)
    other.remove("azure", NEW)
    assert told == [("credential.add", 1), ("credential.add", 1), ("credential.rewrap", 1), ("credential.rewrap", 2)]


def test_a_row_in_anothers_place_or_an_older_one_does_not_open(open_database: Open) -> None:
    database = open_database()
    store = CredentialStore(database)
    store.add("a", "sk-a", "me", 1, OLD)
    store.add("b", "sk-b", "me", 1, OLD)
    columns = "version, kek, wrapped, nonce, ciphertext"
    kept = database.rows(f"SELECT {columns} FROM credentials WHERE id = 'a'")[0]
    store.rotate("a", "sk-c", 2, OLD)
    put = "UPDATE credentials SET version = $1, kek = $2, wrapped = $3, nonce = $4, ciphertext = $5 WHERE id = $6"
    for place, why in (("a", "an older copy"), ("b", "is another one's")):
        database.run(put, *kept, place)
        assert why in store.reveal((place,), OLD).troubles[place]
    database.run("DELETE FROM credential_manifest")
    with pytest.raises(IntegrityError, match="manifest was removed"):
        store.list()


def test_of_changes_at_once_none_is_lost(open_database: Open) -> None:
    def add(number: int) -> None:
        store = CredentialStore(open_database())
        for turn in range(3):
            store.add(f"{number}-{turn}", f"sk-{number}-{turn}", "me", 1, OLD)

    if isinstance(open_database(), FileDatabase):  # whose connections belong to their threads
        add(0)
        add(1)
    else:
        both = [threading.Thread(target=add, args=(number,)) for number in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
    store = CredentialStore(open_database())
    names = [one.id for one in store.list()]
    assert len(names) == 6
    assert store.reveal(names, OLD).troubles == {}


def test_nothing_is_sealed_under_a_key_that_a_gateway_lacks(open_database: Open) -> None:
    database = open_database()
    replicas = Replicas(database)
    agree = Agreement(open_database())
    store = CredentialStore(database, agree=agree)
    at = int(SystemClock.now())
    replicas.say("one/1", Replica("1", OLD.names), at)
    replicas.say("two/2", Replica("1", ("transit:transit/yett",)), at - GONE_SECONDS - 1)  # has gone without a word
    replicas.say("three/3", Replica("1"), at)  # needs none
    store.add("a", "sk-a", "me", 1, OLD)
    with pytest.raises(CredentialMistake, match=f"{NEW.names[0]}, and could not open what is under it: one/1"):
        store.rewrap(BOTH)
    assert store.reveal(("a",), OLD).values == {"a": Secret("sk-a")}
    replicas.say("one/1", Replica("1", BOTH.names), at)
    assert store.rewrap(BOTH).done == 1
    assert replicas.without(("transit:transit/yett:v3",), at - GONE_SECONDS) == ["one/1"]
    replicas.leave("one/1", at)
    replicas.leave("none", at + FORGOTTEN_SECONDS - 5)
    assert set(replicas.living(at)) == {"three/3"}


def test_a_token_of_one_is_good_at_the_other_while_keys_turn(open_database: Open) -> None:
    clock = Clock()
    clock.time = 100 * HOUR + 10.0
    gateways = [SigningKeys(SealedSeeds(open_database(), lambda: OLD), clock, HOUR) for _ in range(2)]
    for gateway in gateways:
        gateway.turn()
    tokens: list[bytes] = []
    for _ in range(60):  # three hours and a bit, three minutes at a time; one of the two is behind by a turn
        clock.time += 180.0
        first, second = gateways
        if first.due():
            first.turn()
        signed = [gateway.sign({"sub": "a"}, "yett-task+jwt") for gateway in gateways]
        tokens = [*tokens, *signed][-6:]  # of the last nine minutes
        assert all(verified(token, gateway) for token in tokens for gateway in gateways)
        if second.due():
            second.turn()
        gateways.reverse()
    first, second = gateways
    first.turn()
    second.turn()
    assert first.document == second.document
    rows = open_database().rows("SELECT begins FROM signing_keys WHERE ends < $1", int(clock.time - 2 * HOUR - OVERLAP))
    assert rows == []


def test_of_two_that_make_a_key_at_once_the_first_ones_counts(open_database: Open) -> None:
    clock = Clock()
    clock.time = 101 * HOUR - AHEAD + 1
    one, two = (SigningKeys(SealedSeeds(open_database(), lambda: OLD), clock, HOUR) for _ in range(2))
    assert one.due()
    one.turn()
    two.turn()
    assert one.document == two.document
    assert one.document.count(b'"kid"') == 2
    other = SigningKeys(
        SealedSeeds(open_database(), lambda: OLD), clock, 2 * HOUR
    )  # another configuration, for a while
    other.turn()
    assert verified(one.sign({}, "x"), other)
    one.turn()
    assert verified(other.sign({}, "x"), one)


def test_signing_keys_do_not_open_elsewhere_or_without_their_key(open_database: Open) -> None:
    clock = Clock()
    database = open_database()
    seeds = SealedSeeds(database, lambda: BOTH)
    SigningKeys(SealedSeeds(database, lambda: OLD), clock, HOUR).turn()
    with pytest.raises(KekTrouble, match="not in new"):
        SigningKeys(SealedSeeds(database, lambda: NEW), clock, HOUR).turn()
    assert (seeds.rewrap(), seeds.rewrap()) == (1, 0)
    SigningKeys(SealedSeeds(database, lambda: NEW), clock, HOUR).turn()
    database.run("UPDATE signing_keys SET begins = begins + 3600, ends = ends + 3600")
    clock.time += HOUR
    with pytest.raises(IntegrityError, match="another one's"):
        SigningKeys(SealedSeeds(database, lambda: NEW), clock, HOUR).turn()


def test_the_next_key_is_made_by_who_has_a_key_that_all_can_open(open_database: Open) -> None:
    clock = Clock()
    clock.time = 100 * HOUR + 10.0
    replicas = Replicas(open_database())
    replicas.say("one/1", Replica("1", BOTH.names), int(clock.time))
    replicas.say("two/2", Replica("1", OLD.names), int(clock.time))

    def lacking(keks: frozenset[str]) -> list[str]:
        return replicas.without(keks, 100 * 3600)

    ahead = SigningKeys(SealedSeeds(open_database(), lambda: BOTH, lacking), clock, HOUR)
    behind = SigningKeys(SealedSeeds(open_database(), lambda: OLD, lacking), clock, HOUR)
    behind.turn()
    clock.time = 101 * HOUR - AHEAD + 1
    ahead.turn()
    assert len(ahead.public) == 1, "it is left to the other"
    behind.turn()
    ahead.turn()
    assert (len(ahead.public), ahead.document) == (2, behind.document)
    clock.time = 105 * HOUR
    ahead.turn()
    assert len(ahead.public) == 1, "what is needed now does not wait"
