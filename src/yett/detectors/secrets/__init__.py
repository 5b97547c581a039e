"""Secrets: credentials of clouds, model providers and common services, private keys, tokens, passwords.

One file per group. Order is precedence: a token with a shape of its own comes before what only a vendor's name tells from other
text, and that before the generic assignments that all of them may be the value of.
"""

from __future__ import annotations

from yett.detectors.detector import Detector
from yett.detectors.secrets.ai import AI
from yett.detectors.secrets.business import BUSINESS
from yett.detectors.secrets.clouds import CLOUDS
from yett.detectors.secrets.commands import COMMANDS
from yett.detectors.secrets.communication import COMMUNICATION
from yett.detectors.secrets.data import DATA
from yett.detectors.secrets.developer import DEVELOPER
from yett.detectors.secrets.encoded import ENCODED
from yett.detectors.secrets.keys import KEYS
from yett.detectors.secrets.named import NAMED
from yett.detectors.secrets.pairs import PAIRS
from yett.detectors.secrets.prefixed import PREFIXED
from yett.detectors.secrets.sentences import SENTENCES
from yett.detectors.secrets.structures import STRUCTURES
from yett.detectors.secrets.vendors import NAMED_BY_VENDOR

SECRETS: tuple[Detector, ...] = (
    *KEYS,
    *CLOUDS,
    *AI,
    *DEVELOPER,
    *BUSINESS,
    *COMMUNICATION,
    *DATA,
    *STRUCTURES,
    *ENCODED,
    *PREFIXED,
    *NAMED_BY_VENDOR,
    *NAMED,
    *PAIRS,
    *SENTENCES,
    *COMMANDS,
)
