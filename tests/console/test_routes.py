"""Every route × every role × every way not to be let in. A new route is in here as soon as it is in the table."""

from __future__ import annotations

from typing import Any

import pytest
from tests.console.conftest import Room

from yett.console.access import csrf_of
from yett.console.routes import ROUTES, ApiRoute
from yett.model.operator import PERMISSIONS, ROLES
from yett.stores.keys import KeyStore, NewKey

ORIGIN = "http://127.0.0.1:8485"
# Whom `room` maps to what, and the one who is no more than a member of it.
GROUPS = {role: f"gate-{role}s" for role in ROLES}
# What a route answers to somebody who is let in and names nothing that there is.
LET_IN = {200, 400, 404, 409}
BODIES: dict[str, Any] = {
    "/api/v1/keys": {"name": "k", "team": "nobody"},
    "/api/v1/fences": {"kind": "team", "id": "nobody"},
    "/api/v1/fences/lift": {"fence": "team:default/nobody"},
}


async def ask(room: Room, route: ApiRoute, cookie: str, **headers: str) -> tuple[int, str]:
    """Status and error code. What a browser sends along is there unless it is given as "" here."""
    sent = {"origin": ORIGIN, "x-yett-csrf": csrf_of(cookie), **headers}
    async with room.client(cookie) as client:
        path = route.path.replace("{id}", "key_00000000")
        body = BODIES.get(route.path, {}) if route.changes else None
        chosen = {name: value for name, value in sent.items() if value}
        answer = await client.request(route.method, path, json=body, headers=chosen)
    said = answer.json()
    return answer.status_code, said["error"]["code"] if "error" in said else ""


def refusals(room: Room) -> list[str]:
    return [f"{one.record.call} {one.record.code}" for one in room.events("operator.refused")]


def test_the_table_asks_for_what_there_is() -> None:
    assert {route.permission for route in ROUTES} - {""} <= set(PERMISSIONS)
    assert all(permissions <= set(PERMISSIONS) for permissions in ROLES.values())
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert all(route.permission != "read" for route in ROUTES if route.changes)


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_what_the_table_says_and_nothing_else(room: Room, role: str) -> None:
    cookie = await room.enter(GROUPS[role])
    expected = []
    for route in ROUTES:
        status, code = await ask(room, route, cookie)
        if not route.permission or route.permission in ROLES[role]:
            assert status in LET_IN, f"{role} {route.method} {route.path}: {status} {code}"
            assert code not in ("role_required", "sign_in_required", "cross_site")
        else:
            assert (status, code) == (403, "role_required"), f"{role} {route.method} {route.path}"
            expected.append(f"{route.path} role_required")
    found = [each for each in refusals(room) if each.endswith("role_required")]
    assert sorted(found) == sorted(expected)
    who = [one.record.detail["operator"] for one in room.events("operator.refused")]
    assert all(one["subject"] == "ada" and one["roles"] == [role] and one["session"] for one in who)


async def test_nobody_gets_anything_without_a_session(room: Room) -> None:
    """None, one of another deployment, one that was ended, outlived, unused for too long, whose mapping is gone, or is fenced off."""
    ended = await room.enter("gate-admins", subject="ended")
    await room.office.end((await room.office.sessions())[0].id, {})
    idle = await room.enter("gate-admins", subject="idle")
    old = await room.enter("gate-admins", subject="old")
    fenced = await room.enter("gate-admins", subject="fenced")
    left = await room.enter("gate-admins", subject="left")
    now = room.office._now()
    stores = room.office._open()
    await room.office._do(
        stores.database.run, "UPDATE operator_sessions SET seen = $1 WHERE identity LIKE '%\"idle\"%'", now - 1801
    )
    await room.office._do(
        stores.database.run, "UPDATE operator_sessions SET expires = $1 WHERE identity LIKE '%\"old\"%'", now
    )
    await room.office._do(stores.fences.draw, ("user:default/operators/fenced",), now)
    await room.office._do(lambda: stores.fences.draw(("user:default/operators/left",), now, sessions=True))
    cases = {
        "": "sign_in_required",
        "a-cookie-of-another-deployment": "sign_in_required",
        ended: "session_over",
        idle: "session_over",
        old: "session_over",
        fenced: "fenced",
        left: "session_over",
    }
    for cookie, expected in cases.items():
        for number, route in enumerate(ROUTES):
            status, code = await ask(room, route, cookie)
            first = expected if number == 0 or expected != "fenced" else "session_over"  # for it has met the fence
            assert (code, status in (401, 403)) == (first, True), f"{route.method} {route.path}"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.changes], ids=lambda route: route.path)
