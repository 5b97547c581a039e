"""E-mail addresses, international ones included."""

from __future__ import annotations

from yett.detectors.detector import LETTER, Detector, when

# Names of files and of package versions have the shape of an address: `icon@2x.png`, `app@latest.tgz`.
_FILE_ENDINGS = frozenset(
    "png jpg jpeg gif svg webp ico css scss js mjs cjs ts tsx jsx json py rb go rs java class jar md txt html htm xml yml yaml toml lock log map zip tgz gz tar whl so dll exe".split()
)
# RFC 5321 dot-string, RFC 6531: also letters beyond ASCII. At its left edge no quote or bracket that is legal, too.
_LOCAL = rf"(?:[A-Za-z0-9.!#$%&*+/=?^_~-]|{LETTER})"
_HOST = rf"(?:[A-Za-z0-9]|{LETTER})"


def email(text: str) -> bool:
    """RFC 5321 dot-string at a host name; not a file name, not the `git@` of a repository address."""
    local, _, host = text.rpartition("@")
    if ".." in text or local.startswith(".") or local.endswith(".") or local == "git":
        return False
    return host.rpartition(".")[2].lower() not in _FILE_ENDINGS


EMAIL: tuple[Detector, ...] = (
    Detector(
        id="email",
        kind="pii.email",
        # Scripts that write without spaces (three bytes a character, as Han) may stand right before it: 邮箱是a@b.cn
        pattern=rf"[^A-Za-z0-9.!#$%&*+/=?^_~\xc3-\xdf-]({_LOCAL}{{1,64}}@{_HOST}(?:(?:[.-]|{_HOST}){{0,120}}{_HOST})?\.(?:[A-Za-z]|{LETTER}){{2,24}})[^A-Za-z0-9_\xc3-\xdf]",
        accept=when(email),
        # The word before an @ could begin anywhere, which the automaton would have to keep track of all the time.
        anchor=r"[A-Za-z0-9.!#$%&*+/=?^_~\x80-\xbf-]@[A-Za-z0-9\xc3-\xdf][A-Za-z0-9.\x80-\xdf-]*\.[A-Za-z\xc3-\xdf]",
    ),
)
