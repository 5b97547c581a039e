"""The shipped shelf, compiled once, and examples of what it finds. None of them is a credential: they are put together here."""

from __future__ import annotations

import pytest

from yett.detectors.engine import Portable, Scanner
from yett.detectors.shelf import SHELF


@pytest.fixture(scope="session")
def scanner() -> Scanner:
    return Scanner(SHELF)


@pytest.fixture(scope="session")
def portable() -> Scanner:
    return Scanner(SHELF, Portable)
