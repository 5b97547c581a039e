"""Compiling: settings, policies, keys and prices become one Snapshot, or every mistake in all of them is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from yett.config.compile import Sources, compile_snapshot, gather
from yett.config.snapshot import Snapshot, with_keys
from yett.errors import ConfigurationError
from yett.model.key import Budget, Limits, VirtualKey
from yett.model.route import Secret
from yett.ports import Scope

POLICY = '@id("all")\npermit (principal, action, resource);\n'
TOML = """\
[providers.openai]
kind = "openai"
keys = ["env:K1", "env:K2"]
labels = ["external", "eu"]
[providers.local]
kind = "vllm"
base_url = "http://127.0.0.1:8000/v1/"
timeouts = { total = "9s" }

[models.fast]
targets = [
  { provider = "openai", model = "gpt-5-mini", weight = 3 },
  { provider = "local", model = "llama", priority = 1 },
]
limits = { concurrency = 5 }
attempts = 2
[models.plain]
targets = [{ provider = "openai", model = "gpt-5" }]
max_output_tokens = 77
unknown_price = "flag"

[teams.research]
limits = { budget = "10usd/day" }
labels = { env = "prod", tier = "1" }
[teams.free]
models = ["fast"]

[prices."local/llama"]
input_usd_per_mtok = 0.5
output_usd_per_mtok = 2
"""
ENVIRONMENT = {"K1": "sk-one", "K2": "sk-two"}


def key(team: str = "research", **more: object) -> VirtualKey:
    plain = VirtualKey(id="key_1", name="ci", team=team, digest=b"d" * 32, last4="abcd", created=1)
    return replace(plain, **more)


def sources(folder: Path, toml: str = TOML, **policies: str) -> Sources:
    (folder / "yett.toml").write_text(toml)
    (folder / "policies").mkdir(exist_ok=True)
    for name, text in (policies or {"all": POLICY}).items():
        (folder / "policies" / f"{name}.cedar").write_text(text)
    return gather(folder / "yett.toml", ENVIRONMENT)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("compiled")
    return compile_snapshot(sources(folder), epoch=3, pepper=b"p")


def test_providers_and_targets(snapshot: Snapshot) -> None:
    openai, local = snapshot.models["fast"].targets
    assert (openai.id, openai.model, openai.weight, openai.priority) == ("openai/gpt-5-mini", "gpt-5-mini", 3, 0)
    assert openai.provider.base_url == "https://api.openai.com/v1"
    assert openai.provider.keys == (Secret("sk-one"), Secret("sk-two"))
    assert openai.provider.labels == ("eu", "external")
    assert local.provider.base_url == "http://127.0.0.1:8000/v1"
    assert local.provider.timeouts.total == 9.0
    assert snapshot.models["fast"].by_id["local/llama"] is local


def test_models(snapshot: Snapshot) -> None:
    fast, plain = snapshot.models["fast"], snapshot.models["plain"]
    assert (fast.attempts, fast.max_output_tokens, fast.unknown_price) == (2, 4096, "refuse")
    assert (plain.attempts, plain.max_output_tokens, plain.unknown_price) == (3, 77, "flag")
    assert fast.scopes == (Scope("model:fast", Limits(concurrency=5)),)
    assert plain.scopes == ()


def test_own_prices_go_first(snapshot: Snapshot) -> None:
    price = snapshot.models["fast"].prices["local/llama"]
    assert price is not None
    assert price.cost(1_000_000, 0, 0) == 500_000
    assert price.cost(1_000_000, 1_000_000, 0) == 500_000
    assert price.cost(0, 0, 1_000_000) == 2_000_000
    assert snapshot.models["plain"].prices["openai/gpt-5"] is not None


def test_only_of_a_key_that_was_rotated_it_matters_which_secret_it_is(snapshot: Snapshot) -> None:
    old = key("research")
    new = replace(old, digest=b"n" * 32, last4="wxyz")
    assert {caller.credential.mark for caller in with_keys(snapshot, (old,)).callers.values()} == {""}
    marks = {caller.credential.mark for caller in with_keys(snapshot, (old, new)).callers.values()}
    assert marks == {f"…{old.last4}", "…wxyz"}


def test_equal_calls_have_the_same_scopes_and_other_keys_have_others(snapshot: Snapshot) -> None:
    limited = key(limits=Limits(rpm=1))
    first = with_keys(snapshot, (limited,))
    caller = first.callers[limited.digest]
    fast, plain = snapshot.models["fast"], snapshot.models["plain"]
    assert first.scopes_of(caller, fast) is first.scopes_of(caller, fast)
    assert first.scopes_of(caller, plain) is first.scopes_of(caller, plain)
    changed = key(limits=Limits(rpm=2))
    second = with_keys(first, (changed,))
    assert second.scopes_of(second.callers[changed.digest], fast)[0].limits == Limits(rpm=2)


def test_keys_become_callers_with_scopes(snapshot: Snapshot) -> None:
    limited = key(limits=Limits(rpm=1), labels=(("a", "b"), ("env", "dev")))
    with_one = with_keys(snapshot, (limited,))
    caller = with_one.callers[limited.digest]
    assert (caller.id, caller.name, caller.team, caller.assurance) == ("key_1", "ci", "research", 0)
    assert caller.labels == (("a", "b"), ("env", "dev"), ("tier", "1"))
    assert with_one.keys[b"d" * 32] is limited
    assert with_one.scopes_of(caller, snapshot.models["fast"]) == (
        Scope("key:key_1", Limits(rpm=1)),
        Scope("team:research", Limits(budget=Budget(10_000_000, "day"))),
        Scope("model:fast", Limits(concurrency=5)),
    )
    free = with_keys(snapshot, (key("free"),))
    assert free.scopes_of(free.callers[key("free").digest], snapshot.models["plain"]) == ()
    assert snapshot.keys == {}
    assert with_one.policy is snapshot.policy


def test_a_key_of_an_unknown_team_is_not_known(snapshot: Snapshot) -> None:
    assert with_keys(snapshot, (key("gone"),)).keys == {}


def test_its_repr_holds_no_secret(snapshot: Snapshot) -> None:
    text = repr(replace(snapshot, pepper=b"PEPPER", proxy="http://me:pass@p"))
    assert "PEPPER" not in text
    assert "pass" not in text


def test_the_digest_names_settings_and_policies(tmp_path: Path) -> None:
    first = sources(tmp_path).digest
    assert sources(tmp_path, TOML + "\n# a comment\n").digest == first
    assert sources(tmp_path, TOML + "\n[log]\n").digest == first
    assert sources(tmp_path, TOML + '\n[log]\nlevel = "debug"\n').digest != first
    assert sources(tmp_path, all=POLICY + "// more").digest != first


def test_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    toml = '[gateway]\nport = 0\n[inspection]\ndisabled = ["pii.fone", "pii.email"]\n'
    found = sources(tmp_path, toml, one='@id("x") permit (principal, action', two=POLICY)
    (tmp_path / "policies/three.cedar").write_bytes(b"// ok\n// \xff\n")
    with pytest.raises(ConfigurationError) as caught:
        compile_snapshot(gather(tmp_path / "yett.toml", ENVIRONMENT), epoch=1, pepper=b"")
    told = [str(mistake).removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes]
    assert found.mistakes == ()
    assert told[0] == "yett.toml:2: gateway.port: must be at least 1, not 0"
    assert any(one.startswith("policies/three.cedar:2: is not UTF-8") for one in told)
    assert any(
        one.startswith('yett.toml:4: inspection.disabled[0]: no detector "pii.fone"; did you mean') for one in told
    )
    assert any(one.startswith("policies/one.cedar:1: ") for one in told)


def test_names_in_policies_must_exist(tmp_path: Path) -> None:
    policy = '@id("x") permit (principal in Team::"reserch", action, resource in Model::"fast");'
    with pytest.raises(ConfigurationError, match='there is no Team::"reserch"; did you mean "research"'):
        compile_snapshot(sources(tmp_path, x=policy), epoch=1, pepper=b"")
    with pytest.raises(ConfigurationError) as caught:  # which teams there are is not known while they have mistakes
        compile_snapshot(sources(tmp_path, TOML + "\n[teams]\nreserch = 1\n", x=policy), epoch=1, pepper=b"")
    assert not any("Team::" in str(mistake) for mistake in caught.value.mistakes)


def test_a_detector_that_is_switched_off_cannot_be_relied_on(tmp_path: Path) -> None:
    policy = POLICY + '@id("y") @obligation("redact:pii.email") permit (principal, action, resource);'
    compile_snapshot(sources(tmp_path, x=policy), epoch=1, pepper=b"")
    off = TOML + '\n[inspection]\ndisabled = ["pii.email"]\n'
    with pytest.raises(ConfigurationError, match=r'no detector finds "pii\.email"'):
        compile_snapshot(sources(tmp_path, off, x=policy), epoch=1, pepper=b"")
    without = compile_snapshot(
        sources(tmp_path, TOML + '\n[inspection]\ndisabled = ["pii"]\n', x=POLICY), epoch=1, pepper=b""
    )
    assert not any(detector.kind.startswith("pii") for detector in without.scanner.detectors)
    assert any(detector.kind.startswith("secret") for detector in without.scanner.detectors)


@pytest.mark.parametrize(
    ("folder", "message"), [("empty", "there is no .cedar file in"), ("missing", "there is no directory")]
)
def test_no_policies_is_a_mistake(tmp_path: Path, folder: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "yett.toml").write_text(f'\n[policy]\ndir = "{folder}"\n')
    with pytest.raises(ConfigurationError) as caught:
        compile_snapshot(gather(tmp_path / "yett.toml", {}), epoch=1, pepper=b"")
    assert [mistake.line for mistake in caught.value.mistakes] == [3]
    assert message in str(caught.value)


def test_a_file_that_does_not_parse_is_the_only_mistake(tmp_path: Path) -> None:
    (tmp_path / "yett.toml").write_text("mode = \n")
    with pytest.raises(ConfigurationError) as caught:
        compile_snapshot(gather(tmp_path / "yett.toml", {}), epoch=1, pepper=b"")
    assert len(caught.value.mistakes) == 1


@pytest.mark.parametrize(
    ("written", "proxy"),
    [("http://proxy.example:3128", "http://proxy.example:3128"), ("env:PROXY", "http://me:pass@proxy:1"), ("", "")],
)
def test_the_proxy(tmp_path: Path, written: str, proxy: str) -> None:
    sources(tmp_path, TOML + f'\n[routing]\nproxy = "{written}"\n')
    found = gather(tmp_path / "yett.toml", {**ENVIRONMENT, "PROXY": "http://me:pass@proxy:1"})
    assert compile_snapshot(found, epoch=1, pepper=b"").proxy == proxy


def test_changes_are_noticed_by_content(tmp_path: Path) -> None:
    found = sources(tmp_path)
    assert not found.changed()
    (tmp_path / "policies/all.cedar").write_text(POLICY)
    assert not found.changed()
    (tmp_path / "policies/all.cedar").write_text(POLICY.replace("all", "ALL"))
    assert found.changed()
    found = gather(tmp_path / "yett.toml", ENVIRONMENT)
    (tmp_path / "policies/more.cedar").write_text("")
    assert found.changed()
    found = gather(tmp_path / "yett.toml", ENVIRONMENT)
    (tmp_path / "policies/more.cedar").unlink()
    assert found.changed()
    found = gather(tmp_path / "yett.toml", ENVIRONMENT)
    (tmp_path / "yett.toml").write_text(TOML + " ")
    assert found.changed()
