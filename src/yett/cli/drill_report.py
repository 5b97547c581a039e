"""The report of a drill, in Markdown: what was replaced and how long that took to reach everybody, then every secret there is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from yett.cli.credentials import age

_NOTE = (
    "Times are seconds after the replacement, from the journal of all workers. Taken up: every worker has the new one; of a virtual key: "
    "somebody has called with it. The last use is the end of the last call that can "
    "have used the old secret."
)


# what it means that nobody is known to have the new one
_NOT_YET = {
    "virtual key": "nobody has called with the new one",
    "sealed credential": "**not yet**",
    "KEK": "**not yet**",
}


def markdown(whole: dict[str, Any]) -> str:
    """`whole` is the report as `--json` prints it."""
    lines = [
        "# Rotation drill",
        "",
        f"{_time(whole['began'])} to {_time(whole['ended'])}, by {whole['operator'] or 'an unnamed user'}.",
        "",
        "## Replaced",
        "",
    ]
    if whole["replaced"]:
        lines += [
            "| What | Old → new | Taken up | Last use of the old one ended | Old one works until |",
            "|---|---|---|---|---|",
        ]
        lines += [_replaced(one) for one in whole["replaced"]]
        lines += ["", _NOTE]
    else:
        lines.append("Nothing: no secret was named.")
    lines += [
        "",
        "## Inventory",
        "",
        "| Kind | Name | Owner | Age | Where | Replaced by |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_held(one) for one in sorted(whole["inventory"], key=lambda one: -(one["age_seconds"] or 0))]
    unknown = sum(one["age_seconds"] is None for one in whole["inventory"])
    lines += ["", f"{len(whole['inventory'])} secrets; the age of {unknown} is not known.", ""]
    return "\n".join(lines)


def _replaced(one: dict[str, Any]) -> str:
    if one["failure"]:
        outcome = f"**failed**: {one['failure']}"
        return _row(f"{one['kind']} {one['name']}", outcome, "", "", "")
    running = f", {one['still_running']} calls still running" if one["still_running"] else ""
    if one["kind"] != "virtual key" and not one["workers"]:
        taken = "no worker is running"
    elif one["taken_up_seconds"] is None:
        taken = _NOT_YET[one["kind"]]
    else:
        taken = f"{one['taken_up_seconds']:.1f} s"
    last = "no use after it" if one["last_use_seconds"] is None else f"{one['last_use_seconds']:.1f} s"
    until = _time(one["old_works_until"]) if one["old_works_until"] else "it does not"
    return _row(f"{one['kind']} {one['name']}", f"{one['old']} → {one['new']}", taken, last + running, until)


def _held(one: dict[str, Any]) -> str:
    known = one["age_seconds"] is not None
    return _row(
        one["kind"], one["name"], one["owner"], age(one["age_seconds"]) if known else "?", one["where"], one["replaced"]
    )


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
