"""Central and Eastern Europe, from Poland to the Balkans and the states east of them."""

from __future__ import annotations

from stdnum.al import nipt
from stdnum.bg import egn, pnf
from stdnum.cz import dic, rc
from stdnum.hr import oib
from stdnum.hu import anum
from stdnum.md import idno
from stdnum.pl import nip, pesel, regon
from stdnum.ro import cf, cnp
from stdnum.rs import pib
from stdnum.ru import inn
from stdnum.si import ddv, emso
from stdnum.ua import rntrc

from yett.detectors.pii.checks import any_of, is_date, varied, weighted
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import SEPARATED, digits

_TAJ = (3, 7) * 4


def _taj(text: str) -> bool:
    """1996. évi XX. törvény, 2. melléklet: eight digits weighted 3 and 7, modulo 10."""
    return weighted(text[:8], _TAJ) % 10 == int(text[8])


def _adoazonosito(text: str) -> bool:
    """1996. évi XX. törvény, 1. melléklet: 8, the days since 1867, a serial number, a check digit by place."""
    return text[0] == "8" and weighted(text[:9], range(1, 10)) % 11 % 10 == int(text[9])


def _szemelyi(text: str) -> bool:
    """1996. évi XX. törvény, 2. melléklet: sex, date of birth, serial number, a sum weighted by place, modulo 11."""
    if not is_date(int(text[1:3]), int(text[3:5]), int(text[5:7])):
        return False
    check = int(text[10])
    return check in {weighted(text[:10], range(1, 11)) % 11, weighted(text[:10], range(10, 0, -1)) % 11}


def _snils(text: str) -> bool:
    """Пенсионный фонд: nine digits weighted 9 to 1, modulo 101, 100 written as 00."""
    return weighted(text[:9], range(9, 0, -1)) % 101 % 100 == int(text[9:])


