"""pyln-testing's fixtures, where it is installed: it starts and ends bitcoind and lightningd."""

import os
import sys
from pathlib import Path

from integration.regtest import missing

if not missing():
    from pyln.testing.fixtures import *  # noqa: F403 -- its fixtures need each other

    # The plugin's first line asks for `python3`, and that must be the one with its libraries.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
