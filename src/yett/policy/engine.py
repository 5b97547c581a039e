"""The policy engine: policies sliced by action and team once, then a pure, memoised verdict over the facts about one target.

How a verdict comes about, strictest first:

    a policy failed to evaluate       DENY, with errors. Cedar skips such a policy: a forbid that fails would let the call pass
    a forbid matched                  DENY, with its id and advice
    no permit granted                 DENY, without ids
    otherwise                         ALLOW, under the obligations of every permit that matched

A permit that carries obligations does not grant: it binds what another permit grants. Policies in observe mode are asked
separately and only reported.

On the first pass (`inspected` false) only policies that read no late fact are asked. Their answers cannot change, so a
DENY by them is final; an ALLOW is approximate as long as the slice holds policies that were not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from yett.model.decision import Decision, Effect, Facts, Verdict
from yett.model.route import Target
from yett.policy.load import SEVERITIES, Policy, load
from yett.policy.memo import Memo
from yett.policy.obligations import unite
from yett.policy.question import Answer, PolicyText, Questioner, parse, together
from yett.policy.schema import ACTIONS

_KEPT = 4096  # per generation of a memo; an entry is about 1 kB

# What every question depends on; which other facts do is up to the policies.
_ALWAYS = ("action", "tenant", "team", "model", "target", "provider", "provider_labels", "inspected")
_BLANK: dict[str, Any] = {
    "caller": "",
    "caller_labels": (),
    "assurance": 0,
    "kind": "service",
    "credential": "key",
    "issuer": "",
    "actor": None,
    "task": None,
    "findings": (),
    "labels": (),
    "stream": False,
    "tools": False,
    "max_tokens": 0,
    "hour": 0,
    "injection": 0,
    "languages": None,
    "code": (),
    "files": (),
    "toxicity": None,
    "harm": None,
    "moderation": (),
    "confidence": None,
    "least_confidence": None,
    "groundedness": None,
}

_DENIED = Verdict(Effect.DENY)


class _View(Struct, frozen=True):
    """The policies that one pass asks, each sort as one text, or two: those about all teams and those about this one."""

    enforced: tuple[PolicyText, ...] = ()
    observed_permits: tuple[PolicyText, ...] = ()  # apart: where a forbid matches, Cedar does not tell the permits
    observed_forbids: tuple[PolicyText, ...] = ()


class _Slice(Struct, frozen=True):
    """The policies that can match one action by one team. `waits`: some are asked only after inspection; `may_grant`: of
    these, some grant, so that even the absence of a grant is not final before."""

    first: _View
    full: _View
    waits: bool
    may_grant: bool


class PolicyEngine:
    """The policies of one snapshot. Facts in, verdict out; nothing else influences it."""

    def __init__(self, policies: tuple[Policy, ...]) -> None:
        self.policies = policies
        self._by_id = {policy.id: policy for policy in policies}
        self._questioner = Questioner()
        self._mentioned: dict[str, bool] = {}  # by word; asked on the path of every call
        self._slices, self._common = _slices(policies)
        self.reads = frozenset[str]().union(*(policy.fields for policy in policies))
        self.task_reads = frozenset[str]().union(*(policy.task for policy in policies))  # of what a task has done
        read = sorted(self.reads - set(_ALWAYS))
        # Facts that no policy reads are no part of the question: calls that differ only in them share their answer. So
        # they are blanked before the question is put, or one caller's absurd value would answer for all the others.
        self.key = attrgetter(*_ALWAYS, *read)
        self._blank = {name: value for name, value in _BLANK.items() if name not in read}
        self._verdicts: Memo[Verdict] = Memo(_KEPT)
        self.decisions: Memo[tuple[tuple[Target, ...], Decision]] = Memo(_KEPT)  # filled by yett.policy.decision

    @classmethod
    def load(cls, files: Mapping[str, str], known: Mapping[str, Iterable[str]] | None = None) -> PolicyEngine:
        """The engine for the policies in `files` (name to text). See `yett.policy.load.load` for `known`.
        Raises ConfigurationError with every mistake found."""
        return cls(load(files, known))

    def policy(self, name: str) -> Policy:
        """The policy with this id. Raises KeyError."""
        return self._by_id[name]

    def mentions(self, word: str) -> bool:
        """Whether any policy has this word in its text. What no policy asks for need not be found out."""
        known = self._mentioned.get(word)
        if known is None:
            known = self._mentioned[word] = any(word in policy.text for policy in self.policies)
        return known

    def considered(self, facts: Facts) -> tuple[Policy, ...]:
        """The policies that can match the action and the team of `facts`, in the order they were loaded."""
        return tuple(policy for policy in self.policies if _applies(policy, facts.action, facts.team))

    def decide(self, facts: Facts) -> Verdict:
        """The verdict about one target."""
        key = self.key(facts)
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._decide(replace(facts, **self._blank))
            self._verdicts.put(key, verdict)
        return verdict

    def _decide(self, facts: Facts) -> Verdict:
        sliced = self._slices.get((facts.action, facts.team)) or self._common.get(facts.action)
        if sliced is None:  # no such action
            return _DENIED
        view = sliced.full if facts.inspected else sliced.first
        verdict = self._verdict(together(self._questioner.ask(facts, *view.enforced)))
        verdict = self._with_observed(facts, view, verdict)
        if facts.inspected:
            return verdict
        return _of_first_pass(verdict, sliced)

    def _verdict(self, answer: Answer) -> Verdict:
        if answer.errors:
            # What failed determined the refusal as much as a forbid that matched.
            forbids = () if answer.allowed else answer.matched
            return Verdict(Effect.DENY, tuple(sorted({*forbids, *answer.failed})), errors=answer.errors)
        if not answer.allowed:
            return Verdict(Effect.DENY, answer.matched, advice=self.advice(answer.matched))
        permits = [self._by_id[name] for name in answer.matched]
        if not any(permit.grants for permit in permits):
            return _DENIED
        return Verdict(Effect.ALLOW, answer.matched, unite(o for permit in permits for o in permit.obligations))

    def advice(self, names: Iterable[str]) -> str:
        """What to tell a caller whom these policies refuse: the advice of the most severe one that has any."""
        advising = [policy for name in sorted(names) if (policy := self._by_id[name]).advice]
        return max(advising, key=_severity).advice if advising else ""

    def _with_observed(self, facts: Facts, view: _View, verdict: Verdict) -> Verdict:
        """Adds the policies in observe mode that would, each by itself, have changed the verdict."""
        texts = view.observed_permits + view.observed_forbids
        if not texts or (verdict.effect is Effect.DENY and (verdict.policies or verdict.errors)):
            return verdict
        observed: set[str] = set()
        for answer in self._questioner.ask(facts, *texts):
            observed.update(name for name in answer.matched if _would_change(self._by_id[name], verdict))
            if verdict.effect is Effect.ALLOW:
                observed.update(answer.failed)  # enforced, its failure would have been a refusal
        return replace(verdict, observed=tuple(sorted(observed))) if observed else verdict


def _would_change(policy: Policy, verdict: Verdict) -> bool:
    """Whether a matched policy, if it were enforced too, would make another verdict out of an ALLOW or a DENY by default."""
    if verdict.effect is Effect.DENY:
        return policy.grants
    if policy.effect == "forbid":
        return True
    return unite((*verdict.obligations, *policy.obligations)) != verdict.obligations


def _of_first_pass(verdict: Verdict, sliced: _Slice) -> Verdict:
    if verdict.effect is Effect.ALLOW:
        return replace(verdict, approximate=sliced.waits)
    if verdict.policies or verdict.errors or not sliced.may_grant:
        return verdict
    return Verdict(Effect.ALLOW, observed=verdict.observed, approximate=True)


def _severity(policy: Policy) -> int:
    return SEVERITIES.index(policy.severity) if policy.severity else -1


# ---- slicing ------------------------------------------------------------------------------------------------------

_NO_SLICE = _Slice(_View(), _View(), waits=False, may_grant=False)

# Up to so many policies about all teams are copied into each team's slice, so that one question does; more are kept
# once and asked beside the team's own. A copy takes about 1 kB and 30 µs for each policy, team, action and pass.
_COPIED = 8


def _applies(policy: Policy, action: str, team: str) -> bool:
    return action in policy.actions and policy.team in ("", team)


def _slices(policies: tuple[Policy, ...]) -> tuple[dict[tuple[str, str], _Slice], dict[str, _Slice]]:
    """The slices by (action, team) for the teams that policies name in their scope, and by action for all the others.
    Policies about all teams are parsed once for each action, not again for each team."""
    by_team: dict[tuple[str, str], _Slice] = {}
    common: dict[str, _Slice] = {}
    for action in ACTIONS:
        matching = [policy for policy in policies if action in policy.actions]
        common[action] = _slice([policy for policy in matching if not policy.team], _NO_SLICE)
        own: dict[str, list[Policy]] = {}
        for policy in matching:
            if policy.team:
                own.setdefault(policy.team, []).append(policy)
        for team, theirs in own.items():
            by_team[action, team] = _slice(theirs, common[action])
    return by_team, common


def _slice(policies: list[Policy], base: _Slice) -> _Slice:
    late = [policy for policy in policies if policy.late]
    waits = base.waits or bool(late)
    full = _view(policies, base.full)
    return _Slice(
        first=_view([policy for policy in policies if not policy.late], base.first) if waits else full,
        full=full,
        waits=waits,
        may_grant=base.may_grant or any(policy.grants and policy.mode == "enforce" for policy in late),
    )


def _view(policies: list[Policy], base: _View) -> _View:
    enforced = [policy for policy in policies if policy.mode == "enforce"]
    observed = [policy for policy in policies if policy.mode == "observe"]
    return _View(
        enforced=_text(enforced, base.enforced),
        observed_permits=_text([policy for policy in observed if policy.effect == "permit"], base.observed_permits),
        observed_forbids=_text([policy for policy in observed if policy.effect == "forbid"], base.observed_forbids),
    )


def _text(policies: list[Policy], base: tuple[PolicyText, ...]) -> tuple[PolicyText, ...]:
    if not policies:
        return base
    if base and len(base[0].policies) <= _COPIED:
        return (parse((*base[0].policies, *policies)),)
    return (*base, parse(tuple(policies)))
