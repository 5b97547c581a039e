"""Quality: how sure a model was of an answer, and how much of what it claims stands in what it was given.

Both are scores for metadata and policies, never a verdict: a model is sure of its errors, and a true answer may come from nowhere.

*Confidence* is read from the log-probabilities that a provider returns. *Groundedness* is the share of checkable claims (numbers,
dates, names, quotations, addresses) that occur in the supplied context in any of their notations: 1,000 and 1000, 5 March 2024
and 2024-03-05. What no claim can be made of (opinions, reasoning, single digits, numbers of list items) does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import exp, isfinite

from msgspec import Struct

LINE = 4000  # characters that are looked at together; a claim across this border is not seen

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro",
            "february feb februar février febrero febbraio fevereiro",
            "march mar märz mars marzo março",
            "april apr avril abril aprile",
            "may mai mayo maggio maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug août agosto",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober okt octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre diciembre dicembre dezembro",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_SCALES = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "bn": 1e9,
    "b": 1e9,
    "billion": 1e9,
    "trillion": 1e12,
}
_WORD = re.compile(r"[^\W_]+")
_URL = re.compile(r"(?i)(?:https?://|www\.)[^\s<>\"'`)\]]{3,500}")
_QUOTE = re.compile(r"[\u201c\u201e\u00ab\"]([^\u201c\u201d\u201e\u00ab\u00bb\"\n]{8,400})[\u201d\u201c\u00bb\"]")
_DATE = re.compile(
    rf"(?i)\b(?:(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}})|(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}})|"
    rf"({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})|(\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of |de )?({_MONTH})\.?,? (?:de )?(\d{{4}}))\b"
)
_NUMBER = re.compile(
    r"(?i)(?<![A-Za-z0-9_\u00c0-\u04ff.,])\d{1,15}(?:[.,]\d{1,15}|['\u2019\u00a0\u202f ]\d{3}(?!\d)){0,6}"
    r"(?:[ \u00a0]?(k|m|bn|b|thousand|millions?|billion|trillion)\b)?"
)
# What the model was shown in place of a value, by policy: that is no claim of its own, and the request does not have it.
_STANDS_IN = re.compile(r"\[REDACTED:[a-z0-9.-]+\]|\b[A-Z][A-Z0-9_]{0,30}_[B-DF-HJ-NP-TV-XZ2-7]{7}[2-7]\b")
_ITEM = re.compile(r"^[ \t>]*\d{1,3}[.)](?=\s)")  # of a list
_NAME = re.compile(
    r"[^\W\d_a-z][^\W\d_]+(?:[-'\u2019][^\W\d_]+)*(?: (?:de|van|von|der|la|of|the|and) (?=[^\W\d_a-z])| (?=[^\W\d_a-z]))?"
)
_SENTENCE_ENDS = '.!?:;\u2022*#-\u201c"(|>'
_NOT_NAMES = frozenset(
    "i the a an this that these those it he she they we you yes no not ok note however therefore also if in on at by for and or but"
    " monday tuesday wednesday thursday friday saturday sunday i'm i'll".split()
) | frozenset(_MONTHS)


class Confidence:
    """Token probabilities of one choice, as they arrive."""

    __slots__ = ("_sum", "least", "tokens")

    def __init__(self) -> None:
        self._sum = 0.0
        self.tokens = 0
        self.least = 1.0  # the probability of the least likely token

    def add(self, logprobs: object) -> None:
        """`logprobs` of an OpenAI choice, whole or of one streamed delta; whatever has another shape is passed by."""
        content = logprobs.get("content") if isinstance(logprobs, dict) else None
        for token in content if isinstance(content, list) else ():
            value = token.get("logprob") if isinstance(token, dict) else None
            if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
                value = min(0.0, float(value))
                self.tokens += 1
                self._sum += value
                self.least = min(self.least, exp(value))

    @property
    def mean(self) -> float | None:
        """The geometric mean of the probabilities, 0.0 to 1.0 (the inverse of the perplexity); None when there were none."""
        return exp(self._sum / self.tokens) if self.tokens else None


class Claims(Struct):
    """What a line claims; each claim is a set of notations, one of which has to be known."""

    numbers: list[frozenset[str]]
    dates: list[frozenset[tuple[int, int, int]]]
    names: list[tuple[str, ...]]
    quotes: list[str]
    addresses: list[str]


class Sources:
    """What an answer may rest on: the texts of the request, prepared once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.numbers: set[str] = set()
        self.dates: set[tuple[int, int, int]] = set()
        self.addresses: set[str] = set()
        words: list[str] = []
        for text in texts:
            for line in _lines(text):
                claims = _claims(line, quotations=False)
                self.numbers.update(*claims.numbers)
                self.dates.update(*claims.dates)
                self.addresses.update(claims.addresses)
            words += _WORD.findall(text.casefold())
        self.words = frozenset(words)
        self.text = f" {' '.join(words)} "

    def know_name(self, name: Sequence[str]) -> bool:
        """Whether every word of a name occurs; a possessive or plural `s` does not matter."""
        return all(word in self.words or word.removesuffix("s") in self.words for word in name)


