"""Pairs: a password that stands beside the name of its user, in a call, a list of hosts or a sentence."""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.structures import VALUE, spoken

_USER = r"[A-Za-z][A-Za-z0-9._@-]{1,32}"


def _in_call(text: str) -> bool:
    return entropy.password(text, quoted=True) and (entropy.digits(text) > 0 or not text.isalpha())


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
        accept=when(entropy.password),
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
    _in_sentence("password-in-sentence", ""),
    # Of its own: in a stream, what may be this word or the value must not be decided by what follows it.
    _in_sentence("password-in-long-sentence", r"(?:the[ ])?(?i:pw|pwd|pass|password|passwd|passcode)[ ]?[:=]?[ ]?"),
    Detector(
        id="password-of-host",
        kind="secret.password",
        pattern=rf"[^0-9.][0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?::[0-9]{{2,5}})?[ ]?[/,|][ ]?{_USER}[ ]?[/,|][ ]?({VALUE}{{6,64}})",
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
        pattern=r"(?i:[^a-z](?:[a-z0-9]{1,20}[_-])?(?:api[_-]?key|token|secret|authtoken))[ \t]{1,3}([A-Za-z_+/~-]{0,40}[0-9][A-Za-z0-9_+/.~-]{15,80})",
        accept=when(entropy.mixed),
        tail=r"[A-Za-z0-9_+/=.~-]*",
    ),
    Detector(
        id="password-of-source",
        kind="secret.url-password",
        pattern=r"""[^A-Za-z0-9/][A-Za-z0-9._-]{1,32}:([A-Za-z0-9._~!$&*+=?^#-]{3,64})@(?:tcp|unix)\(""",
        accept=when(entropy.filled),
    ),
)
