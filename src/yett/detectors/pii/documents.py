"""Documents: passports, driving licences, identity cards, and what is registered to a person: vehicles, plates."""

from __future__ import annotations

from yett.detectors.detector import Detector, when
from yett.detectors.pii.checks import compact, only_digits, varied
from yett.detectors.pii.words import CODE, NEAR, OF_A_THING, named

# ISO 3779 with the check digit of 49 CFR 565: letters count as digits, I, O and Q do not occur.
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9, *range(10)), strict=True))  # fmt: skip


def numbered(text: str) -> bool:
    """A code with several different digits: not a word, not 000000."""
    digits = only_digits(text)
    return len(digits) >= 4 and varied(digits) and 6 <= len(compact(text)) <= 20


def vin(text: str) -> bool:
    """North American vehicles only have the check digit, so one is believed without it when a word says what it is."""
    letters = text.upper()
    return varied(letters) and all(character in _VIN_VALUES for character in letters)


_PASSPORT = (
    "passport|passport number|passport no|passport num|passport nr|passport id|us passport|uk passport|travel document|reisepass|reisepassnummer|pass nr|passnummer|passeport"
    "|numéro de passeport|no de passeport|pasaporte|número de pasaporte|passaporte|número do passaporte|passaporto|numero di passaporto|paspoort"
    "|paspoortnummer|paszport|numer paszportu|cestovní pas|číslo pasu|číslo cestovného pasu|útlevél|útlevélszám|pașaport|pasaport|pasaport numarası|pasaport no"
    "|passi|passinumero|pasinumero|passnumret|vegabréf|pases|paso numeris|putovnica|pasoš|паспорт|загранпаспорт|паспорта|закордонний паспорт|διαβατήριο|αριθμός διαβατηρίου|パスポート|パスポート番号|旅券番号"
    "|护照|护照号|护照号码|護照|護照號碼|여권|여권번호|جواز السفر|رقم جواز السفر|דרכון|מספר דרכון|पासपोर्ट|हochiếu|hộ chiếu|số hộ chiếu|หนังสือเดินทาง|paspor|nomor paspor|pasport"
).replace("|हochiếu", "")
_LICENCE = (
    "driver license|driver's license|drivers license|driver licence|driver's licence|drivers licence|driving licence|driving license|driver license number|driver's license number"
    "|drivers license number|driving licence number|driving license number|driver licence number|license number|licence number|licence no|license no|carnet de conducir|dl|dl number|dl no|dln|führerschein|führerscheinnummer|permis de conduire"
    "|numéro de permis|permis|carné de conducir|permiso de conducir|licencia de conducir|licencia de conducción|carta de condução|cnh|habilitação|patente|patente di guida|rijbewijs|rijbewijsnummer"
    "|prawo jazdy|prawa jazdy|řidičský průkaz|číslo řidičského průkazu|vodičský preukaz|jogosítvány|vezetői engedély|permis auto|sürücü belgesi|ehliyet|ehliyet no|ajokortti|körkort|førerkort|kørekort|водительское удостоверение|права|посвідчення водія|δίπλωμα οδήγησης|άδεια οδήγησης"
    "|運転免許証|運転免許|免許証番号|驾驶证|驾照|駕照|운전면허|운전면허번호|면허번호|رخصة القيادة|רישיון נהיגה|surat izin mengemudi|giấy phép lái xe"
)
_IDENTITY_CARD = (
    "personalausweis|personalausweisnummer|ausweisnummer|ausweis nr|ausweis|carte d'identité|carte nationale d'identité|cni|numéro de carte d'identité|carta d'identità|carta di identità"
    "|numero carta d'identità|dowód osobisty|dowodu osobistego|seria i numer dowodu|numer dowodu|občanský průkaz|občanského průkazu|číslo op|občiansky preukaz|személyi igazolvány|személyigazolvány|carte de identitate"
    "|seria|buletin|лична карта|osobna iskaznica|lična karta|osebna izkaznica|αριθμός ταυτότητας|ταυτότητα|α.δ.τ.|kimlik kartı|seri no|identiteitskaart|id kaart|identity document|residence permit|residence permit number|residence card"
    "|aufenthaltstitel|titre de séjour|permesso di soggiorno|green card|green card number|alien registration number|a number|uscis number|visa number|在留カード|居留证|外国人登録"
)
_PLATE = (
    "license plate|licence plate|license plate number|licence plate number|number plate|plate number|plate no|plate|plates|registration plate|vehicle registration|vehicle registration number|car registration|reg plate|registration number"
    "|vrn|kennzeichen|autokennzeichen|kfz kennzeichen|nummernschild|plaque d'immatriculation|immatriculation|matrícula|matricula|placa|placas|targa|kenteken|kentekenplaat|tablica rejestracyjna|numer rejestracyjny"
    "|spz|rz|ečv|rendszám|număr de înmatriculare|plaka|rekisterinumero|rekisteritunnus|registreringsnummer|regnr|reg no|numer rej|nr rej|госномер|gosnomer|номерной знак|πινακίδα|ナンバープレート|车牌|车牌号|번호판"
)

