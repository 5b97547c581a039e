"""Northern Europe: the personal numbers of the Nordic and Baltic countries, most of which begin with a date of birth."""

from __future__ import annotations

from stdnum.dk import cpr, cvr
from stdnum.ee import ik
from stdnum.fi import hetu
from stdnum.is_ import kennitala
from stdnum.lt import asmens
from stdnum.lv import pvn
from stdnum.no import fodselsnummer

from yett.detectors.pii.checks import is_date, luhn
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import digits


def _personnummer(text: str) -> bool:
    """Skatteverket SKV 704; SKV 707: 60 is added to the day of a coordination number."""
    short = text[-10:]
    return luhn(short) and is_date(int(short[:2]), int(short[2:4]), int(short[4:6]) % 60)


def _hetu(text: str) -> bool:
    """A century sign that is no letter (`-` for the 1900s) is gone here; the check character does not depend on it."""
    return bool(hetu.is_valid(text if len(text) == 11 else f"{text[:6]}-{text[6:]}"))


def _cpr(text: str) -> bool:
    """Date of birth and serial number: since 2007 no check digit that always holds."""
    return bool(cpr.is_valid(text)) or is_date(int(text[4:6]), int(text[2:4]), int(text[:2]))


def _fodselsnummer(text: str) -> bool:
    """Skatteetaten: also a D number, to whose day 40 is added."""
    return bool(fodselsnummer.is_valid(text))


def _personas_kods(text: str) -> bool:
    """Pilsonības un migrācijas lietu pārvalde: DDMMYY and five digits, or 32 and nine since 2017."""
    return text.startswith("32") or bool(pvn.is_valid(text)) or is_date(int(text[4:6]), int(text[2:4]), int(text[:2]))


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="se-personnummer",
        words="personnummer|personnumret|personnr|pnr|person nr|samordningsnummer|svenskt id",
        shape=r"(?:[0-9]{2})?[0-9]{6}[ +-]?[0-9]{4}",
        valid=_personnummer,
        alone=r"(?:19|20)?[0-9]{2}[01][0-9][0-9]{2}[+-][0-9]{4}",
    ),
    Identifier(
        id="no-fodselsnummer",
        words="fødselsnummer|fødselsnummeret|fodselsnummer|fnr|fødselsnr|personnummer|d nummer|norwegian birth number|birth number",
        shape=r"[0-7][0-9]{5}[ -]?[0-9]{5}",
        valid=_fodselsnummer,
    ),
    Identifier(
        id="dk-cpr",
        words="cpr|cpr nr|cpr nummer|cpr number|personnummer|civil registration number",
        shape=r"[0-3][0-9][01][0-9]{3}[ -]?[0-9]{4}",
        valid=_cpr,
    ),
    Identifier(
        id="dk-cvr",
        words="cvr|cvr nr|cvr nummer|cvr number|momsnr|momsnummer",
        shape=rf"(?:DK[ ]?)?{digits(8)}",
        valid=cvr.is_valid,
    ),
    Identifier(
        id="fi-hetu",
        words="hetu|henkilötunnus|henkilotunnus|henkilötunnukseni|henkilötunnuksesi|sotu|sosiaaliturvatunnus|personbeteckning|personal identity code",
        shape=r"[0-3][0-9][01][0-9]{3}[A-FU-Ya-fu-y+-][0-9]{3}[0-9A-Ya-y]",
        valid=_hetu,
        alone=r"[0-3][0-9][01][0-9]{3}[A-FU-Y+-][0-9]{3}[0-9A-FHJ-NPR-Y]",
    ),
    Identifier(
        id="is-kennitala",
        words="kennitala|kennitalan|kennitölu|kt",
        shape=r"[0-7][0-9][01][0-9]{3}[ -]?[0-9]{4}",
        valid=kennitala.is_valid,
    ),
    Identifier(
        id="ee-isikukood",
        words="isikukood|isikukoodi|isikukoodiga|ik",
        shape=r"[1-8][0-9]{2}[01][0-9][0-3][0-9]{5}",
        valid=ik.is_valid,
    ),
    Identifier(
        id="lt-asmens-kodas",
        words="asmens kodas|asmens kodo|asmens kodą|ak",
        shape=r"[1-9][0-9]{10}",
        valid=asmens.is_valid,
    ),
    Identifier(
        id="lv-personas-kods",
        words="personas kods|personas kodu|personas koda",
        shape=r"[0-3][0-9]{5}[ -]?[0-9]{5}",
        valid=_personas_kods,
        alone=r"[0-3][0-9][01][0-9]{3}-[012][0-9]{4}",
    ),
)
