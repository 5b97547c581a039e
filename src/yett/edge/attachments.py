"""The text of attached files, read by a process for each: killed when its time is up, gone when it crashes, remembered by hash.

Off the path of a call unless somebody waits for it: `read` is for a task of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from yett.documents.extracted import Extracted

MOST_BYTES = 32 * 1024**2  # of one file
MOST_KEPT = 256  # texts remembered, of at most so many characters together:
MOST_CHARACTERS = 16_000_000


class Attachments:
    """`environment` is what the processes see, `tesseract` the path of that program or "". `processes` run at a time."""

    def __init__(
        self, environment: Mapping[str, str], tesseract: str = "", *, seconds: float = 15.0, processes: int = 1
    ) -> None:
        self._environment = dict(environment)
        self._command = (sys.executable, "-I", "-m", "yett.documents", *((tesseract,) if tesseract else ()))
        self._seconds = seconds
        self._turn = asyncio.Semaphore(processes)
        self._kept: OrderedDict[bytes, Extracted] = OrderedDict()
        self._characters = 0

    async def read(self, data: bytes) -> Extracted:
        """The text of one file. Raises nothing but CancelledError: what went wrong is in the result."""
        if len(data) > MOST_BYTES:
            return Extracted("", whole=False, failure="too large")
        key = hashlib.blake2b(data, digest_size=16).digest()
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        async with self._turn:
            found = await self._extracted(data)
        if found.failure != "took too long":  # another time it may not
            self._keep(key, found)
        return found

    async def _extracted(self, data: bytes) -> Extracted:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=self._environment
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer, _ = await process.communicate(data)
        except TimeoutError:
            return Extracted("", whole=False, failure="took too long")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            return msgspec.json.decode(answer, type=Extracted)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return Extracted("", whole=False, failure="cannot be read")  # the process died of it

    def _keep(self, key: bytes, found: Extracted) -> None:
        self._kept[key] = found
        self._characters += len(found.text)
        while len(self._kept) > MOST_KEPT or self._characters > MOST_CHARACTERS:
            _, gone = self._kept.popitem(last=False)
            self._characters -= len(gone.text)
