"""The simulated guardrail services: routes, refusals, and words that change how they behave."""

from __future__ import annotations

import msgspec
import pytest

from yett.simulator.guardrails import KINDS, answer, kind_of
from yett.simulator.question import Complaint
from yett.simulator.recording import Request
from yett.simulator.script import Terms
from yett.simulator.service import Service
from yett.simulator.settings import Settings

PATHS = {
    "/v1/moderations": "openai_moderation",
    "/guardrail/gr1/version/DRAFT/apply": "bedrock_guardrails",
    "/guardrail/arn%3Aaws/version/1/apply": "bedrock_guardrails",
    "/contentsafety/text:analyze": "azure_content_safety",
    "/contentsafety/text:shieldPrompt": "azure_content_safety",
    "/v1/projects/p/locations/l/templates/t:sanitizeUserPrompt": "model_armor",
    "/v1/projects/p/locations/l/templates/t:sanitizeModelResponse": "model_armor",
    "/v2/guard": "lakera",
    "/webhook": "webhook",
    "/v1/chat/completions": "",
    "/v1/models": "",
    "/guardrail": "",
}


@pytest.mark.parametrize("path", PATHS)
def test_routes(path: str) -> None:
    assert kind_of(path) == PATHS[path]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"7", b"\xff"])
def test_what_is_no_request_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(Complaint, match="not a request"):
        answer(kind, "/contentsafety/text:analyze", body)


def played(service: Service, body: bytes = b'{"model":"m","input":"hateful"}') -> bytes:
    request = Request("POST", "/v1/moderations", (("content-type", "application/json"),), body)
    script, received = service.reply(request, Terms())
    assert received is not None
    return b"".join(step for step in script if isinstance(step, bytes))


def test_a_single_text_is_taken_too() -> None:
    reply = played(Service(Settings(strict=True)))
    assert msgspec.json.decode(reply.partition(b"\r\n\r\n")[2])["results"][0]["flagged"] is True


def test_they_misbehave_when_asked_to() -> None:
    service = Service(Settings())
    service.behave("status=503+fail.first=1", model="openai_moderation")
    assert played(service).startswith(b"HTTP/1.1 503 ")
    assert played(service).startswith(b"HTTP/1.1 200 ")
