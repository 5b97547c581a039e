"""The keys of issuers over real sockets: fetched, kept, asked for again, and not more often than that."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.issuing import Authority
from tests.scene import Clock, until

from yett.edge.issuers import LONGEST, MOST_BYTES, PAUSE, SHORTEST, STALE, Issuers
from yett.identity.issuer import Issuer, Rule, Source
from yett.model.route import Provider, Timeouts
from yett.stores.issuer_keys import IssuerKeys

AUTHORITY = Authority()


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 %b\r\ncontent-length: %d\r\n%b\r\n%b" % (status, len(body), head, body)


def issuer(url: str = "", file: str = "", *, discovery: bool = False, name: str = "corp", ca_file: str = "") -> Issuer:
    provider = Provider(f"issuer/{name}", "issuer", "", (), (), Timeouts(2, 2, 2, 2), ca_file) if url else None
    none: frozenset[str] = frozenset()
    source = Source(file, url, provider, discovery)
    return Issuer(name, "oidc", AUTHORITY.url, source, none, none, none, team=Rule(fixed="t"))


class Desk:
    """Issuers with a clock of the test's own."""

    def __init__(self, client: object, *issuers: Issuer, shelf: IssuerKeys | None = None) -> None:
        self.clock = Clock()
        self.told: list[tuple[str, str]] = []
        self.issuers = Issuers(client, self.clock, lambda *what: self.told.append(what), shelf)  # type: ignore[arg-type]
        self.issuers.take_up(issuers)

    async def renewed(self) -> None:
        """The duty, and what it began."""
        attempts = len(self.told)
        await self.issuers.renew()
        for _ in range(400):
            if len(self.told) > attempts:
                return
            await asyncio.sleep(0.005)
        raise AssertionError("nothing was asked")

    def ids(self, issuer: Issuer) -> list[str]:
        return [key.id for key in self.issuers.keys(issuer) or ()]


async def test_keys_are_fetched_and_fetched_again_when_their_time_is_over(serve, connect) -> None:
    keys = [AUTHORITY.document()]
    peer = await serve(b"")
    peer._play = lambda talk: _each(talk, lambda: answer(keys[-1], b"cache-control: public, max-age=600"))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys?v=1")
    desk = Desk(connect(), one)
    assert desk.issuers.keys(one) is None
    await desk.renewed()
    assert peer.talks[0].requests[0].startswith(b"GET /keys?v=1 HTTP/1.1\r\n")
    assert desk.ids(one) == ["k1"]
    generation = desk.issuers.generation
    desk.clock.time += 599
    await desk.issuers.renew()
    desk.clock.time += 2
    await desk.renewed()
    assert (desk.issuers.generation, len(desk.told)) == (generation, 2)  # the same keys are no news
    keys.append(Authority("https://idp.example", "k2").document())
    desk.clock.time += 601
    await desk.renewed()
    assert desk.ids(one) == ["k2"]
    assert desk.issuers.generation == generation + 1
    assert desk.issuers.troubles() == []


async def _each(talk, reply) -> None:
    while await talk.request():
        await talk.send(reply())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (b"cache-control: max-age=1", SHORTEST),
        (b"cache-control: no-store", 3600.0),
        (b"cache-control: public, max-age=999999", LONGEST),
        (b"cache-control: s-max-age=7", 3600.0),
        (b"x: y", 3600.0),
    ],
)
async def test_how_long_keys_are_fresh(serve, connect, header: bytes, seconds: float) -> None:
    peer = await serve(answer(AUTHORITY.document(), header))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys")
    desk = Desk(connect(), one)
    await desk.renewed()
    desk.clock.time += seconds - 1
    await desk.issuers.renew()
    await asyncio.sleep(0)
    assert len(desk.told) == 1
    desk.clock.time += 2
    await desk.renewed()


async def test_however_many_ask_one_asks_the_issuer(serve, connect) -> None:
    peer = await serve(answer(AUTHORITY.document()))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys")
    desk = Desk(connect(), one)
    await asyncio.gather(*[desk.issuers.refresh(one) for _ in range(50)])
    for _ in range(50):
        await desk.issuers.refresh(one)
    assert len(desk.told) == 1
    desk.clock.time += PAUSE
    await asyncio.gather(*[desk.issuers.refresh(one) for _ in range(50)])
    assert len(desk.told) == 2
    assert sum(len(talk.requests) for talk in peer.talks) == 2


