"""Sentences: a password that somebody tells somebody, in mails, chats and notes of many languages.

What `named.py` knows are the names that source code and configurations use, too; here are the words of other languages, what a sentence
puts between the word and the password (`the password for the router is …`), and the accounts that a password is written behind.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.named import in_bytes
from yett.detectors.secrets.structures import VALUE, spoken

# Bulgarian, Ukrainian, Georgian, Armenian, Greek, Hebrew, Arabic, Persian, Urdu, Hindi, Bengali, Tamil, Thai, Vietnamese; then those of Latin letters.
_WORDS = in_bytes(
    "парола|Парола|гасло|Гасло|лозинка|Лозинка|пароль|Пароль|პაროლი|գաղտնաբառ|κωδικός|Κωδικός|סיסמה|סיסמא|ססמה|كلمة المرور|كلمة السر|كلمة مرور|رمز عبور|گذرواژه|"
    "پاس ورڈ|पासवर्ड|পাসওয়ার্ড|கடவுச்சொல்|రహస్యపదం|รหัสผ่าน|[mM]ật khẩu|"
    "[lL]ozink[au]|[zZ]apork[au]|[gG]eslo|[sS]laptažodis|[pP]arool|[cC]ontrasenya|[cC]ontrasinal|[pP]asahitza|[lL]ykilorð|[nN]enosiri|[kK]ata laluan|"
    "[hH]asło|[hH]eslo|(?:ş|Ş|[sS])ifre|[sS]alasana|[wW]achtwoord|[lL]ösenord(?:et)?|[pP]assord(?:et)?|[aA]dgangskode(?:n)?|[jJ]elszó|[kK]ennwort|[pP]asswort|[sS]enha|"
    "[cC]ontrase(?:ñ|n)a|[mM]ot de passe|[kK]ata sandi|[wW]i-?[fF]i|WIFI|WLAN(?:-(?:Schlüssel|Passwort|Key))?"
)
_ENGLISH = "[pP]assword|[pP]assphrase|[pP]asscode"  # `named.py` finds what they are given
_IS = in_bytes(
    "is|are|was|ist|lautet|war|est|es|era|é|è|är|er|jest|to|je|on|olan|är|là|هي|هو|είναι|है|este|adalah|ialah|是|ni|da"
)
# What it opens, from a preposition on.
_OF = in_bytes(
    "for|of|to|on|für|vom|von|zum|zur|im|pour|du|de|del|della|per|para|do|da|dla|od|pro|voor|van|till|til|för|от|для|к|к|до|за|của|untuk|za|için"
)
_GIVES = in_bytes(rf"(?:[ ]?(?:[:=]|：|—|–)|[ ](?:{_IS})[ :])[ ]{{0,2}}[\"'`]?")


def _told(text: str) -> bool:
    return len(text) >= 6 and entropy.password(text) and entropy.digits(text) > 0


def _in_words(id: str, words: str, between: str) -> Detector:
    return Detector(
        id=id,
        kind="secret.password",
        pattern=rf"(?:{words}){between}({VALUE}{{0,40}}[0-9]{VALUE}{{2,40}})",
        accept=when(spoken),
        tail=f"{VALUE}*",
    )


SENTENCES: tuple[Detector, ...] = (
    Detector(
        id="password-in-language",
        kind="secret.password",
        pattern=rf"(?:{_WORDS}){_GIVES}({VALUE}{{6,64}})",
        accept=when(_told),
        tail=f"{VALUE}*",
        anchor=f"(?:{_WORDS})",
    ),
    _in_words("password-told", _WORDS, r"[ ]{1,2}[\"'`]?"),
    _in_words("password-of-something", f"{_WORDS}|{_ENGLISH}", rf"[ ](?:{_OF})[ ][^\r\n\x00:=]{{1,28}}?{_GIVES}"),
    Detector(
        id="password-of-account",
        kind="secret.password",
        pattern=rf"(?:[^A-Za-z0-9/](?:root|admin|administrator|postgres|mysql|ubuntu|oracle|sysdba|deploy|guest|service)|(?i:creds?|credentials?)(?:[ ]are|:)?[ ]{{1,2}}[A-Za-z][A-Za-z0-9._-]{{1,24}}):({VALUE.replace('@', '')}{{6,40}})",
        accept=when(spoken),
        tail=f"{VALUE}*",
    ),
)
