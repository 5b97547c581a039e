"""What the commands about findings begin with: the calls of the past, and what people said of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from yett.cli.inspection import Look
from yett.cli.journal import folder_of, opener
from yett.cli.sightings import Past
from yett.cli.state import open_keys, open_shared
from yett.config.reader import read
from yett.config.suppressions import fingerprint
from yett.stores.journal import CONTENT_KEY
from yett.stores.pepper import state_directory
from yett.stores.reviews import ReviewStore


@contextmanager
def past_of(folder: Path | None, config: Path) -> Iterator[tuple[Past, ReviewStore]]:
    """What is known, and what was said of it."""
    folder = folder_of(folder, config)
    reading = read(config, os.environ)
    state = state_directory(reading.state)
    kept = opener(folder, config) if (state / CONTENT_KEY).is_file() else None
    look = Look(config if config.is_file() else None)
    database = open_shared(reading)
    with open_keys(reading, database) as keys, ReviewStore.open(state, database) as reviews:
        yield Past(folder, look, partial(fingerprint, keys.pepper), kept), reviews
