"""Mistakes in `[operators]`, each at its setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.reader import parse

RIGHT = """[operators]
issuer = "https://idp.example"
client_id = "console"
url = "https://yett.example"
roles = [{ value = "chiefs", role = "admin" }, { value = "acme", role = "viewer", tenants = ["acme"] }]
"""
CORP = "[scim.corp]\nteams = {}\n"


def mistakes(text: str) -> list[str]:
    return [mistake.message for mistake in parse(f'tenants = ["acme"]\n{text}', Path("yett.toml"), {}).mistakes]


def test_what_is_right() -> None:
    assert mistakes(RIGHT) == []
    assert mistakes(RIGHT.replace("https://yett.example", "http://localhost:8485")) == []
    assert mistakes(RIGHT.replace("https://idp.example", "http://127.0.0.1:9000/realms/acme")) == []
    assert mistakes(RIGHT + 'directory = "corp"\nclaim = ""\n' + CORP) == []
    issuer = '[identity.issuers.corp]\nissuer = "https://idp.example"\naudiences = ["yett"]\ndirectory = "corp"\n'
    both = mistakes(f'{RIGHT}directory = "corp"\n{CORP}{issuer}')
    assert both == ['identity.issuers.corp.directory: nobody of it may call: [scim."corp"] has no teams']
    assert "scim.corp.teams: is empty" in "".join(mistakes(RIGHT + CORP))  # whose users are to do what?
    assert mistakes('[operators]\nidle = "10m"\nurl = "https://yett.example"') == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("https://idp", "http://idp", "is not encrypted"),
        ("https://yett.example", "http://yett.example", "is not encrypted"),
        ("https://yett.example", "https://yett.example/console", "has a path"),
        ("https://yett.example", "https://Yett.example", "not how browsers write it"),
        ('client_id = "console"\n', "", "operators.client_id: required"),
        ('url = "https://yett.example"\n', "", "operators.url: required"),
        (
            '[{ value = "chiefs", role = "admin" }, { value = "acme", role = "viewer", tenants = ["acme"] }]',
            "[]",
            "nobody gets in",
        ),
        ('"admin"', '"root"', 'not "root"'),
        ('["acme"]', '["acne"]', 'operators.roles[1].tenants[0]: no tenant "acne"; did you mean "acme"?'),
        ('value = "acme", role = "viewer"', 'value = "chiefs", role = "admin"', "already has the role"),
        ("roles =", 'audience = "console"\nroles =', "is the client's own id"),
        ("roles =", "algorithms = []\nroles =", "no token would do"),
        ("roles =", 'client_secret = "hunter2"\nroles =', "operators.client_secret"),
        ("roles =", 'client_secret = "env:GONE"\nroles =', "GONE is not set"),
        ("roles =", 'ca_file = "gone.pem"\nroles =', "there is no file gone.pem"),
        ("roles =", 'idle = "2h"\nsession = "1h"\nroles =', "must not be less than idle"),
        ("roles =", 'claim = ""\nroles =', "operators.claim: is empty, so that roles would come from a directory"),
        ("roles =", 'directory = "crop"\nroles =', 'operators.directory: there is no [scim."crop"]'),
        (
            "[operators]",
            f"{CORP}match = 'email'\n[operators]\ndirectory = 'corp'",
            "operators need an id, or a userName",
        ),
        ('issuer = "https://idp.example"\n', "", 'operators.client_id: means nothing without "issuer"'),
    ],
)
def test_what_is_wrong(old: str, new: str, expected: str) -> None:
    assert old in RIGHT
    assert expected in "\n".join(mistakes(RIGHT.replace(old, new)))


def test_the_name_of_operators_in_fences_is_theirs() -> None:
    issuer = '[teams.research]\n[identity.issuers.operators]\nissuer = "https://x.example"\naudiences = ["y"]\nteam = "research"\n'
    assert "choose another there" in "\n".join(mistakes(RIGHT + issuer))


def test_events_about_operators_need_a_provider_of_theirs(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    receiver = '[receivers.idp]\nissuer = "https://idp.example"\naudiences = ["y"]\njwks_file = "keys.json"\nidentity = "operators"\n'
    assert parse(f'tenants = ["acme"]\n{RIGHT}{receiver}', tmp_path / "yett.toml", {}).mistakes == ()
    found = parse(receiver, tmp_path / "yett.toml", {}).mistakes
    assert 'there is no [identity.issuers."operators"]' in str(found[0])
