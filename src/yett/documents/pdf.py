"""PDF, by pypdf (extra `documents`): pages, annotations, form fields and properties."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from yett.documents.extracted import Limits, UnreadableError, Writer
from yett.model.attachment import Extracted


def read(data: bytes, limits: Limits) -> Extracted:
    """Raises UnreadableError, and whatever pypdf raises for a file that is not what it should be."""
    try:
        pypdf = import_module("pypdf")  # here, because it takes longer than to read most other files
    except ImportError as error:
        raise UnreadableError('needs the extra "documents"') from error
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
        written = page.extract_text()
        whole = whole and (bool(written.strip()) or not _draws(page))
        for text in (written, *_notes(page)):
            writer.add(f"{text}\n")
    return Extracted("pdf", writer.text, whole and not writer.full)


def _texts(document: Any) -> Iterator[str]:
    for value in (document.metadata or {}).values():
        if isinstance(value, str):
            yield str(value)
    for value in (document.get_form_text_fields() or {}).values():
        if value:
            yield str(value)


def _draws(page: Any) -> bool:
    """Whether anything is shown on a page: one without text may be a picture of it, as scanners make them."""
    contents = page.get_contents()
    return contents is not None and bool(contents.get_data().strip())


def _notes(page: Any) -> Iterator[str]:
    """What annotations say, and where links lead."""
    for reference in page.get("/Annots") or ():
        note = reference.get_object()
        if "/Contents" in note:
            yield str(note["/Contents"])
        action = note.get("/A")
        if action is not None and "/URI" in action.get_object():
            yield str(action.get_object()["/URI"])
