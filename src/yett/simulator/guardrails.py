"""The guardrail services, simulated: each answers in its own shape, and finds a few plain words. No sockets.

A text is hateful when it says "hateful", violent with "violent", an attack with "ignore previous instructions", about a denied
topic with "gambling"; an e-mail address is personal data, and http://bad.example/ a malicious link.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from yett.simulator.question import Complaint

_ROUTES = (
    ("openai_moderation", re.compile(r"/v1/moderations")),
    ("bedrock_guardrails", re.compile(r"/guardrail/[^/]+/version/[^/]+/apply")),
    ("azure_content_safety", re.compile(r"/contentsafety/text:(analyze|shieldPrompt)")),
    ("model_armor", re.compile(r"/v1/projects/[^:]+:sanitize(UserPrompt|ModelResponse)")),
    ("lakera", re.compile(r"/v2/guard")),
    ("webhook", re.compile(r"/webhook")),
)
KINDS = tuple(kind for kind, _ in _ROUTES)
_MAIL = re.compile(r"[a-z0-9.]{1,64}@[a-z0-9.]{1,64}")
_LINK = "http://bad.example/"


class Seen:
    """What is in a text."""

    def __init__(self, text: str) -> None:
        lower = text.lower()
        self.hate = "hateful" in lower
        self.violence = "violent" in lower
        self.attack = "ignore previous instructions" in lower
        self.topic = "gambling" in lower
        self.link = _LINK in text
        self.mail = _MAIL.search(text)

    @property
    def any(self) -> bool:
        return self.hate or self.violence or self.attack or self.topic or self.link or self.mail is not None


def kind_of(path: str) -> str:
    """Which service a path belongs to; "" when none."""
    return next((kind for kind, route in _ROUTES if route.fullmatch(path)), "")


def answer(kind: str, path: str, body: bytes) -> bytes:
    """The service's answer. Raises Complaint for a body that it would not take."""
    try:
        asked = msgspec.json.decode(body)
        return msgspec.json.encode(_ANSWERS[kind](path, asked))
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise Complaint(400, f"simulator: not a request to {kind}") from error


def _openai(path: str, asked: Any) -> object:
    texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    results = []
    for text in texts:
        seen = Seen(text)
        flags = {"hate": seen.hate, "violence": seen.violence, "illicit/violent": False}
        scores = {name: 0.97 if flag else 0.0001 for name, flag in flags.items()}
        results.append({"flagged": any(flags.values()), "categories": flags, "category_scores": scores})
    return {"id": "modr-0", "model": asked["model"], "results": results}


def _bedrock(path: str, asked: Any) -> object:
    text = "".join(block["text"]["text"] for block in asked["content"])
    seen = Seen(text)
    if asked["source"] not in {"INPUT", "OUTPUT"}:
        raise KeyError("source")
    levels = (("HATE", seen.hate), ("VIOLENCE", seen.violence), ("PROMPT_ATTACK", seen.attack))
    filters = [
        {
            "type": name,
            "confidence": "HIGH" if found else "NONE",
            "filterStrength": "HIGH",
            "action": "BLOCKED" if found else "NONE",
            "detected": found,
        }
        for name, found in levels
    ]
    topics = [{"name": "Gambling", "type": "DENY", "action": "BLOCKED", "detected": True}] if seen.topic else []
    entities = [{"match": seen.mail[0], "type": "EMAIL", "action": "ANONYMIZED", "detected": True}] if seen.mail else []
    assessment = {
        "contentPolicy": {"filters": filters},
        "topicPolicy": {"topics": topics},
        "sensitiveInformationPolicy": {"piiEntities": entities, "regexes": []},
    }
    return {
        "usage": {"contentPolicyUnits": 1},
        "action": "GUARDRAIL_INTERVENED" if seen.any and not seen.link else "NONE",
        "outputs": [],
        "assessments": [assessment],
        "guardrailCoverage": {"textCharacters": {"guarded": len(text), "total": len(text)}},
    }


def _azure(path: str, asked: Any) -> object:
    if path.endswith("analyze"):
        seen = Seen(asked["text"])
        severities = {"Hate": 6 * seen.hate, "SelfHarm": 0, "Sexual": 0, "Violence": 4 * seen.violence}
        categories = [{"category": name, "severity": severity} for name, severity in severities.items()]
        return {"blocklistsMatch": [], "categoriesAnalysis": categories}
    return {
        "userPromptAnalysis": {"attackDetected": Seen(asked["userPrompt"]).attack},
        "documentsAnalysis": [{"attackDetected": Seen(text).attack} for text in asked["documents"]],
    }


def _armor(path: str, asked: Any) -> object:
    text = asked["userPromptData" if path.endswith("Prompt") else "modelResponseData"]["text"]
    seen = Seen(text)
    spans = [seen.mail.span()] if seen.mail else []
    uris = [{"uri": _LINK}] if seen.link else []
    results = {
        "rai": {
            "raiFilterResult": {
                **_armored(seen.hate),
                "raiFilterTypeResults": {"hate_speech": {**_armored(seen.hate), "confidenceLevel": "HIGH"}},
            }
        },
        "pi_and_jailbreak": {"piAndJailbreakFilterResult": {**_armored(seen.attack), "confidenceLevel": "HIGH"}},
        "malicious_uris": {"maliciousUriFilterResult": {**_armored(seen.link), "maliciousUriMatchedItems": uris}},
        "sdp": {
            "sdpFilterResult": {
                "inspectResult": {
                    **_armored(bool(spans)),
                    "findings": [
                        {
                            "infoType": "EMAIL_ADDRESS",
                            "location": {"codepointRange": {"start": str(start), "end": str(end)}},
                        }
                        for start, end in spans
                    ],
                }
            }
        },
    }
    found = seen.hate or seen.attack or seen.link or bool(spans)
    return {
        "sanitizationResult": {
            "filterMatchState": _armored(found)["matchState"],
            "invocationResult": "SUCCESS",
            "filterResults": results,
        }
    }


def _armored(found: bool) -> dict[str, str]:
    return {"executionState": "EXECUTION_SUCCESS", "matchState": "MATCH_FOUND" if found else "NO_MATCH_FOUND"}


def _lakera(path: str, asked: Any) -> object:
    seen = Seen(asked["messages"][-1]["content"])
    detectors = {
        "prompt_attack": seen.attack,
        "moderated_content/hate": seen.hate,
        "pii/email": seen.mail is not None,
        "unknown_links": seen.link,
    }
    start, end = seen.mail.span() if seen.mail else (0, 0)
    found = {"detector_type": "pii/email", "text": seen.mail[0] if seen.mail else "", "start": start, "end": end}
    return {
        "flagged": any(detectors.values()),
        "breakdown": [{"detector_type": name, "detected": found} for name, found in detectors.items()],
        "payload": [found] if seen.mail else [],
        "metadata": {"request_uuid": "0"},
    }


def _webhook(path: str, asked: Any) -> object:
    findings = [
        {"kind": "topic.gambling", "text": number, "score": 1.0}
        for number, text in enumerate(asked["texts"])
        if Seen(text["text"]).topic
    ]
    return {"findings": findings, "scores": []}


_ANSWERS: dict[str, Callable[[str, Any], object]] = {
    "openai_moderation": _openai,
    "bedrock_guardrails": _bedrock,
    "azure_content_safety": _azure,
    "model_armor": _armor,
    "lakera": _lakera,
    "webhook": _webhook,
}
