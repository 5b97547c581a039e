"""Token: how a detector is written for a credential that its provider gave a shape of its own.

A row names the kind and the shape: a prefix, a length, an alphabet. What every such token has in common is added here: where
it begins and ends, also inside the escapes of JSON and URLs, and that it must not be a placeholder.
"""

from __future__ import annotations

from collections.abc import Callable

from yett.detectors import entropy
from yett.detectors.detector import Detector, when

# Before a token: nothing that could belong to it; or an escape that ends in a letter or digit (`\n` in JSON, `%3D` in a URL).
START = r"(?:[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2})"
END = r"[^A-Za-z0-9_-]"
UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
BASE64URL = r"[A-Za-z0-9_-]*"
ALNUM = r"[A-Za-z0-9]*"


def token(
    id: str,
    pattern: str,
    tail: str = "",
    *,
    kind: str = "",
    valid: Callable[[str], bool] = entropy.issued,
    anchor: str = "",
) -> Detector:
    """A token with a prefix of its own; with `tail`, of which `pattern` is the beginning. The kind is the id unless it is given.
    An `anchor` spares the automaton to follow what may be one from each letter of ordinary text on."""
    return Detector(
        id=id,
        kind=f"secret.{kind or id}",
        pattern=f"{START}({pattern}){'' if tail else END}",
        accept=when(valid),
        tail=tail,
        anchor=anchor,
    )


def after(
    id: str,
    context: str,
    pattern: str,
    *,
    kind: str = "",
    tail: str = "",
    end: str = END,
    valid: Callable[[str], bool] = entropy.issued,
    anchor: str = "",
) -> Detector:
    """A token that only what stands right before it tells from other text: a host name, a parameter, a field."""
    return Detector(
        id=id,
        kind=f"secret.{kind or id}",
        pattern=f"{context}({pattern}){'' if tail else end}",
        accept=when(valid),
        tail=tail,
        anchor=anchor,
    )
