"""Writes `forty.json`: an invented routing node with 40 channels, the same every time."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import attrs

from revops.adapters.wire import write_snapshot
from revops.core.budget import Spend, Spending
from revops.core.chance import draw
from revops.core.fees.rails import ladder, rung_of
from revops.core.memory import (
    BeliefMemory,
    Change,
    ChannelMemory,
    FeeMemory,
    FlowMemory,
    FlowState,
    Memory,
    Pin,
    Price,
    Tried,
    VegasMemory,
    Window,
)
from revops.core.policy import Policy, Strategy
from revops.core.snapshot import (
    Channel,
    FeerateSample,
    Node,
    Refills,
    Slice,
    Snapshot,
    Traffic,
)
from revops.core.tally import size_of
from revops.core.treasury import Attempt, Ending, Engine, Treasury
from revops.core.units import DAY, HOUR, from_sats

NOW = 1_790_000_000
HEIGHT = 968_400
SINCE = NOW - 45 * DAY
LAST_CYCLE = NOW - 1800
# Sums that halve in 48 hours come to this many times an hour's part.
SETTLED_SUM = 1 / (1 - 0.5 ** (1 / 48))
SIZE_SPREAD = 1400**2


@attrs.frozen(kw_only=True)
class Story:
    """
    One channel: who, how large, what goes through it in a day, and what is odd about it.

    Attributes:
        share: How much of it is ours.
        outs, ins: Forwards a day each way.
        sats: The size of a usual forward.
        search: What came at its prices lately; `None` for a channel not met before.
        channel, memory: What else is true of it, and remembered of it.
    """

    alias: str
    capacity: int
    share: float
    ppm: int
    outs: float = 0
    ins: float = 0
    sats: int = 60_000
    idle_days: int = 0
    search: dict[str, object] | None = None
    channel: dict[str, object] = attrs.Factory(dict)
    memory: dict[str, object] = attrs.Factory(dict)


def window(fee_ppm: int, hours: float, count: int) -> Window:
    return Window(fee_ppm=fee_ppm, live_s=round(hours * HOUR), count=count)


def waiting(ppm: int, hours: float, count: int, base: int | None = None) -> dict[str, object]:
    return {"base_ppm": base or ppm, "window": window(ppm, hours, count)}


def comparing(first: Window, second: Window) -> dict[str, object]:
    return {"base_ppm": first.fee_ppm, "first": first, "window": second}


M = 1_000_000
STORIES = (
    # Busy, both ways.
    Story(alias="Otter Crossing", capacity=16 * M, share=0.52, ppm=240, outs=14, ins=13,
          search=waiting(240, 21.5, 12)),
    Story(alias="Copper Kettle Café", capacity=10 * M, share=0.61, ppm=320, outs=9, ins=8,
          search=comparing(window(250, 30, 22), window(320, 30, 21))),
    Story(alias="Northbound Ferry", capacity=20 * M, share=0.47, ppm=185, outs=22, ins=20,
          search=waiting(185, 23, 24)),
    Story(alias="Alpenglow", capacity=8 * M, share=0.56, ppm=405, outs=3, ins=4,
          search=comparing(window(300, 48, 24), window(405, 48, 8))),
    Story(alias="Quiet Harbour", capacity=12 * M, share=0.5, ppm=150, outs=7, ins=7,
          search=comparing(window(203, 50, 20), window(150, 50, 24))),
    Story(alias="Harbour Lights", capacity=5 * M, share=0.44, ppm=95, outs=11, ins=12,
          search=waiting(95, 8.5, 9)),
    # Two channels with one peer, one of them nearly drained.
    Story(alias="Tandem Bakery", capacity=6 * M, share=0.09, ppm=410, outs=8, ins=3,
          search=waiting(410, 31, 11)),
    Story(alias="Tandem Bakery", capacity=14 * M, share=0.58, ppm=260, outs=9, ins=5,
          search=waiting(260, 30, 18)),
    # Draining and filling.
    Story(alias="Riverbend Exchange", capacity=30 * M, share=0.14, ppm=1_480, outs=26, ins=4,
          sats=180_000, search=waiting(640, 12, 19),
          channel={"peer_fee_ppm": 90, "refills": Refills(count=6, amount_msat=from_sats(24 * M),
                                      cost_msat=from_sats(8_900))}),
    Story(alias="Saltmarsh Market", capacity=24 * M, share=0.11, ppm=1_700, outs=18, ins=2,
          sats=150_000, search=waiting(700, 44, 16), channel={"peer_fee_ppm": 210}),
    Story(alias="The Drained Well", capacity=9 * M, share=0.02, ppm=700, outs=6, ins=1,
          search=waiting(350, 20, 7)),
    Story(alias="Honeybee Wallet", capacity=18 * M, share=0.12, ppm=610, outs=12, ins=3,
          search=waiting(290, 52, 18)),
    Story(alias="Millrace Mining", capacity=40 * M, share=0.93, ppm=30, outs=2, ins=21,
          sats=120_000, search=waiting(30, 66, 7)),
    Story(alias="Snowmelt Pool", capacity=25 * M, share=0.97, ppm=20, outs=1, ins=16,
          search=comparing(window(27, 72, 5), window(20, 72, 4))),
    Story(alias="Little Lighthouse", capacity=3 * M, share=0.88, ppm=65, outs=1, ins=4,
          search=waiting(65, 40, 2)),
    # Quiet.
    Story(alias="Old Stone Bridge", capacity=7 * M, share=0.72, ppm=210, idle_days=4,
          search=waiting(210, 72, 0)),
    Story(alias="Lantern Lane", capacity=4 * M, share=0.66, ppm=160, idle_days=9,
          search=waiting(160, 71.9, 0)),
    Story(alias="Sleeping Fox", capacity=30 * M, share=0.81, ppm=10, idle_days=30,
          search={**waiting(10, 0, 0), "resting": True}, channel={"opener": "remote"}),
    Story(alias="Winter Orchard", capacity=22 * M, share=0.64, ppm=10, outs=0.5, ins=1,
          search={**waiting(10, 0, 0), "resting": True, "seen": 1}),
    Story(alias="Marble Quarry", capacity=6 * M, share=0.83, ppm=1200, idle_days=5,
          search=waiting(1200, 60, 0)),
    Story(alias="Paper Crane", capacity=2 * M, share=0.5, ppm=2800, idle_days=8,
          search=waiting(2800, 50, 0)),
    # HTLC slots.
    Story(alias="Rush Hour Tram", capacity=15 * M, share=0.41, ppm=330, outs=40, ins=31,
          sats=9_000, search=waiting(330, 9, 15), channel={"htlcs_out": 27, "max_htlcs": 30}),
    Story(alias="Evening Tram", capacity=11 * M, share=0.45, ppm=5000, outs=20, ins=18,
          sats=8_000, search=waiting(280, 3, 4), channel={"htlcs_in": 9, "max_htlcs": 30},
          memory={"congested": True, "calm": 0}),
    # The operator's word.
    Story(alias="Granny's Pantry", capacity=5 * M, share=0.6, ppm=300, outs=2, ins=2,
          search=waiting(300, 10, 1)),
    Story(alias="Old Friend", capacity=8 * M, share=0.5, ppm=77, outs=3, ins=3),
    Story(alias="Hive: Clover", capacity=30 * M, share=0.5, ppm=0, outs=10, ins=10),
    Story(alias="Last Year's Deal", capacity=6 * M, share=0.05, ppm=1, outs=14, ins=1,
          search=waiting(780, 5, 2), channel={"peer_fee_ppm": 15}),
    Story(alias="Velvet Rope", capacity=10 * M, share=0.17, ppm=1_000, outs=5, ins=5,
          search=waiting(620, 24, 6)),
    Story(alias="Patron of the Arts", capacity=9 * M, share=0.16, ppm=460, outs=9, ins=3,
          search=waiting(230, 36, 9)),
    # Somebody else's hand.
    Story(alias="Tuesday Tinkerer", capacity=7 * M, share=0.57, ppm=50, outs=3, ins=2,
          search=waiting(210, 16, 4), memory={"known": Price(fee_ppm=210, base_fee_msat=0)}),
    Story(alias="Hands On", capacity=6 * M, share=0.5, ppm=999, outs=2, ins=2,
          memory={"pin": Pin(price=Price(fee_ppm=999, base_fee_msat=0), until=NOW + 7 * HOUR)}),
    # Gossip and steps.
    Story(alias="Chatterbox", capacity=13 * M, share=0.52, ppm=140, outs=15, ins=15,
          search=waiting(140, 26, 31),
          memory={"changes": tuple(Change(at=NOW - h * HOUR) for h in (22, 16, 9, 3))}),
    Story(alias="Slow Elevator", capacity=9 * M, share=0.62, ppm=400, outs=6, ins=5,
          search=waiting(900, 0, 0)),
    # Out of reach, out of sight.
    Story(alias="Gone Fishing", capacity=8 * M, share=0.7, ppm=190, outs=3, ins=3,
          search=waiting(190, 33, 9), channel={"connected": False}),
    Story(alias="Kitchen Table", capacity=1 * M, share=0.15, ppm=160, outs=3, ins=1, sats=12_000,
          search=waiting(100, 20, 1), channel={"private": True, "peer_uptime": 0.62}),
    Story(alias="Closing Time", capacity=5 * M, share=0.35, ppm=120, outs=1, ins=1,
          channel={"state": "CHANNELD_SHUTTING_DOWN"}),
    Story(alias="Fresh Concrete", capacity=10 * M, share=1.0, ppm=10,
          channel={"state": "CHANNELD_AWAITING_LOCKIN", "scid": None, "opened_at": None}),
    # New.
    Story(alias="Welcome Wagon", capacity=5 * M, share=0.0, ppm=10,
          channel={"opener": "remote", "opened_at": NOW - 3 * DAY, "market_ppm": 180}),
    Story(alias="First Light", capacity=12 * M, share=0.99, ppm=10,
          channel={"opened_at": NOW - 5 * HOUR, "market_ppm": 340}),
    Story(alias="Newly Met", capacity=9 * M, share=0.53, ppm=225, outs=3, ins=3),
)  # fmt: skip


def digest(*words: object) -> str:
    return hashlib.sha256(":".join(map(str, words)).encode()).hexdigest()


def peer_of(alias: str) -> str:
    return f"{'02' if draw(40, 'parity', alias) < 0.5 else '03'}{digest('peer', alias)}"


def slice_of(story: Story, start: int, share_of_day: float) -> Slice:
    """
    Return what went through in a day, or a part of one, give or take.
    """
    outs, ins = (
        int(share_of_day * mean * (0.4 + 1.2 * draw(40, story.alias, way, str(start))) + 0.5)
        for way, mean in (("out", story.outs), ("in", story.ins))
    )
    sats = story.sats * (0.7 + 0.6 * draw(40, story.alias, "size", str(start)))
    out_msat, in_msat = (from_sats(int(count * sats)) for count in (outs, ins))
    size = size_of(from_sats(int(sats)))
    return Slice(
        start=start,
        in_count=ins,
        out_count=outs,
        in_msat=in_msat,
        out_msat=out_msat,
        earned_msat=out_msat * story.ppm // M,
        sourced_msat=in_msat * 250 // M,
        failed_count=int(outs * 1.5),
        refused_count=outs // 3,
        size_sum=outs * size,
        size_squares=outs * (size * size + SIZE_SPREAD),
    )


def traffic_of(story: Story, opened_at: int) -> Traffic:
    quiet = story.outs + story.ins == 0
    last_out = NOW - story.idle_days * DAY - int(HOUR * (1 + 20 / (1 + story.outs)))
    days = [slice_of(story, day, 1.0) for day in range(NOW // DAY - 7, NOW // DAY)]
    days.append(slice_of(story, NOW // DAY, NOW % DAY / DAY))
    first = NOW // HOUR - (1 if story.search else 7 * 24)
    hours = [slice_of(story, hour, 1 / 24) for hour in range(first, NOW // HOUR)]
    never = quiet and not story.idle_days
    return Traffic(
        since=max(SINCE, opened_at),
        until=NOW,
        out_count=0 if never else 3 + int(story.outs * 45),
        last_in_at=None if quiet else last_out - HOUR,
        last_out_at=None if never else last_out,
        hours=tuple(hour for hour in hours if hour.in_count + hour.out_count),
        days=() if quiet else days,
    )


def channel_of(place: int, story: Story) -> Channel:
    height = 820_000 + place * 3_137
    opened_at = NOW - (HEIGHT - height) * 600
    capacity = from_sats(story.capacity)
    to_us = round(capacity * story.share)
    spendable = max(0, to_us - capacity // 100)
    traffic = traffic_of(story, int(story.channel.get("opened_at") or opened_at))
    known = {
        "scid": f"{height}x{100 + place * 37}x{place % 3}",
        "opener": "local" if place % 3 else "remote",
        "opened_at": opened_at,
        "max_htlcs": 483,
        "peer_fee_ppm": 40 + int(600 * draw(40, story.alias, "their fee")),
        "peer_uptime": 1.0,
        "live_share": 1.0 if story.share > 0.05 else 0.55,
        **story.channel,
    }
    return Channel(
        channel_id=digest("channel", place),
        peer_id=peer_of(story.alias),
        alias=story.alias,
        capacity_msat=capacity,
        to_us_msat=to_us,
        spendable_msat=spendable,
        receivable_msat=max(0, capacity - to_us - capacity // 100),
        our_reserve_msat=capacity // 100,
        their_reserve_msat=capacity // 100,
        fee_ppm=story.ppm,
        base_fee_msat=0,
        htlc_min_msat=1000,
        htlc_max_msat=ladder(capacity, rung_of(capacity, spendable)),
        peer_base_fee_msat=0,
        traffic=traffic if known["scid"] else None,
        **{"state": "CHANNELD_NORMAL", **known},
    )


def memory_of(story: Story, channel: Channel) -> ChannelMemory:
    known = {"known": Price(fee_ppm=story.ppm, base_fee_msat=0), **story.memory}
    if story.search:
        known["belief"] = belief_of(story, channel)
    return ChannelMemory(
        channel_id=channel.channel_id,
        first_seen_at=max(SINCE, channel.opened_at),
        last_seen_at=LAST_CYCLE,
        flow=flow_of(story, channel) if story.search else None,
        fee=FeeMemory(**known),
    )


def belief_of(story: Story, channel: Channel) -> BeliefMemory:
    """
    Return what is believed of a channel after weeks at about its price, and what came since.
    """
    search = dict(story.search or {})
    came, first, last = search.pop("seen", 0), search.pop("first", None), search.pop("window")
    weeks = Tried(fee_ppm=search["base_ppm"], live_s=12 * DAY, count=round(12 * story.outs, 1))
    tried = [weeks] if story.outs else []
    if first:
        tried.append(Tried(fee_ppm=first.fee_ppm, live_s=first.live_s, count=first.count))
    return BeliefMemory(
        tried=tuple(tried),
        window=last,
        news=last.count,
        quiet_s=story.idle_days * DAY,
        judged_at=NOW - (26 if story.idle_days else round(story.outs) % 9) * HOUR,
        middle_ppm=float(story.ppm),
        per_day=2.0 * story.outs,
        seen_out_count=channel.traffic.out_count - came,
        seen_at=LAST_CYCLE,
        live=channel.connected and story.share > 0.05,
        **search,
    )


def flow_of(story: Story, channel: Channel) -> FlowMemory:
    """
    Return what weeks of such days leave behind.
    """
    into, out = (mean * from_sats(story.sats) / 24 for mean in (story.ins, story.outs))
    towards = (out - into) / (out + into) if out + into else 0.0
    state = FlowState.SOURCE if towards > 0.3 else FlowState.BALANCED
    return FlowMemory(
        hour=NOW // HOUR - 2,
        in_sum=round(into * SETTLED_SUM, 1),
        out_sum=round(out * SETTLED_SUM, 1),
        count_sum=round((story.ins + story.outs) / 24 * SETTLED_SUM, 3),
        ratio=round((out - into) * 24 / channel.capacity_msat, 5),
        variance=0.0016,
        covariance=0.00002,
        velocity_variance=0.000004,
        state=FlowState.SINK if towards < -0.3 else state,
    )


def feerates() -> tuple[FeerateSample, ...]:
    """
    Return a week of samples: calm, with an evening the day before yesterday that was not.
    """
    samples = []
    for age in range(7 * 24, -1, -1):
        calm = 900 + int(250 * draw(40, "feerate", str(age)))
        spike = 9 * max(0.0, 1 - abs(age - 52) / 7)
        samples.append(FeerateSample(at=NOW - age * HOUR, perkw=int(calm * (1 + spike))))
    return tuple(samples)


def policies() -> tuple[Policy, ...]:
    wishes = {
        "Granny's Pantry": {"strategy": Strategy.STATIC, "fee_ppm": 50, "tags": ("family",)},
        "Old Friend": {"strategy": Strategy.PASSIVE},
        "Hive: Clover": {"strategy": Strategy.HIVE},
        "Last Year's Deal": {
            "strategy": Strategy.STATIC,
            "fee_ppm": 1,
            "expires_at": NOW - 2 * HOUR,
        },
        "Velvet Rope": {"min_fee_ppm": 700, "max_fee_ppm": 2500},
        "Patron of the Arts": {"fee_multiplier_min": 2.0, "fee_multiplier_max": 2.0},
    }
    return tuple(Policy(peer_id=peer_of(alias), **wish) for alias, wish in wishes.items())


def attempt(place: int, alias: str, hours_ago: float, **fields: object) -> Attempt:
    """
    Return a rebalance of half a million sat that was begun so long ago.
    """
    [(target, _)] = [
        (n, story) for n, story in enumerate(STORIES) if story.alias == alias and story.share < 0.5
    ]
    at = round(NOW - hours_ago * HOUR)
    plain = {"limit_msat": from_sats(300), "ended_at": at + HOUR}
    return Attempt(
        rebalance_id=place,
        at=at,
        to_channel=digest("channel", target),
        to_peer=peer_of(alias),
        from_channels=(digest("channel", 12), digest("channel", 13)),
        amount_msat=from_sats(500_000),
        chunk_msat=from_sats(100_000),
        **(plain | fields),
    )


def treasury(channels: Sequence[Channel]) -> Treasury:
    """
    Return what weeks of refills leave behind: some that were sold, one that runs, and a peer that
    nothing can be moved to.
    """
    done = {"state": Spend.SETTLED, "moved_msat": from_sats(500_000), "ending": Ending.DONE}
    vain = {"state": Spend.RELEASED, "ending": Ending.NO_ROUTE}
    days = [day for channel in channels if channel.traffic for day in channel.traffic.days]
    week = sum(day.earned_msat for day in days if day.start >= NOW // DAY - 6)
    today = sum(day.earned_msat for day in days if day.start == NOW // DAY)
    return Treasury(
        engine=Engine(version="4.3.1", jobs=()),
        spending=Spending(
            day_msat=from_sats(240), week_msat=from_sats(1_900), held_msat=from_sats(330)
        ),
        revenue_day_msat=today,
        revenue_week_msat=week,
        refill_cost_week_msat=from_sats(1_900),
        income_month_msat=4 * week,
        attempts=(
            attempt(1, "Riverbend Exchange", 20 * 24, **done, fee_msat=from_sats(140), sold=0.9),
            attempt(2, "Riverbend Exchange", 12 * 24, **done, fee_msat=from_sats(155), sold=1.0),
            *(attempt(3 + n, "The Drained Well", 40 - 3 * n, **vain) for n in range(11)),
            attempt(
                14,
                "Patron of the Arts",
                1,
                ended_at=None,
                state=Spend.IN_FLIGHT,
                limit_msat=from_sats(330),
                moved_msat=from_sats(200_000),
                fee_msat=from_sats(61),
            ),
        ),
    )


def forty() -> Snapshot:
    """
    Return the node.
    """
    channels = [channel_of(place, story) for place, story in enumerate(STORIES)]
    met = [pair for pair in zip(STORIES, channels, strict=True) if pair[0].search or pair[0].memory]
    return Snapshot(
        now=NOW,
        seed=40,
        node=Node(
            node_id=peer_of("Forty Winks"),
            alias="Forty Winks",
            version="v26.06.6",
            blockheight=HEIGHT,
        ),
        channels=channels,
        feerates=feerates(),
        policies=policies(),
        onchain_msat=from_sats(4_200_000),
        treasury=treasury(channels),
        memory=Memory(
            since=SINCE,
            at=LAST_CYCLE,
            vegas=VegasMemory(sample_at=NOW - HOUR),
            channels=[memory_of(story, channel) for story, channel in met],
        ),
    )


if __name__ == "__main__":
    target = Path(__file__).with_name("forty.json")
    target.write_text(write_snapshot(forty()), encoding="utf-8")
