"""reserve: how much a call may use at worst, in which scopes."""

from __future__ import annotations

from msgspec import Struct

from yett.errors import Refusal
from yett.model.decision import Verdict
from yett.model.route import Target
from yett.ports import Scope
from yett.stages.decide import Permitted, Question
from yett.stages.tokens import estimate_tokens
from yett.stages.transform import duties_of


class Worst(Struct, frozen=True):
    """The worst case of a call. `input` and `output` in tokens, `cost` in micro-USD."""

    scopes: tuple[Scope, ...]
    input: int = 0
    output: int = 0
    cost: int = 0

    @property
    def tokens(self) -> int:
        return self.input + self.output


def affordable(question: Question, permitted: Permitted) -> Permitted:
    """The targets whose price is known, unless the model is configured to flag instead. Raises Refusal("unknown_price")."""
    route = question.route
    if route.unknown_price == "flag" or question.call.action != "InvokeModel":
        return permitted
    known = tuple((target, verdict) for target, verdict in permitted if route.prices.get(target.id) is not None)
    if not known:
        raise Refusal("unknown_price", f"No price is known for the model {question.call.model!r}.")
    return known


def worst_case(question: Question, permitted: Permitted) -> Worst:
    """Input as counted, output as capped, priced at the dearest permitted target."""
    call, route = question.call, question.route
    scopes = question.snapshot.scopes_of(question.caller.key, route)
    if call.action != "InvokeModel":
        return Worst(scopes)
    tokens = estimate_tokens(len(call.body))
    output = max(_output(question, verdict) for _, verdict in permitted) * call.choices
    return Worst(scopes, tokens, output, max(_cost(question, target, tokens, output) for target, _ in permitted))


def _output(question: Question, verdict: Verdict) -> int:
    wanted = question.call.max_tokens or question.route.max_output_tokens
    cap = duties_of(verdict.obligations).cap
    return min(wanted, cap) if cap else wanted


def _cost(question: Question, target: Target, tokens: int, output: int) -> int:
    price = question.route.prices.get(target.id)
    return price.worst_case(tokens, output) if price is not None else 0
