"""/scim/v2 on the operator's port: what identity providers say about their users and groups (RFC 7644)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from yett.scim.errors import ScimError
from yett.scim.service import Answer, Request

ROOT = "/scim/v2"
MOST_BYTES = 1_048_576  # of a body
TYPE = "application/scim+json"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_BODIES = ("", TYPE, "application/json")


class Told(Struct, frozen=True):
    """An answer, and after how many seconds to ask again where that can help."""

    answer: Answer
    again: int = 0


Provision = Callable[[Request, str, str], Awaitable[Told]]  # what is asked, the Authorization header, from where


def scim_route(provision: Provision) -> Route:
    """Whoever provisions has a bearer token, which also says whose users and groups it is about."""

    async def scim(request: HttpRequest) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _BODIES:
            return _answered(Told(_refused(415, f"a body is {TYPE}")))
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                return _answered(Told(_refused(413, f"a body has at most {MOST_BYTES} bytes")))
        asked = Request(
            method="GET" if request.method == "HEAD" else request.method,  # whose body the server leaves out
            path=request.path_params["path"],
            parameters=dict(request.query_params),
            body=bytes(body),
            root=str(request.base_url).rstrip("/") + ROOT,
            match=request.headers.get("if-match", ""),
            unmatch=request.headers.get("if-none-match", ""),
        )
        address = request.client.host if request.client is not None else ""
        return _answered(await provision(asked, request.headers.get("authorization", ""), address))

    return Route(ROOT + "/{path:path}", scim, methods=list(_METHODS))


def _refused(status: int, detail: str) -> Answer:
    return Answer(status, ScimError(status, "", detail).document())


def _answered(told: Told) -> Response:
    answer = told.answer
    headers = {"cache-control": "no-store"}
    if answer.tag:
        headers["etag"] = answer.tag
    if answer.location:
        headers["location"] = answer.location
    if told.again:
        headers["retry-after"] = str(told.again)
    if answer.status == 401:
        headers["www-authenticate"] = "Bearer"
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    return Response(msgspec.json.encode(answer.body), answer.status, headers, TYPE)
