"""Postal addresses: by the words for streets, on the side of the name where each language puts them, with a number; by post
codes with a place; and behind words that say that one follows.

These are detectors of their own tier, for whole texts: their spans are longer than what a stream holds back.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from yett.detectors.detector import Detector

_LETTER = r"(?:[A-Za-z'’.-]|[\xc3-\xdf][\x80-\xbf]|\xe1[\xb8-\xbf][\x80-\xbf])".replace("’", r"\xe2\x80\x99")
_CAPITAL = r"(?:[A-Z]|[\xc3-\xc5][\x80-\xbf]|\xc8[\x80-\xbf]|[\xce-\xd1][\x80-\xbf]|\xe1[\xb8-\xbf][\x80-\xbf])"
_WORD = rf"{_CAPITAL}{_LETTER}{{0,24}}"
_ANY = rf"{_LETTER}{{1,25}}"
_HAN = r"(?:\xe3\x80\x85|[\xe4-\xe9][\x80-\xbf]{2})"
_HANGUL = r"(?:[\xea-\xed][\x80-\xbf]{2})"
_KANA = r"\xe3[\x80-\x83][\x80-\xbf]"
_ANYTHING = r"[^\x01]"  # no space is needed beside it
_WIDE = r"[\xd6-\xe0][\x80-\xbf]{1,2}"  # a letter of a script between Hebrew and Thai
_NUMBER = r"[0-9]{1,5}(?:[/-][0-9]{1,5})?[A-Za-z]?(?:/[0-9A-Za-z]{1,4})?"
_EDGE = r"[^A-Za-z0-9\x80-\xff]"
_RIGHT = r"[^A-Za-z0-9]"
_BREAK = r"(?:,? ?\n[ >?]{0,5}|, ?| )"
_CODE = r"(?:[A-Z]{1,2}-?)?(?:[0-9]{5}(?:-[0-9]{3,4})?|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{4} ?[A-Z]{2}|[0-9]{4}(?:-[0-9]{3})?|[0-9]{6,8})"
_UNIT = r"(?:,? ?\n?(?:Apt|Apartment|Suite|Ste|Unit|Floor|Flat|Studio|Bldg|Wohnung|Whg|Appartamento|Piso|Edif|Depto|Bl|Sc|Ap|Et|kat|No|nr|Nr|\xd0\xba\xd0\xb2|\xd0\xba)\.? ?[0-9A-Za-z/-]{1,6})"
# What an address goes on with: units, and up to three parts of which one is a post code.
_TAIL = rf"{_UNIT}{{0,4}}(?:{_BREAK}(?:{_WORD} ?){{0,4}}{_BREAK}?(?:[A-Z]{{2,3}},? )?{_CODE}(?:{_BREAK}{_WORD}(?:[ -]{_WORD}){{0,3}})?)?"

_STREET = "Street|Sq|Square|St|Avenue|Ave|Road|Rd|Drive|Lane|Ln|Boulevard|Blvd|Court|Terrace|Highway|Hwy|Parkway|Pkwy|Crescent|Cres|Alley|Turnpike|Causeway|Expressway|Freeway|Close"
_MAYBE_STREET = (
    "Branch|Bridge|Brook|Brooks|Burg|Burgs|Bypass|Camp|Canyon|Cape|Center|Centers|Circle|Circles|Cliff|Cliffs|Club|Common|Corner|Corners|Course|Courts|Cove|Coves|Creek|Crest|Crossing|Crossroad|Curve|Dale|Dam|Divide|Drives|Dr|Estate|Estates|Extension|Extensions|Fall|Falls|Ferry|Field|Fields|Flat|Flats|Ford|Fords|Forest|Forge|Forges|Fork|Forks|Fort|Garden|Gardens|Gateway|Glen|Glens|Green|Greens|Grove|Groves|Harbor|Harbors|Haven|Heights|Hill|Hills|Hollow|Inlet|Island|Islands|Isle|Junction|Junctions|Key|Keys|Knoll|Knolls|Lake|Lakes|Land|Landing|Light|Lights|Loaf|Lock|Locks|Lodge|Loop|Mall|Manor|Manors|Meadow|Meadows|Mews|Mill|Mills|Mission|Motorway|Mount|Mountain|Mountains|Neck|Orchard|Oval|Overpass|Park|Parks|Parkways|Pass|Passage|Path|Pike|Pine|Pines|Place|Plain|Plains|Plaza|Point|Points|Port|Ports|Prairie|Radial|Ramp|Ranch|Rapid|Rapids|Rest|Ridge|Ridges|River|Roads|Route|Row|Rue|Run|Shoal|Shoals|Shore|Shores|Skyway|Spring|Springs|Spur|Spurs|Square|Squares|Station|Stravenue|Stream|Streets|Summit|Throughway|Trace|Track|Trafficway|Trail|Tunnel|Underpass|Union|Unions|Valley|Valleys|Via|Viaduct|View|Views|Village|Villages|Ville|Vista|Walk|Walks|Wall|Way|Ways|Well|Wells"
    "|Wynd|Strand|Quay|Esplanade|Pathway|Chase|Arcade|Promenade|Parade|Mead|Warren|Reach|Rise|Nook|Fairway|Nagar|Chowk|Marg|Road|Ganj|Circle"
)
_STATES = "A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|P[AWR]|RI|S[CD]|T[NX]|UT|V[TAI]|W[AVIY]|AS|GU|MP|FM|MH|AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT|NSW|VIC|QLD|TAS|ACT"
_BEHIND = (  # German, Dutch, Swedish, Danish, Norwegian, Finnish, the Baltic ones: the end of a word, or a word
    "stra\\xc3\\x9fe|strasse|str\\.|gasse|weg|platz|allee|ring|damm|ufer|steig|chaussee|promenade|graben|stieg|stra(?:at|ss)|laan|plein|gracht|kade|singel|dijk|dreef|steeg|pad|hof|baan|straat|plantsoen|boulevard"
    "|gatan|v\\xc3\\xa4gen|gr\\xc3\\xa4nd|stigen|torget|backen|gata|g\\xc3\\xa5rden|gade|vej|v\\xc3\\xa6nget|all\\xc3\\xa9|str\\xc3\\xa6de|plads|torv|parken|lunden|bakken|toften|haven|ager|lak|vang|gate|gaten|veien|vegen|vei|svingen|stien|tunet|jordet|stranda|roa|tjernet|lia|moen|haugen|l\\xc3\\xb8kka|\\xc3\\xa5sen|sletta|teigen|hagen|enga|kroken|myra|bergan|braut|gata|vegur|\\xc3\\xa6ti"
    "|katu|tie|kuja|polku|kaari|tori|ranta|raitti|rinne|kulma|aukio|bulevardi|t\\xc3\\xa4nav|tn\\.?|mnt|puiestee|iela|gatv\\xc4\\x97|g\\.|bulv\\xc4\\x81ris|prospekts|alle"
)
_SLAVIC_BEHIND = "ulica|cesta|trg|pot|put|ulice|n\\xc3\\xa1m\\xc4\\x9bst\\xc3\\xad|n\\xc3\\xa1mestie|n\\xc3\\xa1m\\.|t\\xc5\\x99\\xc3\\xadda|n\\xc3\\xa1b\\xc5\\x99e\\xc5\\xbe\\xc3\\xad"
_HUNGARIAN = "utca|u\\.|\\xc3\\xbat|\\xc3\\xbatja|t\\xc3\\xa9r|tere|k\\xc3\\xb6r\\xc3\\xbat|krt\\.|sor|k\\xc3\\xb6z|s\\xc3\\xa9t\\xc3\\xa1ny|fasor|rakpart|liget|l\\xc3\\xa9pcs\\xc5\\x91|d\\xc5\\xb1l\\xc5\\x91|park|lak\\xc3\\xb3telep"
_TURKISH = "Sokak|Soka\\xc4\\x9f\\xc4\\xb1|Sok\\.?|Sk\\.|Cadde|Caddesi|Cad\\.?|Cd\\.|Mahallesi|Mah\\.?|Bulvar\\xc4\\xb1|Blv\\.?|k\\xc3\\xbc\\xc3\\xa7\\xc9\\x99si"
_FRENCH = "rue|avenue|av\\.|boulevard|bd\\.?|place|chemin|impasse|all\\xc3\\xa9e|allee|quai|cours|square|passage|route|sentier|faubourg|r\\xc3\\xa9sidence|esplanade|voie|ruelle|lotissement"
_FRENCH_BEFORE = (
    "[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Qq]uai|[Cc]ours|[Aa]ll\\xc3\\xa9e|[Rr]oute|[Ii]mpasse"
)
_ROMANCE = (
    "Via|Viale|Piazza|Piazzale|Corso|Largo|Vicolo|Strada|Contrada|Borgo|Canale|Rotonda|Stretto|Incrocio|Lungarno|Salita"
    "|Calle|C/ ?|C\\.|Cl\\.|Avenida|Avda\\.?|Av\\.?|Paseo|Plaza|Pza\\.?|Pl\\.|Camino|Cuesta|Callej\\xc3\\xb3n|Ronda|Vial|Rambla|Glorieta|Pasaje|Acceso|Alameda|Urbanizaci\\xc3\\xb3n|Pasadizo|R\\xc3\\xbaa|Rue|Retorno|Circuito|Ampliaci\\xc3\\xb3n|Andador|Boulevard|Calzada|Cerrada|Continuaci\\xc3\\xb3n|Corredor|Diagonal|Eje vial|Peatonal|Perif\\xc3\\xa9rico|Privada|Prolongaci\\xc3\\xb3n|Viaducto|Circunvalaci\\xc3\\xb3n|Carretera|Carrera|Cra\\.?|Transversal"
    "|Rua|R\\.|Travessa|Tv\\.|Pra\\xc3\\xa7a|Pr\\xc3\\xa7\\.|Estrada|Rodovia|Beco|Viela|Conjunto|Quinta|Ladeira|Residencial|Condom\\xc3\\xadnio|Parque|Vila|Jardim|Lagoa|Lago|Feira|Col\\xc3\\xb4nia|Campo|N\\xc3\\xbacleo|Fazenda|Esta\\xc3\\xa7\\xc3\\xa3o|Ch\\xc3\\xa1cara|Loteamento|Recanto|Setor|S\\xc3\\xadtio|Trecho|Trevo|Vale|Vereda|Viaduto|Morro|Passarela|P\\xc3\\xa1tio|\\xc3\\x81rea|Aeroporto|Favela|Distrito|Esplanada"
    "|ul\\.|ulica|Ulica|Ul\\.|al\\.|aleja|Aleja|pl\\.|plac|os\\.|Trg|Cesta|Obala|Put|Avenija|Na|N\\xc3\\xa1m\\.|N\\xc3\\xa1m\\xc4\\x9bst\\xc3\\xad"
    "|Str\\.|Bulevardul|Bdul|Bd\\.|Aleea|Intrarea|Calea|Splaiul|\\xc8\\x98oseaua|Drumul|Pia\\xc8\\x9ba|Jl\\.|Jalan|Jln\\.?|Gang|Gg\\.|Am|An der|An den|Auf der|Auf dem|Im|In der|Zur|Zum|Unter den|Platz|Karl-Marx"
)
_DOTTED = "|".join(word.removesuffix("?") for word in _ROMANCE.split("|") if word.endswith((".", ".?", "/ ?")))
_BEFORE = rf"(?:(?:{_ROMANCE}|{_FRENCH_BEFORE}) |(?:{_DOTTED}) ?)"
_RUSSIAN = "ул\\.|улица|пр\\.|пр-т|проспект|просп\\.|бул\\.|бульвар|б-р|пер\\.|переулок|наб\\.|набережная|пл\\.|площадь|ш\\.|шоссе|алл\\.|аллея|вул\\.|вулиця|узвіз|провулок|пров\\.|шосе|площа|набережна|Ул\\.|Улица|Οδός|οδός|Λεωφόρος|Πλατεία|ქ\\."
_EAST_OF_THAT = "רחוב|רח'|שדרות|שד'|משעול|סמטת|דרך|شارع|طريق|خیابان|کوچه|بلوار|بزرگ راه|ถนน|ถ\\.|ซอย|ซ\\.|หมู่|मार्ग|गली|रोड|सड़क|रोड|রোড|সড়ক|বাসা নং|বাড়ী নং"


def _bytes(pattern: str) -> str:
    """Letters beyond ASCII as the bytes of their UTF-8: patterns are matched on bytes."""
    return "".join(c if c.isascii() else "".join(rf"\x{byte:02x}" for byte in c.encode()) for c in pattern)


_CUES = _bytes(
    "(?:home |postal |mailing |billing |shipping |delivery |street |residential |current |new |his |her |my |their |our )?address(?: is| line ?1?)?|ship(?:ped|ping)? to|deliver(?:ed)? to|bill(?:ed)? to|sen[dt] (?:it )?to|lives? at|lived at|living at|resid(?:es?|ing) at|located at|mail(?:ed)? to"
    "|adresse|anschrift|lieferadresse|rechnungsadresse|wohnhaft(?: in)?|wohne in|wohnt in|j'habite(?: au)?|habite(?: au)?|domicilié(?: au)?|adresse postale|dirección|domicilio|vivo en|vive en|indirizzo|abito in|residente in|endereço|morada|moro na|adres|woont (?:op|aan|in)|woonachtig(?: te)?|adresa|bydliště|bydlisko|zamieszkał[ya]|mieszka przy|lakcím|cím|lakik"
    "|adresă|domiciliu|adresi|adressen?|bor på|osoite|asun osoitteessa|aadress|adrese|adresas|naslov|адрес|адреса|проживает по адресу|живу по адресу|διεύθυνση|住所|地址|寄到|주소|العنوان|عنوان|آدرس|כתובת|पता|ঠিকানা|முகவரி|ที่อยู่|alamat|địa chỉ"
)
_NO_PLACE = re.compile(r"[@=_{}\\|#*]|://|0x|\d+\.\d+\.\d+|\.(?:com|org|net|io|py|js)\b|\d{9}")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_NUMBERED = re.compile(r"(?<![\w.])\d{1,6}(?![\w.]*\d{4})")
_CAPITALISED = re.compile(r"[A-ZÀ-ÞΑ-ΩА-Я]\w|[^\x00-\u05ff]")


def after_cue(text: str) -> int:
    """What a text calls an address: a number, and a name written like one; no address of a machine."""
    text = re.split(
        r"[;<>\"“”]| - | (?:by|when|and we|and I|because|before|after|if|so|but|until|bis|avant|antes) ", text
    )[0]
    text = text.rstrip(" .,")
    if _NO_PLACE.search(text) or not _NUMBERED.search(text) or not _LETTERS.search(text):
        return 0
    return len(text) if _CAPITALISED.search(text) else 0


def _address(
    id: str,
    pattern: str,
    *,
    tail: str = _TAIL,
    right: str = _RIGHT,
    left: str = _EDGE,
    unless: str = "",
    accept: Callable[[str], int] | None = None,
    anchor: str = "",
) -> Detector:
    return Detector(
        id=f"address-{id}",
        kind="pii.address",
        pattern=_bytes(rf"{left}({pattern}){right}"),
        accept=accept,
        tail=tail,
        unless=unless,
        anchor=_bytes(anchor),
    )


_MORE_WORDS = rf"(?:(?:{_WORD}|(?i:de|del|della|delle|dei|di|da|do|dos|das|du|des|la|le|les|los|las|el|van|von|den|der|dem|de la|e|y|i|and|of|sur)|d'{_WORD}|l'{_WORD}|[0-9]{{1,2}}(?:\.|de)?) )"

ADDRESSES: tuple[Detector, ...] = (
    _address(
        "street",
        rf"{_NUMBER} (?:[0-9]{{1,5}} )?(?:(?:{_WORD}|[0-9]{{1,3}}(?:st|nd|rd|th)) ){{1,4}}(?:{_STREET})",
        anchor=rf" (?:{_STREET})[^A-Za-z]",
    ),
    _address(
        "street-lower",
        r"[0-9]{1,5} (?:[a-z]{2,15} ){1,3}(?:street|avenue|road|boulevard|lane)",
        anchor=r" (?:street|avenue|road|boulevard|lane)[^A-Za-z]",
    ),
    _address(
        "street-and-code",
        rf"{_NUMBER} (?:{_WORD} ){{1,3}}(?:{_MAYBE_STREET}){_UNIT}{{0,2}}(?:{_BREAK}{_WORD}(?:[ -]{_WORD}){{0,2}}){{1,2}}{_BREAK}(?:(?:{_STATES}),? ?)?(?:[0-9]{{4,5}}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z]{{1,2}}[0-9][0-9A-Z]? ?[0-9][A-Z]{{2}})",
        anchor=rf"[^A-Z](?:{_STATES}),? ?[0-9]{{4,5}}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z]{{1,2}}[0-9][0-9A-Z]? ?[0-9][A-Z]{{2}}",
    ),
    _address(
        "street-and-unit",
        rf"{_NUMBER} (?:{_WORD} ){{1,3}}(?:{_MAYBE_STREET}) (?:Apt\.?|Suite|Unit|Flat) [0-9A-Za-z]{{1,5}}",
        anchor=r"[a-z] (?:Apt\.?|Suite|Unit|Flat) [0-9A-Za-z]",
    ),
    _address(
        "city-state-code",
        rf"{_WORD}(?: {_WORD}){{0,2}},? (?:{_STATES}),? (?:[0-9]{{5}}(?:-[0-9]{{4}})?|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[0-9]{{4}})",
        anchor=rf"[^A-Z](?:{_STATES}),? (?:[0-9]{{4,5}}|[A-Z][0-9][A-Z])",
    ),
    _address(
        "uk-postcode",
        r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}",
        left=rf"(?:{_WORD}[ ,\n]{{1,2}}|\n)",
        tail="",
        anchor=r"[^A-Za-z0-9][A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}",
    ),
    _address(
        "box",
        r"(?i:p\. ?o\. ?box|po box|postfach|postbus|bo\xc3\xaete postale|apartado(?: de correos)?|casella postale|caixa postal|postboks|postbox|pl\.? ?[0-9]{1,4},? ) ?[0-9]{1,6}",
    ),
    _address("military", r"(?:APO|FPO|DPO),? A[AEP],? [0-9]{5}|(?:Unit|PSC) [0-9]{3,5},? Box [0-9]{3,5}", tail=""),
    _address(
        "street-behind",
        rf"(?:{_WORD}[ -]){{0,3}}{_CAPITAL}{_LETTER}{{1,30}}(?:{_BEHIND}),? ?{_NUMBER}",
        anchor=rf"(?:{_BEHIND}),? ?[0-9]",
    ),
    _address(
        "street-behind-apart",
        rf"(?:{_WORD}[ -]){{1,3}}(?i:{_BEHIND}|{_SLAVIC_BEHIND}),? {_NUMBER}",
        anchor=rf"[ -](?i:{_BEHIND}|{_SLAVIC_BEHIND}),? [0-9]",
    ),
    _address(
        "street-hungarian",
        rf"(?:{_WORD}[ -]){{1,3}}(?:{_HUNGARIAN}) [0-9]{{1,4}}\.?",
        anchor=rf" (?:{_HUNGARIAN}) [0-9]",
    ),
    _address(
        "street-turkish",
        rf"(?:{_WORD} ){{1,3}}(?:{_TURKISH})(?:,? ?(?:No|no)[:.]? ?|,? )[0-9]{{1,4}}",
        anchor=rf" (?:{_TURKISH})[ ,]",
    ),
    _address(
        "street-french",
        rf"[0-9]{{1,4}}(?: ?(?:bis|ter|[A-D]))?,? (?i:{_FRENCH}) {_MORE_WORDS}{{0,4}}{_ANY}",
        anchor=rf"[0-9](?: ?(?:bis|ter|[A-D]))?,? (?i:{_FRENCH}) ",
    ),
    _address(
        "street-before",
        rf"{_BEFORE}{_MORE_WORDS}{{0,5}}{_WORD},? (?:(?i:no|nr|n\.|n\xc2\xba|s/n)\.? ?|# ?)?{_NUMBER}",
        anchor=rf"[^A-Za-z]{_BEFORE}[A-Za-z0-9\x80-\xff]",
    ),
    _address(
        "street-before-and-code",
        rf"{_BEFORE}{_MORE_WORDS}{{0,4}}{_WORD}(?:{_BREAK}(?:{_WORD}[ -]?){{1,3}})?(?:, |,? ?\n){_CODE}[ ,\n]{{1,2}}{_WORD}",
        anchor=rf"[^A-Za-z]{_BEFORE}[A-Za-z0-9\x80-\xff]",
    ),
    _address("unit", r"(?:Apt\.|Suite) [0-9]{2,4}", left=r"[0-9a-z,.][ \n]{1,3}"),
    _address(
        "street-cyrillic",
        rf"(?:{_RUSSIAN}) ?(?:[\xce-\xd1\xe1][\x80-\xbf]{{1,2}}|[ .-]|[0-9]){{3,60}},? (?:д\.|дом|буд\.|№|б\.)? ?[0-9]{{1,4}}",
        anchor=rf"(?:{_RUSSIAN})",
    ),
    _address(
        "street-cyrillic-behind",
        r"(?:[\xd0-\xd1\xe1][\x80-\xbf]{1,2}|[ -]){3,40} (?:ქ\.|ул\.|улица) ?[0-9]{1,4}",
        anchor=r"(?:ქ\.|ул\.|улица) ?[0-9]",
    ),
    _address(
        "street-abjad",
        rf"(?:[0-9]{{1,4}} )?(?:{_EAST_OF_THAT}) ?(?:(?:{_WIDE})+[ ]){{0,3}}(?:{_WIDE})+,? ?[0-9]{{0,4}}",
        right=r"[^0-9]",
        anchor=_EAST_OF_THAT,
    ),
    _address(
        "number-and-code",
        rf"(?:{_WORD}[ -]){{0,3}}{_WORD},? {_NUMBER}(?:,? ?\n[ >]{{0,4}}|, )(?:\xce\xa4\xce\x9a )?{_CODE},?[ \n-]{{1,2}}{_WORD}",
        anchor=r"[0-9][A-Za-z]?(?:,? ?\n[ >]{0,4}|, )(?:\xce\xa4\xce\x9a )?(?:[A-Z]{1,2}-?)?[0-9]{2}",
    ),
    _address(
        "number-and-code-wide",
        rf"[0-9]{{1,4}}(?:/[0-9]{{1,4}})?,?[ \n](?:(?:{_WIDE})+[ ,\n-]{{1,2}}){{1,4}}[0-9]{{6,7}}",
        anchor=rf"{_WIDE}[ ,\n-]{{1,2}}[0-9]{{6}}",
    ),
    _address(
        "wide-and-code",
        rf"(?:(?:{_WIDE})+[ '-]){{0,3}}(?:{_WIDE})+ [0-9]{{1,3}},? (?:(?:{_WIDE})+[ '-]?){{1,4}},? [0-9]{{7}}",
        anchor=rf"{_WIDE},? [0-9]{{7}}",
    ),
    _address(
        "indian",
        rf"(?:H\.? ?No\.?|Flat|Plot|House|Door)(?: No\.?)?,? ?[0-9][0-9/-]{{0,7}},?[ \n]{_WORD}|{_WORD}, ?{_WORD}[ -]{{1,3}}[1-8][0-9]{{5}}",
        anchor=r"(?:H\.? ?No\.?|Flat|Plot|House|Door)(?: No\.?)?,? ?[0-9]|[A-Za-z][ -]{1,3}[1-8][0-9]{5}[^0-9]",
    ),
    _address(
        "vietnamese",
        rf"(?i:số )?[0-9][0-9/]{{0,9}},? (?:Đường|đường|Phố|phố|Hẻm|hẻm|Ngõ|ngõ|Ngách) {_ANY}",
        anchor=r"[0-9],? (?:Đường|đường|Phố|phố|Hẻm|hẻm|Ngõ|ngõ|Ngách)",
    ),
    _address(
        "japanese",
        rf"(?:{_HAN}){{2,3}}(?:県|府|都|道)(?:{_HAN}|{_KANA}){{1,10}}(?:市|区|町|村|郡)(?:{_HAN}|{_KANA}|[0-9-]){{0,20}}|(?:{_HAN}){{1,8}}[0-9]{{1,3}}(?:丁目|番地)(?:{_HAN}|[0-9-]){{0,8}}",
        left=_ANYTHING,
        right=_ANYTHING,
        anchor="県|丁目|番地|府|都|道",
    ),
    _address(
        "chinese",
        rf"(?:(?:{_HAN}){{2,5}}(?:省|市|自治区|特别行政区))?(?:{_HAN}){{1,5}}(?:市|区|县|縣|區|鄉)(?:{_HAN}){{1,10}}(?:路|街|道|巷|弄)(?:[0-9A-Za-z]{{1,5}}(?:号|號|座|室|段))?|(?:{_HAN}){{1,6}}(?:路|街|道|巷)[0-9A-Za-z]{{1,5}}(?:号|號|座)",
        left=_ANYTHING,
        right=_ANYTHING,
        anchor="路|街|道|巷|弄",
    ),
    _address(
        "korean",
        rf"(?:{_HANGUL}){{1,6}}(?:시|도|구|군) (?:(?:{_HANGUL}){{1,6}} ){{0,3}}(?:{_HANGUL}){{1,6}}[0-9]{{0,3}}(?:로|길|가|거리|동|대로)(?:[0-9]{{1,3}}(?:로|길|가|번길))? ?[0-9]{{1,4}}(?:-[0-9]{{1,3}})?",
        right=r"[^0-9]",
        anchor=r"(?:로|길|가|거리|동|대로) ?[0-9]",
    ),
    _address(
        "named",
        r"[^\n\x00]{6,100}",
        left=rf"{_EDGE}(?i:{_CUES})[\"']?(?: ?[:=] ?|\xef\xbc\x9a|\n| )[\"' ]{{0,2}}",
        right=r"[\n\x00]",
        accept=after_cue,
        tail="",
        unless=r"(?i:e-?mail|mac|ip|web|url|memory|wallet|bitcoin|server|host|network|return|start|base|byte|virtual|physical|http|smtp|contract|ethereum|bus|node|remote|local|loopback)[ _-]?(?:(?i:address)[a-z ]{0,12}[:= \"']{0,4})?\z",
        anchor=rf"[^A-Za-z](?i:{_CUES})[ :=\n\x22\x27\xef]",
    ),
)
