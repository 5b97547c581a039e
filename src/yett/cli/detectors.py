"""`yett detectors`: what is looked for, what it finds in a text, what it costs, and what reviews of its findings suggest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec import Struct, to_builtins

from yett.cli.common import FINDINGS, json_option, print_json, told
from yett.cli.detectors_bench import measure
from yett.cli.inspection import ROLES, Look, scanner
from yett.cli.journal import Moment, places
from yett.cli.past import past_of
from yett.cli.scan_report import as_object, finding_line
from yett.cli.sightings import Scope, effect
from yett.cli.tuning import Proposal, proposals
from yett.detectors.custom import VALIDATORS
from yett.detectors.detector import Detector
from yett.detectors.engine import Scanner
from yett.detectors.injection.rules import RULES
from yett.detectors.locate import Lines
from yett.detectors.mask import matches
from yett.detectors.taxonomy import Reference, references
from yett.detectors.window import Window

Command = TypeVar("Command", bound=Callable[..., Any])
_SPLIT_MOST = 2000  # characters of a text that is cut at every place


@click.group("detectors")
def command() -> None:
    """Look at the detectors: what there is, what it finds in a text, what it costs, how it could be tuned."""


def _configured(function: Command) -> Command:
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    option = click.option(
        "--config", type=kind, help="Use the detectors of this yett.toml, instead of those that ship."
    )
    return option(json_option(function))


# ---- what there is --------------------------------------------------------------------------------------------------


@command.command("list")
@click.option("--family", default="", help="Only this family or kind, like pii.")
@click.option("--markdown", "as_markdown", is_flag=True, help="A table of all kinds in Markdown, instead.")
@click.option("--validators", is_flag=True, help="The checks that a detector of your own can name, instead.")
@_configured
def list_(*, family: str, as_markdown: bool, validators: bool, config: Path | None, as_json: bool) -> None:
    """List the detectors, the more specific first."""
    if validators:
        names = sorted(VALIDATORS)
        print_json(names) if as_json else click.echo("\n".join(names))
        return
    with told(as_json=as_json):
        found = [each for each in _known(config) if not family or each.means(family)]
    if as_markdown:
        click.echo(markdown(found), nl=False)
        return
    if as_json:
        print_json([each.as_object() for each in found])
        return
    width = max((len(each.id) for each in found), default=0)
    kinds = max((len(each.kind) for each in found), default=0)
    for each in found:
        ids = " ".join(_short(reference) for reference in references(each.kind) if reference.list in _SHORT_LISTS)
        click.echo(f"{each.id:{width}}  {each.kind:{kinds}}  {click.style(ids, dim=True)}".rstrip())
    click.echo(f"{len(found)} detectors of {len({each.kind for each in found})} kinds", err=True)


def markdown(found: Iterable[_Known]) -> str:
    """docs/detectors.md: the kinds of each family, and the detectors that find them."""
    families: dict[str, dict[str, list[str]]] = {}
    for each in found:
        families.setdefault(each.kind.partition(".")[0], {}).setdefault(each.kind, []).append(each.id)
    parts = ["# Detectors\n\nWhat `yett detectors list` names, written down by `yett detectors list --markdown`.\n"]
    for family, kinds in families.items():
        rows = [f"| `{kind}` | {' '.join(f'`{id}`' for id in ids)} |\n" for kind, ids in sorted(kinds.items())]
        parts.append(f"\n## `{family}`: {len(kinds)} kinds\n\n| Kind | Detectors |\n|---|---|\n{''.join(rows)}")
    return "".join(parts)


_SHORT_LISTS = {"owasp-llm-2026": "2026", "owasp-agentic-2026": "", "mitre-atlas": ""}


def _short(reference: Reference) -> str:
    edition = _SHORT_LISTS[reference.list]
    return f"{reference.id}:{edition}" if edition else reference.id


class _Known(Struct, frozen=True):
    """One that finds something: a detector of the pattern tier, which sees streams as they pass, or of the tier that looks at
    whole texts. `works` is how, by name."""

    id: str
    kind: str
    tier: str  # pattern | text
    works: dict[str, Any]

    def means(self, name: str) -> bool:
        return name == self.id or matches(self.kind, name)

    def as_object(self) -> dict[str, Any]:
        called = [to_builtins(each) for each in references(self.kind)]
        family = self.kind.partition(".")[0]
        return {"id": self.id, "kind": self.kind, "family": family, "tier": self.tier, "references": called}


def _known(config: Path | None) -> list[_Known]:
    patterns = [_Known(each.id, each.kind, "pattern", _mechanism(each)) for each in scanner(config).detectors]
    rules = [
        _Known(rule.id, f"injection.{rule.concept}", "text",
               {"patterns": list(rule.patterns), "weight": {"user": rule.user, "others": rule.other}})
        for rule in RULES
    ]  # fmt: skip
    model = _Known(
        "injection-model", "injection.suspected", "text", {"model": "a linear model over hashes of the text"}
    )
    return [*patterns, *rules, model]


def _mechanism(detector: Detector) -> dict[str, Any]:
    return {
        "pattern": detector.pattern,
        "tail": detector.tail,
        "anchor": detector.anchor,
        "validated": detector.accept is not None,
    }


@command.command()
@click.argument("id", metavar="ID")
@_configured
def show(*, id: str, config: Path | None, as_json: bool) -> None:
    """Show one detector, or all of a kind or family: how it looks for what it finds, and what that is called elsewhere."""
    with told(as_json=as_json):
        found = [each for each in _known(config) if each.means(id)]
    if not found:
        raise click.UsageError(f'there is no detector "{id}"; yett detectors list names them')
    if as_json:
        print_json([each.as_object() | each.works for each in found])
        return
    for each in found:
        click.echo(f"{click.style(each.id, bold=True)}  {each.kind}")
        for name, value in each.works.items():
            for line in value if isinstance(value, list) else [value]:
                if line:
                    click.echo(f"  {name:9} {'yes' if line is True else line}")
        for reference in references(each.kind):
            click.echo(f"  {reference.list:18} {reference.id}  {reference.title}")


# ---- what it finds --------------------------------------------------------------------------------------------------


@command.command()
@click.argument("text", metavar="FILE|TEXT")
@click.option("--id", "ids", multiple=True, help="Only this detector, kind or family. Repeatable.")
@click.option("--role", type=click.Choice(list(ROLES)), default="user", show_default=True, metavar="ROLE")
@_configured
def test(*, text: str, ids: tuple[str, ...], role: str, config: Path | None, as_json: bool) -> None:
    """Look at one text, the content of a file if there is one of this name, and say which detectors find what.

    A short text is also cut at every place, as a stream might be: the answer must not change. Exit code 1 on findings.
    """
    text = _text(text)
    with told(as_json=as_json):
        seen = Look(config).at(text, ROLES[role])
        by_id = {each.id: each for each in scanner(config).detectors}
        patterns = [
            each for each in by_id.values() if not ids or any(id == each.id or matches(each.kind, id) for id in ids)
        ]
    findings = [f for f in seen.findings if not ids or any(id == f.detector or matches(f.kind, id) for id in ids)]
    cuts = _cuts(Scanner(patterns), text) if len(text) <= _SPLIT_MOST else None
    if as_json:
        named = [as_object(f) | {"references": [r.id for r in references(f.kind, role)]} for f in findings]
        print_json(
            {"findings": named, "scores": seen.scores, "streams": cuts is None or not cuts, "cut": cuts is not None}
        )
    else:
        lines = Lines(text, seen.findings)
        for finding in findings:
            called = ", ".join(f"{each.id} {each.title}" for each in references(finding.kind, role))
            click.echo(
                f"{finding_line(finding.detector, lines.place(finding), lines, finding)}\n    {click.style(called, dim=True)}"
            )
        for family, score in sorted(seen.scores.items()):
            click.echo(f"score {family} {score:.3f}")
        if cuts:
            click.echo(f"yett: a stream that is cut at {cuts[0]} shows something else", err=True)
    if findings:
        sys.exit(FINDINGS)


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        return Path(given).read_bytes().decode("utf-8", "replace")
    except (OSError, ValueError):  # no file of this name, or nothing that could be a name
        return given


def _cuts(patterns: Scanner, text: str) -> list[int]:
    """The places at which a stream of two pieces shows other findings than the whole text."""
    whole = [(f.start, f.end, f.detector) for f in patterns.scan_text(text)]
    wrong = []
    for cut in range(1, len(text)):
        window, at, found = Window(patterns), 0, []
        for released in (window.feed(text[:cut]), window.feed(text[cut:]), window.finish()):
            found += [(f.start + at, f.end + at, f.detector) for f in released.findings]
            at += len(released.text)
        if found != whole:
            wrong.append(cut)
    return wrong


# ---- what it costs --------------------------------------------------------------------------------------------------


@command.command()
@_configured
def bench(*, config: Path | None, as_json: bool) -> None:
    """Measure what inspection costs on this machine, on one core, for texts of several sorts."""
    with told(as_json=as_json):
        rows = measure(scanner(config), Look(config))
    if as_json:
        print_json(rows)
        return
    click.echo(
        f"{'20 kB of':10} {'clean, µs':>10} {'patterns, µs':>13} {'all tiers, µs/kB':>17} {'of that names':>14} "
        f"{'µs/40-byte chunk':>17}"
    )
    for row in rows:
        click.echo(
            f"{row['text']:10} {row['clean_us']:10.0f} {row['patterns_us']:13.0f} {row['all_us_per_kb']:17.1f} "
            f"{row['names_us_per_kb']:14.1f} {row['chunk_us']:17.2f}"
        )


# ---- what reviews say of them ---------------------------------------------------------------------------------------


@command.command()
@click.option("--since", type=Moment(), default="30d", show_default=True, help="How far back the effect is looked at.")
@places
@json_option
def tune(*, since: int, folder: Path | None, config: Path, as_json: bool) -> None:
    """Propose thresholds, suppressions and detectors to disable, from what `yett findings review` has marked.

    Nothing is changed: each proposal comes with what it would have done to the calls of the past, and what to do.
    """
    with told(as_json=as_json), past_of(folder, config) as (past, store):
        reviews = store.all()
        found = [(each, effect(past, reviews, since, _scope(each))) for each in proposals(reviews)]
    if as_json:
        rows = [to_builtins(each) | {"do": each.command, "effect": seen} for each, seen in found]
        print_json({"reviews": len(reviews), "proposals": rows})
        return
    for each, seen in found:
        click.echo(
            f"{click.style(each.action, bold=True)}  {each.kind}: {each.false} false and {each.true} true of those reviewed"
        )
        actions = ", ".join(f"{count} {action}" for action, count in sorted(seen["findings"].items()))
        click.echo(f"  in {seen['calls']} calls of the past it would have taken away: {actions or 'nothing'}")
        if seen["unknown"]:
            click.echo(f"  of {seen['unknown']} more it cannot be told: they were only counted")
        click.echo(f"  {each.command}")
    if not found:
        click.echo(f"yett: {len(reviews)} reviews, which suggest nothing yet; see yett findings review", err=True)


def _scope(each: Proposal) -> Scope:
    return Scope(
        (each.detector if each.action == "disable" else each.kind,),
        teams=(each.team,) if each.team else (),
        roles=(each.role,) if each.role else (),
        values=(each.value,) if each.value else (),
        below=each.percent,
    )
