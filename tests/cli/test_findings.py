"""`yett findings` on a journal of real files: what is shown, what is kept of a verdict, and what a suppression changes."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.contracts.conftest import new_database
from tests.servers import Postgres

from yett.cli.detectors import tune
from yett.cli.findings import command
from yett.cli.findings_table import add_table, table
from yett.cli.past import past_of
from yett.cli.sightings import Scope, effect
from yett.config.reader import parse
from yett.config.suppressions import fingerprint, suppressions
from yett.model.record import Content, Evidence, FindingCount, Record
from yett.stores.journal import open_journal
from yett.stores.pepper import load_pepper
from yett.stores.reviews import ReviewStore

MAIL, OTHER = "ada@mail.example.org", "bob@mail.example.org"
TOML = "# ours\n[teams.research]\n[teams.sales]\n"
NOW = datetime.now(UTC).timestamp()


class Hands:
    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return NOW


def call_id(number: int) -> str:
    return f"call_{int(NOW) * 1000:011x}0a0b0c0d{number:06x}"


def body(text: str) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three calls: the text of the first was kept, of the second with its findings redacted, of the third not at all."""
    (tmp_path / "yett.toml").write_text(TOML)
    state = tmp_path / ".yett"
    journal = open_journal(state / "audit", state, Hands(), content="full")

    def write(number: int, text: bytes, *findings: FindingCount, team: str = "research", reply: bytes = b"") -> None:
        call = call_id(number)
        kept = Content(len(text), "", journal.keep(call, "request", text)) if text else Content(5, "")
        answered = Content(len(reply), "", journal.keep(call, "reply", reply)) if reply else None
        ts = int((NOW - 60 + number) * 1e6)
        record = Record(
            kind="outcome", call=call, ts=ts, name="robot", team=team, tenant="default", model="fast", findings=findings, request=kept,
            reply=answered, outcome="ok",
        )  # fmt: skip
        journal.write(record)

    write(1, body(f"Write to {MAIL}, {MAIL} or {OTHER}"), FindingCount("pii.email", 3, "request", "redacted"))
    write(
        2, body("Write to [REDACTED:pii.email] now"), FindingCount("pii.email", 1, "request", "blocked"), team="sales",
        reply=b"mail " + MAIL.encode(),
    )  # fmt: skip
    write(3, b"", FindingCount("secret.jwt", 2, "reply", "noted"))
    write(4, b"no json", FindingCount("pii.email", 1, "reply", "noted"), reply=f"plain {MAIL}".encode())
    journal.write(Record(kind="outcome", call=call_id(5), ts=int(NOW * 1e6), outcome="ok"))
    journal.close()
    return tmp_path


def run(folder: Path, *arguments: str, text: str | None = None) -> Result:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(command, list(arguments), input=text, catch_exceptions=False)
    finally:
        os.chdir(before)


def listed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(folder, "list", "--json", *arguments).stdout)
    return found


def test_findings_are_listed_with_what_is_known_of_them(folder: Path) -> None:
    found = listed(folder)
    assert [(each["call"][-1], each["part"], each["kind"], each["count"]) for each in found] == [
        ("4", "reply", "pii.email", 1), ("3", "reply", "secret.jwt", 2), ("2", "request", "pii.email", 1),
        ("1", "request", "pii.email", 2), ("1", "request", "pii.email", 1),
    ]  # fmt: skip
    plain, unknown, redacted, twice, once = found
    assert (plain["detector"], plain["role"]) == ("email", "assistant")
    assert (unknown["detector"], unknown["value"], unknown["excerpt"]) == ("", "", "")
    assert redacted["excerpt"] == "Write to [REDACTED:pii.email] now"
    assert twice["value"] == plain["value"] != once["value"] != ""
    assert twice["role"] == "user"
    assert len(listed(folder, "--kind", "secret")) == 1
    assert len(listed(folder, "--team", "sales")) == 1
    assert len(listed(folder, "-n", "2")) == 2
    assert listed(folder, "--call", call_id(1), "--since", "1h") == [twice, once]
    assert "nothing was found" in run(folder, "list", "--kind", "label").stderr


def test_what_was_found_is_never_printed(folder: Path) -> None:
    for result in (run(folder, "list"), run(folder, "list", "--json"), run(folder, "review", text="q\n")):
        assert MAIL not in result.output
        assert "mail.example" not in result.output
    assert "×3" not in run(folder, "list").stdout
    assert "ad••••••••rg" in run(folder, "list").stdout


