"""Sample: one text to learn from or to measure on, with where it came from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FROM, TO = "\ue010", "\ue011"  # what an attack stands between in a composed text; both are taken out before it is read


class Sample(NamedTuple):
    """`attack` is the label. `family` is what is held out together in an honest measurement: a source, or one generator.
    `surface` is where such a text stands: user, tool (tool results, documents) or both."""

    text: str
    attack: bool
    family: str
    surface: str = "user"


def read(path: Path) -> Iterator[Sample]:
    """JSON Lines, gzip: `{text, label, source}` per line."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Sample(row["text"], bool(row["label"]), row["source"])
