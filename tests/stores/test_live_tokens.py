"""How many task tokens with a budget live: exact over the workers of a machine, over restarts, and released when they end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from yett.stores import live_tokens
from yett.stores.live_tokens import LiveTokens

NOW = 1_795_003_200


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[LiveTokens]]:
    made = [LiveTokens(tmp_path / "tokens.live") for _ in range(3)]
    yield made
    for one in made:
        one.close()


def test_all_workers_count_together(workers: list[LiveTokens]) -> None:
    taken = [workers[number % 3].take("a", 4, NOW + 10 + number, NOW) for number in range(6)]
    assert taken == [0, 0, 0, 0, 10, 10]
    assert workers[2].take("b", 4, NOW + 10, NOW) == 0, "another caller"
    assert [worker.take("a", 4, NOW + 100, NOW + 10) for worker in workers] == [0, 1, 1], "one has ended"


def test_it_outlives_a_restart(workers: list[LiveTokens], tmp_path: Path) -> None:
    assert workers[0].take("a", 1, NOW + 10, NOW) == 0
    workers[0].close()
    again = LiveTokens(tmp_path / "tokens.live")
    assert again.take("a", 1, NOW + 10, NOW) == 10
    again.close()


def test_what_is_over_is_taken_out(workers: list[LiveTokens], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tokens, "SPARE", 8)
    one, two, _ = workers
    assert one.take("lasts", 1, NOW + 10**6, NOW) == 0
    for second in range(500):
        assert (one, two)[second % 2].take(f"caller-{second % 7}", 10, NOW + second + 5, NOW + second) == 0
    assert (tmp_path / "tokens.live").stat().st_size < 1500
    assert two.take("lasts", 1, NOW + 10, NOW + 500) > 0


def test_there_is_an_end_for_all_callers_together(workers: list[LiveTokens], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tokens, "MOST", 5)
    assert [workers[n % 2].take(f"caller-{n}", 10, NOW + 10, NOW) for n in range(7)] == [0] * 5 + [10, 10]
    assert workers[0].take("x", 10, NOW + 20, NOW + 9) == 1
    assert workers[0].take("x", 10, NOW + 20, NOW + 10) == 0


def test_what_was_half_written_is_written_over(workers: list[LiveTokens], tmp_path: Path) -> None:
    one, two, _ = workers
    assert one.take("a", 2, NOW + 10, NOW) == 0
    with (tmp_path / "tokens.live").open("ab") as file:
        file.write(b"half")
    assert [two.take("a", 2, NOW + 10, NOW), one.take("a", 2, NOW + 10, NOW)] == [0, 10]


HURRIED = """
import sys
from pathlib import Path
from yett.stores.live_tokens import LiveTokens
tokens = LiveTokens(Path(sys.argv[1]))
print(sum(tokens.take("a", 100, 2_000_000_000, 1_795_003_200) == 0 for _ in range(100)))
"""


def test_in_a_rush_nobody_gets_one_too_many(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HURRIED, str(tmp_path / "tokens.live")]
    rush = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(each.communicate()[0]) for each in rush) == 100