class Groundedness:
    """One answer against its sources, as it arrives; looked at line by line."""

    __slots__ = ("_held", "_sources", "claims", "missing")

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._held = ""
        self.claims = 0
        self.missing: dict[str, int] = {}  # by kind of claim

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self._held += text
        while len(self._held) > LINE or "\n" in self._held:
            line, self._held = _first_line(self._held)
            self._check(line)

    def finish(self) -> float | None:
        """The answer is complete; the share of its claims that are known, None when there are none."""
        self._check(self._held)
        self._held = ""
        return self.score

    @property
    def score(self) -> float | None:
        """The share of the claims so far that are known."""
        return 1.0 - sum(self.missing.values()) / self.claims if self.claims else None

    def _check(self, line: str) -> None:
        sources, claims = self._sources, _claims(line)
        self._count("number", [not sources.numbers.isdisjoint(readings) for readings in claims.numbers])
        self._count("date", [not sources.dates.isdisjoint(readings) for readings in claims.dates])
        self._count("name", [sources.know_name(name) for name in claims.names])
        self._count("quotation", [f" {quote} " in sources.text for quote in claims.quotes])
        self._count("address", [address in sources.addresses for address in claims.addresses])

    def _count(self, kind: str, known: list[bool]) -> None:
        self.claims += len(known)
        if missing := known.count(False):
            self.missing[kind] = self.missing.get(kind, 0) + missing


def groundedness(answer: str, sources: Sources) -> float | None:
    """The same for a whole answer."""
    whole = Groundedness(sources)
    whole.feed(answer)
    return whole.finish()


def _first_line(text: str) -> tuple[str, str]:
    """The first line, of LINE characters at most, and the rest. The same wherever the pieces of the text ended."""
    end = text.find("\n", 0, LINE + 1)
    if end >= 0:
        return text[:end], text[end + 1 :]
    end = text.rfind(" ", 0, LINE) + 1 or LINE
    return text[:end], text[end:]


def _lines(text: str) -> Iterable[str]:
    while len(text) > LINE or "\n" in text:
        line, text = _first_line(text)
        yield line
    yield text


def _claims(line: str, *, quotations: bool = True) -> Claims:
    """Each kind is cut out before the next is looked for: the numbers of a date are not numbers of their own."""
    claims = Claims([], [], [], [], [])
    line = _STANDS_IN.sub(" ", _ITEM.sub(" ", line))
    for found in _URL.finditer(line):
        claims.addresses.append(_address(found.group()))
    line = _URL.sub(" ", line)
    if quotations:
        for quote in _QUOTE.findall(line):
            words = _WORD.findall(quote.casefold())
            if len(words) >= 3:
                claims.quotes.append(" ".join(words))
    for found in _DATE.finditer(line):
        if dates := _dates(found.groups()):
            claims.dates.append(dates)
    line = _DATE.sub(" ", line)
    for found in _NUMBER.finditer(line):
        if readings := _readings(found.group(), found.group(1) or ""):
            claims.numbers.append(readings)
    claims.names += _names(line)
    return claims


def _address(url: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", url.lower()).rstrip(".,;:!?*_/")


def _dates(parts: tuple[str | None, ...]) -> frozenset[tuple[int, int, int]]:
    """(year, month, day) in each way that the notation can be read; empty when it is no date."""
    y, m, d, one, two, year, month, day, of, day2, month2, of2 = parts
    if y and m and d:
        readings = [(int(y), int(m), int(d))]
    elif one and two and year:
        readings = [(int(year), int(two), int(one)), (int(year), int(one), int(two))]
    elif month and day and of:
        readings = [(int(of), _MONTHS[month.lower()], int(day))]
    else:
        readings = [(int(of2 or 0), _MONTHS[(month2 or "").lower()], int(day2 or 0))]
    return frozenset(reading for reading in readings if 1 <= reading[1] <= 12 and 1 <= reading[2] <= 31)


def _readings(written: str, scale: str) -> frozenset[str]:
    """The values that a number can mean, as text: a comma may separate thousands or decimals. Empty for a single digit."""
    digits = re.sub(r"['\u2019\u00a0\u202f ]", "", written[: len(written) - len(scale)] if scale else written)
    factor = _SCALES.get(scale.lower(), 1.0)
    if len(digits) == 1 and factor == 1.0:
        return frozenset()
    candidates = {re.sub(r"[.,]", "", digits)}
    point = max(digits.rfind("."), digits.rfind(","))
    if point >= 0:
        whole, part = re.sub(r"[.,]", "", digits[:point]), digits[point + 1 :]
        candidates.add(f"{whole}.{part}")
        if digits[point] in digits[:point] or len(part) != 3:
            # The same mark twice separates thousands; one before anything but three digits, decimals.
            candidates = {f"{whole}.{part}"} if digits[point] not in digits[:point] else {whole + part}
    return frozenset(f"{float(candidate) * factor:.12g}" for candidate in candidates)


def _names(line: str) -> Iterable[tuple[str, ...]]:
    """Runs of capitalised words, each as words in lower case; one word alone counts only where no sentence begins."""
    run: list[str] = []
    begins = False
    end = -1
    for found in _NAME.finditer(line):
        if not found.group()[0].isupper():  # of a script without capitals
            continue
        if found.start() != end:
            yield from _name(run, begins)
            run = []
            before = line[: found.start()].rstrip()
            begins = not before or before[-1] in _SENTENCE_ENDS
        run += [word for word in _WORD.findall(found.group().casefold()) if len(word) > 1]
        end = found.end()
    yield from _name(run, begins)


def _name(run: list[str], begins: bool) -> Iterable[tuple[str, ...]]:
    words = tuple(word for word in run if word not in _NOT_NAMES)
    if words and not (begins and len(run) == 1) and any(len(word) > 2 for word in words):
        yield words
