"""`yett demo`: a gateway with simulated providers, seeded keys and policies, and a minute of traffic through it."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from msgspec.structs import replace

from yett.cli import demo_lines
from yett.cli.common import CONFIGURATION, FINDINGS, INTEGRITY, told
from yett.cli.demo_calls import Outcome, Reach, behave, received, request, send
from yett.cli.demo_folder import DemoImpossible, Ports, check_ports, prepare, revoke
from yett.cli.demo_scenes import ALLOWED, DENIED, FAILING, LIMITED, REDACTED, Scene, complaints

INTERRUPTED = 130  # exit code: by Ctrl-C before the script was through, as shells have it
START_SECONDS = 30.0
STOP_SECONDS = 10.0
PACE = 0.35  # seconds between calls on a terminal, so that one can follow
CHECKPOINT_SECONDS = 1.0  # by then what was recorded is signed

_CHAPTERS = (
    ("Allowed", ALLOWED),
    ("Redacted or routed", REDACTED),
    ("Denied", DENIED),
    ("Limited", LIMITED),
    ("Providers in trouble", FAILING),
)
_YETT = (sys.executable, "-m", "yett.cli")


@click.command("demo")
@click.option("--once", is_flag=True, help="Do not wait between calls, and end after the last one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".yett/demo"),
    show_default=True,
    help="Where its state goes; emptied at each start.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8484, show_default=True, help="Of the gateway.")
@click.option("--admin-port", type=click.IntRange(1, 65535), default=8485, show_default=True)
@click.option("--simulator-port", type=click.IntRange(1, 65535), default=8486, show_default=True)
def command(*, once: bool, as_json: bool, folder: Path, port: int, admin_port: int, simulator_port: int) -> None:
    """Start a gateway with simulated providers, send traffic through it, show what became of each call, verify the journal.

    It then keeps serving until Ctrl-C. Everything it writes is in --dir.
    """
    ports = Ports(port, admin_port, simulator_port)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with told(as_json=as_json):
            check_ports(ports)
            keys = prepare(folder, ports)
            reach = Reach(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{simulator_port}", keys)
            code = _demonstrate(folder, ports, reach, once=once, as_json=as_json)
    except DemoImpossible as error:
        click.echo(f"yett demo: {error}", err=True)
        sys.exit(CONFIGURATION)
    except (OSError, http.client.HTTPException) as error:
        click.echo(f"yett demo: the gateway stopped answering ({error}); see {folder / 'serve.log'}", err=True)
        sys.exit(CONFIGURATION)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(code)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _demonstrate(folder: Path, ports: Ports, reach: Reach, *, once: bool, as_json: bool) -> int:
    """Start, play, verify, serve. Returns the exit code."""
    with ExitStack() as running:
        simulator = running.enter_context(
            _child("simulator", folder, "--config", "simulator.toml", "--port", str(ports.simulator))
        )
        _await_ready(simulator, "simulator", folder, reach.simulator, "/v1/models")
        gateway = running.enter_context(_child("serve", folder, "--config", "yett.toml"))
        _await_ready(gateway, "serve", folder, f"http://127.0.0.1:{ports.admin}", "/readyz")
        pace = PACE if sys.stdout.isatty() and not once else 0.0
        unexpected = _play(folder, reach, pace=pace, as_json=as_json)
        time.sleep(CHECKPOINT_SECONDS)
        verified = _verify(folder, as_json=as_json)
        _summary(folder, reach, ports, unexpected, as_json=as_json)
        if not once:
            _serve(gateway, folder, as_json=as_json)
    return INTEGRITY if not verified else FINDINGS if unexpected else 0


# ---- processes ----------------------------------------------------------------------------------------------------


@contextmanager
def _child(name: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`yett NAME …` in the folder, its output in NAME.log; it is ended politely with this block."""
    with (folder / f"{name}.log").open("wb") as output:
        # in a session of its own: Ctrl-C in the terminal reaches only us, and we end the gateway before its provider
        process = subprocess.Popen(
            [*_YETT, name, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(process: subprocess.Popen[bytes], name: str, folder: Path, base: str, path: str) -> None:
    """Until it answers. Raises DemoImpossible with the end of its log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            # the simulator wants a key for /v1/models: 401 is an answer, too
            if request(base, "GET", path)[0] in {http.client.OK, http.client.UNAUTHORIZED}:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    log = folder / f"{name}.log"
    ending = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
    raise DemoImpossible(f"`yett {name}` did not start; {log} ends with:\n{ending}\n")


# ---- traffic ------------------------------------------------------------------------------------------------------


def _play(folder: Path, reach: Reach, *, pace: float, as_json: bool) -> int:
    """Send every scene; the number of those that went otherwise than expected."""
    unexpected = 0
    if not as_json:
        click.secho(demo_lines.HEADING, dim=True)
    for title, scenes in _CHAPTERS:
        if not as_json:
            click.secho(f"{title}", bold=True)
        for scene in scenes:
            outcome = _send(scene, folder, reach)
            wrong = complaints(scene, outcome)
            unexpected += bool(wrong)
            if as_json:
                click.echo(demo_lines.as_json(scene, outcome, wrong))
            else:
                click.echo(demo_lines.line(scene, outcome, wrong))
                if scene.reveal:
                    click.echo(demo_lines.revealed(scene, outcome))
            sys.stdout.flush()
            time.sleep(pace)
    return unexpected


def _send(scene: Scene, folder: Path, reach: Reach) -> Outcome:
    if scene.revoke:
        revoke(folder, scene.revoke)
    time.sleep(scene.pause)
    for who, words in scene.provider:
        behave(reach, who, words)
    try:
        outcome = send(scene.ask, reach)
    finally:
        for who, _ in scene.provider:
            behave(reach, who, "")
    looks = scene.reveal or scene.expect.arrives or scene.expect.hides
    return replace(outcome, provider_saw=received(reach)) if looks else outcome


# ---- the end ------------------------------------------------------------------------------------------------------


def _verify(folder: Path, *, as_json: bool) -> bool:
    """Verify the journal as an auditor would: with the stand-alone verifier, in a process of its own."""
    arguments = [sys.executable, "-m", "yett.verify", str(folder / "audit"), *(["--json"] if as_json else [])]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if as_json:
        click.echo(json.dumps({"verified": result.returncode == 0, "report": json.loads(result.stdout or "null")}))
    else:
        click.secho("\nAudit journal", bold=True)
        click.secho(f"  $ python -m yett.verify {folder / 'audit'}", dim=True)
        click.echo("".join(f"  {line}\n" for line in (result.stdout + result.stderr).splitlines()), nl=False)
    return result.returncode == 0


def _summary(folder: Path, reach: Reach, ports: Ports, unexpected: int, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"unexpected": unexpected, "client_env": str(folder / "client.env")}))
        return
    if unexpected:
        click.secho(
            f"\n{unexpected} calls went otherwise than expected; see {folder / 'serve.log'}", fg="red", bold=True
        )
    click.secho("\nTry it", bold=True)
    click.echo(
        f"  set -a; . {folder / 'client.env'}; set +a      # OPENAI_BASE_URL and OPENAI_API_KEY, for any OpenAI SDK\n"
        f'  curl -s "$OPENAI_BASE_URL/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" \\\n'
        f"    -H 'Content-Type: application/json' \\\n"
        f'    -d \'{{"model": "fast", "messages": [{{"role": "user", "content": "Mail jane.roe@acme-corp.com"}}]}}\'\n\n'
        f"  configuration {folder / 'yett.toml'}, policies {folder / 'policies'}/, metrics http://127.0.0.1:{ports.admin}/metrics\n"
        f"  what the providers received: {reach.simulator}/sim/requests"
    )


def _serve(gateway: subprocess.Popen[bytes], folder: Path, *, as_json: bool) -> None:
    """Until Ctrl-C. Raises DemoImpossible when the gateway ends by itself."""
    with contextlib.suppress(KeyboardInterrupt):
        if not as_json:
            click.secho("\nServing on until Ctrl-C.", bold=True)
        while gateway.poll() is None:
            time.sleep(0.3)
        raise DemoImpossible(f"the gateway ended by itself; see {folder / 'serve.log'}")
