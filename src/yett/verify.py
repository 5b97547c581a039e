"""Verify an audit journal offline, with nothing but this file, Python's standard library and the public key.

    python verify.py DIR --key key.pub [--anchor FILE|"ORIGIN SIZE ROOT"] [--without-content] [--json]

Exit status: 0 the journal is what was signed, 4 it is not (each problem is named, with its place), 2 wrong usage.

    deleted         something that was there is gone: records, a segment, a checkpoint, a file
    truncated       the end is missing
    reordered       something stands where it does not belong, or a second time
    altered         bytes are not those that were signed, or something was added
    forked          two different versions of the same history
    missing-writer  the root log knows a writer whose folder is gone
    bad-signature   nothing is signed by this key

What this proves: between its first record and its last checkpoint, every record of every writer is there, once, in order,
with the bytes that were signed. What it cannot prove:

- Records after a writer's last checkpoint are chained but not signed yet. A writer that lives, or was killed and has not been
  recovered by a later start, has such a tail ("unclosed"); whoever can write there can change or drop it unseen.
- Whoever holds the signing key can write any history and sign it. It shows only against a checkpoint kept elsewhere.
- Whoever puts *everything* back to an earlier state (root log and all writers, say from a disk image) has an older journal
  that is perfectly consistent. Give `--anchor` a checkpoint kept elsewhere ("root" in this program's output) to see it.
- The public key inside DIR may have been replaced together with everything else: pin a copy with `--key`.
- A journal copied while it is written can look truncated: copy it when the gateway rests, or verify it in place.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256, sha512
from pathlib import Path
from typing import NamedTuple

OK, USAGE, INTEGRITY = 0, 2, 4

# ---- Ed25519, RFC 8032 section 5.1: verification only, so nothing here is secret and nothing needs constant time -----------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # extended homogeneous coordinates X, Y, Z, T


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    x, y, z, w = f - e, h - g, h + g, f + e
    return x * y % P, z * w % P, y * z % P, x * w % P


def _multiply(factor: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _decompress(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _base_point() -> Point:
    base = _decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert base is not None  # noqa: S101 - a constant of the curve
    return base


BASE = _base_point()


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is that of the key `public` (32 bytes) over `message`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _decompress(public), _decompress(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _multiply(scalar, BASE), _add(commitment, _multiply(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- what is found -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """Something is not as it was signed. `where`: file, and `:line` where lines are meant."""

    kind: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind:<14}  {self.where}  {self.message}"


@dataclass
class Report:
    """What was verified and what was wrong. `root` is the newest root checkpoint, "origin size root": keep it elsewhere."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    key: str = ""
    pinned: bool = False
    root: str = ""

    @property
    def ok(self) -> bool:
        return not self.problems

    def problem(self, kind: str, where: str, message: str) -> None:
        found = Problem(kind, where, message)
        if found not in self.problems:
            self.problems.append(found)

    def count(self, what: str, number: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + number


class UsageError(Exception):
    """There is nothing here that can be verified."""


ED25519 = b"\x01"  # the signed-note algorithm byte


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class PublicKey(NamedTuple):
    """The signed-note text form, `name+hash+key`, taken apart."""

    name: str
    public: bytes
    text: str

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Raises ValueError."""
        name, hashed, encoded = text.split("+", 2)  # a key's name has no "+" in it, base64 may
        data = base64.b64decode(encoded, validate=True)
        key = cls(name, data[1:], text)
        if len(data) != 33 or data[:1] != ED25519 or hashed != key.id(name).hex() or key.canonical() != text:
            raise ValueError("not an Ed25519 verifier key")
        return key

    def id(self, name: str) -> bytes:
        return sha256(name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def canonical(self) -> str:
        return f"{self.name}+{self.id(self.name).hex()}+{_b64(ED25519 + self.public)}"


# ---- notes, trees, chains ----------------------------------------------------------------------------------------------------

HASH, NUMBER = rb"([A-Za-z0-9+/]{43}=)", rb"(0|[1-9][0-9]{0,17})"
NOTE = re.compile(
    rb"([!-~]+)\n" + NUMBER + rb"\n" + HASH + rb"\nyett " + NUMBER + b" " + NUMBER + rb" (open|closed|recovered) "
    + NUMBER + b" " + NUMBER + b" " + HASH + rb"\nprev " + HASH + rb"\nfrontier [A-Za-z0-9+/=]*\n\n"
    rb"\xe2\x80\x94 ([!-~]+) ([A-Za-z0-9+/]{91}=)\n"
)  # fmt: skip
NO_HASH = bytes(32)


class Note(NamedTuple):
    """A signed checkpoint as it was found."""

    origin: str
    size: int
    root: bytes
    number: int
    state: str
    blobs: int
    blobs_chain: bytes
    prev: bytes
    signer: str
    signature: bytes
    raw: bytes
    where: str

    @classmethod
    def read(cls, found: re.Match[bytes], where: str) -> Note:
        origin, size, root, index, _ts, state, _since, blobs, chain, prev, signer, signature = found.groups()
        decode = base64.b64decode
        return cls(
            origin.decode(), int(size), decode(root), int(index), state.decode(), int(blobs), decode(chain), decode(prev),
            signer.decode(), signature, found.group(), where,
        )  # fmt: skip

    @property
    def digest(self) -> bytes:
        return sha256(self.raw).digest()

    def signed_by(self, key: PublicKey) -> bool:
        data = base64.b64decode(self.signature)
        # Base64 with other unused bits would decode to the same signature: the bytes of the file would not be what was written.
        if base64.b64encode(data) != self.signature or self.signer != self.origin or data[:4] != key.id(self.origin):
            return False
        return ed25519_verify(key.public, self.raw[: self.raw.index(b"\n\n") + 1], data[4:])


class Tree:
    """RFC 6962, reduced to the complete subtrees' roots."""

    def __init__(self) -> None:
        self.size = 0
        self.hashes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        carry, hashes = self.size, self.hashes
        while carry & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            carry >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return sha256(b"").digest()
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = sha256(b"\x01" + left + root).digest()
        return root


class Link(NamedTuple):
    """One member of a chain: its number (None when it cannot be read), the hash it says precedes it, its own hash."""

    n: int | None
    prev: bytes
    digest: bytes
    where: str


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


class Walk:
    """Reads a chain that is broken somewhere, and names how. `expected` is the number that should come next.

    A member is in its place when it follows on by number *and* by hash. When only the hash fits, its number was altered; when
    only the number fits, it or its predecessor was. Numbers that are skipped were deleted, unless they stand elsewhere.
    """

    def __init__(self, links: Iterable[Link], start: bytes, what: str, report: Report) -> None:
        self.expected = 0
        self.faults = 0
        self._what, self._report = what, report
        self._links = list(links)
        self._numbers = {link.n for link in self._links}
        self._seen: dict[int, bytes] = {}
        self._late: set[int] = set()
        self._tip: bytes | None = start
        self._damaged = False
        # Kind and position of the problem reported last: one cause, one problem.
        self._last: tuple[str, int] | None = None
        for position, link in enumerate(self._links):
            self._step(position, link)

    def _say(self, kind: str, position: int, message: str) -> None:
        repeated = self._last == (kind, position - 1)
        self._last = (kind, position)
        if not repeated:
            self.faults += 1
            self._report.problem(kind, self._links[position].where, message)

    def _step(self, position: int, link: Link) -> None:
        what, number = self._what, link.n
        if number is None:
            self._say("altered", position, f"this is not a {what} (one was damaged here, or something was added)")
            self._damaged, self._tip = True, None
        elif self._damaged and number >= self.expected:
            self._advance(number, link)  # what could not be read stood in between
        elif number == self.expected:
            if self._tip is not None and link.prev != self._tip:
                before = f"{what} {number - 1}" if number else "the beginning of this log"
                self._say(
                    "altered", position, f"{what} {number} does not continue {before}: one of the two was altered"
                )
            self._advance(number, link)
        elif link.prev == self._tip:
            self._say("altered", position, f"{what} {self.expected} says that it is {number}")
            self._advance(self.expected, link)
            self._tip = None  # its hash is no longer the one that its successor knows
        elif number > self.expected:
            self._gap(position, number)
            self._advance(number, link)
        elif number in self._late:
            self._late.discard(number)
            self._seen[number] = link.digest
        elif self._seen.get(number) in (link.digest, None):
            self._say("reordered", position, f"{what} {number} stands here a second time, or out of its place")
        else:
            self._say("forked", position, f"{what} {number} stands here a second time with other contents")

    def _gap(self, position: int, number: int) -> None:
        missing = [each for each in range(self.expected, number) if each not in self._numbers]
        self._late.update(set(range(self.expected, number)).difference(missing))
        if missing:
            self._say("deleted", position, f"{self._what} {_span(missing[0], missing[-1])} before this one is gone")
            self._report.count("gaps", len(missing))
        else:
            self._say("reordered", position, f"{self._what} {number} stands before {self.expected}")

    def _advance(self, number: int, link: Link) -> None:
        self._seen[number] = link.digest
        self.expected, self._tip, self._damaged = number + 1, link.digest, False


class Expected(NamedTuple):
    """Somebody signed, or keeps elsewhere, that a log of this size had this root."""

    size: int
    root: bytes
    source: str
    anchor: bool = False


def judge(computed: dict[int, bytes], expected: list[Expected], where: str, what: str, report: Report) -> None:
    """Compare a log's computed roots with everything that is known of them. Sizes that were not reached are not judged."""
    good, matches = 0, [each for each in expected if computed.get(each.size) == each.root]
    for each in sorted(expected, key=lambda one: one.size):
        if each.size not in computed:
            continue
        if computed[each.size] == each.root:
            good = each.size
        elif each.anchor:
            report.problem("forked", where, f"its first {each.size} {what}s are not those of the anchor {each.source}")
        elif any(other.size >= each.size for other in matches):
            # What was signed later agrees with what is there, so this signature was given to another version.
            report.problem(
                "forked", each.source, f"this checkpoint of size {each.size} is of another version of the log"
            )
        else:
            report.problem(
                "altered",
                where,
                f"{what} {_span(good, each.size - 1)}: not what was signed (chained anew?), see {each.source}",
            )
            return


# ---- the root log ------------------------------------------------------------------------------------------------------------

SEAM = b',"checkpoint":"'
ROOT_LEAF = re.compile(
    rb'\{"n":' + NUMBER + rb',"prev":"([0-9a-f]{64})","ts":' + NUMBER + rb',"event":"(open|checkpoint|close|recover|damage)",'
    rb'"writer":"(w-[0-9a-f-]+)","size":' + NUMBER + rb',"root":"' + HASH + rb'","checkpoints":' + NUMBER
    + rb',"last":"(|[A-Za-z0-9+/]{43}=)","bytes":' + NUMBER + rb',"detail":"(?:[^"\\]|\\.)*"\}'
)  # fmt: skip


class Statement(NamedTuple):
    """What the root log says of a writer."""

    event: str
    writer: str
    size: int
    root: bytes
    checkpoints: int
    last: bytes
    length: int
    where: str


class RootLine(NamedTuple):
    link: Link
    note: Note | None
    statement: Statement | None


def _root_line(raw: bytes, where: str) -> RootLine:
    """Take a line apart: the leaf is everything but the `checkpoint` field."""
    seam = raw.rfind(SEAM)
    leaf = raw[:seam] + b"}"
    found = ROOT_LEAF.fullmatch(leaf) if seam >= 0 else None
    if found is None:
        return RootLine(Link(None, b"", b"", where), None, None)
    n, prev, _ts, event, writer, size, root, checkpoints, last, length = found.groups()
    note = None
    try:
        text = json.loads(raw[seam + len(SEAM) - 1 : -1])
        matched = NOTE.fullmatch(text.encode())
        # The same text in other escapes would be other bytes than those that were written.
        if matched is not None and raw == leaf[:-1] + SEAM[:-1] + json.dumps(text, ensure_ascii=False).encode() + b"}":
            note = Note.read(matched, where)
    except (ValueError, AttributeError, RecursionError):
        pass
    decode = base64.b64decode
    statement = Statement(
        event.decode(), writer.decode(), int(size), decode(root), int(checkpoints), decode(last), int(length), where
    )  # fmt: skip
    return RootLine(Link(int(n), bytes.fromhex(prev.decode()), sha256(b"\x00" + leaf).digest(), where), note, statement)


def _verify_notes(notes: list[Note], key: PublicKey, origin: str, report: Report, *, chained: bool) -> list[Note]:
    """Those that the key signed. Each contains the hash of the one before, so when that chain is whole the last signature
    vouches for all of them; otherwise every signature is checked."""
    if chained and notes and all(note.origin == origin for note in notes) and notes[-1].signed_by(key):
        report.count("checkpoints", len(notes))
        report.count("signatures")
        return notes
    trusted = []
    for note in notes:
        if note.origin == origin and note.signed_by(key):
            trusted.append(note)
            report.count("signatures")
        else:
            report.problem("altered", note.where, f"checkpoint {note.number} has no valid signature")
    report.count("checkpoints", len(trusted))
    return trusted


def verify_root(path: Path, key: PublicKey, anchors: list[Expected], report: Report) -> list[Statement]:
    """Verify root.jsonl; returns what it says, oldest first."""
    data = path.read_bytes() if path.exists() else b""
    if not data:
        report.problem("deleted", path.name, "the root log is gone")
        return []
    raws = data.split(b"\n")
    if rest := raws.pop():
        cut = not _parses(rest[:-1])
        report.problem("truncated" if cut else "altered", f"{path.name}:{len(raws) + 1}", "the last line is incomplete")
    lines = [_root_line(raw, f"{path.name}:{at}") for at, raw in enumerate(raws, 1)]
    before = len(report.problems)
    walk = Walk((line.link for line in lines), sha256(b"yett audit root v1").digest(), "statement", report)
    notes: list[Note] = []
    for line in lines:
        if line.note is not None:
            notes.append(line.note)
        elif line.link.n is not None:
            report.problem("altered", line.link.where, "the checkpoint in this line is damaged")
    whole = len(notes) == len(lines) and not walk.faults
    chained = whole and all(note.prev == (notes[at - 1].digest if at else NO_HASH) for at, note in enumerate(notes))
    origin = f"{key.name}/root"
    trusted = _verify_notes(notes, key, origin, report, chained=chained)
    if len(report.problems) == before:
        tree, computed = Tree(), {}
        for line in lines:
            tree.append(line.link.digest)
            computed[tree.size] = tree.root()
        judge(computed, [Expected(n.size, n.root, n.where) for n in trusted], path.name, "statement", report)
        if any(note.size != at for at, note in enumerate(notes, 1)) or not chained:
            report.problem("altered", path.name, "the checkpoints are not those of their lines")
        judge(computed, anchors, path.name, "statement", report)
        report.root = f"{origin} {tree.size} {_b64(tree.root())}"
    for anchor in anchors:
        if anchor.size > len(lines):
            report.problem(
                "truncated", path.name, f"it ends at {len(lines)}, the anchor {anchor.source} knows {anchor.size}"
            )
    return [line.statement for line in lines if line.statement is not None]


def _parses(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


# ---- a writer ------------------------------------------------------------------------------------------------------------------

FIRST = re.compile(rb'\{"w":"(w-[0-9a-f-]+)","n":' + NUMBER + rb',"prev":"([0-9a-f]{64})","kind":"')
CALL = re.compile(rb'([a-z]+)","call":("(?:[^"\\]|\\.)*")')
SEGMENT_NAME = re.compile(r"([0-9]{12,})\.jsonl")


class Segment(NamedTuple):
    path: Path
    writer: str
    first: int


def _segments(folder: Path) -> list[Segment]:
    """Whatever begins like records, in the order that its contents give: names prove nothing."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in ("checkpoints", "blobs", "reserve"):
            with path.open("rb") as file:
                one, two = FIRST.match(file.readline()), FIRST.match(file.readline())
            named = SEGMENT_NAME.fullmatch(path.name)
            number = int(named[1]) if named else 0
            if one is not None:
                # Where the first two lines disagree, one of them was altered: only then the name has a say.
                first, other = int(one[2]), int(two[2]) - 1 if two else int(one[2])
                found.append(Segment(path, one[1].decode(), number if number in (first, other) else first))
            elif path.suffix == ".jsonl" and path.stat().st_size:
                found.append(Segment(path, folder.name, number))
    return sorted(found, key=lambda each: (each.first, each.path.name))


class Writer:
    """One writer's folder against its own checkpoints, what the root log says of it, and anchors."""

    def __init__(self, folder: Path, name: str, key: PublicKey, report: Report, *, content: bool) -> None:
        self.folder, self.name, self.key, self.report, self.content = folder, name, key, report, content
        self.intents: set[bytes] = set()
        self.outcomes: set[bytes] = set()
        self.closed = False
        self.size = 0

    def where(self, file: str, line: int = 0) -> str:
        return f"{self.folder.name}/{file}" + (f":{line}" if line else "")

    def verify(self, statements: list[Statement], anchors: list[Expected]) -> None:
        notes, complete = self._checkpoints(statements)
        final = notes[-1].state if notes else "open"
        ends = [each for each in statements if each.event in ("close", "recover")]
        self.closed = bool(ends) or final != "open"
        if final != "open" and not ends and statements:
            self.report.problem(
                "truncated", "root.jsonl", f"writer {self.name} has ended, and the root log does not know it"
            )
        expected = [Expected(n.size, n.root, n.where) for n in notes]
        expected += [Expected(s.size, s.root, s.where) for s in statements if s.checkpoints]
        self._records(expected + anchors)
        if complete and notes:
            self._blobs([(note.blobs, note.blobs_chain) for note in notes])
        self._reserve()
        self.report.count("writers closed" if self.closed else "writers unclosed")
        for each in statements:
            if each.event == "damage":
                self.report.problem(
                    "altered", each.where, f"writer {self.name} could not be recovered at a later start"
                )

    # -- checkpoints

    def _checkpoints(self, statements: list[Statement]) -> tuple[list[Note], bool]:
        path = self.folder / "checkpoints"
        data = path.read_bytes() if path.exists() else b""
        known = max((each.checkpoints for each in statements), default=0)
        if not data:
            if known:
                self.report.problem("deleted", self.where("checkpoints"), f"all {known} checkpoints are gone")
            return [], False
        notes, links, at, line = [], [], 0, 1
        for found in NOTE.finditer(data):
            if found.start() != at:
                links.append(Link(None, b"", b"", self.where("checkpoints", line)))
                line += data.count(b"\n", at, found.start())
            note = Note.read(found, self.where("checkpoints", line))
            notes.append(note)
            links.append(Link(note.number, note.prev, note.digest, note.where))
            at = found.end() + (data[found.end() : found.end() + 1] == b"\n")
            line += data.count(b"\n", found.start(), at)
            if at == found.end() != len(data):
                self.report.problem(
                    "altered", self.where("checkpoints", line), "the empty line before this one is gone"
                )
        ended = bool(statements) and statements[-1].event in ("close", "recover")
        torn = at != len(data) or not data.endswith(b"\n\n")
        if torn:
            self._torn_checkpoint(data, at, ended, statements)
        walk = Walk(links, NO_HASH, "checkpoint", self.report)
        trusted = _verify_notes(
            notes, self.key, f"{self.key.name}/{self.name}", self.report, chained=not walk.faults
        )  # fmt: skip
        sound = not walk.faults and not (torn and ended) and len(trusted) == len(notes)
        self._against_root(statements, {note.number: note for note in trusted}, walk.expected, quiet=not sound)
        return trusted, sound

    def _torn_checkpoint(self, data: bytes, at: int, ended: bool, statements: list[Statement]) -> None:
        where = self.where("checkpoints", data.count(b"\n", 0, at) + 1)
        if not ended:
            self.report.notes.append(f"{where}: the last checkpoint is incomplete (its writer was killed)")
        elif len(data) < statements[-1].length:
            self.report.problem("truncated", where, "the last checkpoint is incomplete")
        else:
            self.report.problem("altered", where, "this is not a checkpoint")

    def _against_root(self, statements: list[Statement], notes: dict[int, Note], count: int, *, quiet: bool) -> None:
        for each in statements:
            note = notes.get(each.checkpoints - 1)
            if note is not None and note.digest != each.last:
                self.report.problem(
                    "forked", note.where, f"the root log knows another checkpoint {note.number} ({each.where})"
                )
            elif note is None and each.checkpoints > count and not quiet:
                self.report.problem(
                    "truncated", self.where("checkpoints"), f"{count} checkpoints, {each.where} knows {each.checkpoints}"
                )  # fmt: skip

    # -- records

    def _records(self, expected: list[Expected]) -> None:
        segments = _segments(self.folder)
        sizes = sorted({each.size for each in expected})
        signed = sizes[-1] if sizes else 0
        computed, size, broken = self._read(segments, sizes)
        if broken:
            walk = Walk(self._links(segments), self._genesis(), "record", self.report)
            size = walk.expected
            if not walk.faults:
                self.report.problem("altered", self.where(""), "the records do not form one chain")
        else:
            self._names(segments)
            judge(computed, expected, self.folder.name, "record", self.report)
        self.size = size
        self.report.count("segments", len(segments))
        if size < signed:
            kind = "truncated" if segments else "deleted"
            self.report.problem(
                kind, self.folder.name, f"{size} records, {signed} were signed: {_span(size, signed - 1)} gone"
            )
            self.report.count("gaps", signed - size)
        elif size > signed and not broken:
            if self.closed:
                self.report.problem("altered", self.folder.name, f"{size - signed} records were added after its end")
            else:
                self.report.notes.append(
                    f"{self.folder.name}: unclosed, its last {size - signed} records are not signed yet"
                )
        elif not self.closed:
            self.report.notes.append(f"{self.folder.name}: unclosed (its process lives, or was killed)")

    def _genesis(self) -> bytes:
        return sha256(b"yett audit v1\n" + self.name.encode()).digest()

    def _read(self, segments: list[Segment], sizes: list[int]) -> tuple[dict[int, bytes], int, bool]:
        """The fast path: as long as every line is exactly what it should be. Returns the roots at `sizes`, the number of
        records, and whether something was not as it should be."""
        tree, due = Tree(), list(reversed(sizes))
        computed = {}
        n, tip, name = 0, self._genesis().hex().encode(), self.name.encode()
        append, match = tree.append, CALL.match
        kinds = {b"intent": 0, b"outcome": 0, b"event": 0}
        if due and due[-1] == 0:
            computed[due.pop()] = tree.root()
        for segment in segments:
            with segment.path.open("rb") as file:
                for raw in file:
                    head = b'{"w":"%b","n":%d,"prev":"%b","kind":"' % (name, n, tip)
                    found = match(raw, len(head))
                    if not raw.startswith(head) or found is None or not raw.endswith(b"}\n"):
                        if self._torn(raw, segment, segments, n):
                            break
                        return computed, n, True
                    digest = sha256(b"\x00" + raw[:-1])
                    tip = digest.hexdigest().encode()
                    append(digest.digest())
                    n += 1
                    if due and due[-1] == n:
                        computed[due.pop()] = tree.root()
                    kind, call = found.groups()
                    kinds[kind] = kinds.get(kind, 0) + 1
                    if kind == b"intent":
                        self.intents.add(call)
                    elif kind == b"outcome":
                        if call in self.intents:
                            self.intents.discard(call)
                        else:
                            self.outcomes.add(call)
        self.report.count("records", n)
        for kind, number in kinds.items():
            self.report.count(f"{kind.decode()}s", number)
        return computed, n, False

    def _torn(self, raw: bytes, segment: Segment, segments: list[Segment], n: int) -> bool:
        """Whether this is the unfinished last line of the last segment; in an ended log that is a problem of its own."""
        if raw.endswith(b"\n") or segment is not segments[-1]:
            return False
        where = f"{self.where(segment.path.name)} record {n}"
        if not self.closed:
            self.report.notes.append(f"{where}: incomplete (its writer was killed while writing it)")
        elif _parses(raw[:-1]):
            self.report.problem("altered", where, "its line does not end as it was written")
        else:
            self.report.problem("truncated", where, "the last line is incomplete")
        return True

    def _links(self, segments: list[Segment]) -> Iterator[Link]:
        for segment in segments:
            with segment.path.open("rb") as file:
                for number, raw in enumerate(file, 1):
                    line, found = raw.rstrip(b"\n"), FIRST.match(raw)
                    where = self.where(segment.path.name, number)
                    if not raw.endswith(b"\n") and not _parses(raw[:-1]):
                        self.report.problem("truncated", where, "the last line is incomplete")
                    elif (
                        found is None or found[1] != self.name.encode() or not _parses(line) or not raw.endswith(b"\n")
                    ):
                        yield Link(None, b"", b"", where)
                    else:
                        digest = sha256(b"\x00" + line).digest()
                        yield Link(int(found[2]), bytes.fromhex(found[3].decode()), digest, where)

    def _names(self, segments: list[Segment]) -> None:
        for segment in segments:
            named = SEGMENT_NAME.fullmatch(segment.path.name)
            if named is None or int(named[1]) != segment.first:
                message = f"the name is not that of the segment beginning with record {segment.first}"
                self.report.problem("altered", self.where(segment.path.name), message)

    # -- content

    def _blobs(self, expected: list[tuple[int, bytes]]) -> None:
        """The sealed content: its frames' chain at every checkpoint. Opening them needs the content key, checking does not."""
        path, final = self.folder / "blobs", max(expected)[0]
        if not self.content or (not path.exists() and final == 0):
            return
        if not path.exists():
            self.report.problem(
                "deleted", self.where("blobs"), "the kept content is gone (left out? --without-content)"
            )
            return
        at, chain, due = 0, NO_HASH, dict(expected)
        size = path.stat().st_size
        if size < final:
            self.report.problem("truncated", self.where("blobs"), f"{size} bytes, {final} were signed")
        with path.open("rb") as file:
            while head := file.read(4):
                frame = head + file.read(int.from_bytes(head, "big"))
                if len(frame) != 4 + int.from_bytes(head, "big") and at < final <= size:
                    self.report.problem("altered", self.where("blobs"), f"no frame begins at byte {at}")
                    return
                chain = sha256(chain + sha256(frame).digest()).digest()
                at += len(frame)
                self.report.count("blobs")
                if at in due and due.pop(at) != chain:
                    self.report.problem(
                        "altered", self.where("blobs"), f"the content up to byte {at} is not what was signed"
                    )
                    return
        if size >= final and any(missed for missed in due if missed):
            self.report.problem(
                "altered", self.where("blobs"), "the frames do not end where they did when they were signed"
            )
        if self.closed and size > final:
            self.report.problem("altered", self.where("blobs"), f"{size - final} bytes were added after its end")

    def _reserve(self) -> None:
        path = self.folder / "reserve"
        if path.exists():
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    if block.strip(b"\0"):
                        self.report.problem("altered", self.where("reserve"), "the reserve is not empty")
                        return


# ---- all of it -------------------------------------------------------------------------------------------------------------------


def _identify(folder: Path, key: PublicKey) -> str:
    """Whose folder this is, by what it contains rather than by its name."""
    path = folder / "checkpoints"
    names: dict[str, int] = {folder.name: 1}
    if path.is_file():
        for found in NOTE.finditer(path.read_bytes()):
            prefix, _, writer = found[1].decode().rpartition("/")
            if prefix == key.name:
                names[writer] = names.get(writer, 0) + 2
    for segment in _segments(folder):
        names[segment.writer] = names.get(segment.writer, 0) + 2
    return max(names, key=lambda name: (names[name], name == folder.name))


def _compare(first: Path, second: Path, writer: str, report: Report) -> None:
    """Two folders of one writer: where do they part?"""

    def lines(folder: Path) -> Iterator[bytes]:
        for segment in _segments(folder):
            with segment.path.open("rb") as file:
                yield from file

    one, two, at = lines(first), lines(second), 0
    while (left := next(one, None)) == (right := next(two, None)):
        if left is None or right is None:
            report.problem("forked", second.name, f"a second copy of writer {writer} ({first.name})")
            return
        at += 1
    report.problem(
        "forked", second.name, f"a second version of writer {writer} ({first.name}): they part at record {at}"
    )


def _choose_key(folder: Path, pinned: PublicKey | None, report: Report) -> PublicKey:
    path = folder / "key.pub"
    text = path.read_text(errors="replace") if path.exists() else ""
    report.pinned = pinned is not None
    if pinned is None:
        try:
            key = PublicKey.parse(text.removesuffix("\n"))
        except ValueError:
            if not text:
                raise UsageError(f"{folder}: no key.pub here; give the public key with --key") from None
            report.problem("altered", "key.pub", "this is not a public key; give the true one with --key")
            raise UsageError(f"{path}: not a public key, so nothing can be verified with it; use --key") from None
        report.notes.append(
            "the public key is the journal's own: whoever replaced both would not be noticed; pin it with --key"
        )
    else:
        key = pinned
        if not path.exists():
            report.problem("deleted", "key.pub", "it is gone (the pinned key is used)")
        elif text != key.text + "\n":
            report.problem("altered", "key.pub", "this is not the pinned key")
    report.key = key.canonical()
    return key


def verify(
    folder: Path,
    pinned: PublicKey | None = None,
    anchors: Iterable[tuple[str, int, bytes]] = (),
    *,
    content: bool = True,
) -> Report:
    """Verify the journal in `folder`. Anchors are (origin, size, root) of checkpoints kept elsewhere. Raises UsageError."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    root, marks = folder / "root.jsonl", list(anchors)
    while True:
        before = root.stat().st_size if root.exists() else 0
        report = _verify_once(folder, pinned, marks, content=content)
        # A writer that began or ended meanwhile was seen by half: look again, until nobody did.
        if report.ok or not root.exists() or root.stat().st_size <= before:
            return report


def _verify_once(
    folder: Path, pinned: PublicKey | None, anchors: list[tuple[str, int, bytes]], *, content: bool
) -> Report:
    report = Report()
    # Folders first, then the root log, then each writer's checkpoints before its records: a journal that grows meanwhile
    # never shows a signature over something that was not read.
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    if not folders and not (folder / "root.jsonl").exists():
        raise UsageError(f"{folder}: there is no audit journal here")
    key = _choose_key(folder, pinned, report)
    marks: dict[str, list[Expected]] = {}
    for origin, size, root in anchors:
        marks.setdefault(origin, []).append(Expected(size, root, f'"{origin} {size}"', anchor=True))
    statements: dict[str, list[Statement]] = {}
    for each in verify_root(folder / "root.jsonl", key, marks.pop(f"{key.name}/root", []), report):
        statements.setdefault(each.writer, []).append(each)
    root_sound = report.ok
    intents, outcomes = _verify_writers(folders, statements, marks, key, report, root_sound=root_sound, content=content)
    report.counts["orphan intents"] = len(intents - outcomes)
    for origin in marks:
        report.problem("missing-writer", origin, "an anchor knows this log, and it is not here")
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in ("key.pub", "root.jsonl"):
            report.notes.append(f"{path.name}: not a file of the journal")
    if not report.counts.get("signatures"):
        report.problem("bad-signature", folder.name, "nothing here is signed by this key: is it the right one?")
    return report


def _verify_writers(
    folders: list[Path], statements: dict[str, list[Statement]], marks: dict[str, list[Expected]], key: PublicKey,
    report: Report, *, root_sound: bool, content: bool,
) -> tuple[set[bytes], set[bytes]]:  # fmt: skip
    """Every folder, and every writer that should have one. Returns the calls without outcome, and outcomes to be matched."""
    intents: set[bytes] = set()
    outcomes: set[bytes] = set()
    seen: dict[str, Path] = {}
    named = [(folder, _identify(folder, key)) for folder in folders]
    for folder, name in sorted(named, key=lambda each: each[0].name != each[1]):
        if name in seen:
            _compare(seen[name], folder, name, report)
            continue
        seen[name] = folder
        if folder.name != name:
            report.problem("altered", folder.name, f"this is the folder of writer {name} under another name")
        said = statements.get(name, [])
        writer = Writer(folder, name, key, report, content=content)
        writer.verify(said, marks.pop(f"{key.name}/{name}", []))
        intents |= writer.intents
        outcomes |= writer.outcomes
        if not said and not (writer.size or writer.closed):
            report.notes.append(f"{folder.name}: not in the root log, and empty")
        elif not said and root_sound:
            message = f"writer {name} is not in it: its end is missing, or that folder does not belong here"
            report.problem("truncated", "root.jsonl", message)
    for name, said in statements.items():
        if name not in seen:
            report.problem("missing-writer", name, f"its folder was deleted ({said[0].where} knows it)")
    return intents, outcomes


# ---- the command -----------------------------------------------------------------------------------------------------------------


def read_key(given: str) -> PublicKey:
    """A public key: a file like key.pub, or its text. Raises UsageError."""
    path = Path(given)
    try:
        return PublicKey.parse((path.read_text() if path.is_file() else given).strip())
    except (ValueError, OSError) as error:
        raise UsageError(f"--key {given}: {error}") from error


def read_anchor(given: str) -> tuple[str, int, bytes]:
    """An anchor: a file whose first three lines are a checkpoint, or "ORIGIN SIZE ROOT". Raises UsageError."""
    path = Path(given)
    try:
        words = (path.read_text() if path.is_file() else given).split()
        origin, size, root = words[:3]
        return origin, int(size), base64.b64decode(root, validate=True)
    except (ValueError, OSError) as error:
        raise UsageError(f'--anchor {given}: not a checkpoint ("origin size root"): {error}') from error


def as_json(report: Report) -> str:
    return json.dumps({"ok": report.ok, **asdict(report)}, indent=2, ensure_ascii=False)


def as_text(report: Report) -> str:
    counts = report.counts
    rows = [
        ("key", f"{report.key} ({'pinned' if report.pinned else 'from the journal itself'})"),
        ("writers", f"{counts.get('writers closed', 0)} closed, {counts.get('writers unclosed', 0)} unclosed"),
        ("records", f"{counts.get('records', 0):,} in {counts.get('segments', 0)} segments"),
        ("kinds", ", ".join(f"{counts.get(kind, 0):,} {kind}" for kind in ("intents", "outcomes", "events", "blobs"))),
        ("orphans", f"{counts.get('orphan intents', 0):,} intents without outcome"),
        ("gaps", f"{counts.get('gaps', 0):,} records missing"),
        (
            "checkpoints",
            f"{counts.get('checkpoints', 0):,} verified, {counts.get('signatures', 0):,} signatures checked",
        ),
        ("root", report.root or "not verified"),
    ]
    lines = [f"{label:<12} {text}" for label, text in rows]
    lines += [f"note         {note}" for note in report.notes]
    lines += [f"PROBLEM      {problem}" for problem in report.problems]
    lines.append("OK" if report.ok else f"NOT INTACT: {len(report.problems)} problem(s)")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="verify", description="Verify a Yett audit journal offline.")
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("--key", help="the public key to trust: a key.pub kept elsewhere, or its text")
    parser.add_argument(
        "--anchor", action="append", default=[], help='a checkpoint kept elsewhere: FILE or "ORIGIN SIZE ROOT"'
    )
    parser.add_argument("--without-content", action="store_true", help="the sealed content was left out of this copy")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        pinned = read_key(options.key) if options.key else None
        anchors = [read_anchor(each) for each in options.anchor]
        report = verify(options.dir, pinned, anchors, content=not options.without_content)
    except (UsageError, OSError) as error:
        sys.stderr.write(f"verify: {error}\n")
        return USAGE
    sys.stdout.write((as_json(report) if options.json else as_text(report)) + "\n")
    return OK if report.ok else INTEGRITY


if __name__ == "__main__":
    sys.exit(main())
