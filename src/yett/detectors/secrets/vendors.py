"""Vendors: keys that only the name of their vendor beside them tells from any other random text.

The name must be part of the name that the key is given to (`DATADOG_API_KEY=…`, `datadog: "…"`), or a word for a credential must
stand between the two: a commit of a vendor's repository is a random text beside its name, too. There is one detector for each
alphabet, of all vendors whose keys are in it, because hundreds of patterns take seconds to compile; which vendor it is decides
whether the length is right.
"""

from __future__ import annotations

import re
from functools import lru_cache

import re2

from yett.detectors import entropy
from yett.detectors.detector import Detector
from yett.detectors.secrets.token import UUID
from yett.detectors.secrets.vendor_table import VENDORS

_WORDS = r"(?i:key|token|secret|auth|pass|pwd|cred|bearer|sid|api|access|license)"
# As little as possible, so that the first token that fits is taken: it must not depend on what follows it.
_BETWEEN = (
    r"[^\r\n\x00]{0,40}?(?:[=:(,>](?:[^\r\n\x00]{0,24}?[^A-Za-z0-9_-])??|"
    rf"{_WORDS}[^\r\n\x00]{{0,32}}?[^A-Za-z0-9_-])"
)

_ALPHABETS = {
    "uuid": (UUID, r"[^A-Za-z0-9_-]"),
    "alnum": (r"[A-Za-z0-9]{14,100}", r"[^A-Za-z0-9_-]"),
    "url": (r"[A-Za-z0-9_=-]{18,128}", r"[^A-Za-z0-9_=-]"),
}
# Hexadecimal keys are looked for with the others: of a length that is their vendor's, lower case letters beyond `f` count as well.
_WIDER = {"hex": "alnum"}
_LENGTHS = {"hex": r"[a-fA-F0-9]{%s}|[a-z0-9]{%s}", "alnum": r"[A-Za-z0-9]{%s}", "url": r"[A-Za-z0-9_=-]{%s}"}

BATCH = 20

_CREDENTIAL = ("key", "token", "secret", "auth", "pass", "pwd", "cred", "bearer", "api", "access", "license", "=")
# What says that a random text is no key, but names something or sums it up.
_METADATA = re.compile(
    r"(?<![a-z])(?:sha[0-9]{0,3}|rev|hash|trace|md5|etag|uuid|guid)(?![a-z])|commit|revision|digest|checksum|integrity|version|public|csrf|"
    r"(?:client|project|request|tenant|subscription|directory|correlation|object)[_ -]?id(?![a-z])| h1:|[.](?:tgz|zip|tar|whl|git#)|(?:tree|blob)/|"
    r"azure\.net/(?:keys|secrets|certificates)/"
)


def _written(names: str) -> str:
    """The words of a name as one, or apart."""
    return names.replace("_?", "[ _-]?")


def _pattern(shapes: str, other: str) -> str:
    """All shapes of a vendor as one pattern."""
    patterns = [other] if other else []
    for shape in shapes.split():
        alphabet, _, length = shape.partition(":")
        patterns.append(UUID if alphabet == "uuid" else _LENGTHS[alphabet].replace("%s", length.replace("-", ",")))
    return f"(?:{'|'.join(patterns)})$"


# Longer names first: squarespace is not square.
_BY_LENGTH = sorted(VENDORS, key=lambda row: -len(re.sub(r"\(.*|\|.*", "", row[0])))
_NAMES = re2.compile(
    "(?i)" + "|".join(_written(names) for names, _, _ in _BY_LENGTH)
)  # `re` would try one after the other
_ROWS = tuple((re.compile(_written(names)), re.compile(_pattern(*shapes))) for names, *shapes in _BY_LENGTH)


@lru_cache(maxsize=1024)
def _shape(name: str) -> re.Pattern[str]:
    """What the keys of a vendor look like, by the vendor's name as it was found, in lower case."""
    return next(shape for names, shape in _ROWS if names.fullmatch(name))


def vendor_key(left: str, text: str) -> int:
    """The length of a key in the shape of a vendor whose name is in `left`; 0 for any other text. What every file has beside such
    names, the hash of a commit or an archive, is none: forty or sixty-four lower case hexadecimal digits need a word for a
    credential."""
    vendor = next((match for match in _NAMES.finditer(left) if _shape(match.group().lower()).match(text)), None)
    if not vendor or entropy.placeholder(text) or entropy.entropy(text) < 2.8 or entropy.wordlike(text):
        return 0
    if not entropy.digits(text) or text.isdigit() or "=" in text.rstrip("="):
        return 0
    between = left[vendor.start() :].lower()
    if _METADATA.search(between):
        return 0
    hashlike = len(text) in (40, 64) and all(c in "0123456789abcdef" for c in text)
    if hashlike and not any(word in between for word in _CREDENTIAL):
        return 0
    return len(text)


def _beside(id: str, names: tuple[str, ...], shape: str, end: str) -> Detector:
    return Detector(
        id=f"vendor-{id}",
        kind="secret.vendor-key",
        pattern=rf"(?i:[^a-z](?:{'|'.join(names)})){_BETWEEN}({shape}){end}",
        judge=vendor_key,
    )


def _all() -> tuple[Detector, ...]:
    found = []
    for alphabet, (shape, end) in _ALPHABETS.items():
        names = [
            _written(names)
            for names, shapes, _ in VENDORS
            if alphabet in {_WIDER.get(name := part.partition(":")[0], name) for part in shapes.split()}
        ]
        for number, batch in enumerate(_batches(names, BATCH), 1):
            found.append(_beside(f"{alphabet}-{number}", batch, shape, end))
    others = {_written(names): other for names, _, other in VENDORS if other}
    for number, batch in enumerate(_batches(list(others), BATCH // 4), 1):
        found.append(_beside(f"shape-{number}", batch, "|".join(others[names] for names in batch), r"[^A-Za-z0-9_=-]"))
    return tuple(found)


def _batches(names: list[str], size: int) -> list[tuple[str, ...]]:
    """As many as the automaton can keep apart without becoming slow on every text; with twice as many it is, a hundredfold."""
    return [tuple(names[start : start + size]) for start in range(0, len(names), size)]


NAMED_BY_VENDOR: tuple[Detector, ...] = _all()
