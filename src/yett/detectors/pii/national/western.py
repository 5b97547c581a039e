"""Western Europe: British and Irish, German-speaking, Dutch, Belgian, Luxembourgish and French numbers."""

from __future__ import annotations

import re

from stdnum.at import tin, vnr
from stdnum.be import nn
from stdnum.ch import ssn as ahv
from stdnum.ch import uid
from stdnum.de import idnr, stnr
from stdnum.fr import nif, nir, siren, siret
from stdnum.gb import nhs, utr
from stdnum.ie import pps
from stdnum.nl import bsn

from yett.detectors.pii.checks import is_date, weighted
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import SEPARATED, digits

# HMRC NIM39110: letters that the prefix does not have. `QQ` is what examples use.
_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN)[A-Z]{2}[0-9]{6}[A-Z]?")
_NINO_TWO = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"


def _nino(text: str) -> bool:
    return _NINO.fullmatch(text) is not None


def _utr(text: str) -> bool:
    return bool(utr.is_valid(text.removesuffix("K")))


def _rvnr(text: str) -> bool:
    """Deutsche Rentenversicherung, VKVV § 4: area, date of birth, initial, serial number, check digit."""
    initial = f"{ord(text[8]) - 64:02}"
    numbers = text[:8] + initial + text[9:11]
    total = sum(sum(divmod(int(d) * w, 10)) for d, w in zip(numbers, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return total % 10 == int(text[11])


def _steuernummer(text: str) -> bool:
    return bool(stnr.is_valid(text)) or len(text) in {10, 11}  # how a state writes its own; no two check alike


def _vnr(text: str) -> bool:
    """Austrian social insurance: check digit in fourth place, date of birth; a month of 13 and more where days ran out."""
    return bool(vnr.is_valid(text)) or is_date(int(text[8:10]), int(text[6:8]), int(text[4:6]))


def _matricule(text: str) -> bool:
    """Luxembourg, règlement grand-ducal du 5 décembre 2011: date of birth, serial number, Luhn, Verhoeff."""
    return is_date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _nir_key(text: str) -> bool:
    """The check digits alone, which nearly every number that is another fails, before all the rest is looked at."""
    number, check = text[:13].replace("2A", "19").replace("2B", "18"), text[13:]
    return number.isdigit() and check.isdigit() and 97 - int(number) % 97 == int(check)


def _nir(text: str) -> bool:
    """INSEE; without its control key it is 13 characters, of which nothing can be checked but the month."""
    return (_nir_key(text) and bool(nir.is_valid(text))) if len(text) == 15 else weighted(text[3:5], (10, 1)) <= 42


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="gb-nhs",
        words="nhs|nhs no|nhs number|nhs num|nhs nr|national health service number|nhs id|health service number|chi number",
        shape=digits(10),
        valid=nhs.is_valid,
    ),
    Identifier(
        id="gb-nino",
        words="nino|national insurance|national insurance number|national insurance no|ni number|ni no|nin|insurance number",
        shape=r"[A-Z]{2}(?:[ -]?[0-9]{2}){3}[ -]?[A-Z]|[A-Za-z]{2}[0-9]{6}[A-Za-z]",
        valid=_nino,
        alone=rf"{_NINO_TWO}(?:[0-9]{{6}}| [0-9]{{2}} [0-9]{{2}} [0-9]{{2}} )[A-D]",
    ),
    Identifier(
        id="gb-utr",
        words="utr|unique taxpayer reference|unique tax reference|taxpayer reference|self assessment number|tax reference",
        shape=rf"{digits(10)}K?",
        valid=_utr,
    ),
    Identifier(
        id="ie-pps",
        words="pps|ppsn|pps number|pps no|ppsn number|personal public service number|personal public service|rsi number",
        shape=r"[0-9]{7}-?[A-Wa-w][A-IWa-iw]?",
        valid=pps.is_valid,
    ),
    Identifier(
        id="de-idnr",
        words="idnr|id nr|steuer id|steuerid|steuer idnr|steuer ident nr|steueridentifikationsnummer|steuer identifikationsnummer|steuerliche id|steuerliche identifikationsnummer|identifikationsnummer|tin|tax id|tax identification number|tax number|steuernummer",
        shape=digits(11),
        valid=idnr.is_valid,
    ),
    Identifier(
        id="de-steuernummer",
        words="steuernummer|steuernr|steuer nr|stnr|st nr|finanzamt",
        shape=rf"[0-9]{{2,5}}/[0-9]{{3,4}}/[0-9]{{4,5}}|{digits(10, 13)}",
        checked=False,
        valid=_steuernummer,
        alone=r"[0-9]{3}/[0-9]{3,4}/[0-9]{4,5}",
    ),
    Identifier(
        id="de-rentenversicherung",
        words="rentenversicherungsnummer|rvnr|rv nummer|rv nr|sozialversicherungsnummer|sv nummer|sv nr|versicherungsnummer|pension insurance number",
        shape=r"[0-9]{2}[ ]?[0-9]{6}[ ]?[A-Z][ ]?[0-9]{3}",
        valid=_rvnr,
        alone=r"[0-9]{2}[0-3][0-9][01][0-9]{3}[A-Z][0-9]{3}",
    ),
    Identifier(
        id="at-vnr",
        words="sozialversicherungsnummer|svnr|sv nummer|sv nr|versicherungsnummer|e card|svn",
        shape=r"[1-9][0-9]{3}[ -]?[0-3][0-9][01][0-9]{3}",
        valid=_vnr,
    ),
    Identifier(
        id="at-abgabenkontonummer",
        words="abgabenkontonummer|steuernummer",
        shape=r"[0-9]{2}-?[0-9]{3}/?[0-9]{4}",
        valid=tin.is_valid,
        alone=r"[0-9]{2}-[0-9]{3}/[0-9]{4}",
    ),
    Identifier(
        id="ch-ahv",
        words="ahv|ahv nr|ahv nummer|avs|no avs|numéro avs|numero avs|oasi|ahvn13|ahvn|sozialversicherungsnummer",
        shape=rf"756{SEPARATED}{digits(10)}",
        valid=ahv.is_valid,
        alone=r"756(?:\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}|[0-9]{10}| [0-9]{4} [0-9]{4} [0-9]{2})",
    ),
    Identifier(
        id="ch-uid",
        words="uid|uid nummer|ide|idi|mwst nr|mwst nummer|unternehmens identifikationsnummer",
        shape=r"CHE-?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}",
        valid=uid.is_valid,
        alone=r"CHE-[0-9]{3}\.[0-9]{3}\.[0-9]{3}",
    ),
    Identifier(
        id="nl-bsn",
        words="bsn|bsn nummer|bsn nr|bsn number|burgerservicenummer|burger service nummer|sofinummer|sofi nummer|sofi|citizen service number|persoonsnummer",
        shape=digits(8, 9),
        valid=bsn.is_valid,
    ),
    Identifier(
        id="be-nn",
        words="rijksregisternummer|rijksregister|insz|niss|numéro national|numero national|registre national|numéro de registre national|nationaal nummer|nationalregisternummer|rrn|nrn|national register number|nn",
        shape=digits(11),
        valid=nn.is_valid,
        alone=r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}",
    ),
    Identifier(
        id="lu-matricule",
        words="matricule|numéro de matricule|matricule nationale|numéro d'identification national",
        shape=r"(?:19|20)[0-9]{2}[ ]?[01][0-9][ ]?[0-3][0-9][ ]?[0-9]{3}[ ]?[0-9]{2}",
        valid=_matricule,
    ),
    Identifier(
        id="fr-nir",
        words="nir|numéro de sécurité sociale|numero de securite sociale|sécurité sociale|securite sociale|n° sécurité sociale|n° ss|numéro de sécu|carte vitale|insee|numéro insee",
        shape=rf"[1-478]{SEPARATED}[0-9]{{2}}{SEPARATED}[0-9]{{2}}{SEPARATED}[0-9][0-9AB](?:{SEPARATED}[0-9]){{6,8}}",
        valid=_nir,
        alone=r"[12][0-9]{2}[0-9]{2}(?:[0-9]{2}|2[AB])[0-9]{8}|[12] [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}",
    ),
    Identifier(
        id="fr-spi",
        words="spi|numéro fiscal|numero fiscal|numéro spi|nif|identifiant fiscal",
        shape=rf"[0-3]{SEPARATED}{digits(12)}",
        valid=nif.is_valid,
    ),
    Identifier(
        id="fr-siret",
        words="siret|no siret|numéro siret|siret number",
        shape=digits(14),
        valid=siret.is_valid,
    ),
    Identifier(
        id="fr-siren",
        words="siren|no siren|numéro siren|rcs|siren number",
        shape=digits(9),
        valid=siren.is_valid,
    ),
)
