"""§8 Profit and loss: every fee is earned once, and channels add up to the node."""

import math
from fractions import Fraction

import attrs
from hypothesis import given
from hypothesis import strategies as st
from property.accounts import COSTS, SUMS, activities, and_more, known_activities, ledgers
from property.strategies import GENESIS, msats, whole

from revops.core.ledger import FREE, Account, Activity, Cost, Ledger
from revops.core.pnl import Pnl, Total, added, covered, lifetime, period, pnl_of
from revops.core.profit import assessed
from revops.core.tally import Forward, by_day, tally
from revops.core.units import DAY, HOUR, from_sats

YEAR = 365 * DAY


@given(ledgers())
def test_channels_add_up_to_the_node(ledger):
    """
    The sum over channels, open and closed, and of what belongs to none that is known, is the
    node's: to the msat, in every kind of cost.
    """
    assessments = [assessed(account, ledger) for account in ledger.accounts]
    window = [*(found.window for found in assessments), pnl_of(ledger.stray_window)]
    life = [*(found.life for found in assessments), pnl_of(ledger.stray_life)]

    assert_sum(period(ledger).pnl, window)
    assert_sum(lifetime(ledger), life)


def assert_sum(node, channels):
    """
    Check that *channels* add up to *node*.
    """
    for name in (*SUMS, "net_msat"):
        assert getattr(node, name) == sum(getattr(channel, name) for channel in channels)
    for name in (*COSTS, "costs"):
        for part in ("known_msat", "estimated_msat", "unknown"):
            parts = [getattr(getattr(channel, name), part) for channel in channels]
            assert getattr(getattr(node, name), part) == sum(parts)


@given(st.lists(activities(), max_size=4), st.data())
def test_adding_up_knows_no_order(parts, data):
    """
    However channels are grouped and ordered, they come to the same.
    """
    pnls = [pnl_of(part) for part in data.draw(st.permutations(parts))]
    cut = data.draw(whole(0, len(pnls)))

    assert added([added(pnls[:cut]), added(pnls[cut:])]) == added(pnl_of(part) for part in parts)


@given(ledgers(min_accounts=1), st.data())
def test_closing_a_channel_moves_no_money(ledger, data):
    """
    A channel that closes leaves the node's totals as they are; what closing cost is all that comes.
    """
    closing = data.draw(st.sampled_from(ledger.accounts))
    closed = attrs.evolve(closing, closed_at=ledger.now, to_us_msat=None)
    others = [account for account in ledger.accounts if account is not closing]
    after = attrs.evolve(ledger, accounts=[*others, closed])

    assert period(after).pnl == period(ledger).pnl


@given(known_activities())
def test_net_is_what_was_earned_less_every_cost(activity):
    """
    Net = earned - (opening + closing + splices + refills); what was sourced is not in it.
    """
    found = pnl_of(activity)
    spent = sum(getattr(activity, name).amount_msat for name in COSTS)

    assert found.net_msat == activity.earned_msat - spent
    assert found.costs.known_msat == spent
    assert not found.costs.unknown


@given(activities())
def test_earned_and_sourced_stand_apart(activity):
    """
    The value of a channel is the larger of the two and not their sum.
    """
    found = pnl_of(activity)

    assert (found.earned_msat, found.sourced_msat) == (activity.earned_msat, activity.sourced_msat)
    assert found.value_msat == max(activity.earned_msat, activity.sourced_msat)


@given(activities(), st.sampled_from(COSTS))
def test_a_cost_nobody_can_tell_is_said_and_not_taken_for_none(activity, name):
    """
    Without a cost the total is marked, and stays so in every sum it goes into; a known 0 is not.
    """
    blind = pnl_of(attrs.evolve(activity, **{name: None}))
    free = pnl_of(attrs.evolve(activity, **{name: FREE}))

    assert getattr(blind, name) == Total(unknown=1)
    assert getattr(free, name) == Total()
    assert blind.costs.unknown == free.costs.unknown + 1
    assert added([blind, free]).costs.unknown == blind.costs.unknown + free.costs.unknown
    assert blind.net_msat == free.net_msat


@given(st.lists(activities(), min_size=1, max_size=3), st.sampled_from(COSTS))
def test_estimates_are_marked_in_every_sum(parts, name):
    """
    How much of a total is estimated is known to the msat.
    """
    total = getattr(added(pnl_of(part) for part in parts), name)
    costs = [cost for part in parts if (cost := getattr(part, name))]

    assert total.known_msat == sum(cost.amount_msat for cost in costs)
    assert total.estimated_msat == sum(cost.amount_msat for cost in costs if cost.estimated)


