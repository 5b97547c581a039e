"""Secrets: credentials of clouds, model providers and common services, private keys, tokens, passwords.

Order is precedence: a token with a shape of its own comes before the generic assignments that it may also be the value of.
Sources: the providers' own documentation of their key formats; prefixes as GitHub's and GitLab's secret scanning list them.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as BinasciiError

import msgspec

from yett.detectors import entropy
from yett.detectors.detector import BLOCK_LINE, EDGE, Detector, when

_WORD_EDGE = r"[^A-Za-z0-9_-]"
_BASE64URL = r"[A-Za-z0-9_-]"
# The separator of an assignment in source code, JSON, YAML, a shell, a header, a query; also "… is …" in a sentence.
_QUOTE = r"""[\\]?["'`]?"""
_ASSIGN = rf"""{_QUOTE}\]?[ \t]{{0,4}}(?::=|=>|->|==|[:=])[ \t]{{0,4}}(?:[\\]?[A-Za-z]?["'`])?"""
_SAYS = r"""(?:[ \t](?:is|was)[ \t]?:?[ \t]{0,2}["'`]?)"""
_NAME_REST = r"(?:[A-Z0-9_.-][A-Za-z0-9_.-]{0,20})?"  # apiKeyProd, secret_id; not secretary
_VALUE = r"[A-Za-z0-9!#$%&()*+./:=?@^_~-]"


class _Header(msgspec.Struct):
    alg: str = ""
    enc: str = ""


def _jwt(token: str) -> bool:
    """RFC 7515, RFC 7516: the first part is base64url of a JSON object with `alg` (or `enc`)."""
    part = token.partition(".")[0]
    try:
        header = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Header)
    except (BinasciiError, ValueError):
        return False
    return bool(header.alg or header.enc)


def _mixed(text: str) -> bool:
    """Random base64, not hexadecimal, not a path of words."""
    letters_and_digits = "".join(filter(str.isalnum, text))
    return entropy.classes(letters_and_digits) == 3 and entropy.entropy(text) >= 4.0


def _user_password(text: str) -> bool:
    return len(text) >= 3 and not entropy.placeholder(text) and text[0] not in "$%{<*&" and not text.isdigit()


def _basic(text: str) -> bool:
    """RFC 7617: base64 of user:password."""
    try:
        return b":" in urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (BinasciiError, ValueError):
        return False


def _token(id: str, kind: str, pattern: str, tail: str = "") -> Detector:
    """A token with a prefix of its own, which must not be a placeholder; with `tail`, of which `pattern` is the beginning."""
    right = "" if tail else _WORD_EDGE
    return Detector(
        id=id, kind=f"secret.{kind}", pattern=f"{EDGE}({pattern}){right}", accept=when(entropy.random), tail=tail
    )


