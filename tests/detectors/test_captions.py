"""Numbers that are named over their column, or behind them, are read with their names before them."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.captions import HOW, SHAPES, captioned
from yett.detectors.engine import Scanner
from yett.detectors.expression import compiled
from yett.detectors.inspector import Inspector
from yett.detectors.pii import PII
from yett.detectors.shelf import SHELF
from yett.detectors.view import View

INSPECTOR = Inspector(Scanner(PII), judges=False)
SSN = "219099999"

NAMED = [
    f"{SSN} is my SSN",
    "219 09 9999 is my social security number.",
    f"Sure - it's {SSN}. That's my SSN, right?",
    f"Kunde Nr. 4: {SSN} (SSN)",
    f"用这个：{SSN}（SSN）",
    f"{SSN}是我的SSN",
    f'he typed "{SSN}" as his SSN',
    f"{SSN}, my SSN",
    f"id,ssn,status\n17,{SSN},open",
    "id,ssn,status\n17,219 09 99,x\nx,n/a,open\n18,219 09 9999,open",
    f'"no","name","ssn"\n"17","Berg, Anna","{SSN}"',
    f"id\tssn\r\n17\t{SSN}\r\n",
    f"ssn;city\n{SSN};Oslo",
    f"| id | SSN | status |\n|----|:---:|--------|\n| 17 | {SSN} | open |",
    f"NAME   SSN        CITY\n-----  ---------  ----\nBerg   {SSN}  Oslo",
    f"INSERT INTO people (id, ssn) VALUES (17, '{SSN}');",
    f"insert into t(`name`, `ssn`) values ('O''Hara, (Tim)', '{SSN}'), ('x', null)",
    f"insert into t(name, ssn) values ('x', null),\n ('y', '{SSN}')",
]


@pytest.mark.parametrize("text", NAMED)
def test_what_a_number_is_called_may_stand_elsewhere(text: str) -> None:
    found = [f for f in INSPECTOR.text(text).findings if f.kind == "pii.us-ssn"]
    assert [text[f.start : f.end].replace(" ", "") for f in found] == [SSN]


UNNAMED = [
    f"{SSN} is my lucky number",
    f"id,status,ssn\n{SSN},open,none",
    f"id,ssn\n17,{SSN},open",
    f"id,ssn,city\nx,y\n17,{SSN},open",
    f"{'ssn' * 20},id\n{SSN},4",
    f"a line, and one more\n\n{SSN} SSNs were counted",
    f"insert into t(id, ssn) select {SSN}, 4",
    "insert into t(id, ssn) values (4)",
    "ABCDEFGHI is my SSN",
    "ABCDEFGHIJKLMNO is my SSN",
    f"id,ssn\n17,n/a 444\nx,y,z\n18,{SSN}",
    "Any word (SSN) and 2 more",
]


@pytest.mark.parametrize("text", UNNAMED)
def test_other_numbers_get_no_name(text: str) -> None:
    assert not [f for f in INSPECTOR.text(text).findings if f.detector.startswith(HOW)]


def test_several_words_of_a_number_are_one() -> None:
    text = "He said Jul 23 1984 is my birthday, and AB 12 34 56 C is his NINO."
    found = INSPECTOR.text(text).findings
    assert [(f.kind, text[f.start : f.end]) for f in found if f.detector.startswith(HOW)] == [
        ("pii.date-of-birth", "Jul 23 1984"),
    ]
    long = " ".join(["1234"] * 12)
    assert captioned(View(f"{long} is my account number"), SHAPES).text.startswith(" ".join(["1234"] * 4) + "  acc")  # type: ignore[union-attr]


def test_what_is_known_already_is_not_said_twice() -> None:
    text = f"SSN {SSN} is my SSN"
    assert [f.detector for f in INSPECTOR.text(text).findings] == ["us-ssn-named"]


def test_a_head_of_a_column_proves_no_secret() -> None:
    assert Inspector(Scanner(SHELF), judges=False).text("id,password,x\n1,hunter2hunter2hunter22,3").findings == ()


def test_nothing_to_read_elsewhere() -> None:
    assert captioned(View("a, b\nc, d"), SHAPES) is None
    assert captioned(View("ABCDEFGHIJKLMNO is my SSN"), SHAPES) is None
    assert captioned(View(f"{SSN} is my SSN"), ()) is None


@pytest.mark.parametrize("text", NAMED)
def test_the_automaton_is_told_of_each(text: str) -> None:
    data = f"\n{text}\n".encode()
    assert any(compiled(shape).search(data) for shape in SHAPES.values())


PIECES = [
    "\n",
    ",",
    "|",
    "\t",
    "  ",
    '"',
    "'",
    "(",
    ")",
    "insert into t(",
    ") values (",
    " is my ",
    "是",
    " (",
    "ssn",
    "21 ",
    SSN,
    "Jul",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@settings(max_examples=50, deadline=None)
def test_any_text_keeps_its_numbers(text: str) -> None:
    view = captioned(View(text), SHAPES)
    for at in range(len(view.text)) if view else ():
        assert view is not None
        start, end, how = view.origin(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert how or text[start:end] == view.text[at]


@pytest.mark.parametrize(
    "hostile",
    [
        f"{SSN} (a is my ",
        "1, is my ",
        "a,1\n",
        "a,b\n1234,5678\n",
        "'",
        '"',
        "insert into t(a) values (1), ",
        "(",
        "1234 ",
    ],
)
def test_it_is_linear(hostile: str) -> None:
    def cost(length: int) -> float:
        text = (hostile * length)[:length]
        spent = []
        for _ in range(3):
            start = process_time()
            captioned(View(text), SHAPES)
            spent.append(process_time() - start)
        return min(spent)

    assert cost(16_000) < 80 * cost(1_000) + 0.01
