"""Unicode: characters that nobody sees, in numbers that no writing system uses: text for machines, hidden from people.

Each pattern takes one character of a run as its span and the rest of the run as its tail, so that a run is one finding
however it arrives. It also takes the character before the run, which is none of the run's: without it, a run of n characters
would match n times.
"""

from __future__ import annotations

from yett.detectors.detector import Detector

# Characters and what is none of them, as UTF-8 bytes.
_1 = r"[\x00-\x7f]"
_2 = r"[\xc2-\xdf][\x80-\xbf]"
_3 = r"[\xe0-\xef][\x80-\xbf]{2}"
_4 = r"[\xf0-\xf4][\x80-\xbf]{3}"

_TAG = r"\xf3\xa0[\x80\x81][\x80-\xbf]"  # U+E0000 to U+E007F
_FLAG = r"\xf0\x9f\x8f\xb4"  # a black flag: up to six tag characters and a terminator spell a region of it
_NO_TAG = (
    rf"(?:{_1}|{_2}|{_3}|[\xf1\xf2\xf4][\x80-\xbf]{{3}}|\xf3(?:[\x80-\x9f\xa1-\xbf][\x80-\xbf]|\xa0[\x82-\xbf])[\x80-\xbf]"
    r"|\xf0(?:[\x90-\x9e\xa0-\xbf][\x80-\xbf]{2}|\x9f(?:[\x80-\x8e\x90-\xbf][\x80-\xbf]|\x8f[\x80-\xb3\xb5-\xbf])))"
)

_SELECTOR = r"(?:\xef\xb8[\x80-\x8f]|\xf3\xa0(?:[\x84-\x86][\x80-\xbf]|\x87[\x80-\xaf]))"  # U+FE00 and U+E0100 onwards
_NO_SELECTOR = (
    rf"(?:{_1}|{_2}|[\xe0-\xee][\x80-\xbf]{{2}}|\xef(?:[\x80-\xb7\xb9-\xbf][\x80-\xbf]|\xb8[\x90-\xbf])"
    r"|[\xf0-\xf2\xf4][\x80-\xbf]{3}|\xf3(?:[\x80-\x9f\xa1-\xbf][\x80-\xbf]|\xa0[\x80-\x83\x88-\xbf])[\x80-\xbf])"
)

_OVERRIDE = (
    r"\xe2\x80[\xad\xae]"  # U+202D and U+202E: mixed text is written with embeddings and isolates, not with these
)
_NO_OVERRIDE = (
    rf"(?:{_1}|{_2}|[\xe0\xe1\xe3-\xef][\x80-\xbf]{{2}}|\xe2(?:[\x81-\xbf][\x80-\xbf]|\x80[\x80-\xac\xaf-\xbf])|{_4})"
)

# U+200B to U+200D, U+2060 to U+2064, U+FEFF, U+180E, U+034F
_NOTHING = r"(?:\xe2\x80[\x8b-\x8d]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xe1\xa0\x8e|\xcd\x8f)"
_SOMETHING = (
    rf"(?:{_1}|[\xc2-\xcc\xce-\xdf][\x80-\xbf]|\xcd[\x80-\x8e\x90-\xbf]|[\xe0\xe3-\xee][\x80-\xbf]{{2}}"
    r"|\xe1(?:[\x80-\x9f\xa1-\xbf][\x80-\xbf]|\xa0[\x80-\x8d\x8f-\xbf])"
    r"|\xe2(?:[\x82-\xbf][\x80-\xbf]|\x80[\x80-\x8a\x8e-\xbf]|\x81[\x80-\x9f\xa5-\xbf])"
    rf"|\xef(?:[\x80-\xba\xbc-\xbf][\x80-\xbf]|\xbb[\x80-\xbe])|{_4})"
)
_SOFT_HYPHEN = r"\xc2\xad"


def _hidden(id: str, name: str, pattern: str, tail: str) -> Detector:
    return Detector(id=id, kind=f"unicode.{name}", pattern=pattern, tail=f"(?:{tail})*")


UNICODE: tuple[Detector, ...] = (
    _hidden("tag-characters", "tag-characters", rf"{_NO_TAG}({_TAG})", _TAG),
    _hidden("tag-characters-flag", "tag-characters", rf"{_FLAG}(?:{_TAG}){{7}}({_TAG})", _TAG),
    _hidden("bidi-override", "bidi-override", rf"{_NO_OVERRIDE}({_OVERRIDE})", _OVERRIDE),
    _hidden(
        "variation-selectors", "variation-selector-run", rf"{_NO_SELECTOR}(?:{_SELECTOR}){{2}}({_SELECTOR})", _SELECTOR
    ),
    _hidden("zero-width-run", "zero-width", rf"{_SOMETHING}(?:{_NOTHING}){{3}}({_NOTHING})", _NOTHING),
    # inside words of ASCII letters, where no script joins or parts anything
    _hidden(
        "zero-width-letters",
        "zero-width",
        rf"[\x00-@\[-`{{-\x7f](?:{_NOTHING})?(?:[A-Za-z]{{1,3}}{_NOTHING}){{2}}[A-Za-z]{{1,3}}({_NOTHING})",
        f"[A-Za-z]|{_NOTHING}",
    ),
    _hidden(
        "soft-hyphen-letters",
        "zero-width",
        rf"[\x00-@\[-`{{-\x7f](?:{_SOFT_HYPHEN})?(?:[A-Za-z]{_SOFT_HYPHEN}){{3}}[A-Za-z]({_SOFT_HYPHEN})",
        f"[A-Za-z]|{_SOFT_HYPHEN}",
    ),
)
