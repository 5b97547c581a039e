"""PII: e-mail addresses, telephone and card numbers, IBANs and US social security numbers.

A checksum alone is weak evidence (one random number in ten passes Luhn), so a bare number needs the exact shape of its kind,
and a looser one needs a word before it that says what it is.
"""

from __future__ import annotations

import re

import phonenumbers

from yett.detectors.detector import DASHES, SPACER, SPACES, Detector, when

# ISO 13616 registry: the length of an IBAN by country.
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
    "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
    "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26,
    "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip

# Names of files and of package versions have the shape of an address: `icon@2x.png`, `app@latest.tgz`.
_FILE_ENDINGS = frozenset(
    "png jpg jpeg gif svg webp ico css scss js mjs cjs ts tsx jsx json py rb go rs java class jar md txt html htm xml yml yaml toml lock log map zip tgz gz tar whl so dll exe".split()
)
_NOT_DIGIT = re.compile(r"[^0-9]+")
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]+")
_GROUP_ENDS = " .-/()" + SPACES + DASHES
_IBAN_DIGITS = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def email(text: str) -> bool:
    """RFC 5321 dot-string at a host name; not a file name, not the `git@` of a repository address."""
    local, _, host = text.rpartition("@")
    if ".." in text or local.startswith(".") or local.endswith(".") or local == "git":
        return False
    return host.rpartition(".")[2].lower() not in _FILE_ENDINGS


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1 Annex B, over the digits of `text`; a number of one repeated digit does not count."""
    digits = [int(digit) for digit in _NOT_DIGIT.sub("", text)]
    if len(set(digits)) < 2:
        return False
    return (sum(digits[-1::-2]) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


def iban(text: str) -> int:
    """ISO 13616: length by country, ISO 7064 MOD 97-10. What follows after a space is not part of it."""
    compact = _NOT_ALPHANUMERIC.sub("", text).upper()
    length = IBAN_LENGTHS.get(compact[:2], 0)
    compact = compact[:length]
    if not length or len(compact) < length or int((compact[4:] + compact[:4]).translate(_IBAN_DIGITS)) % 97 != 1:
        return 0
    end = _position(text, length)
    return 0 if text[end : end + 1].isalnum() else end


def _position(text: str, count: int) -> int:
    """Where the first `count` letters and digits of `text` end; it has that many."""
    places = [place for place, character in enumerate(text) if character.isalnum()]
    return places[count - 1] + 1


def phone(text: str) -> int:
    """A number with its country code that is valid there; if it is not, without its last group or two."""
    for _ in range(3):
        if _valid_phone(_NOT_DIGIT.sub("", text)):
            return len(text)
        text = text.rstrip("0123456789").rstrip(_GROUP_ENDS)
    return 0


def _valid_phone(digits: str) -> bool:
    """E.164 digits: a country code and a number of that country's plan."""
    country, national = _country(digits)
    if country and len(national) > 3 and national[0] != "0":
        number = phonenumbers.PhoneNumber(country, int(national))
        if phonenumbers.is_possible_number(number) and phonenumbers.is_valid_number(number):
            return True
    # A prefix that is dialled within the country only ("+44 (0)20"), or a zero that is part of the number (Italy): the
    # parser knows them all, but costs more than the check itself, so it is asked second.
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}", None)))
    except phonenumbers.NumberParseException:
        return False


def _country(digits: str) -> tuple[int, str]:
    """Country code and national number; 0 when there is no such country. No code is the beginning of another."""
    for length in (1, 2, 3):
        code = digits[:length]
        if code and code[0] != "0" and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return int(code), digits[length:]
    return 0, ""


def phone_after_prefix(text: str) -> int:
    """The same, written after the prefix 00 instead of +."""
    return max(0, phone(f"+{text}") - 1)


def national_phone(text: str) -> bool:
    """7 to 15 digits (E.164) that are not one repeated digit: what a text that says "phone:" gives as one."""
    digits = _NOT_DIGIT.sub("", text)
    return 7 <= len(digits) <= 15 and len(set(digits)) > 2 and ".." not in text


