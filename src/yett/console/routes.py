"""Every route of the console's API with what it takes: nothing is reachable that is not in this table, and a test walks all of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from starlette.requests import Request

from yett.console import api
from yett.console.access import Visit
from yett.console.office import Office

Handler = Callable[[Request, Visit, Office], Awaitable[Any]]


class ApiRoute(Struct, frozen=True):
    """`permission` is one of `model.operator.PERMISSIONS`, "" for anybody who is signed in. With `whole` it is needed in all tenants;
    without, the handler leaves out what is another tenant's."""

    method: str
    path: str
    permission: str
    handler: Handler
    whole: bool = False

    @property
    def changes(self) -> bool:
        return self.method != "GET"


ROUTES: tuple[ApiRoute, ...] = (
    ApiRoute("GET", "/api/v1/me", "", api.me),
    ApiRoute("GET", "/api/v1/overview", "read", api.overview),
    ApiRoute("GET", "/api/v1/configuration", "read", api.configuration, whole=True),
    ApiRoute("GET", "/api/v1/keys", "read", api.keys),
    ApiRoute("POST", "/api/v1/keys", "keys", api.create_key),
    ApiRoute("POST", "/api/v1/keys/{id}/rotate", "keys", api.rotate_key),
    ApiRoute("POST", "/api/v1/keys/{id}/revoke", "keys", api.revoke_key),
    ApiRoute("GET", "/api/v1/fences", "read", api.fences),
    ApiRoute("POST", "/api/v1/fences", "fences", api.draw),
    ApiRoute("POST", "/api/v1/fences/lift", "fences", api.lift),
    ApiRoute("GET", "/api/v1/calls", "read", api.calls),
    ApiRoute("GET", "/api/v1/calls/{id}", "read", api.call),
    ApiRoute("GET", "/api/v1/sessions", "sessions", api.sessions, whole=True),
    ApiRoute("POST", "/api/v1/sessions/{id}/end", "sessions", api.end_session, whole=True),
)
