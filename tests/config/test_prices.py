"""The price list and the arithmetic on it."""

from __future__ import annotations

import json
from decimal import ROUND_CEILING, Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.config.prices import Price, PriceBook, Rates, Tier, own_price
from yett.config.settings import PriceSettings
from yett.errors import IntegrityError

BOOK = PriceBook.load()


def price(provider: str, model: str, base_url: str = "") -> Price:
    found = BOOK.find(provider, model, base_url)
    assert found is not None
    return found


# ---- the list ------------------------------------------------------------------------------------------------------


def test_the_list_says_what_it_is() -> None:
    assert BOOK.id.startswith(f"genai-prices-{BOOK.date}/")
    assert "genai-prices" in BOOK.source
    data = files("yett.data")
    assert data.joinpath(f"prices-{BOOK.date}.json").is_file()
    assert len(data.joinpath(f"prices-{BOOK.date}.json").read_bytes()) < 400_000
    assert "Pydantic Services Inc." in data.joinpath("genai-prices.LICENSE").read_text()


@pytest.mark.parametrize(
    ("provider", "model", "usd"),
    [
        ("openai", "gpt-4o-mini", ("0.15", "0.075", "0.6")),
        ("openai", "GPT-4o-mini-2024-07-18", ("0.15", "0.075", "0.6")),
        ("openai", "gpt-5", ("1.25", "0.125", "10")),
        ("anthropic", "claude-sonnet-4-5-20250929", ("3", "0.3", "15")),
        ("google", "gemini-2.5-pro", ("1.25", "0.125", "10")),
        ("azure", "gpt-5", ("1.25", "0.125", "10")),  # by way of OpenAI's list
    ],
)
def test_known_prices(provider: str, model: str, usd: tuple[str, str, str]) -> None:
    rates = price(provider, model).rates
    assert (rates.input, rates.cached, rates.output) == tuple(int(Decimal(amount) * 1_000_000) for amount in usd)
    assert price(provider, model).id == BOOK.id


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), ("nobody", "gpt-4o"), ("", "gpt-4o"), ("openai", "whisper-1"), ("openai", "")],
)
def test_an_unknown_price_is_none_and_never_zero(provider: str, model: str) -> None:
    assert BOOK.find(provider, model) is None


def test_an_address_in_the_list_decides_whose_prices_count() -> None:
    assert BOOK.find("openai", "llama-3.3-70b-versatile") is None
    assert price("openai", "llama-3.3-70b-versatile", "https://api.groq.com/openai/v1").rates.input == 590_000
    assert BOOK.find("openai", "gpt-4o", "https://api.groq.com/openai/v1") is None
    assert price("openai", "gpt-4o", "http://127.0.0.1:9999/v1") == price("openai", "gpt-4o")
    assert price("openai", "gpt-4o", "https://api.openai.com.evil.example/v1").id == BOOK.id


def test_every_entry_can_be_used() -> None:
    count = 0
    for name in BOOK.providers:
        provider = BOOK._provider(name)
        assert provider is not None
        for entry in provider.models:
            found = BOOK._price(entry)
            assert min(found.rates.input, found.rates.cached, found.rates.output) >= 0
            assert [tier.over for tier in found.tiers] == sorted(tier.over for tier in found.tiers)
            assert found.worst_case(10**6, 10**5) >= found.cost(10**6, 10**5, 10**5)
            count += 1
    assert count > 1500


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.replace(b"150000", b"150001", 1),
        lambda raw: raw.replace(b"genai-prices-20", b"genai-prices-19", 1),
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"[]",
        lambda raw: b'{"id":"x"}',
    ],
)
def test_an_altered_list_is_refused(damage: object) -> None:
    raw = files("yett.data").joinpath(f"prices-{BOOK.date}.json").read_bytes()
    with pytest.raises(IntegrityError, match=r"list\.json"):
        PriceBook.read("list.json", damage(raw))  # type: ignore[operator]