DOCUMENTS: tuple[Detector, ...] = (
    named(
        "passport",
        "pii.passport",
        _PASSPORT,
        r"[0-9]{2} [0-9]{7}|[0-9]{4} ?[0-9]{6}|(?:[A-Z]{1,3}[ -]?)?[0-9]{4,9}[A-Z]?|[a-z]{1,3}[0-9]{4,9}[a-z]?|[0-9]{2}[A-Z]{2}[0-9]{5}|[0-9]{2} [0-9]{2} [0-9]{6}|[A-Z0-9]{8,9}",
        when(numbered),
        gap=NEAR,
        unless=OF_A_THING,
        besides=CODE,
    ),
    named(
        "driving-licence",
        "pii.driving-licence",
        _LICENCE,
        r"[0-9]{5}/[0-9]{2}/[0-9]{4}|[A-Za-z]{0,5}[0-9][A-Za-z0-9-]{4,18}|(?:[A-Z]{1,5}[ -]?)?[0-9]{2,9}(?:[ -]?[0-9]{2,9}){0,4}(?:[ -][A-Z0-9]{1,5})?",
        when(numbered),
        gap=NEAR,
        unless=OF_A_THING,
        besides=CODE,
    ),
    named(
        "identity-card",
        "pii.identity-card",
        _IDENTITY_CARD,
        r"[A-Z0-9]{6,14}|[A-Z]{1,3}[ -]?[0-9]{4,9}(?:[ -][A-Z0-9]{1,4}){0,2}|[0-9]{5,9}(?:[ -][A-Z0-9]{1,3}){0,2}",
        when(numbered),
        gap=NEAR,
        unless=OF_A_THING,
        besides=CODE,
    ),
    named(
        "vin-named",
        "pii.vin",
        "vin|vin number|vin no|vehicle identification number|chassis|chassis number|fahrgestellnummer|fin|numéro de châssis|número de bastidor|chassi|telaio|numero di telaio|chassisnummer|numer vin|şasi no|rämnummer|车架号",
        r"[A-HJ-NPR-Z0-9]{17}",
        when(vin),
        besides=CODE,
    ),
    named(
        "licence-plate",
        "pii.licence-plate",
        _PLATE,
        r"[A-Z]{1,3}[ -]?(?:[A-Z]{1,2}[ -]?)?[0-9]{1,4}[ -]?[A-Z]{0,3}|[0-9]{1,4}[ -]?[A-Z]{1,3}[ -]?[0-9]{0,4}|[A-Z]{2,3}[ -]?[0-9]{5}|[A-Z]{3}[0-9][A-Z][0-9]{2}|(?:\xd0[\x90-\xaf])[0-9]{3}(?:\xd0[\x90-\xaf]){2}[0-9]{2,3}",
        when(lambda text: 5 <= len(compact(text)) <= 9 and bool(only_digits(text))),
        gap=NEAR,
        besides=CODE,
    ),
)
