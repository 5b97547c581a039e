"""Names of people in scripts without capitals: what the gazetteer knows must stand together, or beside a word that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from yett.detectors.people.cues import TITLES
from yett.detectors.people.gazetteer import GIVEN, SURNAME, WORD, Gazetteer
from yett.detectors.people.names import cue
from yett.detectors.people.span import Span

# Hebrew, Arabic, the scripts of India, Thai, Georgian.
_WORD = r"[\u0590-\u05ff\u0600-\u06ff\u0900-\u0e7f\u10a0-\u10ff]+"
_RUN = re.compile(rf"{_WORD}(?:[ '-]{_WORD})*")
_PART = re.compile(r"[^ ]+")
_THAI_TITLE = re.compile(r"(?:นางสาว|นาง|นาย|คุณ|น\.ส\.|ดร\.|เด็กชาย|เด็กหญิง)(?=.)")
_NISBA = "ال"  # the article, with which most Arabic surnames begin
_MOST = 4  # words of a name

_H = r"[\u3005\u4e00-\u9fff]"
_HAN = re.compile(rf"{_H}{{2,}}(?:[ \u3000]{_H}+)?")
_HAN_TITLE = re.compile(rf"(?<={_H})[ ]?(?:先生|女士|小姐|さん|様|氏|くん|ちゃん|老师|老師|经理|經理|医生|殿)")
_HAN_ASKED = re.compile(
    rf"(?:氏名|お名前|名前|姓名|联系人|聯絡人|收件人|客户|患者|我叫|名字是|名字叫|担当者?|叫做)[:： は是]{{0,3}}({_H}{{2,4}}(?:[ \u3000]{_H}{{1,3}})?)(?!{_H})"
)
# What a name of two characters stands between when it is none by chance.
_HAN_LEFT = ("联系", "由", "给", "找", "向", "与", "和", "跟", "叫", "是", "通知", "问", "请", "聯絡", "為", "对")
_HANGUL = re.compile(r"[\uac00-\ud7a3]{2,}")
_HANGUL_BEFORE = ("이름은", "이름", "성명", "저는", "담당자", "수령인", "고객", "환자", "제이름은")
_HANGUL_TITLE = re.compile(r" ?(?:님|씨|고객|선생|과장|대리|부장|사장)")
_JOSA = frozenset(
    "|은|는|이|가|을|를|의|에게|님|씨|께|도|와|과|입니다|이에요|예요|이라고|라고|에게서|한테|선생님|고객님|님의|님께|씨의|씨가|씨는|님이|님은|이고|이며".split(
        "|"
    )
)


def uncased(text: str, gazetteer: Gazetteer) -> Iterator[Span]:
    """Names by script and place, each with how sure it is, 0.0 to 1.0; a name may come twice."""
    if text.isascii():
        return
    for run in _RUN.finditer(text):
        yield from _spaced(text, run, gazetteer)
    for run in _HAN.finditer(text):
        yield from _known(run, gazetteer.east)
    yield from _asked(text, gazetteer.east)
    for run in _HANGUL.finditer(text):
        yield from _hangul(text, run, gazetteer.east)


def _spaced(text: str, run: re.Match[str], gazetteer: Gazetteer) -> Iterator[Span]:
    places = [(run.start() + part.start(), run.start() + part.end()) for part in _PART.finditer(run.group())]
    at = 0
    while at < len(places):
        start = places[at][0]
        thai = _THAI_TITLE.match(text, start, places[at][1])
        begin = at + (text[slice(*places[at])] in TITLES)
        marks = [gazetteer.marks(text[slice(*place)]) for place in places[begin : begin + _MOST]]
        if thai:
            marks[0] = gazetteer.marks(text[thai.end() : places[at][1]]) or GIVEN
        known = next((count for count, mark in enumerate(marks) if not mark & (GIVEN | SURNAME)), len(marks))
        titled = bool(thai) or begin > at
        count, score = 0, 0.8
        if titled:
            count = min(begin - at + max(known, 2), len(places) - at)
        elif known > 1 and any(mark & GIVEN for mark in marks) and any(not mark & WORD for mark in marks[:known]):
            count = known
        elif marks[0] & (GIVEN | WORD) == GIVEN and any(
            text.startswith(_NISBA, *place) for place in places[at + 1 : at + 2]
        ):
            count, score = 2, 0.6
        elif known and cue(text, start):
            count, score = known, 0.6
        if count:
            yield Span(start, places[at + count - 1][1], score)
        at += count or 1


def _known(run: re.Match[str], east: Mapping[str, int]) -> Iterator[Span]:
    """Surname and given name, with or without a space between them, where the gazetteer knows both."""
    text = run.group()
    for at in range(len(text) - 1):
        end = at + _length(text, at, east)
        bounded = (at == 0 or text[:at].endswith(_HAN_LEFT)) and (end == len(text) or at > 0)
        if end > at + 2 or (end == at + 2 and bounded):
            yield Span(run.start() + at, run.start() + end, 0.8 if end > at + 2 else 0.5)


def _length(text: str, at: int, east: Mapping[str, int]) -> int:
    """How many characters from `at` on are a surname and a given name; 0 if they are none."""
    for size in (3, 2, 1):
        if not east.get(text[at : at + size], 0) & SURNAME:
            continue
        begin = at + size + (text[at + size : at + size + 1] in (" ", "\u3000"))
        for end in (begin + 3, begin + 2, begin + 1):
            if end <= len(text) and east.get(text[begin:end], 0) & GIVEN:
                return end - at
    return 0


def _asked(text: str, east: Mapping[str, int]) -> Iterator[Span]:
    """A surname and what follows it, where words before or behind say that it is a name."""
    for found in _HAN_ASKED.finditer(text):
        if _is_surname(found.group(1), east):
            yield Span(*found.span(1), 0.6)
    for found in _HAN_TITLE.finditer(text):
        for size in (3, 2, 4):
            name = text[max(0, found.start() - size) : found.start()]
            if len(name) == size and _is_surname(name, east):
                yield Span(found.start() - size, found.start(), 0.6)
                break


def _is_surname(name: str, east: Mapping[str, int]) -> bool:
    return any(east.get(name[:size], 0) & SURNAME for size in (2, 1))


def _hangul(text: str, run: re.Match[str], east: Mapping[str, int]) -> Iterator[Span]:
    """Surname and two syllables, and what Korean hangs on a name."""
    word, start = run.group(), run.start()
    for size in (1, 2):
        given, rest = word[size : size + 2], word[size + 2 :]
        if not east.get(word[:size], 0) & SURNAME or len(given) < 2 or rest not in _JOSA:
            continue
        titled = rest[:1] in ("님", "씨") or _HANGUL_TITLE.match(text, run.end())
        asked = text[max(0, start - 12) : start].rstrip(" :：").endswith(_HANGUL_BEFORE)
        if east.get(given, 0) & GIVEN or titled or asked:
            yield Span(start, start + size + 2, 0.8)
