"""Build the price list that Yett ships from the catalogue `genai-prices` (PyPI, MIT).

    pip download --no-deps genai-prices==0.2.3
    python scripts/build_prices.py genai_prices-0.2.3-py3-none-any.whl --date 2026-11-21

Writes src/yett/data/prices-DATE.json with the prices in force on that day, and the catalogue's licence beside it; removes the
list it replaces. The catalogue is Python source: it is read as data, nothing of it is run. Standard library only.

Where the catalogue's price depends on the time of day, the dearest is taken; batch and priority prices are left out. A model
without prices in the catalogue is left out, whether it is free or unknown: an operator says so if it is free.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import hashlib
import json
import sys
import zipfile
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "src" / "yett" / "data"
UNIT = "micro-USD per million tokens"
# Part of a larger unit of work, or sold by subscription: what a token costs there says nothing about a call.
LEFT_OUT = {"openai-decisions", "cursor", "github-copilot"}


class Item(dict[str, Any]):
    """A constructor call of the catalogue, `name` and its keywords."""

    name = ""


def evaluate(node: ast.expr) -> Any:  # noqa: PLR0911 - one return for each form of data
    """The value of an expression of the catalogue: literals and constructor calls, nothing else."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items):
            return [evaluate(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return {evaluate(key): evaluate(value) for key, value in zip(keys, values, strict=True) if key}
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=value)]):
            return Decimal(value)
        case ast.Call(func=ast.Attribute(attr="date"), args=arguments):
            return dt.date(*(evaluate(argument) for argument in arguments))
        case ast.Call(func=ast.Attribute()) | ast.Attribute():
            return None  # times of day and time zones: see `prices_on`
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
            item = Item({keyword.arg or "": evaluate(keyword.value) for keyword in keywords})
            item.name = name
            return item
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate(operand)
    raise ValueError(f"line {node.lineno}: not data: {ast.unparse(node)[:80]}")


def read_catalogue(source: str) -> list[Item]:
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == "providers" and statement.value:
            return evaluate(statement.value)  # type: ignore[no-any-return]
    raise ValueError("the catalogue has no list of providers")


def compact_match(clause: Item) -> Any:
    """A model's name pattern: "=equal", "^start", "$end", "*part", "~regex", or ["|", …] and ["&", …] of them."""
    signs = {"equals": "=", "starts_with": "^", "ends_with": "$", "contains": "*"}
    for field, sign in signs.items():
        if field in clause:
            return sign + clause[field].lower()
    if "regex" in clause:
        return "~" + clause["regex"]
    for field, sign in (("or_", "|"), ("and_", "&")):
        if field in clause:
            return [sign, *(compact_match(part) for part in clause[field])]
    raise ValueError(f"unknown clause {clause.name}")


def prices_on(model: Item, day: dt.date) -> list[Item]:
    """The price sets of a model that can apply on a day: the last one begun, with every time-of-day alternative to it."""
    prices = model.get("prices", [])
    if isinstance(prices, Item):
        return [prices]
    base: list[Item] = []
    by_hour: list[Item] = []
    for conditional in prices:
        constraint = conditional.get("constraint")
        if constraint is None:
            base, by_hour = [conditional["prices"]], []
        elif constraint.name == "StartDateConstraint":
            if constraint["start_date"] <= day:
                base, by_hour = [conditional["prices"]], []
        else:
            by_hour.append(conditional["prices"])
    if not base and prices:
        base = [prices[0]["prices"]]
    return base + by_hour


def integer(usd: Decimal) -> int:
    """US dollars per million tokens in micro-USD, rounded up."""
    return int((usd * 1_000_000).to_integral_value(rounding=ROUND_CEILING))


def at(value: Decimal | Item | None, tokens: int) -> Decimal | None:
    """What a price is for a request of so many input tokens."""
    if not isinstance(value, Item):
        return value
    price: Decimal = value["base"]
    for tier in sorted(value["tiers"], key=lambda tier: tier["start"]):
        if tokens > tier["start"]:
            price = tier["price"]
    return price


def rates(sets: list[Item], tokens: int) -> list[int] | None:
    """[input, cached input, output, cache write, cache write for an hour] at a request size; None when it has no token price."""

    def dearest(field: str) -> int | None:
        found = [price for price in (at(item.get(field), tokens) for item in sets) if price is not None]
        return integer(max(found)) if found else None

    input_price, output = dearest("input_mtok"), dearest("output_mtok")
    if input_price is None:
        return None
    cached, write, hour = dearest("cache_read_mtok"), dearest("cache_write_mtok"), dearest("cache_write_1h_mtok")
    write = input_price if write is None else write
    return [
        input_price,
        input_price if cached is None else cached,
        input_price if output is None else output,  # embeddings have no output; whatever reports one pays for it
        write,
        write if hour is None else hour,
    ]


def compact_model(model: Item, day: dt.date) -> list[Any] | None:
    sets = prices_on(model, day)
    base = rates(sets, 0)
    if base is None:
        return None
    starts = {
        tier["start"] for item in sets for value in item.values() if isinstance(value, Item) for tier in value["tiers"]
    }
    tiers = [[start, *(rates(sets, start + 1) or ())] for start in sorted(starts)]
    tiers = [tier for tier in tiers if tier[1:] != base]
    fee = max((item["requests_kcount"] for item in sets if "requests_kcount" in item), default=Decimal(0))
    request = int((fee * 1000).to_integral_value(rounding=ROUND_CEILING))  # per 1,000 requests in USD: micro-USD each
    return [compact_match(model["match"]), base, model.get("context_window") or 0, request, *([tiers] if tiers else [])]


def compact_provider(provider: Item, day: dt.date) -> dict[str, Any]:
    models = [compact_model(model, day) for model in provider.get("models", [])]
    found: dict[str, Any] = {"host": provider["api_pattern"], "models": [model for model in models if model]}
    if provider.get("fallback_model_providers"):
        found["else"] = provider["fallback_model_providers"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="genai_prices-VERSION-py3-none-any.whl")
    parser.add_argument("--date", type=dt.date.fromisoformat, required=True, help="the day whose prices to take")
    arguments = parser.parse_args()
    version = arguments.wheel.name.split("-")[1]
    with zipfile.ZipFile(arguments.wheel) as wheel:
        catalogue = read_catalogue(wheel.read("genai_prices/data.py").decode())
        licence = wheel.read(f"genai_prices-{version}.dist-info/licenses/LICENSE").decode()
    providers = {
        provider["id"]: compact_provider(provider, arguments.date)
        for provider in catalogue
        if provider["id"] not in LEFT_OUT
    }
    body = json.dumps(providers, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(body.encode()).hexdigest()
    head = {
        "id": f"genai-prices-{arguments.date}/{digest[:12]}",
        "date": str(arguments.date),
        "source": f"genai-prices {version}, https://pypi.org/project/genai-prices/{version}/",
        "licence": "MIT, see genai-prices.LICENSE",
        "unit": UNIT,
        "sha256": digest,
    }
    for old in DATA.glob("prices-*.json"):
        old.unlink()
    DATA.mkdir(exist_ok=True)
    target = DATA / f"prices-{arguments.date}.json"
    target.write_text(json.dumps(head, separators=(",", ":"))[:-1] + ',"providers":' + body + "}\n")
    (DATA / "genai-prices.LICENSE").write_text(
        f"prices-*.json is derived from the catalogue genai-prices, to which this licence applies.\n\n{licence}"
    )
    models = sum(len(provider["models"]) for provider in providers.values())
    sys.stdout.write(f"{target.name}: {models} models of {len(providers)} providers, {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
