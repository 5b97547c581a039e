"""The demo's script: who asks for what, how the providers behave meanwhile, and what has to come of it."""

from __future__ import annotations

from msgspec import Struct

from yett.cli.demo_calls import Ask, Outcome

PERSONAL = "Write to jane.roe@acme-corp.com about card 4111 1111 1111 1111."
COOLED = 0.5  # seconds, after which a target is tried again: twice the demo's `routing.cooldown`
AWS_KEY = "AKIAQ3EGT4WX7LHPM5ZN"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Expectation(Struct, frozen=True):
    """What has to come of a call. `target` is how the serving target begins; `finding` a kind that must be on the record;
    `hides` must appear neither in the answer nor in what the provider received; `shows` must be in the answer, `arrives`
    in what the provider received."""

    status: int = 200
    code: str = ""
    target: str = ""
    finding: str = ""
    shows: str = ""
    arrives: str = ""
    hides: tuple[str, ...] = ()


class Scene(Struct, frozen=True):
    """One call. `provider` are (who, words) for the simulator while it is made; `revoke` a key that is revoked just before;
    `pause` seconds to let pass first; `reveal` prints what the provider received."""

    title: str
    ask: Ask
    expect: Expectation = Expectation()
    provider: tuple[tuple[str, str], ...] = ()
    revoke: str = ""
    pause: float = 0.0
    reveal: bool = False


def chat(key: str, model: str, text: str, *, labels: str = "", look_up: bool = True, **fields: object) -> Ask:
    """A chat completion of one user message."""
    messages = fields.pop("messages", [{"role": "user", "content": text}])
    return Ask(key, {"model": model, "messages": messages, **fields}, labels, look_up=look_up)


_TOOL_ASKED = {"role": "user", "content": 'Use get_weather({"city": "Bern"}), please.'}
_TOOL_RESULT = [
    _TOOL_ASKED,
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Bern"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
]

ALLOWED = (
    Scene(
        "a question", chat("support", "fast", "Where is my parcel?"), Expectation(shows="my parcel", target="cloud/")
    ),
    Scene("a streamed answer", chat("research", "fast", "What is a yett?", stream=True), Expectation(shows="a yett")),
    Scene(
        "a larger model",
        chat("research", "smart", "Tell the story of the gate."),
        Expectation(target="cloud/sim-large"),
    ),
    Scene("the models one may use", Ask("support", path="/v1/models"), Expectation(shows="fast")),
    Scene(
        "a tool is offered, a call proposed",
        chat("research", "fast", "", messages=[_TOOL_ASKED], tools=[WEATHER]),
        Expectation(shows='get_weather({"city": "Bern"})'),
    ),
    Scene(
        "its result is answered, streamed",
        chat("research", "fast", "", messages=_TOOL_RESULT, tools=[WEATHER], stream=True),
        Expectation(shows="21 degrees"),
    ),
)

REDACTED = (
    Scene(
        "personal data to the cloud",
        chat("support", "fast", PERSONAL),
        Expectation(finding="pii.email", hides=("jane.roe", "4111 1111"), arrives="Write to"),
        reveal=True,
    ),
    Scene(
        "a secret in the prompt",
        chat("research", "fast", f"Why does the key {AWS_KEY} not work?"),
        Expectation(finding="secret.", hides=(AWS_KEY,), arrives="not work?"),
        reveal=True,
    ),
    Scene(
        "a secret in the answer",
        chat("research", "fast", "Show me the configuration."),
        Expectation(finding="secret.", hides=(AWS_KEY,), shows="configuration"),
        provider=(("sim-gpt", f"secret={AWS_KEY}"),),
    ),
    Scene(
        "… streamed, in pieces of 3 letters",
        chat("research", "fast", "Show me the configuration.", stream=True),
        Expectation(finding="secret.", hides=(AWS_KEY, AWS_KEY[:12]), shows="configuration"),
        provider=(("sim-gpt", f"secret={AWS_KEY}+secret.pieces=3"),),
    ),
    Scene(
        "marked restricted: stays in the house",
        chat("research", "fast", PERSONAL, labels="restricted"),
        Expectation(target="onprem/", arrives="jane.roe@acme-corp.com"),
        reveal=True,
    ),
)

