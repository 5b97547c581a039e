"""Words: patterns for what a text calls a number, in whatever language and case, and for how it then gives the number.

One number in ten passes a check digit, so nearly every kind of number needs a word before it that says what it is. The word
stands left of the span, at most `GAP` away: a stream has released it by then, and still knows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from yett.detectors.detector import SPACER, Detector

# One character that is no part of a name or a number; a byte of any other script is one too: 号码是110101…
LEFT_EDGE = r"[^A-Za-z0-9]"
RIGHT_EDGE = r"[^A-Za-z0-9]"
LEFT_OF_NUMBER = r"[^A-Za-z0-9.+/_=-]"  # what a number that stands without a word may not continue
RIGHT_OF_NUMBER = r"[^A-Za-z0-9_=-]"
LONG_NUMBER = r"[0-9](?:[^0-9A-Za-z\x00]{0,3}[0-9]){5}"  # six digits
NUMBERS = "numbers"  # the group of the shapes of numbers
CODE = r"[0-9]{3}|[A-Z0-9](?:[ -]?[A-Z0-9]){4}"
SHORT_NUMBER = r"[0-9](?:[^0-9A-Za-z\x00]{0,3}[0-9]){2}"  # three digits
SEPARATED = rf"(?:[./]|{SPACER})?"

# From the word to the number: "is", ": ", '": "', " of the patient, as printed on the card, is "; no digit in between.
GAP = r"[^0-9A-Za-z\x00}](?:[^0-9\x00}]{0,56}?[^0-9A-Za-z\x00}])??"
# The same where no check digit can tell a mistake.
NEAR = r"[^0-9A-Za-z\x00}](?:[^0-9\x00}]{0,28}?[^0-9A-Za-z\x00}])??"

# What has just been said of a number that is not about a person.
_THINGS = (
    "order|invoice|tracking|shipment|parcel|isbn|issn|ean|upc|gtin|sku|part|model|version|release|build|revision|firmware"
    "|commit|device|session|request|trace|product|process|channel|event|hash|sha|checksum|ticket|case|issue|bug|article|product|item|serial|lot|batch|timestamp|epoch|unix time|transaction"
    "|confirmation|booking|reservation|flight|gate|room|page|chapter|section|line|port|pid|error|code|bestellung|bestellnummer"
    "|auftrag|auftragsnummer|rechnung|rechnungsnummer|sendung|sendungsnummer|artikel|artikelnummer|commande|facture|colis|pedido"
    "|factura|fattura|ordine|spedizione|bestelling|factuur|zamówienie|faktura|sipariş|fatura|заказ|счёт на оплату|订单|注文"
)


def spelled(text: str) -> str:
    """A pattern for one phrase in any case; a space in it may be missing, or be another separator (`social_security`)."""
    return "".join(_SPACE if character == " " else _either_case(character) for character in text)


_SPACE = "[ _-]?"


def _either_case(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else "\\" + character
    forms = {character.lower(), character.upper()}
    written = [_escaped(form) for form in sorted(forms) if len(form) == 1]
    written += [_escaped(form) for plain in _plain(character) for form in sorted({plain, plain.upper()})]
    written = list(dict.fromkeys(written))
    return written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"


# Letters as people write them where they have no others: in the names of fields and columns, above all.
_PLAIN = {"ä": ("a", "ae"), "ö": ("o", "oe"), "ü": ("u", "ue"), "ø": ("o", "oe"), "å": ("a", "aa"), "æ": ("ae",), "œ": ("oe",), "ß": ("ss",), "ł": ("l",), "đ": ("d",), "ı": ("i",), "й": ()}  # fmt: skip
_SCRIPTS = "\u0500"  # where those end that have letters with accents


def _plain(character: str) -> tuple[str, ...]:
    """A letter without its accent, in the ways that it is written so."""
    if character >= _SCRIPTS:
        return ()
    bare = unicodedata.normalize("NFD", character)[0]
    return _PLAIN.get(character, () if bare == character else (bare,))


def _escaped(text: str) -> str:
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in text.encode()
    )


def words(text: str) -> str:
    """A pattern for any of the phrases between the bars, as a word of its own or the last of several (`customer_ssn`)."""
    return rf"{LEFT_EDGE}(?i:{'|'.join(map(spelled, text.split('|')))})"


def named(
    id: str,
    kind: str,
    text: str,
    shape: str,
    accept: Callable[[str], int] | None = None,
    *,
    gap: str = GAP,
    right: str = RIGHT_EDGE,
    unless: str = "",
    besides: str = LONG_NUMBER,
) -> Detector:
    """A detector for numbers of a shape after one of the phrases."""
    needed = shortest(text)
    return Detector(
        id=id,
        kind=kind,
        pattern=rf"{_called(needed, gap)}({shape}){right}",
        accept=accept,
        # The automaton looks for the bare words and for a number: all the ways from the one to the other are too many for it.
        anchor=rf"{LEFT_EDGE}(?i:{'|'.join(sorted(_openings(needed)))})",
        besides=besides,
        unless=unless,
    )


def _called(phrases: str, gap: str) -> str:
    """One of the phrases, and what lies between it and the number: nothing, perhaps, in scripts that write without spaces."""
    unspaced = "|".join(phrase for phrase in phrases.split("|") if phrase[-1] >= _UNSPACED)
    spaced = "|".join(phrase for phrase in phrases.split("|") if phrase[-1] < _UNSPACED)
    ways = [f"{words(spaced)}{_MORE}{gap}"] * bool(spaced) + [f"{words(unspaced)}(?:{gap})??"] * bool(unspaced)
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


_UNSPACED = "\u0e00"  # Thai, Han, kana, Hangul and what lies between them: 电话13800138000
_MORE = r"(?:s|(?:[A-Z][a-z]{1,10}){1,2})?"  # the plural, or what a name in a program goes on with: `ssnNumber`


def shortest(text: str) -> str:
    """The phrases without those that contain another as a word: "tax id" is found in "german tax id number" anyway."""
    phrases = dict.fromkeys(text.split("|"))
    return "|".join(
        phrase for phrase in phrases if not any(f" {other} " in f" {phrase} " for other in phrases if other != phrase)
    )


def _openings(text: str) -> set[str]:
    """How the phrases open, nearly as plain strings, of which an automaton can look for thousands: a long word, a short one with
    what must follow it, a first one and the beginning of a second. Letters beyond ASCII, whose cases the automaton does not
    know, in the cases in which people write them."""
    found = set()
    for phrase in text.split("|"):
        first, _, second = phrase.partition(" ")
        forms = (
            {first}
            if first.isascii()
            else {case for way in _ways(first) for case in (way, way.capitalize(), way.upper())}
        )
        rest = (
            _SPACE + spelled(second[:3])
            if second
            else ""
            if len(first) > 6 or first[-1] >= _UNSPACED
            else r"s?(?-i:[^a-z0-9])"
        )
        found |= {_escaped(form) + rest for form in forms}
    return found


def _ways(word: str) -> set[str]:
    """A word as it is, and without its accents."""
    return {word, *("".join((_plain(letter) or letter)[place] for letter in word) for place in (0, -1))}


def digits(least: int, most: int = 0) -> str:
    """That many digits, in groups or not: `12 345 678-901`."""
    return rf"[0-9](?:{SEPARATED}[0-9]){{{least - 1},{(most or least) - 1}}}"


# Ends where the number begins: see `Detector.unless`.
OF_A_THING = rf"{words(_THINGS)}(?i:s|[ _-]{{0,2}}(?:number|num|no|nr|id|code|ref|reference|nummer)){{0,2}}[^0-9A-Za-z\x00\n]{{0,6}}(?i:(?:is|was|ist|est|es|to|for)[^0-9A-Za-z\x00\n]{{1,4}})?\z"
