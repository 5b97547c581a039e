"""Prices of models: the list that ships with Yett, the operator's own prices, and the exact arithmetic on them.

Prices are integers in micro-USD per million tokens, so a cost is exact until its one rounding, up to the next micro-USD. The list
is a dated file that `scripts/build_prices.py` makes from a maintained catalogue; its id contains its hash and goes into every
charge, so that a bill can be computed again. A model that is not in it has no price: the answer is None, never zero.

A snapshot looks up each target once, when it is compiled. A call only does the arithmetic.
"""

from __future__ import annotations

import hashlib
import re
from decimal import ROUND_CEILING, Decimal
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

from yett.config.settings import PriceSettings
from yett.errors import IntegrityError

MILLION = 1_000_000
UNLIMITED = 10**10  # tokens


class Rates(Struct, frozen=True, array_like=True):
    """Micro-USD per million tokens: of input, cached input, output, and input that is written to the provider's cache (for
    minutes, for an hour)."""

    input: int
    cached: int
    output: int
    write: int
    write_hour: int


class Tier(Struct, frozen=True):
    """The rates of a whole request, once its input exceeds `over` tokens."""

    over: int
    rates: Rates


class Price(Struct, frozen=True):
    """What one model costs at one provider. `id` is the list it is from, for the charge. `request` is micro-USD per request
    on top; `context` is the model's context window in tokens, 0 when not known. `tiers` ascend."""

    id: str
    rates: Rates
    request: int = 0
    context: int = 0
    tiers: tuple[Tier, ...] = ()

    def cost(self, input: int, cached: int, output: int, written: int = 0) -> int:
        """Micro-USD for what was used, rounded up. `cached` and `written` tokens are part of `input`: what a provider reports
        beyond that, or below zero, is not believed, and can only make the call dearer."""
        if input < 0 or output < 0:
            input, output = max(input, 0), max(output, 0)
        if cached or written:
            cached = min(max(cached, 0), input)
            written = min(max(written, 0), input - cached)
        rates = self.rates
        for tier in self.tiers:
            if input > tier.over:
                rates = tier.rates
        amount = (input - cached - written) * rates.input + cached * rates.cached + output * rates.output
        return -(-(amount + written * rates.write) // MILLION) + self.request

    def worst_case(self, input: int, output: int) -> int:
        """The most micro-USD that a call with up to this many tokens can cost: nothing cached, all of it written to the
        cache if that is dearer, in the dearest tier within reach."""
        worst = input * _dearest_input(self.rates) + output * self.rates.output
        for tier in self.tiers:
            if input > tier.over:
                worst = max(worst, input * _dearest_input(tier.rates) + output * tier.rates.output)
        return -(-worst // MILLION) + self.request

    def covered(self, input: int, cost: int) -> int:
        """Tokens of output that so many micro-USD pay for, at worst, behind so much input; without a price on output, all of them."""
        rates = [self.rates, *(tier.rates for tier in self.tiers if input > tier.over)]
        budget = (cost - self.request) * MILLION
        return min(
            [max(budget - input * _dearest_input(each), 0) // each.output for each in rates if each.output],
            default=UNLIMITED,
        )


def own_price(settings: PriceSettings) -> Price:
    """The operator's own price of a target; its id is made of the numbers, which are nowhere else."""
    input, output = _micro_usd(settings.input_usd_per_mtok), _micro_usd(settings.output_usd_per_mtok)
    cached = input if settings.cached_usd_per_mtok is None else _micro_usd(settings.cached_usd_per_mtok)
    return Price(f"own/{input}/{cached}/{output}", Rates(input, cached, output, input, input))


class PriceBook(Struct, frozen=True):
    """The price list. What it holds of each provider stays JSON until somebody asks for that provider."""

    id: str
    date: str
    source: str
    providers: dict[str, msgspec.Raw]

    @classmethod
    def load(cls) -> PriceBook:
        """The list that came with this Yett. Raises IntegrityError when the file is not as it was made."""
        name = max(
            file.name for file in files("yett.data").iterdir() if re.fullmatch(r"prices-[0-9-]+\.json", file.name)
        )
        return cls.read(name, files("yett.data").joinpath(name).read_bytes())

    @classmethod
    def read(cls, name: str, raw: bytes) -> PriceBook:
        """A list from its file. Raises IntegrityError when its content does not have the hash that its id is made of."""
        try:
            head = msgspec.json.decode(raw, type=_Head)
        except msgspec.DecodeError as error:
            raise IntegrityError(f"{name}: this is not a price list: {error}") from None
        digest = hashlib.sha256(bytes(head.providers)).hexdigest()
        if head.sha256 != digest or head.id != f"genai-prices-{head.date}/{digest[:12]}":
            raise IntegrityError(f"{name}: the price list was altered after it was made; install Yett again")
        providers = msgspec.json.decode(head.providers, type=dict[str, msgspec.Raw])
        return cls(head.id, head.date, head.source, providers)

    def find(self, provider: str, model: str, base_url: str = "") -> Price | None:
        """The price of a provider's model, None when it is not known.

        An address in the list decides (Groq speaks OpenAI's API, at Groq's prices); any other address, say of a relay, leaves
        it to `provider`, the list's name of what is spoken there, "" when that says nothing about prices.
        """
        at_home = self._at(base_url) if base_url else ""
        first = self._provider(at_home or provider)
        if first is None:
            return None
        known = [first, *(self._provider(other) for other in first.otherwise)]
        wanted = model.lower()
        for place in known:
            for entry in place.models if place else ():
                if _matches(entry.match, wanted):
                    return self._price(entry)
        return None

    def _price(self, entry: _Model) -> Price:
        tiers = tuple(Tier(over, Rates(*rates)) for over, *rates in entry.tiers)
        return Price(self.id, entry.rates, entry.request, entry.context, tiers)

    def _provider(self, name: str) -> _Provider | None:
        raw = self.providers.get(name)
        return None if raw is None else msgspec.json.decode(raw, type=_Provider)

    def _at(self, base_url: str) -> str:
        for name, raw in self.providers.items():
            if re.match(msgspec.json.decode(raw, type=_Address).host, base_url):
                return name
        return ""


class _Head(Struct):
    id: str
    date: str
    source: str
    sha256: str
    providers: msgspec.Raw


class _Address(Struct):
    host: str


class _Model(Struct, frozen=True, array_like=True):
    match: Any
    rates: Rates
    context: int
    request: int
    tiers: tuple[tuple[int, int, int, int, int, int], ...] = ()


class _Provider(Struct, frozen=True):
    host: str
    models: tuple[_Model, ...]
    otherwise: tuple[str, ...] = msgspec.field(name="else", default=())


def _matches(pattern: Any, model: str) -> bool:
    """Whether a pattern of the list (see `scripts/build_prices.py`) covers a model's name, in lower case."""
    if not isinstance(pattern, str):
        operator, *parts = pattern
        found = (_matches(part, model) for part in parts)
        return any(found) if operator == "|" else all(found)
    sign, text = pattern[0], pattern[1:]
    if sign == "=":
        return model == text
    if sign == "^":
        return model.startswith(text)
    if sign == "$":
        return model.endswith(text)
    return text in model if sign == "*" else re.search(text, model) is not None


def _dearest_input(rates: Rates) -> int:
    return max(rates.input, rates.cached, rates.write, rates.write_hour)


def _micro_usd(usd: float) -> int:
    """As written (0.15 is 150,000 exactly), rounded up below a micro-USD."""
    return int((Decimal(str(usd)) * MILLION).to_integral_value(rounding=ROUND_CEILING))
