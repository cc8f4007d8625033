"""Three real nodes in a circle: real sling beside the plugin on the one that pays itself."""

import os
import shutil
from pathlib import Path
from typing import Any, ClassVar

from integration.regtest import Line, missing

SLING = os.environ.get("SLING_PATH") or shutil.which("sling")
BASE, PPM = 1007, 77
"""What l1 and l3 charge: base msat and ppm."""


def missing_for_a_ring() -> list[str]:
    """
    Return what is not here of all that a ring needs.
    """
    has_sling = SLING is not None and os.access(SLING, os.X_OK)
    return missing() + ["sling on the PATH or at SLING_PATH"] * (not has_sling)


class Ring(Line):
    """
    A line whose ends meet: l2 can pay itself through l3 and l1.

    l2 has all of its right channel, from which a circle takes, and nothing of its left one, which
    a circle fills.
    """

    # Lightningd honours for minutes what it charged before, so no other price may ever be heard.
    elsewhere: ClassVar = {"fee-base": BASE, "fee-per-satoshi": PPM}

    def __init__(self, node_factory: Any, **options: object) -> None:
        super().__init__(node_factory, **options)
        node_factory.join_nodes([self.l3, self.l1], wait_for_announce=True)
        # Sling finds its way by what l2 has heard: both directions of three channels.
        self.until(lambda: len(self.l2.rpc.listchannels()["channels"]) == 6)

    def configure(self, **options: object) -> None:
        """
        Write l2's config file, with sling in it.
        """
        super().configure(**options)
        with Path(self.l2.daemon.lightning_dir, "config").open("a", encoding="utf-8") as config:
            config.write(f"plugin={SLING}\n")

    def fee(self, sats: int) -> int:
        """
        Return the msat that a circle costs: sling rounds up at every hop.
        """
        amount = sats * 1000
        for _ in (self.l1, self.l3):
            amount += BASE + -(-amount * PPM // 1_000_000)
        return amount - sats * 1000

    def ours(self) -> dict[str, int]:
        """
        Return l2's msat on each channel, once nothing is under way.
        """
        self.l2.wait_for_htlcs()
        channels = self.l2.rpc.listpeerchannels()["channels"]
        return {channel["short_channel_id"]: channel["to_us_msat"] for channel in channels}

    def pull(self, sats: int, parts: int, maxppm: int) -> None:
        """
        Let sling fill the left channel from the right one once, in so many payments.
        """
        self.l2.rpc.call(
            "sling-once",
            {
                "scid": self.left,
                "direction": "pull",
                "amount": sats // parts,
                "onceamount": sats,
                "maxppm": maxppm,
                "maxhops": 3,
                "candidates": [self.right],
                "depleteuptopercent": 0.1,
                "depleteuptoamount": 100_000,
                "paralleljobs": 1,
            },
        )

    def status_of_sling(self) -> list[str]:
        """
        Return what sling says it does for the left channel.
        """
        rows = self.l2.rpc.call("sling-stats", {"json": True})
        return [status for row in rows if row["scid"] == self.left for status in row["status"]]

    def kept_books(self) -> dict[str, Any]:
        """
        Restart the plugin, wait until its books are up to date, and return its report of costs.
        """
        self.fresh_cycle()
        self.until(lambda: self._loop("books")["last_ok"])
        report: dict[str, Any] = self.ask("revenue-report", "costs")
        return report

    def _loop(self, name: str) -> dict[str, Any]:
        loops = {loop["name"]: loop for loop in self.ask("revenue-status")["loops"]}
        return loops[name]
