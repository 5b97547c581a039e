"""Decode: encoded parts of a text are decoded where they stand, so that what they say can be inspected in its context.

One pass takes all encodings at once and yields one view, at most as long as the text (what gzip inflates has a cap of its
own), so that nesting costs as many passes as it is deep and no input makes it more. A part that does not decode to readable
text is left as it is: hashes, keys, images and identifiers are.
"""

from __future__ import annotations

import html
import re
import zlib
from base64 import a85decode, b85decode
from binascii import a2b_base64, unhexlify
from codecs import utf_8_decode
from collections.abc import Callable, Collection
from typing import NamedTuple

from yett.detectors.view import Rewriting, View
from yett.detectors.vocabulary import WORDS

INFLATED_CAP = 65536  # bytes that compressed parts of one text may become
# They may not become much more than the text is, or many small bombs would cost what as many large texts do. Words deflate to a third.
INFLATED_LEAST, INFLATED_RATIO = 8192, 16
_PRINTABLE = 0.9  # the part of a decoded text that has to be printable
_PROBE = 64  # characters of a blob that are decoded first, to spare the rest
_FEWEST_WORDS = 4
_PROBE_85 = 40  # of these, which are 32 bytes
_SHORTEST = (
    10  # bytes: by chance, so many random ones are printable once in twenty thousand times, and they say nothing
)

# The alphabet that words are spelt with on the radio.
_ALPHABET = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango "
    "uniform victor whiskey x-?ray yankee zulu alfa juliet"
).split()
_B64 = "[A-Za-z0-9+/_-]"
_BASE64 = re.compile(rf"{_B64}{{16,}}(?:\r?\n{_B64}{{40,}})*(?:\r?\n{_B64}{{1,128}}={{0,2}}(?!{_B64}))?={{0,2}}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){10,}|(?:0x)?[0-9A-Fa-f]{2}(?:(?:[ :,;-]{1,2}(?:0x)?|\\x|0x)[0-9A-Fa-f]{2}){7,}")
_BYTE = re.compile(r"(?:0x)?([0-9A-Fa-f]{2})")
_GROUPS = re.compile(rf"(?<!{_B64})(?:{_B64}{{4}}[ \t\r\n]{{1,2}}){{5,}}{_B64}{{1,4}}={{0,2}}(?!{_B64})")
_ENCODED_WORD = rf"(?:{_B64}{{4}})*(?:{_B64}{{4}}|{_B64}{{3}}=|{_B64}{{2}}==)"
_ONE_BY_ONE = re.compile(rf"(?<!{_B64})(?:{_ENCODED_WORD}(?:[ ,;\t]{{1,2}}|\r?\n)){{3,}}{_ENCODED_WORD}(?!{_B64})")
_BASE32 = re.compile(r"[A-Z2-7]{24,}={0,6}|[a-z2-7]{24,}={0,6}")
_BASE58 = re.compile(r"(?<![A-Za-z0-9])[1-9A-HJ-NP-Za-km-z]{40,700}(?![A-Za-z0-9])")
_BASE85 = re.compile(r"(?<!\S)(?:<~)?[!-~]{40,}(?!\S)")
_CODE_POINTS = re.compile(r"(?:[Uu]\+[0-9A-Fa-f]{4,6}[ ,;]{0,2}){6,}")
_OCTAL = re.compile(r"(?:0o?)?[0-7]{3}(?:[ ,;]{1,2}(?:0o?)?[0-7]{3}){9,}|(?:\\[0-7]{3}){6,}")
_PLACES = re.compile(r"(?<![0-9])[0-9]{1,2}(?:(?:-|[ ,/;|]{1,3})[0-9]{1,2}){11,}(?![0-9])")
_SPELT = re.compile(rf"(?i:(?:{'|'.join(_ALPHABET)})(?:[ ,;/|.-]{{1,3}}(?:{'|'.join(_ALPHABET)})){{5,}})")
_BINARY = re.compile(r"[01]{8}(?:[ ,]{0,2}[01]{8}){3,}")
_DECIMAL = re.compile(r"[0-9]{2,3}(?:[ ,;]{1,2}[0-9]{2,3}){9,}|(?i:chr\([0-9]{2,3}\)[ +.,&|]{0,3}){6,}")
_MORSE = re.compile(
    "[.\u00b7\u2022_\u2212\u2013\u2014-]{1,6}(?:(?: | ?/ ?| {2,7})[.\u00b7\u2022_\u2212\u2013\u2014-]{1,6}){9,}"
)
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ENTITY = re.compile(r"(?:&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});)+")
_ESCAPE = re.compile(r"""(?:\\(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|["'/nrt\\]))+""")
_QUOTED = re.compile(r"(?:=[0-9A-F]{2}|=\r?\n){2,}|(?:=[0-9A-F]{2}|=\r?\n)(?![0-9])")  # status=200 is no space and a 0
_ONE_ESCAPE = re.compile(r"""\\(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|(["'/nrt\\]))""")