def _iin(text: str) -> bool:
    """Қазақстан, ИИН: date of birth, century, serial number; weights 1 to 11, then 3 to 11 with 1 and 2, modulo 11."""
    first = weighted(text[:11], range(1, 12)) % 11
    check = first if first < 10 else weighted(text[:11], (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)) % 11
    return check == int(text[11])


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="pl-pesel",
        words="pesel|numer pesel|nr pesel|pesel number|numerem pesel|numeru pesel",
        shape=digits(11),
        valid=pesel.is_valid,
    ),
    Identifier(
        id="pl-nip",
        words="nip|numer nip|nr nip",
        shape=rf"(?:PL[ ]?)?{digits(10)}",
        valid=nip.is_valid,
        alone=r"[0-9]{3}-[0-9]{3}-[0-9]{2}-[0-9]{2}",
    ),
    Identifier(id="pl-regon", words="regon|numer regon|nr regon", shape=digits(9, 14), valid=regon.is_valid),
    Identifier(
        id="cz-rodne-cislo",
        words="rodné číslo|rodne cislo|rodného čísla|rodným číslem|rč|r.č.|czech birth number|birth number|slovak birth number",
        shape=r"[0-9]{6}[ /]?[0-9]{3,4}",
        valid=rc.is_valid,
        alone=r"[0-9]{2}[0-8][0-9]{3}/[0-9]{4}",
    ),
    Identifier(id="cz-dic", words="dič|dic|ičo|ico", shape=r"(?:CZ)?[0-9]{8,10}", valid=dic.is_valid),
    Identifier(
        id="hu-taj",
        words="taj|taj szám|taj száma|tajszám|társadalombiztosítási azonosító",
        shape=digits(9),
        valid=_taj,
    ),
    Identifier(
        id="hu-adoazonosito",
        words="adóazonosító|adóazonosító jel|adóazonosítója|adószám",
        shape=rf"8{SEPARATED}{digits(9)}",
        valid=_adoazonosito,
    ),
    Identifier(
        id="hu-szemelyi",
        words="személyi szám|személyi azonosító|személyi azonosítója|szemelyi szam",
        shape=r"[1-8][ -]?[0-9]{2}[01][0-9][0-3][0-9][ -]?[0-9]{4}",
        valid=_szemelyi,
    ),
    Identifier(
        id="hu-adoszam",
        words="adószám|adoszam",
        shape=r"[0-9]{8}(?:-?[1-5]-?[0-9]{2})?",
        valid=lambda text: anum.is_valid(text[:8]),
    ),
    Identifier(
        id="ro-cnp",
        words="cnp|cod numeric personal|codul numeric personal|personal numeric code",
        shape=r"[1-9][0-9]{2}[01][0-9][0-3][0-9]{7}",
        valid=cnp.is_valid,
    ),
    Identifier(
        id="ro-cui", words="cui|cif|cod unic de înregistrare|cod fiscal", shape=r"(?:RO)?[0-9]{6,10}", valid=cf.is_valid
    ),
    Identifier(
        id="bg-egn",
        words="егн|егн-то|единен граждански номер|egn|лнч|uniform civil number",
        shape=r"[0-9]{10}",
        valid=any_of(egn.is_valid, pnf.is_valid),
    ),
    Identifier(
        id="si-emso",
        words="emšo|emso|jmbg|јмбг|матичен број|матични број|matični broj|jedinstveni matični broj|unique master citizen number|embg|ембг",
        shape=r"[0-3][0-9][01][0-9][09][0-9]{8}",
        valid=emso.is_valid,
    ),
    Identifier(
        id="si-davcna",
        words="davčna številka|davcna stevilka|davčna|id za ddv",
        shape=r"(?:SI)?[0-9]{8}",
        valid=ddv.is_valid,
    ),
    Identifier(
        id="hr-oib",
        words="oib|osobni identifikacijski broj|oib-om",
        shape=r"(?:HR)?[0-9]{11}",
        valid=oib.is_valid,
    ),
    Identifier(id="rs-pib", words="pib|пиб|порески број", shape=r"[0-9]{9}", valid=pib.is_valid),
    Identifier(
        id="al-nid",
        words="nid|nipt|numri personal",
        shape=r"[A-TJKL][0-9]{8}[A-W]",
        checked=False,
        valid=lambda text: nipt.is_valid(text) or is_date(int(text[1:3]), int(text[3:5]) % 50, int(text[5:7])),
    ),
    Identifier(id="md-idnp", words="idnp|idno|cod personal", shape=r"[0-9]{13}", valid=idno.is_valid),
    Identifier(
        id="ru-inn",
        words="инн|инн физлица|идентификационный номер налогоплательщика|inn|taxpayer number",
        shape=r"[0-9]{12}|[0-9]{10}",
        valid=inn.is_valid,
    ),
    Identifier(
        id="ru-snils",
        words="снилс|страховое свидетельство|номер страхового свидетельства|snils",
        shape=digits(11),
        valid=_snils,
        alone=r"[0-9]{3}-[0-9]{3}-[0-9]{3}[ -][0-9]{2}",
    ),
    Identifier(
        id="ru-passport",
        words="паспорт|паспорта|паспорт рф|серия и номер|серия|номер паспорта|паспортные данные|russian passport|russian internal passport",
        shape=r"[0-9]{2}[ ]?[0-9]{2}[ ]?[0-9]{6}",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="ua-rnokpp",
        words="рнокпп|іпн|ідентифікаційний номер|реєстраційний номер облікової картки|індивідуальний податковий номер|rnokpp|ipn|инн",
        shape=r"[0-9]{10}",
        valid=rntrc.is_valid,
    ),
    Identifier(
        id="kz-iin",
        words="иин|жсн|индивидуальный идентификационный номер|iin",
        shape=r"[0-9]{2}[01][0-9][0-3][0-9]{7}",
        valid=_iin,
    ),
)
