"""Texts from lines with slots: `[one|two|]` picks one (`\\[`, `\\|`, `\\]` are the characters), `{topic}` is a line of the slot `topic`; both nest.

A file of lines is a family per `# name` header; `= name` opens a slot that all files share. Of a planted text that is harmless
but for an order in it, `⟪` and `⟫` enclose the order.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
_INNERMOST = re.compile(r"\[([^\[\]{}]*)\]|\{([a-z_]+)\}")
_DEEPEST = 60
_LITERALS = {r"\[": "\ue000", r"\]": "\ue001", r"\|": "\ue002", r"\{": "\ue003"}


class Grammar:
    """All files of `texts`. Families by name, with the file's name before them: `attack_user/override`."""

    def __init__(self, folder: Path = TEXTS) -> None:
        self.families: dict[str, list[str]] = {}
        self.slots: dict[str, list[str]] = {}
        for path in sorted(folder.glob("*.txt")):
            lines: list[str] = []
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("# "):
                    lines = self.families.setdefault(f"{path.stem}/{line[2:].strip()}", [])
                elif line.startswith("= "):
                    lines = self.slots.setdefault(line[2:].strip(), [])
                elif line.strip():
                    lines.append(line.strip())

    def part(self, chosen: Callable[[str], bool]) -> Grammar:
        """The same with those lines alone that are chosen, and without families of which none is."""
        other = copy(self)
        kept = {family: list(filter(chosen, lines)) for family, lines in self.families.items()}
        other.families = {family: lines for family, lines in kept.items() if lines}
        return other

    def expand(self, line: str, source: random.Random) -> str:
        """One text from a line; the same for the same state of `source`."""

        def choose(match: re.Match[str]) -> str:
            if match[2] is not None and match[2] not in self.slots:
                return match[0].replace("{", "\ue003")  # a brace of code or JSON
            if match[2] is not None:
                chosen = source.choice(self.slots[match[2]])
                for literal, stand_in in _LITERALS.items():
                    chosen = chosen.replace(literal, stand_in)
                return chosen
            return source.choice(match[1].split("|"))

        for literal, stand_in in _LITERALS.items():
            line = line.replace(literal, stand_in)
        for _ in range(_DEEPEST):
            line, changes = _INNERMOST.subn(choose, line)
            if not changes:
                break
        for literal, stand_in in _LITERALS.items():
            line = line.replace(stand_in, literal[-1])
        line = re.sub(r"(?<=\S)  +", " ", line.replace("\\n", "\n"))
        return re.sub(r" (?=[.,;!?](?: |$))", "", line).strip()

    def filled(self, phrase: str, task: str, source: random.Random) -> str:
        """An order: a line of the family `phrase`, in which `<act>` and `<Act>` are lines of the family `task`."""
        line = source.choice(self.families[phrase])
        for mark, start in (("<act>", str.lower), ("<Act>", str.upper)):
            while mark in line:
                act = self.expand(source.choice(self.families[task]), source).rstrip(".")
                act = start(act[:1]) + act[1:]
                for literal, stand_in in _LITERALS.items():
                    act = act.replace(literal[-1], stand_in)
                line = line.replace(mark, act.replace("\n", " "), 1)
        return self.expand(line, source)

    def texts(self, family: str, count: int, source: random.Random) -> Iterator[str]:
        """`count` texts of a family, every line equally often."""
        lines = self.families[family]
        for place in range(count):
            yield self.expand(lines[place % len(lines)], source)
