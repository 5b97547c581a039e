"""Passwords that are arguments of programs."""

from __future__ import annotations

import pytest

from yett.detectors.engine import Scanner
from yett.detectors.secrets.commands import COMMANDS

WORD = "Kd83" + "kd2S"


@pytest.fixture(scope="module")
def commands() -> Scanner:
    return Scanner(COMMANDS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mysql -uroot -p", " db"),
        ("sshpass -p '", "' ssh host"),
        ("docker login -u ada -p ", " registry.example.org"),
        ("unzip -P ", " a.zip"),
        ("sqlcmd -S db -U sa -P ", ""),
        ("redis-cli -a ", " ping"),
        ("ldapsearch -x -D cn=admin -w ", " -b dc=x"),
        ("plink -pw ", " root@host"),
        ("net user ada ", " /add"),
        ("net use z: \\\\server\\share ", " /user:ada"),
        ("net use \\\\server\\share ", " /user:ada"),
        ("net use \\\\server\\share /user:ada ", ""),
        ("schtasks /create /tn nightly /ru ada /rp ", ""),
        ("htpasswd -b .htpasswd ada ", ""),
        ("rabbitmqctl add_user ada ", ""),
        ("smbclient //server/share -U ada%", ""),
        ("lftp -u ada,", " sftp://host"),
        ("cmdkey /generic:server /user:ada /pass:", ""),
        ("xfreerdp /u:ada /p:", " /v:host"),
        ("ALTER USER ada IDENTIFIED WITH caching_sha2_password BY '", "'"),
        ("\nrequirepass ", "\n"),
        ("\nusername ada password 7 ", "\n"),
        ("ppp chap password 0 ", "\n"),
        ("snmp-server community ", " RW"),
        (" key-string ", "\n"),
        ("kinit <<< '", "'"),
        ("db.example.org:5432:shop:ada:", "\n"),
        ("*:*:*:ada:", "\n"),
        ("http -a ada:", " example.org/api"),
        ('ConvertTo-SecureString "', '" -AsPlainText'),
        ("ConvertTo-SecureString -String '", "' -AsPlainText"),
    ],
)
def test_found(commands: Scanner, before: str, after: str) -> None:
    text = before + WORD + after
    assert [text[found.start : found.end] for found in commands.scan_text(text)] == [WORD]


@pytest.mark.parametrize(
    "text",
    [
        "mysql -u root -p",
        "mysql -h db -P 33060",
        "sshpass -p $PASSWORD ssh host",
        "docker login -u ada -p ${TOKEN}",
        'ConvertTo-SecureString "$password" -AsPlainText',
        "net user ada /delete",
        "ldapsearch -w /etc/secret1",
        "mkdir -p build2/out",
        "docker run -p 8080:80",
    ],
)
def test_not_found(commands: Scanner, text: str) -> None:
    assert commands.scan_text(text) == ()
