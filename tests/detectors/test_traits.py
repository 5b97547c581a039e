"""What texts are: languages of the user, code and files of whoever brings them."""

from __future__ import annotations

from base64 import b64encode

import pytest

from yett.detectors.traits import NO_TRAITS, VOCABULARY, Traits, traits, united
from yett.model.segment import Segment

ALL = frozenset(VOCABULARY)
ENGLISH = "Please tell me what is in this."
PDF = b64encode(b"%PDF-1.7" + bytes(90)).decode()
GO = "Why does this not compile?\n\npackage main\n\nfunc main() {\n\tx := 5\n}\nfunc other() {\n}\n"
UNKNOWN = "    frobnicate(x, y);\n    if (a < b) {\n        swap(a, b);\n    }\n    return a;\n"


def of(*texts: tuple[str, str], wanted: frozenset[str] = ALL) -> Traits:
    return traits([Segment(text, role, place) for place, (role, text) in enumerate(texts)], wanted)


def test_only_what_is_asked_for_is_worked_out() -> None:
    assert of(("user", ENGLISH), wanted=frozenset()) is NO_TRAITS
    assert of(("user", ENGLISH + GO), wanted=frozenset({"languages"})) == Traits(languages=("en",))
    assert of(("user", "x")) is NO_TRAITS


def test_the_language_is_that_of_the_user() -> None:
    assert of(("user", ENGLISH), ("system", "Du bist ein Assistent, der nur auf Deutsch antwortet.")).languages == (
        "en",
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GO, ("go",)),
        (UNKNOWN, ("other",)),
        ("```python\nx\n```", ("python",)),
        ("```py\nx\n```\nand\n```brainfuck\n+\n```\n~~~text\nhello\n~~~", ("other", "python")),
        (f"see ```x``` \n{GO}", ("go",)),
        ("```sh\nls\n```\n" + GO, ("go", "shell")),
        ("\n" * 79 + "words\n" * 90 + GO, ("go",)),
        ("Note: this\nTo: you\nSubject: yaml?\nis: prose\n", ()),
        ("One line of prose; and another one;\nwhich goes on and on\nuntil the end.", ()),
        ("x = 5", ()),
    ],
)
def test_code_is_told_by_labels_and_looks(text: str, code: tuple[str, ...]) -> None:
    assert of(("user", text)).code == of(("tool", text)).code == of(("attachment", text)).code == code
    assert of(("system", text)).code == ()
    assert set(code) <= VOCABULARY["code"]


def test_files_are_told_by_their_first_bytes() -> None:
    picture = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()
    found = of(("url", f"data:image/gif;base64,{picture}"), ("user", PDF), ("user", "data:text/plain;base64,aGVsbG8="))
    assert found.files == ("other", "pdf", "png")
    assert of(("system", PDF)).files == ()


def test_traits_of_several_texts() -> None:
    one, other = Traits(("en",), ("go",)), Traits(("de",), ("go",), ("pdf",))
    assert united([]) is united([NO_TRAITS]) is NO_TRAITS
    assert united([NO_TRAITS, one]) is one
    assert united([one, other]) == Traits(("de", "en"), ("go",), ("pdf",))