_ZLIB = (b"\x01", b"\x5e", b"\x9c", b"\xda")
_UNPRINTABLE = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"
_MORSE_CODE = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
        "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--..".split(),
        "abcdefghijklmnopqrstuvwxyz0123456789.,?",
        strict=True,
    )
)


_MORSE_SIGNS = str.maketrans("\u00b7\u2022_\u2212\u2013\u2014", "..----")

_SELECTORS = re.compile(
    "[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}"
)  # a byte each: nobody sees them, wherever they stand


class Budget:
    """How many more bytes compressed parts may become."""

    __slots__ = ("left",)

    def __init__(self, length: int = INFLATED_CAP) -> None:
        """For a text of so many characters."""
        self.left = min(INFLATED_CAP, INFLATED_LEAST + INFLATED_RATIO * length)


def _base64(blob: str, budget: Budget) -> str | None:
    lines = blob.rstrip("=").replace("\r", "").split("\n")
    # The last of several lines may be the first word of what follows.
    return next(
        (
            text
            for taken in range(len(lines), max(0, len(lines) - 2), -1)
            if (text := _one_base64("".join(lines[:taken]), budget))
        ),
        None,
    )


def _one_base64(text: str, budget: Budget) -> str | None:
    if "-" in text or "_" in text:
        if "+" in text or "/" in text:
            return None
        text = text.replace("-", "+").replace("_", "/")  # RFC 4648, section 5
    if len(text) % 4 == 1:
        text = text[:-1]
    if _promising(_binary(text[:_PROBE])):
        return _readable(_binary(text), budget)
    turned = text[::-1]
    return _readable(_binary(turned), budget) if _promising(_binary(turned[:_PROBE])) else None


def _groups(blob: str, budget: Budget) -> str | None:
    return _one_base64(re.sub(r"[\s=]", "", blob), budget)


def _one_by_one(blob: str, budget: Budget) -> str | None:
    """Words that are encoded one by one."""
    words = re.split(r"[ ,;\s]+", blob)
    said = [_short(word) for word in words]
    if sum(map(bool, said)) < max(_FEWEST_WORDS, len(words) - 2):  # the first and the last may be of the text around
        return None
    return " ".join(text or word for text, word in zip(said, words, strict=True))


def _short(word: str) -> str | None:
    text = word.rstrip("=")
    data = b"" if "-" in text or "_" in text else _binary(text)
    return data.decode("ascii") if data.isascii() and _printable(data) else None


def _binary(text: str) -> bytes:
    return a2b_base64(text + "=" * (-len(text) % 4))


def _hex(blob: str, budget: Budget) -> str | None:
    return _readable(unhexlify(blob if blob.isalnum() and "x" not in blob else "".join(_BYTE.findall(blob))), budget)


def _base32(blob: str, budget: Budget) -> str | None:
    bits = 0
    text = blob.rstrip("=").upper()
    out = bytearray()
    count = 0
    for character in text:  # base64.b32decode refuses what lacks its padding
        bits = (bits << 5 | _BASE32_DIGITS[character]) & 0xFFF
        count += 5
        if count >= 8:
            count -= 8
            out.append(bits >> count & 0xFF)
    return _readable(bytes(out), budget)


_BASE32_DIGITS = {character: value for value, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}


def _base58(blob: str, budget: Budget) -> str | None:
    number = 0
    for character in blob:  # at most as many as _BASE58 takes: what this costs grows with the square of them
        number = number * 58 + _BASE58_DIGITS[character]
    return _readable(number.to_bytes((number.bit_length() + 7) // 8, "big"), budget)


_BASE58_DIGITS = {
    character: value for value, character in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
}


def _base85(blob: str, budget: Budget) -> str | None:
    blob = blob.removeprefix("<~").removesuffix("~>")
    for decode, probe in ((b85decode, blob[:_PROBE_85]), (a85decode, blob[:_PROBE_85])):
        try:
            if _text(decode(probe)) is not None:
                return _readable(decode(blob), budget)
        except ValueError:
            continue
    return None


def _code_points(blob: str, _budget: Budget) -> str | None:
    codes = [int(code, 16) for code in re.findall(r"\+([0-9A-Fa-f]+)", blob)]
    text = "".join(chr(code) if code <= 0x10FFFF else "\ufffd" for code in codes)
    return text if text.isprintable() else None


def _octal(blob: str, budget: Budget) -> str | None:
    codes = [int(number, 8) for number in re.findall("[0-7]{3}", blob)]
    text = _readable(bytes(codes), budget) if max(codes) < 256 else None
    return text if text and sum(c.isalpha() or c == " " for c in text) >= 0.8 * len(text) else None


def _places(blob: str, _budget: Budget) -> str | None:
    """Letters by their places in the alphabet."""
    words = re.split(r" ?[/|] ?| {2,3}", blob) if "-" not in blob else re.split(r"[ ,/;|]+", blob)
    letters = [[int(number) for number in re.findall("[0-9]+", word)] for word in words]
    if not all(0 < number <= 26 for word in letters for number in word):
        return None
    text = " ".join("".join(chr(96 + number) for number in word) for word in letters)
    return text if any(word in WORDS for word in text.split() if len(word) > 2) else None


def _spelt(blob: str, _budget: Budget) -> str:
    return " ".join(
        "".join(re.findall(r"\b(?!ray)[a-z]", word)) for word in re.split(" ?[/|,.;] ?| {2,3}", blob.lower())
    )


def _bits(blob: str, budget: Budget) -> str | None:
    digits = re.sub("[ ,]", "", blob)
    return _readable(bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8)), budget)


