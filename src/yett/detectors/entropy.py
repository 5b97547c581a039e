"""Entropy: what tells a random credential from a word, a placeholder or an expression in source code.

Whoever writes a text decides how often these questions are asked about it, so each of them costs a few microseconds: lists of
words are looked for by RE2, which does not try one after the other at every place, and what is cheap is asked first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from math import log2
from operator import add
from string import ascii_lowercase, ascii_uppercase

from yett.detectors.expression import occurs

# Values that documentation and source code put where a credential would stand.
_PLACEHOLDER = occurs(
    r"(?i)x{4,}|\*{3,}|\.\.|-{4,}|_{3,}|your[_-]?|[_-]?here$|example|placeholder|changeme|change[_-]?(?:me|this|it)|redacted|"
    r"^insert|^enter|^replace|dummy|sample|^test(?:ing)?\d?$|^(?:my|the|some|a|an)[_-]|^null$|^none$|^nil$|^undefined$|^true$|^false$|"
    r"^fake|[_-]fake|^mock|^foo(?:bar)?\d*$|^bar\d*$|^todo|^tbd$|^n/a$|^not[_-]|^no[_-]|^lorem|secret[_-]?(?:key|token|value)?$|"
    r"abcdefghijkl|^(?:1234567890|0123456789)+(?:abcdef)*$|^<.*>$"
)
# The same for a token whose prefix and length are its provider's: only what is plainly no token is left out.
_REPEATED = re.compile(r"(.)\1{5}")
_UNISSUED = occurs(r"(?i)x{5,}|\*{3,}|\.{3}|your[_-]|here$|example|placeholder|redacted|abcdefghijklmnopqrstuvwx")
_FILLED_UP = re.compile(r"([^a0A])\1{6}")
# `getenv("X")`, `config.api.key`, `$TOKEN`, `${{ secrets.X }}`, `%s`, `&pointer`, a path, a URL
_EXPRESSION = re.compile(
    r"[$%&@!~=(]|0x|\W*\w+(?:(?:\.|::|->)\w+)*\(|\w+\)+\W|[A-Za-z_]\w*(?:(?:\.|::|->|\?\.)[A-Za-z_]\w*)+$|\.{0,2}/[\w.-]+/|[a-z]+://|-{1,2}[a-z]|[a-z_]+=\w+$"
)
_CALL = re.compile(r"[A-Za-z_][\w.]*\([\w.,=]*\)?$")
_PATH = re.compile(r"\.{0,2}/[\w.-]+/|\.{1,2}/|[a-z]+://")
# What a template or a shell puts in the place of a value, also between quotes.
_TEMPLATE = re.compile(
    r"\$[A-Za-z_]\w*$|\$[{(]|\{\{|#\{|@\{|%[({]|%[a-z]$|%[A-Z_]+%$|<[^>]*>?$|@[A-Z]\w*\(|![A-Za-z]+$|\$\w+->?|arn:aws|vault:|op://|\{[\w.]*\}?$|\$\d|:[a-z_]+$"
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$")
_VARIABLE = re.compile(
    r"(?i)(?:\w+[_-])?(?:pass(?:w(?:or)?d|phrase)?|pwd?|secret|token|key|cred(?:ential)?s?|user(?:name)?|value|input|var|param|field|hash|str(?:ing)?)\d?$"
)
_EXAMPLE = re.compile(
    r"(?i)(?:access|admin|api|app|auth|bar|baz|bearer|client|code|demo|dev|fake|foo|id|key|mock|my|name|new|old|pass|password|prod|public|"
    r"secret|service|session|some|string|test|the|token|user|value)+[0-9]*$"
)
_DATE = re.compile(r"v?\d{1,4}[-./]\d{1,2}(?:[-./]\d+)*(?:[-T+][\w.:+-]*)?$")
_RELEASE = re.compile(r"(?:^|[-_@:v=])\d+\.\d+(?:\.\d+)*(?:[-.+_]?[A-Za-z]+\d*)*$")
_COMMON = frozenset(
    "password passwd passphrase pass secret token user username string required optional hidden default admin login value key "
    "text number email name bool boolean integer object array function return async await const self this new".split()
)  # fmt: skip
# The 200 pairs of letters that make up 84 % of the pairs inside the words of the Python standard library; of the pairs of
# random letters they are 30 %.
_PAIRS = frozenset(
    "ab ac ad ag ai al am an ap ar as at au ay ba be bi bl bo bu ca ce ch ci ck cl co cr cs ct cu da dd de di dl do dr ds "
    "ea ec ed ee ef eg ei el em en ep er es et ev ex fa fe ff fi fl fo fr ge gi gr gs ha he hi ho ia ib ic id ie if ig il "
    "im in io ip ir is it iv iz ke la ld le li ll lo ls lt lu ly ma me mi mo mp ms na nc nd ne nf ng ni no ns nt nu nv ob "
    "oc od og oi ol om on oo op or os ot ou ov ow pa pe pi pl po pp pr ps pt qu ra rc rd re ri rl rm ro rr rs rt ru ry sa "
    "sc se sh si sl so sp ss st su ta tc td te tf th ti tl to tp tr ts tt tu ty ua ub ue ui ul um un up ur us ut va ve vi "
    "wa wi xt yp ze".split()
)
_CARRIES = frozenset(("90", "9a", "9A", "0a", "0A", "f0", "F0"))  # where counting begins anew
_CLASSES = tuple(re.compile(kind).search for kind in ("[a-z]", "[A-Z]", "[0-9]", r"[\W_]"))
_DIGITS = "0123456789"
_KINDS = str.maketrans(ascii_lowercase + ascii_uppercase, "a" * 26 + "A" * 26)
_RUN = re.compile(r"[A-Z]{3,}(?![a-z])|[A-Z]?[a-z]{2,}")


_asked_again = lru_cache(maxsize=8)  # several questions about one value begin with the same ones


@_asked_again
def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits per character; 0.0 for the empty string."""
    length = len(text)
    if not length:
        return 0.0
    weight = _WEIGHTS.__getitem__ if length < len(_WEIGHTS) else _weight
    return log2(length) - sum(map(weight, map(text.count, set(text)))) / length


