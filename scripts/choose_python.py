"""Print the interpreter that `.venv` is made from: `python3`, unless the system's own runs Yett a good deal faster.

A Python that was built without profile-guided optimisation, as version managers do by default, needs a quarter more CPU for
every call than the one that the operating system ships. So both run the same loop, and the system's is taken when it wins
clearly and can run Yett. `make PYTHON=…` decides it by hand. Runs on any Python 3.
"""

import shutil
import subprocess
import sys

SYSTEM = "/usr/bin/python3"
CLEARLY = 0.85  # of the other's time
PROBE = """
import sys, time
if not (3, 11) <= sys.version_info < (3, 15):
    sys.exit(1)
import ensurepip, venv
best = 9.0
for _ in range(15):
    began, seen = time.perf_counter(), {}
    for number in range(4000):
        seen[number] = (number, str(number))
        number = seen[number][0] + len(seen[number][1])
    best = min(best, time.perf_counter() - began)
print(best)
"""


def seconds(python):
    """How long the loop takes; None for an interpreter that cannot run Yett."""
    done = subprocess.run([python, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def choose(usual, system_path=SYSTEM):
    """The path of the interpreter to use; `usual` when there is nothing better, or nothing at all."""
    if shutil.which(system_path) is None:
        return usual
    system = seconds(system_path)
    if system is None:
        return usual
    own = seconds(usual) if shutil.which(usual) else None
    return system_path if own is None or system < CLEARLY * own else usual


if __name__ == "__main__":
    print(choose(sys.argv[1] if len(sys.argv) > 1 else "python3"))
