"""A node with a channel that sells more than it holds, and others that could fill it."""

from typing import Any

from e2e.office import Office
from fakes import FakeNode

from revops.core.uptime import Watched

TARGET = "150x1x0"
SOURCE = "150x7x0"
PRICE_PPM = 2000
CHUNK = 100_000_000
DAY = 86_400


def make_thirsty(node: FakeNode, target: str = TARGET, days: int = 10) -> None:
    """
    Have *target* all but empty after *days* in which much left by it.
    """
    channel = node.channel(target)
    held = channel["total_msat"] * 6 // 100
    channel |= {
        "to_us_msat": held,
        "spendable_msat": held - 10_000_000,
        "receivable_msat": channel["total_msat"] - held - 10_000_000,
    }
    sold = channel["total_msat"] // 50
    ends = [node.now - day * DAY + hour * 3600 for day in range(days, 0, -1) for hour in range(6)]
    node.forwards = [_sale(target, sold, end, node) for end in ends] + node.forwards
    for number, row in enumerate(node.forwards, 1):
        row |= {"created_index": number, "updated_index": number}


def _sale(target: str, amount: int, end: int, node: FakeNode) -> dict[str, Any]:
    fee = amount * PRICE_PPM // 1_000_000
    number = 10_000 + len(node.forwards) + end
    return {
        "in_channel": SOURCE,
        "in_htlc_id": number,
        "out_channel": target,
        "out_htlc_id": number,
        "in_msat": amount + fee,
        "out_msat": amount,
        "fee_msat": fee,
        "status": "settled",
        "style": "tlv",
        "received_time": end - 1.0,
        "resolved_time": float(end),
    }


def settle_in(office: Office, *targets: str) -> None:
    """
    Have the plugin know the node as after a day: its peers are there, what *targets* charge is
    decided, and all forwards are counted.
    """
    yesterday = office.clock.now() // DAY - 1
    peers = {channel["peer_id"] for channel in office.node.channels}
    office.app.store.add_uptime({(peer, yesterday): Watched(DAY, DAY) for peer in peers}, 0)
    for target in targets or (TARGET,):
        peer_id = office.node.channel(target)["peer_id"]
        office.call("revenue-policy", "set", peer_id=peer_id, strategy="static", fee_ppm=PRICE_PPM)
    office.cycle()
    office.keep_books()
    office.node.calls.clear()
    office.logs.clear()
