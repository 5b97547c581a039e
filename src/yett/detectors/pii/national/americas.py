"""The Americas: North America, the Spanish- and Portuguese-speaking countries."""

from __future__ import annotations

from stdnum.ar import cuit
from stdnum.br import cnpj, cpf
from stdnum.ca import bc_phn, bn, sin
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.do import cedula, rnc
from stdnum.ec import ci, ruc
from stdnum.mx import curp, rfc
from stdnum.pe import ruc as pe_ruc
from stdnum.py import ruc as py_ruc
from stdnum.us import ein, itin
from stdnum.uy import rut as uy_rut
from stdnum.ve import rif

from yett.detectors.detector import SPACER
from yett.detectors.pii.checks import is_date, luhn, varied, weighted
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import CODE, SEPARATED, digits

_CURP_DATE = slice(4, 10)
_CI_UY = (2, 9, 8, 7, 6, 3, 4)


def ssn(text: str) -> bool:
    """Rules of the US Social Security Administration: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    area, group, serial = text[:3], text[3:5], text[5:]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000" and len(set(text)) > 1


def _curp(text: str) -> bool:
    """RENAPO; the last two characters tell people of one day apart, and not all who make them up keep the check digit."""
    if curp.is_valid(text):
        return True
    year, month, day = (int(text[_CURP_DATE][place : place + 2]) for place in (0, 2, 4))
    return is_date(year, month, day)


def _rfc(text: str) -> bool:
    """SAT: name, date of birth or foundation, and a key that only the issuer can check."""
    day = text[-9:-3]
    return bool(rfc.is_valid(text)) or is_date(int(day[:2]), int(day[2:4]), int(day[4:]))


def _voter(text: str) -> bool:
    """INE, clave de elector: consonants of the name, date of birth, state, sex, check digit."""
    return is_date(int(text[6:8]), int(text[8:10]), int(text[10:12]))


def _uruguayan(text: str) -> bool:
    """Dirección Nacional de Identificación Civil: seven digits weighted, modulo 10."""
    number = text.rjust(8, "0")
    return -weighted(number, _CI_UY) % 10 == int(number[7])


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="us-ssn",
        words="ssn|ssn number|social|social security|social security number|social security no|social security num|soc sec|soc. sec. no|ss number|ss no|socialsecuritynumber|last four of social|tax id|tin|taxpayer id|seguro social",
        shape=rf"[0-8][0-9]{{2}}{SEPARATED}[0-9]{{2}}{SEPARATED}[0-9]{{4}}",
        valid=ssn,
        alone=r"[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}",
    ),
    Identifier(
        id="us-itin",
        words="itin|individual taxpayer identification number|taxpayer identification number|taxpayer id|tax id|tin|atin|itin number",
        shape=rf"9[0-9]{{2}}{SPACER}?[5-9][0-9]{SPACER}?[0-9]{{4}}",
        valid=itin.is_valid,
        alone=r"9[0-9]{2}-[5-9][0-9]-[0-9]{4}",
    ),
    Identifier(
        id="us-ein",
        words="ein|fein|employer identification number|employer id|federal tax id|employer identification|federal employer identification number|tax id|tin",
        shape=r"[0-9]{2}-?[0-9]{7}",
        valid=ein.is_valid,
    ),
    Identifier(
        id="us-mbi",
        words="mbi|medicare beneficiary identifier|medicare number|medicare id|medicare|medicare beneficiary number",
        shape=r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y]{2}[0-9]{2}",
        besides=CODE,
        valid=varied,
    ),
    Identifier(
        id="ca-sin",
        words="sin|s.i.n.|social insurance|social insurance number|social insurance no|nas|numéro d'assurance sociale|assurance sociale|sin number",
        shape=digits(9),
        valid=sin.is_valid,
    ),
    Identifier(
        id="ca-bn",
        words="business number|gst number|hst number",
        shape=rf"{digits(9)}(?:[ ]?RT[ ]?[0-9]{{4}})?",
        valid=lambda text: bn.is_valid(text) or luhn(text[:9]),
    ),
    Identifier(
        id="ca-phn",
        words="phn|personal health number|health card|health card number|ohip|ohip number|health number|carte santé|ramq|provincial health number",
        shape=rf"{digits(9, 10)}(?:[ -]?[A-Z]{{2}})?|[A-Z]{{4}}[ ]?[0-9]{{4}}[ ]?[0-9]{{4}}",
        checked=False,
        valid=lambda text: luhn(text) or bc_phn.is_valid(text) or len(text) in {9, 12},
    ),
    Identifier(
        id="mx-curp",
        words="curp|clave única de registro de población|clave unica",
        shape=r"[A-Za-z]{4}[0-9]{6}[HMXhmx][A-Za-z]{5}[0-9A-Za-z][0-9]",
        valid=_curp,
        alone=r"[A-Z][AEIOUX][A-Z]{2}[0-9]{2}[01][0-9][0-3][0-9][HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z][0-9]",
    ),
    Identifier(
        id="mx-rfc",
        words="rfc|r.f.c.|registro federal de contribuyentes|rfc number",
        shape=r"[A-Z]{3,4}[ -]?[0-9]{6}[ -]?[0-9A-Z]{3}|[A-Z&a-z]{3,4}-?[0-9]{6}-?[0-9A-Za-z]{3}",
        checked=False,
        valid=_rfc,
        alone=r"[A-Z][AEIOUX][A-Z]{2}[0-9]{2}[01][0-9][0-3][0-9][0-9A-Z]{2}[0-9A]",
    ),
    Identifier(
        id="mx-nss",
        words="nss|imss|número de seguridad social|numero de seguridad social|seguro social|seguridad social",
        shape=digits(11),
        valid=luhn,
    ),
    Identifier(
        id="mx-clave-elector",
        words="clave de elector|credencial para votar|elector code|voter id|ine",
        shape=r"[A-Z]{6}[0-9]{8}[HM][0-9]{3}",
        valid=_voter,
        alone=r"[B-DF-HJ-NP-TV-Z]{6}[0-9]{2}[01][0-9][0-3][0-9][0-9]{2}[HM][0-9]{3}",
    ),
    Identifier(
        id="br-cpf",
        words="cpf|cpf nº|cpf do titular|cadastro de pessoas físicas|cadastro de pessoa física|cpf number|número do cpf",
        shape=digits(11),
        valid=cpf.is_valid,
        alone=r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
    ),
    Identifier(
        id="br-cnpj",
        words="cnpj|cadastro nacional da pessoa jurídica|cnpj number",
        shape=digits(14),
        valid=cnpj.is_valid,
        alone=r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}",
    ),
    Identifier(
        id="br-rg",
        words="rg|registro geral|carteira de identidade|identidade|cédula de identidade",
        shape=r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}-?[0-9Xx]",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="ar-cuit",
        words="cuit|cuil|c.u.i.t.|c.u.i.l.|clave única de identificación tributaria",
        shape=digits(11),
        valid=cuit.is_valid,
        alone=r"(?:2[0347]|3[034])-[0-9]{8}-[0-9]",
    ),
    Identifier(
        id="ar-dni",
        words="dni|d.n.i.|documento nacional de identidad|documento",
        shape=r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="cl-rut",
        words="rut|r.u.t.|rol único tributario|rol unico tributario|rol único nacional|cédula de identidad",
        shape=r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}-?[0-9Kk]",
        valid=rut.is_valid,
        alone=r"[0-9]{1,2}(?:\.[0-9]{3}\.[0-9]{3}|[0-9]{6})-[0-9Kk]",
    ),
    Identifier(
        id="co-nit",
        words="nit|n.i.t.|rut",
        shape=r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]",
        valid=nit.is_valid,
    ),
    Identifier(
        id="co-cedula",
        words="cédula|cedula|cédula de ciudadanía|cedula de ciudadania|cédula de extranjería|c.c.|nuip|tarjeta de identidad|número de cédula|cédula no",
        shape=r"[0-9]{1,3}(?:\.?[0-9]{3}){2,3}|[0-9]{6,11}",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="pe-dni",
        words="dni|documento nacional de identidad",
        shape=r"[0-9]{8}(?:-[0-9A-K])?",
        checked=False,
        valid=varied,
    ),
    Identifier(id="pe-ruc", words="ruc", shape=r"[12][0-9]{10}", valid=pe_ruc.is_valid),
    Identifier(
        id="ec-cedula",
        words="cédula|cedula|cédula de identidad|ci|c.i.",
        shape=r"[0-9]{9}-?[0-9]",
        valid=ci.is_valid,
    ),
    Identifier(id="ec-ruc", words="ruc", shape=r"[0-9]{13}", valid=ruc.is_valid),
    Identifier(
        id="uy-ci",
        words="cédula|cedula|cédula de identidad|ci|c.i.",
        shape=r"[0-9]\.?[0-9]{3}\.?[0-9]{3}-?[0-9]",
        valid=_uruguayan,
        alone=r"[0-9]\.[0-9]{3}\.[0-9]{3}-[0-9]",
    ),
    Identifier(id="uy-rut", words="rut", shape=r"[0-9]{12}", valid=uy_rut.is_valid),
    Identifier(
        id="ve-rif",
        words="rif|registro de información fiscal",
        shape=r"[VEJPGvejpg]-?[0-9]{8,9}-?[0-9]?",
        valid=rif.is_valid,
        alone=r"[VEJPG]-[0-9]{8}-[0-9]",
    ),
    Identifier(
        id="ve-cedula",
        words="cédula|cedula|cédula de identidad|ci",
        shape=r"[VE]-?[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}",
        checked=False,
        valid=varied,
    ),
    Identifier(
        id="do-cedula",
        words="cédula|cedula",
        shape=r"[0-9]{3}-?[0-9]{7}-?[0-9]",
        valid=cedula.is_valid,
        alone=r"[0-9]{3}-[0-9]{7}-[0-9]",
    ),
    Identifier(id="do-rnc", words="rnc", shape=r"[0-9]-?[0-9]{2}-?[0-9]{5}-?[0-9]", valid=rnc.is_valid),
    Identifier(id="py-ruc", words="ruc", shape=r"[0-9]{5,8}-?[0-9]", valid=py_ruc.is_valid),
)
