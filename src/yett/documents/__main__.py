"""The process that reads one file: bytes on standard input, an Extracted in JSON on standard output. It bounds itself first.

python -m yett.documents [PATH-OF-TESSERACT] < file
"""

from __future__ import annotations

import resource
import sys

import msgspec

from yett.documents import office, pdf, picture
from yett.documents.extracted import Limits, UnreadableError
from yett.documents.media import kind_of
from yett.model.attachment import Extracted

_PICTURES = frozenset(("png", "jpeg", "gif", "webp", "tiff"))


def extract(data: bytes, limits: Limits, tesseract: str = "") -> Extracted:
    """The text of a file of any kind."""
    kind = kind_of(data)
    try:
        return _read(kind, data, limits, tesseract)
    except UnreadableError as error:
        return Extracted(kind, whole=False, failure=str(error))
    except RecursionError:
        return Extracted(kind, whole=False, failure="nested too deeply")


def _read(kind: str, data: bytes, limits: Limits, tesseract: str) -> Extracted:
    if kind in _PICTURES:
        return picture.read(data, kind, limits, tesseract)
    match kind:
        case "pdf":
            return pdf.read(data, limits)
        case "zip":
            return office.read(data, limits)
        case "text" | "rtf":
            text = data[: limits.characters * 4].decode("utf-8", "replace")
            return Extracted(kind, text[: limits.characters], len(data) <= limits.characters)
        case _:
            raise UnreadableError("a kind of file that is not read")


def bound(limits: Limits) -> None:
    """From here on this process can neither take much memory nor much time, nor write a file, nor leave a core."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    limits = Limits()
    bound(limits)
    found = extract(sys.stdin.buffer.read(), limits, sys.argv[1] if len(sys.argv) > 1 else "")
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
