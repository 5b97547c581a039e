"""Africa and Oceania."""

from __future__ import annotations

from stdnum.au import abn, acn, tfn
from stdnum.ke import pin
from stdnum.mz import nuit
from stdnum.nz import ird
from stdnum.za import idnr, tin

from yett.detectors.pii.checks import is_date, varied, weighted
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import SHORT_NUMBER, digits

_MEDICARE_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9)


def _medicare(text: str) -> bool:
    """Services Australia: eight digits weighted, modulo 10, an issue number, and the place on the card."""
    return weighted(text[:8], _MEDICARE_WEIGHTS) % 10 == int(text[8])


def _egyptian(text: str) -> bool:
    """Civil Status Organization: century, date of birth, governorate, serial number."""
    return is_date(int(text[1:3]), int(text[3:5]), int(text[5:7]))


def _nhi(text: str) -> bool:
    """HISO 10046: three letters of 24, digits, a check character of two formats."""
    return not {"I", "O"}.intersection(text[:3])


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="au-tfn",
        words="tfn|tax file number|tax file no|tfn number",
        shape=digits(8, 9),
        valid=tfn.is_valid,
    ),
    Identifier(
        id="au-medicare",
        words="medicare|medicare card|medicare number|medicare no|medicare card number",
        shape=r"[2-6](?:[ -]?[0-9]){9,10}",
        valid=_medicare,
    ),
    Identifier(
        id="au-abn", words="business number|company number|abn|abn number", shape=digits(11), valid=abn.is_valid
    ),
    Identifier(id="au-acn", words="acn|acn number", shape=digits(9), valid=acn.is_valid),
    Identifier(
        id="nz-ird",
        words="ird|ird number|ird no|inland revenue",
        shape=digits(8, 9),
        valid=ird.is_valid,
    ),
    Identifier(
        id="nz-nhi",
        words="nhi|nhi number|national health index",
        shape=r"[A-Za-z]{3}[0-9]{4}",
        besides=SHORT_NUMBER,
        checked=False,
        valid=_nhi,
    ),
    Identifier(
        id="za-id",
        words="id nommer|identiteitsnommer|id number|identity number|id no",
        shape=digits(13),
        valid=idnr.is_valid,
    ),
    Identifier(
        id="za-tin",
        words="sars|tax reference number|income tax number",
        shape=digits(10),
        valid=tin.is_valid,
    ),
    Identifier(
        id="eg-nid",
        words="الرقم القومي|رقم قومي|national id",
        shape=r"[23][0-9]{2}[01][0-9][0-3][0-9]{8}",
        valid=_egyptian,
    ),
    Identifier(
        id="ng-nin",
        words="nin|national identification number|bvn|bank verification number|nimc",
        shape=r"[0-9]{11}",
        checked=False,
        valid=varied,
    ),
    Identifier(id="ke-pin", words="kra pin|kra", shape=r"[AP][0-9]{9}[A-Z]", valid=pin.is_valid),
    Identifier(
        id="ke-id",
        words="huduma namba|huduma number|maisha namba",
        shape=r"[0-9]{7,9}",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="gh-card",
        words="ghana card|ghana card number",
        shape=r"GHA-?[0-9]{9}-?[0-9]",
        valid=varied,
        alone=r"GHA-[0-9]{9}-[0-9]",
    ),
    Identifier(
        id="ma-cin",
        words="cin|cnie|carte d'identité nationale",
        shape=r"[A-Z]{1,2}[0-9]{5,6}",
        besides=SHORT_NUMBER,
        checked=False,
        valid=varied,
    ),
    Identifier(id="mz-nuit", words="nuit", shape=digits(9), valid=nuit.is_valid),
)
