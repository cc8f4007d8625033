"""Sales: what all channels sold is worth to one just as much as channels are alike."""

import attrs
import pytest
from property.attempts import tried
from property.world import START

from revops.core.chance import draw
from revops.core.rebalance.sales import ALIKE, UNALIKE, sales
from revops.core.units import HOUR

NODES = range(30)
CHANNELS = range(12)
REFILLS = range(4)
WORLDS = {
    "alike": lambda _: 0.6,
    "rather alike": lambda luck: 0.4 + 0.4 * luck,
    "unlike": lambda luck: luck,
    "sold or not": lambda luck: 0.95 if luck > 0.5 else 0.05,
}


def drawn(world, node):
    """
    Return how likely each channel of a node sells what it is refilled with, and what it did.
    """
    truth = {f"{n:064x}": world(draw(node, "truth", str(n))) for n in CHANNELS}
    row = [
        tried(
            int(channel, 16) * len(REFILLS) + n,
            to_channel=channel,
            sold=float(draw(node, "sold", channel, str(n)) < chance),
        )
        for channel, chance in truth.items()
        for n in REFILLS
    ]
    return truth, row


def missed(found, truth):
    """
    Return the mean square of how far what is expected of channels is off the truth.
    """
    return sum((found.chance(channel) - truth[channel]) ** 2 for channel in truth) / len(truth)


def test_pooling_misses_less_than_any_fixed_mixture():
    """
    Over nodes whose channels are alike, unlike and anything between, what is expected after four
    refills misses the truth by a quarter less than a channel's own mean, the mean of all, or any
    fixed mixture of the two.
    """
    pooled, fixed = 0.0, dict.fromkeys((0.0, 1.0, 2.0, 5.0, 10.0, 1e9), 0.0)
    for world in WORLDS.values():
        for node in NODES:
            truth, row = drawn(world, node)
            found = sales(row, START)
            pooled += missed(found, truth)
            for weight in fixed:
                fixed[weight] += missed(attrs.evolve(found, weight=weight), truth)

    assert pooled < 0.75 * min(fixed.values())


def test_what_is_common_weighs_more_the_more_alike_channels_are():
    """
    Where every channel sells the same share, the others speak as loudly as they may; where one
    sells all and another nothing, as softly.
    """
    same = [tried(n, to_channel=f"{n % 3:064x}", sold=0.5) for n in range(30)]
    apart = [tried(n, to_channel=f"{n % 2:064x}", sold=float(n % 2)) for n in range(30)]

    assert sales(same, START).weight == ALIKE
    assert sales(apart, START).weight == UNALIKE


KNOWN = [
    ([(3, 4), (1, 4)], 2.0),
    ([(3, 4), (1, 4), (1, 1)], 2.651),
]


@pytest.mark.parametrize(("channels", "weight"), KNOWN)
def test_how_alike_channels_are_is_what_the_analysis_of_variance_says(channels, weight):
    """
    By what channels sold of how many refills: a correlation of rho between refills of one makes the
    mean of all worth 1/rho - 1 of them. A channel with a single refill has its say.
    """
    row = [
        tried(n, to_channel=f"{channel:064x}", sold=float(n < sold))
        for channel, (sold, count) in enumerate(channels)
        for n in range(count)
    ]

    assert sales(row, START - HOUR).weight == pytest.approx(weight, abs=1e-3)


def test_one_refill_makes_nothing_certain():
    """
    A single refill that sold out, the only one there ever was, makes a sale likely and no more.
    """
    found = sales([tried(sold=1.0)], START)

    assert 0.6 < found.chance(f"{0:064x}") < 0.7
