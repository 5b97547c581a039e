"""The audit journal of one process: append-only JSON Lines, chained, in a Merkle tree, with signed checkpoints.

One process is one writer in a folder of its own, so nothing is locked on the path of a call: an append is one encoding, one
`write` and two hashes on the loop's thread. Signing and syncing happen on the notary's thread.

    audit/
      key.pub                       the public key; pin a copy elsewhere
      root.jsonl                    root_log.py: which writers there are
      w-<start>-<nonce>/
        000000000000.jsonl …        segments.py: the records
        checkpoints                 checkpoint.py: what was signed, and the lock of the living writer
        blobs                       blobs.py: sealed prompts and replies, when they are kept
        reserve                     space for the outcomes of calls in flight when the disk is full; gone after a close

`durability = "crash"`: a record that `append` has returned for survives the death of the process (the operating system has
it). `"power"`: it is on the disk (fdatasync, one for all records that wait at the time).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from yett.errors import Refusal, YettError
from yett.model.record import Record
from yett.ports import Clock
from yett.stores.append_file import AppendFile, sync_folder
from yett.stores.blobs import LOST, BlobFile, ContentKey
from yett.stores.checkpoint import Signer
from yett.stores.journal_recovery import BLOBS, CHECKPOINTS, RESERVE, DeadWriter, Recovered, dead_writers
from yett.stores.merkle import Frontier
from yett.stores.notary import CheckpointFile, Mark, Notary
from yett.stores.reserve import Reserve
from yett.stores.root_log import RootLog
from yett.stores.segments import genesis, segment_name

SIGNING_KEY, CONTENT_KEY, PUBLIC_KEY = "audit-signing.key", "audit-content.key", "key.pub"


class Tuning(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds. Checkpoints come every `records` records, or `interval` after a change, or
    `heartbeat` when idle; every `root_interval` one of them is entered in the root log. `probe` is how often a journal that
    has no space looks whether it has some again."""

    segment: int = 64 << 20
    reserve: int = 2 << 20
    records: int = 1000
    interval: float = 10.0
    heartbeat: float = 300.0
    root_interval: float = 60.0
    probe: float = 0.5


