"""`yett simulator`: run the simulated provider until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import ssl
import sys
from pathlib import Path

import click
import msgspec
import uvloop

from yett.errors import ConfigurationError
from yett.simulator.behaviour import KEYS, MALFORMED
from yett.simulator.server import Simulator
from yett.simulator.settings import Settings, load

CONFIGURATION = 3  # exit code


@click.command("simulator")
@click.option("--port", type=click.IntRange(0, 65535), default=8486, show_default=True, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Keys, models and how they behave (TOML)."
)
@click.option("--seed", type=int, help="Goes into the ids of the answers.")
@click.option("--key", "keys", multiple=True, help="Accept this API key (repeat for more); without any, every key is.")
@click.option(
    "--tls-cert", type=click.Path(path_type=Path, dir_okay=False), help="Serve HTTPS with this certificate (PEM)."
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path, dir_okay=False), help="Its private key, when in a file of its own."
)
@click.option("--words", is_flag=True, help="List the behaviours that can be asked for, and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def command(
    *,
    port: int,
    host: str,
    config: Path | None,
    seed: int | None,
    keys: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    words: bool,
    as_json: bool,
) -> None:
    """Simulate an OpenAI-compatible provider: deterministic answers, and misbehaviour on request.

    Ask for a behaviour in the model name, as in "sim-gpt+status=429+retry_after=1", or in the configuration file.
    What it received is at GET /sim/requests. It is a tool for tests: it shows the keys and prompts that it was sent.
    """
    if words:
        _list_words(as_json)
        return
    try:
        settings = _settings(config, seed, keys)
        tls = _tls(tls_cert, tls_key)
    except ConfigurationError as error:
        click.echo(f"yett simulator: {error}", err=True)
        sys.exit(CONFIGURATION)
    simulator = Simulator(port, host, settings, tls)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(simulator, as_json))
    except OSError as error:
        click.echo(f"yett simulator: {_cannot_listen(error, host, port)}", err=True)
        sys.exit(CONFIGURATION)


def _settings(config: Path | None, seed: int | None, keys: tuple[str, ...]) -> Settings:
    settings = load(config) if config else Settings()
    if seed is not None:
        settings = msgspec.structs.replace(settings, seed=seed)
    return msgspec.structs.replace(settings, keys=keys) if keys else settings


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        if key is not None:
            raise click.UsageError("--tls-key needs --tls-cert")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise click.BadParameter(f"{certificate}: {error}", param_hint="--tls-cert") from error
    return context


async def _serve(simulator: Simulator, as_json: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with simulator:
        line = json.dumps({"url": simulator.url, "base_url": simulator.base_url, "port": simulator.port})
        click.echo(line if as_json else f"yett simulator: OPENAI_BASE_URL={simulator.base_url}")
        sys.stdout.flush()
        await stopping.wait()


def _cannot_listen(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use; stop what uses it (ss -ltnp 'sport = :{port}' names it) or pass --port 0"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than this user has; pass a --port above 1023"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"


def _list_words(as_json: bool) -> None:
    if as_json:
        listed = {"behaviours": {key: meaning for key, (_, meaning) in KEYS.items()}, "malformed": MALFORMED}
        click.echo(json.dumps(listed))
        return
    for title, rows in (("behaviours", {k: m for k, (_, m) in KEYS.items()}), ("malformed=…", MALFORMED)):
        click.secho(title, bold=True)
        for key, meaning in rows.items():
            click.echo(f"  {key:<24} {meaning}")
