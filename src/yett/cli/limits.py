"""The limits as configured: in a file of this machine, or in a store that several machines share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from yett.cli.takeover import Dead
from yett.config.reading import Reading
from yett.errors import ConfigurationError
from yett.ports import Clock, Ledger
from yett.stores.facts import Facts
from yett.stores.journal_recovery import Recovered
from yett.stores.shared_ledger import SharedLedger

MACHINE = "ledger"  # the file of accounts


class Limits(Protocol):
    """What a worker does with its limits beside asking for room."""

    ledger: Ledger

    @property
    def abandoned(self) -> int:
        """Calls that were charged their worst case, because nobody settled them."""
        ...

    @property
    def outages(self) -> int: ...

    @property
    def local_calls(self) -> int: ...

    @property
    def trouble(self) -> str:
        """Why no call can be reserved for; "" when all is well."""
        ...

    @property
    def degraded(self) -> str:
        """What does not work, although calls are taken."""
        ...

    async def take_over(self, recovered: Iterable[Recovered], audit: Path) -> None:
        """What processes that died had reserved: settled by what the journal knows of them."""
        ...

    async def refresh(self) -> None:
        """A duty of every second."""
        ...

    async def close(self) -> None: ...


async def open_limits(reading: Reading, clock: Clock, facts: Facts | None = None) -> Limits:
    """Raises ConfigurationError, IntegrityError, OSError. A store that is away at the start is waited for.
    With `facts` of a shared database, which ledger counts is remembered there, not by each machine."""
    if not reading.limits:
        return MachineLimits(reading, clock)
    try:
        from yett.cli.cluster_limits import ClusterLimits
    except ModuleNotFoundError as error:
        message = f'needs {error.name}; install the extra: pip install "yett[cluster]"'
        raise ConfigurationError((reading.mistake(("stores", "limits"), message),)) from error
    limits = ClusterLimits(reading, clock, facts)
    await limits.start()
    return limits


class MachineLimits:
    """In a file that the workers of this machine share."""

    outages = local_calls = 0
    degraded = ""

    def __init__(self, reading: Reading, clock: Clock) -> None:
        self._file = SharedLedger(reading.state / MACHINE, clock, reading.settings.limits.lease_seconds)
        self.ledger: Ledger = self._file

    @property
    def trouble(self) -> str:
        return self._file.broken

    async def take_over(self, recovered: Iterable[Recovered], audit: Path) -> None:
        dead, lost = Dead(recovered, audit), self._file.lost()
        for call in lost:
            self._file.resolve(call.id, *dead.used(call.id, (call.tokens, call.cost)))
        dead.tell(len(lost))

    @property
    def abandoned(self) -> int:
        return self._file.figures().abandoned

    async def refresh(self) -> None:
        pass

    async def close(self) -> None:
        self._file.close()
