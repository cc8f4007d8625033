"""Twin: a node as the arena knows nodes, with numbers for names and no base fees."""

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from revops.core.memory import ChannelMemory, FeeMemory, Price
from revops.core.snapshot import Channel, Snapshot
from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, nearest_ppm
from revops.simulate.arena.books import scid_of
from revops.simulate.arena.market import STEP_S
from revops.simulate.forecast.evidence import price_of

_NO_BASE: Final = Msat(0)


def twin(snapshot: Snapshot) -> Snapshot:
    """
    Return the twin of the node in *snapshot*, channel by channel in the same order.

    What a usual payment pays as a base fee is part of its price in ppm: the world of the arena
    knows no others.
    """
    channels = snapshot.channels
    ids = {channel.channel_id: ChannelId(f"{n:064x}") for n, channel in enumerate(channels)}
    # A peer is numbered by the first of its channels.
    peers = {
        channel.peer_id: PeerId(f"02{n:064x}") for n, channel in reversed(list(enumerate(channels)))
    }
    return attrs.evolve(
        snapshot,
        channels=[_channel(n, channel, peers) for n, channel in enumerate(channels)],
        policies=[
            attrs.evolve(policy, peer_id=peers[policy.peer_id])
            for policy in snapshot.policies
            if policy.peer_id in peers
        ],
        pins=[
            attrs.evolve(pin, channel_id=ids[pin.channel_id])
            for pin in snapshot.pins
            if pin.channel_id in ids
        ],
        memory=attrs.evolve(snapshot.memory, channels=_remembered(snapshot, ids)),
        wake=False,
        treasury=None,
    )


def begins(snapshot: Snapshot) -> Instant:
    """
    Return the first full half hour at or after *snapshot*.
    """
    return Instant(-(-snapshot.now // STEP_S) * STEP_S)


def _channel(number: int, channel: Channel, peers: Mapping[PeerId, PeerId]) -> Channel:
    return attrs.evolve(
        channel,
        channel_id=ChannelId(f"{number:064x}"),
        scid=channel.scid and scid_of(number),
        peer_id=peers[channel.peer_id],
        fee_ppm=_whole_price(channel),
        base_fee_msat=_NO_BASE,
    )


def _whole_price(channel: Channel) -> Ppm:
    return nearest_ppm(price_of(channel))


def _remembered(snapshot: Snapshot, ids: Mapping[ChannelId, ChannelId]) -> Sequence[ChannelMemory]:
    channels = {channel.channel_id: channel for channel in snapshot.channels}
    return [
        attrs.evolve(
            memory,
            channel_id=ids[memory.channel_id],
            fee=_without_base(memory.fee, channels[memory.channel_id]),
        )
        for memory in snapshot.memory.channels
        if memory.channel_id in ids
    ]


def _without_base(fee: FeeMemory, channel: Channel) -> FeeMemory:
    """
    Return what is remembered of a price, so that the one in force is still known as ours, or as
    that of the pin that holds it.
    """
    before = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    after = Price(fee_ppm=_whole_price(channel), base_fee_msat=_NO_BASE)

    def changed(price: Price) -> Price:
        return after if price == before else price

    return attrs.evolve(
        fee,
        known=fee.known and changed(fee.known),
        asked=fee.asked and attrs.evolve(fee.asked, price=changed(fee.asked.price)),
        pin=fee.pin and attrs.evolve(fee.pin, price=changed(fee.pin.price)),
    )
