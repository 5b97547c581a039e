"""Is a ledger file sound? Every count is checked against the holds before the first call relies on it.

After `kill -9` the undo log leaves nothing to repair, so a difference means that the file was damaged: it is refused. After a
power cut its pages are from different moments: then what can be derived is derived anew (calls in flight, held money, the
chain of free rows), and only what cannot (impossible spending or buckets) is refused.
"""

from __future__ import annotations

from yett.errors import IntegrityError
from yett.stores.ledger_file import (
    ABANDONED,
    ACCOUNT_FORM,
    ADVICE,
    BLOCK,
    FREE,
    HEAD_FORM,
    HOLD_BYTES,
    ID_BYTES,
    LIVE,
    MOST_SCOPES,
    SCOPES,
    TOTALS,
    TOTALS_FORM,
    LedgerFile,
)
from yett.stores.limits import CIRCLE, DEEPEST, MOST_COST, MOST_TOKENS, RICHEST


def check(file: LedgerFile) -> None:
    """Raises IntegrityError for a damaged file; repairs what a power cut leaves. The lock is held."""
    problem = _impossible_account(file)
    if problem:
        raise IntegrityError(f"{file.path}: the ledger is damaged ({problem}){ADVICE}")
    problem = _inconsistency(file)
    if problem and file.same_boot():
        raise IntegrityError(f"{file.path}: the ledger is damaged ({problem}){ADVICE}")
    if problem:
        _rebuild(file)
    file.mark_boot()


def _used_rows(file: LedgerFile) -> list[int]:
    """Offsets of the scope rows in use."""
    marks = file.words[SCOPES // 8 : file.first_hold // 8 : BLOCK // 8].tolist()
    return [SCOPES + BLOCK * index for index, mark in enumerate(marks) if mark]


def _impossible_account(file: LedgerFile) -> str:
    for offset in _used_rows(file):
        _, _, last, requests, queued, drained, _, _, day, *spent = ACCOUNT_FORM.unpack_from(file.memory, offset)
        sound = (
            last >= 0
            and 0 <= requests <= DEEPEST
            and 0 <= queued <= DEEPEST
            and 0 <= drained < CIRCLE
            and day >= 0
            and all(0 <= amount <= RICHEST for amount in spent)
        )
        if not sound:
            return f"impossible amounts in the scope row at byte {offset}"
    return ""


def _sound_hold(file: LedgerFile, index: int, rows: set[int]) -> bool:
    offset = file.first_hold + HOLD_BYTES * index
    state, _, _, _, _, _, tokens, cost, number, length, _ = HEAD_FORM.unpack_from(file.memory, offset)
    if state == FREE:
        return True
    return (
        state in {LIVE, ABANDONED}
        and 0 <= tokens <= MOST_TOKENS
        and 0 <= cost <= MOST_COST
        and 0 <= number <= MOST_SCOPES
        and 0 < length <= ID_BYTES
        and rows.issuperset(_scopes_of(file, offset, number))
    )


def _scopes_of(file: LedgerFile, hold: int, number: int) -> list[int]:
    first = (hold + BLOCK) // 8
    return file.words[first : first + number].tolist()


def _expected(file: LedgerFile, high: int) -> dict[int, list[int]]:
    """Calls in flight and held money of each scope row, as the holds say."""
    counts: dict[int, list[int]] = {}
    for index in range(high):
        offset = file.first_hold + HOLD_BYTES * index
        hold = HEAD_FORM.unpack_from(file.memory, offset)
        if hold[0] == LIVE:
            for row in _scopes_of(file, offset, hold[8]):
                count = counts.setdefault(row, [0, 0])
                count[0] += 1
                count[1] += hold[7]
    return counts


def _inconsistency(file: LedgerFile) -> str:
    """The first contradiction between the totals, the holds and the scopes; "" when there is none."""
    high, _, _, _, used, _ = TOTALS_FORM.unpack_from(file.memory, TOTALS)
    rows = _used_rows(file)
    if not (0 <= high <= file.holds and used == len(rows)):
        return "the totals do not fit the tables"
    known = set(rows)
    for index in range(high):
        if not _sound_hold(file, index, known):
            return f"hold {index} is not possible"
    counts = _expected(file, high)
    for row in rows:
        if file.words[row // 8 + 6 : row // 8 + 8].tolist() != counts.get(row, [0, 0]):
            return f"the scope row at byte {row} does not fit the holds"
    return ""


def _rebuild(file: LedgerFile) -> None:
    """Derive totals, calls in flight and held money from the holds that make sense. Killed half way, it runs again at the
    next start, as the boot is marked last."""
    _, _, abandoned, cost, _, moves = TOTALS_FORM.unpack_from(file.memory, TOTALS)
    rows = _used_rows(file)
    known = set(rows)
    for index in range(file.holds):
        if not _sound_hold(file, index, known):
            file.words[(file.first_hold + HOLD_BYTES * index) // 8] = FREE
    counts = _expected(file, file.holds)
    for row in rows:
        file.words[row // 8 + 6], file.words[row // 8 + 7] = counts.get(row, [0, 0])
    totals = TOTALS_FORM.pack(file.holds, 0, max(abandoned, 0), max(cost, 0), len(rows), moves + 1)
    file.memory[TOTALS : TOTALS + BLOCK] = totals
