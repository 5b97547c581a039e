"""Signing in with a real, certified provider over real HTTP; and what an attacker can do with its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2 as httpx
import pytest
from tests.console.conftest import Room, Rooms, configured
from tests.identity_provider import Browser, IdentityProvider

from yett.console.access import csrf_of
from yett.scim.schema import USERS
from yett.stores.scim_resources import StoredResources

Serve = Callable[..., Awaitable[Room]]


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def to_callback(browser: Browser, room: Room, login: str = "ada+gate-admins") -> str:
    """Everything up to the address that the provider sends the browser back to, which is not asked for yet."""
    answer = await browser.sign_in(room.origin, login, until=f"{room.origin}/console/callback")
    return str(answer.headers["location"])


async def me(browser: httpx.AsyncClient, room: Room) -> httpx.Response:
    return await browser.get(f"{room.origin}/api/v1/me")


@pytest.mark.parametrize("client", ["console", "public"])
async def test_somebody_signs_in_and_out(served: Serve, browser: Browser, client: str) -> None:
    room = await served(client)
    begun = await browser.get(f"{room.origin}/console/sign-in")
    asked = query(begun.headers["location"])
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "openid profile email")
    assert "secret" not in begun.headers["location"]
    page = await browser.sign_in(room.origin, "ada+gate-admins+others")
    assert (page.status_code, page.url.path) == (200, "/console")
    assert "Name of ada" in page.text
    assert "admin (all tenants)" in page.text
    who = (await me(browser, room)).json()
    assert (who["subject"], who["email"], who["means"]) == ("ada+gate-admins+others", "ada@acme.example", "oidc")
    assert who["roles"] == [{"role": "admin", "tenants": []}]
    (signed_in,) = room.events("operator.sign_in")
    said = signed_in.record.detail["operator"]
    assert said["issuer"] == room.office.rules.issuer
    assert (said["email"], said["roles"], said["session"]) == ("ada@acme.example", ["admin"], who["session"])
    # the provider offers to be signed out of, too, and sends the browser back
    leaving = await browser.submit(page, until=room.office.rules.issuer)
    assert leaving.headers["location"].startswith(f"{room.office.rules.issuer}/session/end?client_id={client}")
    asked = await browser.follow(leaving)
    back = await browser.submit(asked, logout="yes")
    assert str(back.url) == f"{room.origin}/console/signed-out"
    assert (await me(browser, room)).status_code == 401
    assert [one.record.call for one in room.events("operator.session_end")] == [who["session"]]


async def test_who_is_in_no_mapped_group_does_not_get_in(served: Serve, browser: Browser) -> None:
    room = await served()
    page = await browser.sign_in(room.origin, "eve+gate-adminsX+admin")
    assert page.status_code == 403
    assert "has a role" in page.text
    assert (await me(browser, room)).status_code == 401
    (refused,) = (one for one in room.events("operator.refused") if one.record.code == "role_required")
    assert refused.record.call == "/console/callback"


async def test_answers_that_are_not_for_this_browser(served: Serve, browser: Browser) -> None:
    """Login CSRF, swapped and replayed answers, a mix-up of providers: one sign-in of Eve's, tried in every way."""
    room = await served()
    location = await to_callback(browser, room, "eve+gate-admins")
    answer = query(location)
    callback = f"{room.origin}/console/callback"
    async with Browser() as victim:
        assert (await victim.get(location)).status_code == 403  # has begun nothing
        await victim.get(f"{room.origin}/console/sign-in")
        assert "another sign-in" in (await victim.get(location)).text  # has begun something else
        assert (await me(victim, room)).status_code == 401
    swapped = {**answer, "state": answer["state"][:-2] + "xx"}
    assert "another sign-in" in (await browser.get(f"{callback}?{urlencode(swapped)}")).text
    mixed = {**answer, "iss": "https://evil.example"}
    assert "another identity provider" in (await browser.get(f"{callback}?{urlencode(mixed)}")).text
    missing = {name: value for name, value in answer.items() if name != "iss"}
    assert "another identity provider" in (await browser.get(f"{callback}?{urlencode(missing)}")).text
    forged = {**answer, "code": "guessed"}
    assert "refused the code" in (await browser.get(f"{callback}?{urlencode(forged)}")).text
    declined = {"state": answer["state"], "iss": answer["iss"], "error": "access_denied"}
    assert "access_denied" in (await browser.get(f"{callback}?{urlencode(declined)}")).text
    # and once rightly, after which it is worth nothing, even with the cookie that was there before
    before = dict(browser.cookies)
    assert (await browser.get(location)).status_code == 303
    browser.cookies.update(before)
    again = await browser.get(location)
    assert again.status_code == 403


async def test_a_code_of_another_client_is_worth_nothing(
    served: Serve, browser: Browser, provider: IdentityProvider
) -> None:
    """Its redirect address is even the same."""
    room = await served()
    begun = await browser.get(f"{room.origin}/console/sign-in")
    asked = {**query(begun.headers["location"]), "client_id": "other"}
    form = await browser.follow(await browser.get(f"{provider.issuer}/auth?{urlencode(asked)}"))
    back = await browser.submit(form, until=f"{room.origin}/console/callback", login="ada+gate-admins", password="x")
    answer = await browser.get(back.headers["location"])
    assert (answer.status_code, "refused the code" in answer.text) == (403, True)


async def test_a_wrong_secret_and_a_wrong_nonce(served: Serve, browser: Browser) -> None:
    room = await served(secret="wrong")
    assert "refused the code" in (await browser.sign_in(room.origin, "ada+gate-admins")).text
    begun = await browser.get(f"{room.origin}/console/sign-in")
    assert begun.status_code == 302


