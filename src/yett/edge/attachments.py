"""The text of attached files, read by a process for each: killed when its time is up, gone when it crashes, remembered by hash.

Off the path of other calls: decoding is done by a thread, reading by the process, and whoever waits has a deadline.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import msgspec

from yett.dialects.attached import is_data_url
from yett.documents.media import bytes_of, data_of, kind_of
from yett.model.attachment import Attached, Extracted

MOST_BYTES = 32 * 1024**2  # of one file
MOST_TEXT = 8_000_000  # bytes of a file that is text by itself
MOST_WAITING = 64  # files; beyond that nobody can be served in time
MOST_KEPT = 256  # texts remembered, of at most so many characters together:
MOST_CHARACTERS = 16_000_000
_SHORT = 65_536  # characters that are decoded at once


class Attachments:
    """Implements `ports.Files`. `environment` is what the processes see, `tesseract` the path of that program or "". `processes`
    run at a time."""

    def __init__(
        self,
        environment: Mapping[str, str],
        tesseract: str = "",
        *,
        seconds: float = 15.0,
        processes: int = 1,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._tell = tell  # what came of each file: read, partly, failed
        self._environment = dict(environment)
        self._command: tuple[str, ...] = (sys.executable, "-I", "-m", "yett.documents")
        self._tesseract = tesseract
        self._seconds = seconds
        self._turn = asyncio.Semaphore(processes)
        self._waiting = 0
        self._kept: OrderedDict[bytes, Extracted] = OrderedDict()
        self._characters = 0

    async def read(self, tenant: str, files: Sequence[Attached], seconds: float, *, recognise: bool) -> list[Extracted]:
        """See `ports.Files`."""
        until = asyncio.get_running_loop().time() + seconds
        different = list(dict.fromkeys(files))
        found = await asyncio.gather(*[self._one(tenant, file, until, recognise) for file in different])
        if self._tell is not None:
            for one in found:
                self._tell("failed" if one.failure else "read" if one.whole else "partly")
        known = dict(zip(different, found, strict=True))
        return [known[file] for file in files]

    async def _one(self, tenant: str, file: Attached, until: float, recognise: bool) -> Extracted:
        if not file.content:
            return _failed("it is not in the call")
        if self._waiting >= MOST_WAITING:
            return _failed("too many files are being read")
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until):
                data = await self._decoded(file.content)
                return _failed("not base64") if data is None else await self.extract(data, tenant, recognise=recognise)
        except TimeoutError:
            return _failed("took too long")
        finally:
            self._waiting -= 1

    async def _decoded(self, content: str) -> bytes | None:
        decode = data_of if is_data_url(content) else bytes_of
        return decode(content) if len(content) <= _SHORT else await asyncio.to_thread(decode, content)

    async def extract(self, data: bytes, tenant: str = "", *, recognise: bool = True) -> Extracted:
        """The text of one file. What is remembered of it is remembered for this tenant: nobody learns from how fast an answer comes
        what another has attached. Raises nothing but CancelledError: what went wrong is in the result."""
        if len(data) > MOST_BYTES:
            return _failed("too large")
        if len(data) <= MOST_TEXT and kind_of(data) == "text":
            return Extracted("text", data.decode("utf-8"))
        key = hashlib.blake2b(
            data, digest_size=16, key=hashlib.sha256(tenant.encode()).digest(), salt=bytes((recognise,))
        ).digest()
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        async with self._turn:
            found = await self._extracted(data, recognise)
        if found.failure != "took too long":  # another time it may not
            self._keep(key, found)
        return found

    async def _extracted(self, data: bytes, recognise: bool) -> Extracted:
        pipe = asyncio.subprocess.PIPE
        command = (*self._command, self._tesseract) if recognise and self._tesseract else self._command
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=self._environment
        )
        try:
            async with asyncio.timeout(self._seconds):
                answer, _ = await process.communicate(data)
        except TimeoutError:
            return _failed("took too long")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            return msgspec.json.decode(answer, type=Extracted)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _failed("cannot be read")  # the process died of it

    def _keep(self, key: bytes, found: Extracted) -> None:
        if key in self._kept:  # two calls had it read at the same time
            return
        self._kept[key] = found
        self._characters += len(found.text)
        while len(self._kept) > MOST_KEPT or self._characters > MOST_CHARACTERS:
            _, gone = self._kept.popitem(last=False)
            self._characters -= len(gone.text)


def _failed(why: str) -> Extracted:
    return Extracted("", whole=False, failure=why)
