"""The settings of second opinions: `[advice]` for all of them together, `[guardrails.NAME]` for each."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from yett.config.scalars import CaFile, Count, Seconds, SecretReference, Share, Timeout

Name = Annotated[str, Meta(min_length=1)]


class AdviceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How guardrails are asked: all of them side by side, within one deadline."""

    deadline: Annotated[Timeout, Meta(description="For all guardrails together, on each side of a call.")] = 1.0
    fail: Annotated[
        Literal["closed", "open"],
        Meta(
            description="What a guardrail that gives no answer in time means: the call is refused, or it goes on and the "
            "record says so."
        ),
    ] = "closed"
    remember: Annotated[
        int, Meta(description="Verdicts kept per tenant, so that a text is judged once.", ge=0, le=1_000_000)
    ] = 4096
    remember_seconds: Annotated[Seconds, Meta(description="How long a verdict is kept.")] = 600.0


class GuardrailSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A second opinion: a service, or a model of your own. What it says becomes findings and scores for policies."""

    kind: Annotated[str, Meta(description="What it speaks: an item of the guardrails shelf.", min_length=1)]
    base_url: Annotated[str, Meta(description='Its address; "" is the kind\'s own.')] = ""
    key: Annotated[
        SecretReference,
        Meta(description="API key, access token, AWS secret access key, or what a webhook is signed with."),
    ] = ""
    access_key: Annotated[
        SecretReference, Meta(description="AWS access key id; without it `key` is a Bedrock API key.")
    ] = ""
    session_token: Annotated[SecretReference, Meta(description="AWS session token of temporary credentials.")] = ""
    region: Annotated[str, Meta(description="Region or location of the service, where its address has one.")] = ""
    resource: Annotated[
        str, Meta(description="Bedrock: guardrail id or ARN; Model Armor: name of the template; Lakera: project.")
    ] = ""
    version: Annotated[str, Meta(description="Bedrock: version of the guardrail; Azure: `api-version`.")] = ""
    model: Annotated[str, Meta(description="OpenAI: the moderation model.")] = ""
    folder: Annotated[
        str, Meta(description="Transformer: folder with `model.onnx` and `tokenizer.json`, relative to yett.toml.")
    ] = ""
    sha256: Annotated[str, Meta(description="Transformer: digest that `model.onnx` must have, hex.")] = ""
    on: Annotated[
        tuple[Literal["request", "reply"], ...], Meta(description="Which side of a call it is asked about.")
    ] = ("request",)
    roles: Annotated[
        tuple[Name, ...],
        Meta(
            description="Whose texts it is shown; empty: on requests user, tool, function, arguments, document, attachment and "
            "definition, on replies assistant, arguments, refusal, reasoning and annotation."
        ),
    ] = ()
    always: Annotated[
        tuple[Name, ...], Meta(description="Of these, the roles whose texts it is shown whatever the local score is.")
    ] = ()
    score: Annotated[str, Meta(description="The local score that `above` and `below` are about.", min_length=1)] = (
        "injection"
    )
    above: Annotated[Share, Meta(description="Asked only when the local score is at least this.")] = 0.0
    below: Annotated[Share, Meta(description="Asked only when the local score is at most this.")] = 1.0
    redact: Annotated[
        tuple[Name, ...],
        Meta(description="Local findings that are blanked in what it is shown: families or kinds."),
    ] = ("secret",)
    withhold: Annotated[
        tuple[Name, ...],
        Meta(
            description='A text with one of these is not shown to it: families, kinds, or labels as in "label.restricted".'
        ),
    ] = ()
    fail: Annotated[Literal["closed", "open"] | None, Meta(description="Instead of `advice.fail`.")] = None
    checks: Annotated[tuple[Name, ...], Meta(description='Azure: "moderation", "injection"; empty is both.')] = ()
    threshold: Annotated[
        Share | None,
        Meta(description="Score from which something is a finding; without it, what the service itself flags."),
    ] = None
    thresholds: Annotated[dict[str, Share], Meta(description="The same by kind of finding, before `threshold`.")] = (
        field(default_factory=dict)
    )
    kinds: Annotated[
        dict[str, str],
        Meta(description="Kinds of finding for what the service calls by names of its own: topics, lists, labels."),
    ] = field(default_factory=dict)
    concurrency: Annotated[Count, Meta(description="Requests to it at a time, per worker.")] = 32
    ca_file: CaFile = ""
    plaintext: Annotated[
        bool, Meta(description="Allow `http://` to a host that is not this machine: texts and keys travel unencrypted.")
    ] = False
