"""`yett …`: the command line, and the composition root. One file per command; the list is here."""

from __future__ import annotations

from importlib import import_module

import click

from yett import __version__

# name -> module and attribute. Loaded when used: `yett --help` should not wait for an automaton to compile.
COMMANDS = {
    "init": "yett.cli.init:command",
    "serve": "yett.cli.serve:command",
    "demo": "yett.cli.demo:command",
    "check": "yett.cli.check:command",
    "doctor": "yett.cli.doctor:command",
    "keys": "yett.cli.keys:command",
    "policy": "yett.cli.policy:command",
    "audit": "yett.cli.audit:command",
    "schema": "yett.cli.schema:command",
    "simulator": "yett.cli.simulator:command",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, attribute = where.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="yett")
def main() -> None:
    """The security control plane for LLM and agent traffic.

    Start with `yett init`, then `yett keys create`, then `yett serve`. Exit codes: 0 ok, 1 findings, 2 usage,
    3 configuration, 4 integrity.
    """
