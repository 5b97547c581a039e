"""What was spent, by the journal; and a ledger that is made anew from it says the same."""

from __future__ import annotations

import calendar
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from tests.servers import Valkey

from yett.config.store_address import limits_address
from yett.model.key import Limits
from yett.model.record import Record
from yett.model.usage import Usage
from yett.ports import Scope
from yett.stores.books import Books, Dial, Open, compare, first_day, read_books, replay
from yett.stores.limits import Account, month, week
from yett.stores.redis_ledger import RedisLedger
from yett.stores.redis_link import RedisLink
from yett.stores.shared_ledger import SharedLedger

SUNDAY = calendar.timegm((2026, 11, 1, 12, 0, 0))  # its week began in October
TODAY = SUNDAY // 86_400


def line(record: Record, n: int) -> bytes:
    return b'{"w":"w-00000001-00","n":%d,"prev":"%b",' % (n, b"0" * 64) + msgspec.json.encode(record)[1:]


def journal(folder: Path, *records: Record) -> Path:
    writer = folder / "w-00000001-00"
    writer.mkdir(parents=True)
    lines = [line(record, n) for n, record in enumerate(sorted(records, key=lambda record: record.ts))]
    (writer / "00000000000000000000.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return folder


def call(id: str, days_ago: int, cost: int, *, outcome: str = "ok", reserved: int = 1000) -> list[Record]:
    ts = (SUNDAY - days_ago * 86_400) * 1_000_000
    intent = Record(kind="intent", call=id, ts=ts, scopes=("key:k", "team:t"), reserved=(10, reserved))
    over = Record(kind="outcome", call=id, ts=ts + 1, outcome=outcome, usage=Usage(cost=cost))
    return [intent, over] if outcome else [intent]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    records = [
        *call("today", 0, 5),
        *call("week", 2, 70),
        *call("before", 10, 900),
        *call("refused", 0, 0, outcome="refused"),
        *call("dead", 0, 0, outcome="unknown", reserved=600),
        *call("running", 0, 0, outcome=""),
    ]
    return read_books([journal(tmp_path / "a", *records)], SUNDAY + 10, frozenset(("dead",)))


def test_the_first_day_that_counts() -> None:
    first = first_day(TODAY)
    assert (month(first), week(first)) != (month(TODAY), week(TODAY)) or first == TODAY
    assert week(first) == week(TODAY)
    assert week(first - 1) != week(TODAY)
    assert month(first - 1) != month(TODAY)


def test_what_was_spent(books: Books) -> None:
    assert [(each.call, each.cost, each.scopes) for each in books.open] == [("running", 1000, ("key:k", "team:t"))]
    account = books.account("team:t", TODAY)
    assert (account.spent_day, account.spent_week, account.spent_month) == (605, 675, 605)
    assert books.counted == {"dead": 600}
    assert books.account("team:other", TODAY).spent_month == 0


def test_a_call_that_is_not_over_counts_with_all_that_it_may_have_held(tmp_path: Path) -> None:
    ts = SUNDAY * 1_000_000
    extensions = [
        Record(kind="event", event="hold.extend", call=id, ts=ts + 1, reserved=(10, cost))
        for id, cost in (("running", 1500), ("running", 2500), ("dead", 1700), ("over", 9000), ("unheard-of", 9000))
    ]
    calls = [*call("running", 0, 0, outcome=""), *call("dead", 0, 0, outcome="unknown"), *call("over", 0, 20)]
    later = [msgspec.structs.replace(each, ts=ts + 2) if each.kind == "outcome" else each for each in calls]
    books = read_books([journal(tmp_path / "a", *later, *extensions)], SUNDAY + 10)
    assert [(each.call, each.cost) for each in books.open] == [("running", 2500)]
    assert books.account("key:k", TODAY).spent_month == 1700 + 20


async def test_a_file_made_anew_says_the_same(books: Books, tmp_path: Path) -> None:
    dial = Dial()
    ledger = SharedLedger(tmp_path / "ledger", dial, scopes=64, holds=64)
    await replay(books, ledger, dial)
    account = ledger.account(Scope("team:t", Limits()))
    assert (account.spent_day, account.spent_week, account.spent_month) == (605, 675, 605)
    assert (account.inflight, account.held) == (1, 1000)
    assert ledger.resolve("running", 0, 20)
    ledger.close()


async def test_a_store_made_anew_says_the_same(books: Books, valkey: Valkey) -> None:
    dial = Dial()
    ledger = RedisLedger(RedisLink(limits_address(valkey.url)), uuid4().hex, clock=dial)
    await ledger.start()
    await replay(books, ledger, dial)
    account = await ledger.account(Scope("team:t", Limits()))
    assert (account.spent_day, account.spent_week, account.spent_month) == (605, 675, 605)
    assert (account.inflight, account.held) == (1, 1000)
    assert sorted(await ledger.scopes()) == ["key:k", "team:t"]
    await ledger.close()


async def test_what_ends_by_itself_is_made_anew_while_it_may_last_and_not_compared(tmp_path: Path) -> None:
    spent = {"task:t/a": {TODAY: 7}, "token:b": {TODAY - 1: 8}, "task:t/c": {TODAY - 2: 9}, "key:k": {TODAY: 1}}
    books, dial = Books(spent, [Open("running", TODAY, ("key:k", "task:t/a"), 1, 5)], today=TODAY), Dial()
    ledger = SharedLedger(tmp_path / "ledger", dial, scopes=64, holds=64)
    await replay(books, ledger, dial)
    a, b, c = [ledger.account(Scope(name, Limits(), 60)) for name in ("task:t/a", "token:b", "task:t/c")]
    assert [(each.ever, each.held, each.inflight) for each in (a, b, c)] == [(7, 5, 1), (8, 0, 0), (0, 0, 0)]
    ledger.close()
    assert [each.scope for each in compare(books, {}, [], TODAY)] == ["key:k"]


def test_where_ledger_and_journal_differ(books: Books) -> None:
    accounts = {"team:t": Account(spent_month=605), "key:k": Account(spent_month=1605 + 400), "team:x": Account()}
    (found,) = compare(books, accounts, [("running", 1000, ("key:k",))], TODAY)
    assert (found.scope, found.ledger, found.journal, found.unresolved) == ("key:k", 2005, 605, 1000)
    assert found.unexplained == 400
