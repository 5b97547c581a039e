"""The pages, the emergency's way in, and what is refused and recorded on the way."""

from __future__ import annotations

import re

from tests.console.conftest import TEAMS, Room, Rooms, configured

from yett.cli.office_stores import sentence
from yett.console import app
from yett.console.access import csrf_of
from yett.model.operator import Identity
from yett.stores.operators import Emergency

ORIGIN = {"origin": "http://127.0.0.1:8485"}
SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


async def code_of(room: Room, reason: str = "the provider is away", seconds: int = 900) -> str:
    emergency = Emergency("root", reason, seconds)
    return await room.office._do(lambda: room.office._open().operators.issue(emergency, room.office._now()))


async def test_every_answer_is_closed_to_other_pages(room: Room) -> None:
    cookie = await room.enter("gate-viewers", subject="<script>alert(1)</script>")
    async with room.client(cookie) as client:
        for path in (
            "/console",
            "/console/signed-out",
            "/console/break-glass",
            "/console/callback",
            "/api/v1/me",
            "/api/v1/none",
        ):
            answer = await client.get(path)
            if answer.status_code == 404:
                continue
            assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY, path
            assert "<script" not in answer.text or answer.headers["content-type"] == "application/json"
            assert not re.search(r"\son[a-z]+=|style=|javascript:", answer.text), path
        page = (await client.get("/console")).text
        assert "&lt;Script&gt;Alert(1)&lt;/Script&gt;" in page
        sheet = await client.get("/console/console.css")
        assert sheet.headers["content-type"].startswith("text/css")
        assert "http" not in sheet.text


async def test_with_tls_no_other_host_can_set_the_cookie(rooms: Rooms) -> None:
    room = await rooms(configured("https://idp.example", "https://yett.example"))
    async with room.client(host="yett.example") as client:
        answer = await client.post(
            "/console/break-glass", data={"code": await code_of(room)}, headers={"origin": "https://yett.example"}
        )
    cookie = answer.headers.get_list("set-cookie")[0]
    assert re.fullmatch(r"__Host-yett-session=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", cookie)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_port_that_was_opened_with_a_token_never_goes_without(rooms: Rooms) -> None:
    """It may be open to other machines, until a restart has closed it."""
    room = await rooms(more='[admin]\ntoken = "env:TOKEN"\n', TOKEN="the-first-token")
    async with room.client() as client:
        assert (await client.get("/metrics")).status_code == 401
        room.path.write_text(TEAMS)
        await room.office._do(room.office._take_up)
        assert (await client.get("/metrics")).status_code == 401
        right = {"authorization": "Bearer the-first-token"}
        assert (await client.get("/metrics", headers=right)).status_code == 200


def test_a_mistake_becomes_a_sentence_and_an_id_stays_as_it_is() -> None:
    assert sentence("no team here.") == "No team here."
    assert sentence("key_1f is revoked") == "key_1f is revoked."


async def test_an_emergency(rooms: Rooms) -> None:
    """Without any identity provider: admin, short, seen by everybody, on the record with its reason."""
    room = await rooms()
    code = await code_of(room)
    async with room.client(**ORIGIN) as client:
        assert "No identity provider is configured" in (await client.get("/console")).text
        assert (await client.get("/console/sign-in")).status_code == 503
        assert (await client.head("/console/break-glass")).status_code == 200
        wrong = await client.post("/console/break-glass", data={"code": code[:-1] + "x"})
        assert (wrong.status_code, "no code" in wrong.text) == (403, True)
        foreign = await client.post(
            "/console/break-glass", data={"code": code}, headers={"origin": "https://evil.example"}
        )
        assert foreign.status_code == 403
        entered = await client.post("/console/break-glass", data={"code": f" {code} "})
        assert (entered.status_code, entered.headers["location"]) == (303, "/console")
        again = await client.post("/console/break-glass", data={"code": code})
        assert again.status_code == 403
        me = (await client.get("/api/v1/me")).json()
        assert (me["means"], me["roles"]) == ("break-glass", [{"role": "admin", "tenants": []}])
        room.office._looked = 0.0  # it is a second later
        assert (await client.get("/api/v1/overview")).json()["degraded"][0].startswith("break-glass: root is signed in")
        page = await client.get("/console")
        assert "emergency access" in page.text
        key = {"name": "k", "team": "research"}
        made = await client.post("/api/v1/keys", json=key, headers={"x-yett-csrf": me["csrf"]})
        assert made.json()["secret"].startswith("ytk_live_")
        room.office._looked = 0.0  # it is a second later
        assert (await client.get("/readyz")).json()["degraded"][0].startswith("break-glass: root is signed in until")
        metrics = (await client.get("/metrics")).text
        assert 'yett_operator_sessions{means="break-glass"} 1.0' in metrics
        assert 'yett_operator_sign_ins_total{outcome="ok"} 1.0' in metrics
        assert 'yett_operator_sign_ins_total{outcome="refused"} 3.0' in metrics
        out = await client.post("/console/sign-out", data={"csrf": me["csrf"]})
        assert out.headers["location"] == "/console/signed-out"
        assert "signed out" in (await client.get("/console/signed-out")).text
        assert (await client.get("/api/v1/me")).status_code == 401
        room.office._looked = 0.0  # it is a second later
        assert (await client.get("/readyz")).json()["degraded"] == []
    (entry,) = room.events("operator.sign_in")
    assert entry.record.detail["reason"] == "the provider is away"
    (created,) = room.events("key.create")
    assert created.record.detail["operator"] == entry.record.detail["operator"]