class FileJournal:
    """Implements `ports.Journal`. Made with `open_journal`; not thread-safe: it belongs to one event loop's thread."""

    def __init__(
        self,
        folder: Path,
        root: RootLog,
        *,
        signer: Signer,
        key: ContentKey,
        clock: Clock,
        durability: str,
        content: str,
        tuning: Tuning,
    ) -> None:
        self.writer = f"w-{int(clock.now()):08x}-{secrets.token_hex(8)}"
        self.recovered: tuple[Recovered, ...] = ()
        self._reason = ""
        self._closed = False
        self._folder = folder / self.writer
        self._folder.mkdir(mode=0o750)
        self._clock = clock
        self._tuning = tuning
        self._full = tuning.segment
        self._power = durability == "power"
        self._keeps = content in ("redacted", "full")
        self._digests = content != "none"
        self._key = key
        self._root = root
        self._checkpoints = CheckpointFile(self._folder / CHECKPOINTS, f"{signer.name}/{self.writer}", signer)
        self._checkpoints.lock()
        self._reserve = Reserve(self._folder / RESERVE, tuning.reserve)
        self._segment = AppendFile(self._folder / segment_name(0))
        self._blobs = BlobFile(self._folder / BLOBS, self.writer, key)
        sync_folder(self._folder)
        sync_folder(folder)
        self._encode = msgspec.json.Encoder(enc_hook=str).encode
        self._prefix = f'{{"w":"{self.writer}","n":'.encode()
        self._tip = genesis(self.writer).encode()
        self._frontier = Frontier()
        self._open_calls: dict[str, int] = {}
        self._marked = 0  # size of the tree at the last checkpoint asked for
        self._due = tuning.records - 1  # the record that the next one is asked for at
        self._marked_at = self._entered_at = clock.monotonic()
        self._probed_at = -tuning.probe
        self._notary = Notary(self.writer, self._checkpoints, root)
        self._waiting: list[asyncio.Future[None]] = []
        self._syncing = False
        self._timer: asyncio.TimerHandle | None = None
        # The first signature is on the disk before the writer is known to the root log, and that before any record.
        self._checkpoints.add(self._mark("open"))
        self._checkpoints.file.sync()
        root.append(self._checkpoints.say("open", self.writer), self._now())
        self._notary.start()

    # ---- the port ---------------------------------------------------------------------------------------------------

    async def append(self, record: Record) -> None:
        """Returns once the record is as durable as configured. Raises Refusal("audit_unavailable"): then it is not written
        (or, when the disk fails to confirm it under "power", not known to be)."""
        self.write(record)
        if self._power:
            await self._confirmed()

    def keep(self, call: str, part: str, text: bytes) -> str:
        """Seal `text` and return the blob's name, "" when content is not kept.

        Raises Refusal("audit_unavailable") for a request. A reply that finds no space costs only its own copy: the name is
        "lost", because an outcome without its text is worth more than no outcome.
        """
        if not self._keeps:
            return ""
        if self._reason:
            if part != "request":
                return LOST  # what space there is, is for outcomes
            self._admit()
        try:
            return self._blobs.put(call, part, text)
        except OSError as error:
            self._unwell(error)
            if part == "request":
                raise Refusal("audit_unavailable") from error
            return LOST

    def fingerprint(self, text: bytes) -> str:
        """Keyed hash of a text, hex; "" when content = "none"."""
        return self._key.fingerprint(text) if self._digests else ""

    # ---- health -----------------------------------------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """Why the journal is not healthy, for /readyz; "" when it is."""
        return self._reason or self._notary.trouble

    @property
    def healthy(self) -> bool:
        return not self.reason

    # ---- writing ----------------------------------------------------------------------------------------------------

    def write(self, record: Record) -> None:
        """Chain the record and hand it to the operating system: `append` without the wait for the disk. Raises Refusal."""
        # The reserve is for the outcomes of calls that were let in. Outcomes of calls that were refused right away come as
        # fast as a client can send, and would use it up.
        kind, opened = record.kind, self._open_calls
        owed = kind == "outcome" and record.call in opened
        if self._reason and (self._closed or not owed):
            self._admit()
        try:
            body = self._encode(record)
        except UnicodeEncodeError:
            body = _lossy(record)
        tree = self._frontier
        size = tree.size
        line = b'%b%d,"prev":"%b",%b' % (self._prefix, size, self._tip, body[1:])
        if self._segment.size + len(line) >= self._full and self._segment.size:
            self._rotate()
        try:
            self._segment.append(line + b"\n")
        except OSError as error:
            self._rescue(line + b"\n", error, owed=owed)
        leaf = sha256(b"\x00" + line).digest()
        self._tip = leaf.hex().encode()
        tree.append(leaf)
        if owed:
            del opened[record.call]
        elif kind == "intent":
            opened[record.call] = size
        if size >= self._due:
            self._request()

    def write_through(self, record: Record) -> None:
        """`append` for a thread without a loop: blocks until the record is as durable as configured. Raises Refusal."""
        self.write(record)
        if self._power:
            try:
                self._segment.sync()
            except OSError as error:
                self._unwell(error)
                raise Refusal("audit_unavailable") from error

    def _admit(self) -> None:
        """Take anything new again only when there is room for the outcomes it leads to. Raises Refusal."""
        now = self._clock.monotonic()
        if not self._closed and now - self._probed_at >= self._tuning.probe:
            self._probed_at = now
            if self._reserve.restore():
                self._reason = ""
                return
        raise Refusal("audit_unavailable")

    def _rescue(self, line: bytes, error: OSError, *, owed: bool) -> None:
        """The disk did not take the line: an outcome that is owed may use the reserve, anything else is refused."""
        self._unwell(error)
        if not owed:
            raise Refusal("audit_unavailable") from error
        self._reserve.release()
        try:
            self._segment.append(line)
        except OSError as second:
            raise Refusal("audit_unavailable") from second

    def _unwell(self, error: OSError) -> None:
        self._reason = f"the journal cannot be written: {error.strerror or error}"

    def _rotate(self) -> None:
        """Begin the next segment. When the disk has no room for one, the present one simply grows on."""
        try:
            following = AppendFile(self._folder / segment_name(self._frontier.size))
        except OSError:
            return
        full, self._segment = self._segment, following
        self._notary.submit(partial(self._retire, full, following))

    def _retire(self, full: AppendFile, following: AppendFile) -> None:
        try:
            full.sync()
            sync_folder(self._folder)
        except OSError as error:
            self._notary.trouble = f"segment {full.path.name}: {error}"
            following.doubt()
        finally:
            full.close()

    # ---- power: one fdatasync for everybody who waits ----------------------------------------------------------------

    def _confirmed(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(future)
        if not self._syncing:
            self._begin_sync(loop)
        return future

    def _begin_sync(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting, self._syncing = self._waiting, [], True
        self._notary.submit(partial(self._sync, loop, batch, (self._segment, self._blobs.file)))

    def _sync(
        self, loop: asyncio.AbstractEventLoop, batch: list[asyncio.Future[None]], files: tuple[AppendFile, ...]
    ) -> None:
        """On the notary's thread."""
        failure: OSError | None = None
        try:
            for file in files:
                file.sync()
        except OSError as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
            loop.call_soon_threadsafe(self._synced, loop, batch, failure)

    def _synced(
        self, loop: asyncio.AbstractEventLoop, batch: list[asyncio.Future[None]], failure: OSError | None
    ) -> None:
        if failure is not None:
            self._unwell(failure)
        _answer(batch, confirmed=failure is None)
        self._syncing = False
        if self._waiting:
            self._begin_sync(loop)

    # ---- checkpoints ------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._clock.now() * 1e6)

    def _mark(self, state: str, enter: str = "") -> Mark:
        size = self._frontier.size
        return Mark(
            size=size,
            frontier=tuple(self._frontier.hashes),
            ts=self._now(),
            state=state,
            since=next(iter(self._open_calls.values()), size),
            blobs=self._blobs.size,
            blobs_chain=self._blobs.chain,
            files=(self._segment, self._blobs.file),
            enter=enter,
        )

    def _request(self, enter: str = "") -> None:
        self._marked = self._frontier.size
        self._due = self._marked + self._tuning.records - 1
        self._marked_at = self._clock.monotonic()
        self._notary.request(self._mark("open", enter))

    def start(self) -> None:
        """Arm the checkpoint timer on the running loop."""
        self._timer = asyncio.get_running_loop().call_later(self._tuning.interval, self._tick)

    def _tick(self) -> None:
        self.look()
        self.start()

    def look(self) -> None:
        """Sign what is new, now and then what is not, and see whether a full disk has room again. To be called every few seconds by
        whoever has no loop that `start` could use."""
        now = self._clock.monotonic()
        changed = self._marked != self._frontier.size or bool(self._notary.trouble)
        if changed or now - self._marked_at >= self._tuning.heartbeat:
            entering = now - self._entered_at >= self._tuning.root_interval
            if entering:
                self._entered_at = now
            self._request("checkpoint" if entering else "")
        if self._reason and self._reserve.restore():
            self._reason = ""

    # ---- beginning and end --------------------------------------------------------------------------------------------

    def adopt(self, dead: list[DeadWriter]) -> None:
        """Record what became of the dead writers' calls, here, and then close their logs. Raises Refusal, OSError."""
        done: list[Recovered] = []
        for each in dead:
            for orphan in each.orphans:
                self.write(_unknown(orphan.intent, orphan.writer, orphan.n, self._now()))
            detail: dict[str, object] = {"orphans": len(each.orphans), "torn": each.torn, "damage": each.damage}
            self.write(Record(kind="event", call=each.writer, ts=self._now(), event="recovery", detail=detail))
            self._segment.sync()
            done.append(each.finish(self._root, self._now()))
            each.close()
        self.recovered = tuple(done)

    def close(self) -> None:
        """Sign the end, say so in the root log, let go of everything. Blocks for a few milliseconds. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._reason = "the journal is closed"
        if self._timer is not None:
            self._timer.cancel()
        self._notary.request(self._mark("closed", "close"))
        self._notary.finish()
        _answer(self._waiting, confirmed=not self._notary.trouble)
        self._waiting = []
        self._let_go()

    def abandon(self) -> None:
        """Let go of everything without signing the end: the next start finds a dead writer here."""
        self._closed = True
        self._reason = "the journal is closed"
        self._notary.finish()
        self._let_go()

    def _let_go(self) -> None:
        self._reserve.close()
        for file in (self._segment, self._blobs.file, self._checkpoints.file):
            file.close()
        self._root.close()


def _answer(batch: list[asyncio.Future[None]], *, confirmed: bool) -> None:
    for future in batch:
        if not future.done():
            if confirmed:
                future.set_result(None)
            else:
                future.set_exception(Refusal("audit_unavailable"))


def _unknown(intent: Record, writer: str, n: int, ts: int) -> Record:
    """The outcome of a call whose process died: nobody knows what became of it."""
    return Record(
        kind="outcome",
        call=intent.call,
        ts=ts,
        caller=intent.caller,
        name=intent.name,
        team=intent.team,
        tenant=intent.tenant,
        surface=intent.surface,
        action=intent.action,
        model=intent.model,
        stream=intent.stream,
        hold=intent.hold,
        outcome="unknown",
        code="internal_error",
        event="recovery",
        detail={"writer": writer, "n": n},
    )


def _lossy(record: Record) -> bytes:
    """A record with a lone surrogate in it, as if it had been a question mark: better than no record."""
    fields = msgspec.to_builtins(record, enc_hook=_in_words)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _in_words(value: object) -> object:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else str(value)


def open_journal(
    folder: Path,
    keys: Path,
    clock: Clock,
    *,
    durability: str = "crash",
    content: str = "digest",
    name: str = "yett.local/audit",
    tuning: Tuning = Tuning(),  # noqa: B008
) -> FileJournal:
    """Begin a new writer in `folder`, after closing what dead processes left there (see `recovered`).

    `keys` is the folder of the two key files; `name` is the origin of the signed logs. Raises ConfigurationError (key files),
    IntegrityError (another key's journal, an altered root log), OSError, Refusal (no space for the recovery's records).
    """
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    signer = Signer.load(keys / SIGNING_KEY, name)
    key = ContentKey.load(keys / CONTENT_KEY)
    signer.export(folder / PUBLIC_KEY)
    root = RootLog(folder, signer)
    dead: list[DeadWriter] = []
    journal: FileJournal | None = None
    try:
        with root.locked():
            dead = dead_writers(folder, root, signer)
            journal = FileJournal(
                folder, root, signer=signer, key=key, clock=clock, durability=durability, content=content, tuning=tuning
            )
            journal.adopt(dead)
    except (OSError, YettError):
        for each in dead:
            each.close()
        if journal is not None:
            journal.abandon()
        root.close()
        raise
    return journal
