"""Reasons: every code can happen, and what it says is a sentence with the numbers in it."""

import json
import re

import attrs
import pytest
from property.world import CLIMBING, START, World, looked, peer, quiet_channel
from unit.core.refilled import REFILLED
from unit.core.told import TOLD
from unit.core.watched import WATCHED

from revops.core.config import OPTIONS, Config
from revops.core.memory import (
    BeliefMemory,
    ClimbMemory,
    FeeMemory,
    FlowMemory,
    FlowState,
    Pin,
    Price,
    Tried,
    VegasMemory,
    Window,
)
from revops.core.policy import Policy, Strategy
from revops.core.reasons import SENTENCES, Code, because, sentence
from revops.core.snapshot import FeePin, FeerateSample, HiveHint, Refills, Slice, Traffic
from revops.core.units import DAY, HOUR

CAPACITY = 5_000_000_000
PRICE = Price(fee_ppm=500, base_fee_msat=0)
USED = Traffic(since=0, until=START, out_count=30, last_out_at=START)
HALF_HOURS = [FeerateSample(at=START - n * 1800, perkw=2000) for n in range(1, 12)]


def climbing(base=500, price=500, forwards=0, live_s=3 * DAY, first=None, **fields):
    """
    Return the plan for a channel whose search has had a window of *live_s* with *forwards*.
    """
    climb = ClimbMemory(
        base_ppm=base,
        window=Window(fee_ppm=price, live_s=live_s, count=forwards),
        first=first,
        seen_out_count=30,
        seen_at=START,
        live=True,
        resting=fields.pop("resting", False),
    )
    channel = quiet_channel(fee_ppm=price, traffic=fields.pop("traffic", USED))
    known = Price(fee_ppm=price, base_fee_msat=0)
    config = attrs.evolve(fields.pop("config", Config()), **CLIMBING)
    return looked(channel, config, fee=FeeMemory(known=known, climb=climb), **fields)


def climbed(channel):
    """
    Return the plan for *channel* at first contact, with prices from the climber.
    """
    return looked(channel, Config(**CLIMBING))


def believing(price=500, **fields):
    """
    Return the plan for a channel about which something is believed, and judged a day ago.
    """
    belief = {
        "base_ppm": price,
        "tried": (Tried(fee_ppm=price, live_s=3 * DAY, count=20),),
        "window": Window(fee_ppm=price),
        "seen_out_count": 30,
        "seen_at": START - HOUR,
        "judged_at": START - DAY,
        "live": True,
    } | fields
    channel = quiet_channel(fee_ppm=price, traffic=USED)
    known = Price(fee_ppm=price, base_fee_msat=0)
    return looked(channel, fee=FeeMemory(known=known, belief=BeliefMemory(**belief)))


def wanting(ppm):
    """
    Return the plan for a channel at 500 ppm whose search has come to another price.
    """
    climb = ClimbMemory(base_ppm=ppm, window=Window(fee_ppm=ppm), seen_at=START)
    memory = FeeMemory(known=PRICE, climb=climb)
    return looked(quiet_channel(traffic=USED), Config(**CLIMBING), fee=memory)


def governed(policy_fields, **fields):
    """
    Return the plan for a channel whose peer has a policy.
    """
    policy = Policy(peer_id=peer(0), **policy_fields)
    return looked(quiet_channel(traffic=USED, **fields), policies=[policy])


def crowded(updates=0, budget=60):
    """
    Return the plan for two channels that both want an update.
    """
    policies = [
        Policy(peer_id=peer(n), strategy=Strategy.STATIC, fee_ppm=1000 + n) for n in range(2)
    ]
    config = Config(max_fee_updates_per_day=1, max_node_updates_per_hour=budget)
    world = World([quiet_channel(n) for n in range(2)], config, policies=policies)
    for ppm in range(updates):
        world.cycle()
        world.policies = tuple(attrs.evolve(policy, fee_ppm=ppm) for policy in policies)
    return world.cycle()


