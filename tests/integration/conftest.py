"""pyln-testing's fixtures, where it is installed: it starts and ends bitcoind and lightningd."""

import os
import sys
from pathlib import Path

from integration.regtest import missing

if not missing():
    from pyln.testing.fixtures import *  # noqa: F403

    # lightningd starts the plugin by its first line
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
