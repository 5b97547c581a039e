"""Refuse an interpreter that cannot run Yett, in words, before anything is installed. Runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "yett needs Python 3.11 or newer; this is %d.%d (%s).\nTry: make PYTHON=python3.11 <target>"
        % (*sys.version_info[:2], sys.executable)
    )
