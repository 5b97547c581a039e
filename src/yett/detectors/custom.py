"""Custom: a detector that an operator describes: a pattern, words that stand before it, a check of what it matched."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from msgspec import Struct

from yett.detectors import entropy
from yett.detectors.detector import EDGE, Detector, when
from yett.detectors.pattern import literal, read

WITHIN = 48  # characters that may stand between a keyword and the span; with the other caps it stays under LEFT
KEYWORD = 32  # bytes of a keyword
# Checks by check digit, from python-stdnum, each in the module of this name. A fixed list: a name is never a way to load code.
STDNUM = frozenset(
    """
    luhn verhoeff damm iso7064.mod_11_2 iso7064.mod_11_10 iso7064.mod_37_2 iso7064.mod_37_36 iso7064.mod_97_10
    iban bic ean isbn issn imei imsi isin lei gs1_128 cfi figi imo isan ismn isni iso11649 iso6346 vatin meid casrn
    ar.cuit ar.dni at.uid at.vnr au.abn au.acn au.tfn be.nn be.vat bg.egn bg.vat br.cnpj br.cpf ca.bn ca.sin ch.ssn ch.uid
    ch.vat cl.rut cn.ric cn.uscc co.nit cr.cpf cz.dic cz.rc de.idnr de.stnr de.vat dk.cpr dk.cvr ee.ik es.cif es.dni es.nie
    es.nif fi.alv fi.hetu fr.nif fr.nir fr.siren fr.siret gb.nhs gb.upn gb.utr gb.vat gr.amka gr.vat hr.oib hu.anum id.nik
    ie.pps ie.vat il.idnr in_.aadhaar in_.epic in_.gstin in_.pan is_.kennitala it.aic it.codicefiscale it.iva jp.cn jp.in_
    kr.brn kr.rrn lt.asmens lu.tva lv.pvn mx.curp mx.rfc my.nric nl.bsn nl.btw no.fodselsnummer no.mva no.orgnr nz.ird
    pe.cui pe.ruc pk.cnic pl.nip pl.pesel pl.regon pt.cc pt.nif ro.cnp ro.cui rs.pib ru.inn se.orgnr se.personnummer
    se.vat sg.uen si.ddv si.emso sk.dph sk.rc th.pin tr.tckimlik tr.vkn tw.ubn ua.edrpou ua.rntrc us.ein us.itin us.ptin
    us.rtn us.ssn us.tin uy.rut ve.rif vn.mst za.idnr za.tin
    """.split()
)
_OWN: dict[str, Callable[[str], bool]] = {"entropy": entropy.random, "varied": entropy.varied}
VALIDATORS = STDNUM | frozenset(_OWN)


class Custom(Struct, frozen=True):
    """As an operator writes it. `keywords` in any case; `within` is characters; `validator` is one of VALIDATORS, or ""."""

    id: str
    kind: str
    pattern: str
    keywords: tuple[str, ...] = ()
    within: int = 40
    validator: str = ""


def detector(custom: Custom) -> Detector:
    """Raises Unreadable, with why the pattern cannot be used."""
    found = read(custom.pattern)
    context = ""
    if custom.keywords:
        words = "|".join(_in_any_case(word) for word in custom.keywords)
        context = rf"{EDGE}(?i:{words})[^\x00]{{0,{min(custom.within, WITHIN)}}}?"
    accept = _check(custom.validator) if custom.validator else None
    return Detector(
        id=custom.id,
        kind=custom.kind,
        pattern=rf"{context}{EDGE}{found.left.written}({found.span.written}){EDGE}",
        accept=when(accept) if accept else None,
    )


def _check(name: str) -> Callable[[str], bool]:
    if own := _OWN.get(name):
        return own
    module: Any = import_module(f"stdnum.{name}")
    valid: Callable[[str], bool] = module.is_valid
    return valid


def _in_any_case(word: str) -> str:
    """The engine folds the case of ASCII; other letters are written in both."""
    return "".join(literal(c) if c.isascii() else f"(?:{literal(c.lower())}|{literal(c.upper())})" for c in word)
