"""What was spent, by the journal: from each intent the scopes that it counts in, from each outcome what was used.

A call without an outcome, or whose outcome nobody knows, counts with its worst case, as it does in a ledger; of a streamed answer that
has gone on past what was held at first, with the most that was asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from yett.model.key import Limits
from yett.ports import Ledger, Scope
from yett.stores.journal_reader import Filter, entries
from yett.stores.limits import DAY, ENDING, MOST_COST, Account, month, roll, spend, usable, week

Abandoned = tuple[
    str, int, Sequence[str]
]  # a call whose lease ran out: its id, the worst case that was charged, its scopes
PIECE = MOST_COST  # micro-USD: the most of one reservation
ANYTHING = Limits()
EXTEND = "hold.extend"  # a streamed answer goes on past what was held for it
LASTS = 2 * 86_400  # seconds: a day begun and one more


class Open(Struct, frozen=True):
    """A call without an outcome."""

    call: str
    day: int
    scopes: tuple[str, ...]
    tokens: int
    cost: int


class Books(Struct):
    """What was spent in each scope on each day (since the epoch, micro-USD) up to `today`, and the calls that are not over. `counted` is what
    calls that were asked about are in it with."""

    spent: dict[str, dict[int, int]] = field(default_factory=dict)
    open: list[Open] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    today: int = 0

    def account(self, scope: str, today: int) -> Account:
        """What a ledger should say of it; calls that are not over are not in it."""
        account = Account(day=0)
        for day in sorted(self.spent.get(scope, {})):
            roll(account, day)
            spend(account, self.spent[scope][day])
        roll(account, today)
        return account


def first_day(today: int) -> int:
    """The first day, since the epoch, whose spending still counts: of this month, or of this week."""
    day = today
    while month(day - 1) == month(today) or week(day - 1) == week(today):
        day -= 1
    return day


def read_books(journals: Iterable[Path], now: float, wanted: frozenset[str] = frozenset()) -> Books:
    """From the journals of all machines, up to `now` (wall seconds)."""
    counted: dict[str, int] = {}
    today = int(now * 1e6) // DAY
    first = first_day(today)
    spent: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    open: dict[str, Open] = {}
    for journal in journals:
        # an intent may be of the day before
        for one in entries(journal, Filter(since=(first - 1) * DAY)):
            record = one.record
            if record.kind == "intent" and record.scopes:
                tokens, cost = record.reserved or (0, 0)
                open[record.call] = Open(record.call, record.ts // DAY, record.scopes, tokens, cost)
            elif record.event == EXTEND and (call := open.get(record.call)) is not None:
                open[record.call] = replace(call, cost=max(call.cost, record.reserved[1]))
            elif record.kind == "outcome" and (call := open.pop(record.call, None)) is not None:
                day = record.ts // DAY
                cost = call.cost if record.outcome == "unknown" or record.usage is None else record.usage.cost
                if record.call in wanted:
                    counted[record.call] = cost
                if day >= first and cost:
                    for scope in call.scopes:
                        spent[scope][day] += usable(cost, MOST_COST)
    return Books({scope: dict(days) for scope, days in spent.items()}, list(open.values()), counted, today)


class Dial:
    """A clock that stands where it is put: an empty ledger lives through the days again."""

    def __init__(self) -> None:
        self.day = 0

    def now(self) -> float:
        return self.day * 86_400.0

    def monotonic(self) -> float:
        return self.now()

    async def sleep(self, seconds: float) -> None:
        pass


async def replay(books: Books, ledger: Ledger, dial: Dial) -> None:
    """Have an empty `ledger` that lives by `dial` spend all of it again; of tasks and tokens what they spent since yesterday. Calls that are not over are reserved, and left to their
    leases: who knows better settles them. Raises Refusal."""
    days = sorted({day for each in books.spent.values() for day in each})
    for day in days:
        dial.day = day
        for number, (scope, each) in enumerate(sorted(books.spent.items())):
            rest = each.get(day, 0)
            while rest:
                piece = min(rest, PIECE)
                if scope.startswith(ENDING) and day < books.today - 1:
                    break  # over
                hold = await ledger.reserve(f"rebuild-{day}-{number}-{rest}", (_scope(scope),), 0, 0)
                await ledger.settle(hold, 0, piece)
                rest -= piece
    for call in sorted(books.open, key=_day):
        dial.day = max(call.day, dial.day)
        await ledger.reserve(call.call, tuple(_scope(scope) for scope in call.scopes), call.tokens, call.cost)


def _scope(name: str) -> Scope:
    """Without limits. What ends by itself is kept until whatever could still come of it is over, too."""
    return Scope(name, ANYTHING, LASTS if name.startswith(ENDING) else 0)


def _day(call: Open) -> int:
    return call.day


class Difference(Struct, frozen=True):
    """A scope of which ledger and journal do not say the same: micro-USD spent this month, ledger less journal, and what of it
    calls explain whose lease has run out and that can still be put right."""

    scope: str
    ledger: int
    journal: int
    unresolved: int

    @property
    def unexplained(self) -> int:
        return self.ledger - self.journal - self.unresolved


def compare(books: Books, accounts: dict[str, Account], abandoned: Sequence[Abandoned], today: int) -> list[Difference]:
    """Every scope in which they differ."""
    charged: dict[str, int] = defaultdict(int)
    for call, cost, scopes in abandoned:
        for scope in scopes:
            charged[scope] += cost - books.counted.get(call, 0)
    found = []
    for scope in sorted({*books.spent, *accounts}):
        if scope.startswith(ENDING):
            continue  # the ledger has forgotten it, or charges calls that nobody settled for good
        there = accounts.get(scope, Account()).spent_month
        expected = books.account(scope, today).spent_month
        if there != expected:
            found.append(Difference(scope, there, expected, charged[scope]))
    return found
