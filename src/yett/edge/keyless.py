"""Keyless: `ports.Upstream` for providers that take short-lived tokens. All others pass through untouched.

Every provider with a grant has a keeper, which fetches its token when the configuration is taken up, fetches the next one while it
still lives, and tries again after a failure with growing pauses. A call takes the token that is there. Only when there is none does it
wait, for a fetch that is under way and a bounded time; when the last one has failed it is told so at once. A token that
the provider answers with 401 is never sent again, and makes the keeper fetch another, but not more often than `SPACING`. Bedrock answers
403 to a key that has ended, and to one whose role may not use the model: so that is doubted only, and another fetched once in `DOUBT`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from yett.edge import aws, google
from yett.edge.grants import MOST_TOKEN, Headers, Token, TokenTrouble, answer, request
from yett.edge.tasks import spawn
from yett.model.route import Grant, Provider, Secret, Timeouts
from yett.ports import Clock, Exchange, Outgoing, Upstream, UpstreamFailure

log = logging.getLogger("yett")

WAIT = 5.0  # seconds that a call waits for its provider's first token
SPACING = 10.0  # seconds between two fetches, when a token did not do or was refused
DOUBT = 60.0  # seconds that a key is used before a 403 makes another be fetched
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # between tries that fail
FAILURES = (TokenTrouble, UpstreamFailure, OSError, ValueError)  # of a fetch
_MOST_ANSWER = 64 << 10  # bytes
_UNAUTHORIZED, _FORBIDDEN = 401, 403


class _Keeper:
    """One provider's token."""

    def __init__(self, provider: Provider, grant: Grant) -> None:
        self.provider = provider
        self.grant = grant
        self.token: Secret | None = None
        self.since = self.expires = 0.0  # monotonic
        self.why = "it has not been asked for yet"  # there is no token
        self.wanted = asyncio.Event()  # fetch before the time
        self.done = asyncio.Event()  # no fetch is under way
        self.task: asyncio.Task[None] | None = None

    def usable(self, now: float) -> Secret | None:
        return self.token if now < self.expires else None


