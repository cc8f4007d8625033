"""Rails: when a size limit is told for its own sake."""

import pytest
from property.world import decided, peer, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.fees.rails import RUNGS_OFF, ladder
from revops.core.policy import Policy, Strategy
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
