"""POST /events/NAME on the operator's port: a security event that an identity provider pushes (RFC 8935)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST_BYTES = 32_768  # of a body
TYPE = "application/secevent+jwt"


class Received(msgspec.Struct, frozen=True):
    """What the transmitter of a security event is answered: a status and, where it erred, a code of RFC 8935 and why."""

    status: int
    err: str = ""
    description: str = ""


Receive = Callable[[str, bytes, str], Awaitable[Received]]  # whose it is, the token, the Authorization header


def events_route(receive: Receive) -> Route:
    """Events are believed for their signature and, where one was agreed on, for a bearer token of the receiver's own."""

    async def events(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != TYPE:
            return _answered(Received(415))
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                return _answered(Received(413))
        name, authorization = request.path_params["name"], request.headers.get("authorization", "")
        return _answered(await receive(name, body.strip(), authorization))

    return Route("/events/{name}", events, methods=["POST"])


def _answered(received: Received) -> Response:
    """Of a receiver: RFC 8935, sections 2.2 and 2.3."""
    if not received.err:
        return Response(status_code=received.status)
    told = {"err": received.err, "description": received.description}
    headers = {"content-language": "en"} | ({"www-authenticate": "Bearer"} if received.status == 401 else {})
    return Response(msgspec.json.encode(told), received.status, headers, "application/json")
