"""`yett …`: the command line, and the composition root. One file per command; the list is here."""

from __future__ import annotations

import os
from importlib import import_module

import click

from yett import __version__

# The arrays of inspection are small: threads for them cost more than they give, and take the cores of other workers.
# Read once, when numpy is imported, which nothing above does; who sets one of them knows better.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# name -> module, and what `yett --help` says: commands are loaded when used, because an automaton takes time to compile.
COMMANDS = {
    "init": ("yett.cli.init", "Write a commented yett.toml and starter policies."),
    "serve": ("yett.cli.serve", "Run the gateway, and the admin port with health and metrics."),
    "demo": ("yett.cli.demo", "Run a gateway with a simulated provider and traffic to look at."),
    "check": ("yett.cli.check", "Check the configuration and the policies; report every mistake."),
    "doctor": ("yett.cli.doctor", "Look for what would keep Yett from running well here."),
    "config": ("yett.cli.configuration", "Share a configuration between gateways: push, history, show, rollback."),
    "keys": ("yett.cli.keys", "Issue, list, revoke and rotate virtual keys."),
    "credentials": ("yett.cli.credentials", "Seal what providers are called with: add, list, rotate, remove, rewrap."),
    "drill": ("yett.cli.drill", "Rehearse the replacement of secrets, and measure it."),
    "revoke": ("yett.cli.revoke", "Keep a tenant, team, key, user, agent, service or task out, at once."),
    "fences": ("yett.cli.fences", "List who is kept out, and let them in again."),
    "operators": ("yett.cli.operators", "See who is signed in at the console; come in without the identity provider."),
    "scim": ("yett.cli.scim", "See provisioned users and groups, and issue tokens to provision them with."),
    "scan": ("yett.cli.scan", "Look for secrets, personal data and injection in files or texts."),
    "extract": ("yett.cli.extract", "Print the text of PDF, Office and picture files."),
    "detectors": ("yett.cli.detectors", "List the detectors, try them on a text, measure what they cost."),
    "findings": ("yett.cli.findings", "Review what was found in calls, and suppress what does not count."),
    "policy": ("yett.cli.policy", "Check, test and explain the policies."),
    "ledger": ("yett.cli.ledger", "Hold what was spent against the journal, or make it anew from it."),
    "audit": ("yett.cli.audit", "Read, search, export and verify the audit journal."),
    "schema": ("yett.cli.schema", "Print the JSON Schema of yett.toml for editors."),
    "simulator": ("yett.cli.simulator", "Run the simulated provider."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="yett")
def main() -> None:
    """The security control plane for LLM and agent traffic.

    Start with `yett init`, then `yett keys create`, then `yett serve`. Exit codes: 0 ok, 1 findings, 2 usage,
    3 configuration, 4 integrity.
    """
