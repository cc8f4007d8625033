"""Rails: when a size limit is told for its own sake."""

import pytest
from property.world import decided, quiet_channel

from revops.core.actions import Hold, SetFee
from revops.core.fees.rails import RUNGS_OFF, ladder
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
