"""A rolling upgrade: the version before and this one, side by side on one PostgreSQL and one Valkey, under load. `make upgrade`.

The version before is the commit in `tests/previous.txt`, from the history of this repository, with an environment of its own. Gateways
are replaced one by one, each with the state directory it had, and one of them is put back. Meanwhile callers go on calling: each call is
answered by one gateway or the next, keys and fences of either version are known to both, and both spend one budget.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, models_toml, request_body, simulator_thread, until
from tests.servers import Postgres, Valkey

from yett.stores.kek import fresh

CONFIGURATION = """
[stores]
state = "env:STATE"
pepper = "env:PEPPER"
limits = "{limits}"
deployment = "{deployment}"
timeout = "5s"

[credentials]
kek = "env:KEK"

[identity.tasks]
issuer = "https://yett.example"

[teams.spenders]
limits = {{ budget = "1usd/month" }}
"""
TRIES = 60  # of one call, at one gateway after the other
PASSING = {"draining", "no gateway"}  # what a gateway says that goes away; everything else but an answer is a loss
_CODE = re.compile(rb'"code": ?"([a-z_]+)"')


class Upgrade:
    """Gateways and their stores, between `up` and `down`. `before` and `now` are the interpreters of the two versions."""

    def __init__(self, before: str, gateways: int) -> None:
        self.before, self.now = before, sys.executable
        self.answers: Counter[str] = Counter()
        self.lost: list[str] = []
        self.mixed = 0  # calls that ended while both versions served
        self._count = gateways
        self._over = False

    @contextlib.contextmanager
    def up(self) -> Iterator[Upgrade]:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yett-upgrade-")))
            self.valkey = Valkey(folder).start()
            stack.callback(self.valkey.stop)
            self.postgres = Postgres().start()
            stack.callback(self.postgres.close)
            provider = stack.enter_context(simulator_thread())
            text = HEAD + CONFIGURATION.format(limits=self.valkey.url, deployment=uuid4().hex)
            text += provider_toml(provider, "cloud")
            text += models_toml(
                simulated({"plain": "latency.first_byte=20ms", "drip": "chunks=20+latency.between_chunks=10ms"})
            )
            variables = {"STATE": self.postgres.url, "PEPPER": "5a" * 32, "KEK": fresh()}
            self.gateways: list[Gateway] = []
            for number in range(self._count):
                (place := folder / f"gateway-{number}").mkdir()
                gateway = Gateway(place, text, **variables)
                gateway.python = self.before
                self.gateways.append(gateway)
                stack.callback(gateway.close)
                (gateway.state / "yett.db").unlink()  # the harness's own key was made by this version
            self.keys = [self.new_key(self.gateways[0], "first")]
            for gateway in self.gateways:
                gateway.start()
            yield self

    def new_key(self, gateway: Gateway, name: str) -> str:
        made = json.loads(gateway.yett("keys", "create", "--name", name, "--team", "spenders", "--json"))
        return str(made["key"])

    # ---- what callers do

    async def caller(self, number: int) -> None:
        turn = number
        while not self._over:
            turn += 1
            answers = []
            for attempt in range(TRIES):
                gateway = self.gateways[(turn + attempt) % len(self.gateways)]
                answers.append(await self._call(gateway.port, self.keys[turn % len(self.keys)], stream=turn % 3 == 0))
                if answers[-1] not in PASSING:
                    break
                await asyncio.sleep(0.05)
            self.answers[answers[-1]] += 1
            if answers[-1] != "200":
                self.lost.append(" → ".join(answers))
            elif len({gateway.python for gateway in self.gateways}) > 1:
                self.mixed += 1
            await asyncio.sleep(0.02)

    async def _call(self, port: int, key: str, *, stream: bool) -> str:
        body = request_body("drip" if stream else "plain", stream=stream, max_tokens=50)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            async with asyncio.timeout(30):
                answer = await reader.read(-1)
        except TimeoutError:
            return "hung"
        except OSError:
            return "no gateway"
        finally:
            if writer is not None:
                writer.close()
        if found := _CODE.search(answer):
            return found[1].decode()
        if stream and answer and b"[DONE]" not in answer:
            return "broken off"
        return answer[9:12].decode() if answer else "no gateway"

    # ---- what the operator does

    def replace(self, number: int, python: str) -> None:
        """Another version on the state directory of a gateway."""
        gateway = self.gateways[number]
        assert gateway.stop() == 0, gateway.log[-2000:]
        gateway.python = python
        gateway.start()

    def both_know(self) -> None:
        """What one version makes the other knows, within a second each: keys that are issued and revoked, fences drawn and lifted."""
        for maker in self.gateways:
            name = f"by-{uuid4().hex[:8]}"
            key = self.new_key(maker, name)
            for gateway in self.gateways:
                until(lambda: gateway.listed(key) == 200, 3.0, "the key")  # noqa: B023 - it is called at once
            maker.yett("revoke", "team", "spenders", "--tenant", "elsewhere")
            fence = json.loads(maker.yett("fences", "list", "--json"))["fences"][0]["fence"]
            for gateway in self.gateways:
                shown = json.loads(gateway.yett("fences", "list", "--json"))["fences"]
                assert [one["fence"] for one in shown] == [fence]
                until(lambda: gateway.metrics()["yett_fences"] == 1, 3.0, "the fence")  # noqa: B023
            self.gateways[0].yett("fences", "lift", fence)
            maker.yett("keys", "revoke", name)
            for gateway in self.gateways:
                until(lambda: gateway.listed(key) == 401, 3.0, "the revocation")  # noqa: B023

    def roll(self) -> None:
        """Each gateway to this version; then one back to the version before, and forward again."""
        for number in range(self._count):
            self.replace(number, self.now)
            if number + 1 < self._count:
                self.both_know()
                key = self.new_key(self.gateways[number], f"new-{number}")
                for gateway in self.gateways:
                    until(lambda: gateway.listed(key) == 200, 1.0, "the key")  # noqa: B023 - it is called at once
                self.keys.append(key)
                time.sleep(1.0)
        self.replace(0, self.before)
        self.both_know()
        self.replace(0, self.now)

    async def run(self, callers: int) -> None:
        calling = [asyncio.ensure_future(self.caller(number)) for number in range(callers)]
        await asyncio.to_thread(self.roll)
        self._over = True
        await asyncio.gather(*calling)

    def proven(self) -> None:
        """Nothing was lost, ledger and journals agree, and those verify."""
        assert self.lost == [], self.lost[:5]
        assert set(self.answers) == {"200"}
        assert self.mixed
        first, *others = self.gateways
        journals = [word for each in others for word in ("--audit", str(each.audit))]
        told = until(lambda: _agreed(first.yett("ledger", "check", *journals)), 10, "the last settlement")
        assert "0 scopes" not in told
        for gateway in self.gateways:
            assert gateway.stop() == 0
            gateway.verified()


def _agreed(told: str) -> str:
    return told if "ledger and journal agree" in told and "not over" not in told else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("before", help="the interpreter that runs the version before")
    parser.add_argument("--callers", type=int, default=20)
    parser.add_argument("--gateways", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    with Upgrade(os.path.abspath(options.before), options.gateways).up() as upgrade:  # noqa: PTH100 - a link stays one
        asyncio.run(upgrade.run(options.callers))
        upgrade.proven()
    print(
        f"{options.gateways} gateways replaced one by one, and one put back, in {time.monotonic() - began:.0f} s under {options.callers} callers: "
        f"{upgrade.answers['200']} calls answered, {upgrade.mixed} of them beside the other version, none lost; "
        "ledger and journals agree"
    )


if __name__ == "__main__":
    main()
