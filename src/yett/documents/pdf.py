"""PDF, by pypdf (extra `documents`): pages, annotations, form fields and properties."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from yett.documents.extracted import Limits, UnreadableError, Writer
from yett.model.attachment import Extracted

try:
    import pypdf
except ImportError:  # the extra is not installed
    pypdf = None  # type: ignore[assignment]


def read(data: bytes, limits: Limits) -> Extracted:
    """Raises UnreadableError, and whatever pypdf raises for a file that is not what it should be."""
    if pypdf is None:
        raise UnreadableError('needs the extra "documents"')
    document = pypdf.PdfReader(io.BytesIO(data), strict=False)
    if document.is_encrypted and not document.decrypt(""):
        raise UnreadableError("encrypted")
    writer = Writer(limits.characters)
    whole = True
    for text in _texts(document):
        writer.add(f"{text}\n")
    for number, page in enumerate(document.pages):
        if number >= limits.pages or writer.full:
            whole = False
            break
        for text in (page.extract_text(), *_notes(page)):
            writer.add(f"{text}\n")
    return Extracted("pdf", writer.text, whole and not writer.full)


def _texts(document: Any) -> Iterator[str]:
    for value in (document.metadata or {}).values():
        if isinstance(value, str):
            yield str(value)
    for value in (document.get_form_text_fields() or {}).values():
        if value:
            yield str(value)


def _notes(page: Any) -> Iterator[str]:
    """What annotations say, and where links lead."""
    for reference in page.get("/Annots") or ():
        note = reference.get_object()
        if "/Contents" in note:
            yield str(note["/Contents"])
        action = note.get("/A")
        if action is not None and "/URI" in action.get_object():
            yield str(action.get_object()["/URI"])