async def test_who_no_longer_waits_does_not_end_it_for_the_others(serve, connect) -> None:
    peer = await serve(answer(AUTHORITY.document()))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys")
    desk = Desk(connect(), one)
    first = asyncio.ensure_future(desk.issuers.refresh(one))
    second = asyncio.ensure_future(desk.issuers.refresh(one))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert desk.ids(one) == ["k1"]


async def test_keys_are_kept_for_a_day_while_the_issuer_is_away(serve, connect, caplog) -> None:
    peer = await serve(answer(AUTHORITY.document()))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys")
    desk = Desk(connect(), one)
    await desk.renewed()
    await peer.stop()
    desk.clock.time += 3601
    for _ in range(3):
        await desk.renewed()
        desk.clock.time += PAUSE
    assert desk.told[1:] == [("corp", "failed")] * 3
    assert desk.issuers.troubles() == [f"issuer corp: 127.0.0.1:{peer.port} cannot be asked: refused"]
    assert len(caplog.records) == 1
    assert desk.ids(one) == ["k1"]
    desk.clock.time += STALE
    assert desk.issuers.keys(one) is None


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer(b"", b"location: http://127.0.0.1:1/", status=b"302 Found"), "answered with status 302"),
        (answer(b"<html>"), "is not JSON"),
        (answer(b'{"keys":[]}'), "is no JWK set"),
        (answer(b" " * (MOST_BYTES + 1)), "too_large"),
        (b"garbage\r\n\r\n", "garbage"),
    ],
)
async def test_what_is_no_answer(serve, connect, reply: bytes, why: str) -> None:
    peer = await serve(reply)
    desk = Desk(connect(), issuer(f"http://127.0.0.1:{peer.port}/keys"))
    await desk.renewed()
    assert why in desk.issuers.troubles()[0]


async def test_an_issuer_says_where_its_keys_are(serve, connect) -> None:
    peer = await serve(b"")
    url = f"http://127.0.0.1:{peer.port}/realm"
    metadata = {"issuer": url, "jwks_uri": f"http://localhost:{peer.port}/certs"}

    async def play(talk) -> None:
        while request := await talk.request():
            found = metadata if b"/.well-known/" in request else None
            await talk.send(answer(json.dumps(found).encode() if found else AUTHORITY.document()))

    peer._play = play
    one = issuer(f"{url}/.well-known/openid-configuration", discovery=True)
    desk = Desk(connect(), one)
    await desk.renewed()
    assert desk.ids(one) == ["k1"]
    for wrong, why in (
        ({"issuer": "https://other"}, "another issuer"),
        ({"jwks_uri": "http://elsewhere.example/keys"}, "cannot be trusted"),
        ({"jwks_uri": "file:///etc/passwd"}, "cannot be trusted"),
        ({"jwks_uri": 5}, "do not say"),
    ):
        metadata.update(wrong)
        desk.clock.time += 4000
        await desk.renewed()
        assert why in desk.issuers.troubles()[0]
        metadata.update({"issuer": url, "jwks_uri": f"http://localhost:{peer.port}/certs"})


async def test_keys_over_tls_come_from_who_is_meant(serve, connect, authority) -> None:
    peer = await serve(answer(AUTHORITY.document()), authority.context("localhost"))
    good = issuer(f"https://localhost:{peer.port}/keys", ca_file=str(authority.ca_file))
    bad = issuer(f"https://127.0.0.1:{peer.port}/keys", name="bad", ca_file=str(authority.ca_file))
    desk = Desk(connect(), good, bad)
    await asyncio.gather(desk.issuers.refresh(good), desk.issuers.refresh(bad))
    assert desk.ids(good) == ["k1"]
    assert "issuer bad" in desk.issuers.troubles()[0]


async def test_an_issuer_elsewhere_has_no_address_of_this_machine_asked(serve, connect, authority) -> None:
    peer = await serve(b"", authority.context("localhost"))
    url = f"https://localhost:{peer.port}"
    metadata = answer(json.dumps({"issuer": url, "jwks_uri": "http://127.0.0.1:9/keys"}).encode())
    peer._play = lambda talk: _each(talk, lambda: metadata)
    one = issuer(f"{url}/.well-known/openid-configuration", discovery=True, ca_file=str(authority.ca_file))
    desk = Desk(connect(), one)
    await desk.issuers.refresh(one)
    assert "cannot be trusted" in desk.issuers.troubles()[0]


