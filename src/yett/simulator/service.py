"""Which script answers a request: routes, keys, models, behaviours and their counters. No sockets."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.simulator import guardrails, wire
from yett.simulator.answer import answers, tokens
from yett.simulator.behaviour import BadBehaviour, Behaviour, read, split
from yett.simulator.question import Complaint, Question, decode, failure, masked
from yett.simulator.recording import Received, Recording, Request
from yett.simulator.script import Script, Terms, buffered, streamed
from yett.simulator.settings import Settings

_PLAIN = Behaviour()
_API = re.compile(r"(?:/([A-Za-z0-9_-]+))?/v1/(chat/completions|models)")
_NO_STREAM = frozenset({"http", "html", "empty"})
_MOST_MEMORISED = 4_096


class _Behave(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/behave`: the words that `model` or `provider` (or, with neither, everything) has besides its configured ones from now on."""

    behaviour: str
    model: str = ""
    provider: str = ""


class Service:
    """The simulated provider. `connections` is kept by whoever owns the sockets."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.recording = Recording(settings.record_requests, settings.record_bytes)
        self.connections = 0
        self._layers = settings.layers
        self._behaviours: dict[tuple[str, str], Behaviour] = {}
        self._asked: dict[tuple[str, str], int] = {}

    def reset(self) -> None:
        """Forget requests, counters and changed behaviours."""
        self.recording.clear()
        self._layers = self.settings.layers
        self._behaviours.clear()
        self._asked.clear()

    def behave(self, words: str, *, model: str = "", provider: str = "") -> None:
        """Put `words` (`status=500+fail.first=2`, "" for none) on top of what is configured for a layer, and start its
        counters again. Raises BadBehaviour."""
        _, asked = split(f"+{words}") if words else ("", {})
        read(asked, _PLAIN)
        layers, configured = self._layers, self.settings.layers
        if model:
            words_of = {**configured.models.get(model, {}), **asked}
            layers = replace(layers, models={**layers.models, model: words_of})
        elif provider:
            words_of = {**configured.providers.get(provider, {}), **asked}
            layers = replace(layers, providers={**layers.providers, provider: words_of})
        else:
            layers = replace(layers, default={**configured.default, **asked})
        self._layers = layers
        self._behaviours.clear()
        for asked_provider, asked_model in list(self._asked):
            if asked_model.partition("+")[0] == model or (not model and provider in {"", asked_provider}):
                del self._asked[asked_provider, asked_model]

    # ---- requests ---------------------------------------------------------------------------------------------------

    def reply(self, request: Request, terms: Terms) -> tuple[Script, Received | None]:
        """The script that answers, and the entry of the recording (control requests have none)."""
        path = request.target.partition("?")[0]
        if path.startswith("/sim/"):
            return self._control(request, path, terms), None
        received = self.recording.keep(request)
        try:
            return self._provider(request, path, terms), received
        except Complaint as complaint:
            return buffered(complaint.body(), _PLAIN, terms, status=complaint.status), received

    def _provider(self, request: Request, path: str, terms: Terms) -> Script:
        if guardrail := guardrails.kind_of(path):
            return self._guardrail(request, guardrail, path, terms)
        match = _API.fullmatch(path)
        if match is None:
            raise Complaint(404, f"Invalid URL ({request.method} {path})")
        if request.method != ("GET" if match[2] == "models" else "POST"):
            raise Complaint(
                405,
                f"Not allowed to {request.method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)",
                code="method_not_supported",
            )
        bearer = self._authenticated(request)
        if match[2] == "models":
            return buffered(wire.models(self.settings.models), _PLAIN, terms)
        question = decode(request.body)
        model = str(question.model)
        behaviour = self._behaviour(match[1] or "", model, bearer)
        if behaviour.status:
            complaint = failure(behaviour, model, bearer)
            return buffered(complaint.body(), behaviour, terms, status=complaint.status)
        return self._answer(question, request.body, model, behaviour, terms)

    def _answer(self, question: Question, body: bytes, model: str, behaviour: Behaviour, terms: Terms) -> Script:
        given = answers(question, behaviour)
        spent = tokens(question, behaviour, given) if behaviour.usage != "none" else None
        base = model.partition("+")[0]  # words change how a question is answered, not which answer it has
        identity = wire.Identity(body.replace(model.encode(), base.encode(), 1), base, self.settings.seed)
        if question.stream and behaviour.malformed not in _NO_STREAM:
            wants_usage = question.stream_options is not None and question.stream_options.include_usage
            events = wire.Events(identity, given, spent if wants_usage else None)
            return streamed(events, model, behaviour, terms)
        return buffered(wire.completion(identity, given, spent), behaviour, terms)

    def _guardrail(self, request: Request, kind: str, path: str, terms: Terms) -> Script:
        """A guardrail service; its behaviour is that of a model of its kind's name."""
        behaviour = self._behaviour("", kind, request.bearer)
        if behaviour.status:
            complaint = failure(behaviour, kind, request.bearer)
            return buffered(complaint.body(), behaviour, terms, status=complaint.status)
        return buffered(guardrails.answer(kind, path, request.body), behaviour, terms)

    def _authenticated(self, request: Request) -> str:
        """The bearer key. Raises Complaint when keys are configured and it is none of them."""
        bearer = request.bearer
        if self.settings.keys and bearer not in self.settings.keys:
            message = (
                f"Incorrect API key provided: {masked(bearer)}. You can find your API key in the simulator's configuration."
                if bearer
                else "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth."
            )
            raise Complaint(401, message, code="invalid_api_key" if bearer else "")
        return bearer

    def _behaviour(self, provider: str, model: str, bearer: str) -> Behaviour:
        """How this request is answered, its conditions resolved. Raises Complaint for a word that does not exist."""
        key = (provider, model)
        behaviour = self._behaviours.get(key)
        if behaviour is None:
            known = (*self.settings.models, *guardrails.KINDS)
            if self.settings.strict and model.partition("+")[0] not in known:
                raise Complaint(
                    404,
                    f"The model `{model[:200]}` does not exist or you do not have access to it.",
                    code="model_not_found",
                )
            try:
                behaviour = self._layers.behaviour(provider, model)
            except BadBehaviour as error:
                raise Complaint(400, f"simulator: {error}", code="bad_behaviour", param="model") from error
            if len(self._behaviours) < _MOST_MEMORISED:
                self._behaviours[key] = behaviour
        if behaviour.conditional:
            ordinal = self._asked.get(key, 0)
            self._asked[key] = ordinal + 1
            if not behaviour.applies(ordinal, bearer):
                return behaviour.healthy
        return behaviour

    # ---- control ----------------------------------------------------------------------------------------------------

    def _control(self, request: Request, path: str, terms: Terms) -> Script:
        match request.method, path:
            case "GET", "/sim/requests":
                last = re.search(r"[?&]last=(\d{1,6})(?:&|$)", request.target)
                shown = int(last[1]) if last else self.settings.record_requests
                return buffered(self.recording.to_json(self.connections, shown), _PLAIN, terms)
            case "POST", "/sim/reset":
                self.reset()
            case "POST", "/sim/behave":
                try:
                    wish = msgspec.json.decode(request.body, type=_Behave)
                    self.behave(wish.behaviour, model=wish.model, provider=wish.provider)
                except (msgspec.MsgspecError, UnicodeDecodeError, BadBehaviour) as error:
                    return buffered(Complaint(400, str(error)).body(), _PLAIN, terms, status=400)
            case _:
                complaint = Complaint(404, "There are GET /sim/requests, POST /sim/reset and POST /sim/behave.")
                return buffered(complaint.body(), _PLAIN, terms, status=404)
        return buffered(b'{"ok":true}', _PLAIN, terms)
