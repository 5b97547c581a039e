"""Shelf: every detector that ships, the more specific before the more general."""

from __future__ import annotations

from yett.detectors.code import CODE
from yett.detectors.detector import Detector
from yett.detectors.exfiltration.canary import canary
from yett.detectors.exfiltration.links import EXFILTRATION
from yett.detectors.labels import LABELS
from yett.detectors.pii import PII
from yett.detectors.secrets import SECRETS
from yett.detectors.unicode import UNICODE

SHELF: tuple[Detector, ...] = (*SECRETS, *PII, *LABELS, *EXFILTRATION, *CODE, *UNICODE, canary())