def _decimal(blob: str, budget: Budget) -> str | None:
    codes = [int(number) for number in re.findall("[0-9]+", blob)]
    if max(codes) > 126 or min(codes) < 9:
        return None
    text = _readable(bytes(codes), budget)
    return text if text and sum(c.isalpha() or c == " " for c in text) >= 0.8 * len(text) else None


def _morse(blob: str, _budget: Budget) -> str | None:
    words = re.split(r" ?/ ?| {2,7}", blob.translate(_MORSE_SIGNS))
    letters = [[_MORSE_CODE.get(code, "") for code in word.split(" ")] for word in words]
    text = " ".join("".join(word) for word in letters)
    return text if len(text) >= 0.9 * sum(map(len, letters)) and len(set(text)) > 4 else None


def _percent(run: str, _budget: Budget) -> str | None:
    return _text(unhexlify(run.replace("%", "")), whole=True)


def _quoted(run: str, _budget: Budget) -> str | None:
    return _text(unhexlify(re.sub("[=\r\n]", "", run)), whole=True)


def _entity(run: str, _budget: Budget) -> str | None:
    text = html.unescape(run)
    return None if text == run else text


def _escape(run: str, _budget: Budget) -> str | None:
    text = _ONE_ESCAPE.sub(_unescaped, run)
    # A pair of surrogates is one character (RFC 8259, section 7); half a pair stays half.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _unescaped(match: re.Match[str]) -> str:
    short, braced, byte, letter = match.groups()
    if letter:
        return {"n": "\n", "r": "\r", "t": "\t"}.get(letter, letter)
    code = int(short or braced or byte, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


# ---- what decoded bytes say -------------------------------------------------------------------------------------------


def _readable(data: bytes, budget: Budget) -> str | None:
    """The text that the bytes of a blob are, compressed or not; None when they are something else."""
    if data[:2] == b"\x1f\x8b" or (data[:1] == b"x" and data[1:2] in _ZLIB):
        data = _inflated(data, budget)
    return _text(data) if len(data) >= _SHORTEST else None


def _inflated(data: bytes, budget: Budget) -> bytes:
    """RFC 1950 and 1952, as far as the budget goes; nothing when it is neither."""
    if budget.left <= 0:
        return b""
    try:
        found = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, budget.left)
    except zlib.error:
        return b""
    budget.left -= len(found)
    return found


def _text(data: bytes, *, whole: bool = False) -> str | None:
    """Unless it is `whole`, its last character may be cut off."""
    if len(data) >= _PROBE // 4 and not any(data[1:_PROBE:2]):  # UTF-16, as PowerShell encodes commands
        return data.decode("utf-16-le", "replace") if _printable(data[::2]) else None
    if not _printable(data):
        return None
    try:
        return utf_8_decode(data, "strict", whole)[0]
    except UnicodeDecodeError:
        return None


def _printable(data: bytes) -> bool:
    return len(data.translate(None, _UNPRINTABLE)) >= _PRINTABLE * len(data)


def _promising(data: bytes) -> bool:
    return data[:1] in b"\x1fx" or _text(data) is not None


# ---- one pass ---------------------------------------------------------------------------------------------------------


class _Codec(NamedTuple):
    shape: str  # for the automaton that reads every text: it matches wherever `pattern` does
    pattern: re.Pattern[str]
    decode: Callable[[str, Budget], str | None]