def eased():
    """
    Return the plan for a channel that was congested and is not any more.
    """
    congested = FeeMemory(known=PRICE, congested=True)
    return looked(quiet_channel(max_htlcs=10, htlcs_in=1, traffic=USED), fee=congested)


EMPTY = {"to_us_msat": 0, "spendable_msat": 0}
SHORT = {"to_us_msat": CAPACITY // 4}
NEW = {"opened_at": START - DAY, "traffic": Traffic(since=0, until=START)}
YOUNG = {"opened_at": START - DAY, "traffic": Traffic(since=0, until=START, out_count=2)}
IDLE = Traffic(since=0, until=START, out_count=30, last_out_at=START - 8 * DAY)
TWICE = Window(fee_ppm=500, live_s=DAY, count=20)
SOURCE = FlowMemory(hour=START // HOUR - 1, out_sum=1e12, count_sum=9, state=FlowState.SOURCE)
CHEAP = quiet_channel(fee_ppm=20, traffic=USED)
SPIKE = [*HALF_HOURS, FeerateSample(at=START, perkw=20_000)]
FADING = VegasMemory(intensity=0.9, spiking=True, sample_at=START - HOUR)

EXAMPLES = {
    Code.PASSIVE: lambda: governed({"strategy": Strategy.PASSIVE}),
    Code.STATIC: lambda: governed({"strategy": Strategy.STATIC, "fee_ppm": 7}),
    Code.HIVE: lambda: governed({"strategy": Strategy.HIVE}),
    Code.PINNED: lambda: looked(
        quiet_channel(), fee=FeeMemory(known=PRICE, pin=Pin(price=PRICE, until=START + HOUR))
    ),
    Code.MANUAL_CHANGE: lambda: looked(quiet_channel(fee_ppm=1), fee=FeeMemory(known=PRICE)),
    Code.ORDERED: lambda: looked(
        quiet_channel(),
        pins=[FeePin(channel_id=f"{0:064x}", price=PRICE, set_at=START, until=START + 2 * HOUR)],
    ),
    Code.NO_SCID: lambda: looked(quiet_channel(scid=None)),
    Code.NOT_NORMAL: lambda: looked(quiet_channel(state="ONCHAIN")),
    Code.FIRST_CONTACT: lambda: looked(quiet_channel()),
    Code.NEW_CHANNEL: lambda: looked(quiet_channel(**NEW, market_ppm=300)),
    Code.BOUNDS: lambda: looked(quiet_channel()),
    Code.POLICY_BOUNDS: lambda: governed({"min_fee_ppm": 20}),
    Code.CHAIN_FLOOR: lambda: looked(quiet_channel(capacity_msat=10**9), feerates=SPIKE),
    Code.NO_FEERATES: lambda: looked(quiet_channel()),
    Code.REFILL_FLOOR: lambda: looked(
        quiet_channel(refills=Refills(count=3, amount_msat=10**9, cost_msat=10**6)), flow=SOURCE
    ),
    Code.STALE_CEILING: lambda: looked(quiet_channel(traffic=IDLE)),
    Code.FLOOR_ABOVE_CEILING: lambda: governed({"min_fee_ppm": 9000}),
    Code.CONGESTED: lambda: looked(quiet_channel(max_htlcs=10, htlcs_in=9)),
    Code.CONGESTION_EASES: eased,
    Code.VEGAS_SPIKE: lambda: looked(quiet_channel(), feerates=SPIKE),
    Code.VEGAS_DECAY: lambda: looked(quiet_channel(), feerates=HALF_HOURS, vegas=FADING),
    Code.VEGAS_CALM: lambda: looked(quiet_channel(), feerates=HALF_HOURS),
    Code.VEGAS_BLIND: lambda: looked(quiet_channel(), feerates=HALF_HOURS[:5]),
    Code.VEGAS_FLOOR: lambda: looked(quiet_channel(), feerates=SPIKE),
    Code.SCARCITY: lambda: looked(quiet_channel(**SHORT)),
    Code.AMNESTY: lambda: looked(quiet_channel(**SHORT, **YOUNG, opener="remote")),
    Code.MULTIPLIER: lambda: governed({"fee_multiplier_min": 2}),
    Code.BALANCE: lambda: looked(quiet_channel(**SHORT)),
    Code.HIVE_HINT: lambda: looked(
        quiet_channel(traffic=USED, hive_hint=HiveHint(fee_ppm=900, confidence=0.5))
    ),
    Code.BELIEF: believing,
    Code.BELIEF_STANDS: lambda: believing(judged_at=START - HOUR),
    Code.BELIEF_BLIND: lambda: looked(quiet_channel()),
    Code.BELIEF_NOT_LIVE: lambda: looked(quiet_channel(connected=False, traffic=USED)),
    Code.BELIEF_NOBODY: lambda: believing(quiet_s=5 * DAY),
    Code.BELIEF_RESTING: lambda: believing(quiet_s=30 * DAY),
    Code.CLIMB_BLIND: lambda: climbed(quiet_channel()),
    Code.CLIMB_PAUSED: lambda: climbed(quiet_channel(**EMPTY, traffic=USED)),
    Code.CLIMB_NOT_LIVE: lambda: climbed(quiet_channel(connected=False, traffic=USED)),
    Code.CLIMB_WAITING: lambda: climbing(live_s=HOUR),
    Code.CLIMB_COMPARING: lambda: climbing(price=650, live_s=HOUR, first=TWICE),
    Code.CLIMB_PROBE: lambda: climbing(forwards=20),
    Code.CLIMB_BETTER: lambda: climbing(price=650, forwards=20, live_s=DAY, first=TWICE),
    Code.CLIMB_WORSE: lambda: climbing(price=650, forwards=1, live_s=DAY, first=TWICE),
    Code.CLIMB_UNDECIDED: lambda: climbing(price=650, forwards=15, live_s=DAY, first=TWICE),
    Code.CLIMB_NOBODY: climbing,
    Code.CLIMB_RESTING: lambda: climbing(base=10, price=10),
    Code.CLIMB_WOKE: lambda: climbing(
        base=10, price=10, resting=True, traffic=attrs.evolve(USED, out_count=31)
    ),
    Code.CLIMB_QUIET: lambda: climbing(base=700, price=500, traffic=IDLE),
    Code.CLIMB_NO_ROOM: lambda: climbing(
        base=10, price=10, forwards=20, config=Config(min_fee_ppm=10, max_fee_ppm=10)
    ),
    Code.STEP_LIMIT: lambda: wanting(4000),
    Code.UNCHANGED: lambda: looked(quiet_channel()),
    Code.DEAD_BAND: lambda: wanting(503),
    Code.HTLC_MAX: lambda: looked(quiet_channel(htlc_max_msat=1)),
    Code.GOSSIP_CHANNEL: lambda: crowded(updates=1),
    Code.GOSSIP_NODE: lambda: crowded(budget=1),
    Code.PAUSED: lambda: looked(quiet_channel(fee_ppm=1), Config(paused=True)),
    Code.AUTHORITY: lambda: looked(quiet_channel(fee_ppm=1), Config(authority="observe")),
    Code.SET: lambda: looked(quiet_channel(fee_ppm=1)),
    **WATCHED,
    **REFILLED,
    **WATCHED,
}


def said(code):
    """
    Return the first reason with *code* in the plan that is an example of it.
    """
    plan = EXAMPLES[code]()
    trails = [*plan.node_trail, *(r for decision in plan.decisions for r in decision.trail)]
    return next(reason for reason in trails if reason.code is code)


@pytest.mark.parametrize("code", Code)
def test_every_code_happens_and_is_a_sentence(code):
    """
    Each code is said by some plan, its sentence has all its facts in it, none of them is missing,
    and they can be written down: infinity is no JSON.
    """
    first = said(code)
    words = sentence(first)

    assert json.dumps(first.facts, allow_nan=False)
    assert None not in dict(first.facts).values()
    assert "{" not in words
    assert words[0].islower() or words[0].isdigit() or words.startswith("HTLC")


@pytest.mark.parametrize("code", TOLD)
def test_a_reason_tells_what_it_was_made_of(code):
    """
    Whoever recomputes a price finds in its reasons the numbers that it came from.
    """
    reason = said(code)
    facts, before, after = TOLD[code]

    assert dict(reason.facts) == pytest.approx(facts)
    assert [type(fact) for _, fact in reason.facts] == [type(fact) for fact in facts.values()]
    assert (reason.before, reason.after) == (before, after)


@pytest.mark.parametrize(
    ("stage", "plan"),
    [
        ("congestion", lambda: climbed(quiet_channel(max_htlcs=10, htlcs_in=9, traffic=USED))),
        ("vegas", lambda: looked(CHEAP, Config(**CLIMBING), feerates=SPIKE)),
        ("scarcity", lambda: climbed(quiet_channel(**EMPTY, traffic=USED))),
        (
            "congestion",
            lambda: looked(
                attrs.evolve(CHEAP, **EMPTY, max_htlcs=10, htlcs_in=9),
                Config(**CLIMBING),
                feerates=SPIKE,
            ),
        ),
    ],
)
def test_the_first_stage_that_makes_a_price_is_named(stage, plan):
    """
    A search that pauses tells which stage makes the price; of several it is the first.
    """
    (decision,) = plan().decisions
    (reason,) = [found for found in decision.trail if found.code is Code.CLIMB_PAUSED]

    assert dict(reason.facts)["by"] == stage


def test_who_rests_tells_the_floor_it_rests_at():
    """
    A channel that rests tells the fee it rests at, which is not the learned one where its balance
    multiplies that.
    """
    belief = BeliefMemory(
        base_ppm=100,
        window=Window(fee_ppm=211),
        seen_out_count=30,
        seen_at=START,
        judged_at=START,
        resting=True,
    )
    known = Price(fee_ppm=211, base_fee_msat=0)
    channel = quiet_channel(fee_ppm=211, to_us_msat=CAPACITY // 4, traffic=USED)
    config = Config(scarcity_pricing=False)
    (decision,) = looked(channel, config, fee=FeeMemory(known=known, belief=belief)).decisions
    (reason,) = [found for found in decision.trail if found.code is Code.BELIEF_RESTING]

    assert dict(reason.facts) == {"fee_ppm": 211}


def test_every_option_in_a_sentence_exists():
    """
    Where a sentence names an option that would change it, there is such an option.
    """
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)+", " ".join(SENTENCES.values())))
    options = {option.name for option in OPTIONS.values()}
    hyphenated = {"on-chain"}

    assert words - hyphenated <= options


def test_a_sentence_ends_with_the_price_it_made():
    """
    A reason that changed the price shows it before and after; one that did not, does not.
    """
    moved = because(Code.NO_SCID, 100, 200)
    kept = because(Code.NO_SCID, 100, 100)

    assert sentence(moved).endswith(" (100 → 200 ppm)")
    assert "→" not in sentence(kept)


def test_a_busy_day_is_in_the_sentence_of_the_chain_floor():
    """
    The chain-cost floor names cost, feerate, volume and floor, so that it can be recomputed.
    """
    day = Slice(start=START // DAY, out_count=5, out_msat=10**9)
    channel = quiet_channel(capacity_msat=10**9, traffic=attrs.evolve(USED, days=[day]))
    (decision,) = looked(channel, feerates=SPIKE).decisions
    (reason,) = [found for found in decision.trail if found.code is Code.CHAIN_FLOOR]

    facts = dict(reason.facts)
    assert facts["cost_msat"] == (140 + 200) * 4 * facts["perkw"]
    assert facts["floor"] == -(-facts["cost_msat"] * 10**6 // facts["volume_msat"])
    assert facts["volume_msat"] > TOLD[Code.CHAIN_FLOOR][0]["volume_msat"]
