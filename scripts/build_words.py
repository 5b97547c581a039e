"""Write the words that disguised texts are read with (src/yett/data/words.txt): English ones that prompts are made of, the most usual first.

    python scripts/build_words.py DATA

DATA is the folder with `injection_train.jsonl.gz`. A word has to stand in several of its texts, or in those that were written for
this repository, and also in what the packages that are installed say of themselves: what is only in one of them is a name, a word
cut in two or another language.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LONGEST = 16
_APART = re.compile(rf"(?<![A-Za-z'_\-./@\\])[A-Za-z]{{1,{_LONGEST}}}(?![A-Za-z_\-/@\\]|\.[A-Za-z])")
_IN_PROSE = re.compile(rf"(?<= )[A-Za-z]{{1,{_LONGEST}}}(?=[ ,.;:?!]\s?)")
_SHORT = frozenset(
    "a i am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we ai id ip os vs ed".split()
)
_PARTS = frozenset("instruc ntence rul".split())  # of words that attacks cut in two
_FILES = 9000
_HEAD = 60_000  # characters of a file


def _texts_that_have(texts: Iterable[Iterable[str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for words in texts:
        found.update({word.lower() for word in words})
    return found


def main(data: Path) -> None:
    with gzip.open(data / "injection_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        learned = _texts_that_have(_APART.findall(json.loads(line)["text"]) for line in lines)
    own: Counter[str] = Counter()
    for path in sorted((ROOT / "scripts/injection_data/texts").glob("*.txt")):
        if "languages" not in path.name:
            own.update(word.lower() for word in _APART.findall(path.read_text("utf-8")))
    packages = sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")) + sorted(
        Path(sysconfig.get_path("stdlib")).rglob("*.py")
    )
    said = _texts_that_have(_IN_PROSE.findall(path.read_text("utf-8", "replace")[:_HEAD]) for path in packages[:_FILES])
    scores = {
        word: learned[word] + own[word] / 8 + said[word] / 200
        for word in {*learned, *own, *said} - _PARTS
        if (len(word) > 2 or word in _SHORT)
        and (re.search("[aeiouy]", word) or learned[word] > 60)
        and (
            (learned[word] >= 3 and said[word] >= 3)
            or (learned[word] >= 5 and said[word] and len(word) > 4)
            or (learned[word] >= 25 and len(word) > 5)
            or (own[word] and (learned[word] >= 3 or said[word] >= 4))
            or (own[word] >= 2 and (learned[word] >= 2 or said[word] >= 2))
        )
    }  # fmt: skip
    words = sorted(scores, key=lambda word: (-scores[word], word))
    (ROOT / "src/yett/data/words.txt").write_text("\n".join(words) + "\n", "ascii")
    print(len(words), "words")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
