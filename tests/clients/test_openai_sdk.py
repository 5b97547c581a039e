"""The official OpenAI Python SDK, blocking and async: what an application sees is what it knows from OpenAI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "hello there"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
ASKED = [{"role": "user", "content": 'please use get_weather({"city": "Bern"})'}]


@pytest.fixture
def client(endpoint) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=endpoint.base_url, api_key=endpoint.key, max_retries=0, timeout=20) as client:
        yield client


@pytest_asyncio.fixture
async def later(endpoint) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=endpoint.base_url, api_key=endpoint.key, max_retries=0, timeout=20
    ) as client:
        yield client


# ---- answers ----------------------------------------------------------------------------------------------------------


def test_a_completion(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="fast", messages=HELLO)
    assert completion.choices[0].message.content == "You said: hello there"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.object == "chat.completion"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0


async def test_a_completion_async(later: openai.AsyncOpenAI) -> None:
    completion = await later.chat.completions.create(model="fast", messages=HELLO)
    assert completion.choices[0].message.content == "You said: hello there"


def test_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="fast", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "You said: hello there"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_a_stream_async(later: openai.AsyncOpenAI) -> None:
    stream = await later.chat.completions.create(model="fast", messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: hello there"
    assert all(chunk.usage is None for chunk in chunks)


async def test_the_stream_helper(later: openai.AsyncOpenAI) -> None:
    async with later.chat.completions.stream(model="fast", messages=HELLO) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_completion()
    assert kinds.count("content.delta") >= 1
    assert kinds[-1] == "content.done"
    assert final.choices[0].message.content == "You said: hello there"


def test_several_choices(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="fast", messages=HELLO, n=3)
    assert [choice.index for choice in completion.choices] == [0, 1, 2]
    texts: dict[int, str] = {}
    for chunk in client.chat.completions.create(model="fast", messages=HELLO, n=3, stream=True):
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
    assert texts == {choice.index: choice.message.content for choice in completion.choices}


def test_max_tokens(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="fast", messages=HELLO, max_completion_tokens=2)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 2


def test_structured_output(client: openai.OpenAI) -> None:
    class Person(BaseModel):
        name: str
        age: int

    parsed = client.chat.completions.parse(model="fast", messages=HELLO, response_format=Person)
    assert parsed.choices[0].message.parsed == Person(name="You said: hello there", age=1)


# ---- tools ------------------------------------------------------------------------------------------------------------


def test_a_whole_tool_conversation(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="fast", messages=ASKED, tools=[WEATHER])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.content is None
    assert message.tool_calls is not None
    [call] = message.tool_calls
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Bern"})
    result = {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}
    second = client.chat.completions.create(model="fast", messages=[*ASKED, message, result], tools=[WEATHER])
    assert second.choices[0].message.content == "The tool said: 21 degrees"


async def test_a_streamed_tool_call(later: openai.AsyncOpenAI) -> None:
    stream = await later.chat.completions.create(model="fast", messages=ASKED, tools=[WEATHER], stream=True)
    name, arguments, identifier, finish = "", "", "", None
    async for chunk in stream:
        [choice] = chunk.choices
        finish = choice.finish_reason or finish
        for call in choice.delta.tool_calls or ():
            assert call.index == 0
            identifier = call.id or identifier
            if call.function is not None:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    assert (name, json.loads(arguments), finish) == ("get_weather", {"city": "Bern"}, "tool_calls")
    assert identifier.startswith("call_")


async def test_the_stream_helper_assembles_tool_calls(later: openai.AsyncOpenAI) -> None:
    async with later.chat.completions.stream(model="fast", messages=ASKED, tools=[WEATHER]) as stream:
        final = await stream.get_final_completion()
    assert final.choices[0].message.tool_calls is not None
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments == {"city": "Bern"}


def test_a_required_tool(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model="fast", messages=HELLO, tools=[WEATHER], tool_choice="required")
    assert completion.choices[0].message.tool_calls is not None


# ---- errors -----------------------------------------------------------------------------------------------------------


def test_a_wrong_key(endpoint) -> None:
    with (
        openai.OpenAI(base_url=endpoint.base_url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as raised,
    ):
        client.chat.completions.create(model="fast", messages=HELLO)
    assert raised.value.status_code == 401
    assert raised.value.code == endpoint.codes["key"]
    assert raised.value.type == "invalid_request_error"
    assert "sk-wrong" not in str(raised.value)


def test_a_model_that_is_not_there(client: openai.OpenAI, endpoint) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="absent", messages=HELLO)
    assert raised.value.code == endpoint.codes["model"]


def test_a_request_that_is_wrong(client: openai.OpenAI, endpoint) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="fast", messages="hello there")
    assert raised.value.code == endpoint.codes["type"]


@pytest.mark.parametrize(("model", "stream"), [("limited", False), ("limited-stream", True)])
async def test_a_rate_limit(later: openai.AsyncOpenAI, endpoint, model: str, *, stream: bool) -> None:
    with pytest.raises(openai.RateLimitError) as raised:
        await later.chat.completions.create(model=model, messages=HELLO, stream=stream)
    assert raised.value.code == endpoint.codes["limit"]
    assert float(raised.value.response.headers["retry-after"]) > 0


def test_a_permission_that_is_missing(client: openai.OpenAI, endpoint) -> None:
    with pytest.raises(openai.PermissionDeniedError) as raised:
        client.chat.completions.create(model="forbidden", messages=HELLO)
    assert raised.value.code == endpoint.codes["permission"]


def test_a_provider_that_fails(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="broken", messages=HELLO)


def test_an_unknown_route(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.get("/nothing", cast_to=object)


# ---- models -----------------------------------------------------------------------------------------------------------


def test_the_models(client: openai.OpenAI) -> None:
    assert "fast" in {model.id for model in client.models.list()}


async def test_the_models_async(later: openai.AsyncOpenAI) -> None:
    assert "fast" in {model.id async for model in later.models.list()}


# ---- what the gateway adds --------------------------------------------------------------------------------------------


def test_the_headers_of_an_answer(gateway) -> None:
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="fast", messages=HELLO)
        assert raw.headers["x-yett-request-id"] == raw.headers["x-request-id"] == raw.parse()._request_id
        assert raw.headers["x-yett-decision"] == "allow"
        assert "everything-but-forbidden" in raw.headers["x-yett-policies"]
        assert (raw.headers["x-yett-provider"], raw.headers["x-yett-model"]) == ("sim", "fast")
        assert raw.headers["x-yett-cost-usd"] == "unknown"
        assert int(raw.headers["x-ratelimit-limit-requests"]) == 100_000
        assert int(raw.headers["x-ratelimit-remaining-requests"]) < 100_000
        assert raw.headers["x-ratelimit-reset-requests"]
        record = client.get(
            f"{gateway.base_url.removesuffix('/v1')}/yett/v1/calls/{raw.headers['x-yett-request-id']}", cast_to=object
        )
        assert record["outcome"] == "ok"
        assert record["target"] == "sim/fast"


def test_the_headers_of_a_refusal(gateway) -> None:
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        with pytest.raises(openai.PermissionDeniedError) as raised:
            client.chat.completions.create(model="forbidden", messages=HELLO)
        assert raised.value.response.headers["x-yett-decision"] == "deny"
        assert raised.value.request_id == raised.value.response.headers["x-yett-request-id"]


async def test_a_streams_headers_and_last_comment(gateway) -> None:
    async with openai.AsyncOpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        call = client.chat.completions.with_streaming_response.create(model="fast", messages=HELLO, stream=True)
        async with call as response:
            lines = [line async for line in response.iter_lines()]
    assert response.headers["x-yett-provider"] == "sim"
    assert "data: [DONE]" in lines
    assert ": x-yett-cost-usd: unknown" in lines


def test_only_permitted_models_are_listed(gateway) -> None:
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        assert {model.id for model in client.models.list()} == {"fast", "limited", "limited-stream", "broken"}
        assert client.models.retrieve("fast").id == "fast"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("forbidden")


def test_the_body_leaves_as_it_came(gateway, provider) -> None:
    """But for the model name, which is the same here. `extra_body` is what the SDK knows nothing about."""
    provider.reset()
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        client.chat.completions.create(
            model="fast", messages=HELLO, temperature=0.10, extra_body={"new_field": {"z": 1, "a": [None, 1.50, "ü"]}}
        )
    [received] = provider.requests
    assert json.loads(received.body)["new_field"] == {"z": 1, "a": [None, 1.5, "ü"]}
    assert received.bearer != gateway.key
    assert "ytk_" not in str(received.headers)
