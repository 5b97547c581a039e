"""Mistakes in `[guardrails.NAME]`, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.reader import parse

ENVIRONMENT = {"KEY": "key-1"}


def mistakes(text: str) -> list[str]:
    return [str(mistake) for mistake in parse(text, Path("yett.toml"), ENVIRONMENT).mistakes]


def table(*lines: str, kind: str = "lakera", key: str = 'key = "env:KEY"') -> str:
    return "\n".join(("[guardrails.mine]", f'kind = "{kind}"', key, *lines)) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        table(),
        table(kind="openai_moderation"),
        table('region = "eu-west-1"', 'resource = "gr1"', 'access_key = "env:KEY"', kind="bedrock_guardrails"),
        table('base_url = "https://safety.example"', 'checks = ["injection"]', kind="azure_content_safety"),
        table('region = "europe-west4"', 'resource = "projects/p/locations/l/templates/t"', kind="model_armor"),
        table('base_url = "http://127.0.0.1:9000/check"', kind="webhook"),
        table('base_url = "http://guard.internal/check"', "plaintext = true", kind="webhook"),
        table(
            'on = ["request", "reply"]',
            'roles = ["user", "tool"]',
            'always = ["tool"]',
            "above = 0.2",
            "below = 0.8",
            'withhold = ["label.restricted"]',
            'fail = "open"',
            "threshold = 0.5",
            'kinds = { "our-topic" = "topic.ours" }',
            'thresholds = { "moderation.hate" = 0.3, "topic.ours" = 1 }',
        ),
    ],
)
def test_what_is_right(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (table(kind="lakra"), 'yett.toml:2: guardrails.mine.kind: no kind "lakra"; did you mean "lakera"?'),
        (table(key=""), 'yett.toml:1: guardrails.mine.key: kind "lakera" needs it'),
        (
            table(key='key = "sk-secret"'),
            (
                "yett.toml:3: guardrails.mine.key: a secret must not be written here: put it into an "
                'environment variable and write "env:MINE_API_KEY", into a file and write "file:PATH", or seal it with "yett credentials add NAME" and write "sealed:NAME"'
            ),
        ),
        (
            table('session_token = "env:NONE"'),
            "yett.toml:4: guardrails.mine.session_token: the environment variable NONE is not set",
        ),
        (
            table('region = "evil.example/"', 'resource = "x"', kind="model_armor"),
            "yett.toml:4: guardrails.mine.region: a region consists of small letters, digits and dashes",
        ),
        (
            table('resource = "x"', kind="model_armor"),
            'yett.toml:1: guardrails.mine.region: kind "model_armor" needs it',
        ),
        (table('on = ["both"]'), 'yett.toml:4: guardrails.mine.on[0]: expected "reply" or "request", not "both"'),
        (
            table('roles = ["user", "tol"]'),
            'yett.toml:4: guardrails.mine.roles[1]: there is no "tol"; did you mean "tool"?',
        ),
        (
            table('checks = ["injection"]'),
            'yett.toml:4: guardrails.mine.checks[0]: there is no "injection"; this kind has none',
        ),
        (table("above = 0.9", "below = 0.1"), "yett.toml:4: guardrails.mine.above: must not be more than below"),
        (table("threshold = 2"), "yett.toml:4: guardrails.mine.threshold: must be at most 1, not 2"),
        (
            table('kinds = { "Our topic" = "topic.ours" }'),
            'yett.toml:4: guardrails.mine.kinds."Our topic": write it in small letters, digits and dashes: "our-topic"',
        ),
        (
            table('kinds = { x = "ours" }'),
            'yett.toml:4: guardrails.mine.kinds.x: a kind of finding is written as in "topic.gambling"',
        ),
        (
            table('kinds = { x = "label.public" }'),
            'yett.toml:4: guardrails.mine.kinds.x: "label" is a family that a guardrail may not report',
        ),
        (
            table('thresholds = { "moderation.hat" = 0.3 }'),
            (
                'yett.toml:4: guardrails.mine.thresholds."moderation.hat": it reports no "moderation.hat"; '
                'did you mean "moderation.hate"?'
            ),
        ),
        (
            table('base_url = "http://guard.example"'),
            (
                'yett.toml:4: guardrails.mine.base_url: "http://guard.example" would send texts and keys unencrypted; '
                "use https://, or accept it with plaintext = true in this table"
            ),
        ),
        (
            table('base_url = "ftp://guard.example"'),
            'yett.toml:4: guardrails.mine.base_url: "ftp://guard.example" is not an http:// or https:// URL with a host',
        ),
        (table('sha256 = "abc"'), "yett.toml:4: guardrails.mine.sha256: a SHA-256 has 64 hexadecimal digits"),
        (table('ca_file = "none.pem"'), "yett.toml:4: guardrails.mine.ca_file: there is no file none.pem"),
        (table(kind="transformer"), 'yett.toml:1: guardrails.mine.folder: kind "transformer" needs it'),
        (
            '[guardrails."my guard"]\nkind = "lakera"\nkey = "env:KEY"\n',
            'yett.toml:1: guardrails."my guard": a guardrail\'s name consists of letters, digits, dots, dashes and underscores',
        ),
        ("[advice]\ndeadline = 0\n", "yett.toml:2: advice.deadline: must be more than 0s, not 0s"),
    ],
)
def test_what_is_wrong(text: str, mistake: str) -> None:
    assert mistakes(text) == [mistake]


def test_a_model_has_its_files(tmp_path: Path) -> None:
    text = table('folder = "model"', kind="transformer", key="")
    found = parse(text, tmp_path / "yett.toml", {}).mistakes
    assert [mistake.message.rpartition("/")[2] for mistake in found] == ["model.onnx", "tokenizer.json"]
    (tmp_path / "model").mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / "model" / name).touch()
    assert parse(text, tmp_path / "yett.toml", {}).mistakes == ()
