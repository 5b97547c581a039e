"""What the console needs from the rest of Yett: its rules, who is signed in, the stores, the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from yett.config.operators import Rules
from yett.config.settings import Settings
from yett.console import answers
from yett.model.fence import Fences
from yett.model.operator import Identity, Session

DRAWN_HERE = "console"  # the source of a fence that was drawn over the API
Author = Mapping[str, object]  # `Operator.noted()`: who is named in the record of a change


class Listing(Struct, frozen=True):
    """What the operators' directory has of somebody now: the names of their groups, in small letters, or the code of errors that says why they are
    none of its users."""

    groups: frozenset[str] = frozenset()
    trouble: str = ""


class Standing(Struct, frozen=True):
    """What decides about one request, as it is now. `session` is that of the cookie, over or not; `listing` is of whose it is, where
    operators have a directory."""

    rules: Rules
    session: Session | None
    fences: Fences
    settings: Settings
    listing: Listing | None = None


class Event(Struct, frozen=True):
    """For the journal: what was done or refused, about what, by whom."""

    name: str
    about: str
    author: Author
    code: str = ""
    tenant: str = ""
    detail: Mapping[str, object] = {}


class Wanted(Struct, frozen=True):
    """Which calls to look for; "" is any. Times are microseconds since the Unix epoch, `tenants` None for all."""

    tenants: frozenset[str] | None
    since: int
    until: int
    limit: int
    caller: str = ""
    team: str = ""
    model: str = ""
    outcome: str = ""
    code: str = ""
    task: str = ""
    event: str = ""


class Office(Protocol):
    """Nothing here takes long but `calls`. All may raise Refusal (state_unavailable, audit_unavailable) besides what is said."""

    @property
    def rules(self) -> Rules: ...

    async def standing(self, token: str) -> Standing: ...

    async def listing(self, identity: Identity) -> Listing | None:
        """None where operators have no directory."""
        ...

    def tell(self, name: str, *labels: str) -> None:
        """Count something for /metrics."""
        ...

    async def note(self, event: Event) -> None:
        """Record it."""
        ...

    async def seal(self, content: bytes) -> str:
        """For a cookie: only this deployment can open it."""
        ...

    async def unseal(self, sealed: str) -> bytes | None: ...

    async def begin(self, identity: Identity, origin: str, address: str, author: Author) -> tuple[Session, str]:
        """Recorded before it counts. Raises Refusal("sign_in_refused") when `origin` was used before."""
        ...

    async def redeem(self, code: str, address: str) -> tuple[Session, str]:
        """Begin an emergency's session. Raises Refusal("sign_in_refused")."""
        ...

    async def touch(self, session: Session) -> None: ...

    async def sessions(self) -> tuple[Session, ...]: ...

    async def end(self, id: str, author: Author) -> Session:
        """Raises Refusal("not_found")."""
        ...

    async def overview(self) -> answers.Overview: ...

    async def configuration(self) -> dict[str, object]: ...

    async def keys(self) -> tuple[answers.Key, ...]: ...

    async def create_key(self, new: answers.NewKey, author: Author) -> answers.Issued:
        """Raises Refusal: invalid_request, conflict."""
        ...

    async def rotate_key(self, id: str, overlap: str, author: Author) -> answers.Issued: ...

    async def revoke_key(self, id: str, author: Author) -> answers.Key: ...

    async def fences(self) -> tuple[answers.Fence, ...]: ...

    async def draw(self, new: answers.NewFence, author: Author) -> answers.Fence: ...

    async def lift(self, name: str, author: Author) -> answers.Fence:
        """Raises Refusal("not_found")."""
        ...

    async def calls(self, wanted: Wanted) -> answers.Calls: ...

    async def call(self, id: str, *, content: bool) -> tuple[dict[str, object], ...]:
        """Its records; none when there are none."""
        ...
