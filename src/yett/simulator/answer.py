"""What the simulator says: a pure function of the question and the behaviour, so that every run repeats the last."""

from __future__ import annotations

import json
import re

import msgspec
from msgspec import Struct

from yett.simulator.behaviour import Behaviour
from yett.simulator.question import Choice, Function, Message, Question

_FILLER = (
    "and so the gate stood open to those who had business there while the keeper wrote down each name in the long book "
)
_FILLER_WORDS = len(_FILLER.split())
_INJECTION = re.compile(
    r"ignore (?:all |any )?(?:the |your )?(?:previous|prior|above|earlier) instructions,? and "
    r"(?:say|reply with|answer with|print|output|(?P<call>call))[: ]\s*(?P<what>[^\n]+)",
    re.IGNORECASE,
)
_MOST_DELTAS = 2_000
_MESSAGE_TOKENS = 4  # that every message costs besides its text


class ToolCall(Struct, frozen=True):
    """A proposed call; `arguments` are its JSON in the pieces that a stream sends."""

    name: str
    arguments: tuple[str, ...]


class Answer(Struct, frozen=True):
    """One choice: content deltas (or tool calls), the finish_reason, and its length in tokens."""

    content: tuple[str, ...]
    calls: tuple[ToolCall, ...]
    finish: str
    tokens: int


class Tokens(Struct, frozen=True):
    """What is reported as used, in tokens; `cached` is part of `input`."""

    input: int
    output: int
    cached: int


def count(text: str) -> int:
    """The simulator's tokens: one for every four characters begun."""
    return (len(text) + 3) // 4


def answers(question: Question, behaviour: Behaviour) -> tuple[Answer, ...]:
    """One answer for each of the `n` choices."""
    text, calls = _reaction(question, behaviour)
    return tuple(_choice(question, behaviour, text, calls, index) for index in range(question.n or 1))


def tokens(question: Question, behaviour: Behaviour, given: tuple[Answer, ...]) -> Tokens:
    """Usage as reported, which is the true one unless the behaviour lies."""
    true_input = 3 + sum(_MESSAGE_TOKENS + count(message.text) for message in question.conversation)
    true_output = sum(answer.tokens for answer in given)
    return Tokens(
        true_input if behaviour.usage_input is None else behaviour.usage_input,
        true_output if behaviour.usage_output is None else behaviour.usage_output,
        behaviour.usage_cached,
    )


