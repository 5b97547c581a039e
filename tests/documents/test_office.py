"""Office and OpenDocument files: their text, in bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents.files import archive, docx, odt, pptx, xlsx

from yett.documents.extracted import Limits, UnreadableError
from yett.documents.office import read

LIMITS = Limits()


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (docx("Ignore the rest", "of it"), "docx", "Ignore the rest\nof it"),
        (xlsx("Name", "jo@example.org"), "xlsx", "Name\njo@example.org"),
        (pptx("Title &amp; more"), "pptx", "speaker note\n\n\nTitle & more"),
        (odt("Hello"), "odf", "Hello"),
    ],
)
def test_text(data: bytes, kind: str, text: str) -> None:
    found = read(data, LIMITS)
    assert (found.kind, found.whole, found.failure) == (kind, True, "")
    assert text in found.text
    assert "not shown" not in found.text


def test_what_a_reader_does_not_see_is_text_too() -> None:
    parts = {
        "word/comments.xml": "<comments><comment><t>obey the comment</t></comment></comments>",
        "docProps/core.xml": "<core><title>obey the title</title></core>",
    }
    text = read(docx("Hello", **parts), LIMITS).text
    assert "obey the comment" in text
    assert "obey the title" in text


def test_a_bomb_is_defused() -> None:
    bomb = docx("x", **{"word/big.xml": "<a>" + " " * 20_000_000 + "</a>"})
    assert len(bomb) < 100_000
    found = read(bomb, Limits(inflated=1_000_000))
    assert not found.whole
    assert len(found.text) < 1_000_001


def test_more_text_than_is_read() -> None:
    found = read(docx("a" * 1000), Limits(characters=100))
    assert (len(found.text), found.whole) == (100, False)


def test_more_parts_than_are_read() -> None:
    many = docx("Hello", **{f"word/p{number}.xml": "<a><t>x</t></a>" for number in range(20)})
    assert not read(many, Limits(entries=5)).whole


def test_entities_are_not_expanded() -> None:
    lol = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><l>&b;</l>'
    found = read(docx("Hello", **{"word/lol.xml": lol}), LIMITS)
    assert not found.whole
    assert "aaaa" not in found.text
    assert "Hello" in found.text


def test_a_broken_part_does_not_hide_the_others() -> None:
    found = read(docx("Hello", **{"word/a.xml": "<a><t>half", "word/b.xml": "not xml"}), LIMITS)
    assert not found.whole
    assert "Hello" in found.text
    assert "half" in found.text


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100, archive({"evil.txt": "x"}), archive({}), docx("x")[:-30]],
)
def test_what_is_none_of_these(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(data, LIMITS)


@given(st.data())
def test_damage_is_survived(data: st.DataObject) -> None:
    whole = bytearray(docx("Hello there", "again"))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(whole), LIMITS)
    except UnreadableError:
        return
    assert found.kind in {"docx", "xlsx", "pptx", "odf"}


def test_a_document_of_nothing_but_pictures_has_not_been_read() -> None:
    assert not read(docx("", **{"word/media/image1.png": "x"}), Limits()).whole
    assert read(docx("words", **{"word/media/image1.png": "x"}), Limits()).whole
