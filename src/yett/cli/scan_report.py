"""What `yett scan` says of a text: one JSON object, or a line for each finding with an excerpt that gives nothing away."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from yett.cli.inspection import ROLES, Look
from yett.cli.scan_places import Piece, Staged, pieces, special
from yett.detectors.inspector import Inspected
from yett.detectors.locate import Lines, Place
from yett.model.finding import Finding
from yett.stages.inspect import labels_with

ALLOWED = "yett:allow"  # a line of a file that says this has been looked at by a person
_COLOURS = {"secret": "red", "injection": "magenta", "exfiltration": "magenta", "pii": "yellow"}


class Told(Struct, frozen=True):
    """What is to be printed of one text, without the last line feed; `trouble` is why it could not be looked at."""

    printed: str
    findings: int = 0
    trouble: str = ""
    skipped: bool = False


# ---- JSON Lines -----------------------------------------------------------------------------------------------------


def of_lines(look: Look, name: str, batch: tuple[int, list[bytes]]) -> list[Told]:
    """One for each line of JSON Lines; the batch says how many came before it."""
    before, lines = batch
    return [_of_line(look, f"{name}:{number}", line) for number, line in enumerate(lines, before + 1)]


def _of_line(look: Look, name: str, line: bytes) -> Told:
    try:
        asked = _asked(line)
    except ValueError as error:
        said = _line({"error": str(error)}) if look.as_json else ""
        return Told(said, trouble=f"{name}: {error}")
    text = asked.text
    seen = look.at(text, ROLES.get(asked.role.lower(), "other") if asked.role is not None else "")
    if look.as_json:
        return Told(_line(_verdict(seen, [as_object(f) for f in seen.findings])), len(seen.findings))
    shown = Lines(text, seen.findings)
    return Told("\n".join(finding_line(name, shown.place(f), shown, f) for f in seen.findings), len(seen.findings))


class _Asked(Struct):
    text: str
    role: str | None = None


def _asked(line: bytes) -> _Asked:
    """What a line asks for. Raises ValueError."""
    try:
        # not msgspec's decoder, which refuses the lone surrogates that JSON can say
        return msgspec.convert(json.loads(line), _Asked)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise ValueError(f'not {{"text": …, "role"?: …}}: {error}') from None


# ---- files ----------------------------------------------------------------------------------------------------------


def of_files(look: Look, paths: list[Path]) -> list[Told]:
    return [_of_file(look, path) for path in paths]


def _of_file(look: Look, path: Path) -> Told:
    try:
        if what := special(path):
            return _not_looked_at(look, str(path), what)
        with path.open("rb") as file:
            return of_pieces(look, str(path), pieces(file))
    except OSError as error:
        return _not_looked_at(look, str(path), error.strerror or str(error))
    except ValueError as error:
        return _not_looked_at(look, str(path), str(error), skipped=True)


def of_staged(look: Look, changes: list[Staged]) -> list[Told]:
    """Of the whole file as it is staged, the findings on lines that are new."""
    told = []
    for change in changes:
        try:
            told.append(of_pieces(look, change.name, pieces(io.BytesIO(change.content)), change.added))
        except ValueError as error:
            told.append(_not_looked_at(look, change.name, str(error), skipped=True))
    return told


def _not_looked_at(look: Look, name: str, reason: str, *, skipped: bool = False) -> Told:
    said = _line({"file": name, "skipped" if skipped else "error": reason}) if look.as_json else ""
    return Told(said, trouble=f"{name}: {'skipped: ' if skipped else ''}{reason}", skipped=skipped)


def of_pieces(look: Look, name: str, parts: Iterable[Piece], only: frozenset[int] | None = None) -> Told:
    """Everything that is found in a text, or only what begins on some of its lines."""
    objects: list[dict[str, Any]] = []
    lines: list[str] = []
    found: list[Finding] = []
    scores: dict[str, float] = {}
    for piece in parts:
        seen = look.at(piece.text)
        scores = {family: max(score, scores.get(family, 0.0)) for family, score in seen.scores.items()}
        shown = Lines(piece.text, seen.findings)
        for place in _own(piece, seen, shown):
            line = piece.lines + place.line
            if (only is None or line in only) and ALLOWED not in shown.line(place):
                found.append(place.finding)
                column = place.column + (piece.column if place.line == 1 else 0)
                if look.as_json:
                    objects.append(as_object(place.finding, piece.offset) | {"line": line, "column": column})
                else:
                    lines.append(finding_line(name, Place(place.finding, line, column), shown, place.finding))
    if look.as_json:
        verdict = _verdict(Inspected(tuple(found), scores), objects)
        return Told(_line({"file": name} | verdict), len(found))
    return Told("\n".join(lines), len(found))


def _own(piece: Piece, seen: Inspected, shown: Lines) -> Iterator[Place]:
    for finding in seen.findings:
        if finding.start >= piece.begin and (piece.end is None or finding.start < piece.end):
            yield shown.place(finding)


# ---- how it looks ---------------------------------------------------------------------------------------------------


def as_object(finding: Finding, offset: int = 0) -> dict[str, Any]:
    """A finding as the JSON output has it. `rule` is what matched in the end, `detector` the whole way to it: a token that
    was found inside base64 has the detector `base64>github-token`."""
    return {
        "kind": finding.kind,
        "detector": finding.detector,
        "rule": finding.detector.rpartition(">")[2],
        "start": finding.start + offset,
        "end": finding.end + offset,
        "score": round(finding.score, 4),
    }


def _verdict(seen: Inspected, findings: list[dict[str, Any]]) -> dict[str, Any]:
    scores = {family: round(score, 4) for family, score in seen.scores.items()}
    return {"findings": findings, "labels": list(labels_with((), seen.findings)), "scores": scores}


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True)  # a lone surrogate of the input cannot be written as UTF-8


def finding_line(name: str, place: Place, lines: Lines, finding: Finding) -> str:
    """One line: `src/app.py:12:8  secret.aws-access-key  key = "AK••••••••LE"`"""
    excerpt = lines.excerpt(finding)
    colour = _COLOURS.get(finding.family, "cyan")
    score = f" {finding.score:.2f}" if finding.score < 1.0 else ""
    where = click.style(f"{name}:{place.line}:{place.column}", bold=True)
    what = click.style(finding.kind, fg=colour) + score
    return f"{where}  {what}  {excerpt.before}{click.style(excerpt.span, fg=colour, reverse=True)}{excerpt.after}"
