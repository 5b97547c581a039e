"""The figures of `make accuracy` as the tables of docs/detection.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.accuracy.figures import STRUCTURED, Figures, Measured, Share, summed

PAGE = Path(__file__).parent.parent.parent / "docs" / "detection.md"
BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
FEW = 10  # texts of a source
_TITLES = {"secrets": "Secrets", "pii": "Personal data", "injection": "Injection"}
_SORTS = {
    "clean_us": "automaton, µs",
    "patterns_us": "patterns, µs",
    "all_us_per_kb": "all tiers, µs/kB",
    "names_us_per_kb": "of that names, µs/kB",
    "chunk_us": "µs/chunk",
}


def render(found: Sequence[Measured], cost: Sequence[dict[str, Any]]) -> str:
    """All tables, in Markdown."""
    parts = []
    for family, title in _TITLES.items():
        parts.append(f"#### {title}\n")
        parts += [_file(each) for each in found if each.family == family]
    return "\n".join([*parts, _cost(cost)])


def _file(each: Measured) -> str:
    sources = _together(each)
    lines = [
        f"`{each.name}`{_scores(each)}:\n",
        "| Source | Found | Recall | False alarms |",
        "|---|---|---|---|",
        *(_row(source, figures) for source, figures in sources.items()),
    ]
    if len(sources) > 1:
        lines.append(_row("**all**", each.total))
    if each.by_type:
        lines += ["", "| Type of span | Found | Recall |", "|---|---|---|"]
        order = sorted(each.by_type, key=lambda kind: (kind not in STRUCTURED, kind))
        lines += [f"| {kind} | {_of(each.by_type[kind])} | {_share(each.by_type[kind])} |" for kind in order]
    return "\n".join(lines) + "\n"


def _together(each: Measured) -> dict[str, Figures]:
    """The sources by name, those of too few texts to say anything as one."""
    few = {source for source, figures in each.sources.items() if figures.recall.total + figures.alarms.total < FEW}
    shown = {source: figures for source, figures in sorted(each.sources.items()) if source not in few or len(few) == 1}
    if len(few) > 1:
        shown[f"{len(few)} small ones"] = summed(each.sources[source] for source in few)
    return shown


def _scores(each: Measured) -> str:
    if each.auc is None:
        return f", precision {_share(each.precision)}" if each.precision.total and each.family == "secrets" else ""
    return f", AUC {each.auc:.3f}, recall at 1 % false alarms {100 * (each.recall_at_1_percent or 0):.1f} %"


def _row(source: str, figures: Figures) -> str:
    return f"| {source} | {_of(figures.recall)} | {_share(figures.recall)} | {_share(figures.alarms)} of {figures.alarms.total} |"


def _of(share: Share) -> str:
    return f"{share.hits} of {share.total}" if share.total else "–"


def _share(share: Share) -> str:
    """`97.5 % (95.1–98.8)`"""
    if not share.total:
        return "–"
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def _cost(rows: Sequence[dict[str, Any]]) -> str:
    sorts = {name: title for name, title in _SORTS.items() if all(name in row for row in rows)}  # as they were measured
    lines = ["#### Cost\n", f"| 20 kB of | {' | '.join(sorts.values())} |", "|---|" + "---|" * len(sorts)]
    lines += [f"| {row['text']} | {' | '.join(f'{row[name]:.3g}' for name in sorts)} |" for row in rows]
    return "\n".join(lines) + "\n"


def put_in_place(tables: str) -> None:
    """Write the tables between the marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{rest.partition(END)[2]}")


def in_place() -> str:
    """The tables as the page has them."""
    return PAGE.read_text().partition(f"{BEGIN}\n\n")[2].partition(f"\n{END}")[0]
