"""Every input that fuzzing has kept, once more: what it found stays mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_kept_passes(name: str) -> None:
    kept = sorted((CORPUS / name).iterdir())
    assert kept, "no seeds"
    for file in kept:
        TARGETS[name](file.read_bytes())


def test_every_corpus_has_a_target() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
