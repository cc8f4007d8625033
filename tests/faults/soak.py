"""Soak: days in a node's life with all loops at work, and what memory they take."""

import argparse
import gc
import json
import sys
import tempfile
from pathlib import Path
from random import Random  # noqa: TID251 -- a test draws what no decision depends on
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.office import Office
from e2e.thirsty import DAY, SIZES, TARGET, make_thirsty, settle_in
from fakes import FakeNode

NOW: Final = 1_795_338_900
STEP: Final = 300
"""How long nothing happens."""
KEPT: Final = 10


class Life:
    """
    A node that forwards all day, of which one channel runs dry again and again.
    """

    def __init__(self, directory: Path) -> None:
        node = FakeNode(NOW)
        make_thirsty(node)
        self.office = Office(directory, node, **SIZES)
        settle_in(self.office)
        node.strict = False
        self._chance = Random(0)

    def go_on(self, seconds: int) -> None:
        """
        Live on.
        """
        office = self.office
        for _ in range(seconds // STEP):
            office.clock.pass_by(STEP)
            office.node.sling.pass_time(STEP)
            self._forward()
            for loop in office.app.worker._loops.values():
                if loop.due_in() <= 0:
                    loop.run()
        assert not any("Traceback" in line for _, line in office.logs), office.logs
        # What the test remembers is no memory of the plugin's, and it reads no forward twice.
        office.logs.clear()
        office.node.calls.clear()
        del office.node.forwards[:-KEPT]

    def _forward(self) -> None:
        node, dry = self.office.node, self.office.node.channel(TARGET)
        usable = [c for c in node.channels if c["state"] == "CHANNELD_NORMAL" and c is not dry]
        enters, leaves = self._chance.sample(usable, 2)
        if self._chance.random() < 0.3:
            leaves = dry
        amount = self._chance.randrange(1_000, 12_000_000)
        if leaves["spendable_msat"] < 2 * amount or enters["receivable_msat"] < 2 * amount:
            return
        places = (enters["short_channel_id"], leaves["short_channel_id"])
        node.forward(*places, amount, self.office.clock.now())
        leaves["receivable_msat"] += amount
        enters["receivable_msat"] -= amount
        enters["spendable_msat"] += amount

    def work(self) -> dict[str, int]:
        """
        Return what was done so far, by loop and by outcome.
        """
        store = self.office.app.store
        return {
            "forwards": self.office.node.forwards[-1]["created_index"],
            "fee changes": len(store.fee_changes(10_000)),
            "rebalances": len(store.treasury.attempts(0)),
            "books_kb": store.size_bytes() // 1024,
        }


def anonymous_kb() -> int:
    """
    Return what this process holds that is in no file.
    """
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0])


def main() -> None:
    """
    Print the memory after each part of the time, and what was done.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--parts", type=int, default=30)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        life = Life(Path(directory) / "regtest")
        for part in range(args.parts):
            life.go_on(round(args.days * DAY / args.parts))
            told = {"day": (part + 1) * args.days / args.parts, "rss_kb": anonymous_kb()}
            print(json.dumps(told | life.work()), flush=True)  # noqa: T201 -- for whoever runs it
        life.office.close()


if __name__ == "__main__":
    main()
