"""Where the scopes of a call stand in the ledger file, worked out once for every combination that this process sees.

A combination is known by the identity of its tuple: the snapshot gives equal calls the same one, and a new snapshot brings new
ones, so what limits a scope now is never mixed up with what limited it before.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from yett.errors import Refusal
from yett.ports import Scope
from yett.stores.ledger_file import BLOCK
from yett.stores.ledger_table import LedgerTable
from yett.stores.limits import MINUTE, PERIODS

MOST_KNOWN = 4096  # combinations; beyond it they are worked out anew, at a few microseconds each

# One scope: its row as a slice of the file, rpm and a minute of it in drops, tpm likewise, concurrency, budget, and the
# budget's period as a number; None, or the scope when it ends by itself.
Place: TypeAlias = tuple[slice, int | None, int, int | None, int, int | None, int | None, int, Scope | None]


class Places(NamedTuple):
    """The places of a call's scopes, in order; `offsets` and `slices` are the rows' once more, as a commit takes them."""

    scopes: tuple[Scope, ...]
    offsets: tuple[int, ...]
    slices: tuple[slice, ...]
    places: tuple[Place, ...]


class PlaceBook:
    """`known` is by the identity of the scopes' tuple, which each entry keeps alive. Everything is called with the lock held."""

    def __init__(self, table: LedgerTable) -> None:
        self.known: dict[int, Places] = {}
        self.moves = 0  # how often a row had been given to another scope when `known` was true
        self._table = table
        self._rows: dict[str, int] = {}  # offsets by the scope's id

    def forget(self, moves: int) -> None:
        """A row has been given to another scope."""
        self.known.clear()
        self._rows.clear()
        self.moves = moves

    def find(self, scopes: tuple[Scope, ...], now: int) -> Places:
        """The rows of these scopes: found, or claimed. Raises Refusal (ledger_unavailable) when no row is to be had."""
        rows = self._rows
        for scope in scopes:
            if scope.id not in rows:
                self._locate(scope.id, frozenset(rows[other.id] for other in scopes if other.id in rows), now)
        places = tuple(_place(scope, rows[scope.id]) for scope in scopes)
        slices = tuple(place[0] for place in places)
        found = Places(scopes, tuple(rows[scope.id] for scope in scopes), slices, places)
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        self.known[id(scopes)] = found
        return found

    def _locate(self, scope: str, siblings: frozenset[int], now: int) -> None:
        offset, taken = self._table.probe(scope, siblings, now)
        if offset < 0:
            raise Refusal("ledger_unavailable", "The ledger has no room for another key, team or model.")
        rows = self._rows
        if not taken and self._table.claim(scope, offset, now):
            self.moves += 1
            self.known.clear()
            for other in [other for other, row in rows.items() if row == offset]:
                del rows[other]
        rows[scope] = offset


def _place(scope: Scope, offset: int) -> Place:
    limits, budget = scope.limits, scope.limits.budget
    return (
        slice(offset, offset + BLOCK),
        limits.rpm,
        (limits.rpm or 0) * MINUTE,
        limits.tpm,
        limits.tpm * MINUTE if limits.tpm else -1,  # a limit of 0 refuses even a call for 0 tokens
        limits.concurrency,
        None if budget is None else (budget.amount or -1),
        0 if budget is None else PERIODS.index(budget.period),
        scope if scope.lasts else None,
    )