async def test_keys_from_a_file_follow_the_file(connect, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    one = issuer(file=str(file))
    desk = Desk(connect(), one)
    await desk.renewed()
    assert "No such file" in desk.issuers.troubles()[0]
    file.write_bytes(AUTHORITY.document())
    desk.clock.time += PAUSE
    await desk.renewed()
    assert (desk.ids(one), desk.issuers.troubles()) == (["k1"], [])
    file.write_bytes(b" " * (MOST_BYTES + 1))
    desk.clock.time += PAUSE
    await desk.renewed()
    assert "is larger" in desk.issuers.troubles()[0]


async def test_another_configuration_keeps_what_it_still_needs(connect, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(AUTHORITY.document())
    one, two = issuer(file=str(tmp_path / "a"), name="a"), issuer(file=str(tmp_path / "b"), name="b")
    desk = Desk(connect(), one)
    await desk.renewed()
    generation = desk.issuers.generation
    desk.issuers.take_up((one, two))
    assert desk.issuers.generation == generation + 1
    assert desk.ids(one) == ["k1"]
    desk.issuers.take_up((two,))
    assert desk.issuers.keys(one) is None
    await desk.issuers.refresh(one)
    await until(lambda: True)
    assert desk.ids(two) == []


# ---- what outlives a process ---------------------------------------------------------------------------------------


def restarted(client: object, one: Issuer, folder: Path, ahead: float = 0.0) -> Desk:
    """Another process, so many seconds later; its monotonic clock began anew."""
    desk = Desk(client, shelf=IssuerKeys(folder))
    wall = desk.clock.time + ahead
    desk.clock.now = lambda: wall  # type: ignore[method-assign]
    desk.clock.time = 5.0
    desk.issuers.take_up([one])
    return desk


async def test_keys_outlive_a_process_while_the_issuer_is_away(serve, connect, tmp_path: Path, caplog) -> None:
    peer = await serve(answer(AUTHORITY.document()))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys")
    folder = tmp_path / "keys"
    desk = Desk(connect(), one, shelf=IssuerKeys(folder))
    await desk.renewed()
    for _ in range(100):
        if folder.exists() and any(folder.glob("*.json")):
            break
        await asyncio.sleep(0.01)
    await peer.stop()
    later = restarted(connect(), one, folder, STALE / 2)
    assert later.ids(one) == ["k1"]
    await later.renewed()  # asked for at once; that nobody answers changes nothing
    assert later.told == [("corp", "failed")]
    assert later.ids(one) == ["k1"]
    later.clock.time += STALE / 2 + 1  # the day counts from when they were fetched
    assert later.issuers.keys(one) is None
    for ahead in (STALE + 1, -60.0):  # too old, or of a clock that went back
        assert restarted(connect(), one, folder, ahead).issuers.keys(one) is None
    # nor are they anybody else's
    assert restarted(connect(), issuer(f"http://127.0.0.1:{peer.port}/other"), folder).issuers.keys(one) is None
    elsewhere = issuer(f"http://127.0.0.1:{peer.port}/keys", ca_file="ca.pem")
    assert restarted(connect(), elsewhere, folder).issuers.keys(elsewhere) is None
    (kept,) = folder.glob("*.json")
    kept.write_bytes(kept.read_bytes().replace(b"Ed25519", b"Ed25518"))
    assert restarted(connect(), one, folder).issuers.keys(one) is None


async def test_keys_that_cannot_be_kept_are_good_all_the_same(serve, connect, tmp_path: Path, caplog) -> None:
    (tmp_path / "keys").write_text("in the way")
    peer = await serve(answer(AUTHORITY.document()))
    one = issuer(f"http://127.0.0.1:{peer.port}/keys")
    desk = Desk(connect(), one, shelf=IssuerKeys(tmp_path / "keys"))
    await desk.issuers.refresh(one)
    assert desk.ids(one) == ["k1"]
    assert [record.message for record in caplog.records] == ["an issuer's keys cannot be kept for the next start"]