def _weight(count: int) -> float:
    return count * log2(count) if count else 0.0


_WEIGHTS = tuple(map(_weight, range(512)))


def classes(text: str) -> int:
    """How many of lower case, upper case, digits and everything else occur."""
    lower, upper, digit, other = _CLASSES
    return (lower(text) is not None) + (upper(text) is not None) + (digit(text) is not None) + (other(text) is not None)


def digits(text: str) -> int:
    """How many decimal digits of ASCII occur."""
    return sum(map(text.count, _DIGITS))


@_asked_again
def placeholder(text: str) -> bool:
    """True for a value that stands for a credential without being one."""
    return _PLACEHOLDER(text) or _repeated(text) or text.lower() in _COMMON


def _repeated(text: str) -> bool:
    """Whether one character stands six times in a row, which most texts are too varied for."""
    return len(text) - len(set(text)) >= 5 and _REPEATED.search(text) is not None


def template(text: str) -> bool:
    """True for what a template, a shell or a format string replaces by a value."""
    return bool(_TEMPLATE.match(text))


@_asked_again
def wordlike(text: str) -> bool:
    """True for text that is mostly words, in any of the styles of identifiers: half of it at least are runs of letters, whose
    pairs are those of words."""
    runs = _RUN.findall(text)
    letters = sum(map(len, runs))
    if 2 * letters < len(text) or not runs:
        return False
    common = sum(map(_common_pairs, runs))
    return 5 * common >= 3 * (letters - len(runs)) > 0


def _common_pairs(run: str) -> int:
    lower = run.lower()
    return sum(map(_PAIRS.__contains__, map(add, lower, lower[1:])))


