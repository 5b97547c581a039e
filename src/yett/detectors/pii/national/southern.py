"""Southern Europe: Iberian, Italian, Maltese and Greek numbers."""

from __future__ import annotations

from stdnum.cy import vat as cyprus
from stdnum.es import cif, dni, nie
from stdnum.gr import amka
from stdnum.gr import vat as afm
from stdnum.it import codicefiscale, iva
from stdnum.pt import cc, nif

from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.words import SEPARATED, SHORT_NUMBER, digits


def _nif(text: str) -> bool:
    return bool(nif.is_valid(text.removeprefix("PT")))


def _iva(text: str) -> bool:
    return bool(iva.is_valid(text.removeprefix("IT")))


def _afm(text: str) -> bool:
    return bool(afm.is_valid(text.removeprefix("EL")))


def _nuss(text: str) -> bool:
    """Tesorería General de la Seguridad Social: province and number, and the remainder of both by 97."""
    number = int(text[2:10])
    whole = int(text[:2]) * 10**7 + number if number < 10**7 else int(text[:10])
    return whole % 97 == int(text[10:])


def _maltese(text: str) -> bool:
    return int(text[:-1]) > 0


IDENTIFIERS: tuple[Identifier, ...] = (
    Identifier(
        id="es-dni",
        words="dni|nif|d.n.i.|documento nacional de identidad|número de identificación fiscal|documento de identidad",
        shape=r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}(?:[ -]?[A-Z]|-?[a-z])",
        valid=dni.is_valid,
        alone=r"[0-9]{8}-?[A-HJ-NP-TV-Z]|[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[A-HJ-NP-TV-Z]",
    ),
    Identifier(
        id="es-nie",
        words="nie|n.i.e.|número de identidad de extranjero|numero de identidad de extranjero|tarjeta de residencia|foreigner id|foreigner identity number|extranjero",
        shape=r"[XYZ][ -]?[0-9]{7}[ -]?[A-Z]|[XYZxyz]-?[0-9]{7}-?[A-Za-z]",
        valid=nie.is_valid,
        alone=r"[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]",
    ),
    Identifier(
        id="es-cif",
        words="cif|nif|c.i.f.|código de identificación fiscal",
        shape=r"[A-HJNP-SU-W][ -]?[0-9]{7}[ -]?[0-9A-J]|[a-hjnp-su-w]-?[0-9]{7}-?[0-9A-Ja-j]",
        valid=cif.is_valid,
    ),
    Identifier(
        id="es-nuss",
        words="nuss|seguridad social|número de la seguridad social|numero de seguridad social|afiliación",
        shape=digits(12),
        valid=_nuss,
    ),
    Identifier(
        id="pt-nif",
        words="nif|contribuinte|número de contribuinte|numero de contribuinte|nipc|número de identificação fiscal",
        shape=rf"(?:PT[ ]?)?{digits(9)}",
        valid=_nif,
    ),
    Identifier(
        id="pt-cc",
        words="cartão de cidadão|cartao de cidadao|número de cidadão|bilhete de identidade|citizen card|cc",
        shape=r"[0-9]{8}[ -]?[0-9][ ]?[A-Z]{2}[0-9]",
        valid=cc.is_valid,
        alone=r"[0-9]{8} [0-9] ?[A-Z]{2}[0-9]",
    ),
    Identifier(
        id="it-codice-fiscale",
        words="codice fiscale|cod fisc|cf|c.f.|fiscal code|italian tax code|italian tax id",
        shape=r"[A-Z]{3} [A-Z]{3} [0-9]{2}[A-EHLMPRST][0-9]{2} [A-Z][0-9]{3}[A-Z]|[A-Za-z]{6}[0-9LMNP-Vlmnp-v]{2}[A-EHLMPRSTa-ehlmprst][0-9LMNP-Vlmnp-v]{2}[A-Za-z][0-9LMNP-Vlmnp-v]{3}[A-Za-z]",
        besides=SHORT_NUMBER,
        valid=codicefiscale.is_valid,
        alone=r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
    ),
    Identifier(
        id="it-partita-iva",
        words="partita iva|p iva|p. iva|p.iva|piva|codice fiscale",
        shape=rf"(?:IT[ ]?)?{digits(11)}",
        valid=_iva,
    ),
    Identifier(
        id="gr-amka",
        words="amka|αμκα|α.μ.κ.α.|αριθμός μητρώου κοινωνικής ασφάλισης",
        shape=rf"[0-3]{SEPARATED}{digits(10)}",
        valid=amka.is_valid,
    ),
    Identifier(
        id="gr-afm",
        words="afm|αφμ|α.φ.μ.|αριθμός φορολογικού μητρώου",
        shape=rf"(?:EL[ ]?)?{digits(9)}",
        valid=_afm,
    ),
    Identifier(
        id="cy-tic",
        words="tic",
        shape=r"(?:CY)?[0-9]{8}[A-Za-z]",
        valid=cyprus.is_valid,
    ),
    Identifier(
        id="mt-id",
        words="karta tal-identità|karta tal identita",
        shape=r"[0-9]{3,7}[ ]?[APMGLHBZ]",
        besides=SHORT_NUMBER,
        checked=False,
        valid=_maltese,
    ),
)
