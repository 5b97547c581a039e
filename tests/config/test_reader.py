"""yett.toml read: every mistake at once, each with its line, none of them repeating a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from yett.config.compile import compile_snapshot, gather
from yett.config.reader import changed, load, parse, read
from yett.config.settings import Settings
from yett.errors import ConfigurationError
from yett.model.route import Secret

ENVIRONMENT = {"OPENAI_API_KEY": "sk-test-1"}
WHOLE = """\
mode = "observe"

[gateway]
port = 9000
max_body_bytes = "1MiB"
header_timeout = "2s"
drain_seconds = 5

[providers.openai]
kind = "openai"
keys = ["env:OPENAI_API_KEY"]
labels = ["external"]
timeouts = { connect = "500ms" }

[models.fast]
targets = [
  { provider = "openai", model = "gpt-5-mini" },
]
limits = { rpm = 10, budget = "5usd/day" }

[teams.research]
models = ["fast"]

[prices."openai/gpt-5-mini"]
input_usd_per_mtok = 1
output_usd_per_mtok = 2.5
"""


def mistakes(text: str, environment: dict[str, str] | None = None) -> list[str]:
    found = parse(text, Path("yett.toml"), ENVIRONMENT if environment is None else environment).mistakes
    return [str(mistake) for mistake in found]


def with_line(text: str) -> str:
    return WHOLE + text + "\n"


def test_a_whole_file() -> None:
    reading = parse(WHOLE, Path("/etc/yett/yett.toml"), ENVIRONMENT)
    assert reading.mistakes == ()
    assert reading.settings.mode == "observe"
    assert reading.settings.gateway.max_body_bytes == 1024**2
    assert reading.settings.gateway.header_timeout == 2.0
    assert reading.settings.gateway.drain_seconds == 5.0
    assert reading.settings.providers["openai"].timeouts.connect == 0.5
    assert reading.settings.providers["openai"].timeouts.total == 600.0
    assert reading.settings.models["fast"].targets[0].weight == 1
    assert reading.secrets == {"env:OPENAI_API_KEY": Secret("sk-test-1")}
    assert reading.state == Path("/etc/yett/.yett")
    assert reading.audit == Path("/etc/yett/.yett/audit")
    assert reading.policies == Path("/etc/yett/policies")


def test_an_empty_file_is_all_defaults() -> None:
    assert mistakes("") == []


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("[gatewey]", 'gatewey: no such setting; did you mean "gateway"?'),
        ("[gateway]\nprot = 1", 'gateway.prot: no such setting; did you mean "port"?'),
        ("[gateway]\nport = 99999", "gateway.port: must be at most 65535, not 99999"),
        ("[gateway]\nport = 0", "gateway.port: must be at least 1, not 0"),
        ('[gateway]\nport = "8484"', 'gateway.port: expected a whole number, not "8484"'),
        ("[gateway]\nport = true", "gateway.port: expected a whole number, not true"),
        ("[gateway]\nworkers = 1.5", "gateway.workers: expected a whole number, not 1.5"),
        ("[gateway]\naccess_log = 1", "gateway.access_log: expected true or false, not 1"),
        ('[gateway]\nhost = ""', "gateway.host: must not be empty"),
        ('[gateway]\nhost = "a\\nb"', "gateway.host: a control character does not belong here"),
        ("[gateway]\nhost = 1979-05-27", "gateway.host: expected a string, not 1979-05-27"),
        (
            '[gateway]\nmax_body_bytes = "8mb"',
            'gateway.max_body_bytes: "8mb": no unit of size "mb"; use B, kB, MB, GB, KiB, MiB, GiB',
        ),
        ('[gateway]\nmax_body_bytes = "0B"', "gateway.max_body_bytes: must be at least 1B, not 0B"),
        ("[gateway]\nmax_body_bytes = 1.5", 'gateway.max_body_bytes: expected something like "8MiB", not 1.5'),
        ('[gateway]\nidle_timeout = "0s"', "gateway.idle_timeout: must be more than 0s, not 0s"),
        ("[gateway]\nidle_timeout = nan", "gateway.idle_timeout: expected a finite number, not nan"),
        ("[gateway]\nidle_timeout = -inf", "gateway.idle_timeout: expected a finite number, not -inf"),
        ("[gateway]\nidle_timeout = false", 'gateway.idle_timeout: expected something like "30s", not false'),
        ("gateway = 3", "gateway: expected a table, not 3"),
        ("models = []", "models: expected a table, not an array"),
        ('mode = "Observe"', 'mode: expected "enforce" or "observe", not "Observe"; did you mean "observe"?'),
        ("mode = 1", 'mode: expected "enforce" or "observe", not 1'),
        ("[admin]\nport = 8484", "admin.port: port 8484 is the gateway's own; choose another"),
        (
            '[admin]\nhost = "0.0.0.0"',
            'admin.token: required, because other machines can reach "0.0.0.0"; write token = "env:YETT_TOKEN"',
        ),
        ("[providers.a]", "providers.a.kind: is missing"),
        ('[providers.a]\nkind = "opnai"', 'providers.a.kind: no kind "opnai"; did you mean "openai"?'),
        (
            '[providers.a]\nkind = "openai"',
            'providers.a.keys: kind "openai" needs a key; write keys = ["env:NAME"] with its variable',
        ),
        ('[providers.yett]\nkind = "vllm"', 'providers.yett: the name "yett" stands for what Yett answers itself'),
        ('[providers."a/b"]\nkind = "vllm"', 'providers."a/b": a provider\'s name consists of letters'),
        ('[models."a b"]\ntargets = []', 'models."a b": a model\'s name begins with a letter or digit'),
        ('[teams."x\\ny"]', 'teams."x?y": a control character does not belong into a name'),
        ('[teams." x"]', 'teams." x": a team\'s name begins with a letter or digit'),
        ("[models.fast]", 'models.fast.targets: is empty; write targets = [{ provider = "…", model = "…" }]'),
        ("[models.fast]\ntargets = [3]", "models.fast.targets[0]: expected a table, not 3"),
        ("[teams.a]\nlabels = { env = 1 }", "teams.a.labels.env: expected a string, not 1"),
        ("[teams.a]\nlimits = { rpm = 0 }", "teams.a.limits.rpm: must be at least 1, not 0"),
        (
            '[teams.a]\nlimits = { budget = "5eur" }',
            'teams.a.limits.budget: "5eur": a budget is an amount per period, such as "50usd/month", "12.50usd/week" or',
        ),
        ("[teams.a]\nlimits = { budget = 5 }", 'teams.a.limits.budget: expected something like "50usd/month", not 5'),
        ("[routing]\nattempts = 0", "routing.attempts: must be at least 1, not 0"),
        ("[routing]\nbackoff = 9", "routing.max_backoff: must not be less than backoff"),
        ('[routing]\nproxy = "https://p"', 'routing.proxy: "https://p" is not an http:// URL with a host'),
        ('[prices."a/b"]\ninput_usd_per_mtok = -1\noutput_usd_per_mtok = 1', "must be at least 0, not -1"),
    ],
)
def test_one_mistake(line: str, mistake: str) -> None:
    found = mistakes(line)
    assert any(mistake in one for one in found), found
    assert all(one.startswith("yett.toml:") for one in found)


def test_the_example_of_the_house() -> None:
    text = WHOLE.replace(
        '{ provider = "openai", model', '{ provider = "openai", model = "a" },\n  { provider = "opnai", model'
    )
    assert (
        mistakes(text)[0]
        == 'yett.toml:18: models.fast.targets[1].provider: no provider "opnai"; did you mean "openai"?'
    )


def test_every_mistake_at_once_in_the_order_of_the_file() -> None:
    found = mistakes(
        """\
