"""Findings as lines and columns."""

from __future__ import annotations

from tests.detectors.examples import AWS

from yett.detectors.engine import Scanner
from yett.detectors.locate import Place, locate


def test_lines_and_columns_count_from_one(scanner: Scanner) -> None:
    text = f"{AWS}\n\n  é ada@mail.example.org\n"
    assert locate(scanner, text) == (
        Place(kind="secret.aws-access-key", detector="aws-access-key-id", line=1, column=1, length=20),
        Place(kind="pii.email", detector="email", line=3, column=5, length=20),
    )


def test_a_clean_file_has_no_places(scanner: Scanner) -> None:
    assert locate(scanner, "nothing\nhere\n") == ()
