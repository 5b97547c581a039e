"""Dates of birth: a date after a word that says so. A date alone is about anything."""

from __future__ import annotations

import re

from yett.detectors.detector import Detector, when
from yett.detectors.pii.checks import is_date
from yett.detectors.pii.words import named, spelled

# Months as people write them, in the languages of `_BORN` that put them in words; three letters say the rest.
_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
    "|januar|jänner|februar|märz|mai|juni|juli|oktober|dezember|mär|okt|dez"
    "|janvier|février|fevrier|mars|avril|juin|juillet|août|aout|septembre|octobre|novembre|décembre|decembre|janv|févr|avr|juil|déc"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre|ene|abr|ago|dic"
    "|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro|fev|out|set"
    "|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|gen|mag|giu|lug|ott"
    "|januari|februari|maart|mei|augustus|mrt"
    "|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
    "|ledna|února|března|dubna|května|června|července|srpna|září|října|prosince|januára|februára|apríla|mája|júna|júla|augusta|septembra|októbra|novembra|decembra"
    "|január|február|március|április|május|június|július|augusztus|szeptember|október"
    "|ianuarie|februarie|martie|aprilie|iunie|iulie|septembrie|octombrie|noiembrie|decembrie"
    "|ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık"
    "|tammikuuta|helmikuuta|maaliskuuta|huhtikuuta|toukokuuta|kesäkuuta|heinäkuuta|elokuuta|syyskuuta|lokakuuta|marraskuuta|joulukuuta"
    "|augusti|marts|maj|desember"
    "|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
    "|січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня"
    "|януари|февруари|март|април|май|юни|юли|август|септември|октомври|ноември|декември"
    "|ιανουαρίου|φεβρουαρίου|μαρτίου|απριλίου|μαΐου|μαίου|ιουνίου|ιουλίου|αυγούστου|σεπτεμβρίου|οκτωβρίου|νοεμβρίου|δεκεμβρίου"
)
# An English one may come first: `March 3rd, 1984`.
_FIRST = "(?i:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)[.]?"
_MONTH = rf"(?i:{'|'.join(map(spelled, sorted(set(_MONTHS.split('|')))))})[.,]{{0,2}}"
_DAY = r"(?:[.,]|(?:st|nd|rd|th|er|\xc2\xba),?)"
_OF = r"(?:(?:of|de|del|do) )?"
_YEAR_CJK, _MONTH_CJK = r"\xe5\xb9\xb4|\xeb\x85\x84 ?", r"\xe6\x9c\x88|\xec\x9b\x94 ?"
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


def worded(text: str) -> bool:
    """A day of the month, and a year of two digits or of somebody who may live: whichever comes first."""
    first, *_, last = (int(part) for part in _PARTS.findall(text))
    day, year = (last, first) if first > 31 else (first, last)
    return 1 <= day <= 31 and (year < 100 or 1900 <= year < 2100)


DATES: tuple[Detector, ...] = (
    named(
        "date-of-birth",
        "pii.date-of-birth",
        _BORN,
        r"(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}|(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z?|[0-9]{1,2}[./-][0-9]{1,2}[./-](?:(?:19|20)[0-9]{2}|[0-9]{2})|[0-9]{1,2}\. [0-9]{1,2}\. (?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]",
        when(lambda text: birth_date(text if len(_PARTS.findall(text)) > 2 else f"{text[:4]}-{text[4:6]}-{text[6:]}")),
        besides=r"[0-9][./-] ?[0-9]{1,2}[./-] ?[0-9]{2}|[12][0-9]{7}",
    ),
    named(
        "date-of-birth-worded",
        "pii.date-of-birth",
        _BORN,
        rf"[0-9]{{1,2}}{_DAY}?[ -]{_OF}{_MONTH}[ -]{_OF}(?:[0-9]{{4}}|'[0-9]{{2}})|[0-9]{{1,2}}-{_MONTH}-[0-9]{{2}}"
        rf"|{_FIRST}[ -][0-9]{{1,2}}{_DAY}?[ -][0-9]{{4}}"
        rf"|[0-9]{{4}}\.?[ -]{_MONTH}[ -][0-9]{{1,2}}\.?"
        rf"|[0-9]{{4}}(?:{_YEAR_CJK})[0-9]{{1,2}}(?:{_MONTH_CJK})[0-9]{{1,2}}",
        when(worded),
        # The same with any word in the place of the month.
        besides=rf"[0-9](?:{_DAY}|\.)?[ -]{_OF}[A-Za-z\x80-\xf4]{{3,24}}[.,]{{0,2}}[ -]{_OF}'?[0-9]|{_FIRST}[ -][0-9]|[0-9](?:{_YEAR_CJK})[0-9]",
    ),
)
