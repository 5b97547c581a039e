"""Tokens that say what they are, whoever issued them; and the ids that are written alike."""

from __future__ import annotations

import pytest
from tests.detectors.examples import HEX, RANDOM

from yett.detectors.engine import Scanner
from yett.detectors.secrets.prefixed import PREFIXED

ID = "2f1b9c52-7a0e-4d53-9a34-1c0d2f6e8b71"


@pytest.fixture(scope="module")
def prefixed() -> Scanner:
    return Scanner(PREFIXED)


@pytest.mark.parametrize(
    "token",
    [
        "acme_live_" + RANDOM[:24],
        "acme_sk_" + RANDOM[:40],
        "sk-acme-" + RANDOM[:24],
        "acme-pat-" + HEX[:40],
        "acme_token_" + ID,
        "acme_key_" + "Zk3q-T9vL_w2Xr7Nb-Yc5Md8H_sFj4Gp6Ka",
        "acme_" + RANDOM[:40],
        "ACME_" + RANDOM[:40],
        "acme_v2_" + RANDOM[:36],
        # of known providers, in a length or an alphabet that none of their rules has yet
        "dckr" + "_pat_" + RANDOM[:20],
        "CLOJARS" + "_" + RANDOM[:60].lower(),
        "phx" + "_" + RANDOM[:30] + "-" + RANDOM[30:38],
        "rpa" + "_" + "Zkq9vLwXrNbYcMdHsFjGpKaQeRuiVoBtCx",
        "1000" + "." + HEX[:32] + "." + HEX[32:64],
        "dt0c01" + "." + RANDOM[:24].lower() + "." + RANDOM[:64].lower(),
    ],
)
@pytest.mark.parametrize("before", ["see ", "key=", "\\n", '"'])
def test_found(prefixed: Scanner, before: str, token: str) -> None:
    text = f"{before}{token} and more"
    assert {text[found.start : found.end] for found in prefixed.scan_text(text)} == {token}


@pytest.mark.parametrize(
    "text",
    [
        "cache_key_" + HEX,
        "npm_" + "config_user_agent_for_version_20",
        "waka_" + "x" * 36,
        "sq0idp-short12",
        "cog_tiles_86502_z17_rgb_final_31",
        "restore-cache-key-" + HEX,
        "my-app:prod-" + HEX[:40],
        "prod-api-execution-role-DLX8ZYHKVZR4",
        "token-service-prod-7f9c6d5b8-x2k4q",
        "pk_live_" + RANDOM[:24],
        "live_" + RANDOM[:12],
        "acme_live_your-own-token-goes-in-here",
        "key_" + "x" * 32,
        "call_" + RANDOM[:24],
        "call_" + RANDOM[:40],
        "cs_test_" + RANDOM[:58],
        "acme_" + HEX,
        "acme_" + "someVeryLongNameOfAFunctionIn2Languages",
        "sk-" + "ant-api03-" + RANDOM[:40],  # cut short: the rule for Anthropic's keys knows better
        "a commit_" + RANDOM[:40],
    ],
)
def test_not_found(prefixed: Scanner, text: str) -> None:
    assert [text[found.start : found.end] for found in prefixed.scan_text(f"see {text} and")] == []
