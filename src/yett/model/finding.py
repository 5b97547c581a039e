"""Finding: something a detector saw in a segment."""

from __future__ import annotations

from msgspec import Struct


class Finding(Struct, frozen=True, gc=False):
    """A match. `start`/`end` are character offsets into the text of `segment` (a position in the list that was scanned).

    `kind` begins with its family: `secret.aws-access-key`, `pii.email`, `label.restricted`. The matched text itself is
    deliberately not here: findings are recorded, what they found is not.
    """

    kind: str
    segment: int
    start: int
    end: int
    detector: str
    score: float = 1.0

    @property
    def family(self) -> str:
        return self.kind.partition(".")[0]
