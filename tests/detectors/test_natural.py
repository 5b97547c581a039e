"""Human languages are told by scripts and by the words that no sentence goes without."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yett.detectors.natural import LANGUAGES, LONGEST, languages

SENTENCES = {
    "en": "Could you tell me why the train to the coast was late this morning?",
    "de": "Warum ist der Zug an die Küste heute Morgen so spät gekommen?",
    "fr": "Pourquoi le train pour la côte est-il arrivé en retard ce matin ?",
    "es": "¿Por qué llegó tarde esta mañana el tren que va a la costa?",
    "pt": "Por que o trem para a costa chegou atrasado hoje e não ontem?",
    "it": "Perché il treno per la costa è arrivato in ritardo questa mattina?",
    "nl": "Waarom was de trein naar de kust vanmorgen zo laat?",
    "sv": "Varför var tåget till kusten så sent i morse?",
    "pl": "Dlaczego pociąg nad morze spóźnił się dziś rano?",
    "cs": "Proč měl dnes ráno vlak k moři takové zpoždění?",
    "fi": "Miksi juna rannikolle oli tänä aamuna niin myöhässä?",
    "hu": "Miért késett ma reggel ennyit a vonat, ami a partra megy?",
    "tr": "Sahile giden tren bu sabah neden bu kadar geç kaldı?",
    "vi": "Vì sao chuyến tàu ra biển sáng nay lại đến muộn như thế?",
    "id": "Mengapa kereta yang ke pantai itu terlambat pagi ini?",
    "ru": "Почему поезд к морю сегодня утром так опоздал, ведь вы обещали?",
    "uk": "Чому потяг до моря сьогодні вранці їхав із запізненням?",
    "bg": "Защо влакът до морето закъсня толкова тази сутрин?",
    "sr": "Зашто је воз до мора јутрос толико каснио, људи љути?",
    "el": "Γιατί άργησε τόσο το τρένο σήμερα το πρωί;",
    "he": "למה הרכבת אל החוף איחרה כל כך הבוקר?",
    "ar": "لماذا تأخر القطار المتجه إلى الساحل هذا الصباح؟",
    "fa": "چرا قطار ساحل امروز صبح این‌قدر دیر کرد؟",
    "ur": "آج صبح ساحل جانے والی ٹرین اتنی دیر سے کیوں آئی؟",
    "hi": "आज सुबह तट की ट्रेन इतनी देर से क्यों आई?",
    "th": "ทำไมรถไฟไปชายฝั่งเช้านี้ถึงมาสาย",
    "ja": "今朝の海岸行きの列車はなぜ遅れたのですか。",
    "zh": "今天早上去海边的火车为什么晚点了?",
    "ko": "오늘 아침 해안으로 가는 기차는 왜 늦었나요?",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_has_a_language(code: str) -> None:
    assert languages([SENTENCES[code]]) == (code,)
    assert code in LANGUAGES


@pytest.mark.parametrize(
    "text",
    [
        "", "OK", "4711 / 2024-03-05", "Ada Lovelace", "deadbeef" * 20, "```python\nfor the in of: and\n```", "~~~\nthe and of is\n~~~",
        "zzzz " * 100 + "the",
    ],
)  # fmt: skip
def test_what_says_too_little_has_none(text: str) -> None:
    assert languages([text]) == ()


def test_prose_around_code_counts() -> None:
    assert languages(["Please fix this for me:\n```js\nconst el = la('de')\n```\nand tell me what was wrong."]) == (
        "en",
    )


def test_of_several_each_counts_that_is_a_part_of_the_whole() -> None:
    assert languages([SENTENCES["en"], SENTENCES["de"]]) == ("de", "en")
    assert languages([f"{SENTENCES['en']}\n" * 4 + SENTENCES["zh"]]) == ("en", "zh")
    assert languages([f"{SENTENCES['en']}\n" * 40 + SENTENCES["de"]]) == ("en",)
    assert languages(["The word for it is шум in that language, as they say there, and nobody knows why it is."]) == (
        "en",
    )


def test_an_elision_is_a_word() -> None:
    assert languages(["J’ai vu qu’il n’est d’accord"]) == ("fr",)


def test_very_long_texts_are_looked_at_in_part() -> None:
    assert languages([f"{SENTENCES['en']}\n" * (LONGEST // 60 + 1), SENTENCES["ko"] * 9000]) == ("en",)


@example(["ÐÞÞ"])
@given(st.lists(st.text(max_size=300), max_size=4))
def test_nothing_raises(texts: list[str]) -> None:
    assert set(languages(texts)) <= LANGUAGES
