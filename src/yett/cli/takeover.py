"""What becomes of calls whose process is gone, by what the journal knows of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from yett.stores.journal_reader import entry, find
from yett.stores.journal_recovery import Recovered

log = logging.getLogger("yett")


class Dead:
    """What is known of the calls of processes that are gone. `unknown`: whose intent was recorded and whose outcome was not."""

    def __init__(self, recovered: Iterable[Recovered], audit: Path) -> None:
        found = list(recovered)
        self.unknown = frozenset(orphan.intent.call for one in found for orphan in one.orphans)
        self._writers = len(found)
        self._damaged = any(one.damage for one in found)
        self._audit = audit

    def used(self, call: str, worst: tuple[int, int]) -> tuple[int, int]:
        """Tokens and micro-USD of a call: what its outcome says; the worst case where only an intent is on the record, because it
        may have been served; nothing where not even that is, because then nothing has left."""
        lines = find(self._audit, call)
        record = entry(lines[-1]).record if lines else None
        if record is not None and record.kind == "outcome" and record.outcome != "unknown" and record.usage is not None:
            return record.usage.total, record.usage.cost
        return worst if self._damaged or record is not None or call in self.unknown else (0, 0)

    def tell(self, resolved: int) -> None:
        """For the log, when there was anything."""
        if self._writers or resolved:
            fields = {"unknown_outcomes": len(self.unknown), "holds_resolved": resolved}
            log.warning("took over from processes that died", extra={"fields": fields})
