"""Text classifiers that the operator supplies, run by ONNX Runtime in threads of their own. Needs the extra `ml`.

Everything is read from one folder: `model.onnx`, `tokenizer.json`, and `config.json` where there is one. Nothing is fetched,
nothing is unpickled; what was hashed is what is loaded.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from msgspec import Struct
from tokenizers import Tokenizer

from yett.edge.local_models import UnusableError
from yett.guardrails.kind import Piece, Verdict
from yett.guardrails.transformer import BINARY, LONGEST, Labels, labels, signals
from yett.model.guardrail import Guardrail

THREADS = 2
BATCH = 8  # windows that are run together
MOST_WINDOWS = 64  # of one question; what is beyond is not judged, and the verdict says so
STRIDE = 64  # tokens that two windows have in common
_SURROGATE = re.compile("[\ud800-\udfff]")  # the tokenizer takes text that is Unicode throughout

log = logging.getLogger("yett")


class Window(Struct, frozen=True):
    """Tokens of one piece, and the characters that they stand for."""

    piece: int
    start: int
    end: int
    ids: list[int]
    types: list[int]


class Transformer:
    """Implements edge.guardrails.LocalModel. May be shared by guardrails that differ in thresholds and kinds."""

    longest = LONGEST

    def __init__(self, folder: Path, pin: str = "") -> None:
        """Load it, which blocks. Raises UnusableError."""
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"guardrail-{folder.name}")
        loading = self._pool.submit(self._load, folder, pin)
        error = loading.exception()  # both libraries raise plain Exceptions, of any of their own kinds
        if error is not None:
            self._pool.shutdown(wait=False)
            raise UnusableError(f"{folder}: {error}") from error

    def _load(self, folder: Path, pin: str) -> None:
        raw = (folder / "model.onnx").read_bytes()
        vocabulary = (folder / "tokenizer.json").read_bytes()
        config = folder / "config.json"
        self._labels: Labels = labels(config.read_bytes()) if config.exists() else BINARY
        digest = hashlib.sha256(raw).hexdigest()
        if pin and pin != digest:
            raise UnusableError(f"model.onnx has the SHA-256 {digest}, which is not the configured one")
        whole = hashlib.sha256(raw + vocabulary + repr(self._labels).encode())
        self.identity = f"model sha256:{whole.hexdigest()[:16]}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
        self._inputs = frozenset(one.name for one in self._session.get_inputs())
        self._output: str = self._session.get_outputs()[0].name
        self._tokenizer: Any = Tokenizer.from_str(vocabulary.decode("utf-8"))
        self._tokenizer.enable_truncation(self._labels.window, stride=min(STRIDE, self._labels.window // 4))
        self._tokenizer.no_padding()
        self._logits(onnxruntime.RunOptions(), self._windows([Piece("It runs.", "user")]))  # or it is not usable

    async def judge(self, guardrail: Guardrail, pieces: Sequence[Piece]) -> Verdict:
        """What the model says. Ends when its thread has stopped, also when it is cancelled; a model that fails has judged
        nothing."""
        run = onnxruntime.RunOptions()
        work = self._pool.submit(self._judge, run, guardrail, pieces)
        thinking = asyncio.wrap_future(work)
        try:
            await asyncio.wait({thinking})
        except asyncio.CancelledError:
            run.terminate = True
            work.cancel()  # when it has not begun
            await asyncio.wait({thinking})
            raise
        if thinking.cancelled():  # the model is being given up
            return Verdict((), complete=False)
        error = thinking.exception()
        if error is not None:
            log.error("guardrail %s: its model failed: %s", guardrail.id, type(error).__name__)
            return Verdict((), complete=False)
        return thinking.result()

    def close(self) -> None:
        """No more questions. What is being judged is still judged."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    # ---- in a thread --------------------------------------------------------------------------------------------

    def _judge(self, run: Any, guardrail: Guardrail, pieces: Sequence[Piece]) -> Verdict:
        windows = self._windows(pieces)
        taken = windows[:MOST_WINDOWS]
        rows = self._logits(run, taken)
        finite = all(np.isfinite(row).all() for row in rows)
        found = [
            signal
            for window, row in zip(taken, rows, strict=True)
            if np.isfinite(row).all()
            for signal in signals(guardrail, self._labels, window.piece, [(window.start, window.end)], [row.tolist()])
        ]
        return Verdict(tuple(found), complete=finite and len(taken) == len(windows))

    def _windows(self, pieces: Sequence[Piece]) -> list[Window]:
        texts = [_SURROGATE.sub("\ufffd", piece.text) for piece in pieces]
        return [
            window
            for number, encoding in enumerate(self._tokenizer.encode_batch(texts))
            for window in _cut(number, len(texts[number]), encoding)
        ]

    def _logits(self, run: Any, windows: Sequence[Window]) -> list[Any]:
        rows: list[Any] = []
        for start in range(0, len(windows), BATCH):
            batch = windows[start : start + BATCH]
            shape = (len(batch), max(len(window.ids) for window in batch))
            feed = {name: np.zeros(shape, np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
            for row, window in enumerate(batch):
                feed["input_ids"][row, : len(window.ids)] = window.ids
                feed["attention_mask"][row, : len(window.ids)] = 1
                feed["token_type_ids"][row, : len(window.ids)] = window.types
            given = {name: value for name, value in feed.items() if name in self._inputs}
            (logits,) = self._session.run([self._output], given, run)
            if logits.shape != (len(batch), len(self._labels.names)):
                raise ValueError(
                    f"the model's output has the shape {logits.shape}, for {len(self._labels.names)} labels"
                )
            rows.extend(logits.astype(np.float64))
        return rows


def _cut(number: int, length: int, encoding: Any) -> Iterator[Window]:
    """The windows of one text; tokens that stand for no character (the special ones) have an empty span."""
    for part in (encoding, *encoding.overflowing):
        spans = [(start, end) for start, end in part.offsets if end > start]
        start, end = (min(s for s, _ in spans), max(e for _, e in spans)) if spans else (0, length)
        yield Window(number, start, end, part.ids, part.type_ids)
