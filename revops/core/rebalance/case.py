"""Case: what is known of one channel before it is asked whether it is filled or gives."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from revops.core.config import Config
from revops.core.fees.quote import ChannelView
from revops.core.policy import Strategy
from revops.core.rebalance.experience import Experience, experienced
from revops.core.rebalance.inventory import Inventory, hive_target_msat, inventory, target_msat
from revops.core.rebalance.price import price_after
from revops.core.snapshot import NORMAL, Channel
from revops.core.treasury import Treasury
from revops.core.units import MILLION, Instant, Msat, PeerId, Ppm, Scid, from_sats, nearest_ppm

HOPS: Final = 3
HOP_PPM: Final = 50
"""What a route takes beside the fee of the last peer: three more forward, each for the usual."""
UNTRIED: Final = 0.5
"""
Of the price that a sat is sold for, the most that a route is expected to take which nobody has paid
for yet, unless its last peer alone takes more: half, as if any below the price were as likely.
"""


@attrs.frozen(kw_only=True)
class Scene:
    """
    What holds for all channels of a cycle.

    Attributes:
        experience: What earlier attempts say.
        engaged: Peers whose channels are filled or drained by a rebalance that runs: by which.
        foreign: Channels that the rebalancer is at for somebody else.
        contested: Peers that another member of our hive fills channels of.
    """

    now: Instant
    config: Config
    experience: Experience
    engaged: Mapping[PeerId, int]
    foreign: frozenset[Scid]
    contested: frozenset[PeerId]


@attrs.frozen(kw_only=True)
class Case:
    """
    A channel, and what its peer's channels hold together.

    Attributes:
        held: `None` when the books could not be read, or the channel is not open.
        price_ppm: What it charges once it has enough.
        cost_ppm: What a route to it is expected to take; `None` when nothing tells.
        target_msat: How much with its peer should be ours.
    """

    view: ChannelView
    held: Inventory | None
    price_ppm: Ppm
    cost_ppm: Ppm | None
    target_msat: Msat

    @property
    def channel(self) -> Channel:
        """
        Return the channel itself.
        """
        return self.view.channel

    @property
    def hive(self) -> bool:
        """
        Return whether the peer is a member of our hive.
        """
        return self.view.policy.strategy is Strategy.HIVE


def scene(channels: Sequence[Channel], treasury: Treasury, now: Instant, config: Config) -> Scene:
    """
    Return what *treasury* says of the *channels*.
    """
    peers = {channel.channel_id: channel.peer_id for channel in channels}
    engaged = {}
    for attempt in treasury.attempts:
        if attempt.open:
            engaged[attempt.to_peer] = attempt.rebalance_id
            for giver in attempt.from_channels:
                if giver in peers:
                    engaged[peers[giver]] = attempt.rebalance_id
    jobs = (treasury.engine.jobs if treasury.engine else None) or ()
    return Scene(
        now=now,
        config=config,
        experience=experienced(treasury, now, config),
        engaged=engaged,
        foreign=frozenset(scid for job in jobs for scid in (job.scid, *job.partners)),
        contested=frozenset(treasury.contested),
    )


def cases(views: Sequence[ChannelView], scene: Scene) -> tuple[Case, ...]:
    """
    Return what is known of each of *views*.
    """
    groups: dict[PeerId, list[Channel]] = {}
    for view in views:
        if view.channel.state == NORMAL:
            groups.setdefault(view.channel.peer_id, []).append(view.channel)
    window = scene.config.flow_window_days
    held = {peer_id: inventory(group, window) for peer_id, group in groups.items()}
    return tuple(_case(view, held.get(view.channel.peer_id), scene) for view in views)


def _case(view: ChannelView, held: Inventory | None, scene: Scene) -> Case:
    channel, config = view.channel, scene.config
    price = price_after(view, scene.now, config)
    hive = view.policy.strategy is Strategy.HIVE
    prior = _prior_ppm(channel, None if hive else price, from_sats(config.rebalance_chunk))
    cost = scene.experience.cost_ppm(channel.peer_id, prior)
    target = Msat(0)
    if held is not None:
        target = target_msat(held, price, cost)
        if hive:
            target = hive_target_msat(held, config.low_liquidity_threshold)
    return Case(view=view, held=held, price_ppm=price, cost_ppm=cost, target_msat=target)


def _prior_ppm(channel: Channel, price: Ppm | None, chunk: Msat) -> Ppm | None:
    """
    Return what a route to *channel* takes, as far as the last peer's price tells; where the
    *price* matters that it is sold for, the others are not expected to take too much for it.
    """
    if channel.peer_fee_ppm is None or channel.peer_base_fee_msat is None:
        return None
    base = channel.peer_base_fee_msat * MILLION / chunk
    last = channel.peer_fee_ppm + base
    usual = last + HOPS * HOP_PPM
    # To ask is free, and who never asks never learns: a guess alone must not forbid it.
    return nearest_ppm(usual if price is None else min(usual, max(last, price * UNTRIED)))
