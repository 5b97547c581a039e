"""Passwords that people tell each other, in many languages; and what they say about passwords."""

from __future__ import annotations

import pytest

from yett.detectors.engine import Scanner
from yett.detectors.secrets.sentences import SENTENCES

WORD = "Kd83" + "kd2S"


@pytest.fixture(scope="module")
def sentences() -> Scanner:
    return Scanner(SENTENCES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("the password for the router is ", ""),
        ("Das Passwort für den Server ist ", ", bitte ändern"),
        ("lösenordet är ", ""),
        ("hasło to ", ""),
        ("hasło do serwera: ", ""),
        ("heslo je ", ""),
        ("пароль от сервера: ", ""),
        ("пароль ", " подходит"),
        ("парола: ", ""),
        ("гасло: ", ""),
        ("şifre ", ""),
        ("salasana on ", ""),
        ("mật khẩu là ", ""),
        ("รหัสผ่าน: ", ""),
        ("كلمة المرور: ", ""),
        ("כאן הסיסמה: ", ""),
        ("पासवर्ड: ", ""),
        ("Κωδικός: ", ""),
        ("lozinka: ", ""),
        ("la contraseña del router es ", ""),
        ("le mot de passe pour la base : ", ""),
        ("WLAN-Schlüssel: ", ""),
        ("credentials: ada:", ""),
        ("log in, root:", ""),
    ],
)
def test_told(sentences: Scanner, before: str, after: str) -> None:
    text = before + WORD + after
    assert [text[found.start : found.end] for found in sentences.scan_text(text)] == [WORD]


@pytest.mark.parametrize(
    "text",
    [
        "the password for the router is required",
        "password for user2 is reset",
        "the password of ada is at most 64 characters",
        "das Passwort für den Server ist geändert",
        "пароль: минимум 8 символов",
        "şifre: en az 8 karakter",
        "lozinka: najmanje 8 znakova",
        "mật khẩu: tối thiểu 8 ký tự",
        "password hashing with argon2id and PBKDF2-SHA256",
        "password python3 module",
        "heslo je ${HESLO2}",
        "root:x:0:0:root:/root:/bin/bash",
        "admin:access2all:read",
        "creds for server2 are in the safe",
    ],
)
def test_talked_about(sentences: Scanner, text: str) -> None:
    assert [text[found.start : found.end] for found in sentences.scan_text(text)] == []
