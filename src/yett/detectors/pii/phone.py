"""Telephone numbers: international ones wherever they stand, national ones after a word, or where a country says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from string import ascii_letters

import phonenumbers

from yett.detectors.detector import DASHES, SPACER, SPACES, Detector, when
from yett.detectors.pii.checks import is_date, only_digits
from yett.detectors.pii.words import LEFT_OF_NUMBER, LONG_NUMBER, NEAR, NUMBERS, OF_A_THING, named

_GROUP_ENDS = " .-/()" + SPACES + DASHES
_RIGHT = r"[^A-WYZa-wyz0-9-]"  # an extension may follow: x123
_BETWEEN = rf"(?:[./()]|{SPACER})"
_NUMBER = rf"(?:[0-9]|\([0-9+])(?:{_BETWEEN}{{0,2}}[0-9]){{5,14}}"
_DATE_BEGIN = re.compile(r"(?:(\d{4})[-./](\d\d?)[-./](\d\d?)|(\d\d?)[-./](\d\d?)[-./](\d{4}))(?!\d)")
_OBJECTS = (
    "desk:|office:|home:|work:|direct:|t:|m:|p:|phone|phone number|phone no|telephone|telephone number|tel|tel no|ph|ph no|mobile|mobile number|mobile no|mob|cell|cell phone|cellphone|cellular"
    "|cell number|fax|fax number|landline|hotline|whatsapp|whats app|viber|contact number|contact no|callback number|call back"
    "|phone_number|phonenumber|msisdn|sms|dial|dialing|call|ring|reach me|reach me at|reach me on|ring me"
    "|text me|my number|his number|her number|their number|your number|home number|work number|answering at|answering"
    "|telefon|telefonnummer|telefonisch|handy|handynummer|mobil|mobilnummer|mobiltelefon|rufnummer|rückruf|festnetz|anrufen|erreichbar|tel nr"
    "|téléphone|telephone|numéro de téléphone|portable|numéro de portable|appelez|appeler|joindre|joignable|rappeler|fixe"
    "|teléfono|telefono|móvil|movil|celular|número de teléfono|numero de telefono|llámame|llamar|llame|cel"
    "|telemóvel|telemovel|telefone|número de telefone|ligue|fone|contacto|contato"
    "|cellulare|numero di telefono|chiamami|chiamare|recapito"
    "|telefoonnummer|telefoon|mobiel|mobiele nummer|gsm|bel me|bellen|bereikbaar"
    "|telefonu|numer telefonu|komórka|komórkowy|nr tel|zadzwoń|telefón|telefónne číslo|telefonní číslo|mobilní|volejte|zavolejte"
    "|telefonszám|telefonszáma|telefonszámom|hívjon|număr de telefon|numărul de telefon|telefonul|sunați|broj telefona|mobitel|telefonska številka|puhelin|puhelinnumero|puhelinnumeroni|soita"
    "|telefonnumer|telefonnumret|telefonnummeret|mobilnumret|ring mig|ring til|ring meg|tlf|tlf nr|mobilnummeret|telefoni|telefoninumber|tālrunis|telefonas|telefono numeris|sími|símanúmer"
    "|telefon numarası|cep telefonu|cep|numaram|numarası|gsm no|ara|arayın"
    "|телефон|телефону|тел|номер телефона|номер телефону|моб|мобильный|мобільний|звоните|позвоните|факс|мобилен|τηλέφωνο|τηλ|κινητό|τηλεφώνου"
    "|電話|電話番号|携帯|携帯番号|连絡先|连络电话|电话|电话号码|手机|手机号|手机号码|聯絡電話|手機|전화|전화번호|휴대폰|연락처|핸드폰"
    "|هاتف|رقم الهاتف|جوال|الجوال|موبايل|اتصل|تلفن|شماره تلفن|موبایل|טלפון|נייד|מספר טלפון|फोन|मोबाइल|फ़ोन|ফোন|মোবাইল|โทร|โทรศัพท์|เบอร์โทร|เบอร์|điện thoại|số điện thoại|đt|sđt"
    "|telp|telepon|nomor telepon|nomor hp|no hp|hp|hubungi|telefon bimbit|no telefon"
)
# What says so only of a number that comes next, and what says so behind one, where a line or a bracket ends.
_ASKED = (
    "reach him|reach her|reach us|reach them|reach you|reached|reachable|contact me|contact him|contact her|contact us|contact them|text|texts|texted|message|messages|reply|registered"
    "|voicemail|switchboard|helpline|unter|rufen sie|melden sie sich"
)
_NEXT = r"[^0-9A-Za-z\x00\n]{1,3}(?:(?i:on|at|to|is|via|using|under|am|an|lautet|est|es|al|le|el|il|op|pod|na|er|on)[ :]{1,2})?"
_SUFFIX = (
    "office|fax|mobile|mobil|mob|cell|cellphone|home|work|phone|telephone|tel|direct|landline|desk|whatsapp|handy|privat|dienstlich|telefon"
    "|bureau|domicile|portable|fixe|oficina|casa|movil|celular|trabajo|ufficio|cellulare|fisso|kantoor|thuis|mobiel|biuro|komorka|kontor"
)
_GROUP_BEFORE = r"[^0-9][0-9]{1,4} \z"  # the number is the rest of a longer one: an amount, what a parcel is tracked by
_SUFFIX_RIGHT = r"[\n\r\x00),;.|\\\]<\"]"


def phone(text: str) -> int:
    """A number with its country code that may be one there; if it may not, without its last group or two."""
    for _ in range(3):
        if _valid_phone(only_digits(text)):
            return len(text)
        text = text.rstrip("0123456789").rstrip(_GROUP_ENDS)
    return 0


def _valid_phone(digits: str) -> bool:
    """E.164 digits: a country code, and a number as long as that country's."""
    country, national = _country(digits)
    if not country or len(national) < 4 or len(set(national)) < 2:
        return False
    number = phonenumbers.PhoneNumber(country, int(national.lstrip("0") or "0"))
    if phonenumbers.is_possible_number(number):
        return country != 1 or national[0] > "1"  # the North American plan: no area begins with 0 or 1
    # A zero that is part of the number (Italy), or one that is dialled within the country only ("+44 (0)20"): the parser
    # knows them all, but costs more than the check itself, so it is asked second.
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}", None)))
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
    """6 to 15 digits (E.164) that are not one repeated digit and no date: what a text that says "phone:" gives as one."""
    digits = only_digits(text)
    return 6 <= len(digits) <= 15 and len(set(digits)) > 2 and ".." not in text and not _begins_with_date(text)


