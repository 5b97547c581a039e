"""Who provisions, and what becomes of it when the journal or the database cannot be written."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import httpx2 as httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from tests.cli.test_fences import run
from tests.cli.test_scim import DIRECTORY, TOML

from yett.cli import scim
from yett.cli.provisioning import MOST_WAITING, MOST_WRONG, MOST_WRONG_ALTOGETHER, Provisioner, Wrong
from yett.config.reader import read
from yett.edge.scim import Told
from yett.scim.schema import USER
from yett.scim.service import Request
from yett.stores.journal_reader import entries

LIST = Request("GET", "Users", {}, b"", "https://yett.example/scim/v2")
BODY = json.dumps({"schemas": [USER], "userName": "ada"}).encode()
CREATE = Request("POST", "Users", {}, BODY, "https://yett.example/scim/v2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML + DIRECTORY)
    return tmp_path


@pytest.fixture
def token(folder: Path) -> str:
    made = json.loads(run(scim.command, folder, "token", "create", "corp", "--json").stdout)
    return f"Bearer {made['token']}"


def provisioner(folder: Path) -> Provisioner:
    return Provisioner(folder / "yett.toml", read(folder / "yett.toml", None))


async def status(made: Provisioner, request: Request, authorization: str) -> int:
    return (await made.serve(request, authorization, "192.0.2.1")).answer.status


async def test_head_is_a_get(folder: Path, token: str) -> None:
    made = provisioner(folder)
    transport = httpx.ASGITransport(app=Starlette(routes=made.routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8485") as client:
        assert (await client.head("/scim/v2/Users", headers={"authorization": token})).status_code == 200
        assert (await client.head("/scim/v2/Users")).status_code == 401
    await made.close()


@pytest.mark.parametrize(
    "wrong", ["", "Bearer", "Bearer ", "Basic x", "Bearer ysc_live_x", "Bearer \xe9", "Bearer " + "x" * 201]
)
async def test_without_a_token_there_is_nothing(folder: Path, token: str, wrong: str) -> None:
    made = provisioner(folder)
    assert await status(made, LIST, wrong) == 401
    assert await status(made, LIST, token) == 200
    await made.close()
    assert [
        entry.record.detail["why"] for entry in entries(folder / ".yett/audit") if entry.record.event == "scim.refused"
    ] == ["unknown"]


async def test_settings_are_those_of_the_file_as_it_is_or_last_was(folder: Path, token: str) -> None:
    made = provisioner(folder)

    async def now(text: str) -> Told:
        (folder / "yett.toml").write_text(text)
        made._looked = 0.0
        return await made.serve(replace(CREATE, body=BODY.replace(b"ada", os.urandom(4).hex().encode())), token, "")

    assert (await now(TOML + DIRECTORY + 'url = "https://proxy.example/scim/v2/"\n')).answer.location.startswith(
        "https://proxy.example/scim/v2/Users/"
    )
    assert (await now("[scim")).answer.location.startswith("https://proxy.example/"), "being edited"
    assert (await now(TOML + DIRECTORY + "max_users = 1\n")).answer.status == 409
    assert (await now(TOML)).answer.status == 401, "there is no such directory any more"
    await made.close()


async def test_what_cannot_be_recorded_is_not_done(folder: Path, token: str) -> None:
    made = provisioner(folder)
    audit = folder / ".yett/audit"
    audit.rename(folder / "away")
    audit.write_text("no folder")
    told = await made.serve(CREATE, token, "")
    assert (told.answer.status, told.again) == (503, 5)
    assert "cannot be changed" in made.degraded()[0]
    audit.unlink()
    (folder / "away").rename(audit)
    assert (await made.serve(LIST, token, "")).answer.body["totalResults"] == 0  # type: ignore[index]
    assert made.degraded() == []
    counted = dict(made.state().counters["yett_scim_requests"])
    assert counted == {("", "unavailable"): 1, ("corp", "read"): 1}
    await made.close()


async def test_it_rests_and_goes_on(folder: Path, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Provisioner, "IDLE_SECONDS", 0.01)
    made = provisioner(folder)
    assert await status(made, CREATE, token) == 201
    for _ in range(200):
        await asyncio.sleep(0.01)
        if made._opened is None:
            break
    assert made._opened is None
    assert await status(made, CREATE, token) == 409
    await made.close()


async def test_too_many_at_once_are_told_to_come_again(folder: Path, token: str) -> None:
    made = provisioner(folder)
    answers = await asyncio.gather(*(made.serve(LIST, token, "") for _ in range(MOST_WAITING + 5)))
    assert sorted(each.answer.status for each in answers) == [200] * MOST_WAITING + [503] * 5
    await made.close()


def test_wrong_tokens_are_counted_by_the_minute() -> None:
    wrong = Wrong()
    assert [wrong.too_many("a", 100.0) for _ in range(MOST_WRONG + 1)] == [False] * MOST_WRONG + [True]
    assert not wrong.too_many("b", 100.0)
    assert not wrong.too_many("a", 161.0)
    many = [wrong.too_many(f"address-{number}", 300.0) for number in range(2000)]
    assert many.count(False) <= MOST_WRONG_ALTOGETHER + 1
    assert len(wrong._counts) <= 1024