class Keyless:
    """Implements ports.Upstream on another one. Construct and use it on one running event loop. `tell(provider, outcome)` hears of
    each fetch: ok, refused, failed."""

    def __init__(
        self,
        upstream: Upstream,
        clock: Clock,
        tell: Callable[[str, str], None] | None = None,
        *,
        wait: float = WAIT,
        spacing: float = SPACING,
        doubt: float = DOUBT,
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._tell = tell
        self._wait = wait
        self._spacing = spacing
        self._doubt = doubt
        self._keepers: dict[str, _Keeper] = {}

    def send(self, outgoing: Outgoing) -> Coroutine[Any, Any, Exchange]:
        """See ports.Upstream. Raises UpstreamFailure("no_token") as well."""
        if outgoing.provider.grant is None:
            return self._upstream.send(outgoing)
        return self._send(outgoing, outgoing.provider.grant)

    def take_up(self, providers: Iterable[Provider]) -> None:
        """A configuration is in force: tokens of what it still has are kept, new ones are fetched, and what has gone is forgotten."""
        granted = {provider.id: provider for provider in providers if provider.grant is not None}
        for name in self._keepers.keys() - granted.keys():
            self._stop(self._keepers.pop(name))
        for name, provider in granted.items():
            grant = provider.grant
            known = self._keepers.get(name)
            if grant is None or (known is not None and known.grant == grant):
                continue
            keeper = self._keepers[name] = _Keeper(provider, grant)
            if known is not None:
                self._stop(known)
                if _same_client(known.grant, grant):  # only what it proves itself with is new
                    keeper.token, keeper.since, keeper.expires = known.token, known.since, known.expires
            keeper.task = spawn(self._keep(keeper), f"token of {name}")

    def lives(self) -> dict[str, float]:
        """By provider: seconds that its token still lives, 0.0 when there is none."""
        now = self._clock.monotonic()
        return {name: max(0.0, keeper.expires - now) for name, keeper in self._keepers.items()}

    def troubles(self) -> dict[str, str]:
        """By provider: why there is no token."""
        now = self._clock.monotonic()
        return {name: keeper.why for name, keeper in self._keepers.items() if keeper.usable(now) is None and keeper.why}

    def close(self) -> None:
        for keeper in self._keepers.values():
            self._stop(keeper)

    # ---- a call ----

    async def _send(self, outgoing: Outgoing, grant: Grant) -> Exchange:
        keeper = self._keepers.get(outgoing.provider.id)
        if keeper is None or (keeper.grant is not grant and not _same_client(keeper.grant, grant)):
            raise UpstreamFailure("no_token", "the configuration that the call began with is no longer in force")
        token = keeper.usable(self._clock.monotonic()) or await self._waited(keeper)
        exchange = await self._upstream.send(replace(outgoing, secret=token))
        if keeper.token is token:
            self._heed(keeper, exchange.status)
        return exchange

    def _heed(self, keeper: _Keeper, status: int) -> None:
        """What the provider said to the token that there is."""
        if status == _UNAUTHORIZED:
            keeper.expires = 0.0
            keeper.why = "the provider does not accept the token"
            keeper.wanted.set()
        old = self._clock.monotonic() >= keeper.since + self._doubt
        if status == _FORBIDDEN and keeper.grant.role is not None and old:
            keeper.wanted.set()

    async def _waited(self, keeper: _Keeper) -> Secret:
        if not keeper.done.is_set():
            try:
                async with asyncio.timeout(self._wait):
                    await keeper.done.wait()
            except TimeoutError:
                raise UpstreamFailure("no_token", "the token endpoint takes too long") from None
        token = keeper.usable(self._clock.monotonic())
        if token is None:
            raise UpstreamFailure("no_token", keeper.why)
        return token

    # ---- the keeper ----

    async def _keep(self, keeper: _Keeper) -> None:
        pause = FIRST_PAUSE
        while True:
            keeper.wanted.clear()
            keeper.done.clear()
            began = self._clock.monotonic()
            try:
                token = await fetched(self._upstream, self._clock, keeper.provider.id, keeper.grant)
            except FAILURES as error:
                keeper.why = told(error)
                self._note(keeper, "refused" if isinstance(error, TokenTrouble) else "failed")
                rest, pause = pause, min(pause * 2, LONGEST_PAUSE)
            else:
                keeper.token, keeper.since, keeper.expires = token.secret, began, began + token.seconds
                keeper.why = ""
                self._note(keeper, "ok")
                rest, pause = _until_next(token.seconds), FIRST_PAUSE
            finally:
                keeper.done.set()
            await self._rest(keeper, began, rest)

    async def _rest(self, keeper: _Keeper, began: float, seconds: float) -> None:
        """Until the next fetch: `seconds`, or less when the token was refused meanwhile, but never below `SPACING` then."""
        try:
            async with asyncio.timeout(seconds):
                await keeper.wanted.wait()
        except TimeoutError:
            return
        if (left := began + self._spacing - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)

    def _note(self, keeper: _Keeper, outcome: str) -> None:
        if self._tell is not None:
            self._tell(keeper.provider.id, outcome)
        if outcome != "ok":
            fields = {"provider": keeper.provider.id, "why": keeper.why}
            log.warning("no token from the token endpoint", extra={"fields": fields})

    def _stop(self, keeper: _Keeper) -> None:
        if keeper.task is not None:
            keeper.task.cancel()
        keeper.done.set()


async def fetched(upstream: Upstream, clock: Clock, name: str, grant: Grant) -> Token:
    """A token for the provider of this name, asked for now. Raises one of FAILURES."""

    async def asked(url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        endpoint = Provider(f"oauth/{name}", "oauth", url, (), (), Timeouts(*[grant.timeout] * 4), grant.ca_file)
        exchange = await upstream.send(Outgoing(endpoint, "POST", "", headers, body))
        return exchange.status, await exchange.read(_MOST_ANSWER)

    own = await asyncio.to_thread(_token_in, grant.file) if grant.file else ""
    if grant.role is not None:
        said = await asked(grant.url, *aws.request(grant.role, own))
        return aws.answer(grant.role, *said, clock.now())
    token = answer(*await asked(grant.url, *request(grant, own, clock.now())))
    if grant.account is None:
        return token
    said = await asked(grant.account.url, *google.request(grant.account, token.secret))
    return google.answer(grant.account, *said, clock.now())


def told(error: Exception) -> str:
    """Why, for logs, /readyz and people. A ValueError's own words could have what was to be sent."""
    if isinstance(error, ValueError):
        return "the request could not be made"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return str(error)


def _until_next(seconds: float) -> float:
    """When a token that lives so long is replaced: while a fifth of its life is left, at most five minutes, at least half a minute
    where it lives long enough."""
    ahead = min(max(seconds / 5, 30.0), 300.0, seconds / 2)
    return seconds - ahead


def _same_client(one: Grant, other: Grant) -> bool:
    """Whether the tokens of both are interchangeable: all but what the client proves itself with is the same."""
    return replace(one, secret=None, private_key=None, key_id="", proof="") == replace(
        other, secret=None, private_key=None, key_id="", proof=""
    )


def _token_in(file: str) -> str:
    with Path(file).open("rb") as content:
        text = content.read(MOST_TOKEN + 1).decode("ascii", "replace").strip()
    if not text or len(text) > MOST_TOKEN or not text.isprintable() or not text.isascii():
        raise TokenTrouble(f"{file} holds no token")
    return text
