"""Banking: IBANs wherever they stand; account, routing and bank codes after a word that says what they are."""

from __future__ import annotations

from stdnum import bic
from stdnum.us import rtn

from yett.detectors.detector import SPACER, Detector, when
from yett.detectors.pii.checks import apart, compact, varied
from yett.detectors.pii.words import NEAR, OF_A_THING, SHORT_NUMBER, digits, named

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
_IBAN_DIGITS = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def iban(text: str) -> int:
    """ISO 13616: length by country, ISO 7064 MOD 97-10. What follows after a space is not part of it."""
    letters = compact(text)
    length = IBAN_LENGTHS.get(letters[:2], 0)
    letters = letters[:length]
    if not length or len(letters) < length or _remainder(letters) != 1:
        return 0
    end = _position(text, length)
    return 0 if text[end : end + 1].isalnum() else end


def iban_of_any_length(text: str) -> int:
    """The same of another length, or of a country that has none yet; MOD 97-10 holds."""
    letters = compact(text)
    return iban(text) or (len(text) if _remainder(letters) == 1 else 0)


def _remainder(letters: str) -> int:
    return int((letters[4:] + letters[:4]).translate(_IBAN_DIGITS)) % 97


def _position(text: str, count: int) -> int:
    """Where the first `count` letters and digits of `text` end; it has that many."""
    places = [place for place, character in enumerate(text) if character.isalnum()]
    return places[count - 1] + 1


def _bic(text: str) -> bool:
    """ISO 9362, of the form alone: bank, a country that exists, place."""
    return bool(bic.is_valid(text)) and text[4:6] in _COUNTRY_CODES


def account(text: str) -> bool:
    """No check digit is common to all banks."""
    return varied(text) and 5 <= len(compact(text)) <= 26


_COUNTRY_CODES = frozenset(IBAN_LENGTHS) | frozenset(
    "US CA AU NZ JP CN HK SG IN KR MX AR CL CO PE ZA NG KE MA TH MY ID PH VN TW RU".split()
)
_COUNTRIES = "|".join(sorted(IBAN_LENGTHS))
_IBAN = rf"[^A-Za-z0-9][A-Za-z]{{2}}[0-9]{{2}}(?:{SPACER}?[A-Za-z0-9]){{11}}"
_ACCOUNT_WORDS = (
    "account number|account no|a/c|account num|account nr|acct|acct no|acct number|bank account|bank account number|checking account|savings account"
    "|current account|account #|iban|konto|kontonummer|kontonr|bankkonto|numéro de compte|compte bancaire|compte|número de cuenta|numero de cuenta"
    "|cuenta bancaria|cuenta|clabe|cbu|número da conta|conta bancária|conta corrente|conta|numero di conto|conto corrente|conto|rekeningnummer|bankrekening"
    "|numer konta|numer rachunku|rachunek|číslo účtu|bankovní účet|bankszámlaszám|számlaszám|cont bancar|hesap numarası|hesap no|banka hesabı"
    "|номер счёта|расчётный счёт|खाता संख्या|खाता नंबर|számla|hesap|口座|р/с|лицевой счет|λογαριασμός|口座番号|銀行口座|账号|银行账号|账户|계좌번호|은행계좌|رقم الحساب|חשבון בנק|tilinumero|bankgiro|kontonumret"
)

IBAN: tuple[Detector, ...] = (
    Detector(
        id="iban",
        kind="pii.iban",
        pattern=rf"[^A-Za-z0-9]((?:{_COUNTRIES})[0-9]{{2}}(?:{SPACER}?[A-Z0-9]){{11,29}})[^A-Za-z0-9]",
        accept=iban,
        anchor=_IBAN,
    ),
    Detector(
        id="iban-compact",
        kind="pii.iban",
        pattern=rf"[^A-Za-z0-9]((?i:{_COUNTRIES})[0-9]{{2}}[A-Za-z0-9]{{11,29}})[^A-Za-z0-9]",
        accept=iban,
        anchor=_IBAN,
    ),
    named(
        "iban-named",
        "pii.iban",
        "iban|transfer|wire|pay to|überweisen|überweisung|virement|transferencia|bonifico|przelew|overmaken|konto|account|compte|rib|cuenta|conto|coordinate bancarie|rekening|hesap|счёт|счёта",
        rf"[A-Z]{{2}}[ ]?[0-9]{{2}}(?:{SPACER}?[A-Z0-9]){{11,29}}",
        iban_of_any_length,
    ),
)

BANKING: tuple[Detector, ...] = (
    named(
        "bank-account",
        "pii.bank-account",
        _ACCOUNT_WORDS,
        rf"[0-9](?:(?:[/]|{SPACER})?[0-9]){{5,25}}",
        when(account),
        gap=NEAR,
        unless=OF_A_THING,
    ),
    named(
        "us-routing-number",
        "pii.bank-routing",
        "routing|routing number|routing no|routing num|routing transit number|aba|aba number|aba routing|rtn|transit number",
        rf"{digits(9)}",
        apart(rtn.is_valid),
        gap=NEAR,
    ),
    named(
        "sort-code",
        "pii.bank-routing",
        "sort code|sortcode|sort|bsb|bsb number|blz|bankleitzahl|code banque|ifsc|ifsc code",
        r"[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}|[0-9]{3}[ -][0-9]{3}|[0-9]{3}[ ]?[0-9]{3}[ ]?[0-9]{2}|[A-Z]{4}0[0-9A-Z]{6}",
        when(lambda text: varied(text, 2)),
        gap=NEAR,
        besides=SHORT_NUMBER,
    ),
    named(
        "bic",
        "pii.bic",
        "bic|swift|swift code|bic code|swift/bic|bic/swift|swift bic",
        r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
        when(_bic),
        gap=NEAR,
        besides=r"[A-Z]{6}[A-Z0-9]{2}",
    ),
)
