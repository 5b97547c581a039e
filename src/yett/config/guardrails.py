"""From `[advice]` and `[guardrails.NAME]` to the Panel that calls are put to."""

from __future__ import annotations

import hashlib
from types import MappingProxyType

import msgspec

from yett.config.guardrail_checks import reports
from yett.config.guardrail_settings import AdviceSettings, GuardrailSettings
from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.guardrails.shelf import KINDS
from yett.model.guardrail import FAILED_OPEN, Guardrail, Panel
from yett.model.route import Provider, Timeouts


def panel(reading: Reading) -> Panel | None:
    """The guardrails of a configuration without mistakes; None when it has none, and no call is to be put to any."""
    settings = reading.settings
    if not settings.guardrails:
        return None
    advice = settings.advice
    return Panel(
        tuple([_guardrail(name, one, advice, reading) for name, one in settings.guardrails.items()]),
        advice.deadline,
        advice.remember,
        advice.remember_seconds,
    )


def finding_names(settings: Settings) -> frozenset[str]:
    """What policies may call the findings of guardrails: kinds and their families."""
    kinds = {kind for guardrail in settings.guardrails.values() for kind in reports(guardrail)}
    if kinds:
        kinds.add(FAILED_OPEN)
    return frozenset(kinds | {kind.partition(".")[0] for kind in kinds})


def _guardrail(name: str, settings: GuardrailSettings, advice: AdviceSettings, reading: Reading) -> Guardrail:
    secrets = reading.secrets
    return Guardrail(
        id=name,
        kind=settings.kind,
        provider=_provider(name, settings, advice, reading),
        on=frozenset(settings.on),
        roles=frozenset(settings.roles),
        always=frozenset(settings.always),
        score=settings.score,
        above=settings.above,
        below=settings.below,
        fail_open=(settings.fail or advice.fail) == "open",
        concurrency=settings.concurrency,
        redact=frozenset(settings.redact),
        withhold=frozenset(settings.withhold),
        threshold=settings.threshold,
        thresholds=MappingProxyType(dict(settings.thresholds)),
        kinds=MappingProxyType(dict(settings.kinds)),
        checks=frozenset(settings.checks),
        resource=settings.resource,
        version=settings.version,
        model=settings.model,
        region=settings.region,
        access_key=secrets[settings.access_key] if settings.access_key else None,
        session_token=secrets[settings.session_token] if settings.session_token else None,
        folder=str(reading.resolve(settings.folder)) if settings.folder else "",
        pin=settings.sha256.lower(),
        fingerprint=hashlib.sha256(
            name.encode() + b"\0" + msgspec.json.encode(settings, order="deterministic")
        ).hexdigest(),
    )


def _provider(name: str, settings: GuardrailSettings, advice: AdviceSettings, reading: Reading) -> Provider:
    kind = KINDS.get(settings.kind)
    base_url = settings.base_url or (kind.base_url.format(region=settings.region) if kind is not None else "")
    deadline = advice.deadline
    return Provider(
        id=f"guardrail/{name}",
        kind=settings.kind,
        base_url=base_url.rstrip("/"),
        labels=(),
        keys=(reading.secrets[settings.key],) if settings.key else (),
        timeouts=Timeouts(deadline, deadline, deadline, deadline),
        ca_file=str(reading.resolve(settings.ca_file)) if settings.ca_file else "",
    )
