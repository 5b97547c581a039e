"""The console's pages: plain HTML without a script, from templates whose values are always escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from yett.config.operators import Rules
from yett.console import answers

CSP = (
    "default-src 'none'; style-src 'self'; form-action 'self'{form}; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


class Markup(str):
    """HTML that is complete: the one thing that is not escaped again."""

    __slots__ = ()


def page(title: str, name: str, **values: str) -> bytes:
    """The template of this name, within the frame that all pages have."""
    body = filled(name, **values)
    return filled("frame", title=title, body=body).encode()


def filled(name: str, **values: str) -> Markup:
    return Markup(_template(name).substitute({key: _safe(value) for key, value in values.items()}))


def stylesheet() -> bytes:
    return files("yett.console").joinpath("static/console.css").read_bytes()


def headers(rules: Rules, form: str = "") -> dict[str, str]:
    """Of every answer. `form` is an origin that signing out may lead on to, which browsers count as where a form goes."""
    found = {
        "content-security-policy": CSP.format(form=f" {form}" if form else ""),
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    return found | ({"strict-transport-security": "max-age=31536000"} if rules.secure else {})


def overview(me: answers.Me, state: answers.Overview, fences: tuple[answers.Fence, ...], csrf: str) -> bytes:
    """Who somebody is, and how the gateway does."""
    workers = [
        (str(each.pid), "; ".join(each.trouble) or "ready", each.mode, each.digest[:12]) for each in state.workers
    ]
    drawn = [(each.fence, each.since, each.until or "lifted", each.source) for each in fences]
    roles = [f"{each.role} ({', '.join(each.tenants) or 'all tenants'})" for each in me.roles]
    trouble = [*state.degraded, *([f"configuration refused: {state.refused}"] if state.refused else [])]
    return page(
        "Overview",
        "overview",
        person=me.name,
        email=me.email or me.subject,
        means="emergency access (break-glass)" if me.means == "break-glass" else "signed in",
        roles=", ".join(roles) or "none",
        until=me.until,
        ready="Ready: calls are taken" if state.ready else "Not ready: calls are not taken",
        troubles=_list(trouble),
        workers=_table(("Process", "State", "Mode", "Configuration"), workers, "Not shown to roles of single tenants."),
        fences=_table(("Kept out", "Since", "Until", "By"), drawn, "Nobody is kept out."),
        csrf=csrf,
    )


def _list(lines: Iterable[str]) -> Markup:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return Markup(f"<ul>{items}</ul>") if items else Markup("")


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]], nothing: str) -> Markup:
    if not rows:
        return Markup(f"<p>{escape(nothing)}</p>")
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in heading)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return Markup(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _safe(value: str) -> str:
    return value if isinstance(value, Markup) else escape(value)


@cache
def _template(name: str) -> Template:
    return Template(files("yett.console").joinpath(f"templates/{name}.html").read_text("utf-8"))
