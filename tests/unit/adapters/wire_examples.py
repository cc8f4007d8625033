"""One snapshot in which every class of the format has a part."""

from revops.core.budget import Spend, Spending
from revops.core.memory import (
    Asked,
    Change,
    ChannelMemory,
    ClimbMemory,
    FeeMemory,
    FlowMemory,
    FlowState,
    Memory,
    Pin,
    Price,
    VegasMemory,
    Window,
)
from revops.core.policy import Policy, RebalanceMode, Strategy
from revops.core.snapshot import (
    NORMAL,
    Channel,
    FeerateSample,
    Node,
    Refills,
    Slice,
    Snapshot,
    Traffic,
)
from revops.core.treasury import (
    Attempt,
    Ending,
    Engine,
    Job,
    Progress,
    Reputation,
    Treasury,
)

NOW = 1_750_000_000
US = "02" + "ab" * 32
PEER = "03" + "cd" * 32
CHANNEL = "ef" * 32
GIVER = "12" * 32

MEMORY = ChannelMemory(
    channel_id=CHANNEL,
    first_seen_at=NOW - 900,
    last_seen_at=NOW,
    flow=FlowMemory(hour=486_111, in_sum=12.5, ratio=-0.25, state=FlowState.SINK),
    fee=FeeMemory(
        known=Price(fee_ppm=100, base_fee_msat=0),
        asked=Asked(price=Price(fee_ppm=120, base_fee_msat=0), at=NOW, urgent=True),
        pin=Pin(price=Price(fee_ppm=77, base_fee_msat=1), until=NOW + 60),
        changes=(Change(at=NOW - 5), Change(at=NOW - 1, urgent=True)),
        climb=ClimbMemory(
            base_ppm=100,
            side=-1,
            first=Window(fee_ppm=100, live_s=4000, count=20),
            window=Window(fee_ppm=90),
            seen_at=NOW,
        ),
    ),
)
FULL = Snapshot(
    now=NOW,
    seed=7,
    node=Node(node_id=US, alias="us", version="v26.06", blockheight=900_000),
    channels=(
        Channel(
            channel_id=CHANNEL,
            scid="800000x1x0",
            peer_id=PEER,
            state=NORMAL,
            capacity_msat=5_000_000_000,
            to_us_msat=2_000_000_000,
            spendable_msat=1_900_000_000,
            receivable_msat=2_900_000_000,
            fee_ppm=100,
            base_fee_msat=0,
            opener="remote",
            alias="<b>peer</b> ⚡",
            traffic=Traffic(
                since=NOW - 86_400,
                until=NOW,
                out_count=2,
                hours=(Slice(start=486_110, out_count=2, out_msat=2_000),),
                days=(Slice(start=20_254, out_count=2, out_msat=2_000),),
            ),
            refills=Refills(count=1, amount_msat=100_000, cost_msat=10),
        ),
    ),
    feerates=(FeerateSample(at=NOW - 60, perkw=253),),
    policies=(
        Policy(
            peer_id=PEER,
            strategy=Strategy.STATIC,
            rebalance=RebalanceMode.SINK_ONLY,
            fee_ppm=100,
            tags=("friend of bob",),
        ),
    ),
    onchain_msat=10_000,
    treasury=Treasury(
        engine=Engine(
            version="v4.3.1",
            trouble="bob's sling did not answer",
            jobs=(
                Job(
                    scid="800000x1x0",
                    progress=Progress.WORKING,
                    partners=("800001x1x0",),
                    words="filling bob",
                ),
                Job(scid="800002x1x0"),
            ),
        ),
        spending=Spending(day_msat=5_000, week_msat=6_000, held_msat=7_000),
        revenue_day_msat=8_000,
        revenue_week_msat=9_000,
        refill_cost_week_msat=6_500,
        income_month_msat=-1_000,
        contested=(PEER,),
        attempts=(
            Attempt(
                rebalance_id=4,
                at=NOW - 500,
                to_channel=CHANNEL,
                to_peer=PEER,
                from_channels=(GIVER,),
                amount_msat=200_000_000,
                chunk_msat=100_000_000,
                limit_msat=40_000,
                before_msat=1_900_000_000,
                state=Spend.SETTLED,
                moved_msat=100_000_000,
                fee_msat=12_000,
                ending=Ending.PARTIAL,
                ended_at=NOW - 100,
                sold=0.25,
            ),
        ),
        one_at_a_time=True,
        reputations=(Reputation(peer_id=PEER, hour=486_110, successes=3.5, failures=0.25),),
    ),
    memory=Memory(
        since=NOW - 900, at=NOW, vegas=VegasMemory(intensity=0.5, spiking=True), channels=(MEMORY,)
    ),
)
