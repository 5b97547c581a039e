"""Requests and answers, over the real store: what each endpoint takes, and how it refuses the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yett.scim.filter import mentions, parse
from yett.scim.listing import LIST, SEARCH
from yett.scim.patch import PATCH
from yett.scim.schema import GROUP, USER, USERS
from yett.scim.service import Answer, Request, serve
from yett.stores.directory import DirectoryStore
from yett.stores.scim_resources import StoredResources

ROOT = "https://yett.example/scim/v2"
Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    with DirectoryStore.open(tmp_path) as store:
        resources = StoredResources(store, "corp", 1_800_000_000, 100)

        def ask(
            method: str, path: str, body: Any = None, match: str = "", unmatch: str = "", **parameters: str
        ) -> Answer:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            return serve(Request(method, path, parameters, raw, ROOT, match, unmatch), resources)

        yield ask


def made(answer: Answer) -> Any:
    assert answer.status in {200, 201}, answer.body
    return answer.body


def test_a_user_is_created_read_changed_and_removed(ask: Ask) -> None:
    answer = ask("POST", "Users", {"schemas": [USER], "userName": "ada"}, attributes="userName")
    id = made(answer)["id"]
    assert answer == Answer(201, {"schemas": [USER], "id": id, "userName": "ada"}, 'W/"1"', f"{ROOT}/Users/{id}")
    assert ask("GET", f"Users/{id}", unmatch='"0", W/"1"') == Answer(304, tag='W/"1"')
    assert ask("GET", f"Users/{id}", unmatch='W/"0"').status == 200
    operations = [{"op": "add", "path": "title", "value": "Countess"}]
    assert made(ask("PATCH", f"/Users/{id}/", {"schemas": [PATCH], "Operations": operations}))["title"] == "Countess"
    assert "title" not in made(ask("PUT", f"Users/{id}", {"schemas": [USER], "userName": "ada"}, match='W/"2"'))
    assert ask("DELETE", f"Users/{id}", match='W/"2"').status == 412
    assert ask("DELETE", f"Users/{id}") == Answer(204)
    assert ask("GET", f"Users/{id}").status == 404


def test_groups_are_answered_with_their_members_or_without(ask: Ask) -> None:
    user = made(ask("POST", "Users", {"schemas": [USER], "userName": "ada"}))["id"]
    group = made(ask("POST", "Groups", {"schemas": [GROUP], "displayName": "ML", "members": [{"value": user}]}))
    assert [each["value"] for each in group["members"]] == [user]
    assert "members" not in made(ask("GET", f"Groups/{group['id']}", excludedAttributes="members"))
    assert "members" in made(ask("GET", f"Groups/{group['id']}", attributes="displayName,members.value"))
    assert made(ask("GET", f"Users/{user}"))["groups"][0]["display"] == "ML"
    gone = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "members"}]}
    assert ask("PATCH", f"Groups/{group['id']}", gone, excludedAttributes="members") == Answer(204, tag='W/"2"')
    back = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [user]}]}
    assert made(ask("PATCH", f"Groups/{group['id']}", back, attributes="members"))["members"][0]["value"] == user
    assert "members" not in made(ask("PUT", f"Groups/{group['id']}", {"schemas": [GROUP], "displayName": "ML"}))


def test_lists(ask: Ask) -> None:
    for name in ("a", "b", "c"):
        made(ask("POST", "Users", {"schemas": [USER], "userName": name}))
    page = made(ask("GET", "Users", startIndex="2", count="1"))
    assert (page["schemas"], page["totalResults"], page["startIndex"], page["itemsPerPage"]) == ([LIST], 3, 2, 1)
    body = {"schemas": [SEARCH], "filter": 'userName eq "B"', "attributes": ["userName"]}
    assert [each["userName"] for each in made(ask("POST", "Users/.search", body))["Resources"]] == ["b"]
    assert ask("GET", "Users", filter="userName").status == 400


def test_users_and_groups_are_searched_together(ask: Ask) -> None:
    for name in ("a", "b", "c"):
        made(ask("POST", "Users", {"schemas": [USER], "userName": name, "displayName": name}))
    made(ask("POST", "Groups", {"schemas": [GROUP], "displayName": "b"}))

    def found(**asked: Any) -> tuple[int, list[str]]:
        page = made(ask("POST", ".search", {"schemas": [SEARCH], **asked}))
        return page["totalResults"], [each["meta"]["resourceType"] for each in page["Resources"]]

    assert found() == (4, ["User", "User", "User", "Group"])
    assert found(startIndex=3) == (4, ["User", "Group"])
    assert found(startIndex=4, count=1) == (4, ["Group"])
    assert found(startIndex=1, count=2) == (4, ["User", "User"])
    assert found(filter='displayName eq "B"') == (2, ["User", "Group"])
    assert found(filter='userName eq "b"') == (1, ["User"])
    assert found(filter="members pr or displayName pr") == (1, ["Group"])
    assert ask("POST", ".search", {"schemas": [SEARCH], "filter": "shoeSize pr"}).status == 400
    assert ask("GET", ".search").status == 405


def test_who_was_deactivated_does_not_come_back_by_the_way(ask: Ask) -> None:
    id = made(ask("POST", "Users", {"schemas": [USER], "userName": "a"}))["id"]
    assert made(ask("PUT", f"Users/{id}", {"schemas": [USER], "userName": "b"}))["active"]
    assert not made(ask("PUT", f"Users/{id}", {"schemas": [USER], "userName": "b", "active": False}))["active"]
    assert not made(ask("PUT", f"Users/{id}", {"schemas": [USER], "userName": "c"}))["active"]
    gone = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "active"}]}
    assert "active" not in made(ask("PATCH", f"Users/{id}", gone))
    assert "active" not in made(ask("PUT", f"Users/{id}", {"schemas": [USER], "userName": "d"}))


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [
        (404, "GET", ""),
        (404, "GET", "Shoes"),
        (404, "GET", "Schemas/urn:x"),
        (404, "GET", "ServiceProviderConfig/x"),
        (404, "GET", "Users/x/y"),
        (405, "PATCH", "Users"),
        (405, "POST", "Users/x"),
        (405, "GET", "Users/.search"),
        (405, "POST", "ServiceProviderConfig"),
        (405, "DELETE", "Schemas"),
        (501, "POST", "Bulk"),
        (501, "GET", "Me"),
    ],
)
def test_what_is_not_there(ask: Ask, status: int, method: str, path: str) -> None:
    answer = ask(method, path)
    assert answer.status == status
    assert isinstance(answer.body, dict)
    assert answer.body["status"] == str(status)


def test_what_is_published(ask: Ask) -> None:
    assert made(ask("GET", "ServiceProviderConfig"))["meta"]["location"] == f"{ROOT}/ServiceProviderConfig"
    assert made(ask("GET", "Schemas"))["totalResults"] == 3
    assert made(ask("GET", f"Schemas/{USER.upper()}"))["id"] == USER
    assert made(ask("GET", "ResourceTypes/Group"))["schema"] == GROUP
    assert ask("GET", "Schemas", filter="id pr").status == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10_000, b'"\xff"', b'{"schemas": ["\\ud800"]}', b"[]", b"{}"])
def test_bodies_that_are_nothing(ask: Ask, body: bytes) -> None:
    assert ask("POST", "Users", body).status == 400


def test_whether_a_filter_looks_at_an_attribute() -> None:
    assert mentions(parse('title pr or not (groups.value eq "x")', USERS), "groups")
    assert not mentions(parse('title pr and emails[type eq "x"]', USERS), "groups")
