"""What the simulator reads of a chat completion request, and OpenAI's complaints about what it cannot read."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Struct, UnsetType

from yett.simulator.behaviour import Behaviour


class Complaint(Exception):
    """An error answer in OpenAI's shape. `retry_after` is the value of the header, "" for none."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", code: str = "", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param

    def body(self) -> bytes:
        """The JSON that OpenAI sends, pretty-printed as OpenAI does."""
        error = {
            "message": self.message,
            "type": self.kind,
            "param": self.param or None,
            "code": self.code or None,
        }
        return msgspec.json.format(msgspec.json.encode({"error": error}), indent=2)


class Part(Struct, frozen=True):
    type: str = "text"
    text: str = ""


class CalledFunction(Struct, frozen=True):
    name: str = ""
    arguments: str = ""


class Called(Struct, frozen=True):
    id: str = ""
    function: CalledFunction = CalledFunction()


class Message(Struct, frozen=True):
    role: str
    content: str | list[Part] | None = None
    tool_calls: list[Called] | None = None
    tool_call_id: str = ""

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content or ())


class Function(Struct, frozen=True):
    name: str
    parameters: dict[str, object] | None = None


class Tool(Struct, frozen=True):
    type: str = "function"
    function: Function | None = None


class ChosenFunction(Struct, frozen=True):
    name: str


class Choice(Struct, frozen=True):
    type: str = "function"
    function: ChosenFunction | None = None


class StreamOptions(Struct, frozen=True):
    include_usage: bool = False


class JsonSchema(Struct, frozen=True):
    schema: dict[str, object] | None = None


class ResponseFormat(Struct, frozen=True):
    type: str = "text"
    json_schema: JsonSchema | None = None


class Question(Struct, frozen=True):
    """A chat completion request: the fields that the answer depends on. Unknown fields are ignored."""

    model: str | UnsetType = UNSET
    messages: list[Message] | UnsetType = UNSET
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    response_format: ResponseFormat | None = None

    @property
    def functions(self) -> list[Function]:
        return [tool.function for tool in self.tools or () if tool.function is not None]

    @property
    def conversation(self) -> list[Message]:
        return [] if self.messages is UNSET else self.messages

    @property
    def last_user(self) -> str:
        """The text of the last user message, "" when there is none."""
        return next((message.text for message in reversed(self.conversation) if message.role == "user"), "")


_question = msgspec.json.Decoder(Question)


def decode(body: bytes) -> Question:
    """Read a request body. Raises Complaint as OpenAI would."""
    try:
        question = _question.decode(body)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        param = path.strip("`").removeprefix("$.")
        raise Complaint(400, f"Invalid type for '{param}': {message}", code="invalid_type", param=param) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Complaint(
            400,
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
            "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
        ) from error
    if not question.model:
        raise Complaint(400, "you must provide a model parameter")
    if question.messages is UNSET:
        raise Complaint(
            400, "Missing required parameter: 'messages'.", code="missing_required_parameter", param="messages"
        )
    if not question.messages:
        raise Complaint(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            code="empty_array",
            param="messages",
        )
    if question.n is not None and not 1 <= question.n <= 128:
        raise Complaint(
            400,
            f"Invalid 'n': expected a value from 1 to 128, but got {question.n} instead.",
            code="invalid",
            param="n",
        )
    if not question.stream and question.stream_options is not None:
        raise Complaint(
            400,
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    return question


_FAILURES: dict[int, tuple[str, str, str]] = {
    400: ("Invalid request.", "invalid_request_error", ""),
    401: ("Incorrect API key provided: {key}.", "invalid_request_error", "invalid_api_key"),
    403: ("You are not allowed to do this.", "invalid_request_error", "permission_denied"),
    404: (
        "The model `{model}` does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
    ),
    429: (
        "Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1.",
        "requests",
        "rate_limit_exceeded",
    ),
    500: ("The server had an error while processing your request. Sorry about that!", "server_error", ""),
    503: ("The server is currently overloaded with other requests. Sorry about that!", "service_unavailable_error", ""),
}


def failure(behaviour: Behaviour, model: str, bearer: str) -> Complaint:
    """The error that `behaviour.status` stands for."""
    row = _FAILURES.get(behaviour.status) or _FAILURES[400 if behaviour.status < 500 else 500]
    message, kind, code = row
    text = behaviour.message or message.format(key=masked(bearer), model=model)
    return Complaint(behaviour.status, text, kind=kind, code=behaviour.code or code)


def masked(bearer: str) -> str:
    """A key as OpenAI repeats it in an error: its ends."""
    return f"{bearer[:8]}{'*' * 8}{bearer[-4:]}" if len(bearer) > 12 else "*" * len(bearer)
