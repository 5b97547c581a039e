"""The operator's port: is it alive, is it ready, what has it counted. Never a caller's data.

GET /healthz   200 while the process runs
GET /readyz    200 when calls are taken, 503 with the reasons otherwise; what is degraded shows here, too, and a refused configuration shows here, but the one
               before stays in force, so it does not make the gateway unready
POST /events/NAME   a security event of an identity provider, for the receiver of this name (RFC 8935)
GET /metrics   Prometheus text of all workers together
GET /.well-known/jwks.json, /.well-known/oauth-authorization-server   public keys and metadata of task tokens (RFC 8414)

The console, for operators who sign in, and what identity providers provision are beside these (`yett.console`, `yett.edge.scim`).
"""

from __future__ import annotations

import contextlib
import hmac
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from yett.edge.events import Receive, events_route
from yett.edge.metrics import State, exposition
from yett.stages import exchange

PROMETHEUS = "text/plain; version=1.0.0; charset=utf-8"


class Report(msgspec.Struct):
    """One worker's state. `trouble` is why it takes no calls, `degraded` what does not work though it does, `refused` the last configuration's mistakes, `restart` the
    settings that wait for a restart, `targets` the breaker's state by target."""

    pid: int
    trouble: list[str]
    epoch: int
    digest: str
    mode: str
    refused: str
    restart: list[str]
    targets: dict[str, str]
    state: State
    revision: int = 0  # of the shared configuration, 0 where it is in files
    degraded: list[str] = []
    guardrails: dict[str, str] = {}  # their breakers
    metadata: str = ""  # of who issues task tokens; "" where none are issued
    keys: str = ""  # that verify them, as a JWK set


Reports = Callable[[], Awaitable[list[Report]]]


class Beside(Protocol):
    """What is served on this port besides the workers' state, with a state of its own."""

    @property
    def routes(self) -> Sequence[BaseRoute]: ...

    async def look(self) -> None:
        """See how things are, before either of these is asked. Takes a moment at most, and raises nothing but CancelledError."""
        ...

    def degraded(self) -> list[str]: ...

    def state(self) -> State: ...


def application(
    reports: Reports, token: Callable[[], str], receive: Receive, beside: Sequence[Beside] = ()
) -> Starlette:
    """The admin application. When `token` says one, /metrics and the details of /readyz need `Authorization: Bearer <token>`. Events are
    believed for their signature, so each receiver has a token of its own, or none."""

    def allowed(request: Request) -> bool:
        given = request.headers.get("authorization", "").encode("latin-1")
        wanted = token()
        return not wanted or hmac.compare_digest(given, f"Bearer {wanted}".encode())

    async def looked() -> None:
        for each in beside:
            await each.look()

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        found = await reports()
        ready = bool(found) and not any(report.trouble for report in found)
        body: dict[str, object] = {"ready": ready}
        if allowed(request):
            body["workers"] = [
                {
                    name: value
                    for name, value in msgspec.structs.asdict(report).items()
                    if name not in ("state", "keys", "metadata")
                }
                for report in found
            ]
            await looked()
            own = [what for each in beside for what in each.degraded()]
            body["degraded"] = sorted({what for report in found for what in report.degraded}.union(own))
            body["configuration"] = "refused" if any(report.refused for report in found) else "current"
        return Response(msgspec.json.encode(body), 200 if ready else 503, media_type="application/json")

    async def metrics(request: Request) -> Response:
        if not allowed(request):
            return PlainTextResponse(
                "the admin token is required\n", 401, {"www-authenticate": 'Bearer realm="yett-admin"'}
            )
        await looked()
        states = [*(report.state for report in await reports()), *(each.state() for each in beside)]
        return Response(exposition(states), media_type=PROMETHEUS)

    async def keys(_: Request) -> Response:
        found = next((report.keys for report in await reports() if report.keys), "")
        return _public(found.encode())

    async def metadata(_: Request) -> Response:
        found = next((report.metadata for report in await reports() if report.metadata), "")
        return _public(found.encode())

    return Starlette(
        routes=[
            events_route(receive),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route(exchange.KEYS, keys),
            Route(exchange.METADATA, metadata),
            *(route for each in beside for route in each.routes),
        ],
    )


def _public(document: bytes) -> Response:
    """What anybody may know who is to verify task tokens; there is nothing where none are issued."""
    headers = {"cache-control": "public, max-age=300"}
    return Response(document, 200 if document else 404, headers, media_type="application/json")


class AdminServer(uvicorn.Server):
    """Uvicorn inside our own loop: signals belong to the process, not to this port."""

    def __init__(self, app: Starlette) -> None:
        # Who asks is the connection's address: what a proxy says of it is noted beside it, and believed by nobody.
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", server_header=False, proxy_headers=False
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_on(self, bound: socket.socket) -> None:
        await self.serve(sockets=[bound])

    def stop(self) -> None:
        self.should_exit = True