def test_without_the_key_of_what_was_kept_kinds_and_numbers_are_left(folder: Path) -> None:
    (folder / ".yett/audit-content.key").unlink()
    assert [each["count"] for each in listed(folder, "--kind", "pii")] == [1, 1, 3]


def test_a_review_asks_one_after_the_other(folder: Path) -> None:
    result = run(folder, "review", "--kind", "pii", text="t\nf\nx\ns\nq\n")
    assert result.exit_code == 0
    assert "1/4" in result.stdout
    assert "1 marked as true, 1 as false, 1 skipped" in result.stderr
    with ReviewStore.open(folder / ".yett") as store:
        said = store.all()
    assert [(each.call[-1], each.verdict, each.role, each.team) for each in sorted(said, key=lambda each: each.call)] == [
        ("2", False, "user", "sales"), ("4", True, "assistant", "research"),
    ]  # fmt: skip
    assert MAIL.encode() not in (folder / ".yett/reviews.db").read_bytes()
    assert [each["verdict"] for each in listed(folder, "--kind", "pii")] == [True, False, None, None]
    assert len(listed(folder, "--unreviewed")) == 3
    assert "1/2" in run(folder, "review", "--kind", "pii", text="q\n").stdout


def test_a_verdict_without_asking(folder: Path) -> None:
    assert run(folder, "review", "--verdict", "false").exit_code == 2
    result = run(folder, "review", "--verdict", "false", "--kind", "pii", "--note", "demo data", "--json")
    assert json.loads(result.stdout) == {"true": 0, "false": 4, "skipped": 0}
    result = run(folder, "review", "--verdict", "true", "--call", call_id(1), "--json")
    assert json.loads(result.stdout)["true"] == 2
    with ReviewStore.open(folder / ".yett") as store:
        assert {(each.verdict, each.note) for each in store.all()} == {(False, "demo data"), (True, "")}


