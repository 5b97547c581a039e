"""Names and addresses: found where a text shows that they are some, in many languages, and not where words only look like them."""

from __future__ import annotations

import re

import pytest

from yett.detectors.engine import Portable
from yett.detectors.people import ADDRESS, PERSON, People
from yett.detectors.people.fold import fold
from yett.detectors.people.gazetteer import GIVEN, SURNAME, WORD, gazetteer
from yett.detectors.people.names import cue
from yett.model.segment import Segment

# What is in double brackets is to be found, and nothing else.
NAMES = (
    "Please call [[Jennifer Miller]] back.",
    "written by [[Wolfgang von Schmidt]] in May",
    "[[JENNIFER MILLER]] signed; the TABLE WAS FULL",
    "cc [[Jean DUPONT]], JSON XML",
    "Call Mr. Mr",
    "[[Dr. Qwertz Zxcvbn]] will see you",
    "[[Nagy István]] holnap jön",
    "[[Kowalska-Nowak Anna]] podpisała",
    "[[Anna-Maria Kowalska]] i [[Tomasz O’Brien]]",
    "[[J. Hoffmann]] and [[Mohmad R. Wagner]]",
    "with [[Tanya Skjæveland]] today",
    "[[Xyzzyq Johansson]] bought it",
    "My name is [[Xyzzyq]] and his name is [[Qwert Zuiop]]",
    "first_name=[[Xyzzyq]]",
    '"full_name": "[[Xyzzyq Plugh]]"',
    "Name: [[Xyzzyq Plugh]]\nCity: none",
    "Contact [[Xyzzyq Plugh]] about it",
    "Hi [[Xyzzyq]],\nthe bill",
    "Dear [[Grace]],",
    "assigned to [[Kevin]] for now",
    "[[Kevin]] is late. I saw [[Kevin]]'s car",
    "[[Kevin]], aged 44,",
    "my name is [[kevin miller]], and this is fine",
    "so [[jennifer miller]] said that it works",
    "[[Jennifer Miller]]'s account",
    "Отчёт написал [[Иван Петров]].",
    "[[Кузнецова Анна Сергеевна]] звонила",
    "Η [[Μαρία Παπαδοπούλου]] είπε",
    "تحدثت مع [[محمد العتيبي]].",
    "[[דוד כהן]].",
    "[[राजन जोशी]] से बात",
    "[[श्री राजन]]",
    "hello [[דוד]]",
    "ติดต่อ [[คุณสมชาย ใจดี]]",
    "氏名：[[山田 太郎]]",
    "[[佐藤]]さんから電話",
    "昨天[[张建华]]来了",
    "请联系[[王伟]]",
    "姓名：[[王好好]]",
    "이름: [[김갉갉]]",
    "[[김민준]]은 오늘",
    "[[김갉갉]] 님이",
)  # fmt: skip
ADDRESSES = (
    "Ship to [[12 Oak Street, Springfield, IL 62704]]",
    "at [[1600 Pennsylvania Avenue]] today",
    "[[669 Maynard Dale Suite 102\nAndreaborough, VT 62139]]",
    "[[P.O. Box 1234]]",
    "[[Unit 2962 Box 5219]]\n[[DPO AP 36157]]",
    "London [[SW1A 1AA]].",
    "wohnt [[Hauptstraße 12, 10115 Berlin]]",
    "[[Kungsgatan 5]]",
    "[[Király utca 76.]]",
    "[[12 rue de la Paix, 75002 Paris]]",
    "[[Via Roma 12, 00184 Roma]]",
    "[[Rua das Flores, 12]]",
    "[[ul. Długa 5/7, 00-238 Warszawa]]",
    "[[ул. Ленина, д. 5]]",
    "[[Slatiňanská 323\n786 01 Sázava]]",
    "[[愛媛県町田市油井24丁目20番16号]]",
    "[[北京市朝阳区建国路88号]]。",
    "[[서울특별시 강남구 테헤란로 123]]",
    "Adresse: [[Zum See 3a, Dorf]]",
)
CLEAN = (
    "",
    "The Quick Brown Fox visited Madison Avenue and Stanford University",
    "Smith Ltd, Miller & Sons, Barnett, Melton and Garcia, Underwood-Brown, Morgan Stanley",
    "Jennifer Miller Inc. and Hugo Boss",
    "Rome, Paris and Virginia; in Jan; Visual Studio Code; Apache Kafka; Spring Boot",
    "21 Hugo Wagner and Hugo Wagner 177",
    "NaN @Kevin /Kevin Kevin_ `Kevin` 06-Jan-2020",
    "Hello World! Dear Team, Hi there, Name: Frontend Service",
    "so jealous of my ssn, will may grace us",
    "IBAN Belgian NIK, Mark Young, IBAN Belgian",
    "小心様 姓名：好好",
    "upgrade to 12.4.5, 3 new features, section 12 Street",
    "email address: a@b.example, ip address 10.0.0.12, address: 0x7fff, address = 12",
    "我们知道路很远，高兴。",
    "포도가 3개 있습니다. 은행",
    "كيف حالك اليوم",
    "RFC 1869, Suite of tests, test suite 12",
    "the address is not known to us",
)


@pytest.fixture(scope="module")
def people() -> People:
    return People()


def found(people: People, text: str, kind: str) -> list[str]:
    findings = people.findings(Segment(text, "user", 0), 3)
    return [text[f.start : f.end] for f in sorted(findings, key=lambda f: f.start) if f.kind == kind and f.segment == 3]


def marked(texts: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    return [(re.sub(r"\[\[|\]\]", "", text), re.findall(r"\[\[([^\]]*)\]\]", text)) for text in texts]


@pytest.mark.parametrize(("text", "expected"), marked(NAMES))
def test_names(people: People, text: str, expected: list[str]) -> None:
    assert found(people, text, PERSON) == expected


@pytest.mark.parametrize(("text", "expected"), marked(ADDRESSES))
def test_addresses(people: People, text: str, expected: list[str]) -> None:
    assert found(people, text, ADDRESS) == expected


@pytest.mark.parametrize("text", CLEAN)
def test_finds_nothing_in(people: People, text: str) -> None:
    assert found(people, text, PERSON) + found(people, text, ADDRESS) == []


def test_a_name_in_an_address_is_part_of_it(people: People) -> None:
    assert found(people, "12 Jennifer Miller Street", PERSON) == []


def test_without_an_automaton_the_same_is_found(people: People) -> None:
    portable = People(Portable)
    for text, _ in (*marked(NAMES), *marked(ADDRESSES)):
        segment = Segment(text, "user", 0)
        assert list(portable.findings(segment, 0)) == list(people.findings(segment, 0))


@pytest.mark.parametrize(
    ("before", "said"),
    [("surname: ", "said"), ("the surname ", ""), ("my name is ", "said"), ("Dear ", "greeted"), ("blue ", "")],
)
def test_what_the_words_before_a_name_say(before: str, said: str) -> None:
    assert cue(before, len(before)) == said


def test_what_the_gazetteer_knows() -> None:
    known = gazetteer()
    assert known.marks("Kevin") & (GIVEN | WORD) == GIVEN
    assert known.marks("HOFFMANN") & (SURNAME | WORD) == SURNAME
    assert known.marks("Grace") & (GIVEN | WORD) == GIVEN | WORD
    assert known.marks("xyzzyq") == known.marks("\udcff") == 0
    assert known.east["김"] & SURNAME


def test_words_are_known_without_case_and_accents() -> None:
    assert fold("JOSÉ") == fold("jose") == "jose"
    assert fold("Łukasz") == "lukasz"
