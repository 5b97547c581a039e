"""Code: commands and statements, in an answer or in what a tool is to be called with, that destroy, persist or hand over control.

Everyday ones are no findings, among them deleting below a directory, `subprocess` and `eval` as such. How often ordinary
documentation and source is taken for a danger is measured.
"""

from __future__ import annotations

from yett.detectors.code.javascript import JAVASCRIPT
from yett.detectors.code.python import PYTHON
from yett.detectors.code.shell import SHELL
from yett.detectors.code.statements import STATEMENTS
from yett.detectors.code.windows import WINDOWS
from yett.detectors.detector import Detector

CODE: tuple[Detector, ...] = (*SHELL, *WINDOWS, *STATEMENTS, *PYTHON, *JAVASCRIPT)
