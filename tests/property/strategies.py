"""
Strategies: every value that the core's types allow, however odd, and no other.

They say what is valid, not what is likely: a channel of one millisatoshi, a fee of 2³² - 1 ppm and
a clock beyond the year 9999 are as good as any. Two things are kept, because every node keeps them:
what was seen is not in the future of `now`, and a part is not larger than its whole. Later bounds
are computed from earlier draws, and everything shrinks towards one quiet channel, just now.

Whatever has a time in it is drawn as an age and takes `now` for it. The strategies of plain fields
are constants, since building one anew for every example costs more than drawing from it.
"""

import math
from collections.abc import Iterable
from typing import Any

import attrs
from hypothesis import strategies as st

from revops.core.checks import MOST_MSAT
from revops.core.config import OPTIONS, Config
from revops.core.memory import (
    FEW,
    MOST_COUNT,
    MOST_LIVE_S,
    Asked,
    BeliefMemory,
    Change,
    ChannelMemory,
    ClimbMemory,
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
from revops.core.option import Option
from revops.core.policy import Policy, RebalanceMode, Strategy
from revops.core.shadow_options import OF_NO_USE
from revops.core.snapshot import (
    NORMAL,
    Channel,
    FeePin,
    FeerateSample,
    HiveHint,
    Node,
    Refills,
    Slice,
    Snapshot,
    Traffic,
)
from revops.core.units import DAY, HOUR, from_sats

Some = st.SearchStrategy[Any]

GENESIS = 1_231_006_505
"""When bitcoin's first block was found; no channel is older."""
LARGEST = 2**63 - 1
"""The largest whole number that any field holds."""
MOST_FEE = 2**32 - 1
"""The largest fee that a channel_update can say."""
STATES = (
    NORMAL,
    "CHANNELD_AWAITING_LOCKIN",
    "CHANNELD_AWAITING_SPLICE",
    "CHANNELD_SHUTTING_DOWN",
    "CLOSINGD_COMPLETE",
    "ONCHAIN",
)


# Plain values


def whole(min_value: int = 0, max_value: int = LARGEST) -> Some:
    """
    Return whole numbers that a field can hold.
    """
    return st.integers(min_value, max_value)


def ratios(min_value: float | None = 0.0, max_value: float | None = None) -> Some:
    """
    Return finite numbers.
    """
    return st.floats(min_value, max_value, allow_nan=False, allow_infinity=False)


def msats(min_value: int = 0, max_value: int = MOST_MSAT) -> Some:
    """
    Return amounts, up to all bitcoin.
    """
    return st.integers(min_value, max_value)


def capacities() -> Some:
    """
    Return what channels hold: whole satoshi up to the old limit of 2²⁴, or any amount at all.
    """
    return st.integers(1, 2**24 - 1).map(from_sats) | msats(min_value=1)


def ppms(min_value: int = 0, max_value: int = MOST_FEE) -> Some:
    """
    Return fee rates, up to what a channel_update can say.
    """
    return st.integers(min_value, max_value)


def instants(min_value: int = 0, max_value: int = LARGEST) -> Some:
    """
    Return moments, the earliest first.
    """
    return st.integers(min_value, max_value)


def scids() -> Some:
    """
    Return short channel ids.
    """
    parts = st.tuples(whole(0, 2**24 - 1), whole(0, 2**24 - 1), whole(0, 2**16 - 1))
    return parts.map(lambda scid: "{}x{}x{}".format(*scid))


def channel_ids() -> Some:
    """
    Return channel ids.
    """
    return st.integers(0, 2**256 - 1).map("{:064x}".format)


def peer_ids() -> Some:
    """
    Return public keys of nodes.
    """
    keys = st.tuples(st.sampled_from(("02", "03")), st.integers(0, 2**256 - 1))
    return keys.map(lambda key: f"{key[0]}{key[1]:064x}")


def nodes() -> Some:
    """
    Return who we may be.
    """
    return st.builds(
        Node,
        node_id=peer_ids(),
        alias=st.text(max_size=32),
        network=st.sampled_from(("bitcoin", "testnet", "signet", "regtest")),
        version=st.none() | st.text(max_size=16),
        blockheight=st.none() | whole(),
    )


_WHOLE = whole()
_MAYBE_WHOLE = st.none() | whole()
_PPM = ppms()
_BOOL = st.booleans()
_MAYBE_MSAT = st.none() | msats()


def _past(draw: st.DrawFn, now: int) -> int:
    return max(0, now - draw(_WHOLE))


def _maybe_past(draw: st.DrawFn, now: int) -> int | None:
    age = draw(_MAYBE_WHOLE)
    return None if age is None else max(0, now - age)


# What a node knows of its channels

_SLICE_FIELDS = tuple(field.name for field in attrs.fields(Slice))


def _rows(largest: int) -> Some:
    counts = [whole(0, largest)] * (len(_SLICE_FIELDS) - 1)
    return st.lists(st.tuples(_WHOLE, *counts), max_size=3, unique_by=lambda row: row[0])


_ROWS = _rows(LARGEST)


def _slices(draw: st.DrawFn, latest: int, rows: Some = _ROWS) -> list[Slice]:
    return [
        Slice(**dict(zip(_SLICE_FIELDS, (latest - age, *counts), strict=True)))
        for age, *counts in draw(rows)
        if age <= latest
    ]


def slices(max_value: int = LARGEST, largest: int = LARGEST) -> Some:
    """
    Return hours (or days) of traffic, each once, the last of them *max_value* at the latest, with
    numbers up to *largest*.
    """
    return st.composite(_slices)(max_value, _rows(largest))


def _traffic(draw: st.DrawFn, now: int) -> Traffic:
    until = _past(draw, now)
    return Traffic(
        since=_past(draw, until),
        until=until,
        out_count=draw(_WHOLE),
        last_in_at=_maybe_past(draw, until),
        last_out_at=_maybe_past(draw, until),
        hours=_slices(draw, until // HOUR),
        days=_slices(draw, until // DAY),
    )


def traffics(now: int = LARGEST) -> Some:
    """
    Return books as they may be found at *now*.
    """
    return st.composite(_traffic)(now)


def hive_hints() -> Some:
    """
    Return what a hive may say of the fees toward a peer.
    """
    return st.builds(HiveHint, fee_ppm=_PPM, confidence=ratios(0, 1))


_CHANNEL_FIELDS: dict[str, Some] = {
    "channel_id": channel_ids(),
    "peer_id": peer_ids(),
    "scid": st.none() | scids(),
    "state": st.sampled_from(STATES),
    "capacity_msat": capacities(),
    "fee_ppm": _PPM,
    "base_fee_msat": _PPM,
    "htlc_min_msat": msats(),
    "htlc_max_msat": st.none() | msats(),
    "connected": _BOOL,
    "opener": st.sampled_from(("local", "remote")),
    "private": _BOOL,
    "max_htlcs": st.none() | whole(1),
    "peer_fee_ppm": _MAYBE_WHOLE,
    "peer_base_fee_msat": _MAYBE_WHOLE,
    "market_ppm": _MAYBE_WHOLE,
    "hive_hint": st.none() | hive_hints(),
    "refills": st.none() | st.builds(Refills, count=_WHOLE, amount_msat=_WHOLE, cost_msat=_WHOLE),
}
OPEN: dict[str, Some] = {"state": st.just(NORMAL), "scid": scids()}
"""Narrows channels to those that a fee can be set on."""
_PLAIN_CHANNELS = st.fixed_dictionaries(_CHANNEL_FIELDS)


def _channel(draw: st.DrawFn, now: int, fields: dict[str, Some]) -> Channel:
    wishes = {name: draw(strategy) for name, strategy in fields.items()}
    values = draw(_PLAIN_CHANNELS) | wishes
    share = msats(max_value=values["capacity_msat"])
    used = _WHOLE if values["max_htlcs"] is None else whole(0, values["max_htlcs"])
    for name, strategy in (
        ("to_us_msat", share),
        ("spendable_msat", share),
        ("receivable_msat", share),
        ("our_reserve_msat", st.none() | share),
        ("their_reserve_msat", st.none() | share),
        ("htlcs_in", used),
        ("htlcs_out", used),
    ):
        if name not in wishes:
            values[name] = draw(strategy)
    if "opened_at" not in wishes:
        values["opened_at"] = _maybe_past(draw, now)
    if "traffic" not in wishes:
        values["traffic"] = _traffic(draw, now) if draw(_BOOL) else None
    return Channel(**values)


def channels(now: int = LARGEST, **fields: Some) -> Some:
    """
    Return channels as seen at *now*; *fields* narrow some of their values.
    """
    return st.composite(_channel)(now, fields)


_FEERATES = st.lists(st.tuples(_WHOLE, whole(1, 100_000_000)), max_size=8)


def _feerates(draw: st.DrawFn, now: int) -> list[FeerateSample]:
    return [FeerateSample(at=max(0, now - age), perkw=perkw) for age, perkw in draw(_FEERATES)]


def feerate_samples(now: int = LARGEST) -> Some:
    """
    Return what the mempool asked for until *now*.
    """
    return st.composite(_feerates)(now)


# What the operator wants


def tags() -> Some:
    """
    Return words that a policy may be tagged with.
    """
    letters = st.characters(codec="utf-8").filter(str.isprintable)
    return st.text(letters, min_size=1, max_size=64)


_FEES = whole(0, 100_000)
_FACTORS = ratios(0.1, 5.0)


@st.composite
def policies(draw: st.DrawFn, **fields: Some) -> Policy:
    """
    Return what the operator may want for a peer; *fields* narrow some of it.
    """

    def pick(name: str, strategy: Some) -> Any:
        return draw(fields.get(name, strategy))

    strategy = pick("strategy", st.sampled_from(Strategy))
    most = pick("max_fee_ppm", st.none() | _FEES)
    highest = pick("fee_multiplier_max", st.none() | _FACTORS)
    fees = _FEES if most is None else whole(0, most)
    factors = _FACTORS if highest is None else ratios(0.1, highest)
    return Policy(
        peer_id=pick("peer_id", peer_ids()),
        strategy=strategy,
        rebalance=pick("rebalance", st.sampled_from(RebalanceMode)),
        fee_ppm=pick("fee_ppm", _FEES if strategy is Strategy.STATIC else st.none() | _FEES),
        max_fee_ppm=most,
        min_fee_ppm=pick("min_fee_ppm", st.none() | fees),
        fee_multiplier_max=highest,
        fee_multiplier_min=pick("fee_multiplier_min", st.none() | factors),
        tags=pick("tags", st.lists(tags(), max_size=3)),
        expires_at=pick("expires_at", _MAYBE_WHOLE),
        updated_at=pick("updated_at", _MAYBE_WHOLE),
    )


def values(option: Option) -> Some:
    """
    Return what *option* may be set to.
    """
    if option.name == "shadow-config":
        found: Some = st.deferred(lambda: _SHADOWS)
    elif option.choices:
        found = st.sampled_from(option.choices)
    elif option.kind is bool:
        found = _BOOL
    elif option.kind is int:
        found = whole(int(option.low or 0), int(option.high or LARGEST))
    elif option.kind is float:
        found = ratios(option.low, option.high)
    else:
        # The word for None means None, so it is no text.
        text = st.from_regex(option.pattern, fullmatch=True)
        found = text.filter(lambda text: text != option.none)
    return st.none() | found if option.none else found


_PAIRS = (
    ("min_fee_ppm", "max_fee_ppm"),
    ("low_liquidity_threshold", "high_liquidity_threshold"),
    ("daily_budget_sats", "weekly_budget_sats"),
    ("rebalance_min_amount", "rebalance_max_amount"),
)
"""Options of which the first is bounded by the second."""
_FREE_OPTIONS = {
    name: values(option)
    for name, option in OPTIONS.items()
    if name not in {"shadow_config", *(name for pair in _PAIRS for name in pair)}
}
_SHADOWS = st.fixed_dictionaries(
    {},
    optional={
        name: values(OPTIONS[name]).map(OPTIONS[name].format)
        for name in _FREE_OPTIONS
        if OPTIONS[name].name not in OF_NO_USE
    },
).map(lambda texts: ",".join(f"{name}={text}" for name, text in texts.items()))


@st.composite
def configs(draw: st.DrawFn, **fields: Some) -> Config:
    """
    Return what an operator may wish for; *fields* narrow some of the options.
    """
    wishes = {name: draw(strategy) for name, strategy in fields.items()}
    chosen = draw(st.fixed_dictionaries({}, optional=_FREE_OPTIONS)) | wishes
    for low, high in _PAIRS:
        if low not in wishes and high not in wishes and draw(_BOOL):
            two = [draw(values(OPTIONS[name])) for name in (low, high)]
            # Equal thresholds contradict each other, and a budget of 0 stands for another one.
            if two[0] < two[1] and 0 not in two:
                chosen |= dict(zip((low, high), two, strict=True))
    return Config(**chosen)


# What is remembered

_FEW = whole(0, FEW)
_PRICES = st.builds(Price, fee_ppm=_PPM, base_fee_msat=_PPM)
_MAYBE_PRICE = st.none() | _PRICES
_WINDOWS = st.builds(Window, fee_ppm=_PPM, live_s=whole(0, MOST_LIVE_S), count=whole(0, MOST_COUNT))
_PLAIN_CLIMBS = st.fixed_dictionaries(
    {
        "base_ppm": _PPM,
        "step": ratios(0, 10),
        "side": st.sampled_from((1, -1)),
        "first": st.none() | _WINDOWS,
        "window": _WINDOWS,
        "seen_out_count": _MAYBE_WHOLE,
        "live": _BOOL,
        "resting": _BOOL,
    }
)
_TRIED = st.builds(Tried, fee_ppm=_PPM, live_s=ratios(0, 1e9), count=ratios(0, 1e9))
_PLAIN_BELIEFS = st.fixed_dictionaries(
    {
        "base_ppm": _PPM,
        "tried": st.lists(_TRIED, max_size=3).map(tuple),
        "window": _WINDOWS,
        "news": whole(0, MOST_COUNT),
        "quiet_s": whole(0, MOST_LIVE_S),
        "middle_ppm": st.none() | ratios(0, 1e6),
        "per_day": st.none() | ratios(0, 1e9),
        "seen_out_count": _MAYBE_WHOLE,
        "live": _BOOL,
        "resting": _BOOL,
    }
)
_SUMS = ratios(0, 1e30)
_RATES = ratios(-1e6, 1e6)
_VARIANCES = ratios(0, 1e12)
_CORRELATIONS = ratios(-1, 1)
_CHANGES = st.lists(st.tuples(_WHOLE, _BOOL), max_size=6)
_PLAIN_FLOWS = st.fixed_dictionaries(
    {
        "in_sum": _SUMS,
        "out_sum": _SUMS,
        "count_sum": _SUMS,
        "ratio": _RATES,
        "velocity": _RATES,
        "variance": _VARIANCES,
        "velocity_variance": _VARIANCES,
        "surprises": _FEW,
        "state": st.sampled_from((FlowState.BALANCED, FlowState.SOURCE, FlowState.SINK)),
    }
)
_PLAIN_VEGAS = st.fixed_dictionaries({"intensity": ratios(0, 1), "hot": _FEW, "spiking": _BOOL})
_IDS = st.lists(channel_ids(), max_size=1)
optimizers = st.sampled_from(OPTIONS["fee_optimizer"].choices)
"""The ways to find the price that earns most."""
_SEARCHES = st.sampled_from((None, "climb", "belief"))


def prices() -> Some:
    """
    Return fees as lightningd holds them.
    """
    return _PRICES


def windows() -> Some:
    """
    Return what may have come at one price.
    """
    return _WINDOWS


def _climb(draw: st.DrawFn, now: int) -> ClimbMemory:
    return ClimbMemory(seen_at=_past(draw, now), **draw(_PLAIN_CLIMBS))


def climb_memories(now: int = LARGEST) -> Some:
    """
    Return searches for the best fee, wherever they stand.
    """
    return st.composite(_climb)(now)


def _belief(draw: st.DrawFn, now: int) -> BeliefMemory:
    return BeliefMemory(
        seen_at=_past(draw, now), judged_at=_past(draw, now), **draw(_PLAIN_BELIEFS)
    )


def belief_memories(now: int = LARGEST) -> Some:
    """
    Return beliefs about the demand for a channel, however they came about.
    """
    return st.composite(_belief)(now)


def _fee_memory(draw: st.DrawFn, now: int) -> FeeMemory:
    asked, pinned = draw(_MAYBE_PRICE), draw(_MAYBE_PRICE)
    search = draw(_SEARCHES)
    return FeeMemory(
        known=draw(_MAYBE_PRICE),
        asked=asked and Asked(price=asked, at=_past(draw, now), urgent=draw(_BOOL)),
        pin=pinned and Pin(price=pinned, until=draw(_WHOLE), ordered=draw(_BOOL)),
        changes=tuple(
            Change(at=max(0, now - age), urgent=urgent) for age, urgent in draw(_CHANGES)
        ),
        congested=draw(_BOOL),
        calm=draw(_FEW),
        climb=_climb(draw, now) if search == "climb" else None,
        belief=_belief(draw, now) if search == "belief" else None,
    )


def fee_memories(now: int = LARGEST) -> Some:
    """
    Return what pricing may remember of a channel.
    """
    return st.composite(_fee_memory)(now)


def _flow_memory(draw: st.DrawFn, now: int) -> FlowMemory:
    hour = _past(draw, now // HOUR)
    plain = draw(_PLAIN_FLOWS)
    # What varies together varies at most as much as each alone.
    most = math.sqrt(plain["variance"] * plain["velocity_variance"])
    return FlowMemory(
        hour=hour,
        regime_hour=_maybe_past(draw, hour),
        covariance=draw(_CORRELATIONS) * most,
        **plain,
    )


def flow_memories(now: int = LARGEST) -> Some:
    """
    Return estimates of flow that some hours may have led to.
    """
    return st.composite(_flow_memory)(now)


def _channel_memory(draw: st.DrawFn, now: int, channel_id: str) -> ChannelMemory:
    last_seen_at = _past(draw, now)
    return ChannelMemory(
        channel_id=channel_id,
        first_seen_at=_past(draw, last_seen_at),
        last_seen_at=last_seen_at,
        flow=_flow_memory(draw, last_seen_at) if draw(_BOOL) else None,
        fee=_fee_memory(draw, last_seen_at),
    )


@st.composite
def channel_memories(draw: st.DrawFn, now: int = LARGEST) -> ChannelMemory:
    """
    Return what may be remembered of a channel.
    """
    return _channel_memory(draw, now, draw(channel_ids()))


def _vegas(draw: st.DrawFn, now: int) -> VegasMemory:
    return VegasMemory(sample_at=_maybe_past(draw, now), **draw(_PLAIN_VEGAS))


def vegas_memories(now: int = LARGEST) -> Some:
    """
    Return states of the reflex to on-chain fees.
    """
    return st.composite(_vegas)(now)


def _memory(draw: st.DrawFn, channels: Iterable[Channel], now: int) -> Memory:
    at = _maybe_past(draw, now)
    known = [channel.channel_id for channel in channels if draw(_BOOL)]
    gone = [channel_id for channel_id in draw(_IDS) if channel_id not in known]
    return Memory(
        since=None if at is None else _past(draw, at),
        at=at,
        vegas=_vegas(draw, now),
        channels=[_channel_memory(draw, now, channel_id) for channel_id in known + gone],
    )


def memories(channels: Iterable[Channel] = (), now: int = LARGEST) -> Some:
    """
    Return what an earlier cycle may have left: about some of *channels*, and about another.
    """
    return st.composite(_memory)(channels, now)


# Everything a cycle may know

# A quarter of all that a field holds: what is promised for later must be a time, too.
_NOWS = instants(GENESIS, LARGEST // 4) | instants(0, LARGEST // 4)
_LASTING = whole(0, LARGEST // 4)
_NODES = nodes()
_PEERS = st.lists(peer_ids(), min_size=1, max_size=2, unique=True)


def _order(draw: st.DrawFn, channel: Channel, now: int) -> FeePin:
    in_force = Price(fee_ppm=channel.fee_ppm, base_fee_msat=channel.base_fee_msat)
    set_at = _past(draw, now)
    return FeePin(
        channel_id=channel.channel_id,
        price=in_force if draw(_BOOL) else draw(_PRICES),
        set_at=set_at,
        until=set_at + draw(_LASTING),
    )


def orders(channel: Channel, now: int) -> Some:
    """
    Return what the operator may have ordered for *channel* until *now*, carried out or not.
    """
    return st.composite(_order)(channel, now)


@st.composite
def snapshots(
    draw: st.DrawFn,
    min_channels: int = 0,
    max_channels: int = 3,
    policy: Some | None = None,
    **fields: Some,
) -> Snapshot:
    """
    Return snapshots; *policy* gives the strategy of policies, *fields* narrow the channels.
    """
    now = draw(_NOWS)
    ids = draw(st.lists(channel_ids(), min_size=min_channels, max_size=max_channels, unique=True))
    # Fewer peers than channels, so that some peers have several.
    peers = draw(_PEERS)
    theirs = {"peer_id": st.sampled_from(peers)} | fields
    ours = [_channel(draw, now, theirs | {"channel_id": st.just(own)}) for own in ids]
    wanted = {} if policy is None else {"strategy": policy}
    return Snapshot(
        now=now,
        seed=draw(_WHOLE),
        node=draw(_NODES),
        channels=ours,
        feerates=_feerates(draw, now),
        policies=[draw(policies(peer_id=st.just(peer), **wanted)) for peer in peers if draw(_BOOL)],
        pins=[_order(draw, channel, now) for channel in ours if draw(_BOOL)],
        wake=draw(_BOOL),
        onchain_msat=draw(_MAYBE_MSAT),
        memory=_memory(draw, ours, now),
    )
