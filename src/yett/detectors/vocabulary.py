"""Vocabulary: English words that instructions to a model are made of, to tell what a disguised text says."""

from __future__ import annotations

import math
from importlib.resources import files

# Long enough that neither their mirror image nor their rotation is a word of its own.
_TELLING = (
    "ignore disregard forget override bypass previous prior earlier above preceding instruction instructions rule rules "
    "guideline guidelines directive directives constraint constraints restriction restrictions prompt prompts system secret "
    "password reveal print output repeat show tell display developer assistant pretend unrestricted jailbreak everything "
    "command commands execute following initial original hidden confidential safety filters filter policy policies content "
    "ethical without response respond answer question please message user admin mode context conversation programming"
)
_COMMON = (
    "the and you your that this with for have not are all from they what about which when there their will would make like "
    "just know take into could some than them then now only come over think also back after use how our work first well even "
    "want because any these give most must should being before here where were been each"
)

# What orders are made of that are meant to replace others.
ORDERS = frozenset(
    "ignore disregard forget override bypass previous previously prior earlier above preceding instruction instructions guideline guidelines "
    "directive directives restriction restrictions constraints prompt prompts system reveal pretend unrestricted jailbreak developer "
    "everything confidential disable safety filters".split()
)

# What sentences have, and lists, names and addresses seldom.
FUNCTION = frozenset(
    "the you your is are was be been have all will what without my me them this that should must".split()
)

# From the most usual one to the rarest: `scripts/build_words.py` writes them.
FILE = "words.txt"
_USUAL = (files("yett") / "data" / FILE).read_text("ascii").split()
# What each says by standing somewhere: by Zipf's law the n-th word is one in about n log N.
COSTS = {word: math.log(place * math.log(len(_USUAL))) for place, word in enumerate(_USUAL, 1)}
WORDS = COSTS.keys()
LONGEST = max(map(len, WORDS))

_ROTATION = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_HIDDEN = [word for word in f"{_TELLING} {_COMMON}".split() if len(word) > 2]
ROTATED = frozenset(word.translate(_ROTATION) for word in _HIDDEN) - WORDS
REVERSED = frozenset(word[::-1] for word in _HIDDEN) - WORDS - {"dna", "lla", "era", "tae", "won", "emit", "tsum"}
