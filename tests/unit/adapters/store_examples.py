"""Examples for the tests of the books: forwards, channels and plans, as small as they can be."""

from revops.core.actions import Hold, SetFee
from revops.core.memory import ChannelMemory, FeeMemory, FlowMemory, Memory, Price
from revops.core.plan import Decision, Plan
from revops.core.reasons import Code, because
from revops.core.snapshot import Channel
from revops.core.tally import Forward, tally
from revops.core.units import DAY, HOUR

NOW = 20_000 * DAY + 12 * HOUR
"""Noon of some day."""
PEER = "02" + "ab" * 32


def channel_id(number):
    """
    Return the id of the channel of that number.
    """
    return f"{number:064x}"


def scid(number):
    """
    Return the short channel id of the channel of that number.
    """
    return f"{700_000 + number}x1x0"


def channel(number, **fields):
    """
    Return a channel, half ours.
    """
    return Channel(
        **{
            "channel_id": channel_id(number),
            "scid": scid(number),
            "peer_id": PEER,
            "state": "CHANNELD_NORMAL",
            "capacity_msat": 10_000_000,
            "to_us_msat": 5_000_000,
            "spendable_msat": 5_000_000,
            "receivable_msat": 5_000_000,
            "fee_ppm": 100,
            "base_fee_msat": 0,
            **fields,
        }
    )


def forward(index, at=NOW - HOUR, **fields):
    """
    Return a forward of 1000 msat from channel 1 to channel 2 that settled at *at*.
    """
    return Forward(
        **{
            "created_index": index,
            "updated_index": index,
            "in_scid": scid(1),
            "out_scid": scid(2),
            "in_msat": 1001,
            "out_msat": 1000,
            "fee_msat": 1,
            "status": "settled",
            "received_at": at,
            "resolved_at": at,
            **fields,
        }
    )


def take(store, forwards, until=NOW, **cursors):
    """
    Enter *forwards* in the books.
    """
    store.take_forwards(tally(forwards), cursors, until)


def digested(number, hour):
    """
    Return the memory of a channel whose traffic is digested up to *hour*.
    """
    return ChannelMemory(
        channel_id=channel_id(number),
        first_seen_at=NOW,
        last_seen_at=NOW,
        flow=FlowMemory(hour=hour),
    )


def remembered(number, at=NOW, fee_ppm=100):
    """
    Return the memory of a channel that was seen at *at*, at a price of *fee_ppm*.
    """
    return ChannelMemory(
        channel_id=channel_id(number),
        first_seen_at=0,
        last_seen_at=at,
        fee=FeeMemory(known=Price(fee_ppm=fee_ppm, base_fee_msat=0)),
    )


def set_fee(number, new_ppm=120):
    """
    Return the action that moves a channel's fee from 100 ppm.
    """
    return SetFee(
        channel_id=channel_id(number),
        scid=scid(number),
        peer_id=PEER,
        old_ppm=100,
        new_ppm=new_ppm,
        old_base_msat=1,
        new_base_msat=0,
    )


def decision(number, action=None):
    """
    Return a decision about a channel, to hold unless *action* says otherwise.
    """
    return Decision(
        channel_id=channel_id(number),
        scid=scid(number),
        peer_id=PEER,
        action=action or Hold(until=NOW + HOUR),
        trail=(
            because(Code.BOUNDS, floor=10, ceiling=5000),
            because(Code.UNCHANGED, 100, 100 if action is None else action.new_ppm),
        ),
    )


def plan(*decisions, at=NOW, channels=(), **fields):
    """
    Return a plan that leaves the memory of *channels*.
    """
    return Plan(
        **{
            "at": at,
            "decisions": decisions,
            "states": (),
            "node_trail": (because(Code.VEGAS_BLIND, samples=2, needed=6),),
            "memory": Memory(since=0, at=at, channels=channels),
            **fields,
        }
    )
