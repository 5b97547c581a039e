"""References to secrets: to variables, files and sealed credentials; none of the mistakes repeats a secret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.config import every_setting

from yett.config.reader import changed, parse, read
from yett.config.sealed import Place
from yett.config.secrets import secret_references
from yett.model.route import Secret

ENVIRONMENT = {"OPENAI_API_KEY": "sk-test-1", "EMPTY": "  ", "BROKEN": "two\r\nlines"}


def mistakes(text: str) -> list[str]:
    return [str(mistake) for mistake in parse(text, Path("yett.toml"), ENVIRONMENT).mistakes]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            '"sk-proj-THESECRET"',
            'must not be written here: put it into an environment variable and write "env:MY_AI_API_KEY"',
        ),
        ('"env:THESECRET KEY"', "must not be written here"),
        ('"file:"', "must not be written here"),
        ("42", "must not be written here"),
        ('"env:MISSING"', "the environment variable MISSING is not set"),
        ('"env:OPENAI_API_KE"', 'not set; did you mean "OPENAI_API_KEY"?'),
        ('"env:EMPTY"', "the environment variable EMPTY is empty"),
        ('"env:BROKEN"', "contains a blank or a character that cannot go into a header"),
        ('"file:/nowhere/at/all"', "the file /nowhere/at/all cannot be read: No such file or directory"),
        ('"file:~nobody-here/x"', "cannot be read"),
    ],
)
def test_secrets(value: str, message: str) -> None:
    found = mistakes(f'[providers.my-ai]\nkind = "openai"\nkeys = [{value}]')
    assert len(found) == 1
    assert found[0].startswith("yett.toml:3: providers.my-ai.keys[0]: ")
    assert message in found[0]
    assert "THESECRET" not in found[0]


def test_secrets_are_left_alone_without_an_environment() -> None:
    reading = parse('[providers.a]\nkind = "openai"\nkeys = ["env:MISSING"]', Path("yett.toml"), None)
    assert (reading.mistakes, reading.secrets) == ((), {})


def test_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("  sk-file \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_text("x" * 20_000)
    text = '[providers.a]\nkind = "openai"\nkeys = ["file:key", "file:binary", "file:large"]'
    reading = parse(text, tmp_path / "yett.toml", {})
    assert reading.secrets == {"file:key": Secret("sk-file")}
    assert [mistake.message.rpartition(" ")[2] for mistake in reading.mistakes] == ["text", "secret"]


def test_one_key_or_a_pool() -> None:
    assert mistakes('[providers.a]\nkind = "openai"\nkey = "env:OPENAI_API_KEY"') == []
    both = '[providers.a]\nkind = "openai"\nkey = "env:OPENAI_API_KEY"\nkeys = ["env:OPENAI_API_KEY", "env:OPENAI_API_KEY"]'
    assert [one.partition(": ")[2] for one in mistakes(both)] == [
        'providers.a.key: give either "key" or "keys"',
        'providers.a.keys[1]: "env:OPENAI_API_KEY" is already in the pool',
    ]


class Opened:
    """Implements `config.sealed.Unsealed` with what it is given."""

    def __init__(self, values: dict[str, Secret], troubles: dict[str, str]) -> None:
        self.values, self.troubles, self.moved, self.change = values, troubles, False, 7

    def changed(self) -> bool:
        return self.moved


def test_sealed_credentials_are_opened_by_whoever_is_given(tmp_path: Path) -> None:
    path = tmp_path / "yett.toml"
    path.write_text(
        '[credentials]\nkek = "env:KEK"\n[providers.a]\nkind = "openai"\nkeys = ["sealed:a", "sealed:b", "sealed:c/d"]'
    )
    opened = Opened({"a": Secret("sk-a"), "c/d": Secret("two\nlines")}, {"b": "it is locked"})
    asked: list[tuple[Place, Sequence[str]]] = []

    def unseal(place: Place, names: Sequence[str]) -> Opened:
        asked.append((place, names))
        return opened

    reading = read(path, {"KEK": "the-kek"}, unseal)
    place, names = asked[0]
    assert (place.state, place.secrets, names) == (
        tmp_path / ".yett",
        {"env:KEK": Secret("the-kek")},
        ["a", "b", "c/d"],
    )
    assert reading.secrets == {"env:KEK": Secret("the-kek"), "sealed:a": Secret("sk-a")}
    assert [mistake.message for mistake in reading.mistakes] == [
        "providers.a.keys[1]: it is locked",
        'providers.a.keys[2]: the sealed credential "c/d" contains a blank or a character that cannot go into a header',
    ]
    assert not changed(reading)
    opened.moved = True
    assert changed(reading)
    assert "are not opened here" in read(path, {"KEK": "the-kek"}).mistakes[0].message
    assert read(path, None, unseal).mistakes == ()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kek = "sealed:a"', "credentials.kek: opens what is sealed, so it cannot be sealed itself"),
        ('transit = { token = "sealed:a" }', "credentials.transit.token: opens what is sealed"),
        ('transit = { address = "https://bao" }', "credentials.transit.token: is required with an address"),
        ('transit = { address = "bao", token = "env:A" }', "is not an http:// or https:// URL with a host"),
        ('transit = { address = "http://bao", token = "env:A" }', "would send token and data keys unencrypted"),
        ('kek = "env:A"\ntransit = { address = "http://[::1]", token = "env:A" }', 'give either "kek" or "transit"'),
        ('transit = { address = "https://bao", token = "env:A", ca_file = "x.pem" }', "there is no file"),
        ('[stores]\nlimits = "sealed:a"', "stores.limits: is needed before anything sealed is opened"),
        ('kek = "sealed:../a"', "a secret must not be written here"),
    ],
)
def test_what_opens_sealed_credentials(text: str, message: str) -> None:
    (mistake,) = parse(f"[credentials]\n{text}", Path("yett.toml"), {"A": "value"}).mistakes
    assert message in mistake.message


def test_no_setting_that_can_refer_to_a_secret_is_forgotten() -> None:
    known = {path for path, _ in secret_references(every_setting.settings("env:A"))}
    plain = {("routing", "proxy"), ("stores", "state"), ("stores", "limits")}  # which need not be a secret
    assert known == {path for path, unit in every_setting.strings() if unit == "secret"} | plain
