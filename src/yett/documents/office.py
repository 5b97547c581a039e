"""Office Open XML and OpenDocument: archives of XML. Inflated within bounds, read without entities, in document order.

What is hidden from a reader's eye is text all the same: notes, comments, hidden cells, document properties.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from yett.documents.extracted import Limits, UnreadableError, Writer
from yett.model.attachment import Extracted

_PIECE = 65_536
# By a part that only files of this kind have: which parts hold text.
_FAMILIES = {
    "word/document.xml": ("docx", ("word/", "docProps/", "customXml/")),
    "xl/workbook.xml": ("xlsx", ("xl/", "docProps/")),
    "ppt/presentation.xml": ("pptx", ("ppt/", "docProps/")),
    "content.xml": ("odf", ("content.xml", "styles.xml", "meta.xml")),
}
_NOT_TEXT = (
    "/theme/",
    "/_rels/",
    "/fontTable",
    "/styles.xml",
    "/settings.xml",
    "/webSettings",
    "/slideLayouts/",
    "/slideMasters/",
)
# What ends with an element, by its name without the prefix; the runs that a word may be cut into (`r`, `t`) end with nothing.
_ENDS = {
    **dict.fromkeys(
        ("p", "br", "h", "row", "si", "comment", "line-break", "table-row", "title", "subject", "keywords"), "\n"
    ),
    **dict.fromkeys(("c", "v", "tab", "table-cell"), " "),
}


def read(data: bytes, limits: Limits) -> Extracted:
    """Raises UnreadableError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise UnreadableError(f"not a readable archive ({type(error).__name__})") from error


def _read(archive: zipfile.ZipFile, limits: Limits) -> Extracted:
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    family = next((found for part, found in _FAMILIES.items() if part in names), None)
    if family is None:
        raise UnreadableError("an archive that is no Office or OpenDocument file")
    kind, prefixes = family
    writer, budget = Writer(limits.characters), limits.inflated
    whole = len(entries) <= limits.entries
    for entry in sorted(entries[: limits.entries], key=lambda entry: entry.filename):
        if not _holds_text(entry.filename, prefixes):
            continue
        reader = _Reader(writer)
        for piece in _inflated(archive, entry):
            budget -= len(piece)
            if budget < 0 or writer.full:
                return Extracted(kind, writer.text, whole=False)
            whole = reader.feed(piece) and whole
        whole = reader.close() and whole
    shows = any("/media/" in f"/{name}" or name.startswith("Pictures/") for name in names)
    return Extracted(kind, writer.text, whole and not writer.full and not (shows and not writer.text.strip()))


def _holds_text(name: str, prefixes: tuple[str, ...]) -> bool:
    return name.endswith(".xml") and name.startswith(prefixes) and not any(part in f"/{name}" for part in _NOT_TEXT)


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Piece by piece: what an archive says of its sizes is not believed."""
    with archive.open(entry) as part:
        while piece := part.read(_PIECE):
            yield piece


class _Reader:
    """The text of one XML part. A part with a document type is not read: entities are how a small file becomes a large one."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._broken = False
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.CharacterDataHandler = writer.add
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, piece: bytes) -> bool:
        """False when no more of this part can be read."""
        return self._parse(piece, final=False)

    def close(self) -> bool:
        self._writer.add("\n")
        return self._parse(b"", final=True)

    def _parse(self, piece: bytes, *, final: bool) -> bool:
        if not self._broken:
            try:
                self._parser.Parse(piece, final)
            except (expat.ExpatError, UnreadableError):
                self._broken = True
        return not self._broken

    def _end(self, name: str) -> None:
        ending = _ENDS.get(name.rpartition(":")[2])
        if ending is not None:
            self._writer.add(ending)

    def _doctype(self, *_: object) -> None:
        raise UnreadableError("a document type")
