"""Dates of birth: a date after a word that says so. A date alone is about anything."""

from __future__ import annotations

import re

from yett.detectors.detector import Detector, when
from yett.detectors.pii.checks import is_date
from yett.detectors.pii.words import named

_PARTS = re.compile(r"[0-9]+")
_BORN = (
    "dob|d.o.b.|date of birth|birth date|birthdate|birthday|birth day|born|born on|born in|geboren|geboren am|geburtsdatum|geburtstag|geb|date de naissance|né le|née le|naissance|nacido|nacida"
    "|fecha de nacimiento|nacimiento|data de nascimento|nascido|nascida|nascimento|data di nascita|nato il|nata il|nato|nata|nascita|geboortedatum|geboren op|data urodzenia|urodzony|urodzona|ur"
    "|datum narození|narozen|narozena|dátum narodenia|narodený|narodená|születési dátum|született|születési idő|data nașterii|născut|născută|doğum tarihi|doğum|syntymäaika|syntynyt|födelsedatum|född|fødselsdato|født|fødselsdag"
    "|sünniaeg|dzimšanas datums|gimimo data|datum rođenja|rođen|rođena|datum rojstva|rojen|rojena|дата рождения|родился|родилась|дата народження|народився|народилася|дата на раждане|роден|датум рођења|ημερομηνία γέννησης|γεννήθηκε"
    "|生年月日|誕生日|出生日期|生日|出生|생년월일|생일|تاريخ الميلاد|تاریخ تولد|תאריך לידה|जन्म तिथि|जन्मतिथि|tanggal lahir|lahir|tarikh lahir|ngày sinh|วันเกิด"
)


def birth_date(text: str) -> bool:
    """A day, in the order of any country."""
    first, second, third = (int(part) for part in _PARTS.findall(text)[:3])
    return is_date(first, second, third) or is_date(third, second, first) or is_date(third, first, second)


DATES: tuple[Detector, ...] = (
    named(
        "date-of-birth",
        "pii.date-of-birth",
        _BORN,
        r"(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-](?:(?:19|20)[0-9]{2}|[0-9]{2})|[0-9]{1,2}\. [0-9]{1,2}\. (?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]",
        when(lambda text: birth_date(text if len(_PARTS.findall(text)) > 2 else f"{text[:4]}-{text[4:6]}-{text[6:]}")),
        besides=r"[0-9][./-] ?[0-9]{1,2}[./-] ?[0-9]{2}|[12][0-9]{7}",
    ),
)
