"""Labels: markings that say how a document may be handled, as its author wrote them into it."""

from __future__ import annotations

from yett.detectors.detector import Detector

# `Classification: Restricted`, `**Data classification level:** Highly Restricted`, `"sensitivity": "restricted"`
_FIELD = (
    r"""[\n"'{,|>*(\[#][ \t>*#_|"'-]{0,6}(?i:(?:data|document|information|security)[ _-])?"""
    r"""(?i:classification|sensitivity|sensitivity[ _-]label|classified as|data handling)(?i:[ _-](?:level|label))?"""
    r"""["'*_]{0,3}[ \t]{0,2}(?:[:=|][ \t"'*_\[]{0,6}|[ \t])(?i:(?:company|strictly|highly|internal|corporate|top)[ -])?"""
)
_TLP = r"[^A-Za-z0-9]TLP:[ ]?"  # FIRST, Traffic Light Protocol 2.0


def _marking(level: str, id: str, pattern: str) -> Detector:
    return Detector(id=f"{level}-{id}", kind=f"label.{level}", pattern=pattern)


LABELS: tuple[Detector, ...] = (
    _marking("restricted", "field", rf"{_FIELD}((?i:restricted|secret))[^A-Za-z0-9]"),
    _marking("restricted", "tlp", rf"{_TLP}(RED)[^A-Za-z0-9]"),
    _marking("restricted", "bracket", r"\[(RESTRICTED)\]"),
    _marking("restricted", "banner", r"\n(RESTRICTED)[\r\n\x00]"),
    _marking("confidential", "field", rf"{_FIELD}((?i:confidential))[^A-Za-z0-9]"),
    _marking("confidential", "tlp", rf"{_TLP}(AMBER)[^A-Za-z0-9]"),
    _marking("confidential", "bracket", r"\[(CONFIDENTIAL)\]"),
    _marking("confidential", "banner", r"\n(CONFIDENTIAL)[\r\n\x00]"),
)