def dialled(text: str) -> bool:
    """The same where the words before it could speak of another number: eight digits, or fewer in groups."""
    digits = only_digits(text)
    return national_phone(text) and (len(digits) >= 8 or (len(digits) > 6 and not text.isdigit()))


def labelled(text: str) -> int:
    """The number in a number and the word behind it that says so: `25 833387-Office`."""
    number = text.rstrip(ascii_letters).rstrip("( -")
    return len(number) if national_phone(number) else 0


def named_phone(text: str) -> int:
    """What a text calls a phone number: with a plus, as much of it as its country's numbers are long."""
    return (phone(text) if text[0] == "+" else 0) or when(national_phone)(text)


def _begins_with_date(text: str) -> bool:
    found = _DATE_BEGIN.match(text)
    if not found:
        return False
    year, month, day, first, second, last = (int(part or 0) for part in found.groups())
    return is_date(year, month, day) if year else is_date(last, second, first) or is_date(last, first, second)


def grouped(text: str) -> bool:
    """A national number in the groups in which people write one, after the zero that is dialled before it."""
    digits = only_digits(text)
    return 9 <= len(digits) <= 11 and len(set(digits)) > 3 and any(_national(digits, region) for region in _ZERO)


_ZERO = ("GB", "FR", "DE", "IT", "NL", "BE", "AU", "JP", "CH", "AT", "SE", "ZA", "TR", "KR", "CN", "IN", "BR", "IL", "IE", "NZ", "FI", "RO", "UA", "HR", "TH", "TW", "MY", "ID", "VN", "PH", "PK", "SK", "BG", "RS", "SI", "NG", "EG", "AR", "KE")  # fmt: skip


