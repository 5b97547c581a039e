"""Files as pieces of text: what is cut, and that nothing is lost or found twice where it is cut."""

from __future__ import annotations

import io

import click
import pytest
from tests.detectors.examples import AWS

from yett.cli import scan_places
from yett.cli.inspection import Look
from yett.cli.scan_places import OVERLAP, PIECE, pieces
from yett.cli.scan_report import of_pieces


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""), ("é".encode(), "é"), (b"a\xffb", "a\ufffdb"), ("é".encode("utf-16"), "é"),
        ("é".encode("utf-8-sig"), "é"), (b"\xfe\xff\x00\xe9", "é"),
    ],
)  # fmt: skip
def test_encodings(content: bytes, text: str) -> None:
    assert [piece.text for piece in pieces(io.BytesIO(content))] == [text]


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="binary"):
        list(pieces(io.BytesIO(b"\x7fELF\0")))


@pytest.mark.parametrize(
    "line", [b"word " * 20 + b"\n", b"word ", "wörd \n".encode()], ids=["lines", "one line", "wide"]
)
def test_a_large_file_is_read_in_pieces_that_share_their_edges(line: bytes) -> None:
    content = line * (3 * PIECE // len(line))
    text = content.decode()
    found = list(pieces(io.BytesIO(content)))
    assert len(found) > 2
    assert max(len(piece.text) for piece in found) <= PIECE + OVERLAP
    at = 0
    for piece in found:
        assert text.startswith(piece.text, piece.offset)
        before = text[: piece.offset]
        assert piece.lines == before.count("\n")
        assert piece.column == len(before) - before.rfind("\n") - 1
        assert piece.offset + piece.begin == at
        at = piece.offset + (len(piece.text) if piece.end is None else piece.end)
    assert at == len(text)


@pytest.mark.parametrize("shift", range(-3, 4))
def test_what_stands_where_a_file_is_cut_is_found_once(shift: int) -> None:
    filler = "lorem ipsum dolor sit amet " * 4 + "\n"
    start = PIECE - OVERLAP // 2 + 10 * shift - 30
    text = (filler * (2 * PIECE // len(filler)))[:start] + f" {AWS} " + filler * (PIECE // len(filler))
    found = of_pieces(Look(), "x", pieces(io.BytesIO(text.encode())))
    assert found.findings == 1
    line, column = text.count("\n", 0, start) + 1, start + 1 - text.rfind("\n", 0, start)
    assert click.unstyle(found.printed).startswith(f"x:{line}:{column}  secret.aws-access-key")


def test_globs_mean_paths_or_names() -> None:
    path = scan_places.Path("a/b/c.lock")
    assert scan_places.is_excluded(path, ("*.lock",))
    assert scan_places.is_excluded(path, ("a/*",))
    assert not scan_places.is_excluded(path, ("b",))
