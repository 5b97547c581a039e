"""reserve: how much a call may use at worst, in which scopes."""

from __future__ import annotations

from msgspec import Struct

from yett.errors import Refusal
from yett.model.call import Call
from yett.model.caller import Caller
from yett.ports import Scope
from yett.stages.decide import Plan
from yett.stages.duties import Duties
from yett.stages.tokens import estimate_tokens, input_tokens, output_tokens

# What the ledger can count of one call. No model reads or writes so much, and no caller can mean it.
MOST_TOKENS = 10**10
MOST_COST = 10**14  # micro-USD


class Worst(Struct, frozen=True):
    """The worst case of a call. `input` and `tokens` (input and output) in tokens, `cost` in micro-USD."""

    scopes: tuple[Scope, ...]
    input: int = 0
    tokens: int = 0
    cost: int = 0


def worst_case(plan: Plan, caller: Caller, call: Call, added: int = 0) -> Worst:
    """Input as counted and with `added` bytes that Yett adds itself, output as capped, each target at its own price, and of all
    that the dearest. Raises Refusal("invalid_request") for what is beyond any model."""
    scopes = plan.snapshot.scopes_of(caller, plan.route)
    if call.action != "InvokeModel":
        return Worst(scopes)
    tokens = input_tokens(call.body) + (estimate_tokens(added) if added else 0)
    most = cost = 0
    for target, duties in plan.permitted:
        price = plan.route.prices.get(target.id)
        output = output_tokens(
            _asked(call, duties), call.choices, plan.route.max_output_tokens, price.context if price else 0
        )
        most = max(most, output)
        if price is not None:
            cost = max(cost, price.worst_case(tokens, output))
    if tokens + most > MOST_TOKENS or cost > MOST_COST:
        raise Refusal("invalid_request", "The call asks for more tokens than can be reserved.", param="max_tokens")
    return Worst(scopes, tokens, tokens + most, cost)


def _asked(call: Call, duties: Duties) -> int:
    return min(call.max_tokens or duties.cap, duties.cap) if duties.cap else call.max_tokens