def sequential(text: str) -> bool:
    """True for text that counts up or down, or stands still, nearly all the way, as `0123456789abcdef` does."""
    breaks = (len(text) - 1) // 10
    for a, b in pairwise(text):
        if not -2 < ord(b) - ord(a) < 2 and a + b not in _CARRIES:
            if not breaks:
                return False
            breaks -= 1
    return True


def varied(text: str) -> bool:
    """True unless a few characters repeat to fill the shape, as in `AKIAXXXXXXXXXXXXXXXX`."""
    return entropy(text) >= 2.5


def filled(text: str) -> bool:
    """True for a value that was put where nothing but a credential stands."""
    return not placeholder(text) and not template(text)


def issued(text: str) -> bool:
    """True for a token in its provider's shape that is no placeholder."""
    if _UNISSUED(text) or _FILLED_UP.search(text) or entropy(text) < 3.0:
        return False
    if digits(text):
        return True
    upper = sum(c.isupper() for c in text)
    return upper >= 3 and len(text) - upper >= 6 and not wordlike(text)


def random(text: str) -> bool:
    """True for text that looks drawn at random from letters and digits, as issued tokens are."""
    if not digits(text) or _PLACEHOLDER(text) or _repeated(text):
        return False
    return entropy(text) >= 3.0 and any(c.isalpha() for c in text)


def mixed(text: str) -> bool:
    """True for random text without words: for shapes that other text has, too."""
    return digits(text) >= 2 and random(text) and not wordlike(text)


def key(text: str, uuid: bool = False) -> bool:
    """True for a plausible value of `api_key = …`: random, and neither code nor a version or date; nor a UUID, unless `uuid`."""
    if _UUID.match(text):
        return uuid and entropy(text) > 2.5
    if len(text) < 10 or (digits(text) < 2 and (len(text) < 16 or _cases(text) < 5)):
        return False
    if text[-1] == "*" or _EXPRESSION.match(text) or _DATE.match(text) or placeholder(text):
        return False
    if "." in text:
        text = _RELEASE.sub("", text)  # of what is named before it
    count = digits(text)
    if len(text) < 8 or sequential(text) or count == len(text) or entropy(text) < 3.0 * min(1.0, len(text) / 24 + 0.25):
        return False
    if count >= 2:
        return not wordlike(text)
    return len(text) >= 16 and not wordlike(text) and _cases(text) >= 5


def chosen(text: str) -> bool:
    """True for a key that a person made up, where it is plain that it is a value: letters with signs among them, or one word with a number, but not the
    words that examples consist of."""
    if len(text) < 8 or not password(text, quoted=True) or _EXPRESSION.match(text) or _DATE.match(text):
        return False
    if sequential(text):
        return False
    if any(c in "!#$%^&*" for c in text):
        return any(c.isalpha() for c in text)
    return text.isalnum() and digits(text) > 0 and not (text.isdigit() or _EXAMPLE.match(text))


def password(text: str, quoted: bool = False) -> bool:
    """True for a plausible value of `password = …`. Words of letters alone are not: prose would be full of passwords."""
    if not quoted:
        text = text.rstrip(".,:;!?)")
    if len(text) < (4 if quoted else 5) or placeholder(text) or template(text) or _VARIABLE.match(text):
        return False
    if (_CALL.match(text) or _PATH.match(text)) if quoted else _EXPRESSION.match(text):
        return False
    if text.isdigit():
        return len(text) >= 4
    if any(not c.isalpha() and c not in "_-./: " for c in text):
        return classes(text) >= 2
    return len(text) >= 8 and not wordlike(text) and _cases(text) >= 3


def _cases(text: str) -> int:
    """How often one letter is upper and the next lower case, or the other way: seldom in words."""
    if text.isascii():  # nearly always, and asked about each value in a text that is full of them
        kinds = text.translate(_KINDS)
        return kinds.count("Aa") + kinds.count("aA")
    return sum(a.isalpha() and b.isalpha() and a.isupper() != b.isupper() for a, b in pairwise(text))
