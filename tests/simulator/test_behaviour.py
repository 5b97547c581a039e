"""The vocabulary: reading words from model names, and the conditions under which faults apply."""

from __future__ import annotations

import pytest

from yett.simulator.behaviour import FAULTS, KEYS, BadBehaviour, Behaviour, Point, name, read, split


def behave(words: str) -> Behaviour:
    return read(split(f"sim+{words}")[1], Behaviour())


def test_the_example_of_the_documentation() -> None:
    base, words = split("sim-gpt+latency.first_byte=200ms+chunks=50+status=429+retry_after=1")
    behaviour = read(words, Behaviour())
    assert base == "sim-gpt"
    assert behaviour.latency_first_byte == pytest.approx(0.2)
    assert (behaviour.chunks, behaviour.status, behaviour.retry_after) == (50, 429, "1")


def test_a_name_without_words_is_the_plain_behaviour() -> None:
    assert split("gpt-4o-mini") == ("gpt-4o-mini", {})


@pytest.mark.parametrize(
    ("words", "attribute", "value"),
    [
        ("size=20k", "size", 20_000),
        ("size=10M", "size", 10_000_000),
        ("latency.end=1.5s", "latency_end", 1.5),
        ("latency.body=2", "latency_body", 2.0),
        ("gzip", "gzip", True),
        ("gzip=false", "gzip", False),
        ("hang=head", "hang", Point("head")),
        ("reset=chunk:7", "reset", Point("chunk", 7)),
        ("cut=chunk", "cut", Point("chunk", 1)),
        ("secret=a%2Bb%20c%3D", "secret", "a+b c="),
        ("fail.rate=0.25", "fail_rate", 0.25),
        ("header.X-A=b%3Dc", "header", (("X-A", "b=c"),)),
        ("usage.input=0", "usage_input", 0),
    ],
)
def test_values(words: str, attribute: str, value: object) -> None:
    assert getattr(behave(words), attribute) == value


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("statsu=500", 'no behaviour "statsu"; did you mean "status"?'),
        ("status=fast", "status"),
        ("status=700", "status"),
        ("size=-1", "size"),
        ("latency.end=soon", "duration"),
        ("gzip=9", "switch"),
        ("hang=later", "moment"),
        ("hang=head:3", "moment"),
        ("hang=chunk:x", "hang"),
        ("malformed=badly", "one of"),
        ("fail.rate=2", "share"),
        ("header.X Y=1", "header name"),
        ("header.X-Y=a%0d%0aSet-Cookie:b", "printable"),
        ("retry_after=1%0d%0aX:y", "printable"),
        ("header=x", 'no behaviour "header"'),
        ("status=500+status=501", "twice"),
        ("=5", "no behaviour"),
        ("size=9999999999999", "whole number"),
    ],
)
def test_mistakes_name_the_word(words: str, complaint: str) -> None:
    with pytest.raises(BadBehaviour, match=complaint.replace("?", r"\?")):
        behave(words)


def test_name_writes_what_split_reads() -> None:
    model = name("sim-gpt", secret="a+b=c %41", fail__first=2, gzip=True, header__X="1")
    assert split(model) == ("sim-gpt", {"secret": "a+b=c %41", "fail.first": "2", "gzip": "", "header.X": "1"})


def test_every_key_is_an_attribute_and_every_attribute_a_key() -> None:
    assert {key.replace(".", "_") for key in KEYS} == set(Behaviour.__struct_fields__)


def test_healthy_clears_faults_and_keeps_the_rest() -> None:
    behaviour = behave("status=500+reset=head+malformed=json+latency.first_byte=1ms+chunks=3+fail.first=1")
    healthy = behaviour.healthy
    assert all(getattr(healthy, fault) == getattr(Behaviour(), fault) for fault in FAULTS)
    assert (healthy.chunks, healthy.latency_first_byte) == (3, 0.001)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fail.first=2", "FF........"),
        ("fail.every=3", "..F..F..F."),
        ("fail.rate=0.5", ".F.F.F.F.F"),
        ("fail.rate=1", "FFFFFFFFFF"),
        ("fail.first=5+fail.every=2", ".F.F......"),
        ("fail.key=0002", ".........."),
        ("fail.key=0001", "FFFFFFFFFF"),
    ],
)
def test_conditions(words: str, expected: str) -> None:
    behaviour = behave(words)
    assert "".join("F" if behaviour.applies(i, "sk-0001") else "." for i in range(10)) == expected


def test_a_rate_is_kept_over_many_requests() -> None:
    behaviour = behave("fail.rate=0.37")
    assert sum(behaviour.applies(i, "") for i in range(10_000)) == 3_700