def test_machines_that_share_a_database_share_what_was_said(
    folder: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hashes under the pepper that all of them have: a suppression of one machine's value is good at the others."""
    run(folder, "review", "--verdict", "true", "--call", call_id(1))
    shared = TOML + '[stores]\nstate = "env:STATE"\npepper = "env:PEPPER"\n'
    monkeypatch.setenv("STATE", new_database(postgres))
    pepper = (folder / ".yett/pepper").rename(folder / "pepper").read_text().strip()
    monkeypatch.setenv("PEPPER", pepper)
    (folder / "yett.toml").write_text(shared)
    run(folder, "review", "--verdict", "false", "--call", call_id(2))
    found = listed(folder, "--kind", "pii")
    assert [each["verdict"] for each in found] == [None, False, True, True], "what was said before it was shared, too"
    assert found[0]["value"] == fingerprint(bytes.fromhex(pepper), "default", MAIL)
    other = folder / "other"
    other.mkdir()
    (other / "yett.toml").write_text(shared)
    monkeypatch.chdir(other)
    result = CliRunner().invoke(tune, ["--json", "--dir", str(folder / ".yett/audit")], catch_exceptions=False)
    assert json.loads(result.stdout)["reviews"] == 3


# ---- what the journal has of each finding ---------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Two calls of which no text was kept, and one whose text was. The value of the first comes again in the others."""
    (tmp_path / "yett.toml").write_text(TOML)
    state = tmp_path / ".yett"
    state.mkdir(mode=0o700)
    journal = open_journal(state / "audit", state, Hands(), content="full")
    pepper = load_pepper(state / "pepper")

    def of(value: str, **fields: Any) -> Evidence:
        known = {"kind": "pii.email", "where": "request", "detector": "email", "role": "user", "text": 2}
        return Evidence(**{**known, "value": fingerprint(pepper, "default", value), **fields})

    def write(number: int, findings: tuple[FindingCount, ...], *evidence: Evidence, text: bytes = b"") -> None:
        call = call_id(number)
        kept = Content(len(text), "", journal.keep(call, "request", text)) if text else None
        record = Record(
            kind="outcome", call=call, ts=int((NOW - 60 + number) * 1e6), team="research", tenant="default", request=kept,
            findings=findings, evidence=evidence, unlisted=1,
        )  # fmt: skip
        journal.write(record)

    mails = FindingCount("pii.email", 3, "request", "noted")
    write(1, (mails,), of(MAIL, last=".org"), of(MAIL, start=40, end=60))
    restored = FindingCount("pii.email", 1, "reply", "restored")
    write(2, (FindingCount("pii.email", 1, "request", "tokenized"), restored), of(MAIL))
    text = f"Write to {OTHER} and {MAIL}"
    said = of(MAIL, start=text.index(MAIL), end=len(text))
    score = Evidence("injection.override", "request", "ignore", "tool", score=0.6)
    both = (FindingCount("injection.override", 1, "request", "noted"), FindingCount("pii.email", 1, "request", "noted"))
    write(3, both, said, score, of("elsewhere", where="reply"), text=body(text))
    journal.close()
    return tmp_path


def test_without_any_text_it_is_known_what_was_found_and_what_is_the_same(bare: Path) -> None:
    found = listed(bare)
    assert [(each["call"][-1], each["kind"], each["count"], each["action"], each["detector"]) for each in found] == [
        ("3", "injection.override", 1, "noted", "ignore"), ("3", "pii.email", 1, "noted", "email"),
        ("2", "pii.email", 1, "tokenized", "email"), ("2", "pii.email", 1, "restored", ""),
        ("1", "pii.email", 2, "noted", "email"), ("1", "pii.email", 1, "noted", ""),
    ]  # fmt: skip
    scored, shown, again, _, first, rest = found
    assert shown["value"] == again["value"] == first["value"] != ""
    assert (scored["score"], first["role"], first["last"], rest["value"]) == (0.6, "user", ".org", "")
    assert shown["excerpt"] == "ite to bo••••••••rg and ad••••••••rg"
    assert {each["excerpt"] for each in found if each is not shown} == {""}
    assert MAIL not in run(bare, "list").stdout
    assert first["value"] in run(bare, "list").stdout


def test_one_value_is_reviewed_suppressed_and_tuned_without_any_text(bare: Path) -> None:
    run(bare, "review", "--verdict", "false", "--kind", "pii", "--json")
    run(bare, "review", "--verdict", "true", "--kind", "injection", "--json")
    value = listed(bare, "--call", call_id(2))[0]["value"]
    before = Path.cwd()
    os.chdir(bare)
    try:
        told = json.loads(CliRunner().invoke(tune, ["--json"], catch_exceptions=False).stdout)
        plain = CliRunner().invoke(tune, [], catch_exceptions=False).stdout
    finally:
        os.chdir(before)
    (proposal,) = told["proposals"]
    assert (proposal["action"], proposal["value"]) == ("suppress-value", value)
    assert proposal["effect"]["findings"] == {"noted": 3, "tokenized": 1}
    assert "in 3 calls of the past it would have taken away: 3 noted, 1 tokenized" in plain
    assert "they were only counted" in plain
    result = run(
        bare, "suppress", "x", "--finding", "pii", "--reason", "r", "--days", "1", "--hash", value, "--yes", "--json"
    )
    assert json.loads(result.stdout)["effect"]["reviewed_false"] == 3


def test_a_threshold_is_weighed_by_the_scores_of_the_past(bare: Path) -> None:
    with past_of(None, bare / "yett.toml") as (past, _):
        low = effect(past, [], 0, Scope(("injection",), below=70))
        assert (low["findings"], low["unknown"]) == ({"noted": 1}, 0)
        assert effect(past, [], 0, Scope(("injection",), below=55))["findings"] == {}
        assert effect(past, [], 0, Scope(("pii",), below=55))["unknown"] == 2


# ---- suppressions ---------------------------------------------------------------------------------------------------


def suppress(folder: Path, *arguments: str, text: str | None = None) -> Result:
    return run(folder, "suppress", "demo", "--finding", "pii.email", "--reason", 'our "demo" é', *arguments, text=text)


def test_the_effect_is_shown_before_anything_changes(folder: Path) -> None:
    run(folder, "review", "--verdict", "false", "--call", call_id(1), "--json")
    result = suppress(folder, "--days", "30", text="n\n")
    assert result.exit_code == 1
    assert "in 3 calls of the past: 1 blocked, 1 noted, 3 redacted" in result.stdout
    assert "2 were marked as false and 0 as true" in result.stdout
    assert (folder / "yett.toml").read_text() == TOML


def test_a_suppression_is_added_to_the_file(folder: Path) -> None:
    (folder / "yett.toml").chmod(0o640)
    result = suppress(
        folder, "--until", "2099-12-31", "--team", "sales", "--on", "request", "--role", "user", text="y\n"
    )
    assert result.exit_code == 0, result.output
    assert "in 1 call of the past: 1 blocked" in result.stdout
    text = (folder / "yett.toml").read_text()
    assert text.startswith(TOML)
    assert (folder / "yett.toml").stat().st_mode & 0o777 == 0o640
    (one,) = suppressions(parse(text, folder / "yett.toml", {}), [])
    assert (one.id, one.selectors, one.teams, one.parts, one.roles) == (
        "demo",
        ("pii.email",),
        ("sales",),
        ("request",),
        ("user",),
    )
    assert [path.name for path in folder.iterdir() if path.name.startswith("tmp")] == []


def test_a_value_is_kept_as_a_keyed_hash_and_only_it_is_meant(folder: Path) -> None:
    result = suppress(folder, "--days", "1", "--value", "-", "--yes", "--json", text=MAIL + "\n")
    told = json.loads(result.stdout)
    assert told["effect"] == {
        "calls": 2, "findings": {"redacted": 2, "noted": 1}, "reviewed_true": 0, "reviewed_false": 0, "unknown": 1
    }  # fmt: skip
    text = (folder / "yett.toml").read_text()
    assert MAIL not in text
    (one,) = suppressions(parse(text, folder / "yett.toml", {}), [])
    assert one.values == {listed(folder, "--call", call_id(4))[0]["value"]}
    (known,) = one.values
    again = run(
        folder, "suppress", "x", "--finding", "pii", "--reason", "r", "--days", "1", "--hash", known, text="n\n"
    )
    assert "it cannot be told" in again.stdout


def test_json_without_yes_only_tells(folder: Path) -> None:
    told = json.loads(suppress(folder, "--days", "1", "--json").stdout)
    assert told["written"] is False
    assert '[inspection.suppressions."demo"]' in told["table"]
    assert (folder / "yett.toml").read_text() == TOML


def test_what_does_not_fit_is_not_written(folder: Path) -> None:
    assert suppress(folder, "--days", "1", "--until", "2099-01-01").exit_code == 2
    assert suppress(folder).exit_code == 2
    for arguments, reason in (
        (["--days", "1", "--team", "reserch"], 'there is no "reserch"'),
        (["--until", "soon"], "is not a date"),
        (["--until", "2020-01-01"], "is over"),
    ):
        result = suppress(folder, *arguments, "--yes")
        assert result.exit_code == 2
        assert reason in result.stderr
    assert suppress(folder, "--days", "1", "--yes").exit_code == 0
    result = suppress(folder, "--days", "1", "--yes")
    assert "cannot be added" in result.stderr
    (folder / "yett.toml").write_text(f"{TOML}oops [\n")
    assert "such a mistake" in suppress(folder, "--days", "1", "--yes").stderr
    assert (folder / "yett.toml").read_text() == f"{TOML}oops [\n"
    (folder / "yett.toml").unlink()
    assert "cannot be read" in suppress(folder, "--days", "1", "--yes").stderr


def test_the_file_stays_whose_it_was_and_as_it_was_written(folder: Path) -> None:
    real = folder / "real.toml"
    real.write_bytes(f"# why\n{TOML}".replace("\n", "\r\n").encode())
    if os.geteuid() == 0:
        os.chown(real, 65534, 65534)
    (folder / "yett.toml").unlink()
    (folder / "yett.toml").symlink_to("real.toml")
    before, owner = real.read_bytes(), real.stat()
    assert suppress(folder, "--days", "1", "--yes").exit_code == 0
    after = real.read_bytes()
    assert (folder / "yett.toml").is_symlink()
    assert after.startswith(before.rstrip() + b"\r\n\r\n[inspection.suppressions.")
    assert after.count(b"\n") == after.count(b"\r\n")
    assert (real.stat().st_uid, real.stat().st_gid) == (owner.st_uid, owner.st_gid)


def test_two_who_write_at_once_lose_nothing(folder: Path) -> None:
    config = folder / "yett.toml"
    tables = [table(f"s{number}", findings=("pii.email",), until="2099-01-01", reason="r") for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda text: add_table(config, text, {}), tables))
    assert all(config.read_text().count(text) == 1 for text in tables)
    assert not list(folder.glob(".yett-*"))


def test_no_journal(tmp_path: Path) -> None:
    assert run(tmp_path, "list").exit_code == 2