def ssn(text: str) -> bool:
    """Rules of the US Social Security Administration: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    digits = _NOT_DIGIT.sub("", text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000" and len(set(digits)) > 1


_LEFT_OF_NUMBER = r"[^A-Za-z0-9.+-]"
_RIGHT_OF_NUMBER = r"[^A-Za-z0-9-]"
_FOUR = rf"{SPACER}?[0-9]{{4}}"
# ISO/IEC 7812 issuer ranges of the large schemes, by the lengths they issue.
_CARD = (
    rf"(?:4[0-9]{{3}}|5[1-5][0-9]{{2}}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{{2}}|27[01][0-9]|2720|6011|65[0-9]{{2}}|64[4-9][0-9]"
    rf"|35(?:2[89]|[3-8][0-9])|62[0-9]{{2}}|50[0-9]{{2}}|5[6-8][0-9]{{2}}|6[37][0-9]{{2}}){_FOUR}{_FOUR}{_FOUR}"
    rf"|3[47][0-9]{{2}}{SPACER}?[0-9]{{6}}{SPACER}?[0-9]{{5}}"
    rf"|3(?:0[0-5]|[689][0-9])[0-9]{SPACER}?[0-9]{{6}}{SPACER}?[0-9]{{4}}"
)
_SAID = r"""[A-Za-z ]{0,20}(?:[ \t]?[:=#]|[ \t](?:is|was|no\.?|number)[:]?)?[ \t\r\n"']{0,3}"""
_RIGHT_OF_PHONE = r"[^A-WYZa-wyz0-9-]"  # an extension may follow: x123
_LOCAL = r"[A-Za-z0-9.!#$%&*+/=?^_~-]"

PII: tuple[Detector, ...] = (
    Detector(id="card", kind="pii.card", pattern=rf"{_LEFT_OF_NUMBER}({_CARD}){_RIGHT_OF_NUMBER}", accept=when(luhn)),
    Detector(
        id="card-named",
        kind="pii.card",
        pattern=rf"(?i:card|[^a-z]cc|visa|mastercard|maestro|amex){_SAID}([1-9](?:{SPACER}?[0-9]){{11,18}})[^A-Za-z0-9]",
        accept=when(luhn),
    ),
    Detector(
        id="iban",
        kind="pii.iban",
        pattern=rf"[^A-Za-z0-9]([A-Z]{{2}}[0-9]{{2}}(?:{SPACER}?[A-Z0-9]){{11,30}})[^A-Za-z0-9]",
        accept=iban,
    ),
    Detector(
        id="iban-compact",
        kind="pii.iban",
        pattern=r"[^A-Za-z0-9]([A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{11,30})[^A-Za-z0-9]",
        accept=iban,
    ),
    Detector(
        id="us-ssn",
        kind="pii.us-ssn",
        pattern=rf"{_LEFT_OF_NUMBER}([0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}){_RIGHT_OF_NUMBER}",
        accept=when(ssn),
    ),
    Detector(
        id="us-ssn-named",
        kind="pii.us-ssn",
        pattern=rf"(?i:[^a-z]ssn|social security){_SAID}([0-9]{{3}}{SPACER}?[0-9]{{2}}{SPACER}?[0-9]{{4}})[^A-Za-z0-9]",
        accept=when(ssn),
    ),
    Detector(
        id="email",
        kind="pii.email",
        pattern=rf"[^A-Za-z0-9.!#$%&*+/=?^_~-]({_LOCAL}{{1,64}}@[A-Za-z0-9](?:[A-Za-z0-9.-]{{0,120}}[A-Za-z0-9])?\.[A-Za-z]{{2,24}})[^A-Za-z0-9_]",
        accept=when(email),
        # The word before an @ could begin anywhere, which the automaton would have to keep track of all the time.
        anchor=rf"{_LOCAL}@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]",
    ),
    Detector(
        id="phone-international",
        kind="pii.phone",
        pattern=rf"[^A-Za-z0-9+](\+[1-9](?:(?:[./()]|{SPACER}){{0,2}}[0-9]){{6,14}}){_RIGHT_OF_PHONE}",
        accept=phone,
    ),
    Detector(
        id="phone-international-zeros",
        kind="pii.phone",
        pattern=rf"[^A-Za-z0-9+]00[ ]?([1-9][0-9]{{0,2}}(?:{SPACER}[0-9]{{2,4}}){{2,5}}){_RIGHT_OF_PHONE}",
        accept=phone_after_prefix,
    ),
    Detector(
        id="phone-us",
        kind="pii.phone",
        pattern=r"[^A-Za-z0-9.+-]((?:\([2-9][0-8][0-9]\) ?|[2-9][0-8][0-9][.-])[2-9][0-9]{2}[.-][0-9]{4})"
        + _RIGHT_OF_PHONE,
    ),
    Detector(
        id="phone-named",
        kind="pii.phone",
        pattern=rf"(?i:[^a-z](?:tele)?phone|[^a-z]tel|mobile|[^a-z]cell|[^a-z]fax|whatsapp|call me|call|text|reach me|answering){_SAID}((?:[0-9]|\([0-9])(?:(?:[./()]|{SPACER}){{0,2}}[0-9]){{6,14}}){_RIGHT_OF_PHONE}",
        accept=when(national_phone),
    ),
)
