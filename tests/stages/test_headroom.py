"""An answer that goes on past what was held for it: more is held while there is room, and then it is cut, with no budget overshot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene import DONE, END, EVENTS, USAGE, Answer, Clock, Reply, Scene, chat, event, key, until

from yett.config.prices import UNLIMITED, Price, Rates, Tier
from yett.errors import Refusal
from yett.model.key import Budget, Limits
from yett.model.record import Record
from yett.ports import Hold, Scope
from yett.stages.headroom import Headroom
from yett.stages.record import Trail
from yett.stages.tokens import fewest_bytes, written_tokens
from yett.stores.memory_ledger import MemoryLedger

TEXT = "x" * 999 + " "  # 333 tokens as they are counted when nobody says; 166 when the provider was told how many


class Obedient(Answer):
    """Sends nothing while it is told to wait."""

    async def stream(self, sink: Callable[[bytes], None]) -> None:
        for piece in self._pieces:
            while self.log[-1:] == ["pause"]:
                await asyncio.sleep(0)
            assert isinstance(piece, bytes)
            await self._give(piece, sink)
            await asyncio.sleep(0)


def answer(*texts: str, tail: Sequence[bytes] = (END, USAGE, DONE)) -> Obedient:
    """A streamed chat completion, one event for each text."""
    return Obedient(*map(event, texts), *tail, headers=EVENTS)


def poor(amount: int) -> Any:
    return key(limits=Limits(budget=Budget(amount, "month")))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Scene(tmp_path, keys={"poor": poor(20_000), "poorer": poor(8_500), "poorest": poor(17_000)}) as scene:
        yield scene


def spent(scene: Scene, who: str) -> int:
    account = scene.ledger.account(Scope(f"key:key_{who}", Limits()))
    assert (account.inflight, account.held) == (0, 0)
    return account.spent_month


async def test_more_is_held_as_long_as_there_is_room(scene: Scene) -> None:
    """2 micro-USD a token; 4096 tokens are held at first."""
    scene.upstream.will(answer(*[TEXT] * 14, tail=(END, DONE)))
    reply = await scene.call(chat("hi", stream=True), "poor")
    outcome = scene.outcome(reply)
    assert (reply.code, outcome.outcome, len(reply.text)) == ("", "ok", 14_000)
    assert outcome.notes == ("limits: 1 times more was held than at first",)
    intent, extension, _ = [record for record in scene.records() if record.call == reply.id]
    assert (extension.event, extension.reserved[0]) == ("hold.extend", intent.reserved[0])
    assert spent(scene, "poor") < extension.reserved[1] == intent.reserved[1] + 2 * 1024, (
        "what a rebuilt ledger would hold"
    )
    assert 9_000 < spent(scene, "poor") < 10_000


async def test_without_room_the_answer_ends_where_the_reservation_does(scene: Scene) -> None:
    said = answer(*[TEXT] * 100)
    scene.upstream.will(said)
    reply = await scene.call(chat("hi", stream=True), "poorer")
    outcome = scene.outcome(reply)
    assert (reply.status, reply.code, outcome.outcome, outcome.code) == (
        200,
        "budget_exceeded",
        "cut",
        "budget_exceeded",
    )
    assert "key limit of 0.0085 USD per month has no room for more" in reply.error["message"]
    assert outcome.usage is not None
    assert outcome.usage.estimated
    assert 8_400 < spent(scene, "poorer") == outcome.usage.cost <= 8_500 + 2 * 334, "one event more at most"
    assert said.log[-1:] == ["pause"]
    assert (await scene.call(chat("hi", stream=True), "poorer")).code == "budget_exceeded"


@pytest.mark.parametrize("tail", [(END, USAGE, DONE), (END, USAGE)])
async def test_what_comes_in_one_read_is_cut_where_it_would_be_in_many(scene: Scene, tail: Sequence[bytes]) -> None:
    said = [event(TEXT)] * 100
    scene.upstream.will(Obedient(b"".join([*said, *tail])[:-1], headers=EVENTS))
    reply = await scene.call(chat("hi", stream=True), "poorer")
    assert (reply.code, scene.outcome(reply).outcome) == ("budget_exceeded", "cut")
    assert 8_400 < spent(scene, "poorer") <= 8_500 + 2 * 334, "one event more at most"
    assert said[0].count(b"x") * 15 > reply.text.count("x")
    # and with room for more it is given whole, in the same order
    scene.upstream.will(Obedient(b"".join([*map(event, map(str, range(6_000))), *tail, DONE]), headers=EVENTS))
    scene.issue("rich", poor(200_000))
    reply = await scene.call(chat("hi", stream=True), "rich")
    assert (reply.code, reply.text) == ("", "".join(map(str, range(6_000))))
    assert scene.outcome(reply).notes, "more was held"


async def test_one_choice_of_two_that_ends_does_not_let_the_other_go_on(scene: Scene) -> None:
    goes_on = [event(TEXT, index=1)] * 100
    scene.upstream.will(answer(tail=[event(finish="stop"), *goes_on, DONE]))
    reply = await scene.call(chat("hi", stream=True, n=2), "poorest")
    assert (reply.code, scene.outcome(reply).outcome) == ("budget_exceeded", "cut")


async def test_a_provider_that_was_told_a_limit_is_believed_until_its_text_cannot_be_so_short(scene: Scene) -> None:
    scene.upstream.will(answer(TEXT * 3, tail=(END, DONE)), answer(*[TEXT] * 100))
    reply = await scene.call(chat("hi", stream=True, max_tokens=600), "poor")
    assert (reply.code, scene.outcome(reply).notes) == ("", ()), "English has up to five characters to the token"
    assert spent(scene, "poor") < 600 * 2 + 100, "and is charged no more than it was told, when nobody says"
    reply = await scene.call(chat("hi", stream=True, max_tokens=3_900), "poorer")
    assert (reply.code, scene.outcome(reply).outcome) == ("budget_exceeded", "cut")
    assert 8_400 < spent(scene, "poorer") <= 8_500 + 2 * 334


async def test_what_the_provider_says_while_it_writes_counts(scene: Scene) -> None:
    """Thoughts, which nobody sees."""
    thinking = [
        event("x", usage={"prompt_tokens": 3, "completion_tokens": 500 * number, "total_tokens": 500 * number + 3})
        for number in range(30)
    ]
    scene.upstream.will(Answer(*thinking, END, DONE, headers=EVENTS))
    reply = await scene.call(chat("hi", stream=True), "poorer")
    assert reply.code == "budget_exceeded"
    assert 8_000 < spent(scene, "poorer") <= 8_500 + 2 * 500


async def test_the_same_answer_in_probabilities_is_not_counted_twice(scene: Scene) -> None:
    token = {"token": "x" * 999, "logprob": 0, "bytes": None, "top_logprobs": [{"token": "y" * 999, "logprob": -9}]}
    pieces = [
        event("word ", choices=[{"index": 0, "delta": {"content": "word "}, "logprobs": {"content": [token]}}])
    ] * 9
    scene.upstream.will(Answer(*pieces, END, DONE, headers=EVENTS))
    reply = await scene.call(chat("hi", stream=True), "poorer")
    assert (reply.code, scene.outcome(reply).notes) == ("", ())


async def test_what_nothing_limits_is_not_counted(scene: Scene) -> None:
    scene.upstream.will(answer(*[TEXT] * 100))
    assert (await scene.call(chat("hi", stream=True))).code == ""
    scene.upstream.will(answer(*[TEXT] * 100))
    scene.issue("free", poor(1))
    assert (await scene.call(chat("hi", stream=True, model="free"), "free")).code == "", "it has no price"


class Slow:
    """A ledger that takes its time, and says no or yes when it is told to."""

    def __init__(self, ledger: Any) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        self.settle, self.reserve, self._add = ledger.settle, ledger.reserve, ledger.add

    async def add(self, hold: Hold, cost: int) -> Hold:
        self.asked.set()
        refusal = await self.answer
        if refusal is not None:
            raise refusal
        return await self._add(hold, cost)

    async def extend(self, hold: Hold) -> bool:
        return True


async def waiting(scene: Scene, *, slowly: bool = False) -> tuple[Reply, Slow, Answer]:
    """A call whose answer has come to the end of what is held."""
    ledger = Slow(scene.ledger)
    scene.withhold(ledger=ledger)
    said = answer(*[TEXT] * 13, "the end", tail=(END, DONE))
    scene.upstream.will(said)
    reply = scene.begin(chat("hi", stream=True), "poor")
    await ledger.asked.wait()
    await until(lambda: "pause" in said.log)
    if slowly:
        reply.read_slowly(True)
    return reply, ledger, said


async def test_a_caller_that_reads_again_does_not_set_a_waiting_answer_going(scene: Scene) -> None:
    reply, ledger, said = await waiting(scene, slowly=True)
    reply.read_slowly(False)
    assert "resume" not in said.log, "the ledger has not answered"
    ledger.answer.set_result(Refusal("budget_exceeded"))
    assert reply.task is not None
    await reply.task
    assert (reply.code, "the end" in reply.text) == ("budget_exceeded", False)


@pytest.mark.parametrize("slowly", [False, True])
async def test_an_answer_waits_for_the_ledger_and_its_caller(scene: Scene, slowly: bool) -> None:
    reply, ledger, said = await waiting(scene, slowly=slowly)
    ledger.answer.set_result(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert ("resume" in said.log) is not slowly
    if slowly:
        reply.read_slowly(False)
    assert reply.task is not None
    await reply.task
    assert (reply.code, reply.text[-7:]) == ("", "the end")


async def test_what_cannot_be_recorded_is_not_held(scene: Scene) -> None:
    class Full:
        """A journal that takes what it owes, and nothing else."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.journal, name)

        async def append(self, record: Record) -> None:
            if record.kind == "event":
                raise Refusal("audit_unavailable")
            await scene.journal.append(record)

    scene.withhold(journal=Full())
    scene.upstream.will(answer(*[TEXT] * 14, tail=(END, DONE)))
    reply = await scene.call(chat("hi", stream=True), "poor")
    assert (reply.code, scene.outcome(reply).outcome) == ("audit_unavailable", "cut")
    assert 8_000 < spent(scene, "poor") <= 8_500 + 2 * 334, "what was held at first, and one event"


