"""Identity providers provision users and groups over real sockets, and calls follow within a second: let in, put into a team, cut off."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from tests.issuing import Authority
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, Reply, error_of, models_toml, until

from yett.cli.system import SystemClock
from yett.identity.exchange import GRANT
from yett.scim.errors import ERROR
from yett.scim.patch import PATCH
from yett.scim.schema import ENTERPRISE, GROUP, USER
from yett.simulator.server import Simulator

IDP = Authority("https://idp.example")
SOON = 2.5  # seconds: the promise is one, the machine may be busy
SETTINGS = """
[teams.platform]

[identity.tasks]
issuer = "https://yett.example"

[identity.issuers.entra]
issuer = "https://idp.example"
jwks_file = "keys.json"
audiences = ["yett"]
algorithms = ["Ed25519"]
directory = "entra"
directory_claim = "oid"

[scim.entra]
match = "externalId"
teams = { "GPT Researchers" = "research", "Platform" = "platform" }
label_attributes = { department = "department" }

[scim.contractors]
teams = { "Everyone" = "research" }

[scim.okta]
tenant = "acme"
teams = { "Everyone" = "research" }
"""


class Client:
    """What a provider's connector does, with its bearer token."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self._gateway = gateway
        self._token = token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"authorization": f"Bearer {self._token}", "content-type": "application/scim+json; charset=utf-8"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self._gateway.admin, timeout=20)) as connection:
            connection.request(method, f"/scim/v2/{path}", raw, sent)
            answer = connection.getresponse()
            text = answer.read()
        self.headers = answer.headers
        return answer.status, json.loads(text) if text else None


