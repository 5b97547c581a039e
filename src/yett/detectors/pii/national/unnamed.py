"""Unnamed: numbers that a text calls an identity or tax number without saying of which country."""

from __future__ import annotations

import re

from yett.detectors.detector import Detector, when
from yett.detectors.pii.checks import compact, only_digits, varied
from yett.detectors.pii.words import NEAR, OF_A_THING, SHORT_NUMBER, named

# Only a person has one of these.
_CERTAIN = (
    "national id|national id number|national id no|national identity number|national identity card|national identification number|national identification no|national insurance number|national number"
    "|identity card|identity card number|identity number|id card|id card number|id card no|personal id|personal id number|personal identification number|personal identity number|personal number|personal code|citizen id"
    "|citizen number|citizenship number|civil id|civil registration number|government id|government issued id|state id|resident id|residence id|social insurance number|social security id|tax id|tax id number|tax number|tax no"
    "|tax identification number|tax identification no|taxpayer identification number|taxpayer id|taxpayer number|fiscal code|fiscal number|fiscal id|nationalid|nationalidnumber|taxid|taxnumber|birth number|voter id|insurance number"
    "|carte d'identité|numéro d'identité|numéro national|número de identidad|numero de identidad|cédula|documento de identidad|número de documento|documento de identidade|número de identificação|carta d'identità"
    "|documento d'identità|numer dowodu|identiteitsnummer|identificatienummer|identitetsnummer|kimlik numarası|удостоверение личности|номер паспорта|身份证号|身分證|身元|신분증|رقم الهوية|מספר זהות"
)


# The same of a country: "Polish ID 83071682595".
_OF_COUNTRIES = "|".join(
    f"{country} id"
    for country in (
        "american us danish norwegian swedish finnish icelandic estonian lithuanian latvian german austrian swiss dutch belgian luxembourg french irish uk british "
        "spanish portuguese italian greek cypriot maltese polish czech slovak hungarian romanian bulgarian slovenian croatian serbian macedonian bosnian montenegrin "
        "albanian moldovan russian ukrainian kazakh mexican brazilian argentine argentinian chilean colombian peruvian ecuadorian uruguayan venezuelan dominican "
        "canadian indian chinese taiwan taiwanese japanese korean singapore singaporean malaysian thai indonesian vietnamese philippine filipino pakistani bangladeshi "
        "turkish israeli uae saudi iranian african sa egyptian nigerian kenyan ghanaian moroccan australian zealand"
    ).split()
)
_THREE = re.compile("[0-9]{3}")


def _plausible(text: str) -> bool:
    return (
        varied(text)
        and 7 <= len(compact(text)) <= 18
        and len(only_digits(text)) >= 6
        and bool(_THREE.search(compact(text)))
    )


UNNAMED: tuple[Detector, ...] = (
    named(
        "national-id-named",
        "pii.national-id",
        f"{_CERTAIN}|id number|id no|{_OF_COUNTRIES}",
        r"(?:[A-Z]{1,4}[ -]?)?[0-9]{1,9}(?:[./ -]?[0-9]{1,9}){0,6}(?:[ -]?[A-Z]{1,2})?|[A-Za-z0-9+-]{7,20}",
        when(_plausible),
        gap=NEAR,
        unless=OF_A_THING,
        besides=SHORT_NUMBER,
    ),
)
