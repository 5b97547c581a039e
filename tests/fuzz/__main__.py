"""`python -m tests.fuzz TARGET SECONDS FOLDER`: fuzz one target; what reaches new code is kept in FOLDER. Needs atheris (`make fuzz`)."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["yett"]):
    from tests.fuzz.targets import TARGETS

name, seconds, folder = sys.argv[1:4]
kept = Path(folder) / name
kept.mkdir(parents=True, exist_ok=True)
seeds = Path(__file__).parent / "corpus" / name
atheris.Setup(
    [
        f"fuzz-{name}",
        f"-max_total_time={seconds}",
        "-timeout=20",
        "-rss_limit_mb=4096",
        "-max_len=4096",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/{name}-",
        str(kept),
        str(seeds),
    ],
    TARGETS[name],
)
TARGETS[name](b"")  # what is compiled at the first call takes longer than an input may
atheris.Fuzz()
