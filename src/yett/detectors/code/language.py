"""Language: which programming languages a text contains, by the labels of its fenced blocks, else by their words."""

from __future__ import annotations

import re

from msgspec import Struct

_FENCE = re.compile(r"^[ \t>]{0,8}(```+|~~~+)[ \t]*([A-Za-z0-9_+#.-]{0,20})[^\n`]{0,200}$", re.MULTILINE)
_NAMES = {
    "py": "python", "python3": "python", "ipython": "python", "js": "javascript", "jsx": "javascript", "node": "javascript",
    "mjs": "javascript", "ts": "typescript", "tsx": "typescript", "bash": "shell", "sh": "shell", "zsh": "shell",
    "console": "shell", "shell-session": "shell", "ps1": "powershell", "pwsh": "powershell", "c++": "cpp", "cc": "cpp",
    "cs": "csharp", "c#": "csharp", "golang": "go", "rs": "rust", "rb": "ruby", "yml": "yaml", "htm": "html", "md": "markdown",
    "postgresql": "sql", "mysql": "sql", "tf": "terraform", "hcl": "terraform", "kt": "kotlin", "docker": "dockerfile",
}  # fmt: skip
# Lines that hardly any other language or prose has. The one with the most of them is it, when there are enough.
_MARKS = {
    "python": r"^\s*(?:def \w+\(.*\).*:|class \w+.*:|from [\w.]+ import |import \w+$|elif .*:|if __name__ ==|@\w+|async def )",
    "javascript": r"^\s*(?:(?:const|let|var) \w+ = |function \w*\(|module\.exports|export (?:default|const|function)|\}\);?$|.*=> \{)",
    "typescript": r"^\s*(?:interface \w+ \{|type \w+ = |export (?:interface|type) |(?:const|let) \w+: \w+)",
    "java": r"^\s*(?:public (?:static |final )*(?:class|void|int|String|interface)|import java|package [\w.]+;|private (?:final )?\w+ \w+)",
    "go": r"^\s*(?:package \w+$|func (?:\(\w+ \*?\w+\) )?\w+\(|\w+(?:, \w+)* := |import \($)",
    "rust": r"^\s*(?:fn \w+|pub (?:fn|struct|enum|mod) |use (?:std|crate)::|let mut |impl\b.* \{|#\[\w+)",
    "cpp": r"^\s*(?:#include [<\"]|using namespace |std::|template ?<|int main\()",
    "sql": r"(?i)^\s*(?:select .+ from |insert into |create (?:table|index|view) |update \w+ set |delete from |alter table )",
    "shell": r"^\s*(?:#!/.*sh$|\$ \w+|sudo |export \w+=|if \[\[? .* \]\]?|fi$|done$|echo [\"'$])",
    "html": r"(?i)^\s*</?(?:html|head|body|div|span|p|a|ul|li|table|script|style|meta|link)\b",
    "json": r"^\s*\"[\w$.-]+\"\s*:\s",
    "yaml": r"^(?:\s*- )?[\w.-]+:(?: [^{}();]*)?$",
}
KNOWN = frozenset(_NAMES.values()) | frozenset(_MARKS)
_SEEN = 100  # lines
_FEWEST = 3
_COMPILED = {name: re.compile(pattern) for name, pattern in _MARKS.items()}


class Block(Struct, frozen=True):
    """A piece of code: its language ("" for unknown) and its text's place, without the fences."""

    language: str
    start: int
    end: int


def blocks(text: str) -> tuple[Block, ...]:
    """The fenced blocks of a Markdown text. A fence that is not closed lasts to the end (CommonMark 4.5)."""
    found: list[Block] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence.group(1).startswith(opened.group(1)) and not fence.group(2):
            found.append(_block(text, opened, fence.start()))
            opened = None
    if opened is not None:
        found.append(_block(text, opened, len(text)))
    return tuple(found)


def languages(text: str) -> tuple[str, ...]:
    """The languages of a text, sorted: of its fenced blocks, or of the whole when it has none and looks like code."""
    fenced = blocks(text)
    found = {block.language for block in fenced} if fenced else {guess(text)}
    return tuple(sorted(found - {""}))


def guess(text: str) -> str:
    """The language of code without a label, "" for unknown or prose."""
    lines = [line[:120] for line in text.split("\n", _SEEN)[:_SEEN] if line.strip()]
    counts = {name: sum(1 for line in lines if mark.match(line)) for name, mark in _COMPILED.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] >= min(_FEWEST, len(lines)) and counts[best] * 8 >= len(lines) > 0 else ""


def _block(text: str, opened: re.Match[str], end: int) -> Block:
    start = min(opened.end() + 1, end)
    label = opened.group(2).lower()
    return Block(_NAMES.get(label, label) or guess(text[start:end]), start, end)
