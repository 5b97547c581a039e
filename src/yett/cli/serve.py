"""`yett serve`: run the gateway and its admin port until SIGTERM or Ctrl-C; SIGHUP reloads the configuration."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import msgspec
import uvloop

from yett.cli import memory
from yett.cli.automata import builder
from yett.cli.common import configuration_option, told
from yett.cli.configuration import synchronise
from yett.cli.desk import Desk
from yett.cli.provisioning import Provisioner
from yett.cli.receiver import Receiver
from yett.cli.sealed import Unsealer
from yett.cli.supervisor import Supervisor, received
from yett.cli.worker import Worker
from yett.cli.worker_report import report_of
from yett.config.compile import compile_snapshot, gather
from yett.config.reader import load
from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.edge import log
from yett.edge.admin import AdminServer, Report, application
from yett.edge.listener import bind
from yett.edge.tasks import spawn
from yett.errors import ConfigurationError, Mistake

HURRY = signal.SIGUSR1  # from the supervisor to its workers: cut what is still running


@click.command("serve")
@configuration_option
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Processes that share the port (instead of gateway.workers)."
)
@click.option("--control", type=int, hidden=True, help="A supervisor's socket: be one of its workers.")
def command(config: Path, workers: int | None, control: int | None) -> None:
    """Run the gateway, and the admin port with health and metrics.

    SIGHUP, or a changed file, takes up a new configuration; a wrong one is refused and the old one stays in force.
    SIGTERM and Ctrl-C drain: calls in progress finish within `gateway.drain_seconds`, or are cut by a second signal.
    """
    with told(), contextlib.suppress(KeyboardInterrupt):
        memory.keep_private()
        supervised = socket.socket(fileno=control) if control is not None else None
        environment = dict(os.environ) if supervised is None else {**os.environ, **received(supervised)}
        synchronise(config, environment)
        reading = load(config, environment, Unsealer())
        settings = reading.settings
        logger = log.configure(settings.log.format, settings.log.level)
        count = workers or settings.gateway.workers
        if supervised is not None:
            uvloop.run(_worker(config, environment, supervised))
        elif count == 1:
            uvloop.run(_alone(config, environment, reading))
        else:
            # Policies as well: what is wrong is told here once, not by each worker in turn.
            compile_snapshot(gather(config, environment, Unsealer()), epoch=0, pepper=b"", build=builder(environment))
            uvloop.run(_supervise(config, environment, reading, count))
        logger.info("stopped")


def _bound(host: str, port: int, setting: str, *, shared: bool) -> socket.socket:
    try:
        return bind(host, port, shared=shared)
    except OSError as error:
        mistake = f"{setting}: cannot listen on {host}:{port}: {error.strerror}; is another gateway running? Choose another port"
        raise ConfigurationError((Mistake("yett.toml", 0, mistake),)) from error


async def _alone(config: Path, environment: Mapping[str, str], reading: Reading) -> None:
    """One process is gateway and admin port."""
    settings = reading.settings
    gateway = _bound(settings.gateway.host, settings.gateway.port, "gateway.port", shared=False)
    admin = _bound(settings.admin.host, settings.admin.port, "admin.port", shared=False)
    worker = Worker(config, environment)
    stopped = _signals(worker.ask_reload, worker.hurry)
    await worker.start(gateway)

    async def reports() -> list[Report]:
        return [report_of(worker)]

    receiver, desk = Receiver(config, environment, reading), Desk(config, environment, reading, reports)
    desk.start()
    provisioner = Provisioner(config, reading)
    server = AdminServer(application(reports, lambda: desk.office.admin_token, receiver.take, (provisioner, desk)))
    serving = spawn(server.run_on(admin), "admin")
    _announce(settings, 1)
    await stopped.wait()
    await worker.stop()
    server.stop()
    await serving
    await receiver.close()
    await desk.stop()
    await provisioner.close()


async def _supervise(config: Path, environment: Mapping[str, str], reading: Reading, count: int) -> None:
    """This process is the admin port; the workers are the gateway."""
    settings = reading.settings
    # Bound here as well, never listened on: a port in use is found before any worker starts.
    held = _bound(settings.gateway.host, settings.gateway.port, "gateway.port", shared=True)
    admin = _bound(settings.admin.host, settings.admin.port, "admin.port", shared=False)
    supervisor = Supervisor(config, count, environment)
    stopped = _signals(lambda: supervisor.signal(signal.SIGHUP), lambda: supervisor.signal(HURRY))
    supervisor.start()
    receiver, desk = Receiver(config, environment, reading), Desk(config, environment, reading, supervisor.reports)
    desk.start()
    provisioner = Provisioner(config, reading)
    server = AdminServer(
        application(supervisor.reports, lambda: desk.office.admin_token, receiver.take, (provisioner, desk))
    )
    serving = spawn(server.run_on(admin), "admin")
    announcing = spawn(_announce_once_heard(settings, count, supervisor), "announcement")
    await stopped.wait()
    announcing.cancel()
    # Workers drain by the settings in force; which of the two that is, they know. None is to be killed before it is done.
    drain = max(settings.gateway.drain_seconds, desk.office.settings.gateway.drain_seconds)
    await supervisor.stop(drain + 5)
    held.close()
    server.stop()
    await serving
    await receiver.close()
    await desk.stop()
    await provisioner.close()


async def _worker(config: Path, environment: Mapping[str, str], control: socket.socket) -> None:
    """One of a supervisor's workers: answers with its report for every line on the control socket, drains when it closes."""
    worker = Worker(config, environment)
    settings = worker.settings
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    # Ctrl-C goes to the whole group of processes, and so may SIGTERM: neither counts twice here.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_signal_handler(HURRY, worker.hurry)
    loop.add_signal_handler(signal.SIGHUP, worker.ask_reload)
    await worker.start(_bound(settings.gateway.host, settings.gateway.port, "gateway.port", shared=True))
    reader, writer = await asyncio.open_connection(sock=control)

    async def answer() -> None:
        with contextlib.suppress(OSError):
            while await reader.readline():
                writer.write(msgspec.json.encode(report_of(worker)) + b"\n")
                await writer.drain()
        stopped.set()  # the supervisor is gone

    answering = spawn(answer(), "control")
    await stopped.wait()
    await worker.stop()
    answering.cancel()


def _signals(reload: Callable[[], object], hurry: Callable[[], object]) -> asyncio.Event:
    """SIGHUP reloads. The first SIGTERM or Ctrl-C sets the event, a second one is for who does not want to wait."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():
            hurry()
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reload)
    return stopped


async def _announce_once_heard(settings: Settings, count: int, supervisor: Supervisor) -> None:
    """Who waits for this line may call."""
    while not all(report.digest for report in await supervisor.reports()):  # noqa: ASYNC110 - no event of this process
        await asyncio.sleep(0.05)
    _announce(settings, count)


def _announce(settings: Settings, count: int) -> None:
    gateway, admin = settings.gateway, settings.admin
    workers = f", {count} workers" if count > 1 else ""
    click.echo(
        f"yett: gateway on http{'s' if gateway.tls else ''}://{gateway.host}:{gateway.port}{workers}, admin on http://{admin.host}:{admin.port}"
        + (" (observe mode: policies record, nothing is enforced)" if settings.mode == "observe" else ""),
        err=True,
    )