def test_patterns_of_names() -> None:
    entry = ["&", "^gpt-", ["|", "$-mini", "*nano", "~^gpt-[0-9]$"]]
    providers = json.dumps(
        {"p": {"host": "https://p", "models": [[entry, [1, 1, 1, 1, 1], 0, 0]]}}, separators=(",", ":")
    )
    import hashlib

    digest = hashlib.sha256(providers.encode()).hexdigest()
    head = {"id": f"genai-prices-2026-01-01/{digest[:12]}", "date": "2026-01-01", "source": "", "sha256": digest}
    book = PriceBook.read("list.json", (json.dumps(head)[:-1] + ',"providers":' + providers + "}").encode())
    for model in ("gpt-x-mini", "gpt-nano-2", "GPT-5"):
        assert book.find("p", model) is not None
    for model in ("x-mini", "gpt-55", "gpt-"):
        assert book.find("p", model) is None


# ---- arithmetic ----------------------------------------------------------------------------------------------------

RATES = st.builds(Rates, *[st.integers(0, 10**9)] * 5)
COUNTS = st.integers(0, 10**7)


def test_a_known_bill() -> None:
    """1,000 in (500 of them cached) and 100 out on claude-sonnet-4-5 are 0.00315 USD, says the catalogue itself."""
    assert price("anthropic", "claude-sonnet-4-5").cost(1000, 500, 100) == 3150


def test_costs_are_rounded_up_once() -> None:
    odd = Price("list", Rates(1, 1, 1, 1, 1))
    assert odd.cost(0, 0, 0) == 0
    assert odd.cost(1, 0, 0) == 1
    assert odd.cost(999_999, 0, 1) == 1
    assert odd.cost(999_999, 0, 2) == 2


@given(RATES, COUNTS, COUNTS, COUNTS, COUNTS)
def test_costs_are_exact(rates: Rates, input: int, cached: int, output: int, written: int) -> None:
    cached, written = min(cached, input), min(written, max(input - cached, 0))
    exact = (
        Decimal(input - cached - written) * rates.input
        + Decimal(cached) * rates.cached
        + Decimal(written) * rates.write
        + Decimal(output) * rates.output
    ) / 1_000_000
    assert Price("list", rates).cost(input, cached, output, written) == int(exact.to_integral_value(ROUND_CEILING))


@given(RATES, RATES, COUNTS, st.data())
def test_nothing_costs_more_than_the_worst_case(rates: Rates, longer: Rates, input: int, data: st.DataObject) -> None:
    tiered = Price("list", rates, request=5, tiers=(Tier(200_000, longer),))
    output = data.draw(COUNTS)
    worst = tiered.worst_case(input, output)
    used = data.draw(st.integers(0, input))
    cached = data.draw(st.integers(0, used))
    written = data.draw(st.integers(0, used - cached))
    assert tiered.cost(used, cached, data.draw(st.integers(0, output)), written) <= worst


def test_a_long_request_is_charged_at_its_tier_as_a_whole() -> None:
    sonnet = price("anthropic", "claude-sonnet-4-5")
    assert sonnet.cost(200_000, 0, 1000) == 200_000 * 3 + 15_000
    assert sonnet.cost(200_001, 0, 1000) == 200_001 * 6 + 22_500
    assert sonnet.worst_case(200_001, 1000) == 200_001 * 12 + 22_500


def test_a_fee_per_request_is_on_top() -> None:
    assert Price("list", Rates(0, 0, 0, 0, 0), request=5000).cost(0, 0, 0) == 5000


@pytest.mark.parametrize("usage", [(-5, 0, 0), (0, 50, 0), (0, -5, 0), (0, 0, -9)])
def test_what_an_upstream_reports_beyond_sense_is_never_a_refund(usage: tuple[int, int, int]) -> None:
    assert price("openai", "gpt-4o").cost(*usage) == 0


def test_more_cached_tokens_than_tokens_are_not_believed() -> None:
    mini = price("openai", "gpt-4o-mini")
    assert mini.cost(100, 10**9, 0) == mini.cost(100, 100, 0)


# ---- the operator's own --------------------------------------------------------------------------------------------


def test_own_prices_are_taken_as_written() -> None:
    own = own_price(PriceSettings(0.15, 0.6))
    assert (own.rates.input, own.rates.cached, own.rates.output) == (150_000, 150_000, 600_000)
    assert own.id == "own/150000/150000/600000"
    assert own_price(PriceSettings(0.1, 0.3, 0.0)).rates.cached == 0
    assert own_price(PriceSettings(0.0000001, 0.0)).rates.input == 1
    assert own_price(PriceSettings(0.0, 0.0)).cost(10**6, 0, 10**6) == 0
