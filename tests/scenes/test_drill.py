"""A drill on a gateway with two workers that has calls: what was replaced, and until when the old ones were used."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable

from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, arrived, models_toml, request_body, until

from yett.simulator.server import Simulator

OLD, NEW = "sk-drill-old-0001", "sk-drill-new-0002"


def run(gateway: Gateway, *words: str, status: int = 0, value: str = "") -> str:
    command = [sys.executable, "-m", "yett.cli", *words]
    done = subprocess.run(
        command, cwd=gateway.folder, input=value, capture_output=True, text=True, env={"NEW": NEW}, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_a_leak_is_rehearsed_while_calls_run(provider: Simulator, build: Callable[..., Gateway]) -> None:
    toml = HEAD + provider_toml(provider, "cloud").replace("env:PROVIDER_KEY", "sealed:cloud")
    gateway = build(toml + models_toml(simulated({"plain": "", "brook": "chunks=150+latency.between_chunks=10ms"})))
    run(gateway, "credentials", "add", "cloud", "--owner", "platform", value=OLD)
    gateway.start("--workers", "2")
    gateway.spread = 12
    old = gateway.key
    over, begun = threading.Event(), threading.Event()

    def stream() -> None:
        while not over.is_set():  # so that there is always a call under way
            reply = gateway.stream("brook", "scene: drill, a stream")
            reply.event()
            begun.set()
            reply.events()

    streaming = threading.Thread(target=stream)
    streaming.start()
    try:
        assert begun.wait(20)
        whole = json.loads(
            run(gateway, "drill", "rotate", "--credential", "cloud=env:NEW", "--kek", "--wait", "20s", "--json")
        )
    finally:
        over.set()
        streaming.join()
    words = (
        "--key",
        "main",
        "--overlap",
        "1h",
        "--keys-to",
        "new.jsonl",
        "--wait",
        "0s",
        "--report",
        "drill.md",
        "--json",
    )
    second = json.loads(run(gateway, "drill", "rotate", *words))
    whole["replaced"] += second["replaced"]
    replaced = {one["kind"]: one for one in whole["replaced"]}
    assert [one["failure"] for one in whole["replaced"]] == ["", "", ""]
    credential = replaced["sealed credential"]
    assert credential["workers"] == 2
    assert 0 < credential["taken_up_seconds"] < 20
    assert 0 < credential["last_use_seconds"] < 20  # of the stream that was under way
    assert (credential["old"], credential["new"], credential["still_running"]) == ("version 1", "version 2", 0)
    assert replaced["KEK"]["old"] != replaced["KEK"]["new"]
    assert replaced["virtual key"]["old_works_until"] > second["ended"]
    # both keys work, and the record says which was used
    new = json.loads((gateway.folder / "new.jsonl").read_text())["key"]
    assert (gateway.folder / "new.jsonl").stat().st_mode & 0o777 == 0o600

    def mark(key: str) -> str:
        reply = gateway.ask(request_body("plain"), key=key)
        return str(gateway.outcome(reply.id)["proof"].get("id", "")) if reply.status == 200 else ""

    for key in (old, new):  # a worker knows within a quarter of a second
        until(lambda key=key: mark(key) == f"…{key[-4:]}", 5, "the mark of the key")
    # the one may know the new key already, and the other not yet
    until(lambda: gateway.chat("plain", "scene: drill, afterwards", key=new).status == 200, 5, "an answer")
    assert arrived(provider, "scene: drill, afterwards").bearer == NEW
    # what is on paper
    kinds = {one["kind"]: one for one in whole["inventory"]}
    assert {"virtual key", "sealed credential", "KEK", "pepper", "checkpoint key", "content key"} <= set(kinds)
    assert kinds["sealed credential"]["owner"] == "platform"
    report = (gateway.folder / "drill.md").read_text()
    assert f"| virtual key research/main | …{old[-4:]} → …{new[-4:]} | nobody has called with the new one |" in report
    written = report + json.dumps(whole) + gateway.log
    assert [secret for secret in (OLD, NEW, old, new) if secret in written] == []
    assert [len(event["detail"]["replaced"]) for event in gateway.events("drill.rotate")] == [2, 1]
