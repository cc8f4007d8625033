"""Sales: how much of a refill is sold, learned from one channel's refills and from all others'."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from revops.core.rebalance.past import ended, fading
from revops.core.treasury import Attempt
from revops.core.units import ChannelId, Instant

UNALIKE: Final = 1.0
ALIKE: Final = 50.0
"""
How many refills of its own the mean of all is worth to a channel: from where every channel is a
case of its own to where all are one. Luck must make neither certain.
"""


@attrs.frozen
class Record:
    """
    Refills, by what they count now: how many, and the sum of the shares that were sold.
    """

    count: float = 0.0
    sold: float = 0.0

    def plus(self, count: float, sold: float) -> "Record":
        """
        Return this record and more.
        """
        return Record(self.count + count, self.sold + sold)


@attrs.frozen
class Sales:
    """
    What became of refills.

    Attributes:
        records: Of channels that were refilled.
        mean: The share that is sold of a refill of any channel.
        weight: How many refills of its own outweigh that for a channel.
    """

    records: Mapping[ChannelId, Record]
    mean: float
    weight: float

    def chance(self, channel_id: ChannelId) -> float:
        """
        Return the share of a refill that is expected to be sold.
        """
        own = self.records.get(channel_id, Record())
        return (self.weight * self.mean + own.sold) / (self.weight + own.count)


def sales(attempts: Iterable[Attempt], now: Instant) -> Sales:
    """
    Return what the *attempts* say of which it is known how much was sold.
    """
    records: defaultdict[ChannelId, Record] = defaultdict(Record)
    for attempt in attempts:
        if attempt.sold is not None:
            kept = fading(ended(attempt), now)
            records[attempt.to_channel] = records[attempt.to_channel].plus(
                kept, kept * attempt.sold
            )
    count = sum(record.count for record in records.values())
    sold = sum(record.sold for record in records.values())
    # One refill that was sold and one that was not, before there is any.
    mean = (sold + 1) / (count + 2)
    return Sales(dict(records), mean, _weight(records.values(), mean))


def _weight(records: Iterable[Record], mean: float) -> float:
    """
    Return what the mean of all is worth to one channel, by the method of moments: the more the
    channels differ beyond what chance makes of so few refills each, the less.
    """
    found = [record for record in records if record.count > 0]
    total = sum(record.count for record in found)
    if not total:
        return ALIKE
    average = sum(record.sold for record in found) / total
    spread = sum(record.count * (record.sold / record.count - average) ** 2 for record in found)
    # Were refills of a channel sold or not like drawn from one Beta, with a correlation of rho,
    # spread would be mean x (1 - mean) x ((1 - rho) x by_chance + rho x by_channel).
    by_chance = len(found) - 1
    by_channel = total - sum(record.count**2 for record in found) / total
    if by_channel <= by_chance:
        # Too few to tell: alike until they are seen to differ.
        return ALIKE
    rho = (spread / (mean * (1 - mean)) - by_chance) / (by_channel - by_chance)
    return min(max(1 / rho - 1, UNALIKE), ALIKE) if rho > 0 else ALIKE
