"""The rows of a ledger file and what happens to them off the path of a call: finding, claiming, abandoning, closing.

Everything here is called with the lock held, and speaks in `limits.Account`.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from struct import Struct

from msgspec.structs import astuple

from yett.model.key import Limits
from yett.stores import limits as rules
from yett.stores.ledger_file import (
    ABANDONED,
    ACCOUNT_FORM,
    BLOCK,
    DUE_WORD,
    ENDS,
    FREE,
    HEAD_FORM,
    HIGH_WORD,
    HOLD_BYTES,
    ID,
    LIVE,
    NEVER,
    NO_HOLD,
    OFFSETS,
    SCOPE_FORM,
    SCOPES,
    TOTALS,
    TOTALS_FORM,
    LedgerFile,
)
from yett.stores.limits import DAY, RICHEST, Account
from yett.stores.process import Process, is_running

KEEP_ABANDONED = DAY  # microseconds that an abandoned call can still be settled or resolved
INSPECT = 5_000_000  # microseconds between looks at whether the processes behind the holds still run
PROBES = 128  # rows looked at for a scope
IDLE = 2 * DAY  # a row is used again only when no abandoned call can still refer to it
_UNLIMITED = Limits()
_pack_scope = SCOPE_FORM.pack
_unpack_account, _pack_account = ACCOUNT_FORM.unpack, ACCOUNT_FORM.pack
_pack_head = Struct(f"11q{BLOCK - HEAD_FORM.size}x").pack
_unpack_totals, _pack_totals = TOTALS_FORM.unpack, TOTALS_FORM.pack


class LedgerTable:
    """Scopes and holds of an open ledger file."""

    def __init__(self, file: LedgerFile) -> None:
        self._file = file
        self._memory = file.memory
        self._words = file.words

    def probe(self, scope: str, siblings: frozenset[int], now: int) -> tuple[int, bool]:
        """Offset of a scope's row and True; or of a row it may claim and False; or -1. `siblings` are not given away. A row
        never becomes empty again, so an empty one ends the search."""
        file, words = self._file, self._words
        first, second = _hash(scope)
        spare = -1
        for step in range(min(PROBES, file.scopes)):
            offset = SCOPES + (second + step) % file.scopes * BLOCK
            mark = words[offset // 8]
            if mark == first and words[offset // 8 + 1] == second:
                return offset, True
            if mark == 0:
                used = _unpack_totals(self._memory[TOTALS : TOTALS + BLOCK])[4]
                return (spare if spare >= 0 and used * 2 > file.scopes else offset), False
            if spare < 0 and offset not in siblings and self._idle(offset, now):
                spare = offset
        return spare, False

    def _idle(self, offset: int, now: int) -> bool:
        """Whether a row holds nothing that its scope would miss: its buckets have drained and its month is over, or it has ended."""
        account = self.read(offset)
        if account.until:
            return account.until <= now and account.inflight == 0
        return (
            account.inflight == 0
            and account.held == 0
            and account.last < now - IDLE
            and rules.month(account.day) < rules.month(now // DAY)
        )

    def claim(self, scope: str, offset: int, now: int) -> bool:
        """Give a row to a scope. True when another scope had it."""
        reused = self._words[offset // 8] != 0
        *rest, used, moves = _unpack_totals(self._memory[TOTALS : TOTALS + BLOCK])
        claimed = _pack_scope(*_hash(scope), now, 0, 0, 0, 0, 0, now // DAY, 0, 0, 0)
        counted = _pack_totals(*rest, used + (not reused), moves + reused)
        self._commit({offset: claimed, TOTALS: counted}, NO_HOLD, 0)
        return reused

    def sweep(self, now: int) -> None:
        """Abandon what ran out of lease or whose process is gone; forget what was abandoned long ago; note when to look
        again."""
        running: dict[Process, bool] = {}
        due = NEVER
        for row, hold in list(self.holds()):
            if hold[0] == ABANDONED and hold[10] + KEEP_ABANDONED <= now:
                self._words[row // 8] = FREE
            elif hold[0] == ABANDONED:
                due = min(due, hold[10] + KEEP_ABANDONED)
            elif hold[2] > now and self.runs(hold, running):
                due = min(due, hold[2], now + INSPECT)
            else:
                self._abandon(row, hold, now)
                due = min(due, now + KEEP_ABANDONED)
        self._words[DUE_WORD] = due

    def runs(self, hold: tuple[int, ...], running: dict[Process, bool]) -> bool:
        process = Process(hold[3], hold[4], hold[5])
        if process not in running:
            running[process] = is_running(process, self._file.process)
        return running[process]

    def _abandon(self, row: int, hold: tuple[int, ...], now: int) -> None:
        changes: dict[int, bytes] = {}
        for offset in self._scopes(row, hold[8]):
            account = self.read(offset)
            rules.roll(account, now // DAY)
            rules.abandon(account, hold[7], now)
            changes[offset] = self._packed(offset, account)
        high, due, abandoned, cost, *rest = _unpack_totals(self._memory[TOTALS : TOTALS + BLOCK])
        changes[TOTALS] = _pack_totals(high, due, abandoned + 1, min(cost + hold[7], RICHEST), *rest)
        self._words[row // 8 + 10] = now  # means nothing until the commit
        self._commit(changes, row // 8, ABANDONED)

    def grow(self, row: int, accounts: list[Account], cost: int) -> None:
        """Enter the accounts of a hold's scopes, in which `cost` more is held for it."""
        rows = zip(self.scopes_of(row), accounts, strict=True)
        changes = {offset: self._packed(offset, account) for offset, account in rows}
        head = list(self._head(row))
        head[7] += cost
        changes[row] = _pack_head(*head)
        self._commit(changes, row // 8, LIVE)

    def close(self, row: int, limits: tuple[Limits, ...] | None, tokens: int, cost: int, now: int) -> None:
        """Settle a hold in whatever state, by the plain rules. Without `limits` the tokens are left to drain."""
        hold = self._head(row)
        reserved, used = (hold[6], hold[7]), (tokens, cost)
        ends = self._words[(row + ENDS) // 8 : (row + ENDS) // 8 + hold[8]].tolist()
        changes: dict[int, bytes] = {}
        for index, offset in enumerate(self._scopes(row, hold[8])):
            account = self.read(offset)
            applied = _UNLIMITED if limits is None else limits[index]
            if limits is None:
                rules.roll(account, now // DAY)
            else:
                rules.advance(account, applied, now)
            if hold[0] == LIVE:
                rules.settle(account, applied, ends[index], reserved, used)
            else:
                rules.correct(account, applied, hold[10] // DAY, reserved, used)
            changes[offset] = self._packed(offset, account)
        self._commit(changes, row // 8, FREE)

    def _commit(self, changes: dict[int, bytes], hold: int, state: int) -> None:
        places = [slice(offset, offset + BLOCK) for offset in changes]
        old = [self._memory[place] for place in places]
        self._file.commit(list(changes), places, old, list(changes.values()), hold, self._words[hold], state)

    def vacant(self, wanted: int) -> list[int]:
        """Offsets of free hold rows, the lowest last; empty when every row is in use. Another process may have found the same
        ones: whoever takes one looks whether it is still free."""
        words, file = self._words, self._file
        high = words[HIGH_WORD]
        rows = [row for row, state in self._states() if state == FREE][:wanted]
        if len(rows) < wanted and high < file.holds:
            more = min(wanted, file.holds - high)
            rows += [file.first_hold + HOLD_BYTES * index for index in range(high, high + more)]
            words[HIGH_WORD] = high + more
        rows.reverse()
        return rows

    def _states(self) -> Iterator[tuple[int, int]]:
        """Offset and state of every hold row that was ever used."""
        first, high = self._file.first_hold, self._words[HIGH_WORD]
        end = first + high * HOLD_BYTES
        states = self._words[first // 8 : end // 8 : HOLD_BYTES // 8].tolist()
        return zip(range(first, end, HOLD_BYTES), states, strict=True)

    def holds(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Offset and first block of every hold that is not free."""
        for row, state in self._states():
            if state != FREE:
                yield row, self._head(row)

    def _head(self, row: int) -> tuple[int, ...]:
        return HEAD_FORM.unpack(self._memory[row : row + HEAD_FORM.size])

    def find(self, id: str) -> int:
        """Offset of the hold of a call, -1 when there is none."""
        return next((row for row, _ in self.holds() if self.id(row) == id), -1)

    def id(self, row: int) -> str:
        length = self._words[row // 8 + 9]
        return self._memory[row + ID : row + ID + length].decode()

    def scopes_of(self, row: int) -> list[int]:
        """Offsets of the rows of a hold's scopes."""
        return self._scopes(row, self._words[row // 8 + 8])

    def _scopes(self, row: int, number: int) -> list[int]:
        return self._words[(row + OFFSETS) // 8 : (row + OFFSETS) // 8 + number].tolist()

    def read(self, offset: int) -> Account:
        return Account(*_unpack_account(self._memory[offset : offset + BLOCK])[2:])

    def _packed(self, offset: int, account: Account) -> bytes:
        marks = self._words[offset // 8], self._words[offset // 8 + 1]
        return _pack_account(*marks, *astuple(account))


def _hash(id: str) -> tuple[int, int]:
    """Two words that stand for a scope's id; the first is positive, as 0 marks an empty row."""
    digest = blake2b(id.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little") >> 1 | 1, int.from_bytes(digest[8:], "little") >> 1
