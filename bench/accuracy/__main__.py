"""`make accuracy DATA=folder`: measure on the labelled texts of a folder and on those of the tests; with --publish, write it down."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from bench.accuracy import figures, page
from yett import __version__
from yett.cli.detectors_bench import measure as measure_cost
from yett.cli.inspection import Look, scanner

ROOT = Path(__file__).parent.parent.parent
OWN = ROOT / "tests" / "data" / "accuracy"
RESULTS = ROOT / "bench" / "accuracy.json"
COST_ROUNDS = 20  # over half a minute: what else the machine does comes and goes


def everything(folders: Iterable[Path]) -> list[figures.Measured]:
    """The figures of all files that can be measured, in order."""
    look = Look()
    found = []
    for path in (path for folder in folders for path in figures.files(folder)):
        with click.progressbar(list(figures.rows(path)), label=path.name, file=sys.stderr) as rows:
            found.append(figures.measure(look, path, rows))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="make accuracy DATA=folder", description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, help="folder with labelled texts")
    parser.add_argument("--publish", action="store_true", help="write bench/accuracy.json and docs/detection.md")
    chosen = parser.parse_args()
    if chosen.data is not None and not chosen.data.is_dir():
        parser.error(f"{chosen.data} is no folder")
    found = everything([OWN] if chosen.data is None else [OWN, chosen.data])
    cost = measure_cost(scanner(None), Look(), COST_ROUNDS)
    tables = page.render(found, [dict(row) for row in cost])
    print(tables)
    if chosen.publish:
        whole = {"version": __version__, "files": [asdict(each) for each in found], "cost": cost}
        RESULTS.write_text(json.dumps(whole, indent=1) + "\n")
        page.put_in_place(tables)


if __name__ == "__main__":
    main()
