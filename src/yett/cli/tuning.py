"""Tuning: what reviews of findings suggest, as proposals that change nothing, each with what it would have done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from yett.stores.reviews import Review

ENOUGH = 5  # reviews of one sort that a proposal rests on
TWICE = 2  # one value that was false so often, and never true, is one to suppress
PRECISE = 0.95  # what a threshold has to reach
RARELY = 0.1  # a detector that is right less often is worth nothing here


class Proposal(Struct, frozen=True):
    """`action` is suppress-value, suppress-scope, disable or threshold. What does not apply to it is empty."""

    action: str
    kind: str
    true: int  # reviews that it would take away wrongly
    false: int  # reviews that it would take away rightly
    detector: str = ""
    value: str = ""
    team: str = ""
    role: str = ""
    percent: int = 0  # of the score, from which on it counts

    @property
    def command(self) -> str:
        """What to do about it: a command to run, or what to write."""
        if self.action == "threshold":
            return f"write context.injection >= {self.percent} into the policies that act on it"
        if self.action == "disable":
            return f'write disabled = ["{self.detector}"] under [inspection]'
        name = f"{self.detector or self.kind}-{self.value[:8] or self.team or 'all'}".replace(".", "-")
        scope = f" --hash {self.value}" if self.value else ""
        scope += f" --team {self.team}" if self.team else ""
        scope += f" --role {self.role}" if self.role else ""
        reason = f"{self.false} of {self.false + self.true} reviewed were false"
        return f'yett findings suppress {name} --finding {self.kind}{scope} --days 90 --reason "{reason}"'


def proposals(reviews: Sequence[Review]) -> list[Proposal]:
    """What the reviews suggest, the most exact first: a value, then a scope, then all of a detector."""
    covered: set[tuple[str, str, str, str]] = set()
    found: list[Proposal] = []
    for proposal, about in (*_values(reviews), *_scopes(reviews), *_detectors(reviews)):
        left = [each for each in about if not each.verdict and each.key not in covered]
        if left:  # otherwise it says again what a more exact one has said
            covered |= {each.key for each in about}
            found.append(proposal)
    return found + list(_thresholds(reviews))


def _values(reviews: Sequence[Review]) -> Iterator[tuple[Proposal, list[Review]]]:
    for (kind, value), about in _by(reviews, "kind", "value"):
        true, false = _counts(about)
        if value and not true and false >= TWICE:
            yield Proposal("suppress-value", kind, true, false, about[0].detector, value), about


def _scopes(reviews: Sequence[Review]) -> Iterator[tuple[Proposal, list[Review]]]:
    for (kind, team, role), about in _by(reviews, "kind", "team", "role"):
        true, false = _counts(about)
        if not true and false >= ENOUGH:
            yield Proposal("suppress-scope", kind, true, false, team=team, role=role), about


def _detectors(reviews: Sequence[Review]) -> Iterator[tuple[Proposal, list[Review]]]:
    for (detector, kind), about in _by(reviews, "detector", "kind"):
        true, false = _counts(about)
        if detector and false >= 2 * ENOUGH and true / (true + false) < RARELY:
            yield Proposal("disable", kind, true, false, detector), about


def _thresholds(reviews: Sequence[Review]) -> Iterator[Proposal]:
    """The lowest threshold, in steps of 5 %, that would have been right nearly always."""
    scored = [each for each in reviews if each.kind.startswith("injection.") and each.score < 1.0]
    if len(scored) < 2 * ENOUGH or all(each.verdict for each in scored):
        return
    for percent in range(55, 100, 5):
        above = [each for each in scored if each.score * 100 >= percent]
        below = [each for each in scored if each.score * 100 < percent]
        true, _ = _counts(above)
        if len(above) >= ENOUGH and true / len(above) >= PRECISE:
            yield Proposal("threshold", "injection", *_counts(below), percent=percent)
            return


def _by(reviews: Iterable[Review], *names: str) -> list[tuple[tuple[str, ...], list[Review]]]:
    groups: dict[tuple[str, ...], list[Review]] = defaultdict(list)
    for each in reviews:
        groups[tuple(getattr(each, name) for name in names)].append(each)
    return sorted(groups.items())


def _counts(reviews: Iterable[Review]) -> tuple[int, int]:
    """How many were true, and how many false."""
    verdicts = [each.verdict for each in reviews]
    return verdicts.count(True), verdicts.count(False)
