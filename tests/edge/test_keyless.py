"""Short-lived tokens on their way to a provider, over real sockets: fetched beside the calls, once for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.token_endpoint import ACCOUNT, CLIENT, REFUSED, ROLE, SECRET, TokenEndpoint, token_endpoint

from yett.cli.system import SystemClock
from yett.edge.keyless import Keyless, _until_next
from yett.edge.upstream import UpstreamClient
from yett.model.route import AssumedRole, Grant, Provider, Secret, ServiceAccount, Timeouts
from yett.ports import Outgoing, UpstreamFailure


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with token_endpoint() as made:
        yield made


@pytest_asyncio.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    made = UpstreamClient()
    yield made
    await made.close()


class Side:
    """A Keyless with one provider."""

    def __init__(self, client: UpstreamClient, endpoint: TokenEndpoint, /, **grant: object) -> None:
        self.told: list[tuple[str, str]] = []
        self.endpoint = endpoint
        self.keyless = Keyless(client, SystemClock(), lambda *what: self.told.append(what), wait=0.5, spacing=0.2)
        self.provider = self.with_grant(**grant)
        self.keyless.take_up([self.provider])

    def with_grant(self, **fields: object) -> Provider:
        known: dict[str, object] = {"client": CLIENT, "proof": "basic", "secret": Secret(SECRET), "timeout": 2.0}
        grant = Grant(**{"kind": "client_credentials", "url": self.endpoint.url, **known, **fields})  # type: ignore[arg-type]
        return Provider("cloud", "openai", f"{self.endpoint.origin}/v1", (), (), Timeouts(), grant=grant)

    async def call(self, provider: Provider | None = None) -> int:
        outgoing = Outgoing(provider or self.provider, "POST", "/chat/completions", (), b"{}")
        exchange = await self.keyless.send(outgoing)
        await exchange.read(1 << 20)
        return exchange.status

    async def refused(self, provider: Provider | None = None) -> str:
        with pytest.raises(UpstreamFailure) as caught:
            await self.call(provider)
        assert caught.value.outcome == "no_token"
        return str(caught.value)


async def happens(what: object, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_one_token_for_all_calls(client: UpstreamClient, endpoint: TokenEndpoint) -> None:
    endpoint.delay = 0.1
    side = Side(client, endpoint)
    assert await asyncio.gather(*(side.call() for _ in range(20))) == [200] * 20
    assert (endpoint.taken, len(endpoint.asked), endpoint.proofs) == (["token-1"] * 20, 1, ["basic"])
    assert side.told == [("cloud", "ok")]
    assert 3500 < side.keyless.lives()["cloud"] <= 3600
    assert side.keyless.troubles() == {}
    side.keyless.close()


async def test_a_provider_with_keys_is_none_of_its_business(client: UpstreamClient, endpoint: TokenEndpoint) -> None:
    side = Side(client, endpoint)
    plain = Provider("plain", "openai", f"{endpoint.origin}/v1", (), (), Timeouts())
    exchange = await side.keyless.send(Outgoing(plain, "POST", "/chat/completions", (), b"{}", Secret("token-of-mine")))
    assert exchange.status == 200
    await exchange.read(1 << 20)
    assert endpoint.taken == ["token-of-mine"]
    side.keyless.close()


async def test_the_next_token_is_there_before_the_last_one_ends(
    client: UpstreamClient, endpoint: TokenEndpoint
) -> None:
    endpoint.expires_in = 1.0
    side = Side(client, endpoint)
    assert await side.call() == 200
    await happens(lambda: len(endpoint.asked) == 2)
    assert side.keyless.lives()["cloud"] > 0.4
    await asyncio.sleep(0.05)
    assert await side.call() == 200
    assert endpoint.taken == ["token-1", "token-2"]
    side.keyless.close()


async def test_a_token_that_the_provider_refuses_is_replaced_but_not_at_every_call(
    client: UpstreamClient, endpoint: TokenEndpoint
) -> None:
    side = Side(client, endpoint)
    assert await side.call() == 200
    endpoint.revoked |= {"token-1", "token-2"}
    assert await asyncio.gather(side.call(), side.call(), side.call()) == [401] * 3
    assert "the provider does not accept the token" in await side.refused()  # it is not sent a second time
    await happens(lambda: len(endpoint.asked) == 2)
    await happens(lambda: side.keyless.lives()["cloud"] > 0)
    assert await side.call() == 401
    for _ in range(5):
        await side.refused()
    await happens(lambda: len(endpoint.asked) == 3)
    await happens(lambda: side.keyless.lives()["cloud"] > 0)
    assert await side.call() == 200
    assert endpoint.taken.count("token-1") == 4
    side.keyless.close()


async def test_while_there_is_no_token_calls_are_told_so(
    client: UpstreamClient, endpoint: TokenEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.fail = [(503, b"busy"), (400, b'{"error": "invalid_scope"}')]
    with caplog.at_level(logging.WARNING, "yett"):
        side = Side(client, endpoint)
        assert "status 503" in await side.refused()
        assert "status 503" in await side.refused()  # at once
        assert side.keyless.troubles() == {"cloud": "status 503, and no JSON as of a token endpoint"}
        await happens(lambda: len(side.told) == 3)
        assert await side.call() == 200
    assert side.told == [("cloud", "refused")] * 2 + [("cloud", "ok")]
    fields = [record.__dict__["fields"] for record in caplog.records]
    assert fields[1] == {"provider": "cloud", "why": "status 400, invalid_scope"}
    assert SECRET not in str(fields)
    side.keyless.close()


async def test_a_slow_endpoint_is_waited_for_only_so_long(client: UpstreamClient, endpoint: TokenEndpoint) -> None:
    endpoint.delay = 1.0
    side = Side(client, endpoint)
    assert "takes too long" in await side.refused()
    await happens(lambda: side.told)
    assert await side.call() == 200
    endpoint.delay = 0
    side.keyless.close()


async def test_an_endpoint_that_is_not_there(client: UpstreamClient, endpoint: TokenEndpoint) -> None:
    side = Side(client, endpoint)
    await side.call()
    gone = Provider("gone", "openai", "http://127.0.0.1:1/v1", (), (), Timeouts(), grant=Grant(
        "client_credentials", "http://127.0.0.1:1/token", CLIENT, "basic", Secret(SECRET)
    ))  # fmt: skip
    side.keyless.take_up([gone])
    assert "no longer in force" in await side.refused()  # of the provider that has gone
    await happens(lambda: ("gone", "failed") in side.told)
    assert "127.0.0.1" in await side.refused(gone)
    side.keyless.close()


async def test_the_workloads_token_is_read_every_time(
    client: UpstreamClient, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(endpoint.subject + "\n")
    endpoint.expires_in = 0.4
    side = Side(client, endpoint, proof="token_file", secret=None, file=str(file))
    assert await side.call() == 200
    endpoint.subject = "the-next-token"
    file.write_text("the-next-token")
    await happens(lambda: endpoint.asked[-1]["client_assertion"] == "the-next-token")
    await happens(lambda: side.told[-1] == ("cloud", "ok"))
    file.write_text("two\nlines")
    await happens(lambda: ("cloud", "refused") in side.told)
    assert "holds no token" in side.keyless.troubles().get("cloud", "holds no token")
    file.unlink()
    await happens(lambda: ("cloud", "failed") in side.told)
    await happens(lambda: side.keyless.lives()["cloud"] == 0)
    assert "No such file" in await side.refused()
    side.keyless.close()


async def test_a_new_configuration(client: UpstreamClient, endpoint: TokenEndpoint) -> None:
    side = Side(client, endpoint)
    assert await side.call() == 200
    side.keyless.take_up([side.with_grant()])  # the same, read again
    assert await side.call() == 200
    endpoint.delay = 0.3
    rotated = side.with_grant(secret=Secret("another"))
    side.keyless.take_up([rotated])
    assert await side.call(rotated) == 200  # with the token that is there
    assert await side.call() == 200  # a call that began before
    assert set(endpoint.taken) == {"token-1"}
    other = side.with_grant(scope="more")
    side.keyless.take_up([other])
    assert "no longer in force" in await side.refused()
    assert await side.call(other) == 200
    assert endpoint.taken[-1] == "token-2"
    side.keyless.close()


@pytest.mark.parametrize(("life", "rest"), [(3600, 3300), (600, 480), (100, 70), (40, 20), (1, 0.5)])
def test_when_the_next_one_is_fetched(life: float, rest: float) -> None:
    assert _until_next(life) == rest


# ---- clouds ----


def workload(tmp_path: Path, endpoint: TokenEndpoint) -> dict[str, object]:
    """What a grant has that proves itself with nothing but the token of the workload."""
    (tmp_path / "token").write_text(endpoint.subject)
    return {"client": "", "proof": "none", "secret": None, "file": str(tmp_path / "token")}


def account(endpoint: TokenEndpoint, email: str = ACCOUNT) -> ServiceAccount:
    url = f"{endpoint.origin}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    return ServiceAccount(url, ("https://www.googleapis.com/auth/cloud-platform",), 3600)


async def test_a_service_account_of_google(client: UpstreamClient, endpoint: TokenEndpoint, tmp_path: Path) -> None:
    own = workload(tmp_path, endpoint)
    side = Side(client, endpoint, kind="token_exchange", account=account(endpoint), **own)
    assert await asyncio.gather(*(side.call() for _ in range(5))) == [200] * 5
    assert endpoint.taken == ["token-2"] * 5  # never the federated one
    assert endpoint.asked[0]["subject_token"] == endpoint.subject
    assert endpoint.asked[1] == {"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "3600s"}
    assert 3500 < side.keyless.lives()["cloud"] <= 3600
    stranger = side.with_grant(kind="token_exchange", account=account(endpoint, "other@x.example"), **own)
    side.keyless.take_up([stranger])
    assert "the service account: status 403, PERMISSION_DENIED" in await side.refused(stranger)
    side.keyless.close()


async def test_a_role_of_aws(client: UpstreamClient, endpoint: TokenEndpoint, tmp_path: Path) -> None:
    own = workload(tmp_path, endpoint)
    role = AssumedRole(ROLE, "yett", "eu-west-1", 3600)
    endpoint.expires_in = 900
    side = Side(client, endpoint, kind="web_identity", url=endpoint.origin, role=role, **own)
    assert await asyncio.gather(*(side.call() for _ in range(5))) == [200] * 5
    assert (endpoint.taken, len(endpoint.asked)) == (["token-1"] * 5, 1)
    assert endpoint.asked[0] == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "yett",
        "DurationSeconds": "3600",
        "WebIdentityToken": endpoint.subject,
    }
    assert 890 < side.keyless.lives()["cloud"] <= 900
    endpoint.fail = [(503, b"<html>"), (403, REFUSED.format(code="AccessDenied").encode())]
    endpoint.delay = 0.7  # longer than a call waits
    other = side.with_grant(
        kind="web_identity", url=endpoint.origin, role=AssumedRole(ROLE, "b", "eu-west-1", 900), **own
    )
    side.keyless.take_up([other])
    assert "takes too long" in await side.refused(other)
    await happens(lambda: len(side.told) == 3)
    endpoint.delay = 0.0
    assert side.keyless.troubles() == {"cloud": "status 403, AccessDenied"}
    await happens(lambda: side.keyless.lives()["cloud"] > 0)
    assert await side.call(other) == 200
    side.keyless.close()


async def test_a_role_that_is_refused_may_have_ended_or_not(
    client: UpstreamClient, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    role = AssumedRole(ROLE, "yett", "eu-west-1", 3600)
    side = Side(client, endpoint, kind="web_identity", url=endpoint.origin, role=role, **workload(tmp_path, endpoint))
    assert await side.call() == 200
    endpoint.revoked.add("token-1")
    assert [await side.call() for _ in range(3)] == [403] * 3  # it is used on: others may use what this one may not
    assert (side.keyless.troubles(), len(endpoint.asked)) == ({}, 1)
    side.keyless._doubt = 0.0  # a minute later
    assert await side.call() == 403
    await happens(lambda: len(endpoint.asked) == 2)
    await happens(lambda: side.told[-1:] == [("cloud", "ok")] and len(side.told) == 2)
    assert await side.call() == 200
    assert endpoint.taken[-1] == "token-2"
    side.keyless.close()


async def test_an_endpoint_that_sends_elsewhere(
    client: UpstreamClient, endpoint: TokenEndpoint, tmp_path: Path
) -> None:
    """Nobody is followed: whoever answers for the endpoint must not choose who gets the token of the workload."""
    own = workload(tmp_path, endpoint)
    endpoint.fail = [(307, REFUSED.format(code="Moved").encode())]
    role = AssumedRole(ROLE, "yett", "eu-west-1", 3600)
    side = Side(client, endpoint, kind="web_identity", url=endpoint.origin, role=role, **own)
    assert "status 307, Moved" in await side.refused()
    assert len(endpoint.asked) == 1
    side.keyless.close()