def _choice(question: Question, behaviour: Behaviour, text: str, calls: list[tuple[str, str]], index: int) -> Answer:
    if calls:
        made = tuple(ToolCall(name, _pieces(arguments, behaviour.pieces or 12)) for name, arguments in calls)
        spent = sum(count(name) + count(arguments) for name, arguments in calls)
        return Answer((), made, behaviour.finish or "tool_calls", spent)
    if index:
        text = f"{text} (choice {index + 1})"
    text = _lengthened(text, behaviour)
    finish = "stop"
    limit = None if behaviour.overrun else question.max_completion_tokens or question.max_tokens
    if limit is not None and count(text) > limit:
        text, finish = text[: limit * 4], "length"
    whole = not question.stream and not behaviour.secret  # then nobody sees the pieces
    deltas = (text,) if whole else _planted(_deltas(text, behaviour), behaviour)
    return Answer(deltas, (), behaviour.finish or finish, (sum(map(len, deltas)) + 3) // 4)


# ---- what to say --------------------------------------------------------------------------------------------------


def _reaction(question: Question, behaviour: Behaviour) -> tuple[str, list[tuple[str, str]]]:
    """A text, or tool calls as (name, JSON arguments)."""
    if behaviour.obey and (obeyed := _obeyed(question.conversation)) is not None:
        return obeyed
    if behaviour.answer:
        return behaviour.answer, []
    if calls := _tool_calls(question):
        return "", calls
    results = _trailing_results(question.conversation)
    text = f"The tool said: {'; '.join(results)}" if results else f"You said: {question.last_user}"
    if question.response_format is not None and question.response_format.type != "text":
        return _structured(question, text), []
    return text, []


def _obeyed(conversation: list[Message]) -> tuple[str, list[tuple[str, str]]] | None:
    """The reaction to the newest injected instruction; one that was already followed by a tool call is done with."""
    acted = False
    for message in reversed(conversation):
        if message.role == "assistant":
            acted = acted or bool(message.tool_calls)
            continue
        match = _INJECTION.search(message.text)
        if match is None:
            continue
        if not match["call"]:
            return match["what"].strip().strip("\"'"), []
        name = re.match(r"[\w.-]+", match["what"])
        if name is not None and not acted:
            return "", [(name[0], _literal_arguments(match["what"], name[0]) or "{}")]
    return None


def _tool_calls(question: Question) -> list[tuple[str, str]]:
    """The calls that this question makes us propose: named or required by tool_choice, or named in the user's text."""
    functions, choice = question.functions, question.tool_choice
    if not functions or choice == "none" or _trailing_results(question.conversation):
        return []
    asked = question.last_user
    wanted = [function for function in functions if function.name.lower() in asked.lower()]
    if isinstance(choice, Choice):
        name = choice.function.name if choice.function else ""
        wanted = [function for function in functions if function.name == name]
    elif choice == "required":
        wanted = wanted or functions[:1]
    if question.parallel_tool_calls is False:
        wanted = wanted[:1]
    return [(function.name, _arguments(function, asked)) for function in wanted]


def _arguments(function: Function, asked: str) -> str:
    """The literal `name({…})` of the user's text, else something that fits the schema."""
    return _literal_arguments(asked, function.name) or _encoded(_example(function.parameters or {}, asked))


def _literal_arguments(text: str, name: str) -> str:
    start = text.find(f"{name}({{")
    if start < 0:
        return ""
    start += len(name) + 1
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (json.JSONDecodeError, RecursionError):
        return ""
    return text[start:end]


def _example(schema: dict[str, object], asked: str, depth: int = 0) -> object:
    """A value that fits a JSON Schema, as far as tests need it: strings are the user's text."""
    if isinstance(choices := schema.get("enum"), list) and choices:
        return choices[0]
    if "const" in schema:
        return schema["const"]
    properties = schema.get("properties")
    kind = schema.get("type", "object" if isinstance(properties, dict) or not depth else "string")
    if kind == "object":
        inner = properties if isinstance(properties, dict) and depth < 8 else {}
        return {name: _example(part, asked, depth + 1) for name, part in inner.items() if isinstance(part, dict)}
    if kind == "array":
        items = schema.get("items")
        return [_example(items, asked, depth + 1)] if isinstance(items, dict) and depth < 8 else []
    values: dict[object, object] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
    return values.get(kind if isinstance(kind, str) else "", asked[:200])


def _structured(question: Question, text: str) -> str:
    form = question.response_format
    schema = form.json_schema.schema if form is not None and form.json_schema is not None else None
    return _encoded(_example(schema, text) if schema else {"answer": text})


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _trailing_results(conversation: list[Message]) -> list[str]:
    """The tool results that end the conversation."""
    results: list[str] = []
    for message in reversed(conversation):
        if message.role != "tool":
            break
        results.append(message.text)
    return results[::-1]


# ---- in which pieces ----------------------------------------------------------------------------------------------


def _lengthened(text: str, behaviour: Behaviour) -> str:
    if behaviour.words:
        cycles = behaviour.words // _FILLER_WORDS + 1
        text = " ".join((_FILLER * cycles).split()[: behaviour.words])
    if behaviour.chunks > 1 and (missing := behaviour.chunks - len(text.split())) > 0:
        text = f"{text} {' '.join((_FILLER * (missing // _FILLER_WORDS + 1)).split()[:missing])}"
    if len(text) < behaviour.size:
        text = f"{text} {_FILLER * (behaviour.size // len(_FILLER) + 1)}"[: behaviour.size]
    return text


def _deltas(text: str, behaviour: Behaviour) -> list[str]:
    """The text in the pieces that are streamed: words with the space before them, as tokens come from a model."""
    if behaviour.pieces:
        return list(_pieces(text, behaviour.pieces))
    if not behaviour.chunks and len(text) > 16 * _MOST_DELTAS:
        return list(_pieces(text, len(text) // _MOST_DELTAS + 1))
    words = re.findall(r"\s*\S+|\s+$", text)
    wanted = behaviour.chunks or min(len(words), _MOST_DELTAS)
    if len(words) <= wanted:
        return words
    return ["".join(words[i * len(words) // wanted : (i + 1) * len(words) // wanted]) for i in range(wanted)]


def _pieces(text: str, size: int) -> tuple[str, ...]:
    return tuple(text[i : i + size] for i in range(0, len(text), size))


def _planted(deltas: list[str], behaviour: Behaviour) -> tuple[str, ...]:
    """The deltas with the secret between them, set off by spaces on both sides."""
    if not behaviour.secret:
        return tuple(deltas)
    at = min(behaviour.secret_at, len(deltas))
    before, after = deltas[:at], deltas[at:]
    secret = behaviour.secret
    if before and not before[-1][-1:].isspace():
        secret = f" {secret}"
    if after and not after[0][:1].isspace():
        secret = f"{secret} "
    return (*before, *_pieces(secret, behaviour.secret_pieces or len(secret)), *after)
