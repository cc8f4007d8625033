"""Pasts: small histories of a node with three channels, and the raw replies that tell of them."""

import json
from collections.abc import Sequence
from pathlib import Path

from revops.core.units import DAY, Instant, Msat, Ppm, Scid, fee_msat, from_sats
from revops.simulate.backtest.history import Forwarded, History, Moved, Place, the_outside

SINCE = Instant(20_300 * DAY)
CAPACITY = from_sats(4_000_000)
AMOUNT = from_sats(20_000)
SCIDS = tuple(Scid(f"800000x{n}x0") for n in range(3))


def place(number: int, **changes: object) -> Place:
    """
    Return the channel with this *number*, half of it ours.
    """
    usual = {"capacity_msat": CAPACITY, "local_msat": Msat(CAPACITY // 2), "fee_ppm": Ppm(100)}
    return Place(scid=SCIDS[number], **{**usual, **changes})


def forward(hour: float, into: int, out: int, ppm: int = 100, amount: Msat = AMOUNT) -> Forwarded:
    """
    Return a forward so many hours after the beginning.
    """
    at = Instant(SINCE + int(hour * 3600))
    return Forwarded(at, into, out, amount, fee_msat(amount, Ppm(ppm)))


def past(
    forwards: Sequence[Forwarded] = (),
    days: int = 4,
    moves: Sequence[Moved] = (),
    places: Sequence[Place] = (),
) -> History:
    """
    Return a history of three channels.
    """
    mine = tuple(places) or tuple(place(number) for number in range(3))
    return History(
        since=SINCE,
        until=Instant(SINCE + days * DAY),
        places=(*mine, the_outside(mine)),
        forwards=tuple(sorted(forwards)),
        moves=tuple(moves),
    )


def there_and_back(days: int = 4, ppm: int = 100) -> list[Forwarded]:
    """
    Return twelve forwards a day, of which each is followed by one the other way.
    """
    ways = [(0, 1), (1, 0), (1, 2), (2, 1)]
    return [forward(2 * n + 0.3, *ways[n % 4], ppm=ppm) for n in range(12 * days)]


def written(directory: Path, history: History) -> Path:
    """
    Return *directory* with the raw replies of a node that has this *history* behind it.
    """
    names = [place.scid for place in history.places]
    rows = [
        {
            "created_index": number + 1,
            "in_channel": names[row.into],
            "out_channel": names[row.out],
            "in_msat": row.amount_msat + row.fee_msat,
            "out_msat": row.amount_msat,
            "fee_msat": row.fee_msat,
            "status": "settled",
            "received_time": float(row.at),
            "resolved_time": float(row.at),
        }
        for number, row in enumerate(history.forwards)
    ]
    channels = [
        {
            "peer_id": f"02{number:064x}",
            "channel_id": f"{number:064x}",
            "short_channel_id": row.scid,
            "peer_connected": True,
            "state": "CHANNELD_NORMAL",
            "opener": "local",
            "total_msat": row.capacity_msat,
            "to_us_msat": row.local_msat,
            "spendable_msat": row.local_msat,
            "receivable_msat": row.capacity_msat - (row.local_msat or 0),
            "fee_base_msat": row.base_fee_msat,
            "fee_proportional_millionths": row.fee_ppm,
        }
        for number, row in enumerate(history.places)
        if not row.outside
    ]
    directory.mkdir(exist_ok=True)
    replies = {"listforwards": {"forwards": rows}, "listpeerchannels": {"channels": channels}}
    for method, reply in replies.items():
        (directory / f"{method}.json").write_text(json.dumps(reply), "utf-8")
    return directory
