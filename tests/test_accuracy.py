"""Accuracy: the arithmetic behind the published figures, and that no change takes anything away from them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from bench.accuracy import figures
from bench.accuracy.figures import Figures, Measured, Row, Share, auc, files, filled, measure, recall_at, row, rows
from bench.accuracy.page import in_place, render
from tests.detectors.examples import AWS

from yett.cli.inspection import Look

ROOT = Path(__file__).parent.parent
PUBLISHED = json.loads((ROOT / "bench/accuracy.json").read_text())
OWN = Path(__file__).parent / "data/accuracy"


# ---- arithmetic -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (1, 1, 0.2065, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_intervals(hits: int, total: int, low: float, high: float) -> None:
    """Against values of R's binom.confint(method = "wilson")."""
    assert Share(hits, total).interval == pytest.approx((low, high), abs=1e-4)


def test_the_area_under_the_curve() -> None:
    assert auc([(0.1, False), (0.9, True)]) == 1.0
    assert auc([(0.9, False), (0.1, True)]) == 0.0
    assert auc([(0.5, False), (0.5, True), (0.5, True)]) == 0.5
    assert auc([(0.1, False), (0.4, True), (0.4, False), (0.8, True)]) == pytest.approx(0.875)
    assert auc([(0.1, False)]) is None


def test_recall_at_a_share_of_false_alarms() -> None:
    scores = [(at / 100, False) for at in range(100)] + [(0.985, True), (0.5, True), (1.0, True)]
    assert recall_at(scores, 0.01) == pytest.approx(2 / 3)
    assert recall_at(scores, 0.6) == 1.0
    assert recall_at([(0.5, True)], 0.01) is None


def test_what_is_measured_in_a_folder(tmp_path: Path) -> None:
    for name in ("secrets_dev.jsonl", "pii_dev.jsonl.gz", "injection_train.jsonl.gz", "other.jsonl", "secrets.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in files(tmp_path)] == ["pii_dev.jsonl.gz", "secrets_dev.jsonl"]


def test_rows_of_a_file(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "secrets.jsonl.gz", "wt") as file:
        file.write('{"text": "<hex:8>", "label": 1, "source": "s", "kind": "benign_document"}\n')
    (one,) = rows(tmp_path / "secrets.jsonl.gz")
    assert (one.role, one.label, one.source, len(one.text)) == ("document", True, "s", 8)
    assert row({"text": "a", "spans": [[0, 1, "X"]]}, "").spans == ((0, 1, "X"),)
    assert row({"text": "a", "label": 0, "role": "tool", "kind": "injection_indirect"}, "").role == "tool"


def test_holes_are_filled_with_the_same_noise_every_time() -> None:
    text = "<hex:8> <HEX:8> <alnum:9> <upper:16> <digits:6> <b64:40> <other:3>"
    words = filled(text, "a").split()
    assert [len(word) for word in words] == [8, 8, 9, 16, 6, 40, 9]
    assert filled(text, "a") == filled(text, "a") != filled(text, "b")


def test_counting_by_source() -> None:
    given = [Row(f"key {AWS}", "user", "a", True), Row("nothing", "user", "a", False), Row(AWS, "user", "b", False)]
    found = measure(Look(), Path("secrets_x.jsonl"), given)
    assert (found.family, found.name, found.auc) == ("secrets", "secrets_x.jsonl", None)
    assert found.sources == {"a": Figures(Share(1, 1), Share(0, 1)), "b": Figures(Share(), Share(1, 1))}
    assert found.total == Figures(Share(1, 1), Share(1, 2))
    assert found.precision == Share(1, 2)


def test_counting_by_span() -> None:
    text = "ada@mail.example.org, Ada"
    spans = ((0, 20, "EMAIL_ADDRESS"), (22, 25, "ORGANIZATION"))
    found = measure(Look(), Path("pii.jsonl"), [Row(text, "user", "a", True, spans), Row(text, "user", "a", False, ())])
    assert found.by_type == {"EMAIL_ADDRESS": Share(1, 1)}
    assert found.sources["a"] == Figures(Share(1, 1), Share(1, 2))


def test_tables() -> None:
    sources = {"one": Figures(Share(9, 10), Share(1, 100)), "x": Figures(Share(1, 2)), "y": Figures(Share(0, 1))}
    given = Measured("injection", "i.jsonl", sources, {}, 0.75, 0.5)
    page = render(
        [given], [{"text": "prose", "clean_us": 17.123, "patterns_us": 20, "all_us_per_kb": 1, "chunk_us": 2}]
    )
    assert "`i.jsonl`, AUC 0.750, recall at 1 % false alarms 50.0 %:" in page
    assert "| one | 9 of 10 | 90.0 % (59.6–98.2) | 1.0 % (0.2–5.4) of 100 |" in page
    assert "| 2 small ones | 1 of 3 |" in page
    assert "| prose | 17.1 | 20 | 1 | 2 |" in page


# ---- what is published ----------------------------------------------------------------------------------------------


def test_the_manual_shows_what_was_measured() -> None:
    assert in_place() == render(figures.load(ROOT / "bench/accuracy.json"), PUBLISHED["cost"])


@pytest.mark.parametrize("path", files(OWN), ids=lambda path: path.stem)
def test_nothing_is_worse_than_published(path: Path) -> None:
    """When detection gets better: `make accuracy DATA=… ARGS=--publish`."""
    (published,) = [each for each in figures.load(ROOT / "bench/accuracy.json") if each.name == path.name]
    now = measure(Look(), path, rows(path))
    assert now.sources.keys() == published.sources.keys()
    for source, before in published.sources.items():
        after = now.sources[source]
        assert (after.recall.total, after.alarms.total) == (before.recall.total, before.alarms.total)
        assert after.recall.hits >= before.recall.hits, f"{source}: less is found than was published"
        assert after.alarms.hits <= before.alarms.hits, f"{source}: more false alarms than were published"
