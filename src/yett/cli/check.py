"""`yett check`: is everything in order in yett.toml and the policies beside it? If so, what does it amount to?"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import click

from yett.cli.automata import builder
from yett.cli.common import configuration_option, json_option, print_json, text_of, told
from yett.cli.sealed import Unsealer
from yett.config.compile import compile_snapshot, finding_names, gather
from yett.config.decoding import suggestion
from yett.config.snapshot import Snapshot
from yett.detectors.people import KINDS as PEOPLE_KINDS
from yett.detectors.size import KIND as SIZE
from yett.policy.cases import run

# What is told of whole texts only, and how policies write it.
_OF_WHOLES = {
    "names or addresses": PEOPLE_KINDS,
    "topics": ('"topic.', '"topic"', '"topic@', ":topic"),
    "sizes": (SIZE,),
}


@click.command("check")
@configuration_option
@json_option
def command(*, config: Path, as_json: bool) -> None:
    """Check yett.toml and the policies: every mistake, each with its line and, where there is one, a suggestion."""
    with told(as_json=as_json):
        # no key is looked up here, so no pepper is needed
        sources = gather(config, os.environ, Unsealer())
        snapshot = compile_snapshot(sources, epoch=0, pepper=b"", build=builder(os.environ))
        notes = [*_notes(snapshot), *_cases(sources.reading.policies, snapshot)]
    if as_json:
        print_json(
            {
                "ok": True,
                "digest": snapshot.digest,
                "mode": snapshot.settings.mode,
                **_amounts(snapshot),
                "notes": notes,
            }
        )
        return
    gateway, admin = snapshot.settings.gateway, snapshot.settings.admin
    click.echo(f"{config}: no mistakes")
    click.echo(f"  mode       {snapshot.settings.mode}")
    click.echo(f"  gateway    {gateway.host}:{gateway.port}, admin {admin.host}:{admin.port}")
    for name, route in snapshot.models.items():
        click.echo(f"  model      {name} → {', '.join(target.id for target in route.targets)}")
    click.echo(f"  teams      {', '.join(snapshot.teams) or 'none'}")
    observed = sum(policy.mode == "observe" for policy in snapshot.policy.policies)
    click.echo(
        f"  policies   {len(snapshot.policy.policies)}{f', {observed} of them observed only' if observed else ''}"
    )
    click.echo(f"  detectors  {len(snapshot.scanner.detectors)}")
    for note in notes:
        click.echo(f"note: {note}")


def _amounts(snapshot: Snapshot) -> dict[str, object]:
    return {
        "models": {name: [target.id for target in route.targets] for name, route in snapshot.models.items()},
        "teams": list(snapshot.teams),
        "policies": [policy.id for policy in snapshot.policy.policies],
        "detectors": len(snapshot.scanner.detectors),
    }


def _notes(snapshot: Snapshot) -> list[str]:
    """What is no mistake, but may surprise."""
    notes = []
    if not snapshot.models:
        notes.append("there are no models, so there is nothing to call; write a [models.NAME] table")
    if not snapshot.teams:
        notes.append("there are no teams, so no key can be issued; write a [teams.NAME] table")
    for name, route in snapshot.models.items():
        for target, price in route.prices.items():
            if price is None:
                outcome = "it is not used" if route.unknown_price == "refuse" else "its calls are flagged"
                notes.append(
                    f'models.{name}: no price is known for "{target}", so {outcome}; write a [prices."{target}"] table'
                )
    notes += [
        f"inspection.suppressions.{each.id}: ended, and can be taken out"
        for each in snapshot.suppressions
        if each.until <= time.time()
    ]
    notes += _strangers(snapshot)
    notes += [
        f'policy "{policy.id}" asks for {what} in replies: answers that are streamed are not searched for them'
        for policy in snapshot.policy.policies
        for what, kinds in _OF_WHOLES.items()
        if "ReleaseReply" in policy.actions and any(kind in policy.text for kind in kinds)
    ]
    if snapshot.observing:
        notes.append('mode = "observe": policies are recorded, not enforced')
    return notes


def _strangers(snapshot: Snapshot) -> Iterator[str]:
    """What suppressions name and nothing finds. A note and no mistake: a detector that an upgrade took away must not keep a
    gateway from starting, and what is not suppressed is only found."""
    detectors = snapshot.scanner.detectors
    kinds = finding_names(snapshot.settings, detectors)
    known = kinds.union(detector.id for detector in detectors)
    for each in snapshot.suppressions:
        for name in each.selectors:
            if name not in known and not any(kind.startswith(f"{name}.") for kind in kinds):
                yield f'inspection.suppressions.{each.id}: nothing finds "{name}"{suggestion(name, known)}'


def _cases(policies: Path, snapshot: Snapshot) -> Iterator[str]:
    """Whether the policies still do what their tests.toml says. Raises ConfigurationError when that cannot be read."""
    path = policies / "tests.toml"
    if path.is_file():
        results = run(snapshot.policy, str(path), text_of(path))
        if failed := [result for result in results if result.differences]:
            yield f'{path}:{failed[0].line}: {len(failed)} of {len(results)} cases fail, "{failed[0].name}" first; see yett policy test'
