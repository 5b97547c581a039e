"""A bounded memo that forgets what was not asked for lately, at constant cost and without a pause to clear it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """Two generations of at most `limit` entries each. When the young one is full it becomes the old one, and the old one
    goes; whatever is found in the old one moves to the young. A flood of new keys costs the memo its use, never memory."""

    __slots__ = ("_limit", "_old", "_young")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[Hashable, Value] = {}
        self._old: dict[Hashable, Value] = {}

    def get(self, key: Hashable) -> Value | None:
        value = self._young.get(key)
        if value is None and self._old:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def several(self, keys: Sequence[Hashable]) -> list[Value | None]:
        """What `get` says of each."""
        found = list(map(self._young.get, keys))
        if self._old and None in found:
            return [self.get(key) for key in keys]
        return found

    def put(self, key: Hashable, value: Value) -> None:
        if len(self._young) >= self._limit:
            self._old = self._young
            self._young = {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
