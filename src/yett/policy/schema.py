"""The vocabulary of policies: the shipped Cedar schema, and the same names as Python values for messages and requests."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.resources import files

from cedarpy import Schema

from yett.model import task

TEXT = files("yett.policy").joinpath("yett.cedarschema").read_text(encoding="utf-8")
SCHEMA = Schema.from_str(TEXT)

ACTIONS = ("InvokeModel", "ReleaseReply", "ListModel", "ReadCall", "ExchangeToken")
PRINCIPALS = ("Key", "User", "Agent", "Service")
ENTITIES = (*PRINCIPALS, "Team", "Tenant", "Target", "Model", "Provider", "Action")
CATEGORIES = tuple(
    "harassment harassment_threatening hate hate_threatening profanity sexual violence violence_graphic dangerous illicit "
    "illicit_violent self_harm self_harm_instructions self_harm_intent sexual_minors weapons".split()
)
JUDGED = ("toxicity", "harm", "moderation")  # what guardrails say
QUALITY = ("confidence", "least_confidence", "groundedness")  # of an answer, when it is complete
CONTEXT = (
    "model", "findings", "labels", "inspected", "stream", "tools", "max_tokens", "hour", "injection", "languages", "code", "files",
    "task", *JUDGED, *QUALITY,
)  # fmt: skip
TASK = task.FACTS
ACTOR = ("actor", "actor_kind", "actor_team", "actor_assurance", "actors", "delegations")
ATTRIBUTES = {
    **dict.fromkeys(PRINCIPALS, ("labels", "assurance", "kind", "credential", "issuer", *ACTOR)),
    "Target": ("provider",),
    "Provider": ("labels",),
    "Team": (),
    "Tenant": (),
    "Model": (),
}

# Facts that are unknown until the text was inspected. A policy that reads none of them has the same answer on every pass.
LATE = frozenset({"findings", "labels", "inspected", "injection", "languages", "code", "files", *JUDGED, *QUALITY})

KEYWORDS = (
    "permit", "forbid", "when", "unless", "principal", "action", "resource", "context",
    "in", "is", "has", "like", "if", "then", "else", "true", "false", "contains", "containsAll", "containsAny",
)  # fmt: skip


def principal_type(kind: str, credential: str) -> str:
    """What policies call a caller of this kind: who comes with a virtual key is that key, whoever uses it."""
    return "Key" if credential == "key" else kind.capitalize()


def suggestion(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean "x"?`, or the choices when nothing is close and they are few, or nothing."""
    known = sorted(set(candidates))
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    if 0 < len(known) <= 12:
        return "; known: " + ", ".join(known)
    return ""
