"""Fences around operators, replicas that share sessions, and what is kept of calls."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import asyncpg
import httpx2 as httpx
from tests.console.conftest import ORIGIN, TEAMS, Room, Rooms, configured
from tests.issuing import Authority
from tests.servers import Postgres

from yett.cli.receiver import Receiver
from yett.config.reader import load
from yett.console.access import csrf_of
from yett.model.record import Content, Record
from yett.scim.patch import PATCH, read
from yett.scim.schema import GROUPS, USERS, Kind
from yett.stores.fences import FenceStore
from yett.stores.journal import open_journal
from yett.stores.operators import Emergency, OperatorStore
from yett.stores.scim_resources import StoredResources

IDP = "https://idp.example"
RECEIVER = f"""
[receivers.idp]
issuer = "{IDP}"
audiences = ["yett"]
jwks_file = "keys.json"
algorithms = ["Ed25519"]
identity = "operators"
"""
CHANGED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"


async def status(room: Room, cookie: str) -> int:
    async with room.client(cookie) as client:
        return (await client.get("/api/v1/me")).status_code


async def test_an_event_of_the_provider_ends_the_session_for_good(room: Room) -> None:
    signer = Authority(IDP)
    (room.folder / "keys.json").write_bytes(signer.document())
    room.path.write_text(room.path.read_text() + RECEIVER)
    receiver = Receiver(room.path, {}, load(room.path, {}))
    ada, eve = await room.enter("gate-admins"), await room.enter("gate-admins", subject="eve")
    now = room.office._now()
    subject = {"format": "iss_sub", "iss": IDP, "sub": "ada"}
    claims = signer.claims(now, sub=None, exp=None, sub_id=subject, events={CHANGED: {"event_timestamp": now}})
    assert (await receiver.take("idp", signer.sign(claims, typ="secevent+jwt"), "")).status == 202
    assert (await status(room, ada), await status(room, eve)) == (401, 200)
    with FenceStore.open(room.reading.state) as fences:
        assert len(fences.lift("user:default/operators/ada", now)) == 1
    assert await status(room, ada) == 401, "it is not alive again when the fence is lifted"
    assert await status(room, await room.enter("gate-admins", origin="again")) == 200
    (ended,) = room.events("operator.session_end")
    assert "user:default/operators/ada#1" in str(ended.record.detail)


async def test_who_looks_after_callers_locks_no_admin_out(room: Room) -> None:
    admin, crew = await room.enter("gate-admins"), await room.enter("gate-operators", subject="crew")
    async with room.client(crew, origin=ORIGIN, **{"x-yett-csrf": csrf_of(crew)}) as client:
        drawn = await client.post("/api/v1/fences", json={"kind": "user", "id": "ada"})
        assert drawn.json()["source"] == "console"
    assert await status(room, admin) == 200
    with FenceStore.open(room.reading.state) as fences:  # at the command line, or by an event
        fences.draw(("user:default/ada@acme.example",), room.office._now())
    async with room.client(admin) as client:
        assert (await client.get("/api/v1/me")).json()["error"]["code"] == "fenced"


async def test_replicas_share_sessions(rooms: Rooms, postgres: Postgres) -> None:
    name = f"d{uuid4().hex}"
    connection = await asyncpg.connect(postgres.url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    stores = f'[stores]\nstate = "{postgres.url.replace("/postgres", f"/{name}")}"\npepper = "env:PEPPER"\n'
    one, other = [
        await rooms(configured(IDP, "http://127.0.0.1:8485"), f"{TEAMS}{stores}", PEPPER=pepper)
        for pepper in ("ab" * 32, "ab" * 32)
    ]
    cookie = await one.enter("gate-admins")
    assert await status(other, cookie) == 200
    async with other.client(cookie, origin=ORIGIN, **{"x-yett-csrf": csrf_of(cookie)}) as client:
        made = await client.post("/api/v1/keys", json={"name": "k", "team": "research"})
        assert made.status_code == 200
        (session,) = (await client.get("/api/v1/sessions")).json()["sessions"]
        assert (await client.post(f"/api/v1/sessions/{session['id']}/end")).status_code == 200
    assert await status(one, cookie) == 401
    # what a browser began at one replica, another one can go on with
    sealed = await one.office.seal(b"pending")
    assert await other.office.unseal(sealed) == b"pending"
    assert await other.office.unseal("00" * 40) is None
    assert await other.office.unseal("no hex") is None


async def test_calls_are_shown_by_tenant_and_content_to_admins_only(room: Room) -> None:
    reading = room.reading
    journal = open_journal(reading.audit, reading.state, room.office._clock, content="full")
    now = int(room.office._clock.now() * 1e6)
    ids = {tenant: f"call_{now // 1000:011x}{tenant.encode().hex():0>14}" for tenant in ("acme", "umbra")}
    for number, (tenant, call) in enumerate(ids.items()):
        blob = journal.keep(call, "request", f"the prompt of {tenant}".encode())
        facts = {"call": call, "ts": now + number, "tenant": tenant, "team": "research", "model": "fast"}
        journal.write(Record(kind="intent", request=Content(20, "", blob), **facts))
        journal.write(Record(kind="outcome", outcome="ok", code="", ms=3.21, **facts))
    journal.close()
    cookies = {who: await room.enter(who, subject=who) for who in ("gate-viewers", "acme-admins", "gate-admins")}

    async def get(who: str, path: str) -> httpx.Response:
        async with room.client(cookies[who]) as client:
            return await client.get(path)

    listed = (await get("gate-viewers", "/api/v1/calls")).json()
    assert [each["call"] for each in listed["calls"]] == [ids["umbra"], ids["acme"]]
    assert (listed["complete"], listed["before"], listed["calls"][0]["ms"]) == (True, "", 3.2)
    page = (await get("gate-viewers", "/api/v1/calls?limit=1&model=fast&outcome=ok")).json()
    rest = (await get("gate-viewers", f"/api/v1/calls?limit=1&before={page['before']}")).json()
    assert [page["calls"][0]["tenant"], rest["calls"][0]["tenant"]] == ["umbra", "acme"]
    assert (await get("gate-viewers", "/api/v1/calls?limit=x")).status_code == 400
    assert [each["tenant"] for each in (await get("acme-admins", "/api/v1/calls")).json()["calls"]] == ["acme"]
    assert (await get("acme-admins", "/api/v1/calls?event=operator.sign_in")).json()["calls"] == []
    assert len((await get("gate-viewers", "/api/v1/calls?event=operator.sign_in&limit=9")).json()["calls"]) == 3
    assert (await get("acme-admins", f"/api/v1/calls/{ids['umbra']}")).json()["error"]["code"] == "not_found"
    shown = await get("gate-viewers", f"/api/v1/calls/{ids['umbra']}")
    assert [one["kind"] for one in shown.json()["records"]] == ["intent", "outcome"]
    assert "the prompt" not in shown.text
    assert (await get("gate-viewers", f"/api/v1/calls/{ids['acme']}?content=true")).status_code == 403
    assert room.events("operator.read_content") == []
    read = await get("acme-admins", f"/api/v1/calls/{ids['acme']}?content=true")
    assert read.json()["records"][0].get("request_text") == "the prompt of acme", read.text
    (noted,) = room.events("operator.read_content")
    assert (noted.record.detail["of"], noted.record.tenant) == (ids["acme"], "acme")
    assert (await get("gate-admins", "/api/v1/calls/call_none")).status_code == 404


async def test_a_search_is_given_up_after_a_while(room: Room) -> None:
    from yett.cli.search import Search
    from yett.console.office import Wanted

    class Slow:
        ticks = 0.0

        def now(self) -> float:
            return room.office._clock.now()

        def monotonic(self) -> float:
            self.ticks += 1.5
            return self.ticks

    await room.enter("gate-admins")
    found = await asyncio.to_thread(Search(room.reading, Slow()).calls, Wanted(None, 0, 0, 10))  # type: ignore[arg-type]
    assert (found.calls, found.complete) == ((), False)
    assert json.dumps(found.before) == '""'


# ---- people who leave ----

CORP = """
[scim.corp]
teams = {}
match = "externalId"
"""


class Staff:
    """The directory of a room, as its provider changes it."""

    def __init__(self, room: Room) -> None:
        store = room.office._open().directories
        self._resources = StoredResources(store, "corp", 0, 100)
        self.room = room

    def user(self, external: str) -> str:
        return self._resources.create(USERS, {"userName": external, "externalId": external}, ()).stamp.id

    def group(self, name: str, *members: str) -> str:
        return self._resources.create(GROUPS, {"displayName": name}, members).stamp.id

    def change(self, kind: Kind, id: str, **operation: object) -> None:
        self._resources.patch(kind, id, read({"schemas": [PATCH], "Operations": [{"op": "replace", **operation}]}), "")

    def remove(self, id: str) -> None:
        self._resources.remove(USERS, id, "")


async def staffed(rooms: Rooms, claim: str) -> tuple[Room, Staff]:
    more = f'directory = "corp"\ndirectory_claim = "oid"\nclaim = "{claim}"\n'
    room = await rooms(configured(IDP, "http://127.0.0.1:8485", more=more) + CORP)
    return room, await room.office._do(Staff, room)


async def why(room: Room, cookie: str) -> str:
    async with room.client(cookie) as client:
        answer = await client.get("/api/v1/me")
    return str(answer.json()["error"]["code"]) if answer.status_code != 200 else ""


async def test_who_is_deactivated_is_out_with_the_next_request(rooms: Rooms) -> None:
    room, staff = await staffed(rooms, "groups")
    ids = {name: await room.office._do(staff.user, name) for name in ("ada", "eve", "bob")}
    ada, eve, bob = [await room.enter("gate-admins", subject=name, listed=name) for name in ids]
    stranger = await room.enter("gate-admins", subject="stranger", listed="stranger")
    before = await room.enter("gate-admins", subject="before")  # there was a directory
    assert [await why(room, cookie) for cookie in (ada, eve, bob)] == ["", "", ""]
    await room.office._do(lambda: staff.change(USERS, ids["ada"], path="active", value=False))
    await room.office._do(staff.remove, ids["bob"])
    codes = [await why(room, cookie) for cookie in (ada, eve, bob, stranger, before)]
    assert codes == ["deactivated_user", "", "not_provisioned", "not_provisioned", "not_provisioned"]
    await room.office._do(lambda: staff.change(USERS, ids["ada"], path="active", value=True))
    assert await why(room, ada) == "session_over", "for good"
    assert [one.identity.subject for one in await room.office.sessions()] == ["eve"]
    assert "deactivated_user" in str(room.events("operator.session_end")[0].record.detail)
    await room.office._do(staff.user, "eve2")
    await room.office._do(lambda: staff.change(USERS, ids["eve"], path="externalId", value="eve2"))
    assert await why(room, eve) == "not_provisioned"
    two = await room.enter("gate-admins", subject="two", listed="eve2")
    assert await why(room, two) == "not_provisioned"  # which of them?


async def test_roles_follow_the_groups_of_the_directory(rooms: Rooms) -> None:
    room, staff = await staffed(rooms, "")
    id = await room.office._do(staff.user, "ada")
    admins = await room.office._do(staff.group, "Gate-Admins", id)
    viewers = await room.office._do(staff.group, "gate-viewers", id)
    cookie = await room.enter(subject="ada", listed="ada")

    async def roles() -> list[str]:
        async with room.client(cookie) as client:
            return sorted(role["role"] for role in (await client.get("/api/v1/me")).json().get("roles", ()))

    assert await roles() == ["admin", "viewer"]
    await room.office._do(lambda: staff.change(GROUPS, admins, path="members", value=[]))
    assert await roles() == ["viewer"]
    await room.office._do(lambda: staff.change(GROUPS, viewers, path="displayName", value="visitors"))
    assert await why(room, cookie) == "role_required"
    await room.office._do(lambda: staff.change(GROUPS, viewers, path="displayName", value="gate-viewers"))
    assert await why(room, cookie) == "session_over"
    # who came around the provider is in no directory
    with OperatorStore.open(room.reading.state, room.office._open().keys.pepper) as store:
        code = store.issue(Emergency("root", "the directory is wrong", 600), room.office._now())
    _, emergency = await room.office.redeem(code, "192.0.2.7")
    assert await why(room, emergency) == ""
