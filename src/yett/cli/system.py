"""The world as the gateway's ports want it: the clock, ids, randomness. Only the composition root makes these."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import time
from collections.abc import Callable


class SystemClock:
    """Implements `ports.Clock`."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Never less than `seconds`: the loop's timers go off a few milliseconds early, and who comes back too early to a
        provider that said when, finds it still set aside."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - no event but time
            await asyncio.sleep(left)


def call_ids() -> Callable[[], str]:
    """Makes the ids of calls: `call_`, 11 hex digits of milliseconds, 8 of the process, 6 of a counter. They sort by time."""
    process = secrets.token_hex(4)
    counter = itertools.count()
    clock = SystemClock.now

    def next_id() -> str:
        return f"call_{int(clock() * 1000):011x}{process}{next(counter) & 0xFFFFFF:06x}"

    return next_id


roll = random.SystemRandom().random