async def test_the_nonce_is_that_of_the_sign_in(served: Serve, browser: Browser) -> None:
    room = await served()
    begun = await browser.get(f"{room.origin}/console/sign-in")
    swapped = begun.headers["location"].replace(query(begun.headers["location"])["nonce"], "of-another")
    form = await browser.follow(await browser.get(swapped))
    page = await browser.submit(form, login="ada+gate-admins", password="x")
    assert (page.status_code, "belongs to another sign-in" in page.text) == (403, True)


async def test_a_session_is_never_taken_over_from_the_browser(served: Serve, browser: Browser) -> None:
    """Session fixation: what was there before is not what is there afterwards. Nor does a link choose where one ends up."""
    room = await served()
    name = f"yett-session-{room.origin.rpartition(':')[2]}"
    browser.cookies.set(name, "chosen-by-an-attacker", domain="127.0.0.1", path="/")
    page = await browser.sign_in(room.origin, "ada+gate-viewers", next="//evil.example/")
    assert str(page.url) == f"{room.origin}/console"
    assert "chosen-by-an-attacker" not in [cookie.value for cookie in browser.cookies.jar if cookie.name == name]
    assert (await room.client("chosen-by-an-attacker").get("/api/v1/me")).status_code == 401


async def test_access_tokens(served: Serve, provider: IdentityProvider) -> None:
    room = await served()
    async with room.client(authorization=f"Bearer {provider.access_token()}") as robot:
        who = (await robot.get("/api/v1/me")).json()
        assert (who["subject"], who["means"], who["csrf"]) == ("robot", "token", "")
        fence = {"kind": "team", "id": "research", "reason": "an incident"}
        assert (await robot.post("/api/v1/fences", json=fence)).status_code == 200  # without a token against CSRF
        assert (await robot.get("/api/v1/sessions")).json()["error"]["code"] == "role_required"
        stolen = {"kind": "user", "id": "operators/robot", "reason": "stolen"}
        assert (await robot.post("/api/v1/fences", json=stolen)).json()["error"]["code"] == "role_required"
        admin = await room.enter("gate-admins")
        async with room.client(admin, origin=room.origin, **{"x-yett-csrf": csrf_of(admin)}) as other:
            assert (await other.post("/api/v1/fences", json=stolen)).status_code == 200
        assert (await robot.get("/api/v1/me")).json()["error"]["code"] == "fenced"
    async with room.client(authorization=f"Bearer {provider.access_token('https://other.example')}") as robot:
        assert (await robot.get("/api/v1/me")).json()["error"]["code"] == "wrong_audience"
    async with room.client(authorization=f"Bearer {provider.access_token()[:-8]}AAAAAAAA") as robot:
        assert (await robot.get("/api/v1/me")).json()["error"]["code"] == "invalid_signature"
    # a token beside a good session is not passed over
    session = await room.enter("gate-admins", origin="again")
    async with room.client(session, authorization="Bearer nonsense") as robot:
        assert (await robot.get("/api/v1/me")).json()["error"]["code"] == "malformed_token"


async def test_the_provider_is_away(rooms: Rooms) -> None:
    """Signing in says so; who is in stays in; `yett operators break-glass` is the way around."""
    room = await rooms(configured("http://127.0.0.1:9", "http://127.0.0.1:8485"))
    async with room.client() as browser:
        page = await browser.get("/console/sign-in")
        assert page.status_code == 503
        assert "127.0.0.1:9 cannot be asked" in page.text
        assert "break-glass" in (await browser.get("/console")).text
        began = time.monotonic()
        assert (await browser.get("/console/sign-in")).status_code == 503
        assert time.monotonic() - began < 0.5  # it is not asked again at once
    async with room.client(await room.enter("gate-viewers")) as viewer:
        assert (await viewer.get("/api/v1/me")).status_code == 200
        assert (await viewer.get("/console")).status_code == 200
    async with room.client(authorization="Bearer a.b.c") as robot:
        assert (await robot.get("/api/v1/me")).status_code == 401


async def test_many_at_once_are_each_somebody(served: Serve, provider: IdentityProvider) -> None:
    room = await served()
    browsers = [Browser() for _ in range(6)]
    pages = await asyncio.gather(
        *(browser.sign_in(room.origin, f"user{n}+gate-viewers") for n, browser in enumerate(browsers))
    )
    assert [f"Name of user{n}" in page.text for n, page in enumerate(pages)] == [True] * 6
    await asyncio.gather(*(browser.aclose() for browser in browsers))


async def test_a_directory_says_who_is_let_in(served: Serve, browser: Browser, provider: IdentityProvider) -> None:
    tables = "[scim.corp]\nteams = {}\n"
    room = await served(more='directory = "corp"\n', tables=tables)
    stranger = await browser.sign_in(room.origin, "ada+gate-admins")
    assert (stranger.status_code, "no such user" in stranger.text) == (403, True)
    refused = room.events("operator.refused")[0]
    assert refused.record.code == "not_provisioned"
    assert refused.record.detail["operator"]["subject"] == "ada+gate-admins"  # type: ignore[index]
    users = await room.office._do(lambda: StoredResources(room.office._open().directories, "corp", 0, 9))
    for name in ("ada+gate-admins", "robot"):
        await room.office._do(users.create, USERS, {"userName": name, "active": name != "robot"}, ())
    assert (await browser.sign_in(room.origin, "ada+gate-admins")).status_code == 200
    async with room.client(authorization=f"Bearer {provider.access_token()}") as robot:
        assert (await robot.get("/api/v1/me")).json()["error"]["code"] == "deactivated_user"
