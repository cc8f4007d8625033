"""Rails: when a size limit is told for its own sake."""

import pytest
from property.trails import fact, fee
from property.world import CLIMBING, START, decided, peer, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.config import Config
from revops.core.fees.rails import RUNGS_OFF, ladder
from revops.core.memory import Change, ClimbMemory, FeeMemory, Price, Window
from revops.core.policy import Policy, Strategy
from revops.core.reasons import Code
from revops.core.snapshot import Traffic
from revops.core.units import from_sats

CAPACITY = from_sats(5_000_000)


@pytest.mark.parametrize("off", range(-RUNGS_OFF - 1, RUNGS_OFF + 2))
def test_a_size_limit_is_worth_an_update_when_it_is_far_off(off):
    """
    A price that stays is told again only for a size limit that is more than so many rungs off,
    either way; then for the channel and the peer it belongs to, at the price in force.
    """
    channel = quiet_channel(spendable_msat=CAPACITY // 4, htlc_max_msat=ladder(CAPACITY, 4 + off))
    action = decided(channel).action

    if abs(off) <= RUNGS_OFF:
        assert isinstance(action, Hold)
    else:
        assert isinstance(action, SetFee)
        assert action.htlc_max_msat == CAPACITY // 4
        assert (action.old_ppm, action.new_ppm) == (500, 500)
        assert (action.channel_id, action.scid) == (channel.channel_id, channel.scid)
        assert action.peer_id == channel.peer_id


def test_a_size_limit_on_the_same_rung_is_not_asked_for_again():
    """
    The node lowers the highest rung by what the reserve leaves: with a new price that limit stays
    as it is, and one on another rung goes along.
    """
    given = Policy(peer_id=peer(0), strategy=Strategy.STATIC, fee_ppm=700)
    for limit, asked in ((CAPACITY // 4 - 1000, None), (CAPACITY // 8, CAPACITY // 4)):
        channel = quiet_channel(spendable_msat=CAPACITY // 4, htlc_max_msat=limit)
        action = decided(channel, policies=[given]).action
        assert (action.new_ppm, action.htlc_max_msat) == (700, asked)


@pytest.mark.parametrize(("at", "stays"), [(START, True), (START - 1, False)])
def test_a_step_is_made_once_in_a_moment(at, stays):
    """
    What is decided twice at one moment goes no further than once.
    """
    climb = ClimbMemory(base_ppm=4000, window=Window(fee_ppm=4000), seen_at=START)
    known = Price(fee_ppm=500, base_fee_msat=0)
    used = Traffic(since=0, until=START, out_count=30, last_out_at=START)
    memory = FeeMemory(known=known, climb=climb, changes=(Change(at=at),))
    decision = decided(quiet_channel(traffic=used), Config(**CLIMBING), fee=memory)

    assert (fee(decision, 500) == 500) == stays
    assert fact(decision, "step_ppm", Code.STEP_LIMIT) == (0 if stays else 250)


def test_what_is_urgent_is_asked_for_as_such():
    """
    The ceiling of a congested channel is asked for at once, in one step.
    """
    action = decided(quiet_channel(max_htlcs=10, htlcs_in=9)).action

    assert (action.new_ppm, action.urgent) == (5000, True)
