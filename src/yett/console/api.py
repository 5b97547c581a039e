"""The console's API: what each route does once `access` has let somebody in. Who sees and changes what is decided by tenant here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request

from yett.config.snapshot import TENANT
from yett.console import answers
from yett.console.access import Visit, csrf_of
from yett.console.office import Event, Office, Wanted
from yett.errors import Refusal
from yett.model.operator import OWN, Operator, Session

T = TypeVar("T", bound=Struct)
MOST_BODY = 64 * 1024
MOST_CALLS = 200


async def me(request: Request, visit: Visit, office: Office) -> answers.Me:
    del request, office
    who = visit.operator
    return answers.Me(
        issuer=who.identity.issuer,
        subject=who.identity.subject,
        name=who.identity.name,
        email=who.identity.email,
        means=who.means,
        roles=tuple(answers.RoleView(role.name, role.tenants) for role in who.roles),
        permissions=tuple(sorted(who.permissions)),
        session=who.session,
        until=when(who.until),
        csrf=csrf_of(visit.token) if visit.token else "",
    )


async def overview(request: Request, visit: Visit, office: Office) -> answers.Overview:
    del request
    found = await office.overview()
    if visit.operator.where("read") is None:
        return found
    # Addresses, models and mistakes of the file are the deployment's, and may name other tenants.
    return msgspec.structs.replace(found, degraded=(), refused="", restart=(), workers=(), fences=0)


async def configuration(request: Request, visit: Visit, office: Office) -> dict[str, object]:
    del request, visit
    return await office.configuration()


# ---- keys


async def keys(request: Request, visit: Visit, office: Office) -> answers.Keys:
    every, team = request.query_params.get("all", "") == "true", request.query_params.get("team", "")
    found = [key for key in await office.keys() if visit.operator.may("read", key.tenant)]
    return answers.Keys(tuple(key for key in found if (every or key.state == "active") and team in ("", key.team)))


async def create_key(request: Request, visit: Visit, office: Office) -> answers.Issued:
    new = await body_of(request, answers.NewKey)
    if not visit.operator.may("keys", new.tenant):
        raise Refusal("role_required", "Your roles do not reach that tenant.")
    return await office.create_key(new, visit.operator.noted())


async def rotate_key(request: Request, visit: Visit, office: Office) -> answers.Issued:
    asked = await body_of(request, answers.Rotation)
    key = await _key(request, visit.operator, office)
    return await office.rotate_key(key.id, asked.overlap, visit.operator.noted())


async def revoke_key(request: Request, visit: Visit, office: Office) -> answers.Key:
    await body_of(request, answers.Nothing)
    key = await _key(request, visit.operator, office)
    return await office.revoke_key(key.id, visit.operator.noted())


async def _key(request: Request, who: Operator, office: Office) -> answers.Key:
    """Another tenant's is told apart from none by nothing."""
    wanted = request.path_params["id"]
    for key in await office.keys():
        if key.id == wanted and who.may("keys", key.tenant):
            return key
    raise Refusal("not_found", "There is no such key.")


# ---- fences


async def fences(request: Request, visit: Visit, office: Office) -> answers.Fences:
    del request
    return answers.Fences(tuple(each for each in await office.fences() if visit.operator.may("read", each.tenant)))


async def draw(request: Request, visit: Visit, office: Office) -> answers.Fence:
    new = await body_of(request, answers.NewFence)
    who = visit.operator
    if new.kind == "key":
        # Resolved among the keys that this operator reaches: a name may be another tenant's as well.
        named = {
            key.id for key in await office.keys() if new.id in (key.id, key.name) and who.may("fences", key.tenant)
        }
        if len(named) != 1:
            raise Refusal("not_found", "There is no such key, or there are several of this name: use an id.")
        new = msgspec.structs.replace(new, id=named.pop())
    else:
        _check_reach(who, new.kind, new.id, new.tenant)
    return await office.draw(new, who.noted())


async def lift(request: Request, visit: Visit, office: Office) -> answers.Fence:
    asked = await body_of(request, answers.Lifted)
    name = asked.fence.partition("#")[0]
    if not any(each.fence == name and visit.operator.may("fences", each.tenant) for each in await office.fences()):
        raise Refusal("not_found", "There is no such fence.")
    kind, _, whom = name.partition(":")
    if kind != "key":
        _check_reach(visit.operator, kind, whom.partition("/")[2], whom.partition("/")[0])
    return await office.lift(name, visit.operator.noted())


