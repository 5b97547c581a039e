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
from yett.stores.fences import FenceStore
from yett.stores.journal import open_journal

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