mode = "x"
[gateway]
prot = 1
port = 0
[providers.a]
kind = "nope"
[models.m]
targets = [
  { provider = "b", model = "x" },
  { provider = "a", model = "x", weight = 0 },
  { provider = "a", model = "x" },
]
[teams.t]
models = ["n", "m", "m"]
"""
    )
    assert [one.split(": ")[0] for one in found] == [f"yett.toml:{n}" for n in (1, 3, 4, 6, 9, 10, 11, 14, 14)]


def test_no_echo_of_a_mistake() -> None:
    assert len(mistakes("providers = 3")) == 1
    assert len(mistakes('[admin]\nhost = "0.0.0.0"\ntoken = "plain"')) == 1
    assert len(mistakes("[models.m]\ntargets = 3")) == 1
    assert len(mistakes("[models]\nm = 3")) == 1


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://example.com/v1", "would send prompts and keys unencrypted"),
        ("ftp://example.com", "is not an http:// or https:// URL with a host"),
        ("example.com/v1", "is not an http:// or https:// URL"),
        ("https://", "is not an http:// or https:// URL with a host"),
        ("https://example.com/v1?key=1", "without ? or #"),
        ("https://exa mple.com/v1", "does not belong into a URL"),
        ("https://example.com:99999/", "is not a URL"),
        ("https://[::1/v1", "is not a URL"),
        ("https://me:hunter2@example.com/v1", "must not contain a user or password"),
    ],
)
def test_addresses(url: str, part: str) -> None:
    found = mistakes(f'[providers.a]\nkind = "vllm"\nbase_url = "{url}"')
    assert len(found) == 1
    assert part in found[0]
    assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://[::1]/v1", "http://localhost/v1", "https://example.com/v1"]
)
def test_good_addresses(url: str) -> None:
    assert mistakes(f'[providers.a]\nkind = "vllm"\nbase_url = "{url}"') == []


def test_plaintext_is_a_named_choice() -> None:
    assert mistakes('[providers.a]\nkind = "vllm"\nplaintext = true\nbase_url = "http://example.com/v1"') == []


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a = 1\nb = \n", "yett.toml:2: not valid TOML: invalid value"),
        ("[a]\nb = 1\nb = 2\n", "yett.toml:3: not valid TOML: cannot overwrite a value"),
        ("[a]\n[a]\n", "yett.toml:2: not valid TOML: cannot declare ('a',) twice"),
        ("a = '''\nx\n\n", "yett.toml:2: not valid TOML: "),
        ("a = " + "[" * 5000, "yett.toml: cannot be read as TOML: RecursionError"),
        ("a = " + "9" * 5000, "yett.toml: cannot be read as TOML: ValueError"),
        ("a = " + "[" * 150 + "]" * 150, "yett.toml: is nested too deeply"),
    ],
)
def test_broken_toml(text: str, mistake: str) -> None:
    assert mistakes(text)[0].startswith(mistake)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "yett.toml"
    assert [m.message for m in read(path, {}).mistakes] == ['there is no such file; "yett init" writes one']
    path.write_bytes(b'mode = "enforce"\n# \xff\n')
    assert str(read(path, {}).mistakes[0]) == f"{path}:2: is not UTF-8 text"
    path.write_bytes(b"#" * (4 * 1024**2 + 1))
    assert "is larger than" in read(path, {}).mistakes[0].message
    assert "Is a directory" in read(tmp_path, {}).mistakes[0].message
    assert not read(tmp_path, {}).parsed


def test_a_mark_of_the_order_of_bytes_is_no_mistake(tmp_path: Path) -> None:
    """Some editors begin every file with one."""
    (tmp_path / "yett.toml").write_text('[providers.a]\nkind = "vllm"\nkey = "file:key"\n[teams.a]\n', "utf-8-sig")
    (tmp_path / "key").write_text("sk-one", "utf-8-sig")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/a.cedar").write_text('@id("a") permit (principal, action, resource);', "utf-8-sig")
    snapshot = compile_snapshot(gather(tmp_path / "yett.toml", {}), epoch=1, pepper=b"")
    assert ([one.id for one in snapshot.policy.policies], list(snapshot.teams)) == (["a"], ["a"])
    reading = load(tmp_path / "yett.toml", {})
    assert (reading.secrets["file:key"].reveal(), reading.lines["teams",]) == ("sk-one", 4)


def test_load_raises_with_all_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "yett.toml"
    path.write_text("[gateway]\nport = 0\nhost = 1\n")
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    assert [mistake.line for mistake in caught.value.mistakes] == [2, 3]
    path.write_text("")
    assert load(path, {}).settings.gateway.port == 8484


def test_a_change_of_the_file_or_of_a_secret_is_noticed(tmp_path: Path) -> None:
    path, key = tmp_path / "yett.toml", tmp_path / "key"
    path.write_text('[providers.a]\nkind = "openai"\nkey = "file:key"')
    reading = read(path, {})
    assert not changed(reading)
    key.write_text("one")
    assert changed(reading)
    reading = read(path, {})
    assert not changed(reading)
    key.write_text("two")
    assert changed(reading)
    key.write_text("one\n")
    assert not changed(reading)
    path.write_text(path.read_text() + "\n")
    assert changed(reading)
    path.unlink()
    assert changed(reading)
    assert not changed(read(path, {}))


VALUES = st.recursive(
    st.sampled_from(['"x"', "1", "-1", "0.5", "true", "inf", "1979-05-27", '"env:A"', '"30s"', '"8MiB"', "'''\n\n'''"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",".join(items) + "]"),
        st.dictionaries(st.sampled_from(["provider", "model", "rpm", "x"]), inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"{k} = {v}" for k, v in items.items()) + "}"
        ),
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    "mode gateway.port gateway.host gateway admin providers.a providers.a.keys providers.a.kind models.m models.m.targets "
    "models.m.limits teams.t.models teams.t.labels prices.x audit.dir routing.backoff log zzz state.dir inspection.disabled".split()
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_whatever_is_written_there_is_an_answer(pairs: dict[str, str]) -> None:
    text = "\n".join(f"{key} = {value}" for key, value in pairs.items())
    reading = parse(text, Path("yett.toml"), {"A": "secret-value"})
    for mistake in reading.mistakes:
        assert "secret-value" not in mistake.message
        assert "\n" not in str(mistake)
        assert mistake.line > 0 or not reading.parsed


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('limits = "http://a"', "is not an address of Valkey or Redis"),
        ('limits = "redis://a:port"', "Port could not be cast"),
        ('limits = "redis://127.0.0.1/first"', "must end with the host, or with the number of a database"),
        ('limits = "unix://"', "is not unix:///path"),
        ('limits = "redis://:hidden-word@127.0.0.1"', "must not contain a password"),
        ('limits = "redis://store.example"', "would be asked unencrypted"),
        ('limits = "env:LIMITS"', "would be asked unencrypted"),
        ('limits = "env:NOTHING"', "the environment variable NOTHING is not set"),
        ('on_outage = "local_share"\nreplicas = 2', 'means nothing without "limits"'),
        ('limits = "redis://localhost"\non_outage = "local_share"', "how many machines share the limits?"),
        ('limits = "redis://localhost"\nca_file = "nowhere.pem"', "there is no file"),
        ('deployment = "{}"', "deployment"),
        ('state = "mysql://a"', "is not an address of PostgreSQL"),
        ('state = "postgresql://a:hidden-word@b/c"', "must not contain a password"),
        ('pepper = "sealed:x"', "which open no seal"),
    ],
)
def test_stores_that_cannot_be(lines: str, message: str) -> None:
    found = mistakes(f"[stores]\n{lines}\n", {"LIMITS": "redis://:hidden-word@store.example/0"})
    assert any(message in mistake for mistake in found), found
    assert not any("hidden-word" in mistake for mistake in found)


@pytest.mark.parametrize(
    "lines",
    [
        'limits = "rediss://store.example:6380/2"',
        'limits = "valkeys://store.example"',
        'limits = "unix:///run/valkey.sock?db=1"',
        'limits = "env:LIMITS"\nplaintext = true\nreplicas = 4\non_outage = "local_share"',
    ],
)
def test_stores_that_can(lines: str) -> None:
    assert mistakes(f"[stores]\n{lines}\n", {"LIMITS": "redis://:hidden-word@store.example/0"}) == []


Step = str | int


def places(kind: inspect.Type, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Every place of yett.toml where a value can stand; 0 is an element of an array, "some" a name that the operator chooses."""
    yield path
    match kind:
        case inspect.Metadata(type=inner):
            yield from places(inner, path)
        case inspect.UnionType(types=types):
            for one in types:
                yield from places(one, path)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from places(field.type, (*path, field.encode_name))
        case inspect.DictType(value_type=inner):
            yield from places(inner, (*path, "some"))
        case inspect.VarTupleType(item_type=inner):
            yield from places(inner, (*path, 0))


def test_whatever_stands_anywhere_is_a_setting_or_a_mistake() -> None:
    """A section that is nearly empty, a table for a number, a number for a table: nothing breaks what looks for further mistakes."""
    found = {path for path in places(inspect.type_info(Settings)) if path}
    assert len(found) > 300
    for path in found:
        for value in ("{}", "0", '"x"', "[]", "{ x = {} }", "[{}]", "[0]"):
            text = value
            for step in reversed(path[1:]):
                text = f"[{text}]" if step == 0 else f"{{ {step} = {text} }}"
            parse(f"{path[0]} = {text}\n", Path("yett.toml"), {})
