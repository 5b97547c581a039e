"""A proof of possession is good once on a machine, whichever worker it comes to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from yett.identity.dpop import WINDOW, Proof
from yett.stores.proofs import PROBES, UsedProofs

NOW = 1_795_003_200.0


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[list[UsedProofs]]:
    made = [UsedProofs(tmp_path / "used") for _ in range(3)]
    yield made
    for one in made:
        one.close()


def test_a_proof_is_good_once_for_all_workers(workers: list[UsedProofs]) -> None:
    one, two, three = workers
    proof = Proof("key", "p1")
    assert one.first("a", proof, NOW)
    assert not any(worker.first("a", proof, NOW + second) for second, worker in ((0, one), (1, two), (119, three)))
    assert two.first("b", proof, NOW)  # of another tenant it is another
    assert two.first("a", Proof("key", "p2"), NOW)
    assert not three.first("a", Proof("key", "p2"), NOW)


def test_it_outlives_a_restart_and_makes_room_again(workers: list[UsedProofs], tmp_path: Path) -> None:
    one = workers[0]
    assert one.first("a", Proof("k", "1"), NOW)
    one.close()
    one.close()
    restarted = UsedProofs(tmp_path / "used")
    assert not restarted.first("a", Proof("k", "1"), NOW + 1)
    assert restarted.first("a", Proof("k", "2"), NOW + 1)
    restarted.close()
    later = UsedProofs(tmp_path / "used")  # by then it is too old to be believed at all
    assert later.first("a", Proof("k", "1"), NOW + 2 * WINDOW + 2)
    later.close()
    assert (tmp_path / "used").stat().st_mode & 0o777 == 0o600


def test_where_there_is_no_room_it_is_refused(tmp_path: Path) -> None:
    used = UsedProofs(tmp_path / "used", slots=1)
    assert [used.first("a", Proof("k", str(number)), NOW) for number in range(PROBES + 2)] == [True] * PROBES + [
        False
    ] * 2
    assert used.first("a", Proof("k", "later"), NOW + 2 * WINDOW + 2)
    used.close()
    nowhere = UsedProofs(tmp_path / "missing" / "used")
    with pytest.raises(FileNotFoundError):
        nowhere.first("a", Proof("k", "1"), NOW)


RACER = """
import sys
from pathlib import Path
from yett.identity.dpop import Proof
from yett.stores.proofs import UsedProofs
used = UsedProofs(Path(sys.argv[1]))
sys.stdin.readline()
print("".join("1" if used.first("a", Proof("k", str(number)), 1000.0) else "0" for number in range(1000)))
"""


def test_of_processes_that_race_one_wins(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path / "used")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    rows = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert all(len(row) == 1000 for row in rows)
    assert [sum(row[number] == "1" for row in rows) for number in range(1000)] == [1] * 1000
