"""`yett detectors`: what is listed, what is shown of a text, and what is measured."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.detectors.examples import AWS, RANDOM

from yett.cli.detectors import command
from yett.cli.detectors_bench import SIZE, texts
from yett.detectors.shelf import SHELF
from yett.model.record import FindingCount, Record
from yett.stores.journal import open_journal
from yett.stores.reviews import Review, ReviewStore

TOML = "[inspection]\ndisabled = ['pii']\n[inspection.detectors.zeus]\npattern = 'project (zeus)'\n"


def run(*arguments: str | Path, text: bytes | None = None) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], input=text)


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML)
    return tmp_path / "yett.toml"


def test_all_detectors_are_listed_in_order() -> None:
    listed = answer(run("list", "--json"))
    patterns = [each for each in listed if each["tier"] == "pattern"]
    assert [(each["id"], each["kind"]) for each in patterns] == [(each.id, each.kind) for each in SHELF]
    rest = listed[len(patterns) :]
    assert {each["family"] for each in rest} == {"injection"}
    assert rest[-1]["id"] == "injection-model"
    (token,) = [each for each in listed if each["id"] == "aws-access-key-id"]
    assert token["family"] == "secret"
    assert {"list": "owasp-llm-2026", "id": "LLM02", "title": "Sensitive Information Disclosure"} in token["references"]
    result = run("list")
    assert len(result.stdout.splitlines()) == len(listed)
    assert f"{len(listed)} detectors of " in result.stderr


def test_a_family_a_kind_and_the_checks() -> None:
    assert {each["family"] for each in answer(run("list", "--family", "pii", "--json"))} == {"pii"}
    assert "LLM02:2026" in run("list", "--family", "pii.email").stdout
    assert "luhn" in run("list", "--validators").stdout.splitlines()
    assert "iban" in answer(run("list", "--validators", "--json"))


def test_the_detectors_of_a_configuration(toml: Path) -> None:
    listed = answer(run("list", "--config", toml, "--json"))
    assert listed[0] == {"id": "zeus", "kind": "custom.zeus", "family": "custom", "tier": "pattern", "references": []}
    assert not [each for each in listed if each["family"] == "pii"]
    wrong = toml.with_name("wrong.toml")
    wrong.write_text("[inspection.detectors.zeus]\npattern = 'a+'\n")
    for name in ("list", "bench"):
        result = run(name, "--config", wrong)
        assert result.exit_code == 3
        assert "wrong.toml:2: inspection.detectors.zeus.pattern" in result.stderr


def test_one_is_shown_with_how_it_works(toml: Path) -> None:
    result = run("show", "email")
    assert "pii.email" in result.stdout
    assert "pattern" in result.stdout
    assert "AML.T0057  LLM Data Leakage" in result.stdout
    (shown,) = answer(run("show", "zeus", "--config", toml, "--json"))
    assert "zeus" in shown["pattern"]
    assert len(answer(run("show", "label", "--json"))) > 1
    assert "weight" in run("show", "injection.override").stdout
    assert "there is no detector" in run("show", "nothing").stderr
    assert run("show", "nothing").exit_code == 2


def test_a_text_is_tried(tmp_path: Path) -> None:
    text = f"key {AWS}, mail ada@mail.example.org"
    result = run("test", text)
    assert result.exit_code == 1
    assert "aws-access-key-id:1:5  secret.aws-access-key  key AK••••••••LE" in result.stdout
    assert "score injection 0." in result.stdout
    (tmp_path / "a.txt").write_text(text)
    tried = answer(run("test", tmp_path / "a.txt", "--id", "pii", "--json"))
    assert [each["kind"] for each in tried["findings"]] == ["pii.email"]
    assert tried["findings"][0]["references"][0] == "LLM02"
    assert (tried["streams"], tried["cut"]) == (True, True)
    assert answer(run("test", "-", "--json", text=text.encode() * 60))["cut"] is False
    assert run("test", "The office opens at nine on Monday.").exit_code == 0
    assert run("test", str(tmp_path), "--json").exit_code == 0


def test_a_stream_that_shows_something_else_is_said(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that breaks the rules: its span contains a space, so a cut stream loses it."""
    info = toml.parent / "loose_yett-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loose-yett\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[yett.detectors]\na = loose_yett:A\n")
    source = "from yett.detectors.detector import Detector\nA = Detector(id='loose', kind='secret.loose', pattern=r'(red fox)')\n"
    (toml.parent / "loose_yett.py").write_text(source)
    monkeypatch.syspath_prepend(toml.parent)
    toml.write_text('[inspection]\nplugins = ["loose_yett:A"]\n')
    moved = toml.rename(toml.with_name("loose.toml"))
    result = run("test", "the red fox", "--config", moved)
    assert "a stream that is cut at " in result.stderr
    assert answer(run("test", "the red fox", "--config", moved, "--json"))["streams"] is False


def test_what_it_costs_is_measured() -> None:
    rows = answer(run("bench", "--json"))
    assert [row["text"] for row in rows] == list(texts())
    assert all(
        row[name] > 0
        for row in rows
        for name in ("clean_us", "patterns_us", "all_us_per_kb", "names_us_per_kb", "chunk_us")
    )
    assert len(run("bench").stdout.splitlines()) == len(rows) + 1


def test_the_texts_that_are_measured_are_of_one_size() -> None:
    assert {len(text) for text in texts().values()} == {SIZE}
    assert RANDOM not in "".join(texts().values())


# ---- tuning ---------------------------------------------------------------------------------------------------------


class Hands:
    def now(self) -> float:
        return datetime.now(UTC).timestamp()

    def monotonic(self) -> float:
        return 0.0


def test_what_reviews_suggest_is_shown_with_its_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = tmp_path / ".yett"
    journal = open_journal(state / "audit", state, Hands())
    counted = (FindingCount("pii.phone", 2, "request", "blocked"),)
    for number in range(7):
        ts = int(Hands().now() * 1e6)
        journal.write(Record(kind="outcome", call=f"call_{number}", ts=ts, team="t", outcome="ok", findings=counted))
    journal.close()
    assert "0 reviews, which suggest nothing yet" in run("tune").stderr
    with ReviewStore.open(state) as store:
        for number in range(6):
            store.put(Review(f"call_{number}", "request", "pii.phone", "", verdict=False, team="t"))
        for number in range(12):
            score = 0.6 if number < 6 else 0.9
            store.put(
                Review(
                    f"i{number}",
                    "request",
                    "injection.x",
                    "",
                    verdict=number > 5,
                    score=score,
                    detector=f"d{number}",
                    team=str(number),
                )
            )
    result = run("tune")
    assert result.exit_code == 0
    assert "suppress-scope  pii.phone: 6 false and 0 true of those reviewed" in result.stdout
    assert "in 7 calls of the past it would have taken away: 14 blocked" in result.stdout
    assert "yett findings suppress pii-phone-t --finding pii.phone --team t --days 90" in result.stdout
    assert "threshold  injection: 6 false and 0 true" in result.stdout
    told = answer(run("tune", "--json"))
    assert told["reviews"] == 18
    assert [(each["action"], each["effect"]["calls"]) for each in told["proposals"]] == [
        ("suppress-scope", 7),
        ("threshold", 0),
    ]
