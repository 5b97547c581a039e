"""Put this checkout's package and the `yett` command into the environment that runs this script.

`pip install -e .` would download a build backend outside the hash-locked list, so the two files that an editable
install consists of are written here: a path entry and a console script.
"""

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = """#!{python}
import sys

from yett.cli import main

if __name__ == "__main__":  # processes that are spawned import this file
    sys.exit(main())
"""

site = Path(sysconfig.get_path("purelib"))
(site / "yett-checkout.pth").write_text(f"{ROOT / 'src'}\n")
command = Path(sysconfig.get_path("scripts")) / "yett"
command.write_text(LAUNCHER.format(python=sys.executable))
command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
