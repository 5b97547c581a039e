"""Disguise: words that a person still reads, written so that a pattern does not: l33t, s p a c e d, backwards, rot13, run_together, mispselt.

Each is undone only where its shape is seen, as a further reading beside the text itself: undoing one spoils text that does
not use it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from yett.detectors import joined, spelling
from yett.detectors.joined import words_of
from yett.detectors.view import Rewriting, View
from yett.detectors.vocabulary import LONGEST, REVERSED, ROTATED, WORDS

_LEET = str.maketrans("0134579@$!|€+8", "oieastgasiietb")
_LEET_WORD = re.compile(r"[A-Za-z0-9@$!|€+]{2,}")
_LEET_LETTER = re.compile(
    r"[A-Za-z][0134578@$!|€+]{1,3}[A-Za-z]|^[0134578@$|€+]{1,2}[A-Za-z]{2}|[A-Za-z]{2}[01345@$]{1,2}$"
)
_LEET_FEW = 2  # words in a text: one alone is a name, a version, a format
_LEET_LONGEST = 24

_SEPARATOR = r"[^A-Za-z0-9\n]"
_SPACED = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z0-9@$!](?:{_SEPARATOR}{{1,6}}[A-Za-z0-9@$!](?![A-Za-z0-9])){{4,}}")

_GAPS = re.compile(rf"({_SEPARATOR}+)")
_LONG = re.compile(f"[A-Za-z]{{{LONGEST + 1},}}")

_TELLING = 8  # letters in hidden words: one short word backwards is a word of another language

_LETTERS = re.compile("[A-Za-z]+")
_SENTENCE = re.compile(r"[^\n.;:!?\"“”`]*[\n.;:!?\"“”`]*")
_ROTATION = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm"
)


def leet(view: View) -> View | None:
    """Digits and signs inside words become the letters that they are drawn like."""
    found = []
    telling = 0
    for match in _LEET_WORD.finditer(view.text):
        word = match.group()
        if word.isalpha() or len(word) > _LEET_LONGEST:
            continue
        tells = _LEET_LETTER.search(word)
        letters = _unleet(word)
        if tells or letters in WORDS:
            found.append((match.start(), match.end(), letters))
            telling += bool(tells)
    if telling < _LEET_FEW:
        return None
    rewriting = Rewriting(view)
    for start, end, letters in found:
        rewriting.put(start, end, letters, "leet")
    return rewriting.view()


def _unleet(word: str) -> str:
    """A 1 is an i or an l: whichever makes a word that instructions are made of."""
    letters = word.lower().translate(_LEET)
    if "1" in word or "|" in word or "!" in word:
        places = [at for at, c in enumerate(word) if c in "1|!"]
        for chosen in range(1, 1 << min(len(places), 3)):
            tried = list(letters)
            for bit, at in enumerate(places[:3]):
                if chosen >> bit & 1:
                    tried[at] = "l"
            if "".join(tried) in WORDS:
                return "".join(tried)
    return letters


def spaced(view: View) -> View | None:
    """Letters that stand apart are put together; where the gaps do not tell the words apart, the vocabulary does."""
    rewriting = Rewriting(view)
    for match in _SPACED.finditer(view.text):
        parts = _GAPS.split(match.group())
        usual = _usual(parts[1::2])
        joined = "".join(part if at % 2 == 0 else _joint(part, usual) for at, part in enumerate(parts))
        if not joined.isalpha():
            joined = _LEET_WORD.sub(
                lambda word: word.group() if word.group().isalpha() else _unleet(word.group()), joined
            )
        joined = _LONG.sub(lambda word: " ".join(words_of(word.group())), joined)
        rewriting.put(match.start(), match.end(), joined, "spaced")
    return rewriting.view()


def _known(word: str) -> bool:
    """Whether it is of the vocabulary, in plain letters or in l33t."""
    return word in WORDS if word.isalpha() else len(word) <= _LEET_LONGEST and _unleet(word) in WORDS


def _usual(gaps: Sequence[str]) -> str:
    """What mostly stands between two letters; of what does so equally often, the shortest."""
    return max(Counter(gaps).items(), key=lambda item: (item[1], -len(item[0])))[0]


def _joint(gap: str, usual: str) -> str:
    """What stands between two letters once the `usual` gap is taken away: nothing, punctuation, the end of a word."""
    rest = "".join(character for character in gap if character not in usual and character != " ")
    apart = gap.count(" ") > 2 if " " in usual else " " in gap or not rest
    return rest + " " if gap != usual and apart else rest


def rotated(view: View) -> View | None:
    """Sentences that read as rot13 are rotated."""
    return _sentences(view, "rot13", _rotate, _rotate)


def backwards(view: View) -> View | None:
    """Sentences of words that read backwards are turned round."""
    return _sentences(view, "reversed", _turn, _turn)


def turned(view: View) -> View | None:
    """Words that read backwards are turned round, each in its place."""
    return _sentences(view, "reversed", _turn, lambda text: _LETTERS.sub(_turned, text))


def _rotate(text: str) -> str:
    return text.translate(_ROTATION)


def _turn(text: str) -> str:
    return text[::-1]


def _turned(match: re.Match[str]) -> str:
    return match.group()[::-1]


def _sentences(view: View, how: str, word: Callable[[str], str], sentence: Callable[[str], str]) -> View | None:
    """Sentences with more words in disguise than words as they are; one with neither goes with the one before it."""
    rewriting = Rewriting(view)
    begin = end = 0
    for match in _SENTENCE.finditer(view.text):
        words = _LEET_WORD.findall(match.group().lower())
        plain = sum(_known(each) for each in words)
        hidden = [each for each in words if len(each) > 2 and not _known(each) and _known(word(each))]
        tells = len(hidden) > plain and len(hidden) * 5 >= len(words) and sum(map(len, hidden)) >= _TELLING
        follows = begin < end == match.start()
        if tells and not follows:
            if begin < end:
                rewriting.put(begin, end, sentence(view.text[begin:end]), how)
            begin = match.start()
        if tells or (follows and len(hidden) >= plain):
            end = match.end()
    if begin < end:
        rewriting.put(begin, end, sentence(view.text[begin:end]), how)
    return rewriting.view()


# What the automaton that reads every text looks for.
SHAPES: dict[str, str] = (
    {
        "leet": r"[A-Za-z][0134578@$!|+][A-Za-z]|[A-Za-z]\xe2\x82\xac[A-Za-z]",
        "spaced": r"[^A-Za-z0-9][A-Za-z0-9@$!](?:[^A-Za-z0-9\n]+[A-Za-z0-9@$!]){4}[^A-Za-z0-9]",
        "rot13": "(?i:[^a-z](?:" + "|".join(sorted(ROTATED)) + ")[^a-z])",
        "reversed": "(?i:[^a-z](?:" + "|".join(sorted(REVERSED)) + ")[^a-z])",
    }
    | joined.SHAPES
    | spelling.SHAPES
)
READINGS: dict[str, tuple[Callable[[View], View | None], ...]] = {
    "leet": (leet,),
    "spaced": (spaced,),
    "rot13": (rotated,),
    "reversed": (backwards, turned),
    "joined": (joined.joined,),
    "listed": (joined.listed,),
    "misspelt": (spelling.mended,),
}


def readings(view: View, shapes: Collection[str]) -> Iterator[View]:
    """What the view also says, for each of SHAPES that occur."""
    for name, ways in READINGS.items():
        for undo in ways if name in shapes else ():
            reading = undo(view)
            if reading:
                yield reading
                if name != "leet" and (plainer := leet(reading)):
                    yield plainer
