"""Prefixed: tokens of providers that no list knows, by what they say of themselves.

Since GitHub described theirs in 2021 ("Behind GitHub's new authentication token formats"), most providers issue tokens in one form: whose it is,
what it is (`live`, `pat`, `secret`), and random letters and digits. Ids have it, too (`cus_…`, `call_…`), so a token is one that says so, or that
is longer than ids are and in the alphabet that they seldom have.
"""

from __future__ import annotations

import re

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.token import END, UUID

# As for other tokens, but that the whole of it is looked at: `cache-key-…` is none, whatever `key-…` is.
_START = r"(?:\\[nrt]|%[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|[^A-Za-z0-9_-])"
_CREDENTIAL = (
    r"(?:sk|rk|pat|ptk|tkn|tok|tkt|key|apikey|secret|token|live|prod|production|staging|sandbox|api|svc|sec|privkey)"
)
_IS = re.compile(_CREDENTIAL)
_IS_FIRST = re.compile(rf"(?<![A-Za-z0-9]){_CREDENTIAL}[_-]")
# Names of these kinds are also given to images of containers, with a commit behind them.
_STAGES = frozenset("prod production staging sandbox api svc sec".split())
# What an id or a digest begins with, or a key that is meant to be seen.
_OTHERS = frozenset(
    "id ids pk pub public publishable anon chatcmpl cmpl call toolu msg message req request resp run step asst thread file batch user usr org evt event cus ch pi "
    "price prod sub cs seti src card acct cache trace span session sess hash sha sha1 sha256 sha384 sha512 md5 commit rev etag nonce chunk css img image svg "
    "func fc rs item node obj ref tag ver build layer blob tree digest fingerprint foo bar my some your example dummy fake demo mock sample".split()
)
# A token of theirs is what their own rules describe; what only begins like one is cut short, or made up.
_KNOWN = re.compile(
    r"(?:sk[-_]ant|sk-(?:proj|or|svcacct)|gh[pousr]|github_pat|gl[a-z]{2,4}|npm|sgp|ops|bedrock|hf|shp[a-z]{2}|rubygems|pul|sbp|dp)[-_]"
)
_HEX = re.compile(r"[a-f0-9]+$")
_UUID_ENDS = re.compile(rf"{UUID}$")
_WORDS = re.compile(r"[A-Za-z0-9]+")


def _says_so(text: str) -> bool:
    """`acme_live_…`, `sk-acme-…`: behind the word for a credential, random text that is no commit and no name of a machine."""
    words = _WORDS.findall(text)
    if (
        _KNOWN.match(text)
        or not _OTHERS.isdisjoint(word for word in words[:-1] if word not in _STAGES)
        or not entropy.issued(text)
    ):
        return False
    body = words[-1]
    if _HEX.match(body):
        return (len(body) >= 24 or bool(_UUID_ENDS.search(text))) and any(
            word not in _STAGES for word in words[:-1] if _IS.fullmatch(word)
        )
    if len(body) < 20:  # base64url
        body = _IS_FIRST.split(text, maxsplit=1)[-1]
        if any(len(word) > 3 and word.isalpha() and word[1:].islower() for word in _WORDS.findall(body)):
            return False  # `prod-api-execution-role-…`
        return entropy.classes(body.replace("-", "").replace("_", "")) == 3 and entropy.mixed(body)
    return entropy.digits(body) >= 3 and entropy.mixed(body)


def _long(text: str) -> bool:
    """Longer than ids are, of both cases and digits."""
    prefix, _, body = text.rpartition("_")
    if _KNOWN.match(text) or not _OTHERS.isdisjoint(prefix.lower().split("_")):
        return False
    return (
        entropy.classes(body) == 3
        and entropy.digits(body) >= 3
        and entropy.entropy(body) >= 4.0
        and entropy.mixed(body)
    )


PREFIXED: tuple[Detector, ...] = (
    Detector(
        id="prefixed-token",
        kind="secret.prefixed-token",
        pattern=rf"{_START}((?:[A-Za-z0-9]{{2,16}}[_-]){{0,2}}{_CREDENTIAL}[_-](?:{UUID}|[A-Za-z0-9_-]{{20,140}})){END}",
        accept=when(_says_so),
        anchor=rf"{_CREDENTIAL}[_-][A-Za-z0-9_-]{{20}}",
    ),
    Detector(
        id="prefixed-long-token",
        kind="secret.prefixed-token",
        pattern=rf"{_START}((?:[a-z][a-z0-9]{{1,11}}|[A-Z][A-Z0-9]{{1,11}})(?:_[A-Za-z0-9]{{1,12}}){{0,2}}_[A-Za-z0-9]{{32,120}}){END}",
        accept=when(_long),
        anchor=r"[A-Za-z0-9]_[A-Za-z0-9]{32}",
    ),
)