DENIED = (
    Scene(
        "restricted, and not served in the house",
        chat("research", "smart", "The merger plan.", labels="restricted"),
        Expectation(403, "content_blocked"),
    ),
    Scene("a model for another team", chat("support", "smart", "Hello?"), Expectation(403, "policy_denied")),
    Scene("a model that does not exist", chat("research", "genius", "Hello?"), Expectation(404, "model_not_found")),
    Scene("a mistyped key", chat("ytk_live_mistyped", "fast", "Hello?"), Expectation(401, "malformed_key")),
    Scene("a key of a former contractor", chat("contractor", "fast", "Hello?"), Expectation(shows="Hello")),
    Scene(
        "… revoked a second ago",
        chat("contractor", "fast", "Hello?"),
        Expectation(401, "revoked_key"),
        revoke="contractor",
        pause=1.0,
    ),
    Scene(
        "a body with the same key twice",
        Ask("research", b'{"model": "fast", "model": "smart", "messages": [{"role": "user", "content": "x"}]}'),
        Expectation(400, "duplicate_key"),
    ),
)

LIMITED = (
    *(
        Scene(f"call {number} of a key with 3 per minute", chat("batch", "fast", f"Row {number}.", look_up=False))
        for number in (1, 2, 3)
    ),
    Scene(
        "call 4 of a key with 3 per minute",
        chat("batch", "fast", "Row 4.", look_up=False),
        Expectation(429, "rate_limit_exceeded"),
    ),
    Scene(
        "a key with 4 cents a day",
        chat("intern", "smart", "A report, please.", max_tokens=1000),
        Expectation(target="cloud/sim-large"),
    ),
    Scene(
        "… which this would exceed",
        chat("intern", "smart", "Another one.", max_tokens=1000),
        Expectation(429, "budget_exceeded"),
    ),
)

FAILING = (
    Scene(
        "the cloud has an outage",
        chat("research", "fast", "Still there?"),
        Expectation(target="backup/", shows="Still there"),
        provider=(("cloud", "status=503"),),
    ),
    Scene(
        "… resets connections, streamed",
        chat("research", "fast", "And now?", stream=True),
        Expectation(target="backup/", shows="And now"),
        provider=(("cloud", "reset=head"),),
        pause=COOLED,
    ),
    Scene(
        "… and the backup fails as well",
        chat("support", "fast", "Anyone?"),
        Expectation(target="onprem/", shows="Anyone"),
        provider=(("cloud", "status=500"), ("backup", "status=500")),
        pause=COOLED,
    ),
    Scene(
        "an outage with nowhere else to go",
        chat("research", "smart", "Hello?"),
        Expectation(502, "upstream_error"),
        provider=(("cloud", "status=500"),),
        pause=COOLED,
    ),
    Scene(
        "a stream that breaks off",
        chat("research", "fast", "Tell me more.", stream=True),
        Expectation(200, "stream_truncated"),
        provider=(("cloud", "cut=chunk:2"),),
        pause=COOLED,
    ),
    Scene(
        "all is well again",
        chat("support", "fast", "Better?"),
        Expectation(target="cloud/", shows="Better"),
        pause=COOLED,
    ),
)

SCENES = (*ALLOWED, *REDACTED, *DENIED, *LIMITED, *FAILING)


def complaints(scene: Scene, outcome: Outcome) -> tuple[str, ...]:
    """How the outcome differs from what was expected; empty when it does not."""
    expected, record = scene.expect, outcome.record
    answered = " ".join((outcome.text, *outcome.tools, *outcome.models))
    found = []
    if outcome.status != expected.status:
        found.append(f"status {outcome.status} instead of {expected.status}")
    if outcome.code != expected.code:
        found.append(f'code "{outcome.code}" instead of "{expected.code}"')
    if not record.target.startswith(expected.target):
        found.append(f'served by "{record.target}" instead of "{expected.target}…"')
    if expected.finding and not any(one.kind.startswith(expected.finding) for one in record.findings):
        found.append(f'no finding "{expected.finding}" on the record')
    if expected.shows not in answered:
        found.append(f'"{expected.shows}" is not in the answer')
    if expected.arrives not in outcome.provider_saw:
        found.append(f'"{expected.arrives}" did not arrive at the provider')
    found.extend(f'"{hidden}" is in the answer' for hidden in expected.hides if hidden in answered)
    found.extend(f'"{hidden}" arrived at the provider' for hidden in expected.hides if hidden in outcome.provider_saw)
    return tuple(found)
