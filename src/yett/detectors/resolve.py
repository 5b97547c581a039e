"""Resolve: from overlapping candidates to findings, in a way that does not depend on how the text was cut into pieces.

Candidates that overlap form a cluster, left to right. Within a cluster, those of one family fuse into one finding that covers
them all and bears the kind of the most specific; those of different families stay side by side, because a caller may be
asked to redact one family alone. A cluster is bounded: what reaches beyond its bound becomes a candidate of the next one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from yett.detectors.detector import Detector
from yett.model.finding import Finding

SPAN_CAP = 8192  # characters of one finding; a longer match is reported as several that touch
CHAIN_CAP = 512  # characters of a cluster that grows by overlap: bounds what a stream holds of `a@b.cd@e.fg@…`
OPEN = 1 << 60  # the end of a span that may still grow


class Candidate(NamedTuple):
    """A validated match; `detector` is its place on the shelf. `tail` is where its tail began: the span's end without one."""

    start: int
    end: int
    detector: int
    tail: int


class Cluster(NamedTuple):
    start: int
    end: int
    members: list[Candidate]


def clusters(candidates: Iterable[Candidate]) -> list[Cluster]:
    """Disjoint clusters in order, of candidates whose end is known. Members are clipped to their cluster; the rest of a clipped one is in the next."""
    queue = [(candidate.start, -candidate.end, candidate.detector, candidate) for candidate in candidates]
    heapq.heapify(queue)
    found: list[Cluster] = []
    while queue:
        start, reach, _, _ = queue[0]
        end = min(-reach, start + SPAN_CAP)
        bound = max(end, start + CHAIN_CAP)
        members: list[Candidate] = []
        while queue and queue[0][0] < end:
            candidate = heapq.heappop(queue)[3]
            if candidate.end > bound:
                heapq.heappush(queue, (bound, -candidate.end, candidate.detector, candidate._replace(start=bound)))
                candidate = candidate._replace(end=bound)
            end = max(end, candidate.end)
            members.append(candidate)
        found.append(Cluster(start, end, members))
    return found


def findings(cluster: Cluster, detectors: Sequence[Detector], segment: int = 0) -> list[Finding]:
    """The findings of one cluster, sorted by position; within a family they do not overlap."""
    families: dict[str, list[Candidate]] = {}
    for member in cluster.members:
        families.setdefault(detectors[member.detector].kind.partition(".")[0], []).append(member)
    fused: list[Finding] = []
    for members in families.values():
        members.sort()
        start, end, best = members[0][:3]
        for member in members[1:]:
            if member.start < end:
                end = max(end, member.end)
                best = min(best, member.detector)
                continue
            fused.append(_finding(detectors[best], segment, start, end))
            start, end, best = member[:3]
        fused.append(_finding(detectors[best], segment, start, end))
    fused.sort(key=lambda finding: (finding.start, finding.end, finding.kind))
    return fused


def _finding(detector: Detector, segment: int, start: int, end: int) -> Finding:
    return Finding(kind=detector.kind, segment=segment, start=start, end=end, detector=detector.id)