def _check_reach(who: Operator, kind: str, id: str, tenant: str) -> None:
    """A tenant as a whole is the matter of who looks after all of them, an operator that of who may end sessions. Raises
    Refusal("role_required")."""
    if kind == "tenant" and not who.may("fences"):
        raise Refusal("role_required", 'Whole tenants take the permission "fences" in all of them.')
    if kind == "user" and tenant == TENANT and id.startswith(f"{OWN}/") and not who.may("sessions"):
        raise Refusal("role_required", 'Operators take the permission "sessions" in all tenants.')
    if kind != "tenant" and not who.may("fences", tenant):
        raise Refusal("role_required", "Your roles do not reach that tenant.")


# ---- calls


async def calls(request: Request, visit: Visit, office: Office) -> answers.Calls:
    query = request.query_params
    tenants = visit.operator.where("read")
    if tenant := query.get("tenant", ""):
        if not visit.operator.may("read", tenant):
            raise Refusal("role_required", "Your roles do not reach that tenant.")
        tenants = frozenset((tenant,))
    until = _number(query.get("before", ""), 0)
    since = _number(query.get("since", ""), 0)
    limit = min(_number(query.get("limit", ""), 50) or 50, MOST_CALLS)
    fields = ("caller", "team", "model", "outcome", "code", "task", "event")
    chosen = {name: query.get(name, "")[:200] for name in fields}
    return await office.calls(Wanted(tenants, since, until, limit, **chosen))


async def call(request: Request, visit: Visit, office: Office) -> answers.Call:
    who, content = visit.operator, request.query_params.get("content", "") == "true"
    id = request.path_params["id"]
    records = await office.call(id, content=False)
    tenant = next((str(one["tenant"]) for one in records if one.get("tenant")), "")
    if not records or not who.may("read", tenant):
        raise Refusal("not_found", "There is no such call.")
    if content:
        if not who.may("content", tenant):
            raise Refusal("role_required", 'It takes the permission "content".')
        # Who has looked at it is on the record before it is shown.
        # (Not under the call's own id, by which its records are found.)
        await office.note(Event("operator.read_content", "content", who.noted(), tenant=tenant, detail={"of": id}))
        records = await office.call(id, content=True)
    return answers.Call(records)


# ---- sessions


async def sessions(request: Request, visit: Visit, office: Office) -> answers.Sessions:
    del request, visit
    return answers.Sessions(tuple(shown(session) for session in await office.sessions()))


async def end_session(request: Request, visit: Visit, office: Office) -> answers.SessionView:
    await body_of(request, answers.Nothing)
    return shown(await office.end(request.path_params["id"], visit.operator.noted()))


# ---- the parts


def shown(session: Session) -> answers.SessionView:
    who = session.identity
    return answers.SessionView(
        id=session.id,
        means=session.kind,
        issuer=who.issuer,
        subject=who.subject,
        name=who.name,
        email=who.email,
        begun=when(session.begun),
        seen=when(session.seen),
        until=when(session.expires),
        address=session.address,
        reason=session.reason,
    )


def when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


async def raw_body(request: Request, most: int = MOST_BODY) -> bytes:
    """Raises Refusal("body_too_large")."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Refusal("body_too_large", f"The body is longer than {most} bytes.")
    return body


async def body_of(request: Request, kind: type[T]) -> T:
    """Raises Refusal: unsupported type, invalid_json, invalid_request. Only JSON: forms of other sites can send anything else."""
    body = await raw_body(request)
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal("invalid_request", "The body has to be JSON (content-type: application/json).")
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise Refusal("invalid_request", f"The body does not fit: {error}.") from None
    except (msgspec.DecodeError, RecursionError):
        raise Refusal("invalid_json") from None


def _number(written: str, usual: int) -> int:
    if not written:
        return usual
    if not written.isascii() or not written.isdigit() or len(written) > 17:
        raise Refusal("invalid_request", "A number of the query cannot be read.")
    return int(written)


def encoded(answer: Any) -> bytes:
    return msgspec.json.encode(answer)