_SOUND = r"(?:[._-]|\xc2\xb7|\xe2(?:\x80[\xa2\x93\x94]|\x88\x92)){1,6}"
_CODECS: dict[str, _Codec] = {
    "hex": _Codec(r"[0-9A-Fa-f]{20}|[0-9A-Fa-f]{2}(?:(?:[ :,;-]{1,2}(?:0x)?|\\x|0x)[0-9A-Fa-f]{2}){7}", _HEX, _hex),
    "base64": _Codec(f"{_B64}{{16}}", _BASE64, _base64),
    "groups": _Codec(rf"[ \t\r\n](?:{_B64}{{4}}[ \t\r\n]{{1,2}}){{6}}", _GROUPS, _groups),
    "words": _Codec(r"[A-Za-z0-9+/]{2}={1,2}[ ,;\n][ \n]?[A-Za-z0-9+/]{2}", _ONE_BY_ONE, _one_by_one),
    "base32": _Codec(r"[A-Z2-7]{24}|[a-z2-7]{24}", _BASE32, _base32),
    "base58": _Codec(r"[1-9A-HJ-NP-Za-km-z]{40}", _BASE58, _base58),
    "base85": _Codec(r"[!-~]{40}", _BASE85, _base85),
    "code-points": _Codec(r"(?:[Uu]\+[0-9A-Fa-f]{4,6}[ ,;]{0,2}){3}", _CODE_POINTS, _code_points),
    "octal": _Codec(r"[0-7]{3}(?:[ ,;]{1,2}(?:0o?)?[0-7]{3}){9}|(?:\\[0-7]{3}){6}", _OCTAL, _octal),
    "places": _Codec(r"[0-9]{1,2}(?:-|[ ,/;|]{1,3})(?:[0-9]{1,2}(?:-|[ ,/;|]{1,3})){10}[0-9]", _PLACES, _places),
    "spelt": _Codec(
        rf"(?i:(?:{'|'.join(_ALPHABET)})[ ,;/|.-]{{1,3}}(?:{'|'.join(_ALPHABET)})[ ,;/|.-])", _SPELT, _spelt
    ),
    "binary": _Codec(r"[01]{8}(?:[ ,]{0,2}[01]{8}){3}", _BINARY, _bits),
    "decimal": _Codec(
        r"[0-9]{2,3}(?:[ ,;]{1,2}[0-9]{2,3}){9}|(?i:chr\([0-9]{2,3}\)[ +.,&|]{0,3}){4}", _DECIMAL, _decimal
    ),
    "morse": _Codec(rf"{_SOUND}(?:(?: | ?/ ?| {{2,7}}){_SOUND}){{9}}", _MORSE, _morse),
    "percent": _Codec(r"%[0-9A-Fa-f]{2}", _PERCENT, _percent),
    "entity": _Codec(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});", _ENTITY, _entity),
    "escape": _Codec(r"""\\(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]|x[0-9A-Fa-f]{2}|["'/nrt\\])""", _ESCAPE, _escape),
    "quoted-printable": _Codec(r"=[0-9A-F]{2}=[0-9A-F]{2}|=3D|=20[^0-9]|=\r?\n", _QUOTED, _quoted),
}
SHAPES: dict[str, str] = {name: codec.shape for name, codec in _CODECS.items()}


def decoded(view: View, shapes: Collection[str], budget: Budget) -> View | None:
    """The view with its encoded parts decoded in place; None when there are none. `shapes` are those of SHAPES that occur."""
    found = []
    for order, (how, codec) in enumerate(_CODECS.items()):
        if how in shapes:
            for match in codec.pattern.finditer(view.text):
                text = codec.decode(match.group(), budget)
                if text is not None:
                    found.append((match.start(), order, match.end(), text, how))
    rewriting = Rewriting(view)
    done = 0
    for start, _, end, text, how in sorted(found):
        if start >= done:
            rewriting.put(start, end, text, how)
            done = end
    return rewriting.view()


_BITS = re.compile(
    "[\u200b\u200c\u200d\u2060\u2062\u2063\ufeff]{64,}"
)  # two characters that nobody sees stand for 0 and 1


def _zero_width(run: str) -> str | None:
    """What a run of two characters that nobody sees spells, whichever of them is 0."""
    signs = sorted(set(run))
    if len(signs) != 2 or len(run) % 8:
        return None
    for zero in signs:
        bits = int("".join("0" if sign == zero else "1" for sign in run), 2)
        text = _text(bits.to_bytes(len(run) // 8, "big"), whole=True)
        if text is not None:
            return text
    return None


def smuggled(view: View) -> View | None:
    """The view with what runs of variation selectors spell put in their place; None when there are none."""
    if view.text.isascii():
        return None
    rewriting = Rewriting(view)
    for match in _SELECTORS.finditer(view.text):
        codes = (ord(character) for character in match.group())
        text = _text(bytes(code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16 for code in codes))
        if text is not None:
            rewriting.put(match.start(), match.end(), text, "variation-selectors")
    if not rewriting.begun:
        for match in _BITS.finditer(view.text):
            hidden = _zero_width(match.group())
            if hidden is not None:
                rewriting.put(match.start(), match.end(), hidden, "zero-width")
    return rewriting.view()
