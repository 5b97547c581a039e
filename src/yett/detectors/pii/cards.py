"""Cards: the numbers of payment cards."""

from __future__ import annotations

from yett.detectors.detector import SPACER, Detector, when
from yett.detectors.pii.checks import luhn
from yett.detectors.pii.words import LONG_NUMBER, NEAR, NUMBERS, OF_A_THING, SHORT_NUMBER, named

_LEFT = r"[^A-Za-z0-9.+-]"
_RIGHT = r"[^A-Za-z0-9-]"
_FOUR = rf"(?:\.|{SPACER})?[0-9]{{4}}"
# ISO/IEC 7812 issuer ranges of the large schemes, by the lengths they issue.
_CARD = (
    rf"(?:4[0-9]{{3}}|5[1-5][0-9]{{2}}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{{2}}|27[01][0-9]|2720|6011|65[0-9]{{2}}|64[4-9][0-9]"
    rf"|35(?:2[89]|[3-8][0-9])|62[0-9]{{2}}|50[0-9]{{2}}|5[6-8][0-9]{{2}}|6[37][0-9]{{2}}|81[0-9]{{2}}|220[0-4]|60[0-9]{{2}}|9792){_FOUR}{_FOUR}{_FOUR}"
    rf"|3[47][0-9]{{2}}{SPACER}?[0-9]{{6}}{SPACER}?[0-9]{{5}}"
    rf"|3(?:0[0-5]|[689][0-9])[0-9]{SPACER}?[0-9]{{6}}{SPACER}?[0-9]{{4}}"
)
# Lengths that few cards have: 15 of JCB, 19 of Visa and UnionPay. (12 and 13 are those of articles, so they need a word.)
_RARE = r"(?:2131|1800)[0-9]{11}|(?:4[0-9]|62)[0-9]{17}|(?:4[0-9]|62)[0-9]{2}(?:[ -][0-9]{4}){3}[ -][0-9]{3}"
_NAMES = (
    "card|card number|card no|card num|cardnumber|creditcard|credit card|debit card|cc|ccn|cc number|pan|visa|mastercard|master card|maestro"
    "|amex|american express|discover|diners|jcb|unionpay|carte|carte bancaire|carte de crédit|carte bleue|kreditkarte|kreditkartennummer"
    "|karte|kartennummer|tarjeta|tarjeta de crédito|número de tarjeta|cartão|cartão de crédito|cartao|carta di credito|carta|creditcardnummer"
    "|kaart|kaartnummer|karta|numer karty|karty|číslo karty|kort|kortet|kortnummer|kortnummeret|kortnumret|kreditkort|luottokortti|korttini|kortin numero|kártya|kártyám|kártyaszám|kártyaszámom|cardul|cardului"
    "|kartica|kartice|karticu|broj kartice|številka kartice|kart|kartım|kart numarası|kart numaram"
    "|kredi kartı|карта|карты|номер карты|картка|картки|картку|картата|картите|κάρτα|カード|カード番号|クレジットカード|카드|카드번호|信用卡|卡号|银行卡|بطاقة|כרטיס אשראי|कार्ड|कार्ड नंबर|क्रेडिट कार्ड|บัตรเครดิต|หมายเลขบัตร|thẻ tín dụng|số thẻ|kartu kredit|nomor kartu"
)

CARDS: tuple[Detector, ...] = (
    Detector(
        id="card",
        kind="pii.card",
        pattern=rf"{_LEFT}({_CARD}){_RIGHT}",
        accept=when(luhn),
        unless=OF_A_THING,
        besides=LONG_NUMBER,
        group=NUMBERS,
    ),
    named(
        "card-named",
        "pii.card",
        _NAMES,
        rf"[0-9](?:(?:[./]|{SPACER})?[0-9]){{11,18}}|[0-9]{{4}}(?:_[0-9]{{4}}){{3}}",
        when(luhn),
    ),
    Detector(
        id="card-rare",
        kind="pii.card",
        pattern=rf"{_LEFT}({_RARE}){_RIGHT}",
        accept=when(luhn),
        unless=OF_A_THING,
        besides=LONG_NUMBER,
        group=NUMBERS,
    ),
    named(
        "card-code",
        "pii.card-code",
        "cvv|cvv2|cvc|cvc2|cid|csc|card verification|card verification value|security code of the card|prüfziffer",
        r"[0-9]{3,4}",
        gap=NEAR,
        besides=SHORT_NUMBER,
    ),
)
