"""Categories: one vocabulary for what services call by a dozen names, and which score each counts for."""

from __future__ import annotations

import re

from yett.model.guardrail import Guardrail

INJECTION = "injection.remote"
LOCAL_INJECTION = "injection.transformer"  # by a model in this process
PERSONAL = "pii.remote"
TOPIC = "topic.remote"
LINK = "exfiltration.remote-link"
BLOCKLIST = "moderation.blocklist"
OTHER = "moderation.other"  # flagged, under a name that nobody has given a kind to

_TOXIC = "harassment harassment-threatening hate hate-threatening profanity sexual violence violence-graphic".split()
_HARM = (
    "dangerous illicit illicit-violent self-harm self-harm-instructions self-harm-intent sexual-minors weapons".split()
)
MODERATION = tuple(f"moderation.{name}" for name in (*_TOXIC, *_HARM))
KINDS = (*MODERATION, BLOCKLIST, OTHER, INJECTION, PERSONAL, TOPIC, LINK)

_SCORES = {
    **{f"moderation.{name}": "toxicity" for name in _TOXIC},
    **{f"moderation.{name}": "harm" for name in _HARM},
    INJECTION: "injection",
    LOCAL_INJECTION: "injection",
}
# Names that say the same in other words. Keys are as `slug` gives them.
_SAME = {
    "insults": "harassment",
    "insult": "harassment",
    "toxicity": "harassment",
    "hate-speech": "hate",
    "selfharm": "self-harm",
    "sexually-explicit": "sexual",
    "sexual-content": "sexual",
    "csam": "sexual-minors",
    "misconduct": "illicit",
    "crime": "illicit",
    "weapon": "weapons",
}
_ATTACKS = frozenset(("prompt-attack", "prompt-injection", "jailbreak", "pi-and-jailbreak", "injection"))
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_MOST = 48


def slug(name: str) -> str:
    """A service's name for something, safe for logs, headers and policies: `harassment/threatening` is
    `harassment-threatening`. Bounded, because it may be text that the service took from elsewhere."""
    return _NOT_A_WORD.sub("-", name[:200].lower()).strip("-")[:_MOST] or "unnamed"


def kind_of(guardrail: Guardrail, label: str, otherwise: str = OTHER) -> str:
    """The kind of finding for a slug: the operator's, else a category, else `otherwise`."""
    if (own := guardrail.kinds.get(label)) is not None:
        return own
    if label in _ATTACKS:
        return INJECTION
    kind = f"moderation.{_SAME.get(label, label)}"
    return kind if kind in MODERATION else otherwise


def scores_of(kind: str) -> tuple[str, ...]:
    """The scores that a signal of this kind counts for: one of all its like, and that of its category. `score.toxicity` is nothing but
    a score."""
    group, _, name = kind.partition(".")
    if group == "score":
        return (name,)
    found = _SCORES.get(kind)
    if found is None:
        return ()
    return (found, kind) if group == "moderation" else (found,)