def _national(text: str, region: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False


def _of(region: str) -> Callable[[str], bool]:
    return lambda text: national_phone(text) and _national(text, region)


def local_phone(country: str) -> Detector:
    """Numbers as they are dialled within one country, for an operator who names it."""
    return Detector(
        id=f"{country}-phone-local",
        kind="pii.phone",
        pattern=rf"{LEFT_OF_NUMBER}({_NUMBER}){_RIGHT}",
        accept=when(_of(country.upper())),
        unless=OF_A_THING,
    )


PHONE: tuple[Detector, ...] = (
    Detector(
        id="phone-international",
        kind="pii.phone",
        pattern=rf"[^A-Za-z0-9+](\+[1-9](?:{_BETWEEN}{{0,2}}[0-9]){{6,14}}|\(\+[1-9][0-9]{{0,2}}\)(?:{_BETWEEN}{{0,2}}[0-9]){{6,12}}|\+\([1-9][0-9]{{0,2}}\)(?:{_BETWEEN}{{0,2}}[0-9]){{6,12}}){_RIGHT}",
        accept=phone,
        besides=LONG_NUMBER,
        group=NUMBERS,
    ),
    Detector(
        id="phone-international-zeros",
        kind="pii.phone",
        pattern=rf"[^A-Za-z0-9+]00(?:[ -]?)([1-9][0-9]{{0,2}}(?:{SPACER}[0-9]{{2,4}}){{2,5}}){_RIGHT}",
        accept=phone_after_prefix,
        besides=LONG_NUMBER,
        group=NUMBERS,
    ),
    Detector(
        id="phone-us",
        kind="pii.phone",
        pattern=r"[^A-Za-z0-9.+-]((?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[.-][0-9]{4})" + _RIGHT,
        unless=OF_A_THING,
        besides=LONG_NUMBER,
        group=NUMBERS,
    ),
    named(
        "phone-named",
        "pii.phone",
        _OBJECTS,
        rf"\+?{_NUMBER}",
        named_phone,
        gap=NEAR,
        right=_RIGHT,
        unless=OF_A_THING,
    ),
    named(
        "phone-asked",
        "pii.phone",
        _ASKED,
        rf"\+?{_NUMBER}",
        when(dialled),
        gap=_NEXT,
        right=_RIGHT,
        unless=OF_A_THING,
    ),
    Detector(
        id="phone-labelled",
        kind="pii.phone",
        pattern=rf"{LEFT_OF_NUMBER}({_NUMBER}(?:-| ?\(?)(?i:{_SUFFIX})){_SUFFIX_RIGHT}",
        accept=labelled,
        unless=OF_A_THING,
        # Not of the group: how far each number in a row of them is, in this shape and in all the others, are too many ways.
        anchor=rf"[0-9](?:-| ?\(?)(?i:{_SUFFIX})",
        besides=LONG_NUMBER,
    ),
    Detector(
        id="phone-grouped",
        kind="pii.phone",
        pattern=rf"{LEFT_OF_NUMBER}(\(?0[1-9][0-9]{{0,4}}(?:\)|[ /-])[ ]?(?:[0-9]{{2,5}}[ .-]){{1,4}}[0-9]{{2,5}}|0[1-9](?:[ .-][0-9]{{2}}){{4}}){_RIGHT}",
        accept=when(grouped),
        unless=rf"{_GROUP_BEFORE}|{OF_A_THING}",
        besides=LONG_NUMBER,
        group=NUMBERS,
    ),
)
