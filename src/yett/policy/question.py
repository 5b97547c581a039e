"""A question put to Cedar: facts turned into a request and the few entities that it mentions."""

from __future__ import annotations

import re

import msgspec
from cedarpy import Decision, Entities, PolicySet, is_authorized
from msgspec import Struct

from yett.model.decision import Facts
from yett.policy.load import Policy
from yett.policy.memo import Memo
from yett.policy.schema import ACTOR, QUALITY, SCHEMA, principal_type

_encode = msgspec.json.Encoder().encode
_ENTITIES_KEPT = 1024
_POLICY = re.compile(r"^error while evaluating policy `policy(\d+)`: (.*)", re.DOTALL)
_LONGEST_ERROR = 200
_OPTIONAL = ("languages", "toxicity", "harm", *QUALITY)
_UNDECIDED = ("the policies came to no decision",)


class PolicyText(Struct, frozen=True):
    """Policies as one parsed set, in which Cedar knows them by their positions: policy0, policy1, …"""

    handle: PolicySet
    policies: tuple[Policy, ...]


def parse(policies: tuple[Policy, ...]) -> PolicyText:
    """Always from the text of all of them: `PolicySet.with_added_str` numbers what it adds in any order (cedarpy 4.12.2),
    and a policy would answer for another."""
    return PolicyText(PolicySet.from_str("\n".join(policy.text for policy in policies), release_gil=True), policies)


class Answer(Struct, frozen=True):
    """What Cedar said: whether it allows, the ids that matched, and what failed, as `id: reason` under the id."""

    allowed: bool
    matched: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def together(answers: list[Answer]) -> Answer:
    """The answer of several sets as if they were one: forbids outweigh permits, whichever set they are in."""
    if len(answers) == 1:
        return answers[0]
    forbids = {name for answer in answers if not answer.allowed for name in answer.matched}
    permits = {name for answer in answers if answer.allowed for name in answer.matched}
    return Answer(
        allowed=bool(permits) and not forbids,
        matched=tuple(sorted(forbids or permits)),
        failed=tuple(sorted({name for answer in answers for name in answer.failed})),
        errors=tuple(sorted({error for answer in answers for error in answer.errors})),
    )


class Questioner:
    """Puts facts to sets of policies. Keeps the entities of callers and targets that come again."""

    def __init__(self) -> None:
        self._entities: Memo[Entities] = Memo(_ENTITIES_KEPT)

    def ask(self, facts: Facts, *texts: PolicyText) -> list[Answer]:
        """One answer for each set of policies. Facts that Cedar cannot take are answered with an error, never allowed."""
        if not texts:
            return []
        try:
            request, entities = _request(facts), self._entities_of(facts)
            return [_answer(request, entities, text) for text in texts]
        except ValueError as error:  # a lone surrogate, a label that is no text: not representable in Cedar
            problem = f"the facts cannot be put to the policies: {_short(str(error))}"
            return [Answer(False, errors=(problem,)) for _ in texts]

    def _entities_of(self, facts: Facts) -> Entities:
        key = (
            (facts.tenant, facts.team, facts.caller, facts.caller_labels, facts.assurance),
            (facts.kind, facts.credential, facts.issuer, facts.actor),
            (facts.model, facts.target, facts.provider, facts.provider_labels),
        )
        entities = self._entities.get(key)
        if entities is None:
            entities = Entities.from_json_str(_encode(_entity_list(facts)).decode(), SCHEMA)
            self._entities.put(key, entities)
        return entities


def _answer(request: dict[str, object], entities: Entities, text: PolicyText) -> Answer:
    # The schema goes with every request: facts of a wrong shape are then refused instead of making the policies that
    # read them fail, which Cedar would skip.
    result = is_authorized(request, text.handle, entities, schema=SCHEMA)
    diagnostics = result.diagnostics
    failed: list[str] = []
    errors: list[str] = []
    for message in diagnostics.errors:
        found = _POLICY.match(message)
        if found is None:
            errors.append(_short(message))
        else:
            failed.append(text.policies[int(found[1])].id)
            errors.append(f"{failed[-1]}: {_short(found[2])}")
    return Answer(
        allowed=result.decision is Decision.Allow,
        matched=tuple(sorted(text.policies[int(reason.removeprefix("policy"))].id for reason in diagnostics.reasons)),
        failed=tuple(sorted(failed)),
        errors=tuple(sorted(errors)) or (_UNDECIDED if result.decision is Decision.NoDecision else ()),
    )


def _request(facts: Facts) -> dict[str, object]:
    context = {
        "model": facts.model,
        "findings": facts.findings,
        "labels": facts.labels,
        "inspected": facts.inspected,
        "stream": facts.stream,
        "tools": facts.tools,
        "max_tokens": facts.max_tokens,
        "hour": facts.hour,
        "injection": facts.injection,
        "code": facts.code,
        "files": facts.files,
        "moderation": dict(facts.moderation),
    }
    if facts.task is not None:
        context["task"] = msgspec.structs.asdict(facts.task)
    for name in _OPTIONAL:
        if (value := getattr(facts, name)) is not None:
            context[name] = value
    return {
        "principal": _uid(principal_type(facts.kind, facts.credential), facts.caller),
        "action": _uid("Action", facts.action),
        "resource": _uid("Target", facts.target),
        "context": _encode(context).decode(),
    }


def _entity_list(facts: Facts) -> list[dict[str, object]]:
    caller = {
        "labels": [f"{name}={value}" for name, value in facts.caller_labels],
        "assurance": facts.assurance,
        "kind": facts.kind,
        "credential": facts.credential,
        "issuer": facts.issuer,
        **actor_of(facts),
    }
    return [
        _entity(_uid(principal_type(facts.kind, facts.credential), facts.caller), caller, [_uid("Team", facts.team)]),
        _entity(_uid("Team", facts.team), {}, [_uid("Tenant", facts.tenant)]),
        _entity(
            _uid("Target", facts.target),
            {"provider": {"__entity": _uid("Provider", facts.provider)}},
            [_uid("Model", facts.model), _uid("Provider", facts.provider)],
        ),
        _entity(_uid("Provider", facts.provider), {"labels": facts.provider_labels}, []),
    ]


def actor_of(facts: Facts) -> dict[str, object]:
    """Who acts for the caller, as policies call it."""
    actor = facts.actor
    if actor is None:
        return dict(zip(ACTOR, ("", "", "", facts.assurance, (), 0), strict=True))
    known = (actor.id, actor.kind, actor.team, actor.assurance, actor.chain, len(actor.chain))
    return dict(zip(ACTOR, known, strict=True))


def _entity(uid: dict[str, str], attributes: dict[str, object], parents: list[dict[str, str]]) -> dict[str, object]:
    return {"uid": uid, "attrs": attributes, "parents": parents}


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}


def _short(text: str) -> str:
    """Facts may stand in the engine's messages: one line, and not at length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_ERROR else line[: _LONGEST_ERROR - 1] + "…"
