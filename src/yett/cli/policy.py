"""`yett policy`: check the policies, test them, and explain what they decided about a call."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.cli.common import FINDINGS, configuration_option, json_option, print_json, text_of, told
from yett.config.reader import read
from yett.config.reading import Reading
from yett.errors import ConfigurationError, IntegrityError, Mistake
from yett.model.decision import Decision, Effect, Facts
from yett.model.record import FindingCount
from yett.model.route import Provider, Target, Timeouts
from yett.policy.cases import Result, run
from yett.policy.decision import decide_call
from yett.policy.engine import PolicyEngine
from yett.policy.explain import PolicyAccount, TargetAccount, explain, facts_from_record
from yett.policy.load import Policy
from yett.stores.journal_reader import find

_directory = click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path), required=False)


@click.group("policy")
def command() -> None:
    """Check, test and explain the policies (policies/ beside yett.toml)."""


# ---- check --------------------------------------------------------------------------------------------------------


@command.command()
@_directory
@configuration_option
@json_option
def check(*, directory: Path | None, config: Path, as_json: bool) -> None:
    """Check every .cedar file in DIR: syntax, types, annotations.

    Without DIR, in the directory that yett.toml names. `yett check` also compares the names in the policies with yett.toml.
    """
    with told(as_json=as_json):
        directory = directory or _reading(config).policies
        engine = PolicyEngine.load(read_policies(directory))
    if as_json:
        print_json({"ok": True, "policies": [_summary(policy) for policy in engine.policies]})
        return
    for policy in engine.policies:
        extras = [*map(str, policy.obligations), *(["observed only"] if policy.mode == "observe" else [])]
        click.echo(f"{policy.effect:6} {policy.id}{'  ' if extras else ''}{', '.join(extras)}")
    count = len(engine.policies)
    click.echo(f"{directory}: {count} {'policy' if count == 1 else 'policies'}, no mistakes")
    if not engine.policies:
        click.echo("Without a permit every call is refused.")


def _summary(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.id,
        "effect": policy.effect,
        "mode": policy.mode,
        "actions": sorted(policy.actions),
        "obligations": [str(obligation) for obligation in policy.obligations],
        "severity": policy.severity,
        "controls": policy.controls,
        "reads": policy.paths,
        "file": policy.file,
        "line": policy.line,
    }


# ---- test ---------------------------------------------------------------------------------------------------------


@command.command()
@_directory
@configuration_option
@json_option
def test(*, directory: Path | None, config: Path, as_json: bool) -> None:
    """Decide the cases in DIR/tests.toml and compare.

    Without DIR, in the directory that yett.toml names. Exits with 1 when a case gets another decision than it expects.
    """
    with told(as_json=as_json):
        directory = directory or _reading(config).policies
        engine = PolicyEngine.load(read_policies(directory))
        path = directory / "tests.toml"
        results = run(engine, str(path), text_of(path))
    failed = [result for result in results if result.differences]
    if as_json:
        print_json({"passed": len(results) - len(failed), "failed": len(failed), "cases": msgspec.to_builtins(results)})
    else:
        for result in results:
            _show_result(result, path)
        click.echo(f"{path}: {len(results) - len(failed)} passed, {len(failed)} failed")
    if failed:
        sys.exit(FINDINGS)


def _show_result(result: Result, path: Path) -> None:
    click.echo(
        f"{click.style('FAIL', fg='red') if result.differences else click.style('ok  ', fg='green')} {result.name}"
    )
    if result.differences:
        click.echo(f"     {path}:{result.line}")
    for difference in result.differences:
        click.echo(f"     {difference.what}: expected {_plain(difference.expected)}, got {_plain(difference.actual)}")


# ---- explain ------------------------------------------------------------------------------------------------------


class Explanation(Struct, frozen=True):
    """One recorded decision about a call, and what the policies at hand say about the same facts. `same`: they agree."""

    action: str
    facts: dict[str, object]
    recorded: dict[str, object]
    today: dict[str, object]
    same: bool
    targets: tuple[TargetAccount, ...]


@command.command("explain")
@click.argument("call_id", metavar="CALL-ID")
@click.option(
    "--dir", "audit", type=click.Path(path_type=Path), help="The audit journal; by default that of yett.toml."
)
@click.option("--policies", type=click.Path(path_type=Path), help="The policies to ask; by default those of yett.toml.")
@configuration_option
@json_option
def explain_command(*, call_id: str, audit: Path | None, policies: Path | None, config: Path, as_json: bool) -> None:
    """Show which policies decided about a recorded call, and the facts that they read."""
    with told(as_json=as_json):
        audit = audit or _reading(config).audit
        engine = PolicyEngine.load(read_policies(policies or _reading(config).policies))
        explanations = explanations_of(engine, find(audit, call_id))
    if as_json:
        print_json({"call": call_id, "decisions": msgspec.to_builtins(explanations)})
    else:
        for explanation in explanations:
            _show_explanation(call_id, explanation)
    if not explanations:
        click.echo(f"yett: no decision about {call_id} is recorded in {audit}", err=True)
        sys.exit(FINDINGS)


def explanations_of(engine: PolicyEngine, lines: Sequence[bytes]) -> list[Explanation]:
    """One for the decision about the prompt, and one for that about the reply if it was judged. `lines` are the call's
    records as the journal has them. Raises IntegrityError."""
    try:
        return _explanations(engine, [msgspec.json.decode(line, type=dict[str, object]) for line in lines])
    except ValueError as error:
        raise IntegrityError(f"the records of this call are not as Yett writes them: {error}") from error


def _explanations(engine: PolicyEngine, records: Sequence[Mapping[str, object]]) -> list[Explanation]:
    decided = next((record for record in records if record.get("facts")), None)
    if decided is None:
        return []
    kept = msgspec.convert(decided["facts"], dict[str, object])
    about = facts_from_record(kept)
    explanations = [_explanation(engine, about, kept, decided)]
    outcome = next((record for record in records if record.get("kind") == "outcome"), {})
    judged = next((facts for facts in about if facts.target and facts.target == outcome.get("target")), None)
    if judged is not None and (outcome.get("reply") or outcome.get("code") == "reply_blocked"):
        found = _found_in_reply(outcome)
        reply = replace(judged, action="ReleaseReply", findings=found, inspected=True)
        kept = {**kept, "action": "ReleaseReply", "findings": found}
        explanations.append(_explanation(engine, (reply,), kept, outcome))
    return explanations


def _explanation(
    engine: PolicyEngine, about: tuple[Facts, ...], kept: dict[str, object], record: Mapping[str, object]
) -> Explanation:
    decision = decide_call(engine, about[0], [_target(facts) for facts in about])
    recorded = {name: record.get(name, default) for name, default in _RECORDED.items()}
    today = _decided(decision)
    # The outcome names the policies of both decisions, and in observe mode nothing was decided.
    policies = set(msgspec.convert(recorded["policies"], list[str]))
    agree = set(decision.policies) == policies or (
        record.get("kind") == "outcome" and policies >= set(decision.policies)
    )
    return Explanation(
        action=about[0].action,
        facts=kept,
        recorded=recorded,
        today=today,
        same=recorded["decision"] == "observe" or (recorded["decision"] == today["decision"] and agree),
        targets=tuple(explain(engine, facts) for facts in about),
    )


def _found_in_reply(outcome: Mapping[str, object]) -> tuple[str, ...]:
    """Kinds and families, as the reply was judged by."""
    counted = msgspec.convert(outcome.get("findings", []), list[FindingCount])
    kinds = {count.kind for count in counted if count.where == "reply"}
    return tuple(sorted(kinds | {kind.partition(".")[0] for kind in kinds}))


_RECORDED: dict[str, object] = {"decision": "", "policies": [], "observed": [], "errors": []}


def _decided(decision: Decision) -> dict[str, object]:
    return {
        "decision": "allow" if decision.effect is Effect.ALLOW else "deny",
        "policies": list(decision.policies),
        "observed": list(decision.observed),
        "errors": list(decision.errors),
        "targets": [target for target, _ in decision.targets],
        "advice": decision.advice,
    }


def _target(facts: Facts) -> Target:
    provider = Provider(facts.provider, "", "", facts.provider_labels, (), Timeouts())
    return Target(facts.target, provider, facts.target.partition("/")[2])


def _show_explanation(call: str, explanation: Explanation) -> None:
    facts, recorded, today = explanation.facts, explanation.recorded, explanation.today
    who = f"{_plain(facts['caller'])} (team {_plain(facts['team'])})"
    click.secho(f"{_plain(call)}: {explanation.action} of {_plain(facts['model'])} by {who}", bold=True)
    click.echo(f"recorded: {recorded['decision'] or 'nothing'}, policies: {_plain(recorded['policies'])}")
    if not explanation.same:
        click.secho(
            f"The policies given decide otherwise now: {today['decision']}, policies: {_plain(today['policies'])}",
            fg="yellow",
        )
    for target in explanation.targets:
        _show_target(target)
    if today["decision"] == "deny" and not today["policies"]:
        click.echo("\nNo permit without an @obligation matched, so the call is refused.")
    click.echo()


def _show_target(account: TargetAccount) -> None:
    bound = _plain([str(obligation) for obligation in account.verdict.obligations])
    effect = account.verdict.effect.name.lower()
    click.echo(f"\n{_plain(account.target) or 'no target'}: {effect}, obligations: {bound}")
    matching = [policy for policy in account.policies if policy.matched in {"yes", "error"}]
    for policy in matching:
        _show_policy(policy)
    others = [policy for policy in account.policies if policy not in matching]
    if others:
        click.echo("  did not match:")
    for policy in others:
        waiting = "  (reads what is known only after inspection)" if policy.matched == "not asked" else ""
        click.echo(f"    {policy.id}  {policy.file}:{policy.line}{waiting}")
        _show_facts(policy, "      ")


def _show_policy(policy: PolicyAccount) -> None:
    how = "FAILED" if policy.error else "observed" if policy.mode == "observe" else "matched"
    click.echo(f"  {how}: {policy.id}  {policy.file}:{policy.line}")
    for line in policy.text.splitlines():
        click.echo(f"    | {line}")
    _show_facts(policy, "    ")
    if policy.error:
        click.echo(f"    {_plain(policy.error)}")


def _show_facts(policy: PolicyAccount, margin: str) -> None:
    for path, value in policy.facts.items():
        click.echo(f"{margin}{path} = {_plain(value)}")


# ---- shared -------------------------------------------------------------------------------------------------------


def _reading(config: Path) -> Reading:
    """Where yett.toml has its policies and its journal. It need not be right, or be there at all."""
    return read(config, os.environ)


def read_policies(directory: Path) -> dict[str, str]:
    """The text of every .cedar file in `directory`, by its path. Raises ConfigurationError."""
    if not directory.is_dir():
        raise ConfigurationError((Mistake(str(directory), 0, "there is no such directory; `yett init` writes one"),))
    return {str(path): text_of(path) for path in sorted(directory.glob("*.cedar"))}


def _plain(value: object) -> str:
    """For the terminal: lists with commas, and nothing that a terminal would obey. Callers chose some of these names."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)