async def test_signing_out_needs_its_token(room: Room) -> None:
    cookie = await room.enter("gate-viewers")
    async with room.client(cookie, **ORIGIN) as client:
        assert (await client.post("/console/sign-out")).status_code == 403
        assert (await client.get("/console/sign-out")).status_code == 405
        assert (await client.get("/api/v1/me")).status_code == 200
        out = await client.post("/console/sign-out", data={"csrf": csrf_of(cookie)})
        assert out.status_code == 303
    async with room.client(cookie) as client:
        assert (await client.get("/api/v1/me")).json()["error"]["code"] == "session_over"
        assert "session has ended" in (await client.get("/console")).text


async def test_strangers_do_not_fill_the_journal(room: Room, monkeypatch: object) -> None:
    async with room.client() as client:
        for _ in range(app.STRANGERS + 15):
            assert (await client.get("/api/v1/me")).status_code == 401
        found = room.events("operator.refused")
        # a minute may have turned meanwhile
        assert app.STRANGERS <= len(found) <= app.STRANGERS + 15
        counted = (await client.get("/metrics")).text
        assert f'yett_operator_requests_total{{outcome="sign_in_required"}} {app.STRANGERS + 15}.0' in counted


async def test_what_cannot_be_recorded_is_not_done(room: Room) -> None:
    cookie = await room.enter("gate-admins")
    assert room.office._journal is not None
    room.office._journal.close()
    async with room.client(cookie, **ORIGIN, **{"x-yett-csrf": csrf_of(cookie)}) as client:
        made = await client.post("/api/v1/keys", json={"name": "k", "team": "research"})
        assert (made.status_code, made.json()["error"]["code"]) == (503, "audit_unavailable")
        assert (await client.get("/api/v1/keys?all=true")).json() == {"keys": []}
        (session,) = (await client.get("/api/v1/sessions")).json()["sessions"]
        assert (await client.post(f"/api/v1/sessions/{session['id']}/end")).status_code == 503
        assert (await client.get("/api/v1/me")).status_code == 200
    identity = Identity(room.office.rules.issuer, "eve", said=("gate-admins",))
    try:
        await room.office.begin(identity, "x", "", {})
    except app.Refusal as refusal:
        assert refusal.code == "audit_unavailable"
    assert [one.identity.subject for one in await room.office.sessions()] == ["ada"]


async def test_keys_and_fences_over_the_api(room: Room) -> None:
    cookie = await room.enter("gate-operators")
    async with room.client(cookie, **ORIGIN, **{"x-yett-csrf": csrf_of(cookie)}) as client:
        new = {
            "name": "ci",
            "team": "research",
            "rpm": 5,
            "budget": "50usd/month",
            "expires": "30d",
            "labels": {"env": "prod"},
        }
        made = (await client.post("/api/v1/keys", json=new)).json()
        assert made["secret"].startswith("ytk_live_")
        key = made["key"]
        assert (key["limits"], key["labels"], key["state"]) == (
            {"rpm": 5, "budget": "50usd/month"},
            {"env": "prod"},
            "active",
        )
        assert (await client.post("/api/v1/keys", json=new)).json()["error"]["code"] == "conflict"
        for wrong, code in (
            ({**new, "team": "reserch"}, "conflict"),
            ({**new, "budget": "much"}, "invalid_request"),
            ({**new, "expires": "0s"}, "conflict"),
            ({**new, "labels": {"a b": "c"}}, "invalid_request"),
            ({**new, "surplus": 1}, "invalid_request"),
            ({"name": ""}, "invalid_request"),
        ):
            answer = await client.post("/api/v1/keys", json=wrong)
            assert answer.json()["error"]["code"] == code, wrong
        rotated = (await client.post(f"/api/v1/keys/{key['id']}/rotate", json={"overlap": "1h"})).json()
        assert rotated["secret"] != made["secret"]
        assert (await client.post(f"/api/v1/keys/{key['id']}/rotate", json={"overlap": "soon"})).status_code == 400
        assert [one["id"] for one in (await client.get("/api/v1/keys?team=research")).json()["keys"]] == [key["id"]]
        fence = {"kind": "key", "id": "ci", "reason": "lost", "until": "2h"}
        drawn = (await client.post("/api/v1/fences", json=fence)).json()
        assert (drawn["fence"], drawn["tenant"], drawn["reason"]) == (f"key:{key['id']}", "default", "lost")
        assert (await client.post("/api/v1/fences", json={"kind": "door", "id": "x"})).json()["error"][
            "code"
        ] == "conflict"
        assert (await client.post("/api/v1/fences/lift", json={"fence": f"{drawn['fence']}#1"})).status_code == 200
        assert (await client.get("/api/v1/fences")).json() == {"fences": []}
        assert (await client.post(f"/api/v1/keys/{key['id']}/revoke")).json()["state"] == "revoked"
        assert (await client.get("/api/v1/keys")).json() == {"keys": []}
        assert (await client.post("/api/v1/keys", content=b"{", headers={"content-type": "application/json"})).json()[
            "error"
        ]["code"] == "invalid_json"
        assert (await client.post("/api/v1/keys", content=b"{}", headers={"content-type": "text/plain"})).json()[
            "error"
        ]["code"] == "invalid_request"
        assert (await client.post("/api/v1/keys", content=b" " * 70_000)).json()["error"]["code"] == "body_too_large"
        assert (await client.get("/api/v1/none")).status_code == 404
    written = [
        (one.record.event, one.record.detail["operator"]["subject"])
        for one in room.events()
        if "." in one.record.event and one.record.event.split(".")[0] in ("key", "fence")
    ]  # type: ignore[index]
    assert written == [
        (event, "ada") for event in ("key.create", "key.rotate", "fence.draw", "fence.lift", "key.revoke")
    ]
    assert made["secret"].encode() not in b"".join(one.raw for one in room.events())