@pytest.fixture(scope="module")
def gateway(provider: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """With two workers."""
    models = models_toml(simulated({"plain": "", "drip": "chunks=400+latency.between_chunks=10ms"}))
    text = HEAD + SETTINGS + provider_toml(provider, "cloud") + models
    made = Gateway(tmp_path_factory.mktemp("provisioned"), text)
    (made.folder / "keys.json").write_bytes(IDP.document())
    yield made.start("--workers", "2")
    made.close()
    made.verified()


def new_token(gateway: Gateway, name: str) -> tuple[str, str]:
    """Its id, and itself once the gateway knows it, which is asked seldom: wrong tokens are counted."""
    made = json.loads(gateway.yett("scim", "token", "create", name, "--json"))
    tries = 5
    while Client(gateway, made["token"])("GET", "ServiceProviderConfig")[0] != 200:
        assert (tries := tries - 1), "the gateway does not know a new token"
        time.sleep(0.5)
    return made["id"], made["token"]


def code(reply: Reply) -> str:
    return reply.code if reply.status != 200 else "ok"


def bearer(oid: str, **claims: Any) -> str:
    return IDP.token(SystemClock.now(), sub=f"pairwise-{oid}", oid=oid, **claims).decode()


def operations(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(changes)}


def test_a_person_comes_changes_teams_and_goes(gateway: Gateway) -> None:
    """As Microsoft Entra ID writes it: look for the user, create it, put it into a group, switch it off with a text."""
    id, token = new_token(gateway, "entra")
    scim, ada = Client(gateway, token), bearer("7c2f")

    def says(expected: str) -> None:
        """Every worker says so, within a second."""
        began = time.monotonic()
        until(lambda: all(code(gateway.chat("plain", key=ada)) == expected for _ in range(16)), what=expected)
        assert time.monotonic() - began < SOON

    says("not_provisioned")
    assert scim("GET", "Users?filter=" + quote('externalId eq "7c2f"'))[1]["totalResults"] == 0
    status, user = scim(
        "POST",
        "Users",
        {
            "schemas": [USER, ENTERPRISE],
            "externalId": "7c2f",
            "userName": "ada@corp.example",
            "active": True,
            "displayName": "Ada Lovelace",
            "emails": [{"primary": True, "type": "work", "value": "ada@corp.example"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Ada Lovelace", "familyName": "Lovelace", "givenName": "Ada"},
            "phoneNumbers": [{"type": "mobile", "value": "+1 555"}],
            "roles": [],
            ENTERPRISE: {"department": "Engines"},
        },
    )
    assert (status, scim.headers["etag"]) == (201, 'W/"1"')
    assert (
        scim.headers["location"]
        == user["meta"]["location"]
        == f"http://127.0.0.1:{gateway.admin}/scim/v2/Users/{user['id']}"
    )
    assert "phoneNumbers" not in user
    says("not_provisioned")
    status, group = scim(
        "POST", "Groups", {"schemas": [GROUP], "externalId": "g1", "displayName": "GPT Researchers", "members": []}
    )
    assert status == 201
    joins = {"op": "Add", "path": "members", "value": [{"value": user["id"]}]}
    assert scim("PATCH", f"Groups/{group['id']}?excludedAttributes=members", operations(joins)) == (204, None)
    says("ok")
    record = gateway.outcome(gateway.chat("plain", key=ada).id)
    assert (record["team"], record["caller"]) == ("research", "entra/pairwise-7c2f")

    stream = gateway.stream("drip", key=ada)
    assert stream.event()
    leaves = {"op": "Remove", "path": f'members[value eq "{user["id"]}"]'}
    assert scim("PATCH", f"Groups/{group['id']}", operations(leaves))[0] == 204
    began = time.monotonic()
    assert error_of(stream.events()) == "not_provisioned"
    assert time.monotonic() - began < SOON
    assert gateway.outcome(stream.id)["outcome"] == "cut"
    says("not_provisioned")
    other = scim("POST", "Groups", {"schemas": [GROUP], "displayName": "Platform", "members": [{"value": user["id"]}]})[
        1
    ]
    says("ok")
    record = gateway.outcome(gateway.chat("plain", key=ada).id)
    assert record["team"] == "platform", "the token is the same, the team is not"

    form = f"grant_type={quote(GRANT)}&subject_token={ada}&subject_token_type={quote('urn:ietf:params:oauth:token-type:jwt')}"
    issued = gateway.ask(form.encode(), key=ada, path="/oauth/token", content_type="application/x-www-form-urlencoded")
    task = json.loads(issued.body)["access_token"]
    assert code(gateway.chat("plain", key=task)) == "ok"

    streams = [gateway.stream("drip", key=key) for key in (ada, task)]
    off = {"op": "Replace", "path": "active", "value": "False"}
    assert scim("PATCH", f"Users/{user['id']}", operations(off))[1]["active"] is False
    began = time.monotonic()
    for stream in streams:
        assert error_of(stream.events()) == "deactivated_user"
    assert time.monotonic() - began < SOON
    says("deactivated_user")
    assert code(gateway.chat("plain", key=task)) == "deactivated_user"
    assert scim("PATCH", f"Users/{user['id']}", operations({**off, "value": "True"}))[0] == 200
    says("ok")
    assert scim("DELETE", f"Users/{user['id']}") == (204, None)
    says("not_provisioned")
    assert scim("GET", f"Groups/{other['id']}")[1].get("members") is None

    (created,) = [each for each in gateway.events("scim.create") if each["call"] == user["id"]]
    assert (created["caller"], created["detail"]["token"]) == ("scim:entra", id)
    assert "ada@corp" not in json.dumps(gateway.events("scim.create") + gateway.events("scim.patch"))
    joined = [each["detail"].get("joined") for each in gateway.events("scim.patch")]
    assert [user["id"]] in joined
    assert gateway.counted("yett_scim_requests_total", directory="entra", outcome="changed") >= 4
    assert gateway.metrics()['yett_directory_users{directory="entra"}'] == 0


def test_an_independent_client_finds_nothing_wrong(gateway: Gateway) -> None:
    """All that scim2-tester knows to try: discovery, every attribute of every schema created, replaced, patched and removed."""
    _, token = new_token(gateway, "contractors")
    address = f"http://127.0.0.1:{gateway.admin}/scim/v2"
    with httpx2.Client(base_url=address, headers={"authorization": f"Bearer {token}"}) as connection:
        client = SyncSCIMClient(connection)
        client.discover()
        results = check_server(client)
    wrong = [(each.title, each.reason) for each in results if each.status not in {Status.SUCCESS, Status.SKIPPED}]
    assert wrong == []
    assert len(results) > 90


def test_tokens_are_of_one_directory_and_end(gateway: Gateway) -> None:
    """As Okta writes it; and what nobody gets to see or to do."""
    (_, entra), (okta_id, okta) = new_token(gateway, "entra"), new_token(gateway, "okta")
    one, two, nobody = Client(gateway, entra), Client(gateway, okta), Client(gateway, gateway.key)
    user = {"schemas": [USER], "userName": "ada", "externalId": "00u1", "name": {"givenName": "Ada"}, "active": True}
    mine = one("POST", "Users", user)[1]
    assert two("GET", f"Users/{mine['id']}")[0] == 404
    assert two("GET", "Users?count=1&startIndex=1")[1]["totalResults"] == 0
    yours = two("POST", "Users", {**user, "groups": [], "password": "secret"})[1]
    assert yours["id"] != mine["id"]
    status, refused = two("POST", "Users", user)
    assert (status, refused["schemas"], refused["scimType"]) == (409, [ERROR], "uniqueness")
    assert (
        two("POST", "Groups", {"schemas": [GROUP], "displayName": "Everyone", "members": [{"value": mine["id"]}]})[0]
        == 400
    )
    assert (
        two("PATCH", f"Users/{yours['id']}", operations({"op": "replace", "value": {"active": False}}))[1]["active"]
        is False
    )
    assert two("PUT", f"Users/{yours['id']}", {**user, "id": yours["id"]}, if_match='W/"1"')[0] == 412
    assert two("PUT", f"Users/{yours['id']}", {**user, "id": yours["id"]}, if_match='W/"2"')[1]["active"] is True
    assert two("GET", f"Users/{yours['id']}", if_none_match='W/"3"') == (304, None)
    assert two("GET", "Users?filter=" + quote('userName eq "Ada"') + "&attributes=userName")[1]["Resources"] == [
        {"schemas": [USER], "id": yours["id"], "userName": "ada"}
    ]
    found = json.loads(gateway.yett("scim", "users", "okta", "--json"))["users"]
    assert [(each["id"], each["active"], each["team"]) for each in found] == [(yours["id"], True, "")]
    assert "no groups in okta" in gateway.yett("scim", "groups", "okta")

    for body, status in ((b"{", 400), (b"[" * 100_000, 400), (b"x" * 1_048_577, 413), (b'{"a": "\xff"}', 400)):
        assert two("POST", "Users", body)[0] == status
    assert two("POST", "Users", {}, content_type="text/plain")[0] == 415
    assert two("POST", "Bulk", {})[0] == 501
    assert two("GET", "ServiceProviderConfig")[1]["bulk"]["supported"] is False
    assert nobody("GET", "Users")[0] == 401
    assert nobody.headers["www-authenticate"] == "Bearer"
    statuses = [nobody("GET", "Users")[0] for _ in range(12)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert two("GET", "Users")[0] == 200, "a token that is right is taken from anywhere"
    gateway.yett("scim", "token", "revoke", okta_id)
    until(lambda: two("GET", "Users")[0] in {401, 429}, 2, "an end of the token")
    assert one("GET", "Users")[0] == 200
    assert 5 <= len(gateway.events("scim.refused")) <= 11, "a storm of wrong tokens does not fill the journal"
    assert okta not in gateway.log
    assert gateway.counted("yett_scim_requests_total", outcome="unauthorized") >= 12
    assert [each["detail"]["directory"] for each in gateway.events("scim.token.revoke")] == ["okta"]
