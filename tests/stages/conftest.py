"""Snapshots for tests of single stages: the configuration of `tests.scene`, compiled once for each set of policies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace
from tests.scene import CONFIGURATION, PEPPER, POLICIES, Trust, key
from tests.stages.callers import CORP, ISSUERS, MESH

from yett.config.compile import compile_snapshot, gather
from yett.config.snapshot import Snapshot, with_keys
from yett.config.virtual_key import digest, mint
from yett.detectors.inspector import Inspector
from yett.identity.jws import read_keys
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.key import VirtualKey
from yett.policy.memo import Memo
from yett.stages.inspect import Seen
from yett.stages.record import Trail
from yett.stages.understand import Surface

Compiled = Callable[..., Snapshot]
SECRET_KEY = mint(b"k" * 32)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """`compiled(policies, configuration)`: a snapshot without keys."""

    @cache
    def build(policies: str = POLICIES, configuration: str = CONFIGURATION) -> Snapshot:
        folder = tmp_path_factory.mktemp("snapshot")
        (folder / "yett.toml").write_text(configuration)
        (folder / "bundle.json").write_text("{}")
        (folder / "policies").mkdir()
        (folder / "policies" / "all.cedar").write_text(policies)
        return compile_snapshot(gather(folder / "yett.toml", {"K1": "sk-1", "K2": "sk-2"}), epoch=1, pepper=PEPPER)

    return build


@pytest.fixture
def snapshot(compiled: Compiled) -> Snapshot:
    return keyed(compiled())


@pytest.fixture
def issuing(compiled: Compiled) -> Snapshot:
    """A snapshot with two issuers, and no memory of tokens."""
    base = compiled(
        POLICIES,
        CONFIGURATION.replace("[teams.research]", '[teams.research]\nlabels = { env = "dev", tier = "1" }') + ISSUERS,
    )
    return replace(base, proven=Memo(8), unproven=Memo(8))


@pytest.fixture
def trust() -> Trust:
    trust = Trust()
    trust.known = {"corp": read_keys(CORP.document()), "example.org": read_keys(MESH.document())}
    return trust


def keyed(snapshot: Snapshot, **fields: object) -> Snapshot:
    """The snapshot with the one key `SECRET_KEY`, of team research."""
    virtual: VirtualKey = key(id="key_1", name="one", digest=digest(PEPPER, SECRET_KEY.encode()), **fields)
    return with_keys(snapshot, (virtual,))


def caller_of(snapshot: Snapshot) -> Caller:
    (caller,) = snapshot.callers.values()
    return caller


def trail_of(snapshot: Snapshot) -> Trail:
    return Trail("call_1", 0.0, snapshot)


async def examine(
    snapshot: Snapshot, _tenant: str, items: Sequence[Any], _sizes: Sequence[int], work: Callable[[Inspector, Any], Any]
) -> list[Any]:
    """Implements `stages.inspect.Examine` where it is."""
    return [work(snapshot.inspector, item) for item in items]


def seen_by(snapshot: Snapshot, surface: Surface, call: Call) -> Seen:
    return asyncio.run(surface.look(examine, snapshot, caller_of(snapshot), call))  # type: ignore[arg-type]
