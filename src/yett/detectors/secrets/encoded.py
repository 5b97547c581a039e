"""Encoded: secrets inside base64, found by how their prefixes look there.

Three bytes become four characters, so a prefix looks one of three ways, by where in the group of three it begins; the characters
that it shares with its neighbours are left out. That gives literals for the automaton, and the decoded text has the last word.
Source: RFC 4648 section 4.
"""

from __future__ import annotations

from base64 import b64encode
from functools import partial

from yett.detectors.detector import Detector, when
from yett.detectors.secrets.structures import holds


def alignments(mark: bytes) -> tuple[str, str, str]:
    """How `mark` looks inside base64, begun at each place of a group of three; characters that depend on neighbours are cut off."""
    looks = []
    for before in range(3):
        text = b64encode(b"\0" * before + mark).decode().rstrip("=")
        first = (0, 2, 3)[before]
        last = (before + len(mark)) * 8 // 6
        looks.append(text[first:last])
    return looks[0], looks[1], looks[2]


def _encoded(id: str, *marks: bytes) -> Detector:
    looks = "|".join(look.replace("+", "[+]") for mark in marks for look in alignments(mark))
    return Detector(
        id=f"encoded-{id}",
        kind=f"secret.encoded-{id}",
        pattern=rf"((?:{looks})[A-Za-z0-9+/_-]{{8,24}})",
        accept=when(partial(holds, marks)),
        tail=r"[A-Za-z0-9+/=_-]*",
    )


ENCODED: tuple[Detector, ...] = (
    _encoded("private-key", b"PRIVATE KEY-----"),
    _encoded("aws-key", b"aws_secret_access_key", b"AWS_SECRET_ACCESS_KEY"),
    _encoded("github-token", b"github_pat_", b"ghp_", b"ghs_", b"gho_"),
    _encoded("gitlab-token", b"glpat-"),
    _encoded("slack-token", b"xoxb-", b"xoxp-", b"hooks.slack.com"),
    _encoded("stripe-key", b"sk_live_", b"rk_live_"),
    _encoded("model-key", b"sk-ant-api", b"sk-proj-", b"T3BlbkFJ"),
    _encoded("npm-token", b"npm_", b"_authToken"),
    _encoded("password", b"password\":", b"password=", b"PASSWORD=", b"passwd="),
    _encoded("api-key", b"api_key", b"API_KEY", b"apiKey"),
    _encoded("jwt", b"eyJhbGciOi", b"eyJ0eXAiOi"),
)  # fmt: skip
