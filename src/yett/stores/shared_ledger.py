"""The ledger of a machine: one memory-mapped file that all workers share, so that limits are exact across them.

The rules are those of `limits`, which reads better; here they stand in line, because this is the path of every call. The
file, its lock and its all-or-nothing commit are in `ledger_file`. What happens to calls that never settle:

- A call's lease runs out (`lease` seconds without `extend`), or its process is gone: the next reservation that any worker
  makes abandons it. It is no longer in flight, and its worst case becomes a charge, because the provider may have served it:
  nothing is held for ever, and no budget is overshot. Each is counted in `figures()`.
- For a day it can still be put right, exactly once: by a late `settle`, or by `resolve` with what the journal knows. A
  gateway that starts resolves what it finds `lost`.
- A day later it is forgotten and its charge stands.

Capacity is fixed when the file is made: 65,536 scopes (rows idle since an earlier month, or of what has ended, are used again) and 16,384 calls in
flight by default, 13 MB. Beyond that, calls are refused with `ledger_unavailable`, never let through.
"""

# ruff: noqa: PLR1730 - min() costs four times a comparison
from __future__ import annotations

from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path

from msgspec import Struct
from msgspec.structs import astuple, replace

from yett.errors import Refusal
from yett.model.key import Limits
from yett.ports import Clock, Hold, Scope, Standing
from yett.stores import limits as rules
from yett.stores.ledger_check import check
from yett.stores.ledger_file import (
    ABANDONED,
    ACCOUNT_FORM,
    DUE_WORD,
    FREE,
    HOLD_BYTES,
    HOLD_FORM,
    ID_BYTES,
    LIVE,
    MOST_SCOPES,
    MOVES_WORD,
    NEVER,
    SCOPE_FORM,
    TOTALS,
    TOTALS_FORM,
    UNDO_WORD,
    LedgerFile,
)
from yett.stores.ledger_places import PlaceBook, Places
from yett.stores.ledger_table import INSPECT, LedgerTable
from yett.stores.limits import CIRCLE, DAY, DEEPEST, MINUTE, MOST_COST, MOST_TOKENS, RICHEST, Account, usable
from yett.stores.process import Process

_HALF = CIRCLE // 2
_UNLIMITED = Limits()
_unpack, _pack = SCOPE_FORM.unpack, SCOPE_FORM.pack
_identity = id


class Reservation(Hold, frozen=True):
    """A Hold that knows where it stands in the file."""

    row: int  # offset of the hold
    serial: int  # tells this reservation from earlier and later ones in the same row
    places: Places
    ends: list[int]  # where the reservation ends in the queue of tokens of each scope


class LedgerFigures(Struct, frozen=True):
    """The state of the whole ledger. `abandoned` and `abandoned_cost` (micro-USD) only ever grow: calls that ended without
    a settle and were charged their worst case. `unresolved` of them can still be put right."""

    scopes: int
    inflight: int
    unresolved: int
    abandoned: int
    abandoned_cost: int


class LostCall(Struct, frozen=True):
    """A call whose process is gone, with the worst case that was charged for it: tokens, and cost in micro-USD."""

    id: str
    tokens: int
    cost: int


