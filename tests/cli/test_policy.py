"""`yett policy check | test | explain`, with the starter policies and a real journal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import yett
from yett.cli.policy import command, explanations_of, read_policies
from yett.errors import IntegrityError
from yett.model.decision import Facts
from yett.model.record import Content, FindingCount, Record
from yett.model.route import Provider, Target, Timeouts
from yett.policy.engine import PolicyEngine
from yett.policy.explain import facts_to_record
from yett.stores.journal import open_journal

STARTER = Path(yett.__file__).parent / "data" / "policies"
EXTERNAL = Target("openai/gpt-5-mini", Provider("openai", "openai", "", ("external",), (), Timeouts()), "gpt-5-mini")
NOW = 1_790_000_000  # seconds
CALL = f"call_{NOW * 1000:011x}0a1b2c3d"
FACTS = Facts("InvokeModel", "default", "research", "key_1", (), 0, "fast", "", "", ())


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STARTER, tmp_path / "policies"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


# ---- check ----


def test_check_lists_the_policies(policies):
    result = run("check", policies)
    assert result.exit_code == 0
    assert "permit secrets-never-leave  redact:secret" in result.output
    assert "policies, no mistakes" in result.output


def test_check_tells_mistakes_with_file_and_line(policies):
    (policies / "mine.cedar").write_text('@id("a")\npermit (principal, action, resource) when { context.findngs };')
    result = run("check", policies)
    assert result.exit_code == 3
    assert f'{policies}/mine.cedar:2: there is no fact "context.findngs"; did you mean "findings"?' in result.stderr
    told = json.loads(run("check", policies, "--json").stdout)
    assert told["ok"] is False
    assert told["mistakes"][0]["line"] == 2


def test_check_as_json(policies):
    told = json.loads(run("check", policies, "--json").stdout)
    (pii,) = (policy for policy in told["policies"] if policy["id"] == "pii-to-external")
    assert pii["obligations"] == ["redact:pii"]
    assert pii["reads"] == ["context.findings", "resource.provider.labels"]


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_check_of_what_cannot_be_read(tmp_path, content):
    if content is not None:
        (tmp_path / "policies").mkdir()
        (tmp_path / "policies" / "a.cedar").write_bytes(content)
    assert run("check", tmp_path / "policies").exit_code == 3


def test_no_policies_are_no_mistake_but_are_told(tmp_path):
    result = run("check", tmp_path)
    assert result.exit_code == 0
    assert "every call is refused" in result.output


def test_the_directory_is_the_one_that_the_configuration_names(tmp_path, policies):
    policies.rename(tmp_path / "rules")
    (tmp_path / "yett.toml").write_text('[policy]\ndir = "rules"\n')
    result = run("check", "--config", tmp_path / "yett.toml")
    assert result.exit_code == 0, result.output
    assert "rules: " in result.output


# ---- test ----


def test_test_passes_on_the_starter_policies(policies):
    result = run("test", policies)
    assert result.exit_code == 0, result.output
    assert " passed, 0 failed" in result.output


def test_test_shows_what_differs(policies):
    models = policies / "models.cedar"
    models.write_text(models.read_text().replace('Team::"support"', 'Team::"sales"'))
    result = run("test", policies)
    assert result.exit_code == 1
    assert "FAIL support may use the fast model" in result.output
    assert "decision: expected allow, got deny" in result.output
    told = json.loads(run("test", policies, "--json").stdout)
    assert told["failed"] == 1
    (failed,) = (case for case in told["cases"] if case["differences"])
    assert failed["differences"][0] == {"what": "decision", "expected": "allow", "actual": "deny"}


def test_test_without_or_with_wrong_cases(policies):
    (policies / "tests.toml").write_text("[[case]]\nname = 5")
    assert "tests.toml:1: Expected `str`" in run("test", policies).stderr
    (policies / "tests.toml").unlink()
    assert run("test", policies).exit_code == 3


# ---- explain ----


class Stopped:
    def now(self) -> float:
        return float(NOW)

    def monotonic(self) -> float:
        return 1.0


async def record(folder: Path, *records: Record) -> None:
    journal = open_journal(folder / "audit", folder, Stopped())
    for each in records:
        await journal.append(each)
    journal.close()


def records(**found: object) -> tuple[Record, Record]:
    facts = Facts(
        *(getattr(FACTS, name) for name in FACTS.__struct_fields__[:10]), findings=("pii", "pii.email"), inspected=True
    )
    shared = {
        "call": CALL,
        "ts": NOW * 1_000_000,
        "caller": "key_1",
        "team": "research",
        "model": "fast",
        "decision": "allow",
    }
    intent = Record(
        kind="intent",
        policies=("pii-to-external", "research-models", "secrets-never-leave"),
        facts=facts_to_record(facts, (EXTERNAL,)),
        **shared,
    )
    outcome = Record(
        kind="outcome",
        policies=("pii-to-external", "replies", "research-models", "secrets-never-leave"),
        target=EXTERNAL.id,
        reply=Content(5),
        findings=(
            FindingCount("pii.email", 1, "request", "redacted"),
            FindingCount("secret.jwt", 1, "reply", "redacted"),
        ),
        outcome="ok",
        **shared,
    )
    return intent, outcome


async def test_explain_shows_the_policies_and_the_facts_they_read(tmp_path, policies):
    await record(tmp_path, *records())
    result = run("explain", CALL, "--dir", tmp_path / "audit", "--policies", policies)
    assert result.exit_code == 0, result.output
    assert f"{CALL}: InvokeModel of fast by key_1 (team research)" in result.output
    assert "openai/gpt-5-mini: allow, obligations: redact:pii, redact:secret" in result.output
    assert f"matched: pii-to-external  {policies}/data.cedar:" in result.output
    assert "    context.findings = pii, pii.email" in result.output
    assert "did not match:" in result.output
    assert f"{CALL}: ReleaseReply of fast" in result.output
    assert "otherwise now" not in result.output
    told = json.loads(run("explain", CALL, "--dir", tmp_path / "audit", "--policies", policies, "--json").stdout)
    assert [(decision["action"], decision["same"]) for decision in told["decisions"]] == [
        ("InvokeModel", True),
        ("ReleaseReply", True),
    ]
    assert told["decisions"][1]["facts"]["findings"] == ["secret", "secret.jwt"]


async def test_explain_tells_when_the_policies_decide_otherwise_now(tmp_path, policies):
    await record(tmp_path, *records())
    (policies / "models.cedar").unlink()
    (policies / "new.cedar").write_text('@id("new") permit (principal in Team::"x", action, resource);')
    result = run("explain", CALL, "--dir", tmp_path / "audit", "--policies", policies)
    assert "The policies given decide otherwise now: deny, policies: none" in result.output
    assert "No permit without an @obligation matched" in result.output


async def test_explain_of_a_call_that_is_not_recorded(tmp_path, policies):
    await record(tmp_path, *records())
    result = run("explain", "call_2", "--dir", tmp_path / "audit", "--policies", policies)
    assert result.exit_code == 1
    assert "no decision about call_2" in result.stderr


def test_records_of_another_making_are_an_integrity_error(policies):
    engine = PolicyEngine.load(read_policies(policies))
    for line in (b'{"kind":"intent","facts":{"action":5}}', b'{"kind":"intent","facts":"x"}', b"[]", b"{"):
        with pytest.raises(IntegrityError):
            explanations_of(engine, [line])
    assert explanations_of(engine, [b'{"kind":"outcome"}']) == []


def test_explain_without_a_journal(tmp_path, policies):
    result = run("explain", CALL, "--dir", tmp_path / "nowhere", "--policies", policies)
    assert result.exit_code == 1
    assert f"no decision about {CALL} is recorded in" in result.stderr


async def test_what_a_caller_chose_does_not_reach_the_terminal_as_commands(tmp_path, policies):
    facts = Facts("InvokeModel", "default", "x", "key_1", (), 0, "\x1b]0;pwned\x07\u202e\x9b2J", "", "", ())
    await record(
        tmp_path, Record(kind="intent", call=CALL, ts=NOW * 1_000_000, facts=facts_to_record(facts, (EXTERNAL,)))
    )
    output = run("explain", CALL, "--dir", tmp_path / "audit", "--policies", policies).output
    assert "\\u001b]0;pwned" in output
    assert not set(output) & {"\x1b", "\x07", "\u202e", "\x9b"}