async def test_a_ledger_that_does_not_answer_ends_the_answer(scene: Scene) -> None:
    reply, ledger, _ = await waiting(scene)
    ledger.answer.set_result(Refusal("ledger_unavailable"))
    assert reply.task is not None
    await reply.task
    assert (reply.code, scene.outcome(reply).outcome) == ("ledger_unavailable", "cut")


# ---- whatever comes ------------------------------------------------------------------------------------------------

PRICES = st.builds(
    Price,
    id=st.just("p"),
    rates=st.builds(
        Rates, *[st.integers(0, 3_000_000)] * 2, st.integers(1, 60_000_000), *[st.integers(0, 3_000_000)] * 2
    ),
    request=st.integers(0, 50),
    tiers=st.lists(
        st.builds(Tier, st.integers(0, 900), st.builds(Rates, *[st.integers(0, 9_000_000)] * 5)), max_size=1
    ).map(tuple),
)


@given(price=PRICES, input=st.integers(0, 1000), cost=st.integers(0, 100_000))
def test_what_is_covered_is_the_most_that_costs_no_more(price: Price, input: int, cost: int) -> None:
    covered = price.covered(input, cost)
    if covered:
        assert price.worst_case(input, min(covered, 10**7)) <= cost
    assert covered == UNLIMITED or price.worst_case(input, covered + 1) > cost


