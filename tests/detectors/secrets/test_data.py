"""Strings that connect to a database or a broker: the password in them, and nothing where there is none."""

from __future__ import annotations

import pytest

from yett.detectors.engine import Scanner
from yett.detectors.secrets.data import DATA

WORD = "Kd83" + "kd2S"


@pytest.fixture(scope="module")
def data() -> Scanner:
    return Scanner(DATA)


@pytest.mark.parametrize(
    ("before", "password", "after"),
    [
        ("postgres://app:", WORD, "@db:5432/app"),
        ("mongodb+srv://app:", WORD, "@cluster0.mongodb.net/x"),
        ("redis://:", WORD, "@cache:6379/0"),
        ("amqp://guest:", WORD, "@mq//"),
        ("postgres:\\/\\/app:", WORD, "@db"),
        ("http://root:", "admin", "@localhost/"),
        ("Server=db;Database=x;User Id=sa;Password=", WORD, ";Encrypt=true"),
        ("host=db user=a;password=", WORD, ""),
        ("jdbc:oracle:thin:scott/", WORD, "@//db:1521/x"),
        ("sqlplus -s scott/", WORD, "@orcl"),
        ("git clone https://", "Zk3qT9vLw2Xr7NbYc5Md8HsF", "@git.example.org/a/b"),
        ("machine x.io\nlogin ada\npassword ", WORD, "\n"),
    ],
)
def test_passwords(data: Scanner, before: str, password: str, after: str) -> None:
    text = before + password + after
    assert [text[found.start : found.end] for found in data.scan_text(text)] == [password]


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8080@x",
        "http://a:80@b",
        "ssh://build-and-release-service-42@git.example.org/a",
        "postgres://app:${DB_PASSWORD}@db/app",
        "postgres://app:<password>@db/app",
        "postgres://app:password@db/app",
        "Server=db;Database=x;Password={0};",
        "Server=db;Database=x;Password=your_password;",
        "Server=db;Integrated Security=true;",
    ],
)
def test_no_passwords(data: Scanner, text: str) -> None:
    assert data.scan_text(text) == ()
