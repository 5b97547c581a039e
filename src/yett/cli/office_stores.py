"""The stores behind the console's office: keys, fences, operators and directories, opened and used on one thread.

Every change is recorded as its author's, within the transaction that makes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yett.cli import fences as fence_events
from yett.cli import issuing
from yett.cli.fencing import check_reason, end_of, fence_named
from yett.cli.state import open_database, open_fences, open_keys
from yett.config import units
from yett.config.keyed_hash import keyed_hash
from yett.config.reading import Reading
from yett.console import answers
from yett.console.office import DRAWN_HERE, Author
from yett.errors import Refusal
from yett.model.fence import Fence
from yett.model.key import Limits, VirtualKey
from yett.model.record import Record
from yett.stores.database import Database
from yett.stores.directory import DirectoryStore
from yett.stores.fences import FenceStore
from yett.stores.keys import KeyStore, NewKey
from yett.stores.operators import OperatorStore

_NONCE = 12  # bytes, NIST SP 800-38D
_PURPOSE = b"operator sign-in cookie"


class OfficeStores:
    """What operators see and change there. `now` is whole seconds since the Unix epoch.

    What changes something may raise Refusal and KeyMistake, and everything IntegrityError (damaged) or StoreUnavailable.
    """

    def __init__(self, reading: Reading, write: Callable[[Record], None]) -> None:
        self.author: Author = {}  # of the change that is being made
        self._write = write
        self.database: Database = open_database(reading)
        self.keys: KeyStore = open_keys(reading, self.database, witness=self._key_changed)
        self.fences: FenceStore = open_fences(reading, self.database, witness=self._fence_changed)
        self.operators = OperatorStore.open(reading.state, self.keys.pepper, self.database)
        self.directories = DirectoryStore.open(reading.state, database=self.database)
        self._cookies = AESGCM(keyed_hash(self.keys.pepper).digest(_PURPOSE))

    def seal(self, content: bytes) -> str:
        nonce = secrets.token_bytes(_NONCE)
        return (nonce + self._cookies.encrypt(nonce, content, None)).hex()

    def unseal(self, sealed: str) -> bytes | None:
        try:
            raw = bytes.fromhex(sealed)
            return self._cookies.decrypt(raw[:_NONCE], raw[_NONCE:], None)
        except (ValueError, InvalidTag):
            return None

    def all_keys(self, now: int) -> tuple[answers.Key, ...]:
        newest = {one.key.id: one for one in self.keys.list()}
        return tuple(_key(issuing.described(one, now)) for one in newest.values())

    def create_key(self, new: answers.NewKey, author: Author, reading: Reading, now: int) -> answers.Issued:
        self.author = author
        for label, value in new.labels.items():
            if not issuing.LABEL.fullmatch(label) or not issuing.LABEL.fullmatch(value):
                raise Refusal("invalid_request", f'The label "{label}" is not letters, digits, ".", "_", "/" and "-".')
        try:
            budget = units.parse_budget(new.budget) if new.budget else None
            expires = now + int(units.parse_duration(new.expires)) if new.expires else 0
        except ValueError as error:
            raise Refusal("invalid_request", sentence(str(error))) from None
        wanted = NewKey(
            name=new.name,
            team=new.team,
            tenant=new.tenant,
            expires=expires,
            models=new.models,
            limits=Limits(rpm=new.rpm, tpm=new.tpm, concurrency=new.concurrency, budget=budget),
            labels=tuple(new.labels.items()),
        )
        issuing.check_new(wanted, reading, now)
        key, text = self.keys.create(wanted, now)
        return answers.Issued(text, self._seen(key.id, now))

    def rotate_key(self, id: str, overlap: str, author: Author, now: int) -> answers.Issued:
        self.author = author
        try:
            seconds = int(units.parse_duration(overlap))
        except ValueError as error:
            raise Refusal("invalid_request", sentence(str(error))) from None
        key, text = self.keys.rotate(id, now, seconds)
        return answers.Issued(text, self._seen(key.id, now))

    def revoke_key(self, id: str, author: Author, now: int) -> answers.Key:
        self.author = author
        return self._seen(self.keys.revoke(id, now).id, now)

    def all_fences(self, now: int) -> tuple[answers.Fence, ...]:
        return self._described(fence for fence in self.fences.all() if not fence.until or fence.until > now)

    def draw(self, new: answers.NewFence, author: Author, reading: Reading, now: int) -> answers.Fence:
        self.author = author
        check_reason(new.reason)
        name = fence_named(new.kind, new.id, new.tenant, reading, lambda named: self.keys.find(named).key.id)
        until = end_of(new.until, now)
        drawn = self.fences.draw((name,), now, until=until, sessions=new.sessions, reason=new.reason, source=DRAWN_HERE)
        (fence,) = self._described(drawn)
        return fence

    def lift(self, name: str, author: Author, now: int) -> answers.Fence:
        self.author = author
        lifted = self.fences.lift(name, now)
        if not lifted:
            raise Refusal("not_found", "There is no such fence.")
        return self._described(lifted)[0]

    def _key_changed(self, event: str, key: VirtualKey) -> None:
        self._write(issuing.event_of(event, key, {"operator": dict(self.author)}))

    def _fence_changed(self, event: str, fence: Fence) -> None:
        self._write(fence_events.event_of(event, fence, {"operator": dict(self.author)}))

    def _seen(self, id: str, now: int) -> answers.Key:
        return _key(issuing.described(self.keys.find(id), now))

    def _described(self, fences: Iterable[Fence]) -> tuple[answers.Fence, ...]:
        """With the tenants of the keys that some are around."""
        drawn = tuple(fences)
        owners = {one.key.id: one.key.tenant for one in self.keys.list()} if drawn else {}
        return tuple(_fence(fence, owners) for fence in drawn)


def _key(described: dict[str, object]) -> answers.Key:
    return msgspec.convert(described, answers.Key)


def _fence(fence: Fence, owners: Mapping[str, str]) -> answers.Fence:
    described = fence_events.described(fence)
    tenant = fence_events.tenant_of(fence.name) or owners.get(fence.name.partition(":")[2], "")
    return answers.Fence(tenant=tenant, **described)  # type: ignore[arg-type]


def sentence(text: str) -> str:
    """The message of a mistake as the detail of a refusal. An id that it begins with stays as it is."""
    first = text.partition(" ")[0]
    return (text[:1].upper() if first.isalpha() else text[:1]) + text[1:].rstrip(".") + "."
