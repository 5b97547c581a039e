"""`yett check`: every mistake with its line on one run, or what the configuration amounts to."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from yett.cli import check

TOML = """\
[providers.local]
kind = "vllm"
base_url = "http://127.0.0.1:1/v1"
[models.m]
targets = [{ provider = "local", model = "x" }]
[teams.t]
"""
POLICY = (
    '@id("a") permit (principal, action, resource);\n@id("b") @mode("observe") forbid (principal, action, resource);\n'
)


def run(folder: Path, *arguments: str, toml: str = TOML, policy: str = POLICY) -> tuple[int, str, str]:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "yett.toml").write_text(toml)
    (folder / "policies/p.cedar").write_text(policy)
    result = CliRunner().invoke(check.command, ["--config", str(folder / "yett.toml"), *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_in_order(tmp_path: Path) -> None:
    code, output, _ = run(tmp_path)
    assert code == 0
    assert "no mistakes" in output
    assert "m → local/x" in output
    assert "policies   2, 1 of them observed only" in output
    assert 'note: models.m: no price is known for "local/x", so it is not used' in output


def test_in_order_as_json(tmp_path: Path) -> None:
    code, output, _ = run(tmp_path, "--json", toml="mode = 'observe'\n")
    found = json.loads(output)
    assert code == 0
    assert found["ok"] is True
    assert found["policies"] == ["a", "b"]
    assert found["notes"] == [
        "there are no models, so there is nothing to call; write a [models.NAME] table",
        "there are no teams, so no key can be issued; write a [teams.NAME] table",
        'mode = "observe": policies are recorded, not enforced',
    ]


def test_what_streams_are_not_searched_for_is_said(tmp_path: Path) -> None:
    names = '@id("names") @obligation("redact:pii.person") permit (principal, action, resource);'
    only_asked = names.replace("action,", 'action == Action::"InvokeModel",').replace("names", "asked")
    _, output, _ = run(tmp_path, policy=f"{POLICY}{names}{only_asked}")
    assert 'note: policy "names" asks for names or addresses in replies' in output
    assert 'policy "asked"' not in output
    topics = '@id("games") forbid (principal, action, resource) when { context.findings.contains("topic.games") };'
    _, output, _ = run(
        tmp_path, toml=f"{TOML}[inspection.topics.games]\nkeywords = ['poker']\n", policy=f"{POLICY}{topics}"
    )
    assert 'note: policy "games" asks for topics in replies' in output


def test_all_mistakes(tmp_path: Path) -> None:
    code, output, errors = run(tmp_path, toml=TOML + "[gatewy]\n[log]\nlevel = 'x'\n", policy="permit (")
    assert (code, output) == (3, "")
    assert f'{tmp_path}/yett.toml:7: gatewy: no such setting; did you mean "gateway"?' in errors
    assert f"{tmp_path}/yett.toml:9: log.level:" in errors
    assert f"{tmp_path}/policies/p.cedar:1:" in errors
    assert "yett: 3 mistakes" in errors


def test_all_mistakes_as_json(tmp_path: Path) -> None:
    code, output, _ = run(tmp_path, "--json", toml="x = 1\n")
    found = json.loads(output)
    assert (code, found["ok"]) == (3, False)
    assert found["mistakes"] == [
        {
            "file": f"{tmp_path}/yett.toml",
            "line": 1,
            "message": "x: no such setting" + found["mistakes"][0]["message"][18:],
        }
    ]


def test_no_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(check.command, [], env={"YETT_CONFIG": str(tmp_path / "nowhere.toml")})
    assert result.exit_code == 3
    assert "nowhere.toml: there is no such file" in result.stderr


def test_the_environment_is_the_process_s_own(tmp_path: Path) -> None:
    toml = '[providers.a]\nkind = "openai"\nkey = "env:YETT_TEST_KEY"\n'
    assert run(tmp_path, toml=toml)[0] == 3
    (tmp_path / "yett.toml").write_text(toml)
    found = CliRunner().invoke(
        check.command, ["--config", str(tmp_path / "yett.toml")], env={"YETT_TEST_KEY": "sk-secret-value"}
    )
    assert found.exit_code == 0
    assert "sk-secret-value" not in found.output


def test_a_suppression_that_has_ended_is_named(tmp_path: Path) -> None:
    table = '[inspection.suppressions.{}]\nfindings = ["pii"]\nuntil = "{}"\nreason = "r"\n'
    code, output, _ = run(tmp_path, toml=TOML + table.format("old", "2026-01-01") + table.format("new", "2999-01-01"))
    assert code == 0
    assert "note: inspection.suppressions.old: ended, and can be taken out" in output
    assert "inspection.suppressions.new" not in output


def test_what_a_suppression_names_and_nothing_finds_is_noted(tmp_path: Path) -> None:
    table = '[inspection.suppressions.{}]\nfindings = {}\nuntil = "2999-01-01"\nreason = "r"\n'
    known = table.format("known", '["pii", "pii.email", "email", "injection.override"]')
    _, output, _ = run(tmp_path, toml=TOML + known + table.format("odd", '["pii.emial"]'))
    assert 'note: inspection.suppressions.odd: nothing finds "pii.emial"; did you mean "pii.email"?' in output
    assert "suppressions.known" not in output


def test_the_cases_beside_the_policies_are_tried(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    cases = tmp_path / "policies/tests.toml"
    case = '[providers]\nlocal = []\n[[case]]\nname = "x"\ncall = {{ team = "t", model = "m", targets = ["local/x"] }}\nexpect = {{ decision = "{}" }}\n'
    cases.write_text(case.format("allow"))
    assert "tests.toml" not in run(tmp_path)[1]
    cases.write_text(case.format("deny"))
    code, output, _ = run(tmp_path)
    assert (code, f'note: {cases}:3: 1 of 1 cases fail, "x" first' in output) == (0, True)
    cases.write_text('[[case]]\nnam = "x"\n')
    code, _, errors = run(tmp_path)
    assert (code, f"{cases}:" in errors) == (3, True)


def test_what_no_port_can_be_opened_on(tmp_path: Path) -> None:
    toml = '[gateway]\nhost = "HOST"\n[admin]\nhost = "127.0.0.1"\n' + TOML
    for host in ("not a host", "256.0.0.1", "[::1]", "10.0.0.1:8484", "http://x"):
        code, _, errors = run(tmp_path, toml=toml.replace("HOST", host))
        assert (code, f'yett.toml:2: gateway.host: "{host}" is not an address' in errors) == (3, True), host
    for host in ("0.0.0.0", "::", "localhost", "gate-1.example.org"):
        assert run(tmp_path, toml=toml.replace("HOST", host))[0] == 0


def test_a_detector_of_ones_own_is_tried(tmp_path: Path) -> None:
    text = "[inspection.detectors.badge]\npattern = 'B-\\d{6}'\nmatches = ['B-12345']\n"
    code, _, errors = run(tmp_path, toml=TOML + text)
    assert code == 3
    assert f"{tmp_path}/yett.toml:9: inspection.detectors.badge.matches[0]: nothing is found in this text" in errors
