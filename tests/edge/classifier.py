"""A text classifier in a folder, as an operator would supply one, but tiny: ONNX written by hand (onnx.proto3), so that no
framework is needed to make it.

    logits = sum over tokens of embedding[token], where a token is one word
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

FLOAT, INT64 = 1, 7  # TensorProto.DataType
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def classifier(
    folder: Path,
    words: Mapping[str, Sequence[float]],
    *,
    labels: Sequence[str] = (),
    inputs: Sequence[str] = ("input_ids", "attention_mask"),
    window: int = 512,
    work: int = 0,
    **config: object,
) -> Path:
    """A folder with a model that adds up what `words` say for each class. `work` multiplications slow it down."""
    folder.mkdir(parents=True, exist_ok=True)
    classes = len(next(iter(words.values())))
    nothing, unknown = [0.0] * classes, [0.5] + [0.0] * (classes - 1)
    rows = [nothing, unknown, nothing, nothing, *[list(row) for row in words.values()]]
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *words))}
    (folder / "model.onnx").write_bytes(_model(rows, inputs, work))
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    if labels or config:
        named = {str(number): label for number, label in enumerate(labels)}
        described = {"id2label": named, "max_position_embeddings": window, **config}
        (folder / "config.json").write_text(json.dumps(described))
    return folder


def _model(rows: Sequence[Sequence[float]], inputs: Sequence[str], work: int) -> bytes:
    classes = len(rows[0])
    table = _tensor("table", FLOAT, (len(rows), classes), [value for row in rows for value in row])
    wide = [_tensor("wide", FLOAT, (classes, 512), [0.0] * (classes * 512))] if work else []
    square = [_tensor("square", FLOAT, (512, 512), [0.0] * (512 * 512))] if work else []
    nodes = [
        _node("Gather", ["table", "input_ids"], "embedded"),
        _node("Cast", ["attention_mask"], "mask", _attribute("to", FLOAT)),
        _node("Unsqueeze", ["mask", "last"], "column"),
        _node("Mul", ["embedded", "column"], "masked"),
        _node("ReduceSum", ["masked", "tokens"], "sum" if work else "logits", _attribute("keepdims", 0)),
    ]
    if work:
        nodes.append(_node("MatMul", ["masked", "wide"], "busy0"))
        nodes += [_node("MatMul", [f"busy{i}", "square"], f"busy{i + 1}") for i in range(work)]
        nodes.append(_node("ReduceSum", [f"busy{work}", "tokens"], "idle", _attribute("keepdims", 0)))
        nodes.append(_node("ReduceSum", ["idle", "one"], "nothing", _attribute("keepdims", 1)))
        nodes.append(_node("Add", ["sum", "nothing"], "logits"))
    axes = [_tensor("last", INT64, (1,), [2]), _tensor("tokens", INT64, (1,), [1]), _tensor("one", INT64, (1,), [1])]
    graph = b"".join(_bytes(1, node) for node in nodes)
    graph += _text(2, "classifier")
    graph += b"".join(_bytes(5, tensor) for tensor in (table, *wide, *square, *axes))
    graph += b"".join(_bytes(11, _value(name, INT64, ("batch", "sequence"))) for name in inputs)
    graph += _bytes(12, _value("logits", FLOAT, ("batch", classes)))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13))


# ---- protocol buffers (protobuf.dev/programming-guides/encoding) --------------------------------------------------


def _varint(value: int) -> bytes:
    raw = b""
    while value > 127:
        raw += bytes((value & 127 | 128,))
        value >>= 7
    return raw + bytes((value,))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _node(operator: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    raw = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(3, output) + _text(4, operator)
    return raw + b"".join(_bytes(5, attribute) for attribute in attributes)


def _attribute(name: str, value: int) -> bytes:
    return _text(1, name) + _number(3, value) + _number(20, 2)  # type INT


def _tensor(name: str, kind: int, shape: Sequence[int], values: Sequence[float]) -> bytes:
    raw = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    return b"".join(_number(1, size) for size in shape) + _number(2, kind) + _text(8, name) + _bytes(9, raw)


def _value(name: str, kind: int, shape: Sequence[str | int]) -> bytes:
    sizes = [_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape]
    dimensions = b"".join(_bytes(1, size) for size in sizes)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, dimensions)))
