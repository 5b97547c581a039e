"""Write the gazetteer of names (src/yett/data/names.txt.gz) from the lists of an installed `faker` (MIT) and of CPython.

    python -m venv /tmp/names && /tmp/names/bin/pip install faker && /tmp/names/bin/python scripts/build_names.py

A word is marked `g` when it is a given name somewhere, `s` a surname, `w` also an ordinary word or a place: such a name needs
more beside it. What ordinary words are is read off the running text that both packages come with: words that stand there in
lower case.
"""

from __future__ import annotations

import gzip
import importlib
import pkgutil
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import faker
from faker.providers import address, lorem, person

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "yett" / "data"
sys.path.insert(0, str(ROOT / "src"))

from yett.detectors.people.fold import fold  # noqa: E402 - found by the line above

_GIVEN, _SURNAME, _WORD = "gsw"
_SKIPPED = ("format", "prefix", "suffix", "language", "romanized", "degree", "civil", "tax")
_LATIN_AND_SO_ON = re.compile(r"[a-zß-ɏͰ-ӿḀ-ỿ]{3,}")
_OFTEN = 6


def lists(package: object, wanted: tuple[str, ...]) -> Iterator[str]:
    """All strings in the lists of a provider's locales whose attribute has one of the names."""
    for module in pkgutil.iter_modules(package.__path__):
        provider = importlib.import_module(f"{package.__name__}.{module.name}").Provider
        for name in dir(provider):
            if name.startswith("_") or not any(word in name for word in wanted) or any(s in name for s in _SKIPPED):
                continue
            found = getattr(provider, name)
            if isinstance(found, (list, tuple, dict)):
                for item in found:
                    yield item[0] if isinstance(item, tuple) else str(item)


def words() -> Counter[str]:
    """Words in lower case: of the filler texts of all locales, and of CPython's own sources."""
    found: Counter[str] = Counter()
    latin = set(importlib.import_module("faker.providers.lorem.la").Provider.word_list)  # no language of today
    for word in lists(lorem, ("word_list",)):
        if word == word.lower() and word not in latin:
            found[word] += _OFTEN
    for path in Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"):
        if "site-packages" not in path.parts and "test" not in path.parts and "idlelib" not in path.parts:
            text = path.read_text("utf-8", "ignore")
            found.update(re.findall(r"(?<![\w.'\"])[a-z]{3,}(?![\w(='\".])", text))
    return found


def main() -> None:
    marks: dict[str, set[str]] = {}
    for attribute, mark in (("first", _GIVEN), ("middle", _GIVEN), ("last", _SURNAME), ("surname", _SURNAME)):
        for name in lists(person, (attribute,)):
            for part in re.split(r"[\s-]+", name.strip()):
                key = fold(part)
                if len(key) > 2 or (key and not key.isascii()):
                    marks.setdefault(key, set()).add(mark)
    common = {fold(word) for word, count in words().items() if count >= _OFTEN}
    places = {fold(place) for place in lists(address, ("countries", "states", "provinces"))}
    for key, known in marks.items():
        if key in common or key in places:
            known.add(_WORD)
    for word in common:
        if len(word) > 2:
            marks.setdefault(word, set()).add(_WORD)
    for place in places:
        if place.isascii() and place.isalpha() and len(place) > 3:
            marks.setdefault(place, set()).add(_WORD)
    lines = [f"{key}\t{''.join(sorted(marks[key]))}\n" for key in sorted(marks) if "\t" not in key]
    raw = "".join(lines).encode()
    (DATA / "names.txt.gz").write_bytes(gzip.compress(raw, 9, mtime=0))
    (DATA / "names.LICENSE").write_text(
        "names.txt.gz holds names of people and places, and ordinary words, as facts taken from the lists of the Python package\n"
        f"faker {faker.VERSION} (https://pypi.org/project/Faker/), to which this licence applies, and words that occur in the\n"
        "sources of CPython. scripts/build_names.py writes it.\n\n"
        + next(Path(faker.__file__).parents[1].glob("[Ff]aker-*.dist-info/**/LICENSE.txt")).read_text()
    )
    print(len(lines), "words", len(raw), "bytes,", (DATA / "names.txt.gz").stat().st_size, "compressed")


if __name__ == "__main__":
    main()
