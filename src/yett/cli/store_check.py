"""Whether the store that several machines count in is fit for that, for `yett doctor`. Needs the extra `cluster`."""

from __future__ import annotations

import asyncio
import time

from yett.config.reading import Reading
from yett.config.store_address import limits_address
from yett.stores.redis_link import LinkDown, RedisLink, StoreError, command

OLDEST = 7  # of Redis, and of Valkey all
SLOW = 0.005  # seconds for an answer: it is in the way of every call


def limits_store(reading: Reading) -> list[tuple[str, str, str]]:
    """(status, message, what to do) of everything worth saying."""
    settings = reading.settings.stores
    ca_file = str(reading.own(settings.ca_file)) if settings.ca_file else ""
    link = RedisLink(limits_address(reading.limits, ca_file), timeout=settings.timeout)
    try:
        facts, seconds = asyncio.run(_ask(link))
    except (LinkDown, StoreError) as error:
        what = "budgets refuse" if settings.on_outage == "local_share" else "calls are refused"
        return [("failure", str(error), f"check stores.limits, its password and the network: without it {what}")]
    return list(_judged(facts, seconds, str(link.address)))


def _judged(facts: dict[str, str], seconds: float, where: str) -> list[tuple[str, str, str]]:
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = facts.get("valkey_version") or facts.get("redis_version", "?")
    found = [("ok", f"{name} {version} at {where} answers in {seconds * 1000:.2f} ms", "")]
    if seconds > SLOW:
        found = [("warning", found[0][1], "put it nearer: each call asks it once")]
    major = facts.get("redis_version", "").split(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        found.append(("failure", f"{name} {version} is too old", f"use Valkey, or Redis {OLDEST} or later"))
    if facts.get("role", "master") != "master":
        found.append(("failure", f"{where} is a replica", "name the primary"))
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        advice = "set maxmemory-policy noeviction: what it drops is spent a second time"
        found.append(("failure", f"it drops keys when full ({facts['maxmemory_policy']})", advice))
    if facts.get("aof_enabled") == "0":
        advice = "set appendonly yes, or run `yett ledger rebuild` after each of its restarts"
        found.append(("warning", "it forgets at a restart, and then budgets refuse", advice))
    return found


async def _ask(link: RedisLink) -> tuple[dict[str, str], float]:
    await link.start()
    try:
        best = 1.0
        for _ in range(5):
            began = time.perf_counter()
            await link.ask(command("PING"))
            best = min(best, time.perf_counter() - began)
        text = await link.ask(command("INFO"))
        lines = (line.partition(":") for line in text.decode(errors="replace").splitlines() if ":" in line)
        return {name: value for name, _, value in lines}, best
    finally:
        await link.close()