SECRETS: tuple[Detector, ...] = (
    Detector(
        id="pem-private-key",
        kind="secret.private-key",
        pattern=rf"(-----BEGIN(?: [A-Z0-9]{{1,12}}){{0,2}} PRIVATE KEY(?: BLOCK)?-----{BLOCK_LINE}[A-Za-z0-9+/]{{20}})",
        tail=r"""[A-Za-z0-9+/= \t\r\n\\"',:-]*?-----END[A-Z0-9 ]{1,40}-----|[A-Za-z0-9+/= \t\r\n\\"',:-]*""",
    ),
    # clouds
    # Amazon's own example of a key counts: its shape is exact, and whoever tries Yett out pastes that one.
    Detector(
        id="aws-access-key-id",
        kind="secret.aws-access-key",
        pattern=rf"{EDGE}((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}){_WORD_EDGE}",
        accept=when(entropy.varied),
    ),
    Detector(
        id="aws-secret-key-named",
        kind="secret.aws-secret-key",
        pattern=rf"(?i:aws|secret)[A-Za-z0-9_ .-]{{0,30}}{_ASSIGN}([A-Za-z0-9/+]{{40}})[^A-Za-z0-9/+=]",
        accept=when(_mixed),
    ),
    Detector(
        id="aws-secret-key-beside-id",
        kind="secret.aws-secret-key",
        pattern=r"""(?:AKIA|ASIA)[A-Z0-9]{16}[ \t\r\n,:;|"'/]{1,6}([A-Za-z0-9/+]{40})[^A-Za-z0-9/+=]""",
        accept=when(_mixed),
    ),
    _token("gcp-api-key", "gcp-api-key", r"AIza[A-Za-z0-9_-]{35}"),
    _token("gcp-oauth-token", "gcp-oauth-token", r"ya29\.[A-Za-z0-9_-]{20}", r"[A-Za-z0-9_.-]*"),
    _token("gcp-oauth-client-secret", "gcp-oauth-client-secret", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    Detector(
        id="azure-account-key",
        kind="secret.azure-storage-key",
        pattern=r"(?i:AccountKey|SharedAccessKey|AccessKey)[ \t]{0,2}=[ \t]{0,2}([A-Za-z0-9+/]{42,88}={1,2})[^A-Za-z0-9+/=]",
        accept=when(_mixed),
    ),
    Detector(
        id="azure-sas-signature",
        kind="secret.azure-sas",
        pattern=r"[?&]sig=([A-Za-z0-9%/+]{43,90}(?:%3[Dd]|=){1,2})[^A-Za-z0-9%/+=]",
        accept=when(entropy.random),
    ),
    _token("azure-client-secret", "azure-client-secret", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    # model providers
    _token("anthropic-key", "anthropic-key", r"sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{20}", rf"{_BASE64URL}*"),
    _token("openrouter-key", "openrouter-key", r"sk-or-v1-[0-9a-f]{64}"),
    _token("openai-project-key", "openai-key", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20}", rf"{_BASE64URL}*"),
    _token("openai-key", "openai-key", r"sk-[A-Za-z0-9]{32}", r"[A-Za-z0-9]*"),
    Detector(
        id="huggingface-token",
        kind="secret.huggingface-token",
        pattern=rf"{EDGE}((?:hf_|api_org_)[A-Za-z0-9]{{34}}){_WORD_EDGE}",
        accept=when(entropy.varied),  # issued ones are of letters alone
    ),
    _token("groq-key", "groq-key", r"gsk_[A-Za-z0-9]{52}"),
    _token("xai-key", "xai-key", r"xai-[A-Za-z0-9]{80}"),
    _token("perplexity-key", "perplexity-key", r"pplx-[A-Za-z0-9]{48}"),
    _token("replicate-token", "replicate-token", r"r8_[A-Za-z0-9]{37}"),
    # services
    _token("yett-key", "yett-key", r"ytk_[A-Za-z0-9_]{24}", r"[A-Za-z0-9_]*"),
    _token("github-token", "github-token", r"gh[pousr]_[A-Za-z0-9]{36}", r"[A-Za-z0-9]*"),
    _token("github-fine-grained", "github-token", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _token(
        "gitlab-token",
        "gitlab-token",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas|ffct)-[A-Za-z0-9_-]{20}",
        r"[A-Za-z0-9_.-]*",
    ),
    _token("slack-token", "slack-token", r"xox[abeoprs](?:\.xox[bp])?-[0-9]{1,13}-[A-Za-z0-9-]{10}", r"[A-Za-z0-9-]*"),
    _token("slack-app-token", "slack-token", r"xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{8,16}-[a-z0-9]{16}", r"[a-z0-9]*"),
    Detector(
        id="slack-webhook",
        kind="secret.slack-webhook",
        pattern=r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{40})",
        accept=when(entropy.random),
        tail=r"[A-Za-z0-9+/]*",
    ),
    _token("stripe-key", "stripe-key", r"(?:[rs]k_(?:test|live|prod)_|whsec_)[A-Za-z0-9]{16}", r"[A-Za-z0-9]*"),
    _token("twilio-key", "twilio-key", r"SK[0-9a-fA-F]{32}"),
    _token("sendgrid-key", "sendgrid-key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    _token("npm-token", "npm-token", r"npm_[A-Za-z0-9]{36}"),
    _token(
        "pypi-token", "pypi-token", r"pypi-AgE(?:IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{32}", rf"{_BASE64URL}*"
    ),
    # shapes
    Detector(
        id="jwt",
        kind="secret.jwt",
        pattern=rf"{EDGE}(eyJ[A-Za-z0-9_-]{{10,200}}\.[A-Za-z0-9_-]{{12}})",
        accept=when(_jwt),
        tail=r"[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*",
    ),
    Detector(
        id="url-password",
        kind="secret.url-password",
        pattern=r"[A-Za-z0-9]://[A-Za-z0-9._~%!$&*+=-]{0,64}:([A-Za-z0-9._~%!$&()*+=:?^#@-]{3,100})@[A-Za-z0-9_.-]",
        accept=when(_user_password),
    ),
    Detector(
        id="authorization-basic",
        kind="secret.basic-auth",
        pattern=rf"(?i:authorization){_ASSIGN}(?i:basic)[ \t]{{1,2}}([A-Za-z0-9+/_-]{{8,200}}={{0,2}})[^A-Za-z0-9+/=_-]",
        accept=when(_basic),
    ),
    Detector(
        id="curl-user",
        kind="secret.basic-auth",
        pattern=rf"""[ \t](?:-u|--user)[ \t=]{{1,2}}["']?[A-Za-z0-9._@+-]{{1,48}}:["']?({_VALUE}{{6,128}})""",
        accept=when(entropy.password),
        tail=f"{_VALUE}*",
    ),
    Detector(
        id="bearer-token",
        kind="secret.bearer-token",
        pattern=r"(?i:[^A-Za-z]bearer)[ \t]{1,2}([A-Za-z0-9._~+/-]{16,128})",
        accept=when(entropy.key),
        tail=r"[A-Za-z0-9._~+/=-]*",
    ),
    # anything that is given the name of a credential
    Detector(
        id="password-named",
        kind="secret.password",
        pattern=r"(?i:passw(?:or)?d|passphrase|passcode|passwort|contrase(?:n|\xc3\xb1)a|mot de passe|[^a-z]pwd|[^a-z]pass)"
        rf"(?:[A-Z0-9_][A-Za-z0-9_]{{0,12}})?(?:{_ASSIGN}|{_SAYS})({_VALUE}{{6,128}})",
        accept=when(entropy.password),
        tail=f"{_VALUE}*",
    ),
    Detector(
        id="key-named",
        kind="secret.generic-key",
        pattern=rf"(?i:api[_. -]?key|access[_. -]?key|secret|token|credential|auth[_. -]?key|private[_. -]?key|client[_. -]?key|encryption[_. -]?key)"
        rf"{_NAME_REST}(?:{_ASSIGN}|{_SAYS})({_VALUE}{{10,128}})",
        accept=when(entropy.key),
        tail=f"{_VALUE}*",
    ),
)
