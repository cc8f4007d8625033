"""Suggestions and outlooks: what the books speak for, and what looks at a channel say of it."""

import attrs
import pytest
from unit.adapters.store_examples import channel, remembered
from unit.core.test_books import NOW, did, judged, sats

from revops.core.advice import Outlook, outlook_of
from revops.core.ledger import Looks
from revops.core.memory import ClimbMemory, FeeMemory, Window
from revops.core.policy import Policy, RebalanceMode, Strategy
from revops.core.snapshot import Slice, Traffic
from revops.core.suggest import TEXTS, Why, suggestions
from revops.core.units import DAY
from revops.core.value import demand_of

BLEEDER = judged(window=did(1, refill_cost=sats(500)))
ZOMBIE = judged(window=did(1, refill_cost=sats(500)), life=did(0, open_cost=sats(9)), diagnostics=2)
SILENT = judged(last_value_at=NOW - 40 * DAY)
FINE = judged(window=did(500))
CLOSED = judged(window=did(1, refill_cost=sats(500)), closed_at=NOW)
CLIMB = ClimbMemory(base_ppm=10, window=Window(fee_ppm=10), seen_at=NOW, resting=True)
RESTING = attrs.evolve(remembered(1), fee=FeeMemory(climb=CLIMB))


def suggested(assessment, memory=RESTING, *policies):
    """
    Return what is suggested for one channel: why, and at which price.
    """
    memories = {assessment.account.channel_id: memory}
    found = suggestions([assessment], memories, policies, NOW)
    return [(suggestion.why, suggestion.fee_ppm) for suggestion in found]


@pytest.mark.parametrize(
    ("assessment", "expected"),
    [
        (BLEEDER, [(Why.BLEEDER, None)]),
        (ZOMBIE, [(Why.ZOMBIE, None)]),
        (SILENT, [(Why.NO_GRADIENT, 10)]),
        (FINE, []),
        (CLOSED, []),
    ],
    ids=["bleeder", "zombie", "silent", "fine", "closed"],
)
def test_suggestions_by_example(assessment, expected):
    """
    A loser on refills, one that refills did not revive, one that nobody comes to at any price.
    """
    assert suggested(assessment) == expected
    assert all(TEXTS[why] for why, _ in expected)


def test_silence_without_a_rest_says_nothing():
    """
    As long as the search for a fee goes on, there may be a gradient.
    """
    awake = attrs.evolve(RESTING, fee=FeeMemory(climb=attrs.evolve(CLIMB, resting=False)))

    assert suggested(SILENT, awake) == []
    assert suggested(SILENT, remembered(1)) == []
    assert suggestions([SILENT], {}, (), NOW) == ()


@pytest.mark.parametrize(
    ("fields", "bleeder", "silent"),
    [
        ({"rebalance": RebalanceMode.DISABLED}, 0, 1),
        ({"rebalance": RebalanceMode.SOURCE_ONLY}, 0, 1),
        ({"rebalance": RebalanceMode.SINK_ONLY}, 1, 1),
        (
            {"rebalance": RebalanceMode.DISABLED, "strategy": Strategy.STATIC, "fee_ppm": 50},
            0,
            0,
        ),
        ({"rebalance": RebalanceMode.DISABLED, "expires_at": NOW}, 1, 1),
    ],
)
def test_what_is_ordered_already_is_not_suggested(fields, bleeder, silent):
    """
    A policy in force that does it is enough; one that expired is none.
    """
    policy = Policy(peer_id=BLEEDER.account.peer_id, **fields)

    assert len(suggested(BLEEDER, RESTING, policy)) == bleeder
    assert len(suggested(SILENT, RESTING, policy)) == silent


def test_an_outlook_is_what_was_looked_at():
    """
    12 of 48 looks short are a quarter of the time; demand is counted in the half that was live, of
    whole days and what has passed of today.
    """
    days = [Slice(start=NOW // DAY - 2, out_count=10, out_msat=10**9)]
    traffic = Traffic(since=0, until=NOW // DAY * DAY + DAY // 4, days=days)
    seen = channel(1, traffic=traffic, fee_ppm=77)
    looks = Looks(count=48, short=12, live=24)

    assert outlook_of(seen, looks, 8) == Outlook(
        channel_id=seen.channel_id, fee_ppm=77, demand=demand_of(traffic, 4.125), short_share=0.25
    )


def test_few_looks_say_nothing():
    """
    Less than a day of looks, or none, leaves demand and shortage unknown.
    """
    seen = channel(1, traffic=Traffic(since=0, until=NOW))
    unknown = Outlook(channel_id=seen.channel_id, fee_ppm=seen.fee_ppm)

    assert outlook_of(seen, None, 7) == unknown
    assert outlook_of(seen, Looks(count=23, short=1, live=5), 7) == unknown
    assert outlook_of(channel(1), Looks(count=24, short=24, live=0), 7) == attrs.evolve(
        unknown, short_share=1.0
    )
