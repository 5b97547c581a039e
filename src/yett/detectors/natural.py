"""Natural: which human languages a text is written in, by its scripts and its commonest words.

A script that few languages share decides by itself, with the letters that only one of them has. Among the languages of Latin
letters the little words decide that no sentence goes without. A text of which neither says enough is in no known language: names,
numbers, a word or two, code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from yett.detectors.code.language import blocks

PIECE = 240  # characters from which on the lines of a text are judged together
LONGEST = 100_000  # characters that are looked at
SHARE = 0.1  # of a text's letters, from which on a language counts

# The commonest words of each language, as they are written, in lower case. A word of several languages counts for each of them less.
_WORDS = {
    "en": "the of and to in is that it for was on are with as you at be this have from or had by not but what all were when we there "
    "can an your which their said if do will each about how up out them then she many some so these would other into has more her two "
    "him see could no make than been who its now my over did down only may where after back just because our he his they i me does "
    "please write explain should tell give need want using why get like know find show thanks hello help should list use add fix "
    "create change any between without also must cannot don't i'm it's isn't here file error following",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach "
    "wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei "
    "kann können ich du wir ihr mein dein unser bitte schreibe erkläre warum was wer wo wann mir mich dir dich uns hier muss soll "
    "diese dieser dieses keine kein wenn alle ohne zwischen gibt mache danke hallo heute datei fehler",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ou son sa mais comme on "
    "tout nous sa été aux cette ses elle peut fait sans être leur si deux même ces vous je tu mon ma mes votre vos notre nos quel "
    "quelle comment pourquoi quand où merci bonjour écris explique avez êtes suis dois moi toi aussi entre très faire avoir cet "
    "l' d' c' j' n' s' qu' peux veux ai as fichier erreur aucun",
    "es": "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre "
    "cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué sólo han yo hay vez puede todos así "
    "nos ni parte tiene él uno donde bien tiempo mismo ese ahora cada e vida otro después te otros aunque esa eso hace otra gobierno "
    "tan durante siempre día tanto ella tres sí dijo sido gran país según menos puedes necesito quiero escribe explica cómo gracias "
    "hola archivo error debe usted está",
    "pt": "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já eu "
    "também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas me esse eles você essa num nem suas meu às minha "
    "numa pelos elas qual lhe deles essas esses pelas este dele tu te vocês são está foi ser tem há pode obrigado olá escreva "
    "explique preciso quero arquivo ficheiro erro deve",
    "it": "di e il la che in a per un è del non con si da una dei le al sono nel alla più come della anche i ha ma dalla o gli lo delle se "
    "su ed tra degli questo questa nella suo sua stato essere loro ci cui fra perché ho hai mi ti quando dove chi cosa quale sei "
    "siamo hanno può fare molto ogni tutti tutto senza dopo prima così nei sul sulla dal scrivi spiega grazie ciao vorrei devo mio "
    "mia tuo tua file errore deve è stata l' un' dell' all' nell' c'è",
    "nl": "de het een van en in is dat op te zijn met voor niet aan er om ook als dan maar bij of door naar nog wel uit tot over hij ze "
    "zich hun haar wordt worden werd heeft hebben had kan kunnen zal zou moet we wij je jij u ik mijn jouw deze dit die wat wie waar "
    "hoe waarom geen meer veel alle tegen tussen schrijf leg graag dank hallo mij ons onze bestand fout zonder al",
    "sv": "och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan hade när år under också "
    "efter eller nu sin där vid mot ska skulle kommer ut får finns vara hur vad varför du mig dig min din vår alla utan över denna "
    "detta dessa bara mycket skriv förklara tack hej måste ingen fil fel",
    "da": "og i at det som en på er af for med til den har de ikke om et han men var jeg sig fra vi så kan havde når år under også efter "
    "eller nu sin der ved mod skal skulle kommer ud får findes være hvordan hvad hvorfor du mig dig min din vores alle uden over "
    "denne dette disse kun meget skriv forklar tak hej blev bliver kunne noget ingen fil fejl være hvis",
    "no": "og i at det som en på er av for med til den har de ikke om et han men var jeg seg fra vi så kan hadde når år under også etter "
    "eller nå sin der ved mot skal skulle kommer ut får finnes være hvordan hva hvorfor du meg deg min din vår alle uten over denne "
    "dette disse bare mye skriv forklar takk hei ble blir kunne noe ingen fil feil dere hvis må",
    "fi": "ja on ei se että oli hän mutta ovat kun niin myös kuin tai jos joka sen ole ovat mukaan sekä tämä tämän voi jo vain minä sinä "
    "me te he minun sinun mitä miksi miten missä milloin kuka kirjoita selitä kiitos hei ollut olla jotka kanssa ennen jälkeen "
    "ilman kaikki nyt täällä siellä ne nämä voit pitää täytyy tiedosto virhe olet olen",
    "et": "ja on ei see et oli ta aga kui ka või mis kes oma ning seda selle olid siis veel ma sa me te nad minu sinu miks kuidas kus "
    "millal kirjuta selgita tänan tere olema pole kõik juba nagu saab peab enne pärast ilma fail viga",
    "pl": "w i na z się nie do to że jest o a jak po co tak za od dla przez przy ale czy jego jej ich oraz był była było są może tylko już "
    "być które który która ten ta te tym tego mnie mi ja ty my wy on ona oni mój twój dlaczego kiedy gdzie proszę napisz wyjaśnij "
    "dziękuję cześć lub bez między pod nad musi plik błąd jeśli wszystkie można",
    "cs": "a se v na je že s z do o to i k ve pro jako za by ale si po jsou co tak od jeho ze nebo které který která byl bylo byla jsem "
    "jsi jsme být může už jen aby jak když kde proč kdy kdo můj tvůj prosím napiš vysvětli děkuji ahoj bez mezi pod nad musí soubor "
    "chyba pokud tento tato není máte všechny",
    "sk": "a sa v na je že s z do o to i k vo pre ako za by ale si po sú čo tak od jeho zo alebo ktoré ktorý ktorá bol bolo bola som si "
    "sme byť môže už len aby keď kde prečo kedy kto môj tvoj prosím napíš vysvetli ďakujem ahoj bez medzi pod nad musí súbor chyba "
    "ak tento táto nie je máte všetky",
    "sl": "in je v na se da za so z pa ki ne s o kot po tudi bi pri ali od do iz kako kaj kje kdaj zakaj kdo jaz ti mi vi oni moj tvoj "
    "prosim napiši razloži hvala zdravo lahko bil bila bilo sem si smo ste ni brez med pod nad mora datoteka napaka če ta to vse",
    "hr": "i u je na se da za su od s a sa ne o kao koji koja koje što kako ali ili te po iz bi bio bila bilo sam si smo ste nije do već "
    "samo gdje kada zašto tko ko ja ti mi vi oni moj tvoj molim napiši objasni hvala bez među pod nad mora datoteka greška ako ovo "
    "sve može treba",
    "hu": "a az és hogy nem is egy van volt meg csak ez azt de ha már még mint ki el be vagy mert minden kell lehet lesz én te ő mi ti ők "
    "ezt azzal után előtt között nélkül miért hogyan hol mikor kérem írj magyarázd köszönöm szia ami aki amely nincs fájl hiba "
    "ezek azok legyen akkor itt ott nagyon",
    "ro": "de și în a la cu pe nu o că un este din se care pentru mai sau au fost ca prin al ale lui sunt are dar după fi cum ce când unde "
    "cine eu tu el ea noi voi ei meu tău te îmi îți lor acest această fără între sub trebuie poate scrie explică mulțumesc salut "
    "fișier eroare dacă toate doar",
    "tr": "ve bir bu da de için ile çok olarak daha gibi var ne en o kadar sonra ama olan her değil mi mı ya ki ben sen biz siz onlar "
    "benim senin nasıl neden nerede zaman kim lütfen yaz açıkla teşekkürler merhaba veya ancak olduğu olduğunu hem diye önce "
    "göre şey yok dosya hata eğer tüm bana sana ise",
    "id": "yang dan di dari untuk dengan ini itu dalam tidak pada adalah ke akan juga saya anda kami kita mereka dia oleh sebagai "
    "dapat atau telah bisa lebih sudah apa bagaimana mengapa kenapa kapan mana siapa tolong tulis jelaskan terima kasih halo harus "
    "karena jika tetapi antara tanpa semua berkas kesalahan bukan",
    "vi": "và của là có trong được cho không một các người với đã này những để khi từ về như tôi bạn nó chúng ta họ anh chị em nhưng thì "
    "mà ra lại cũng đến nếu vì sao thế nào đâu gì ai hãy viết giải thích cảm ơn xin chào phải làm hoặc tất cả tệp lỗi bị",
    "ca": "de la i el que a en els les un per amb no una es del al és com més o però són seu seva també ha dels aquest aquesta entre quan "
    "tot ser molt fins des per què jo tu nosaltres meu teva on qui escriu explica gràcies hola sense sota ha de fitxer error si us "
    "plau aquests pot ens li l' d' s'",
    "lt": "ir yra kad į iš su bet ar kaip tai buvo ne jo jis ji jie apie už prie per po tik dar jau aš tu mes jūs mano tavo kodėl kur kada "
    "kas prašau parašyk paaiškink ačiū labas be tarp turi gali failas klaida jei visi šis ši",
    "lv": "un ir ka uz no ar bet vai kā tas bija nav viņš viņa viņi par pie pēc tikai vēl jau es tu mēs jūs mans tavs kāpēc kur kad kas "
    "lūdzu uzraksti paskaidro paldies sveiki bez starp jābūt var fails kļūda ja visi šis šī",
    "sw": "na ya wa kwa ni za katika la kuwa hii yake cha kama au lakini pia si hiyo huo baada kabla mimi wewe yeye sisi ninyi wao nini "
    "kwa nini wapi lini nani tafadhali andika eleza asante habari lazima inaweza faili kosa hakuna yote",
}  # fmt: skip

# Letters of one language's alone, among those that share a script.
_LETTERS = {
    "de": "ß", "pl": "łąęśźżćń", "cs": "ěřů", "sk": "ľĺŕ", "hu": "őű", "ro": "țșţş", "tr": "ğış", "sv": "å", "da": "æø", "no": "æø",
    "es": "ñ¿¡", "pt": "ãõ", "fr": "œêèùç", "vi": "ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "et": "õ", "lt": "ėųūįš", "lv": "āēģķļņ",
    "hr": "đ", "ca": "·", "fi": "ä", "is": "þð",
}  # fmt: skip

_LATIN = r"A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ"
# Scripts, the language that is meant where nothing else tells, and letters that tell.
_SCRIPTS: Mapping[str, tuple[str, str, Mapping[str, str]]] = MappingProxyType(
    {
        "latin": (_LATIN, "", {}),
        "cyrillic": (
            "Ѐ-ӿ",
            "ru",
            {"ru": "ыэё", "uk": "іїєґ", "be": "ыэёіў", "bg": "ъ", "sr": "ђћџљњј", "mk": "ѓќѕљњџј", "kk": "ыэіәғқңөұүһ"},
        ),
        "greek": ("Ͱ-Ͽἀ-῿", "el", {}),
        "hebrew": ("א-ת", "he", {}),
        "arabic": ("ء-يٱ-ۓﭐ-﷿ﹰ-ﻼ", "ar", {"ar": "يكةىأإؤ", "fa": "پچژگکی", "ur": "پچژگکیٹڈڑںےہ"}),
        "devanagari": ("ऀ-ॿ", "hi", {}),
        "bengali": ("ঀ-৿", "bn", {}),
        "gurmukhi": ("਀-੿", "pa", {}),
        "gujarati": ("઀-૿", "gu", {}),
        "tamil": ("஀-௿", "ta", {}),
        "telugu": ("ఀ-౿", "te", {}),
        "kannada": ("ಀ-೿", "kn", {}),
        "malayalam": ("ഀ-ൿ", "ml", {}),
        "sinhala": ("඀-෿", "si", {}),
        "thai": ("ก-ฺเ-๎", "th", {}),
        "lao": ("ກ-ໟ", "lo", {}),
        "burmese": ("က-႟", "my", {}),
        "georgian": ("Ⴀ-ჿ", "ka", {}),
        "armenian": ("Ա-֏", "hy", {}),
        "ethiopic": ("ሀ-፿", "am", {}),
        "khmer": ("ក-៿", "km", {}),
        "hangul": ("가-힣ᄀ-ᇿ", "ko", {}),
        "kana": ("ぁ-ヿ", "ja", {}),
        "han": ("㐀-䶿一-鿿豈-﫿", "zh", {}),
    }
)

LANGUAGES = frozenset((*_WORDS, *_LETTERS)) | {
    code for _, code, letters in _SCRIPTS.values() for code in (code, *letters) if code
}  # ISO 639-1


def _weights() -> Mapping[str, tuple[tuple[str, float], ...]]:
    languages: dict[str, list[str]] = {}
    for code, words in _WORDS.items():
        for word in dict.fromkeys(words.split()):
            languages.setdefault(word, []).append(code)
    return {word: tuple((code, 1.0 / len(codes)) for code in codes) for word, codes in languages.items()}


_WEIGHTS = _weights()
_TELLING = {
    letter: tuple(code for code, letters in _LETTERS.items() if letter in letters)
    for letter in "".join(_LETTERS.values())
}
_ENOUGH = 0.9  # the evidence of one word that nobody else has, nearly
_ON_AVERAGE = 0.05  # that every word of a longer piece must give
_LETTER = 0.4  # what one letter says that only one language has
_DENSE = 3  # letters that a character of these scripts stands for
_CHARACTERS = frozenset(("han", "kana", "hangul"))
_SCRIPT = re.compile("|".join(f"(?P<{name}>[{letters}]+)" for name, (letters, _, _) in _SCRIPTS.items()))
_PUNCTUATION = ".,;:!?()\"'«»„“”‘…*-–—¿¡"


def languages(texts: Iterable[str]) -> tuple[str, ...]:
    """The languages of the texts together, sorted; none when it cannot be told. What stands in fences is code, not language."""
    letters: Counter[str] = Counter()
    for piece in _pieces(texts):
        letters.update(_judged(piece))
    known = sum(letters.values())
    return tuple(sorted(code for code, count in letters.items() if count >= SHARE * known))


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """Lines of prose, short ones together."""
    left = LONGEST
    for text in texts:
        prose, held = _unfenced(text[:left]), ""
        left -= len(prose)
        for line in prose.splitlines():
            held += f"{line}\n"
            if len(held) >= PIECE:
                yield held
                held = ""
        if held:
            yield held


def _unfenced(text: str) -> str:
    if "```" not in text and "~~~" not in text:
        return text
    at, kept = 0, []
    for block in blocks(text):
        kept.append(text[at : block.start])
        at = block.end
    return "\n".join((*kept, text[at:]))


def _judged(piece: str) -> Counter[str]:
    """How many letters of a piece are of which language; those of none are left out."""
    found: Counter[str] = Counter()
    if piece.isascii():
        if code := _of_latin(piece):
            found[code] = len(piece)
        return found
    scripts: dict[str, list[str]] = {}
    for run in _SCRIPT.finditer(piece):
        scripts.setdefault(run.lastgroup or "", []).append(run.group())
    if "kana" in scripts:  # Japanese is written in both
        scripts["kana"] += scripts.pop("han", [])
    for script, runs in scripts.items():
        letters = "".join(runs)
        code = _of_latin(piece) if script == "latin" else _of_script(script, letters.lower())
        if code:
            found[code] += len(letters) * (_DENSE if script in _CHARACTERS else 1)
    return found


def _of_script(script: str, letters: str) -> str:
    """The language whose own letters, among those that tell languages of a script apart, fit best."""
    _, usual, telling = _SCRIPTS[script]
    counts = {letter: letters.count(letter) for letter in set("".join(telling.values()))}
    fits = {code: sum(n if letter in own else -n for letter, n in counts.items()) for code, own in telling.items()}
    best = max(fits, key=fits.__getitem__, default=usual)
    return best if fits.get(best, 0) > fits.get(usual, 0) else usual


def _of_latin(piece: str) -> str:
    """The language that the words of a piece speak for, "" for none of those that are known."""
    piece = piece.lower().replace("\u2019", "'")
    scores: dict[str, float] = {}
    words = 0
    for written in piece.split():
        word = written.strip(_PUNCTUATION)
        if "'" in word and word not in _WEIGHTS:
            word = word[: word.index("'") + 1]  # l'erreur
        said = _WEIGHTS.get(word)
        if said is not None:
            for code, weight in said:
                scores[code] = scores.get(code, 0.0) + weight
        words += said is not None or word.isalpha()
    if not piece.isascii():
        for letter in _TELLING.keys() & set(piece):
            for code in _TELLING[letter]:
                scores[code] = scores.get(code, 0.0) + _LETTER * piece.count(letter) / len(_TELLING[letter])
    best = max(scores, key=scores.__getitem__, default="")
    return best if best and scores[best] >= max(_ENOUGH, _ON_AVERAGE * words) else ""
