"""What `yett doctor --network` says of providers without keys: whether a token can be had for each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from yett.cli.doctor_identity import Line
from yett.cli.system import SystemClock
from yett.config.compile import proxy_of
from yett.config.oauth import grant
from yett.config.reading import Reading
from yett.edge.grants import TokenTrouble
from yett.edge.keyless import FAILURES, fetched, told
from yett.edge.upstream import UpstreamClient
from yett.model.route import Grant


def tokens(reading: Reading) -> Iterator[Line]:
    """Of a configuration without mistakes. They are asked for as the gateway would, and sent nowhere."""
    granted = [(name, grant(one, reading)) for name, one in reading.settings.providers.items()]
    wanted = [(name, found) for name, found in granted if found is not None]
    if wanted:
        yield from asyncio.run(_all(wanted, reading))


async def _all(wanted: list[tuple[str, Grant]], reading: Reading) -> list[Line]:
    upstream = UpstreamClient(proxy=proxy_of(reading))
    try:
        return list(await asyncio.gather(*(_one(name, found, upstream) for name, found in wanted)))
    finally:
        await upstream.close()


async def _one(name: str, found: Grant, upstream: UpstreamClient) -> Line:
    check = f"token for {name}"
    try:
        token = await fetched(upstream, SystemClock(), name, found)
    except FAILURES as error:
        advice = "check what the endpoint knows of this workload, and what it may do"
        if not isinstance(error, TokenTrouble):
            advice = "check the endpoint's address, DNS, the firewall, ca_file and token_file"
        return check, "failure", told(error), advice
    return check, "ok", f"can be had, and is good for {int(token.seconds)} s", ""
