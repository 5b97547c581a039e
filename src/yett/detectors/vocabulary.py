"""Vocabulary: English words that instructions to a model are made of, to tell what a disguised text says."""

from __future__ import annotations

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
_SHORT = (
    "a i an as at be by do go he if in is it me my no of on or so to up us we was has had but can may him her his she its out "
    "one two new get say see let act say dan ai bot key keys token tokens data file files email send email code text word "
    "words role play game story write read copy paste exactly verbatim full complete entire list lines line letter letters "
    "translate summarize summary pretend acting never always refuse refusal warning warnings disclaimer disclaimers longer "
    "again start begin end new real true false human person anything something nothing everyone free unlimited unfiltered "
    "uncensored illegal legal harmful dangerous bomb weapon drug drugs hack hacker hacking malware virus steal explain step "
    "steps guide detailed instead rather yes sure ok okay hello hi help need information details training trained language "
    "model models openai chatgpt gpt claude gemini google anthropic debug maintenance test testing access grant granted "
    "enable enabled disable disabled activate activated root sudo database delete remove drop table user users private "
    "internal api call function tool tools run script shell server url link click website web page document image inside "
    "under above below using used made making give given provide include including call called name names world life day"
)

WORDS = frozenset(f"{_TELLING} {_COMMON} {_SHORT}".split())
LONGEST = max(map(len, WORDS))
BEGINNINGS = {word[:2]: len(word) for word in sorted(WORDS, key=len)}  # how long the longest word is that begins so

_ROTATION = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_HIDDEN = [word for word in f"{_TELLING} {_COMMON}".split() if len(word) > 2]
ROTATED = frozenset(word.translate(_ROTATION) for word in _HIDDEN) - WORDS
REVERSED = frozenset(word[::-1] for word in _HIDDEN) - WORDS - {"dna", "lla", "era", "tae", "won", "emit", "tsum"}
