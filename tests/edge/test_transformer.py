"""A classifier that the operator supplies, run for real by ONNX Runtime."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.edge.classifier import classifier

from yett.edge.local_models import UnusableError
from yett.edge.transformer import MOST_WINDOWS, Transformer
from yett.guardrails.kind import Piece
from yett.model.guardrail import Guardrail
from yett.model.route import Provider, Timeouts

NAN = float("nan")
WORDS = {"attack": (-4.0, 4.0), "benign": (4.0, -4.0), "fine": (1.0, 0.0), "maybe": (0.0, 0.0), "broken": (NAN, NAN)}


def guardrail(**settings: Any) -> Guardrail:
    provider = Provider("guardrail/g", "transformer", "", (), (), Timeouts())
    return Guardrail(id="g", kind="transformer", provider=provider, **settings)


def pieces(*texts: str) -> list[Piece]:
    return [Piece(text, "user", number) for number, text in enumerate(texts)]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Any]:
    loaded: list[Transformer] = []

    def make(pin: str = "", **how: Any) -> Transformer:
        words = how.pop("words", WORDS)
        loaded.append(Transformer(classifier(tmp_path / "model", words, **how), pin))
        return loaded[-1]

    yield make
    for model in loaded:
        model.close()


async def test_it_judges(load: Any) -> None:
    verdict = await load().judge(guardrail(), pieces("an attack it is", "benign and fine", "fine"))
    assert verdict.complete
    assert [(s.kind, s.piece, s.start, s.end, s.flagged) for s in verdict.signals] == [
        ("injection.transformer", 0, 0, 15, True),
        ("injection.transformer", 1, 0, 15, False),
        ("injection.transformer", 2, 0, 4, False),
    ]
    assert [round(s.score, 3) for s in verdict.signals] == [0.998, 0.0, 0.269]


async def test_padding_changes_nothing(load: Any) -> None:
    model = load()
    alone = await model.judge(guardrail(), pieces("fine"))
    beside = await model.judge(guardrail(), pieces("fine", "maybe " * 100))
    assert alone.signals[0].score == pytest.approx(beside.signals[0].score)


async def test_labels_and_inputs_are_the_models(load: Any) -> None:
    model = load(
        labels=("toxicity", "violence"),
        problem_type="multi_label_classification",
        inputs=("input_ids", "attention_mask", "token_type_ids"),
    )
    verdict = await model.judge(guardrail(threshold=0.9), pieces("attack"))
    assert [(s.kind, s.flagged) for s in verdict.signals] == [
        ("moderation.harassment", False),
        ("moderation.violence", True),
    ]


async def test_long_texts_are_judged_window_by_window(load: Any) -> None:
    model = load(labels=("benign", "injection"), window=32)
    text = "benign " * 100 + "attack attack attack " + "benign " * 20
    verdict = await model.judge(guardrail(), pieces(text))
    assert verdict.complete
    assert verdict.signals[0].start == 0
    assert verdict.signals[-1].end == len(text.rstrip())
    ends = [signal.end for signal in verdict.signals]
    assert all(later.start < end for end, later in zip(ends, verdict.signals[1:], strict=False))  # they overlap


async def test_more_windows_than_it_judges_are_said(load: Any) -> None:
    model = load(labels=("benign", "injection"), window=8)
    verdict = await model.judge(guardrail(), pieces("benign " * 10 * MOST_WINDOWS))
    assert not verdict.complete
    assert len(verdict.signals) == MOST_WINDOWS


async def test_offsets_are_characters(load: Any) -> None:
    model = load(labels=("benign", "injection"), window=8)
    text = "\U0001f600 é benign benign benign benign \U0001f600 attack attack attack attack attack"
    flagged = [s for s in (await model.judge(guardrail(), pieces(text))).signals if s.flagged]
    assert flagged
    assert all("attack" in text[s.start : s.end] for s in flagged)
    assert max(s.end for s in flagged) == len(text)


@pytest.mark.parametrize("text", ["\ud83d", "attack \udc00", "\x00", "\u202e" * 50, "¯\\_(ツ)_/¯"])
async def test_odd_texts(load: Any, text: str) -> None:
    verdict = await load().judge(guardrail(), pieces(text))
    assert verdict.complete
    assert [s.flagged for s in verdict.signals] == ["attack" in text]


async def test_what_is_not_a_number_is_no_verdict(load: Any) -> None:
    verdict = await load().judge(guardrail(), pieces("attack", "broken"))
    assert not verdict.complete
    assert [signal.piece for signal in verdict.signals] == [0]


async def test_many_at_once(load: Any) -> None:
    model = load()
    verdicts = await asyncio.gather(
        *[model.judge(guardrail(), pieces("attack" if number % 2 else "benign")) for number in range(40)]
    )
    assert [verdict.signals[0].flagged for verdict in verdicts] == [bool(number % 2) for number in range(40)]


async def test_cancelled_its_thread_stops(load: Any) -> None:
    model = load(work=40)
    long = pieces(*["maybe " * 500] * 20)
    tasks = [asyncio.ensure_future(model.judge(guardrail(), long)) for _ in range(4)]  # two of them wait for a thread
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    assert all(isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*tasks, return_exceptions=True))
    verdict = await model.judge(guardrail(), pieces("attack"))  # the threads are free again
    assert verdict.complete


async def test_a_model_that_is_given_up_judges_nothing(load: Any) -> None:
    model = load(work=5)
    waiting = [asyncio.ensure_future(model.judge(guardrail(), pieces("maybe " * 500))) for _ in range(8)]
    await asyncio.sleep(0)
    model.close()
    verdicts = await asyncio.gather(*waiting)
    assert not verdicts[-1].complete


async def test_a_model_that_fails_has_judged_nothing(load: Any, caplog: pytest.LogCaptureFixture) -> None:
    model = load()
    model._inputs = frozenset(("input_ids",))  # an input is missing: what the runtime raises then is its own
    with caplog.at_level(logging.ERROR, "yett"):
        verdict = await model.judge(guardrail(), pieces("attack me"))
    assert (verdict.signals, verdict.complete) == ((), False)
    assert "its model failed" in caplog.text
    assert "attack me" not in caplog.text


# ---- loading --------------------------------------------------------------------------------------------------------


def test_the_model_is_named_by_its_hash(load: Any, tmp_path: Path) -> None:
    model = load()
    digest = hashlib.sha256((tmp_path / "model" / "model.onnx").read_bytes()).hexdigest()
    assert load(pin=digest).identity == model.identity
    other = {"attack": (-3.0, 3.0)}
    assert load(words=other).identity != model.identity
    with pytest.raises(UnusableError, match="not the configured one"):
        load(pin=digest, words=other)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.onnx", b"not a model"),
        ("model.onnx", b""),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b"\xff"),
        ("config.json", b'{"id2label":{"0":"a","1":"b","2":"c"}}'),
        ("config.json", b"[]"),
    ],
)
def test_what_cannot_run_is_refused_at_once(file: str, content: bytes, tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model", WORDS)
    (folder / file).write_bytes(content)
    with pytest.raises(UnusableError, match="model"):
        Transformer(folder)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_what_is_missing_is_named(file: str, tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model", WORDS)
    (folder / file).unlink()
    with pytest.raises(UnusableError, match=file):
        Transformer(folder)
