"""The plugin with cycles back to back: what `bench_commands.py` asks while it works."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from revops.shell import main

start = main.start


def restless(*parts):
    """
    Start as ever, with no time between two cycles.
    """
    app = start(*parts)
    for name in ("fees", "rebalance"):
        app.worker._loops[name]._interval = lambda: 0
    return app


main.start = restless
main.main()
