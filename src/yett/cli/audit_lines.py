"""How journal entries look to people: one aligned line each, or everything that is in them."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from yett.model.record import Record
from yett.stores.journal_reader import Entry

_COLOURS = {
    "ok": "green",
    "refused": "red",
    "failed": "magenta",
    "disconnected": "yellow",
    "cut": "yellow",
    "unknown": "magenta",
    "intent": "bright_black",
    "event": "blue",
    "unreadable": "red",
}
LABEL = 14


def printable(text: str) -> str:
    """What callers chose (model names, key names) may contain escape sequences; a terminal must not obey them."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def moment(ts: int) -> str:
    """UTC with milliseconds."""
    try:
        return datetime.fromtimestamp(ts / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(ts)


def as_line(entry: Entry) -> str:
    """Time, what became of it, call, who, what, cost, findings and policies; coloured."""
    record = entry.record
    word = record.outcome or record.kind
    if record.kind == "unreadable":
        return f"{moment(record.ts)}  {click.style(f'{word:<12}', fg='red')}  run `yett audit verify`"
    if record.kind == "event":
        facts = " ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in record.detail.items())
        what = f"{record.call:<34}  {record.event}  {facts}"
    else:
        who = "/".join(part for part in (record.team, record.name) if part)
        route = f"{record.model} → {record.target}" if record.target else record.model
        what = f"{record.call:<34}  {who:<22} {route:<36} {_measures(record)}{_why(record)}"
    return f"{moment(record.ts)}  {click.style(f'{word:<12}', fg=_COLOURS.get(word))}  {printable(what)}"


def _measures(record: Record) -> str:
    if record.kind != "outcome":
        return f"{'':>34}"
    usage = record.usage
    tokens = f"{usage.input}+{usage.output} tok" if usage and usage.total else "-"
    cost = f"${usage.cost / 1_000_000:.6f}" if usage and usage.cost else "-"
    return f"{record.status or '-':>3} {tokens:>13} {cost:>10} {record.ms:>5.0f}ms"


def _why(record: Record) -> str:
    found = [f"{each.kind}={each.count} {each.action}" for each in record.findings]
    parts = [record.code, ", ".join(found), ", ".join(record.policies)]
    text = " · ".join(part for part in parts if part)
    return f"  {text}" if text else ""


def as_details(entry: Entry, texts: dict[str, object]) -> str:
    """Every field that is set, a line each; then the content that was opened."""
    record = entry.record
    word = record.outcome or record.kind
    head = click.style(f"{moment(record.ts)}  {record.kind}", bold=True)
    lines = [f"{head}  {click.style(word, fg=_COLOURS.get(word))}  record {entry.n} of {entry.writer}"]
    if record.kind == "unreadable":
        return lines[0]
    for name, value in msgspec.to_builtins(
        record, enc_hook=msgspec.json.decode
    ).items():  # what is JSON already: the facts
        if name not in {"kind", "ts"}:
            lines += _field(name, value)
    for name, text in texts.items():
        lines.append(f"  {name}")
        lines += [f"    | {printable(line)}" for line in str(text).splitlines()]
    return "\n".join(lines)


def _field(name: str, value: object) -> list[str]:
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return [line for each in value for line in _field(name, each)]
    if isinstance(value, list | tuple):
        shown = ", ".join(str(each) for each in value)
    elif isinstance(value, dict):
        shown = "  ".join(f"{key}={item if isinstance(item, str) else _plain(item)}" for key, item in value.items())
    else:
        shown = value if isinstance(value, str) else _plain(value)
    return [f"  {name:<{LABEL}} {printable(shown)}"]


def _plain(value: object) -> str:
    return msgspec.json.encode(value).decode()
