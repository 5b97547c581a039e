"""Files as people attach them, made by hand: small, and hostile where it matters."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)  # without the time of day: equal files are equal bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, content)
    return raw.getvalue()


def docx(*paragraphs: str, **parts: str) -> bytes:
    runs = "".join(
        "<w:p>" + "".join(f"<w:r><w:t>{half}</w:t></w:r>" for half in (text[:3], text[3:])) + "</w:p>"
        for text in paragraphs
    )
    body = f'<w:document xmlns:w="urn:w"><w:body>{runs}</w:body></w:document>'
    return archive({"[Content_Types].xml": "<Types/>", "word/document.xml": body, **parts})


def xlsx(*cells: str) -> bytes:
    shared = "".join(f"<si><t>{cell}</t></si>" for cell in cells)
    rows = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(2))
    return archive(
        {
            "xl/workbook.xml": "<workbook/>",
            "xl/sharedStrings.xml": f"<sst>{shared}</sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet>{rows}</worksheet>",
            "xl/theme/theme1.xml": "<t>not shown</t>",
        }
    )


def pptx(text: str) -> bytes:
    slide = f'<p:sld xmlns:p="urn:p" xmlns:a="urn:a"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>'
    notes = '<p:notes xmlns:p="urn:p" xmlns:a="urn:a"><a:p><a:t>speaker note</a:t></a:p></p:notes>'
    return archive(
        {
            "ppt/presentation.xml": "<presentation/>",
            "ppt/slides/slide1.xml": slide,
            "ppt/notesSlides/notesSlide1.xml": notes,
        }
    )


def odt(text: str) -> bytes:
    body = f'<office:text xmlns:office="urn:o" xmlns:text="urn:t"><text:p>{text}</text:p></office:text>'
    return archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": body})


def pdf(*pages: str, note: str = "", title: str = "") -> bytes:
    """One line of text on each page (ISO 32000-1)."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
        content = len(objects)
        annotations = f"/Annots [<< /Type /Annot /Subtype /Text /Contents ({note}) >>]" if note else ""
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {content} 0 R {annotations} "
            f"/Resources << /Font << /F1 {font} >> >> >>".encode()
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    objects.append(f"<< /Title ({title}) >>".encode())
    raw, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(raw))
        raw += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(raw)
    raw += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    raw += b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return raw + b"startxref\n%d\n%%%%EOF\n" % start


def png(width: int = 1, height: int = 1, **texts: str) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    if "plain" in texts:
        raw += chunk(b"tEXt", b"Comment\0" + texts["plain"].encode("latin-1"))
    if "packed" in texts:
        raw += chunk(b"zTXt", b"Comment\0\0" + zlib.compress(texts["packed"].encode("latin-1")))
    if "unicode" in texts:
        raw += chunk(b"iTXt", b"Comment\0\0\0en\0\0" + texts["unicode"].encode())
    if "both" in texts:
        raw += chunk(b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(texts["both"].encode()))
    return raw + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def jpeg(comment: str, width: int = 1, height: int = 1) -> bytes:
    said = comment.encode()
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    return (
        b"\xff\xd8"
         b"\xff\xfe" + struct.pack(">H", len(said) + 2) + said
        + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame
        + b"\xff\xda\0\2"
    )  # fmt: skip
