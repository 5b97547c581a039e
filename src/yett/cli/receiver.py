"""Security events that identity providers push to the operator's port, and the fences that follow from them."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from yett.cli.fences import drawing
from yett.cli.sealed import Unsealer
from yett.cli.system import SystemClock
from yett.config import identity
from yett.config.compile import proxy_of
from yett.config.reader import changed, load
from yett.config.reading import Reading
from yett.config.receiver_settings import ReceiverSettings
from yett.config.snapshot import TENANT
from yett.config.tenants import tenants
from yett.edge.events import Received
from yett.edge.issuers import Issuers
from yett.edge.upstream import UpstreamClient
from yett.errors import ConfigurationError, YettError
from yett.identity.events import EventError, Transmitter, read
from yett.identity.issuer import Issuer
from yett.identity.jws import KeySet, read_keys
from yett.model.caller import KINDS
from yett.model.operator import OWN
from yett.stores.fences import Event
from yett.stores.issuer_keys import IssuerKeys

log = logging.getLogger("yett")

# Between looks whether the configuration has changed: whoever sends events, believed or not, causes no more.
LOOK_SECONDS = 1.0
_TAKEN = Received(202)


class Receiver:
    """Takes one event at a time. Its settings are those of the file as it was a second ago, or as it last was without mistakes."""

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str],
        reading: Reading,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._environment = environment
        self._reading = reading
        self._monotonic = monotonic
        self._looked = monotonic()
        self._unseal = Unsealer()
        self._taking = asyncio.Lock()
        self._upstream: UpstreamClient | None = None
        self._issuers: Issuers | None = None  # when keys are fetched
        self._taken_up: Reading | None = None

    async def take(self, name: str, token: bytes, authorization: str) -> Received:
        """Act on an event token that was pushed to the receiver of this name. Raises nothing but CancelledError."""
        async with self._taking:
            refused = await asyncio.to_thread(self._admit, name, authorization)
            if refused is not None:
                return refused
            reading = self._reading
            settings = reading.settings.receivers[name]
            if settings.jwks_file:
                return await asyncio.to_thread(self._take, name, settings, token, None)
            return await self._take_with_fetched(identity.transmitter(name, settings, reading), name, settings, token)

    async def close(self) -> None:
        if self._upstream is not None:
            await self._upstream.close()

    def _admit(self, name: str, authorization: str) -> Received | None:
        """Who may not even push."""
        self._look()
        settings = self._reading.settings.receivers.get(name)
        if settings is None:
            return Received(404)
        if settings.token:
            wanted = f"Bearer {self._reading.secrets[settings.token].reveal()}"
            if not hmac.compare_digest(authorization.encode("latin-1", "replace"), wanted.encode()):
                return Received(401, "authentication_failed", "the bearer token is missing, or not the one agreed on")
        return None

    async def _take_with_fetched(self, issuer: Issuer, name: str, settings: ReceiverSettings, token: bytes) -> Received:
        """Its keys may be others by now: then they are asked for once more, at most every 30 seconds."""
        issuers = self._asked()
        await issuers.renew()
        if issuers.keys(issuer) is None:
            await issuers.refresh(issuer)
        keys, generation = issuers.keys(issuer), issuers.generation
        if keys is None:
            return Received(503)  # it was logged; the transmitter tries again
        answer = await asyncio.to_thread(self._take, name, settings, token, keys)
        if answer.err != "invalid_key":
            return answer
        await issuers.refresh(issuer)
        keys = issuers.keys(issuer)
        if keys is None or issuers.generation == generation:
            return answer
        return await asyncio.to_thread(self._take, name, settings, token, keys)

    def _asked(self) -> Issuers:
        """Those of all receivers; what was fetched for one that stays is kept."""
        reading = self._reading
        if self._issuers is None:
            self._upstream = UpstreamClient(proxy=proxy_of(reading))
            shelf = IssuerKeys(reading.state / "issuer-keys")
            self._issuers = Issuers(self._upstream, SystemClock(), lambda *_: None, shelf)
        if self._taken_up is not reading:
            self._taken_up = reading
            fetched = {name: one for name, one in reading.settings.receivers.items() if not one.jwks_file}
            self._issuers.take_up(identity.transmitter(name, one, reading) for name, one in fetched.items())
        return self._issuers

    def _take(self, name: str, settings: ReceiverSettings, token: bytes, keys: KeySet | None) -> Received:
        try:
            return self._act(name, settings, token, keys)
        except EventError as error:
            log.warning("event refused", extra={"fields": {"receiver": name, "err": error.err, "why": str(error)}})
            return Received(400, error.err, str(error))
        except (YettError, OSError, ValueError) as error:  # nothing was changed; the transmitter tries again
            log.error("event not taken", extra={"fields": {"receiver": name, "why": str(error)}})  # noqa: TRY400
            return Received(503)

    def _look(self) -> None:
        now = self._monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if changed(self._reading):
            with suppress(ConfigurationError):  # being edited: what was right before still is
                self._reading = load(self._path, self._environment, self._unseal)

    def _act(self, name: str, settings: ReceiverSettings, token: bytes, keys: KeySet | None) -> Received:
        now = SystemClock().now()
        if keys is None:
            keys = read_keys(self._reading.resolve(settings.jwks_file).read_bytes())
        found = read(transmitter(name, settings, self._reading), token, keys, now)
        if found.names:
            event = Event(f"caep:{name}", found.jti, int(now + settings.max_age + 120))
            detail: dict[str, object] = {"events": list(found.types), "jti": found.jti}
            with drawing(self._reading, detail) as store:
                store.draw(found.names, int(now), sessions=True, since=found.since, source=event.source, event=event)
        return _TAKEN


def transmitter(name: str, settings: ReceiverSettings, reading: Reading) -> Transmitter:
    """Whom a receiver's events may be about."""
    if settings.identity == OWN and reading.settings.operators.issuer:
        return _about_operators(name, settings, reading)
    issuer = reading.settings.identity.issuers.get(settings.identity)
    own: tuple[str, ...] = tuple(sorted(tenants(reading.settings)))
    if issuer is not None:
        own = issuer.tenants if issuer.tenant_claim else (issuer.tenant,)
    return Transmitter(
        name=name,
        issuer=settings.issuer,
        audiences=frozenset(settings.audiences),
        algorithms=frozenset(settings.algorithms),
        tenants=settings.tenants or own,
        kinds=KINDS if issuer is None or issuer.kind_claim else (issuer.kind,),
        prefix="" if issuer is None else f"{settings.identity}/",
        url=settings.issuer if issuer is None else issuer.issuer,
        max_age=settings.max_age,
    )


def _about_operators(name: str, settings: ReceiverSettings, reading: Reading) -> Transmitter:
    return Transmitter(
        name=name,
        issuer=settings.issuer,
        audiences=frozenset(settings.audiences),
        algorithms=frozenset(settings.algorithms),
        tenants=(TENANT,),
        kinds=("user",),
        prefix=f"{OWN}/",
        url=reading.settings.operators.issuer,
        max_age=settings.max_age,
    )
