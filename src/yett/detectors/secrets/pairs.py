"""Pairs: a password that stands beside the name of its user, in a call, a list of hosts or a sentence."""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.structures import VALUE, spoken

_USER = r"[A-Za-z][A-Za-z0-9._@-]{1,32}"


def _in_pair(text: str) -> bool:
    """Not the next argument of a call: `password=password, timeout=30`."""
    return "=" not in text.rstrip("=") and entropy.password(text)


def _in_call(text: str) -> bool:
    return entropy.password(text, quoted=True) and (entropy.digits(text) > 0 or not text.isalpha())


def _client_key(text: str) -> bool:
    return len(text) >= 20 and entropy.key(text) and entropy.mixed(text)


def _unguessable(text: str) -> bool:
    """The part of an address that is all that guards it."""
    return entropy.key(text, uuid=True)


def _in_sentence(id: str, introduced: str) -> Detector:
    return Detector(
        id=id,
        kind="secret.password",
        pattern=r"(?i:creds?|credentials?|log[ -]?in|user(?:name)?|account)(?:[ ]?[:=]|[ ](?:is|are|as|with))?[ ]{1,2}"
        rf"{_USER}(?:[ ]?[/,|;][ ]?|[ ]and[ ]|[ ]with[ ]){introduced}({VALUE}{{6,64}})",
        accept=when(spoken),
        tail=f"{VALUE}*",
    )


PAIRS: tuple[Detector, ...] = (
    Detector(
        id="password-pair",
        kind="secret.password",
        pattern=r"(?i:(?:id|user|username|login|account)[ ]?[/:,&][ ]?(?:pw|pass|password|passwd|pwd))[ ]?(?:[:=]|is)[ ]{0,2}[A-Za-z0-9._@-]{2,32}[ ]?[/,:][ ]?"
        f"({VALUE}{{5,64}})",
        accept=when(_in_pair),
        tail=f"{VALUE}*",
    ),
    Detector(
        id="password-in-call",
        kind="secret.password",
        pattern=r"(?i:auth|credentials?|login|log_in|sign_?in|authenticate)[ ]?[=(:][ ]?[(\[{]?[ ]?[\"'][^\"'\r\n\x00]{1,48}[\"'],[ ]?[\"']"
        rf"({VALUE}{{4,64}})",
        accept=when(_in_call),
        tail=f"{VALUE}*",
    ),
    # The last of two or three arguments: a host, a user, a password.
    Detector(
        id="password-of-connection",
        kind="secret.password",
        pattern=r"(?i:[^a-z](?:mysqli?(?:_p?connect|_real_connect)?|pdo|getconnection|dbi(?:->|\.)connect|ftp_login|ssh2_auth_password|imap_open)\([^,()\r\n\x00]{1,48},[ ]?|"
        r"(?:paramiko|ssh|sftp|ftp|telnet|client|session|conn)\.connect\([^,()\r\n\x00]{1,40},[ ]?(?:[0-9]{2,5},[ ]?)?|"
        rf"""(?:basicauth[a-z]{{0,10}}|authentication|credentials?)(?:\]::new)?\()[^,()\r\n\x00]{{1,48}},[ ]?["']({VALUE}{{4,64}})""",
        accept=when(_in_call),
        tail=f"{VALUE}*",
    ),
    _in_sentence("password-in-sentence", ""),
    # Of its own: in a stream, what may be this word or the value must not be decided by what follows it.
    _in_sentence("password-in-long-sentence", r"(?:the[ ])?(?i:pw|pwd|pass|password|passwd|passcode)[ ]?[:=]?[ ]?"),
    Detector(
        id="password-of-host",
        kind="secret.password",
        pattern=rf"[^0-9./][0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?::[0-9]{{2,5}})?[ ]?[/,|][ ]?{_USER}[ ]?[/,|][ ]?({VALUE}{{6,64}})",
        accept=when(spoken),
        tail=f"{VALUE}*",
    ),
    Detector(
        id="password-spoken",
        kind="secret.password",
        pattern=rf"(?i:[^a-z](?:[a-z0-9]{{1,20}}[_-])?(?:pass|passwords?|passwd|passphrase|passcode|pwd|pw))[ ]{{1,3}}({VALUE}{{0,63}}[0-9]{VALUE}{{0,63}})",
        accept=when(spoken),
        tail=f"{VALUE}*",
    ),
    Detector(
        id="key-spoken",
        kind="secret.generic-key",
        pattern=r"(?i:[^a-z](?:[a-z0-9]{1,20}[_-])?(?:api[_-]?key|token|secret|authtoken))[ \t]{1,3}\(?([A-Za-z_+/~-]{0,40}[0-9][A-Za-z0-9_+/.~-]{15,80})",
        accept=when(entropy.mixed),
        tail=r"[A-Za-z0-9_+/=.~-]*",
    ),
    # What a library makes a client, a bot or a cipher of: one literal.
    Detector(
        id="key-in-call",
        kind="secret.generic-key",
        pattern=r"(?i:client|bot|telegraf|github|gitlab|octokit|fernet|api|sdk|aes|cookieparser|hmac)(?i:\.(?:new|run|login|init|create|auth|connect))?\([ ]?[bu@]?[\"']"
        r"([A-Za-z0-9+/=._-]{20,100})",
        accept=when(_client_key),
    ),
    Detector(
        id="key-of-signature",
        kind="secret.generic-key",
        pattern=r"(?i:jwt\.(?:sign|verify|encode|decode)|createhmac|create(?:de)?cipher(?:iv)?|hash_hmac)\([^,()\r\n\x00]{1,48},[ ]?[bu]?[\"']"
        r"([A-Za-z0-9+/=._-]{20,100})",
        accept=when(_client_key),
    ),
    Detector(
        id="webhook-path",
        kind="secret.webhook-url",
        pattern=r"(?i:://[a-z0-9.-]{0,24}hooks?[a-z0-9.-]{0,24}/|://[a-z0-9.-]{3,40}/(?:api/)?(?:web)?hooks?/)(?:[A-Za-z0-9_-]{1,24}/){0,2}([A-Za-z0-9_-]{20,80})[^A-Za-z0-9_/-]",
        accept=when(_unguessable),
    ),
    Detector(
        id="password-of-source",
        kind="secret.url-password",
        pattern=r"""[^A-Za-z0-9/][A-Za-z0-9._-]{1,32}:([A-Za-z0-9._~!$&*+=?^#-]{3,64})@(?:tcp|unix)\(""",
        accept=when(entropy.filled),
    ),
)
