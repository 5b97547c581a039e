"""Medical: record and insurance numbers, and those of the people who treat."""

from __future__ import annotations

from yett.detectors.detector import Detector, when
from yett.detectors.pii.checks import luhn, only_digits
from yett.detectors.pii.documents import numbered
from yett.detectors.pii.words import NEAR, OF_A_THING, SHORT_NUMBER, named

_RECORD = (
    "mrn|medical record|medical record number|medical record no|patient id|patient number|patient no|patient identifier|hospital number|hospital no|chart number|health record|health record number|record number"
    "|patientennummer|patienten nr|dossier médical|dossier patient|patienten id|fallnummer|krankenaktennummer|numéro de patient|ipp|número de historia clínica|historia clínica|nhc|número de paciente|número do paciente|prontuário|número do prontuário|cartella clinica|numero paziente"
    "|patiëntnummer|numer pacjenta|karta pacjenta|číslo pacienta|hasta no|protokol no|номер пациента|медицинская карта|病歴番号|患者番号|病历号|患者编号|환자번호"
)
_INSURANCE = (
    "health insurance|health insurance number|insurance id|insurance number|insurance policy|insurance policy number|policy number|policy no|member id|member number|subscriber id|group number|medicaid|medicaid id|health plan|health plan id|beneficiary number|krankenversichertennummer"
    "|krankenversicherung|versichertennummer|kvnr|krankenkasse|ehic|numéro d'assuré|mutuelle|tarjeta sanitaria|cip|número de afiliado|cartão nacional de saúde|cns|número de utente|utente|tessera sanitaria|zorgverzekering|polisnummer|číslo pojištěnce|biztosítási szám|health card number|health card|numéro de mutuelle|versicherten nr|versichertennr"
)


def _npi(text: str) -> bool:
    """CMS: Luhn with the prefix 80840."""
    return luhn("80840" + text)


def _dea(text: str) -> bool:
    """21 CFR 1301: registrant's letters and seven digits; odd places and twice the even ones add up to the last."""
    digits = [int(digit) for digit in only_digits(text)]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


MEDICAL: tuple[Detector, ...] = (
    named(
        "medical-record",
        "pii.medical-record",
        _RECORD,
        r"(?:[A-Za-z]{1,4}-?)?[0-9]{4,12}(?:[/-][0-9A-Z]{1,6}){0,2}|[0-9]{3}(?:-[0-9]{2,4}){2}",
        when(lambda text: len(only_digits(text)) >= 5),
        gap=NEAR,
        unless=OF_A_THING,
        besides=SHORT_NUMBER,
    ),
    named(
        "health-insurance",
        "pii.health-insurance",
        _INSURANCE,
        r"(?:[A-Za-z]{1,4}-?)?[0-9]{5,20}[A-Z]?(?:-[0-9A-Z]{1,6}){0,2}|[A-Z]{3}[0-9]{3}[A-Z][0-9]{5}|[0-9]{4}-[0-9]{3}-[0-9]{3}-[A-Z]{2}|[A-Z][0-9]{9}|[0-9]{3}(?: [0-9]{4}){3}|[0-9]{3} [0-9]{3} [0-9]{3}",
        when(numbered),
        gap=NEAR,
        unless=OF_A_THING,
        besides=SHORT_NUMBER,
    ),
    named(
        "us-npi",
        "pii.medical-provider",
        "npi|npi number|national provider identifier",
        r"[12][0-9]{9}",
        when(_npi),
        gap=NEAR,
    ),
    named(
        "us-dea",
        "pii.medical-provider",
        "dea|dea number|dea no|dea registration",
        r"[A-HJ-MPR-UX][A-Z9][0-9]{7}",
        when(_dea),
        gap=NEAR,
    ),
)
