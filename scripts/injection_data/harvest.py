"""Benign text from packages: documentation, message catalogues, code, prompts and tool descriptions, of permissive licence only.

The packages are downloaded with pip from a hash-locked list and never run: they are read as archives.
"""

from __future__ import annotations

import ast
import gettext
import io
import json
import random
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from injection_data.sample import Sample

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|PSF|ISC|Python Software Foundation|Unlicense|CC0|0BSD|HPND)\b", re.IGNORECASE
)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|GNU|MPL|CC.BY.(SA|NC)|Commons Clause|SSPL|BUSL|Elastic)\b")
# What attacks look like is quoted in these: they must not be learned as benign.
QUOTES_ATTACKS = re.compile(
    r"inject|jailbreak|guardrail|red.?team|attack|moderation|safety|prompt_shield", re.IGNORECASE
)
DOCS = {".md", ".rst", ".txt", ".mdx", ".adoc", ".html"}
CODE = set(
    ".py .js .ts .tsx .c .h .cpp .rs .go .java .kt .rb .php .pl .lua .sh .ps1 .sql .css .scss .html .xml .yaml .yml .toml .json"
    " .swift .scala .hs .ml .ex .clj .r .m .f90 .vue .cs .dart .jl .vb .pas .asm .tex .ini .cfg .proto .tf .nix .zig".split()
)
PER_PACKAGE = 1500  # texts of one kind from one package
PER_CATALOGUE = 220
_BIGGEST = 400_000


def harvest(folder: Path, source: random.Random) -> Iterator[Sample]:
    """All texts of all archives in `folder`; a package without a permissive licence is named on stderr and left out."""
    for path in sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")]):
        files = dict(_members(path))
        terms = _licence(files)
        if not PERMISSIVE.search(terms) or COPYLEFT.search(terms):
            print(f"left out for its licence: {path.name}: {terms[:80]!r}", file=sys.stderr)
            continue
        kinds: dict[str, list[str]] = {}
        for name, data in files.items():
            if not QUOTES_ATTACKS.search(name):
                for kind, text in _texts(name, data, source):
                    kinds.setdefault(kind, []).append(text)
        package = re.split(r"-\d", path.name)[0]
        for kind, texts in sorted(kinds.items()):
            cap = PER_CATALOGUE * 12 if kind == "catalogue" else PER_PACKAGE
            for text in source.sample(texts, min(len(texts), cap)):
                yield Sample(text, attack=False, family=f"{kind}/{package}", surface="both")


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and (
                    entry.file_size < _BIGGEST or entry.filename.endswith((".mo", ".po", "METADATA"))
                ):
                    yield entry.filename, archive.read(entry)
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() and member.size < _BIGGEST else None
                if stream is not None:
                    yield member.name, stream.read()


def _licence(files: dict[str, bytes]) -> str:
    for name, data in files.items():
        if name.endswith(("METADATA", "PKG-INFO")):
            head = data.decode("utf-8", "replace").split("\n\n")[0]
            lines = re.findall(r"^(?:License|License-Expression|Classifier: License ::).*", head, re.MULTILINE)
            if lines:
                return " ".join(lines)
    return ""


def _texts(name: str, data: bytes, source: random.Random) -> Iterator[tuple[str, str]]:
    ending = Path(name).suffix.lower()
    language = re.search(
        r"[/_-]([a-z]{2,3}(?:[-_][A-Za-z]{2,4})?)(?:/LC_MESSAGES|[-_][0-9a-f]{16,}\.json|\.json$|\.yml$)", name
    )
    if ending == ".mo":
        yield from _catalogue(_messages(data), source)
        return
    text = data.decode("utf-8", "replace")
    if "\ufffd" in text or "\x00" in text:
        return
    if ending == ".json" and language and ("transl" in name or "locale" in name or "messages" in name):
        yield from _catalogue(list(_strings(text)), source)
    elif "chatterbot_corpus/data" in name and ending == ".yml":
        turns = re.findall(r"^ *- (?:- )?(.{2,})$", text, re.MULTILINE)
        yield from (("chat", turn.strip("'\"")) for turn in turns)
    elif "/lang/" in name and name.endswith("examples.py"):
        yield from (("chat", line) for line in re.findall(r'^    "(.+)",$', text, re.MULTILINE))
    elif ending in DOCS or name.endswith(("METADATA", "PKG-INFO")):
        prose = re.sub(r"<[^>]{1,200}>", " ", text) if ending == ".html" and source.random() < 0.5 else text
        yield from (("docs", piece) for piece in _pieces(prose, source))
    if "examplefiles" in name or ending in CODE:
        yield from (("code", piece) for piece in _pieces(text, source, 2))
    if ending == ".py":
        yield from _python(text)
    if ending == ".json" and "service-2" in name:
        found = re.findall(r'"documentation":"((?:[^"\\]|\\.){60,900})"', text)
        yield from (("definition", re.sub(r"<[^>]+>", "", json.loads(f'"{each}"'))) for each in found[:40])


def _messages(data: bytes) -> list[str]:
    try:
        catalogue = gettext.GNUTranslations(io.BytesIO(data))
    except (OSError, ValueError, UnicodeDecodeError):
        return []
    return [value for value in catalogue._catalog.values() if isinstance(value, str)]  # noqa: SLF001


def _strings(text: str) -> Iterator[str]:
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value


def _catalogue(strings: list[str], source: random.Random) -> Iterator[tuple[str, str]]:
    """Messages by themselves, and several as a text: catalogues are the variety of languages that we have."""
    good = [each for each in strings if len(each) > 12 and not each.startswith("Project-Id-Version")]
    for _ in range(min(len(good) // 2, PER_CATALOGUE)):
        count = source.choice([1, 1, 1, 2, 3, 6, 12])
        yield "catalogue", source.choice([" ", " ", "\n"]).join(source.choice(good) for _ in range(count))


def _pieces(text: str, source: random.Random, most: int = 4) -> Iterator[str]:
    """Some stretches of a file, of all lengths, that begin at the beginning of a line."""
    starts = [0, *(match.end() for match in re.finditer(r"\n\s*\n", text))]
    for _ in range(min(most, 1 + len(text) // 1500)):
        length = int(source.choice([150, 300, 600, 1200, 2400, 5000]) * source.uniform(0.6, 1.4))
        start = source.choice(starts)
        piece = text[start : start + length].strip()
        if len(piece) > 40:
            yield piece


def _python(text: str) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    documented = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            said = ast.get_docstring(node)
            if node.body and isinstance(node.body[0], ast.Expr):
                documented.add(id(node.body[0].value))
            if said and len(said) > 60:
                yield ("definition", said[:2500])
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            words = node.value.split()
            if len(words) > 18 and sum(word.isalpha() for word in words) > 0.5 * len(words):
                yield ("prompt", node.value.strip()[:5000])
