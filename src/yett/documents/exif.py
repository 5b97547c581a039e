"""Exif (CIPA DC-008): what a picture says of itself in text. A small TIFF inside the picture, of which only strings are read."""

from __future__ import annotations

from collections.abc import Iterator

_ENTRIES = 512  # of one directory; more is no camera's
_ASCII, _UNDEFINED, _BYTE = 2, 7, 1
_POINTER, _USER_COMMENT = 0x8769, 0x9286
_WINDOWS = range(0x9C9B, 0x9CA0)  # title, comment, author, keywords, subject, in UTF-16


def texts(data: bytes) -> Iterator[str]:
    """The strings of a TIFF header and its directories; nothing of what is none."""
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(data[:4])
    if order is None:
        return
    reader = _Reader(data, order)
    waiting, known = [reader.number(4, 4)], set[int]()
    while waiting:
        place = waiting.pop()
        if place and place not in known and len(known) < 4:
            known.add(place)
            for tag, kind, count, at in reader.directory(place):
                if tag == _POINTER:
                    waiting.append(reader.number(at, 4))
                else:
                    yield from reader.text(tag, kind, count, at)


class _Reader:
    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._order = order

    def number(self, place: int, size: int) -> int:
        return int.from_bytes(self._data[place : place + size], self._order)  # type: ignore[arg-type]

    def directory(self, place: int) -> Iterator[tuple[int, int, int, int]]:
        """Tag, type, count, and where the value or its offset stands."""
        for number in range(min(self.number(place, 2), _ENTRIES)):
            at = place + 2 + 12 * number
            if at + 12 > len(self._data):
                return
            yield self.number(at, 2), self.number(at + 2, 2), self.number(at + 4, 4), at + 8

    def text(self, tag: int, kind: int, count: int, at: int) -> Iterator[str]:
        start = self.number(at, 4) if count > 4 else at
        value = self._data[start : start + count]
        if kind == _ASCII:
            yield value.rstrip(b"\0").decode("utf-8", "replace")
        elif kind == _BYTE and tag in _WINDOWS:
            yield value.decode("utf-16-le", "replace").rstrip("\0")
        elif kind == _UNDEFINED and tag == _USER_COMMENT:
            wide = "utf-16-le" if self._order == "little" else "utf-16-be"
            encoding = wide if value.startswith(b"UNICODE\0") else "utf-8"
            yield value[8:].decode(encoding, "replace").rstrip("\0")
