"""The arrays of inspection use one thread, unless somebody says otherwise."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASKED = "import sys, yett.cli, os; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_numpy_is_told_before_it_is_imported(given: dict[str, str], used: str) -> None:
    found = subprocess.run([sys.executable, "-c", ASKED], env=given, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", used]
