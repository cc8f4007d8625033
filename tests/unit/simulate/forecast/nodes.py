"""Nodes: snapshots whose traffic was drawn from demand that is known."""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from revops.core.snapshot import NORMAL, Channel, Node, Slice, Snapshot, Traffic
from revops.core.tally import size_of
from revops.core.units import DAY, Instant, Msat, Ppm, from_sats
from revops.simulate.arena.laws import Logit

DAYS = 14
NOW = Instant(20_300 * DAY)
FIRST = NOW // DAY - DAYS
AMOUNT = from_sats(50_000)


@attrs.frozen
class Truth:
    """
    The demand for one channel.
    """

    law: Logit
    per_day: float

    def coming(self, ppm: float) -> float:
        """
        Return how many payments come in a day at a price.
        """
        return self.per_day * float(self.law.share(np.array([ppm]))[0])


def truths(seed: int, count: int) -> list[Truth]:
    """
    Return demand as different as that of real channels.
    """
    rng = np.random.default_rng(seed)
    middles = 80 * np.exp(rng.standard_normal(count))
    slopes = np.clip(1.7 * np.exp(0.35 * rng.standard_normal(count)), 1.15, 8)
    numbers = 20 * np.exp(rng.standard_normal(count))
    rows = zip(middles.tolist(), slopes.tolist(), numbers.tolist(), strict=True)
    return [Truth(Logit(middle, slope), number) for middle, slope, number in rows]


def day(start: int, count: int, ppm: int, inward: int = 0, amount: Msat = AMOUNT) -> Slice:
    """
    Return a day on which so many left at a price, and so many came in.
    """
    size = size_of(amount)
    return Slice(
        start=start,
        in_count=inward,
        in_msat=Msat(inward * amount),
        out_count=count,
        out_msat=Msat(count * amount),
        earned_msat=Msat(count * (amount * ppm // 1_000_000)),
        size_sum=count * size,
        size_squares=count * size * size,
    )


def traffic(days: Sequence[Slice], since: int = FIRST * DAY) -> Traffic:
    """
    Return books that know these *days* up to `NOW`.
    """
    return Traffic(
        since=Instant(since),
        until=NOW,
        out_count=sum(part.out_count for part in days),
        days=days,
    )


def channel(number: int, **fields: Any) -> Channel:
    """
    Return a channel of 5 M sat, half of it ours, at 100 ppm.
    """
    capacity = from_sats(5_000_000)
    plain = {
        "channel_id": f"{number:064x}",
        "scid": f"700000x{number}x0",
        "peer_id": f"02{number:064x}",
        "state": NORMAL,
        "capacity_msat": capacity,
        "to_us_msat": capacity // 2,
        "spendable_msat": capacity // 2,
        "receivable_msat": capacity // 2,
        "fee_ppm": Ppm(100),
        "base_fee_msat": 0,
        "opened_at": NOW - 1000 * DAY,
    }
    return Channel(**(plain | fields))


def snapshot(*channels: Channel, **fields: Any) -> Snapshot:
    """
    Return a node with these *channels*.
    """
    return Snapshot(now=NOW, node=Node(node_id="02" + "f" * 64), channels=channels, **fields)


def node(found: Sequence[Truth], seed: int, prices: Sequence[int] = (60, 200)) -> Snapshot:
    """
    Return a node that charged these *prices* by turns, a stretch of days each, while it never ran
    dry.
    """
    rng = np.random.default_rng(seed)
    channels = []
    for number, truth in enumerate(found):
        charged = np.repeat(prices, DAYS // len(prices)).tolist()
        days = [
            day(FIRST + past, int(rng.poisson(truth.coming(ppm))), ppm, int(rng.poisson(5)))
            for past, ppm in enumerate(charged)
        ]
        books = traffic([part for part in days if part.out_count or part.in_count])
        channels.append(channel(number, fee_ppm=Ppm(charged[-1]), traffic=books))
    return snapshot(*channels)
