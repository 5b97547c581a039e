"""The rules of limits, written once and plainly: what a scope's account holds, when a call fits, what to say when not.

Both ledgers obey this file. `memory_ledger` runs it as it stands; `shared_ledger` has the same arithmetic in line on the
path of a call and is tested against the other.

**Requests and tokens per minute** are leaky buckets with continuous refill (GCRA): a scope may burst one minute's worth,
and what it used drains away at the limit's pace, so there is no window edge at which twice the limit fits. Amounts are
kept times 60,000,000 ("drops"): a limit of L per minute then drains exactly L drops a microsecond and nothing is rounded.

**Tokens are a queue.** A reservation joins the tail of its bucket with its worst case and remembers where it ends
(`end`). When the call settles, what it did not use goes back, but only the part that has not drained yet: the drained
part was paid for by refill that other calls have used since, and giving it back too would let a caller save up
reservations and burst past the limit. So for whatever mix of calls, usage never exceeds burst + limit x time. What a
call used beyond its reservation joins the tail; the bucket may be overdrawn then, and drains before the next call fits.

**Concurrency** counts calls in flight. **Budgets** are calendar days, ISO weeks or months in UTC: spent + held + the new
worst case must fit. A charge is booked in the period in which it becomes known. All three periods are counted always, so
that a budget that is added or changed later knows its past.

**The clock** is the wall clock. A step back of up to a minute pauses refill until time has caught up, a longer one
restarts it; a step back over midnight never reopens a budget.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from yett.errors import Refusal
from yett.model.key import Limits
from yett.ports import Scope, Standing
from yett.stages.standing import duration, standing_headers

SECOND = 1_000_000  # microseconds
MINUTE = 60_000_000  # microseconds in a minute, and drops in a token or request
DAY = 86_400_000_000  # microseconds
PERIODS = ("day", "week", "month", "ever")
ENDING = ("task:", "token:")  # how the ids of scopes begin that end by themselves
MOST_TOKENS = (
    10**10
)  # of one call: beyond every model, and far from the ends of int64 (an upstream reports what it likes)
MOST_COST = 10**14  # micro-USD of one call
DEEPEST = 2**60  # drops in a bucket: limits of more than 19 billion a minute are not told apart
CIRCLE = 2**62  # drained counts around this, so that it never ends
RICHEST = 2**62  # micro-USD: where spending stops counting up
BUSY_RETRY = 1.0  # seconds to wait when only calls in flight are in the way: nobody knows when they end
_EPOCH = date(1970, 1, 1).toordinal()


class Account(Struct):
    """What a ledger knows of one scope. Times in microseconds since the epoch, money in micro-USD."""

    last: int = 0  # when the buckets were last drained
    requests: int = 0  # drops in the bucket of requests
    queued: int = 0  # drops in the bucket of tokens
    drained: int = 0  # drops that ever left it, modulo CIRCLE
    inflight: int = 0
    held: int = 0  # worst cases of the calls in flight
    day: int = 0  # days since the epoch: what `spent_*` are about
    spent_day: int = 0
    spent_week: int = 0
    spent_month: int = 0
    # of what ends by itself
    steps: int = 0  # calls that were ever begun
    ever: int = 0  # spent in all
    until: int = 0  # when it is over, if no call is in flight then

    def spent(self, period: str) -> int:
        return (self.spent_day, self.spent_week, self.spent_month, self.ever)[PERIODS.index(period)]


def advance(account: Account, limits: Limits, now: int) -> None:
    """Bring an account to `now`: drain the buckets, begin new periods."""
    elapsed = max(now - account.last, 0)
    if now > account.last or account.last - now > MINUTE:
        account.last = now
    account.requests = 0 if limits.rpm is None else max(account.requests - elapsed * limits.rpm, 0)
    leaving = account.queued if limits.tpm is None else min(account.queued, elapsed * limits.tpm)
    account.queued -= leaving
    account.drained = (account.drained + leaving) % CIRCLE
    roll(account, now // DAY)


def roll(account: Account, day: int) -> None:
    """Begin the periods that `day` is in. A clock that went back by more than a day keeps what was spent."""
    if day > account.day:
        account.spent_day = 0
        if week(day) != week(account.day):
            account.spent_week = 0
        if month(day) != month(account.day):
            account.spent_month = 0
        account.day = day
    elif day < account.day - 1:
        account.day = day


def present(account: Account, scope: Scope, now: int) -> Account:
    """The account as it is now: a new one when the scope is over."""
    if account.until and account.until <= now and account.inflight <= 0:
        account = Account(last=now, day=now // DAY)
    advance(account, scope.limits, now)
    return account


def enter(account: Account, scope: Scope, now: int, tokens: int, cost: int) -> int:
    """Enter a call that fits, as `take` does, as a step of what ends by itself."""
    if scope.lasts:
        account.steps += 1
        account.until = max(account.until, now + scope.lasts * SECOND)
    return take(account, scope.limits, tokens, cost)


def take(account: Account, limits: Limits, tokens: int, cost: int) -> int:
    """Enter a call that fits, at its worst; returns its `end` in the bucket of tokens."""
    if limits.rpm is not None:
        account.requests = min(account.requests + MINUTE, DEEPEST)
    if limits.tpm is not None:
        account.queued = min(account.queued + tokens * MINUTE, DEEPEST)
    account.inflight += 1
    account.held += cost
    return (account.drained + account.queued) % CIRCLE


def settle(account: Account, limits: Limits, end: int, reserved: tuple[int, int], used: tuple[int, int]) -> None:
    """Replace a call's worst case (tokens, micro-USD) by what it used. The account is at the present. Without limits, only
    concurrency and money change: the bucket drains by itself."""
    account.inflight -= 1
    account.held -= reserved[1]
    spend(account, used[1])
    unused = (reserved[0] - used[0]) * MINUTE
    if limits.tpm is None:
        return
    if unused < 0:
        account.queued = min(account.queued - unused, DEEPEST)
        return
    ahead = (end - account.drained) % CIRCLE
    if ahead < CIRCLE // 2:  # else the whole reservation has drained
        back = min(unused, ahead, account.queued)
        account.queued -= back
        account.drained = (account.drained + back) % CIRCLE


def abandon(account: Account, cost: int, now: int) -> None:
    """A call's lease ran out: it is no longer in flight, and its worst case is charged until it is known better; of what ends by itself
    for good, and that lasts until nobody can come back to the call."""
    if account.until:
        account.until = max(account.until, now + DAY)
    account.inflight -= 1
    account.held -= cost
    spend(account, cost)


def correct(account: Account, limits: Limits, day: int, reserved: tuple[int, int], used: tuple[int, int]) -> None:
    """A call abandoned on `day` turns out to have used this. Less than charged is taken off the periods that were charged
    and are still running, and only off those; more is charged now."""
    change = used[1] - reserved[1]
    if change >= 0:
        spend(account, change)
    else:
        if day == account.day:
            account.spent_day = max(account.spent_day + change, 0)
        if week(day) == week(account.day):
            account.spent_week = max(account.spent_week + change, 0)
        if month(day) == month(account.day):
            account.spent_month = max(account.spent_month + change, 0)
    if limits.tpm is not None and used[0] > reserved[0]:
        account.queued = min(account.queued + (used[0] - reserved[0]) * MINUTE, DEEPEST)


def spend(account: Account, cost: int) -> None:
    account.spent_day = min(account.spent_day + cost, RICHEST)
    account.spent_week = min(account.spent_week + cost, RICHEST)
    account.spent_month = min(account.spent_month + cost, RICHEST)
    if account.until:
        account.ever = min(account.ever + cost, RICHEST)


def add(scopes: tuple[Scope, ...], accounts: list[Account], cost: int) -> None:
    """Hold so much more for a call that is in all of these, whose accounts are at the present. Raises Refusal; then nothing is held."""
    for scope, account in zip(scopes, accounts, strict=True):
        budget = scope.limits.budget
        if budget is not None and account.spent(budget.period) + account.held + cost > budget.amount:
            raise exhausted(scope)
    for account in accounts:
        account.held += cost


def exhausted(scope: Scope) -> Refusal:
    """What ends an answer for which no more can be held in this scope."""
    budget = scope.limits.budget
    if scope.lasts:
        code = "task_limit_exceeded" if scope.id.startswith("task:") else "budget_exceeded"
        return Refusal(code, "The answer was cut off: the task has used up what it may spend.")
    name = limit_name(scope, f"{usd(budget.amount)} USD per {budget.period}" if budget is not None else "nothing")
    return Refusal("budget_exceeded", f"The answer was cut off: the {name} has no room for more.")


def gone() -> Refusal:
    """For a call whose lease has run out: it holds nothing that could be added to."""
    return Refusal("ledger_unavailable", "The reservation of the call has run out.")


def usable(amount: int, most: int) -> int:
    """An amount as it may enter an account. What an upstream reports is not to be trusted with overflow or a refund."""
    return min(max(amount, 0), most)


def week(day: int) -> int:
    """Number of the ISO week (Monday to Sunday) that a day since the epoch is in; the epoch was a Thursday."""
    return (day + 3) // 7


def month(day: int) -> int:
    when = date.fromordinal(_EPOCH + day)
    return when.year * 12 + when.month


def period_end(day: int, period: str) -> int:
    """The first day, since the epoch, after the period that `day` is in."""
    if period == "day":
        return day + 1
    if period == "week":
        return (week(day) + 1) * 7 - 3
    when = date.fromordinal(_EPOCH + day)
    following = date(when.year + when.month // 12, when.month % 12 + 1, 1)
    return following.toordinal() - _EPOCH


# ---- whether a call fits, and what to say when it does not ---------------------------------------------------------


class Obstacle(Struct, frozen=True):
    """Why a call does not fit one limit. `wait` is seconds; `never` when waiting cannot help this call."""

    code: str
    message: str
    wait: float
    never: bool = False
    retry: bool = True


def obstacles(scope: Scope, account: Account, tokens: int, cost: int) -> list[Obstacle]:
    """Everything that keeps a call out of one scope, whose account is at the present. Empty when it fits."""
    limits = scope.limits
    found = [
        _bucket(scope, "requests", limits.rpm, account.requests, 1),
        _bucket(scope, "tokens", limits.tpm, account.queued, tokens),
        _concurrency(scope, account),
        _spending(scope, account, cost) if scope.lasts else _budget(scope, account, cost),
        _steps(scope, account),
    ]
    return [obstacle for obstacle in found if obstacle is not None]


def _bucket(scope: Scope, unit: str, limit: int | None, drops: int, amount: int) -> Obstacle | None:
    if limit is None:
        return None
    name = limit_name(scope, f"{limit} {unit} per minute")
    if limit == 0:
        return Obstacle("rate_limit_exceeded", f"The {name} allows no request.", 0.0, never=True, retry=False)
    if amount > limit:
        message = f"This request may use up to {amount} {unit}, more than the {name}: it can never be allowed. Lower max_tokens."
        return Obstacle("rate_limit_exceeded", message, 0.0, never=True, retry=False)
    excess = drops + amount * MINUTE - limit * MINUTE
    if excess <= 0:
        return None
    wait = excess / limit / 1e6
    message = f"The {name} is reached. Try again in {duration(wait)}."
    return Obstacle("rate_limit_exceeded", message, wait)


def _concurrency(scope: Scope, account: Account) -> Obstacle | None:
    limit = scope.limits.concurrency
    if limit is None or account.inflight < limit:
        return None
    if scope.lasts:
        return Obstacle("task_fanout_exceeded", "Too many calls of one task at once.", BUSY_RETRY)
    name = limit_name(scope, f"{limit} calls in flight")
    if limit == 0:
        return Obstacle("concurrency_exceeded", f"The {name} allows no request.", 0.0, never=True, retry=False)
    return Obstacle("concurrency_exceeded", f"The {name} is reached.", BUSY_RETRY)


def _steps(scope: Scope, account: Account) -> Obstacle | None:
    if scope.steps is None or account.steps < scope.steps:
        return None
    message = f"The task has taken the {scope.steps} steps it may take."
    return Obstacle("task_limit_exceeded", message, 0.0, never=True, retry=False)


def _spending(scope: Scope, account: Account, cost: int) -> Obstacle | None:
    """Of what ends by itself: waiting brings nothing back but what is in flight."""
    amount = RICHEST if scope.limits.budget is None else scope.limits.budget.amount
    if account.ever + account.held + cost <= amount:
        return None
    code = "task_limit_exceeded" if scope.id.startswith("task:") else "budget_exceeded"
    left, what = usd(max(amount - account.ever, 0)), "task" if scope.id.startswith("task:") else "token"
    if account.ever + cost <= amount:
        return Obstacle(code, f"What the {what} may spend is taken up by calls in flight.", BUSY_RETRY)
    message = (
        f"The {what} has used up what it may spend: {left} USD are left, and this request may cost {usd(cost)} USD."
    )
    return Obstacle(code, message, 0.0, never=True, retry=False)


def _budget(scope: Scope, account: Account, cost: int) -> Obstacle | None:
    budget = scope.limits.budget
    if budget is None:
        return None
    name = limit_name(scope, f"{usd(budget.amount)} USD per {budget.period}")
    if budget.amount == 0:
        return Obstacle("budget_exceeded", f"The {name} allows no request.", 0.0, never=True, retry=False)
    if cost > budget.amount:
        message = f"This request may cost up to {usd(cost)} USD, more than the {name}: it can never be allowed. Lower max_tokens."
        return Obstacle("budget_exceeded", message, 0.0, never=True, retry=False)
    spent = account.spent(budget.period)
    if spent + account.held + cost <= budget.amount:
        return None
    if spent + cost <= budget.amount:
        return Obstacle("budget_exceeded", f"The {name} is taken up by calls in flight.", BUSY_RETRY)
    end = period_end(account.day, budget.period)
    wait = max(end * DAY - account.last, 0) / 1e6
    left = usd(max(budget.amount - spent, 0))
    message = (
        f"The {name} is used up: {left} USD are left, and this request may cost {usd(cost)} USD. "
        f"The next {budget.period} begins on {date.fromordinal(_EPOCH + end).isoformat()} (UTC)."
    )
    return Obstacle("budget_exceeded", message, wait, retry=False)


def refusal(scopes: tuple[Scope, ...], accounts: list[Account], tokens: int, cost: int) -> Refusal:
    """The Refusal of a call that does not fit. Of several obstacles the one that takes longest to pass is named, so that
    a caller who waits as told gets in. `retry` is False where repeating the call cannot succeed."""
    found = [
        obstacle
        for scope, account in zip(scopes, accounts, strict=True)
        for obstacle in obstacles(scope, account, tokens, cost)
    ]
    if not found:
        return Refusal("ledger_unavailable")
    worst = max(found, key=lambda obstacle: (obstacle.never, obstacle.wait))
    answer = Refusal(worst.code, worst.message, retry_after=worst.wait)
    answer.retry = worst.retry
    answer.headers = standing_headers(standing(scopes, accounts))
    return answer


def standing(scopes: tuple[Scope, ...], accounts: list[Account]) -> Standing:
    """The tightest scope's buckets: the one with least room for requests, and the one with least room for tokens."""
    requests: tuple[int, int, int] | None = None
    tokens: tuple[int, int, int] | None = None
    for scope, account in zip(scopes, accounts, strict=True):
        limits = scope.limits
        if limits.rpm is not None:
            room = (limits.rpm * MINUTE - account.requests, limits.rpm, account.requests)
            requests = room if requests is None or room[0] < requests[0] else requests
        if limits.tpm is not None:
            room = (limits.tpm * MINUTE - account.queued, limits.tpm, account.queued)
            tokens = room if tokens is None or room[0] < tokens[0] else tokens
    return Standing(*shown(requests), *shown(tokens))


def shown(room: tuple[int, int, int] | None) -> tuple[int | None, int | None, float]:
    """Limit, what is left of it and the seconds until all is, from (left in drops, limit, drops used)."""
    if room is None:
        return None, None, 0.0
    left, limit, drops = room
    return limit, max(left // MINUTE, 0), drops / limit / 1e6 if limit else 0.0


def limit_name(scope: Scope, what: str) -> str:
    """`key limit of 60 requests per minute`, `team limit of 60 requests per minute (research)`. A key's id says nothing to
    its holder, who has the one key in hand."""
    kind, _, name = scope.id.partition(":")
    kind = kind.partition("@")[0]  # a caller knows its tenant
    return f"{kind} limit of {what}" if kind == "key" or not name else f"{kind} limit of {what} ({name})"


def usd(amount: int) -> str:
    """Micro-USD as dollars, exactly and without trailing zeros."""
    whole, rest = divmod(amount, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
