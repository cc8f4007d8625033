"""Experience: what became of earlier rebalances, and what that makes of the next."""

from collections.abc import Mapping

import attrs

from revops.core.config import Config
from revops.core.rebalance.futility import Futility
from revops.core.treasury import Attempt, Reputation, Treasury
from revops.core.units import ChannelId, Instant, PeerId, Ppm


@attrs.frozen(kw_only=True)
class Experience:
    """
    What the attempts that are known say about peers, channels and pairs of channels.
    """

    now: Instant
    config: Config
    toward: Mapping[PeerId, tuple[Attempt, ...]]
    into: Mapping[ChannelId, tuple[Attempt, ...]]
    reputations: Mapping[PeerId, Reputation]

    def chance(self, peer_id: PeerId) -> float:
        """
        Return how likely the next rebalance toward *peer_id* moves what it is to move.
        """
        raise NotImplementedError

    def cost_ppm(self, peer_id: PeerId, prior: Ppm | None) -> Ppm | None:
        """
        Return what the next refill toward *peer_id* is expected to cost; *prior* is what one would
        expect without any.
        """
        raise NotImplementedError

    def rests_until(self, channel_id: ChannelId) -> Instant | None:
        """
        Return when a channel that was refilled may be again; `None` when it may now.
        """
        raise NotImplementedError

    def forbids(self, from_channel: ChannelId, to_channel: ChannelId) -> Instant | None:
        """
        Return until when nothing goes this way, since it went the other; `None` when it may.
        """
        raise NotImplementedError

    def futility(self, peer_id: PeerId) -> Futility:
        """
        Return how often in a row nothing could be moved toward *peer_id*.
        """
        raise NotImplementedError

    def futile_until(self, peer_id: PeerId) -> Instant | None:
        """
        Return when *peer_id* may be tried again; `None` when it may now.
        """
        return self.futility(peer_id).until

    def sale_chance(self, channel_id: ChannelId) -> float:
        """
        Return how much of a refill of *channel_id* is expected to leave again within the horizon.
        """
        raise NotImplementedError


def experienced(treasury: Treasury, now: Instant, config: Config) -> Experience:
    """
    Return what *treasury* teaches at *now*.
    """
    raise NotImplementedError
