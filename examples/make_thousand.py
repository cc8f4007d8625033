"""Writes `thousand.json`: the node of `forty.json` 25 times over, each time a little different."""

from pathlib import Path

import attrs
from make_forty import digest, forty, peer_of

from revops.adapters.wire import write_snapshot
from revops.core.chance import draw
from revops.core.memory import ChannelMemory
from revops.core.snapshot import Channel, Slice, Snapshot
from revops.core.units import Msat

COPIES = 25


def copied(channel: Channel, copy: int) -> Channel:
    """
    Return *channel* again, with another peer, another size and other payments.
    """
    name = f"{channel.alias} {copy}"
    block, index, output = (channel.scid or "900000x0x0").split("x")
    size = 0.3 + 3 * draw(1000, "size", channel.channel_id, str(copy))
    busy = 0.4 + 1.2 * draw(1000, "busy", channel.channel_id, str(copy))
    parts = ("capacity", "to_us", "spendable", "receivable")
    sums = {f"{part}_msat": Msat(round(getattr(channel, f"{part}_msat") * size)) for part in parts}
    traffic = channel.traffic and attrs.evolve(
        channel.traffic,
        out_count=round(channel.traffic.out_count * busy),
        hours=(),
        days=[scaled(day, busy) for day in channel.traffic.days],
    )
    return attrs.evolve(
        channel,
        channel_id=digest("channel", channel.channel_id, copy),
        scid=channel.scid and f"{block}x{index}x{int(output) + 10 * copy}",
        peer_id=peer_of(name),
        alias=name,
        htlc_max_msat=None,
        traffic=traffic,
        **sums,
    )


def scaled(day: Slice, busy: float) -> Slice:
    sums = attrs.asdict(day)
    return Slice(
        start=sums.pop("start"), **{name: round(sum_ * busy) for name, sum_ in sums.items()}
    )


def thousand() -> Snapshot:
    """
    Return the node.
    """
    snapshot = forty()
    known = {memory.channel_id: memory for memory in snapshot.memory.channels}
    channels, memories = [], list[ChannelMemory]()
    for channel in snapshot.channels:
        copies = [channel, *(copied(channel, copy) for copy in range(1, COPIES))]
        channels += copies
        if memory := known.get(channel.channel_id):
            memories += [attrs.evolve(memory, channel_id=twin.channel_id) for twin in copies]
    return attrs.evolve(
        snapshot,
        channels=channels,
        memory=attrs.evolve(snapshot.memory, channels=memories),
    )


if __name__ == "__main__":
    target = Path(__file__).with_name("thousand.json")
    target.write_text(write_snapshot(thousand()), encoding="utf-8")
