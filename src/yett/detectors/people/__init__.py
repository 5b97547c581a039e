"""People: names and postal addresses, a tier of its own for whole texts.

A gazetteer says which words are names somewhere; capitals, what stands beside them and what is said before them make a person
of them. Addresses are patterns around the words for streets. Neither has a check digit: this is likelihood, and switched on
where a policy asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from yett.detectors.engine import Scanner
from yett.detectors.people.addresses import ADDRESSES
from yett.detectors.people.gazetteer import Gazetteer, gazetteer
from yett.detectors.people.names import names
from yett.detectors.people.uncased import uncased
from yett.detectors.sieve import Automaton
from yett.model.finding import Finding
from yett.model.segment import Segment

ADDRESS, PERSON = "pii.address", "pii.person"
KINDS = (ADDRESS, PERSON)


class People:
    """What `Inspector` asks about every segment. Belongs to one thread, as its scanner does."""

    def __init__(
        self, automaton: Callable[[tuple[bytes, ...]], Automaton] | None = None, known: Gazetteer | None = None
    ) -> None:
        self._addresses = Scanner(ADDRESSES, automaton)
        self._known = known or gazetteer()

    def findings(self, segment: Segment, number: int) -> Iterable[Finding]:
        """Addresses, and the names that are in none. The score is how sure a name is."""
        text = segment.text
        taken: list[tuple[int, int]] = []
        for found in self._addresses.scan_text(text):
            taken.append((found.start, found.end))
            yield Finding(ADDRESS, number, found.start, found.end, found.detector)
        for span in (*names(text, self._known), *uncased(text, self._known)):
            if not any(start < span.end and span.start < end for start, end in taken):
                taken.append((span.start, span.end))
                yield Finding(PERSON, number, span.start, span.end, "person-name", span.score)


__all__ = ["ADDRESS", "KINDS", "PERSON", "People"]