def test_what_costs_nothing_is_covered() -> None:
    assert Price("p", Rates(1, 1, 0, 1, 1)).covered(10, 0) == UNLIMITED


@given(received=st.integers(0, 10**5), share=st.floats(0.25, 1), told=st.integers(0, 5000), tokens=st.integers(0, 5000))
def test_below_so_many_bytes_there_is_nothing_to_count(received: int, share: float, told: int, tokens: int) -> None:
    characters = int(received * share)
    if received <= fewest_bytes(tokens, told):
        assert written_tokens(received, characters, told) <= tokens or not received


class Pace:
    """Implements what a headroom uses of an Exchange."""

    def __init__(self) -> None:
        self.paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class Running:
    """Implements what a headroom uses of a Flight."""

    def __init__(self, cuts: list[Refusal]) -> None:
        self.ending = False
        self.cut = cuts.append


class Kept:
    """Implements what a headroom uses of a Journal."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def append(self, record: Record) -> None:
        self.records.append(record)


class Means:
    """Implements what a headroom uses of a Gate."""

    def __init__(self, ledger: MemoryLedger, aside: Callable[..., object]) -> None:
        self.ledger, self.aside, self.journal, self.clock = ledger, aside, Kept(), Clock()


async def test_a_call_that_is_over_holds_no_more() -> None:
    ledger, trail, asked = MemoryLedger(Clock()), Trail("call_1", 0.0, None), list[Any]()  # type: ignore[arg-type]
    trail.hold = await ledger.reserve("call_1", (Scope("key:k", Limits(budget=Budget(10**6, "month"))),), 0, 100)
    means, running = Means(ledger, lambda work, _: asked.append(work)), Running([])
    headroom = Headroom(trail, trail.hold, means, running)  # type: ignore[arg-type]
    headroom.begin(Price("p", Rates(0, 0, 10**6, 0, 0)), Pace(), lambda: True)  # type: ignore[arg-type]
    assert headroom.reached(900, 900, 0)
    running.ending = True
    await asked.pop()
    assert (trail.hold.cost, headroom.steps, means.journal.records) == (100, 0, [])


@settings(max_examples=80, deadline=None)
@given(
    pieces=st.lists(st.integers(1, 4000), max_size=60),
    told=st.sampled_from([0, 40, 900]),
    room=st.integers(0, 20_000),
    price=st.integers(1, 9_000_000),
    lag=st.integers(0, 3),
    others=st.lists(st.integers(0, 2000), max_size=10),
)
def test_no_budget_is_overshot_by_more_than_one_piece(
    pieces: list[int], told: int, room: int, price: int, lag: int, others: list[int]
) -> None:
    """However long the ledger takes, and whatever others spend of the same budget meanwhile."""
    rates = Price("p", Rates(0, 0, price, 0, 0))

    async def play() -> None:
        ledger, trail, pace = MemoryLedger(Clock()), Trail("call_1", 0.0, None), Pace()  # type: ignore[arg-type]
        first = rates.worst_case(0, told or 100)
        scopes = (Scope("key:k", Limits(budget=Budget(first + room, "month"))),)
        trail.told, trail.hold = told, await ledger.reserve("call_1", scopes, 0, first)
        asked: list[Any] = []
        cut: list[Refusal] = []
        means = Means(ledger, lambda work, _: asked.append(work))
        headroom = Headroom(trail, trail.hold, means, Running(cut))  # type: ignore[arg-type]
        headroom.begin(rates, pace, lambda: True)  # type: ignore[arg-type]
        rest, waited, written, last = list(reversed(pieces)), 0, 0, 0
        for number in range(400):
            if others and not number % 3:
                amount = others.pop()
                with contextlib.suppress(Refusal):
                    await ledger.settle(await ledger.reserve(f"other{number}", scopes, 0, amount), 0, amount // 2)
            if asked and (waited := waited + 1) > lag:
                waited = 0
                await asked.pop(0)
            if cut or not (rest or asked):
                break
            if rest and not pace.paused:
                last = written
                written += rest.pop()
                if written > headroom.mark:
                    headroom.reached(written, written, 0)
        for work in asked:
            work.close()
        cost = rates.cost(0, 0, written_tokens(written, written, told))
        assert trail.hold.cost <= max([first, *(each.reserved[1] for each in means.journal.records)]), (
            "it is on the record"
        )
        await ledger.settle(trail.hold, 0, cost)
        account = ledger.account(scopes[0])
        over = account.spent_month - (first + room)
        assert over <= max(cost - rates.cost(0, 0, written_tokens(last, last, told)), 0)

    asyncio.run(play())