async def test_a_change_comes_from_the_console_itself(room: Room, route: ApiRoute) -> None:
    cookie = await room.enter("gate-admins")
    attacks: list[dict[str, str]] = [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8486"},
        {"origin": "https://127.0.0.1:8485"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
        {"origin": ""},
        {"x-yett-csrf": ""},
        {"x-yett-csrf": csrf_of("another session")},
        {"x-yett-csrf": csrf_of(cookie).upper()},
    ]
    for attack in attacks:
        assert await ask(room, route, cookie, **attack) == (403, "cross_site"), attack
    assert len(refusals(room)) == len(attacks)
    status, _ = await ask(room, route, cookie, origin="", **{"sec-fetch-site": "same-origin"})
    assert status in LET_IN


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8484", "yett.example", "127.0.0.1"])
async def test_only_the_consoles_own_name_is_answered(room: Room, host: str) -> None:
    """A page of a stranger whose name suddenly leads here (DNS rebinding) is told nothing, good cookie or not."""
    cookie = await room.enter("gate-admins")
    for route in ROUTES:
        assert await ask(room, route, cookie, host=host) == (421, "wrong_host")
    async with room.client(cookie, host=host) as client:
        for path in ("/", "/console", "/console/sign-in", "/console/callback", "/console/break-glass"):
            assert (await client.get(path)).status_code == 421


async def test_who_is_limited_to_a_tenant_sees_and_changes_only_that(room: Room) -> None:
    with KeyStore.open(room.reading.state) as store:
        acme, _ = store.create(NewKey("acme-key", "research", tenant="acme"), 1)
        umbra, _ = store.create(NewKey("umbra-key", "research", tenant="umbra"), 1)
    cookie = await room.enter("acme-admins", subject="tess")
    headers = {"origin": ORIGIN, "x-yett-csrf": csrf_of(cookie)}
    async with room.client(cookie, **headers) as client:

        async def code(method: str, path: str, **body: object) -> str:
            answer = await client.request(method, path, json=body or None)
            return "" if answer.status_code == 200 else str(answer.json()["error"]["code"])

        keys = (await client.get("/api/v1/keys?all=true")).json()["keys"]
        assert [key["id"] for key in keys] == [acme.id]
        assert await code("POST", f"/api/v1/keys/{umbra.id}/revoke") == "not_found"
        assert await code("POST", f"/api/v1/keys/{umbra.id}/rotate") == "not_found"
        assert await code("POST", "/api/v1/keys", name="n", team="research", tenant="umbra") == "role_required"
        assert await code("POST", "/api/v1/keys", name="n", team="research") == "role_required"
        assert await code("POST", "/api/v1/keys", name="n", team="research", tenant="acme") == ""
        assert await code("POST", "/api/v1/fences", kind="key", id=umbra.id) == "not_found"
        assert await code("POST", "/api/v1/fences", kind="key", id="umbra-key") == "not_found"
        assert await code("POST", "/api/v1/fences", kind="tenant", id="umbra") == "role_required"
        assert await code("POST", "/api/v1/fences", kind="tenant", id="acme") == "role_required", "a matter of all"
        assert await code("POST", "/api/v1/fences", kind="user", id="operators/root") == "role_required"
        assert await code("POST", "/api/v1/fences", kind="team", id="research", tenant="umbra") == "role_required"
        assert await code("POST", "/api/v1/fences", kind="team", id="research", tenant="acme") == ""
        assert await code("POST", "/api/v1/fences", kind="key", id=acme.id) == ""
        fences = (await client.get("/api/v1/fences")).json()["fences"]
        assert sorted(fence["fence"] for fence in fences) == [f"key:{acme.id}", "team:acme/research"]
        assert await code("GET", "/api/v1/sessions") == "role_required"
        assert await code("GET", "/api/v1/configuration") == "role_required"
        assert await code("GET", "/api/v1/calls?tenant=umbra") == "role_required"
        overview = (await client.get("/api/v1/overview")).json()
        assert (overview["workers"], overview["fences"]) == ([], 0)
        # and what another has drawn is told apart from nothing by nothing
        admin = await room.enter("gate-admins", subject="root")
        async with room.client(admin, origin=ORIGIN, **{"x-yett-csrf": csrf_of(admin)}) as other:
            drawn = await other.post("/api/v1/fences", json={"kind": "tenant", "id": "umbra"})
            assert drawn.status_code == 200
            await other.post("/api/v1/fences", json={"kind": "tenant", "id": "acme"})
        assert await code("POST", "/api/v1/fences/lift", fence="tenant:umbra") == "not_found"
        assert await code("POST", "/api/v1/fences/lift", fence="tenant:acme") == "role_required"
        assert await code("POST", "/api/v1/fences/lift", fence="team:acme/research") == ""
    by = {str(one.record.detail.get("operator", {}).get("subject")) for one in room.events("fence.draw")}  # type: ignore[attr-defined]
    assert by == {"tess", "root"}


async def test_a_mapping_that_is_gone_ends_what_it_gave(room: Room) -> None:
    cookie = await room.enter("gate-admins")
    route = next(route for route in ROUTES if route.path == "/api/v1/sessions")
    assert (await ask(room, route, cookie))[0] == 200
    text = room.path.read_text()
    room.path.write_text(text.replace('value = "gate-admins"', 'value = "gate-chiefs"'))
    await room.office._do(room.office._take_up)
    me = next(route for route in ROUTES if route.path == "/api/v1/me")
    assert await ask(room, me, cookie) == (401, "session_over")  # nobody without a role is in at all
    assert await ask(room, route, cookie) == (401, "session_over")
    room.path.write_text(text)
    await room.office._do(room.office._take_up)
    assert (await ask(room, route, cookie))[0] == 200
    room.path.write_text(text.replace("https://idp.example", "https://another.example"))
    await room.office._do(room.office._take_up)
    assert await ask(room, me, cookie) == (401, "session_over")