@given(activities(), activities())
def test_two_spans_are_one(early, late):
    """
    Two spans after each other come to what one span over both would have come to, estimates aside.
    """
    apart, at_once = added([pnl_of(early), pnl_of(late)]), pnl_of(and_more(early, late))

    for name in SUMS:
        assert getattr(apart, name) == getattr(at_once, name)
    if not apart.costs.unknown:
        assert apart.net_msat == at_once.net_msat


@given(activities(), st.sampled_from(COSTS), msats(1))
def test_a_return_falls_with_every_cost(activity, name, more):
    """
    Costing more never makes a margin or a return look better, once there is any cost at all.
    """
    cost = getattr(activity, name) or FREE
    plain = pnl_of(attrs.evolve(activity, **{name: Cost(amount_msat=cost.amount_msat + 1)}))
    dearer = pnl_of(attrs.evolve(activity, **{name: Cost(amount_msat=cost.amount_msat + more)}))

    assert dearer.roi <= plain.roi
    assert dearer.roi >= -1
    assert (plain.operating_margin is None) == (activity.earned_msat == 0)
    if plain.operating_margin is not None:
        assert dearer.operating_margin <= plain.operating_margin <= 1


@given(ledgers(min_accounts=1))
def test_roc_is_net_over_the_capital_that_was_open_for_a_year(ledger):
    """
    Net over average capacity, at the pace of the window; the time before the books is not in it.
    """
    found = period(ledger)
    start, end = covered(ledger)
    used = Fraction(0)
    for account in ledger.accounts:
        opened = max(start, account.opened_at or start)
        closed = end if account.closed_at is None else min(end, account.closed_at)
        used += account.capacity_msat * Fraction(max(0, closed - opened), max(end - start, 1))

    assert ledger.start <= start <= end == ledger.end
    assert ledger.since is None or start == end or start >= ledger.since
    assert found.capacity_msat == math.floor(used)
    if found.roc is not None:
        wanted = Fraction(found.pnl.net_msat, found.capacity_msat) * YEAR / max(end - start, DAY)
        assert math.isclose(found.roc, wanted, rel_tol=1e-9)


SCIDS = ("700000x1x0", "700000x2x0", "700001x1x1")


@st.composite
def settled(draw):
    """
    Return a forward that settled between two of three channels.
    """
    at = draw(whole(0, 30 * DAY))
    out_msat, fee_msat = draw(msats(max_value=2**49)), draw(msats(max_value=2**49))
    return Forward(
        created_index=None,
        updated_index=None,
        in_scid=draw(st.sampled_from(SCIDS)),
        out_scid=draw(st.sampled_from(SCIDS)),
        in_msat=out_msat + fee_msat,
        out_msat=out_msat,
        fee_msat=fee_msat,
        status="settled",
        received_at=GENESIS + at,
        resolved_at=GENESIS + at + HOUR,
    )


def account(scid, days):
    """
    Return the books of a channel without costs that was used on *days*.
    """
    sums = {name: sum(getattr(day, name) for day in days) for name in SUMS}
    number = SCIDS.index(scid)
    return Account(
        channel_id=f"{number:064x}",
        scid=scid,
        peer_id=f"02{number:064x}",
        capacity_msat=from_sats(5_000_000),
        window=Activity(**sums, **dict.fromkeys(COSTS, FREE)),
    )


@given(st.lists(settled(), max_size=12), st.data())
def test_every_fee_is_earned_once_for_the_node(forwards, data):
    """
    From forwards to books to P&L, in any order: the node earns the sum of the fees, to the msat,
    and sourced is the same money.
    """
    hours = tally(data.draw(st.permutations(forwards))).hours
    end = GENESIS + 32 * DAY
    ledger = Ledger(
        now=end,
        since=0,
        start=GENESIS,
        end=end,
        accounts=[
            account(scid, by_day(part for (own, _hour), part in hours.items() if own == scid))
            for scid in SCIDS
        ],
    )
    node = period(ledger).pnl

    assert node.earned_msat == node.sourced_msat == sum(f.fee_msat for f in forwards)
    assert node.net_msat == node.earned_msat
    assert node.in_count == node.out_count == len(forwards)


def test_nothing_adds_up_to_nothing():
    """
    A node without channels earned nothing, at no known return.
    """
    empty = period(Ledger(now=DAY, since=0, start=0, end=DAY))

    assert empty.pnl == added([]) == Pnl()
    assert (empty.capacity_msat, empty.roc, empty.pnl.operating_margin) == (0, None, None)
