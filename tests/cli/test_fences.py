"""`yett revoke` and `yett fences`: drawn, listed, lifted; each change in the audit journal first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from yett.cli import fences, keys, revoke
from yett.stores.journal_reader import entries

TOML = """\
[providers.openai]
kind = "openai"
keys = ["env:NOT_SET_IN_THIS_SHELL"]
[models.fast]
targets = [{ provider = "openai", model = "x" }]
[teams.research]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML)
    return tmp_path


def run(command: Any, folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--config", str(folder / "yett.toml")])


def listed(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(fences.command, folder, "list", "--json").stdout)["fences"]
    return found


def test_a_fence_is_drawn_listed_lifted_and_recorded(folder: Path) -> None:
    assert "no fences" in run(fences.command, folder, "list").stdout
    drawn = run(revoke.command, folder, "team", "research", "--reason", "an incident", "--until", "2h")
    assert drawn.exit_code == 0, drawn.output
    assert "team:default/research#1" in drawn.stdout
    (fence,) = listed(folder)
    assert (fence["fence"], fence["reason"], fence["source"]) == ("team:default/research", "an incident", "operator")
    assert fence["until"] > fence["since"]
    assert "(an incident)" in run(fences.command, folder, "list").stdout
    assert run(fences.command, folder, "lift", "team:default/research#1").exit_code == 0
    assert listed(folder) == []
    again = run(fences.command, folder, "lift", "team:default/research")
    assert (again.exit_code, "there is no fence" in again.stderr) == (2, True)
    events = [entry.record for entry in entries(folder / ".yett/audit")]
    assert [(event.event, event.fence, event.tenant) for event in events] == [
        ("fence.draw", "team:default/research#1", "default"),
        ("fence.lift", "team:default/research#1", "default"),
    ]
    assert events[0].detail["reason"] == "an incident"


def test_a_key_is_named_by_id_or_name(folder: Path) -> None:
    created = json.loads(run(keys.command, folder, "create", "--name", "ci", "--team", "research", "--json").stdout)
    assert run(revoke.command, folder, "key", "ci", "--sessions").exit_code == 0
    assert run(revoke.command, folder, "key", created["id"]).exit_code == 0
    assert {(each["fence"], each["only"]) for each in listed(folder)} == {
        (f"key:{created['id']}", "sessions begun before"),
        (f"key:{created['id']}", ""),
    }
    assert len(json.loads(run(fences.command, folder, "lift", f"key:{created['id']}", "--json").stdout)["lifted"]) == 2


def test_whom_and_until(folder: Path) -> None:
    drawn = run(
        revoke.command, folder, "user", "ada@example.org", "--tenant", "acme", "--until", "2099-01-01", "--json"
    )
    found = json.loads(drawn.stdout)
    assert (found["fence"], found["until"]) == ("user:acme/ada@example.org", "2099-01-01T00:00:00Z")
    assert json.loads(run(revoke.command, folder, "tenant", "acme", "--json").stdout)["fence"] == "tenant:acme"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("team", "reserch"), 'did you mean "research"'),
        (("key", "nobody"), "no live key"),
        (("user", "ada\n"), "one line"),
        (("task", "run-17"), 'records have it as "task_…"'),
        (("service", "key_1"), '"yett revoke key key_1"'),
        (("tenant", "a/b"), "no slash"),
        (("user", "ada", "--tenant", "a/b"), "no slash"),
        (("user", "ada", "--reason", "a\nb"), "a reason is one line"),
        (("user", "ada", "--until", "soon"), "neither a duration"),
        (("user", "ada", "--until", "9999-12-31T23:59:59-12:00"), "a hundred years away"),
        (("user", "ada", "--until", "2020-01-01T00:00:00Z"), "over already"),
        (("nobody", "ada"), "is not one of"),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    result = run(revoke.command, folder, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert listed(folder) == []
