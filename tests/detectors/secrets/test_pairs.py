"""Passwords beside the names of their users, and those that only a word introduces."""

from __future__ import annotations

import pytest
from tests.detectors.examples import RANDOM

from yett.detectors.engine import Scanner
from yett.detectors.secrets.pairs import PAIRS

WORD = "Kd83" + "kd2S"


@pytest.fixture(scope="module")
def pairs() -> Scanner:
    return Scanner(PAIRS)


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("ID/PW: admin / ", WORD, ""),
        ('auth=("ada", "', WORD, '")'),
        ("HTTPBasicAuth('ada', '", WORD, "')"),
        ('new NetworkCredential("ada", "', WORD, '")'),
        ("[Net.NetworkCredential]::new('ada', '", WORD, "')"),
        ('DBI->connect("dbi:mysql:shop", "root", "', WORD, '")'),
        ("creds: ada / ", WORD, ""),
        ("Log in with ada and password ", WORD, ""),
        ("user ada, pass ", WORD, ""),
        ("10.0.0.5 / ada / ", WORD, ""),
        ("set -x DB_PASSWORD ", WORD, ""),
        ("the password ", "summer#7x", " works"),
        ("npm config set //r/:_authToken ", RANDOM[:32], ""),
        ("use this token ", RANDOM[:32], ", please"),
        ("dsn := `root:", WORD, "@tcp(127.0.0.1:3306)/shop`"),
        ('new mysqli($host, "root", "', WORD, '", "shop");'),
        ('DriverManager.getConnection(url, "root", "', WORD, '")'),
        ("new PDO('mysql:host=h;dbname=x', $user, '", WORD, "');"),
        ('new PasswordAuthentication(user, "', WORD, '".toCharArray())'),
        ("ssh.connect(host, 22, 'root', '", WORD, "')"),
        ("bot.run('", RANDOM[:32], "')"),
        ("Fernet(b'", RANDOM[:43] + "=", "')"),
        ("jwt.sign(payload, '", RANDOM[:32], "')"),
        ("crypto.createHmac('sha256', \"", RANDOM[:32], '")'),
        ("https://hooks.example.org/in/", RANDOM[:24], " fires"),
        ("https://flows.example.org/webhook/", "2f1b9c52-7a0e-4d53-9a34-1c0d2f6e8b71", '"'),
        ("my github token (", RANDOM[:32], ") leaked"),
    ],
)
def test_found(pairs: Scanner, before: str, value: str, after: str) -> None:
    text = before + value + after
    assert [text[found.start : found.end] for found in pairs.scan_text(text)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "ID/PW: admin / ${PASSWORD}",
        "the password PBKDF2-SHA256 is hashed with",
        "password authentication2, password user@mail1.example.org, password web01.example.org",
        "log in with ada and Bob2",
        "apt\tpasswd\t1:4.13+dfsg1-1+deb12u1",
        "10.0.0.5 / ada / web01.example.org",
        'login("ada", "password")',
        "auth(\"ada\", 'production')",
        "a token based-on-words2024-only",
        "root:${PASSWORD}@tcp(127.0.0.1:3306)/shop",
        'getConnection("jdbc:h2:mem", props, "production")',
        "Session(username=username, password=password, decode_utf8=True)",
        "http://192.168.1.7/thermostat/0?pos=13.0",
        "https://example.org/hooks/github-pull-request-events",
        "https://example.org/docs/webhooks/verifying-signatures-v2",
        "new Client('arn:aws:iam::123456789012:role/x')",
        "api('CustomerOrderHistoryService2')",
    ],
)
def test_not_found(pairs: Scanner, text: str) -> None:
    assert [text[found.start : found.end] for found in pairs.scan_text(text)] == []
