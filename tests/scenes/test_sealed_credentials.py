"""A provider's key is replaced, lost and put back while calls run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, arrived, models_toml, until

from yett.simulator.server import Simulator

FIRST, SECOND, THIRD = "sk-sealed-first-0001", "sk-sealed-second-0002", "sk-sealed-third-0003"


def seal(gateway: Gateway, verb: str, value: str) -> None:
    command = [sys.executable, "-m", "yett.cli", "credentials", verb, "cloud"]
    subprocess.run(command, cwd=gateway.folder, input=value.encode(), check=True, capture_output=True)


def test_a_rotated_credential_is_used_by_itself_and_a_lost_one_leaves_the_old_in_force(
    provider: Simulator, build: Callable[..., Gateway]
) -> None:
    toml = HEAD + provider_toml(provider, "cloud").replace("env:PROVIDER_KEY", "sealed:cloud")
    text = toml + models_toml(simulated({"plain": ""}))
    gateway = build(text)
    seal(gateway, "add", FIRST)
    gateway.start()

    def used(prompt: str) -> str:
        assert gateway.chat("plain", prompt).status == 200
        return arrived(provider, prompt).bearer

    assert used("scene: sealed, one") == FIRST
    seal(gateway, "rotate", SECOND)
    until(lambda: used("scene: sealed, two") == SECOND, 10, "the rotated credential")
    # its key-encryption key is away when the configuration changes: nobody is refused for it
    kek = gateway.state / "kek"
    kek.rename(gateway.folder / "away")
    gateway.configure(text + "\n")
    until(lambda: gateway.readiness()[1]["configuration"] != "current", 10, "the refused configuration")
    assert used("scene: sealed, three") == SECOND
    (gateway.folder / "away").rename(kek)
    seal(gateway, "rotate", THIRD)
    until(lambda: used("scene: sealed, four") == THIRD, 10, "the key that was put back")
    assert gateway.readiness()[1]["configuration"] == "current"
    written = gateway.log + "".join(path.read_text() for path in gateway.audit.glob("*/*.jsonl"))
    assert [value for value in (FIRST, SECOND, THIRD) if value in written] == []
    assert [event["detail"]["version"] for event in gateway.events("credential.rotate")] == [2, 3]
