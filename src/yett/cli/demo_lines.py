"""How the demo tells what happened: one line for each call, for people and for programs."""

from __future__ import annotations

import json

import click

from yett.cli.demo_calls import Outcome
from yett.cli.demo_scenes import Scene

_COLOURS = {
    "allowed": "green",
    "redacted": "cyan",
    "routed": "cyan",
    "failed over": "blue",
    "denied": "red",
    "refused": "red",
    "limited": "yellow",
    "failed": "magenta",
    "revoked": "red",
}
HEADING = f"  {'verdict':<11} {'what':<39} {'model → target':<29} {'ms':>6} {'usd':>9}  {'call':<27} why"


def verdict(outcome: Outcome) -> str:
    """What became of the call, in a word."""
    record = outcome.record
    if outcome.code:
        by_status = {401: "refused", 403: "denied", 429: "limited"}
        by_class = "failed" if outcome.status >= 500 or outcome.status < 400 else "refused"
        return by_status.get(outcome.status, by_class)
    if any(finding.action == "redacted" for finding in record.findings):
        return "redacted"
    if len({attempt.target for attempt in record.attempts}) > 1:
        return "failed over"
    return "routed" if any(obligation.startswith("route:") for obligation in record.obligations) else "allowed"


def line(scene: Scene, outcome: Outcome, wrong: tuple[str, ...]) -> str:
    """The one line, coloured; what was expected and did not happen is appended."""
    record = outcome.record
    word = verdict(outcome)
    asked = str(scene.ask.body.get("model", "")) if isinstance(scene.ask.body, dict) else ""
    arrow = f"{asked} → {record.target}" if record.target else asked
    cost = f"{record.usage.cost / 1_000_000:.6f}" if record.usage and record.usage.cost else "-"
    text = (
        f"  {click.style(f'{word:<11}', fg=_COLOURS[word])} {scene.title:<39} {arrow:<29} {outcome.ms:>6.0f} {cost:>9}"
        f"  {click.style(f'{outcome.id:<27}', dim=True)} {click.style(why(outcome), dim=True)}"
    )
    return text + "".join(click.style(f"\n      expected otherwise: {one}", fg="red", bold=True) for one in wrong)


def why(outcome: Outcome) -> str:
    """The error code, what was found, and the policies that decided."""
    record = outcome.record
    found = [
        f"{finding.kind}={finding.count} {finding.action}{' in the answer' if finding.where == 'reply' else ''}"
        for finding in record.findings
    ]
    failed = [f"{one.target} {one.status or one.outcome}" for one in record.attempts if one.outcome != "ok"]
    parts = [outcome.code, ", ".join(found), ", ".join(failed), ", ".join(record.policies)]
    return " · ".join(part for part in parts if part)


def revealed(scene: Scene, outcome: Outcome) -> str:
    """What was written and what the provider received of it."""
    body = scene.ask.body if isinstance(scene.ask.body, dict) else {}
    messages = body.get("messages")
    written = str(messages[-1]["content"]) if isinstance(messages, list) else ""
    provider = outcome.record.target.partition("/")[0] or "no provider"
    return "\n".join(
        f"      {click.style(f'{who:<18}', dim=True)} {text}"
        for who, text in (("written", written), (f"{provider} received", outcome.provider_saw))
    )


def as_json(scene: Scene, outcome: Outcome, wrong: tuple[str, ...]) -> str:
    """The same for a program: one object."""
    record = outcome.record
    return json.dumps(
        {
            "scene": scene.title,
            "verdict": verdict(outcome),
            "ok": not wrong,
            "complaints": wrong,
            "call": outcome.id,
            "status": outcome.status,
            "code": outcome.code,
            "target": record.target,
            "ms": round(outcome.ms, 1),
            "cost_micro_usd": record.usage.cost if record.usage else 0,
            "findings": [f"{finding.kind}={finding.count};{finding.action}" for finding in record.findings],
            "policies": record.policies,
            "provider_received": outcome.provider_saw,
        },
        ensure_ascii=False,
    )
