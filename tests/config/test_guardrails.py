"""From yett.toml to the Panel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yett.config.guardrails import finding_names, panel
from yett.config.reader import parse
from yett.config.reading import Reading
from yett.guardrails import transformer
from yett.guardrails.categories import KINDS
from yett.guardrails.shelf import KINDS as SERVICES
from yett.model.guardrail import FAILED_OPEN, Panel
from yett.model.route import Secret, Timeouts

MANUAL = (Path(__file__).parents[2] / "docs" / "guardrails.md").read_text()
TEXT = """\
[advice]
deadline = "800ms"
fail = "open"
remember = 10
remember_seconds = "1m"

[guardrails.aws]
kind = "bedrock_guardrails"
key = "env:KEY"
access_key = "env:ID"
session_token = "env:TOKEN"
region = "eu-west-1"
resource = "gr1"
version = "2"
fail = "closed"
kinds = { investments = "topic.money" }

[guardrails.local]
kind = "transformer"
folder = "model"
sha256 = "AA00000000000000000000000000000000000000000000000000000000000000"
on = ["request", "reply"]
always = ["tool"]
above = 0.2
below = 0.8
"""
ENVIRONMENT = {"KEY": "key-1", "ID": "id-1", "TOKEN": "token-1"}


def read(text: str, folder: Path = Path("/etc/yett")) -> Reading:
    return parse(text, folder / "yett.toml", ENVIRONMENT)


def built(text: str) -> Panel:
    made = panel(read(text))
    assert made is not None
    return made


def test_without_guardrails_there_is_no_panel() -> None:
    assert panel(read("[advice]\ndeadline = 2\n")) is None


def test_everything_is_where_it_is_needed() -> None:
    made = built(TEXT)
    assert (made.deadline, made.remembered, made.seconds) == (0.8, 10, 60.0)
    aws, local = made.guardrails
    assert aws.provider.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert aws.provider.keys == (Secret("key-1"),)
    assert aws.provider.timeouts == Timeouts(0.8, 0.8, 0.8, 0.8)
    assert (aws.access_key, aws.session_token) == (Secret("id-1"), Secret("token-1"))
    assert (aws.id, aws.resource, aws.version, aws.fail_open) == ("aws", "gr1", "2", False)
    assert aws.redact == {"secret"}
    assert (local.folder, local.pin[:3], local.fail_open) == ("/etc/yett/model", "aa0", True)
    assert (local.above, local.below, local.always) == (0.2, 0.8, {"tool"})
    assert (local.provider.base_url, local.provider.keys) == ("", ())


def test_sides() -> None:
    made = built(TEXT)
    assert made.on("request")
    assert made.on("reply")
    assert not built(TEXT.partition("[guardrails.local]")[0]).on("reply")


def test_an_address_and_certificates_of_ones_own() -> None:
    text = '[guardrails.g]\nkind = "lakera"\nkey = "env:KEY"\nbase_url = "https://guard.example/"\nca_file = "ca.pem"\n'
    (guardrail,) = built(text).guardrails
    assert (guardrail.provider.base_url, guardrail.provider.ca_file) == ("https://guard.example", "/etc/yett/ca.pem")


def test_other_settings_other_fingerprint() -> None:
    one = {guardrail.fingerprint for guardrail in built(TEXT).guardrails}
    same = {guardrail.fingerprint for guardrail in built(TEXT.replace("remember = 10", "remember = 11")).guardrails}
    other = {guardrail.fingerprint for guardrail in built(TEXT.replace("above = 0.2", "above = 0.3")).guardrails}
    assert len(one) == 2
    assert one == same
    assert len(one & other) == 1


def test_no_secret_is_shown() -> None:
    assert "key-1" not in repr(built(TEXT))
    assert "token-1" not in repr(built(TEXT))


def test_policies_may_name_what_guardrails_report() -> None:
    names = finding_names(read(TEXT).settings)
    assert {"moderation", "moderation.hate", "injection.remote", "injection.transformer", "topic.money"} <= names
    assert FAILED_OPEN in names
    assert finding_names(read("").settings) == frozenset()


@pytest.mark.parametrize("block", re.findall(r"^```toml\n(.*?)^```", MANUAL, flags=re.MULTILINE | re.DOTALL))
def test_what_the_manual_shows_is_right(block: str, tmp_path: Path) -> None:
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / "models" / "prompt-guard").mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / "prompt-guard" / name).touch()
    text = block.replace("64 hexadecimal digits", "0" * 64)
    keys = {"OPENAI_API_KEY": "k", "LAKERA_API_KEY": "k"}
    assert parse(text, tmp_path / "yett.toml", keys).mistakes == ()


def test_the_manual_has_every_kind_and_every_finding() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \|", MANUAL, flags=re.MULTILINE)
    assert rows == [*SERVICES, transformer.NAME]
    named = set(re.findall(r"`([a-z]+\.[a-z-]+)`", MANUAL))
    for group in re.findall(r"^\| (`moderation\.[^|]+) \|", MANUAL, flags=re.MULTILINE):
        named |= {f"moderation.{name}" for name in re.findall(r"`(?:moderation)?\.([a-z-]+)`", group)}
    assert {*KINDS, "injection.transformer", FAILED_OPEN} - named == set()
