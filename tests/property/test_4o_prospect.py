"""§4 Prospect: what another price is expected to bring, by what came at those that were tried."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import configs, ppms, ratios, snapshots
from property.world import START, forwarded, peer, quiet_channel

from revops.core.config import Config
from revops.core.memory import BeliefMemory, ChannelMemory, FeeMemory, Memory, Price, Tried, Window
from revops.core.prospect import prospects
from revops.core.snapshot import Node, Snapshot, Traffic
from revops.core.units import DAY

AMOUNT = 50_000_000
DAYS = st.floats(0.1, 60)
evidence = st.lists(
    st.builds(Tried, fee_ppm=ppms(1, 5000), live_s=DAYS.map(lambda days: days * DAY), count=DAYS),
    min_size=1,
    max_size=4,
)


def priced(ppm, base=0):
    """
    Return a price.
    """
    return Price(fee_ppm=ppm, base_fee_msat=base)


def node(*tried, forwards=5):
    """
    Return a node with a channel for each of *tried*, by which *forwards* left yesterday.
    """
    channels, memories = [], []
    for number, tries in enumerate(tried):
        day = forwarded(START // DAY - 1, forwards, AMOUNT)
        traffic = Traffic(
            since=START - 100 * DAY,
            until=START,
            out_count=forwards,
            last_out_at=START - DAY,
            days=[day] if forwards else [],
        )
        channel = quiet_channel(number, traffic=traffic)
        belief = BeliefMemory(
            base_ppm=500,
            tried=tuple(tries),
            window=Window(fee_ppm=500),
            judged_at=START,
            seen_at=START,
        )
        channels.append(channel)
        memories.append(
            ChannelMemory(
                channel_id=channel.channel_id,
                first_seen_at=0,
                last_seen_at=START,
                fee=FeeMemory(known=priced(500), belief=belief),
            )
        )
    return Snapshot(
        now=START,
        node=Node(node_id=peer(2**200)),
        channels=channels,
        memory=Memory(since=0, at=START, channels=memories),
    )


def expected(snapshot, live, other):
    """
    Return what to expect of each channel at two prices, and of all.
    """
    pairs = {channel.channel_id: (live, other) for channel in snapshot.channels}
    found, total = prospects(snapshot, Config(), pairs)
    return list(found.values()), total


@given(evidence, ppms(1, 5000))
def test_the_same_price_brings_the_same(tried, ppm):
    """
    Where nothing differs nothing is gained, and nothing about that is uncertain.
    """
    [found], total = expected(node(tried), priced(ppm), priced(ppm))

    assert (found.gain_msat, found.low_msat, found.high_msat) == (0, 0, 0)
    assert found.live_msat == found.other_msat > 0
    assert total == found


@given(evidence, ppms(1, 5000), ppms(1, 5000))
def test_what_one_gains_the_other_loses(tried, one, other):
    """
    From the other side it is the same with its sign turned, and the gain is within its bounds.
    """
    [there], _ = expected(node(tried), priced(one), priced(other))
    [back], _ = expected(node(tried), priced(other), priced(one))

    assert there.gain_msat == pytest.approx(-back.gain_msat, abs=1)
    assert (there.live_msat, there.other_msat) == (back.other_msat, back.live_msat)
    assert (there.low_msat, there.high_msat) == (-back.high_msat, -back.low_msat)
    assert there.low_msat <= there.gain_msat <= there.high_msat
    assert abs(there.other_msat - there.live_msat - there.gain_msat) <= 1


@given(evidence, evidence, ppms(1, 5000), ppms(1, 5000))
def test_the_node_is_the_sum_of_its_channels(first, second, one, other):
    """
    What all bring is added up, and what is uncertain of each partly evens out.
    """
    found, total = expected(node(first, second), priced(one), priced(other))
    spreads = [prospect.high_msat - prospect.low_msat for prospect in found]

    assert total.gain_msat == pytest.approx(sum(p.gain_msat for p in found), abs=2)
    assert total.live_msat == pytest.approx(sum(p.live_msat for p in found), abs=2)
    assert max(spreads) - 2 <= total.high_msat - total.low_msat <= sum(spreads) + 2


@given(evidence, ppms(100_000, 10**6))
def test_beyond_the_dearest_price_that_is_told_apart_nobody_more_stays_away(tried, ppm):
    """
    From a tenth of the amount on it is no matter how much dearer: twice the price brings twice as
    much of those who would pay anything.
    """
    [found], _ = expected(node(tried), priced(ppm), priced(2 * ppm))

    assert found.other_msat == pytest.approx(2 * found.live_msat, abs=1)


@given(evidence, ppms(10, 5000), ratios(1, 1.1) | ratios(1, 100))
def test_the_dearer_the_fewer_come(tried, cheap, times):
    """
    Between any two prices, near or far, on a rung or off it, no more payments come at the dearer.
    """
    dear = round(cheap * times)
    [found], _ = expected(node(tried), priced(cheap), priced(dear))

    assert (found.live_msat + 1) / cheap >= (found.other_msat - 1) / dear


def test_without_evidence_nothing_is_expected():
    """
    A channel of which no price was tried, or by which nobody ever came, is left out: its income is
    unknown, not none.
    """
    nobody = [Tried(fee_ppm=500, live_s=30 * DAY, count=0.0)]
    somebody = [Tried(fee_ppm=500, live_s=30 * DAY, count=9.0)]
    for snapshot in (node([]), node(nobody), node(somebody, forwards=0)):
        found, total = expected(snapshot, priced(500), priced(400))
        assert found == []
        assert total.live_msat == total.high_msat == 0


def test_what_was_tried_is_believed():
    """
    Where as many came at 900 ppm as at 300, three times the price brings about three times as much;
    where next to nobody came there, it is a loss. A base fee counts as what it comes to.
    """
    willing = [Tried(fee_ppm=p, live_s=30 * DAY, count=150.0) for p in (300, 900)]
    unwilling = [attrs.evolve(willing[0]), Tried(fee_ppm=900, live_s=30 * DAY, count=2.0)]
    [good], _ = expected(node(willing), priced(300), priced(900))
    [bad], _ = expected(node(unwilling), priced(300), priced(900))
    [same], _ = expected(node(willing), priced(900), priced(300, base=600 * AMOUNT // 1_000_000))

    assert good.other_msat == pytest.approx(3 * good.live_msat, rel=0.2)
    assert good.live_msat == pytest.approx(5 * AMOUNT * 300 / 1_000_000, rel=0.2)
    assert good.low_msat > 0
    assert bad.high_msat < 0
    assert same.gain_msat == 0


@given(snapshots(), configs(), st.data())
def test_whatever_is_known_makes_a_prospect_or_none(snapshot, config, data):
    """
    No snapshot is too odd; only channels that were asked about are told of.
    """
    asked = [channel for channel in snapshot.channels if data.draw(st.booleans())]
    pairs = {channel.channel_id: (priced(100), priced(200)) for channel in asked}
    found, _ = prospects(snapshot, config, pairs)

    assert set(found) <= set(pairs)
    for prospect in found.values():
        assert prospect.low_msat <= prospect.gain_msat <= prospect.high_msat