class SharedLedger:
    """Rates, concurrency and budgets of all workers of this machine. Used by one thread of each process."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        lease: float = 60.0,
        *,
        scopes: int = 65_536,
        holds: int = 16_384,
        sync_seconds: float = 1.0,
    ) -> None:
        """Open or make the file at `path`. Raises IntegrityError for a damaged or foreign one, OSError when there is no
        room or no right to make it. `scopes` and `holds` apply to a new file only."""
        self._clock = clock
        self._lease = int(lease * 1e6)
        self._soon = min(self._lease, INSPECT)
        self._file = LedgerFile(path, scopes, holds, sync_seconds)
        self._memory = self._file.memory
        self._words = self._file.words
        self._table = LedgerTable(self._file)
        self._book = PlaceBook(self._table)
        self._spare: list[int] = []  # hold rows that this process gave back, or found free
        try:
            self._file.lock()
            check(self._file)
            self._file.rest()
        except BaseException:
            self._file.close()
            raise
        self._file.unlock()

    async def reserve(self, id: str, scopes: tuple[Scope, ...], tokens: int, cost: int) -> Hold:  # noqa: C901, PLR0912, PLR0915
        """Reserve in every scope, or raise the Refusal of the scope that takes longest to have room.

        `id` is unique to the call, at most 64 bytes; at most 8 scopes, all different. Raises ValueError beyond that.
        """
        name = id.encode()
        if not (0 < len(name) <= ID_BYTES and len(scopes) <= MOST_SCOPES):
            raise ValueError("a call has an id of at most 64 bytes and at most 8 scopes")
        if not (0 <= tokens <= MOST_TOKENS and 0 <= cost <= MOST_COST):
            raise ValueError("tokens or cost out of range")
        file, memory, words, book = self._file, self._memory, self._words, self._book
        if file.broken:
            raise Refusal("ledger_unavailable")
        now = int(self._clock.now() * 1e6)
        today, drops = now // DAY, tokens * MINUTE
        old: list[bytes] = []
        new: list[bytes] = []
        ends: list[int] = []
        requests_left = tokens_left = NEVER
        requests_limit = tokens_limit = None
        descriptor = file.descriptor
        flock(descriptor, LOCK_EX)
        try:
            if words[UNDO_WORD]:
                file.roll_back()
            if now >= words[DUE_WORD]:
                self._table.sweep(now)
            if words[MOVES_WORD] != book.moves:
                book.forget(words[MOVES_WORD])
            found = book.known.get(_identity(scopes)) or book.find(scopes, now)
            _, offsets, slices, places = found
            for place, rpm, most_requests, tpm, most_tokens, concurrency, budget, period, ending in places:
                block = memory[place]
                if ending is not None:
                    step = _step(block, ending, tokens, cost, now)
                    if step is None:
                        raise self._refusal(scopes, tokens, cost, now)
                    old.append(block)
                    new.append(step)
                    ends.append(0)
                    continue
                first, second, last, requests, queued, drained, inflight, held, day, daily, weekly, monthly = _unpack(
                    block
                )
                elapsed = now - last
                if elapsed <= 0 or day != today:
                    last, requests, queued, drained, day, daily, weekly, monthly = _advance(block, rpm, tpm, now, today)
                else:  # the same in the usual case
                    last = now
                    if requests:
                        requests = 0 if rpm is None or elapsed * rpm > requests else requests - elapsed * rpm
                    if queued:
                        leaving = queued if tpm is None or elapsed * tpm > queued else elapsed * tpm
                        queued -= leaving
                        drained += leaving
                        if drained >= CIRCLE:
                            drained -= CIRCLE
                if rpm is not None:
                    requests += MINUTE
                    left = most_requests - requests
                    if left < 0:
                        raise self._refusal(scopes, tokens, cost, now)
                    if left < requests_left or requests_limit is None:
                        requests_left, requests_limit = left, rpm
                    if requests > DEEPEST:
                        requests = DEEPEST
                if tpm is not None:
                    queued += drops
                    left = most_tokens - queued
                    if left < 0:
                        raise self._refusal(scopes, tokens, cost, now)
                    if left < tokens_left or tokens_limit is None:
                        tokens_left, tokens_limit = left, tpm
                    if queued > DEEPEST:
                        queued = DEEPEST
                if concurrency is not None and inflight >= concurrency:
                    raise self._refusal(scopes, tokens, cost, now)
                held += cost
                if budget is not None and (daily, weekly, monthly)[period] + held > budget:
                    raise self._refusal(scopes, tokens, cost, now)
                old.append(block)
                new.append(
                    _pack(
                        first, second, last, requests, queued, drained, inflight + 1, held, day, daily, weekly, monthly
                    )
                )
                ends.append(drained + queued)
            row = self._vacant_row()
            state = row // 8
            lease = now + self._lease
            serial = words[state + 1] + 1
            number = len(offsets)
            process = file.process
            # Until the commit says that there is a hold, this means nothing.
            memory[row : row + HOLD_BYTES] = HOLD_FORM[number].pack(
                FREE, serial, lease, process.pid, process.started, process.namespace, tokens, cost, number, len(name), 0,
                *offsets, *ends, name,
            )  # fmt: skip
            if now + self._soon < words[DUE_WORD]:
                words[DUE_WORD] = now + self._soon
            file.commit(offsets, slices, old, new, state, FREE, LIVE)
        finally:
            flock(descriptor, LOCK_UN)
        standing = Standing(
            requests_limit,
            None if requests_limit is None else requests_left // MINUTE,
            0.0 if requests_limit is None else 60.0 - requests_left / requests_limit / 1e6,
            tokens_limit,
            None if tokens_limit is None else tokens_left // MINUTE,
            0.0 if tokens_limit is None else 60.0 - tokens_left / tokens_limit / 1e6,
        )
        return Reservation(id, scopes, tokens, cost, lease / 1e6, standing, row, serial, found, ends)

    async def settle(self, hold: Hold, tokens: int, cost: int) -> None:  # noqa: C901, PLR0912, PLR0915
        """Replace the worst case by what was used. A second time, nothing happens."""
        if not isinstance(hold, Reservation):
            self.resolve(hold.id, tokens, cost)
            return
        if not (0 <= tokens <= MOST_TOKENS and 0 <= cost <= MOST_COST):
            tokens, cost = usable(tokens, MOST_TOKENS), usable(cost, MOST_COST)
        file, memory, words, row = self._file, self._memory, self._words, hold.row
        unused = (hold.tokens - tokens) * MINUTE
        now = int(self._clock.now() * 1e6)
        today = now // DAY
        old: list[bytes] = []
        new: list[bytes] = []
        _, offsets, slices, places = hold.places
        state = row // 8
        descriptor = file.descriptor
        flock(descriptor, LOCK_EX)
        try:
            if words[UNDO_WORD]:
                file.roll_back()
            if words[state + 1] != hold.serial or words[state] != LIVE:
                if words[state + 1] == hold.serial and words[state] == ABANDONED:
                    self._table.close(row, tuple(scope.limits for scope in hold.scopes), tokens, cost, now)
                return
            reserved = words[state + 7]  # `add` may have made it more than the caller knows
            for (place, rpm, _, tpm, _, _, _, _, ending), end in zip(places, hold.ends):  # noqa: B905 - as long by construction
                block = memory[place]
                if ending is not None:
                    old.append(block)
                    new.append(_step_over(block, reserved, cost, now))
                    continue
                first, second, last, requests, queued, drained, inflight, held, day, daily, weekly, monthly = _unpack(
                    block
                )
                elapsed = now - last
                if elapsed <= 0 or day != today:
                    last, requests, queued, drained, day, daily, weekly, monthly = _advance(block, rpm, tpm, now, today)
                else:  # the same in the usual case
                    last = now
                    if requests:
                        requests = 0 if rpm is None or elapsed * rpm > requests else requests - elapsed * rpm
                    if queued:
                        leaving = queued if tpm is None or elapsed * tpm > queued else elapsed * tpm
                        queued -= leaving
                        drained += leaving
                        if drained >= CIRCLE:
                            drained -= CIRCLE
                if tpm is not None:
                    if unused < 0:
                        queued = min(queued - unused, DEEPEST)
                    else:  # `limits.settle` says what goes back
                        back = end - drained
                        if back > _HALF:
                            back -= CIRCLE
                        if back > unused:
                            back = unused
                        if back > queued:
                            back = queued
                        if back > 0:
                            queued -= back
                            drained += back
                            if drained >= CIRCLE:
                                drained -= CIRCLE
                daily += cost
                weekly += cost
                monthly += cost
                if monthly > RICHEST or weekly > RICHEST:
                    daily, weekly, monthly = min(daily, RICHEST), min(weekly, RICHEST), min(monthly, RICHEST)
                old.append(block)
                new.append(
                    _pack(
                        first, second, last, requests, queued, drained, inflight - 1, held - reserved, day, daily, weekly, monthly,
                    )
                )  # fmt: skip
            file.commit(offsets, slices, old, new, state, LIVE, FREE)
            self._spare.append(row)
        finally:
            flock(descriptor, LOCK_UN)

    async def add(self, hold: Hold, cost: int) -> Hold:
        """Hold so much more, or raise the Refusal of the first scope that has no room."""
        now = int(self._clock.now() * 1e6)
        self._file.lock()
        try:
            row = self._live(hold)
            if row < 0:
                raise rules.gone()
            if not (cost >= 0 and self._words[row // 8 + 7] + cost <= MOST_COST):
                raise ValueError("cost out of range")
            accounts = [self._table.read(offset) for offset in self._table.scopes_of(row)]
            for scope, account in zip(hold.scopes, accounts, strict=True):
                rules.advance(account, scope.limits, now)
            rules.add(hold.scopes, accounts, cost)
            self._table.grow(row, accounts, cost)
        finally:
            self._file.unlock()
        return replace(hold, cost=hold.cost + cost)

    async def extend(self, hold: Hold) -> bool:
        """Renew the lease of a call that is still running. False when the hold was settled or abandoned."""
        words = self._words
        lease = int(self._clock.now() * 1e6) + self._lease
        self._file.lock()
        try:
            row = self._live(hold)
            if row < 0:
                return False
            words[row // 8 + 2] = max(words[row // 8 + 2], lease)
            return True
        finally:
            self._file.unlock()

    def _live(self, hold: Hold) -> int:
        """Offset of a hold's row; -1 when it was settled or abandoned. The lock is held."""
        row = hold.row if isinstance(hold, Reservation) else self._table.find(hold.id)
        if row < 0 or self._words[row // 8] != LIVE:
            return -1
        return -1 if isinstance(hold, Reservation) and self._words[row // 8 + 1] != hold.serial else row

    def resolve(self, id: str, tokens: int, cost: int) -> bool:
        """Settle a call by its id, after a crash. Its tokens are left to drain. False when it is not known (any more)."""
        self._file.lock()
        try:
            row = self._table.find(id)
            if row < 0:
                return False
            now = int(self._clock.now() * 1e6)
            self._table.close(row, None, usable(tokens, MOST_TOKENS), usable(cost, MOST_COST), now)
            return True
        finally:
            self._file.unlock()

    def expired(self, now: float) -> list[str]:
        """Ids of the calls that will not settle by themselves: abandoned ones, those whose lease has run out by `now` (wall
        seconds), and those whose process is gone."""
        self._file.lock()
        try:
            running: dict[Process, bool] = {}
            return [
                self._table.id(row)
                for row, hold in self._table.holds()
                if hold[0] == ABANDONED or hold[2] <= now * 1e6 or not self._table.runs(hold, running)
            ]
        finally:
            self._file.unlock()

    def lost(self) -> list[LostCall]:
        """The calls whose process is gone; from now on none of them is in flight. Unlike others whose lease has run out, they
        cannot settle any more, so what `resolve` is told about them is final."""
        now = int(self._clock.now() * 1e6)
        self._file.lock()
        try:
            self._table.sweep(now)
            running: dict[Process, bool] = {}
            return [
                LostCall(self._table.id(row), hold[6], hold[7])
                for row, hold in self._table.holds()
                if not self._table.runs(hold, running)
            ]
        finally:
            self._file.unlock()

    def account(self, scope: Scope) -> Account:
        """A scope's account at the present; an empty one if it has never been used."""
        now = int(self._clock.now() * 1e6)
        self._file.lock()
        try:
            offset, taken = self._table.probe(scope.id, frozenset(), now)
            account = self._table.read(offset) if taken else Account(last=now, day=now // DAY)
        finally:
            self._file.unlock()
        return rules.present(account, scope, now)

    def figures(self) -> LedgerFigures:
        """Counts every hold, so it is for metrics, not for the path of a call."""
        self._file.lock()
        try:
            states = [hold[0] for _, hold in self._table.holds()]
            _, _, abandoned, cost, scopes, _ = TOTALS_FORM.unpack_from(self._memory, TOTALS)
        finally:
            self._file.unlock()
        inflight, unresolved = states.count(LIVE), states.count(ABANDONED)
        return LedgerFigures(scopes, inflight, unresolved, abandoned, cost)

    @property
    def broken(self) -> str:
        """Why nothing can be reserved any more; "" while all is well."""
        return self._file.broken

    def close(self) -> None:
        self._file.close()

    def _vacant_row(self) -> int:
        """Offset of a free hold row. Raises Refusal (ledger_unavailable) when every row is in use."""
        while True:
            if not self._spare:
                self._spare = self._table.vacant(64)
                if not self._spare:
                    raise Refusal("ledger_unavailable", "The ledger has no room for another call in flight.")
            row = self._spare.pop()
            if self._words[row // 8] == FREE:
                return row

    def _refusal(self, scopes: tuple[Scope, ...], tokens: int, cost: int, now: int) -> Refusal:
        """Say it as the plain rules do."""
        accounts = []
        for scope, offset in zip(scopes, self._book.find(scopes, now).offsets, strict=True):
            accounts.append(rules.present(self._table.read(offset), scope, now))
        return rules.refusal(scopes, accounts, tokens, cost)


def _step(block: bytes, scope: Scope, tokens: int, cost: int, now: int) -> bytes | None:
    """The row of what ends by itself with one more call in it; None when it has no room."""
    first, second, *fields = ACCOUNT_FORM.unpack(block)
    account = rules.present(Account(*fields), scope, now)
    if rules.obstacles(scope, account, tokens, cost):
        return None
    rules.enter(account, scope, now, tokens, cost)
    return ACCOUNT_FORM.pack(first, second, *astuple(account))


def _step_over(block: bytes, reserved: int, cost: int, now: int) -> bytes:
    """The row with that call settled."""
    first, second, *fields = ACCOUNT_FORM.unpack(block)
    account = Account(*fields)
    rules.advance(account, _UNLIMITED, now)
    rules.settle(account, _UNLIMITED, 0, (0, reserved), (0, cost))
    return ACCOUNT_FORM.pack(first, second, *astuple(account))


def _advance(block: bytes, rpm: int | None, tpm: int | None, now: int, today: int) -> tuple[int, ...]:
    """`limits.advance` on the fields of a scope's row: last, requests, queued, drained, day, spent in day, week, month."""
    _, _, last, requests, queued, drained, _, _, day, daily, weekly, monthly = _unpack(block)
    elapsed = now - last
    if elapsed > 0:
        last = now
    elif elapsed < -MINUTE:
        last, elapsed = now, 0
    else:
        elapsed = 0
    if rpm is None:
        requests = 0
    elif requests:
        requests -= elapsed * rpm
        requests = max(requests, 0)
    if queued:
        leaving = queued if tpm is None else elapsed * tpm
        leaving = min(leaving, queued)
        queued -= leaving
        drained += leaving
        if drained >= CIRCLE:
            drained -= CIRCLE
    if day != today:
        account = Account(day=day, spent_day=daily, spent_week=weekly, spent_month=monthly)
        rules.roll(account, today)
        day, daily, weekly, monthly = account.day, account.spent_day, account.spent_week, account.spent_month
    return last, requests, queued, drained, day, daily, weekly, monthly
